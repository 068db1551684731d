"""Segment every image of a folder, a list or a data set, by many processes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from DeepIGeoSLib.commands.common import add_crf, add_engine, add_model
from DeepIGeoSLib.errors import InputError, Progress

if TYPE_CHECKING:
    from DeepIGeoSLib.batch import FindingRules, Plan, Workers, WorkSettings

# Takes minutes to days: progress is shown in logs and as events, too.
LONG = True

_DONE, _FAILED = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "input",
        metavar="INPUT",
        help="folder with images, DICOM series or pictures (also in folders inside), BIDS data "
        "set, or CSV list with the column image and, if wanted, case, seeds, initial, truth, "
        "series, image2, ...",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FOLDER",
        help="folder for the results, which mirrors the input; a run that was stopped goes on "
        "when the command is given again",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only say what would be done, how long it may take, and what is wrong",
    )
    parser.add_argument(
        "--leave-out-problems",
        action="store_true",
        help="do the other cases where some can't be worked on (by default nothing is begun then)",
    )
    parser.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write report.html, report.csv and report.md at the end, or don't",
    )
    _add_rules(parser.add_argument_group("which files belong to a case"))
    _add_work(parser.add_argument_group("results"))
    _add_workers(parser.add_argument_group("processes"))
    add_model(parser)
    add_engine(parser)
    add_crf(parser)


def _add_rules(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--images",
        action="append",
        default=[],
        metavar="PATTERN",
        help="path from INPUT with {case} for the name of the case, such as "
        "'{case}/flair.nii.gz'; once for each channel of the bundle (default: every image)",
    )
    for name, what in (
        ("seeds", "strokes to correct the automatic segmentation by"),
        ("initial", "segmentations to correct by the seeds instead of the automatic ones"),
        ("truth", "true segmentations to measure against"),
    ):
        group.add_argument(f"--{name}", metavar="PATTERN", help=f"the same for {what}")
    group.add_argument(
        "--modality", metavar="NAME", help="of the DICOM series that are wanted, such as MR"
    )
    group.add_argument(
        "--description",
        metavar="TEXT",
        help="of the DICOM series that are wanted, such as '*flair*'",
    )
    group.add_argument(
        "--suffix",
        action="append",
        default=[],
        metavar="NAME",
        help="of the images of a BIDS data set that are wanted, such as FLAIR; once for each "
        "channel",
    )


def _add_work(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--format",
        default="auto",
        metavar="ENDING",
        help="of the segmentations: .nii.gz, .nii, .nrrd, .mha, .seg.nrrd, .dcm for DICOM, .png "
        "for pictures; auto is .png of pictures, .nii.gz of all else (default: %(default)s)",
    )
    group.add_argument(
        "--target",
        default="",
        metavar="NAME",
        help="of a bundle with several targets, segment this one alone; all of them, 1 for the "
        "first, 2 for the second, ..., when left out",
    )
    group.add_argument(
        "--instances",
        action=argparse.BooleanOptionalAction,
        help="find objects and number them, with a table for each case (default: where the bundle "
        "has a network for objects); other bundles give the connected parts of what they segment",
    )
    group.add_argument(
        "--score",
        type=float,
        metavar="S",
        help="least score (0 to 1) of an object (default: the bundle's)",
    )
    group.add_argument("--probability", action="store_true", help="also write the probabilities")
    group.add_argument("--uncertainty", action="store_true", help="also write the uncertainties")
    group.add_argument(
        "--tolerance",
        type=float,
        default=2.0,
        metavar="MM",
        help="of the surface Dice against a truth (default: %(default)s)",
    )


def _add_workers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes on this computer, 0 for none but this one (default: one for each core, as "
        "far as the memory goes)",
    )
    group.add_argument(
        "--memory",
        type=float,
        default=4.0,
        metavar="GB",
        help="what each may use (default: %(default)s)",
    )
    group.add_argument(
        "--threads",
        type=int,
        default=1,
        help="that each computes with (default: %(default)s, the fastest for a cohort)",
    )
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask scheduler whose workers do it instead, such as tcp://10.0.0.1:8786",
    )
    group.add_argument(
        "--dashboard",
        action="store_true",
        help="serve Dask's page on what the processes do (http://127.0.0.1:8787)",
    )


def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Work on the cohort, or say what would be done."""
    from DeepIGeoSLib.batch import plan_batch, run_batch
    from DeepIGeoSLib.commands.long_progress import LongProgress

    for name, path in (("INPUT", arguments.input), ("--output", arguments.output)):
        if not path:  # an empty path would mean the folder that the command is called in
            raise InputError(f"{name} is empty; a path is expected.")
    common: dict[str, Any] = {
        "bundle": arguments.bundle,
        "rules": _rules(arguments),
        "settings": _settings(arguments),
        "workers": _workers(arguments),
    }
    if arguments.dry_run:
        plan = plan_batch(arguments.input, arguments.output, **common, report=arguments.report)
        return {"plan": plan.mapping(), "text": plan.text(), "problems": len(plan.problems)}
    events = progress if isinstance(progress, LongProgress) else None

    def tell(plan: Plan) -> None:
        if events is not None:
            events.event("plan", plan.mapping(), plan.text())

    def tell_dashboard(address: str) -> None:
        if events is not None:
            events.event("dashboard", {"address": address}, f"Dask's dashboard: {address}")

    result = run_batch(
        arguments.input,
        arguments.output,
        **common,
        leave_out_problems=arguments.leave_out_problems,
        report=arguments.report,
        progress=progress,
        on_plan=tell,
        on_dashboard=tell_dashboard,
        on_record=None
        if events is None
        else lambda record: events.event("case", record.mapping(), ""),
    )
    return {
        "output": arguments.output,
        "cases": len(result.records),
        "worked_on": result.worked_on,
        "done_before": result.done_before,
        "failed": [{"case": one.name, "reason": one.reason} for one in result.failed],
        "seconds": result.seconds,
        "report": None if result.report is None else str(result.report),
    }


def _rules(arguments: argparse.Namespace) -> FindingRules:
    from DeepIGeoSLib.batch import FindingRules

    return FindingRules(
        images=tuple(arguments.images),
        seeds=arguments.seeds,
        initial=arguments.initial,
        truth=arguments.truth,
        modality=arguments.modality,
        description=arguments.description,
        suffix=tuple(arguments.suffix),
    )


def _settings(arguments: argparse.Namespace) -> WorkSettings:
    from DeepIGeoSLib.batch import WorkSettings

    return WorkSettings(
        device=arguments.device,
        engine=arguments.engine,
        crf=arguments.crf,
        memory_gb=arguments.memory,
        threads=arguments.threads,
        target=arguments.target,
        instances=arguments.instances,
        score=arguments.score,
        format=arguments.format,
        probability=arguments.probability,
        uncertainty=arguments.uncertainty,
        tolerance=arguments.tolerance,
    )


def _workers(arguments: argparse.Namespace) -> Workers:
    from DeepIGeoSLib.batch import Workers

    return Workers(
        count=arguments.workers,
        scheduler=arguments.scheduler,
        dashboard=arguments.dashboard,
    )


def text(result: dict[str, Any]) -> str:
    """Return what was done, and what failed with its reason."""
    from DeepIGeoSLib.batch.plan import counted

    if "plan" in result:
        return result["text"]
    failed = result["failed"]
    lines = [f"FAILED {one['case']}: {one['reason']}" for one in failed]
    done = result["cases"] - len(failed)
    before = result["done_before"]
    earlier = f" ({before} by an earlier start)" if before > 0 else ""
    lines.append(
        f"{result['output']}: {counted(done)} done{earlier}, {len(failed)} failed "
        f"({result['seconds']:.0f} s)"
    )
    if result["report"] is not None:
        lines.append(f"Report: {result['report']}")
    return "\n".join(lines)


def exit_code(result: dict[str, Any]) -> int:
    """Return 1 where cases failed, or would."""
    return _FAILED if result.get("failed") or result.get("problems") else _DONE
