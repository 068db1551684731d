"""Learning from a user's own cases, in a process of its own.

A front end gathers cases in a folder (see ``own_cases``), starts a run, and asks it now and then
how it goes. The training itself is never imported there.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.training.own_cases import COMPARISON
from DeepIGeoSLib.volume import Volume

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import Bundle

_TOLD = "told.json"


@dataclass(frozen=True)
class Comparison:
    """Dice of a case that was kept aside.

    Attributes:
        case: its name.
        before: by the model that was chosen; None where that segments nothing by itself.
        after: by the new one.
    """

    case: str
    before: float | None
    after: float


class LearningRun:
    """A training process, seen from outside."""

    def __init__(self, configuration: Path, bundle: str, python: str = sys.executable) -> None:
        """Start it.

        Args:
            configuration: from ``LearningFolder.configure``.
            bundle: whose networks learn on; new networks are compared with it.
            python: the interpreter; in Slicer, PythonSlicer.
        """
        self.folder = configuration.parent / f"run-{configuration.stem}"
        shutil.rmtree(self.folder, ignore_errors=True)  # of a run that failed
        self.folder.mkdir(parents=True)
        library = str(Path(__file__).parents[2])
        environment = dict(os.environ)
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = library if not known else os.pathsep.join([library, known])
        self._log = self.folder / "log.txt"
        with self._log.open("w", encoding="utf-8") as stream:
            self._process = subprocess.Popen(
                [python, "-m", "DeepIGeoSLib.training.own_run", str(configuration), bundle],
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                # PythonSlicer starts another process; both must end by Cancel.
                start_new_session=True,
            )
        self.cancelled = False

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._process.poll() is None

    @property
    def progress(self) -> tuple[float, str]:
        """Share of the work done, and a text."""
        try:
            share, text = json.loads((self.folder / _TOLD).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return 0.0, ""
        return float(share), str(text)

    @property
    def losses(self) -> list[float]:
        """The mean losses so far, P-Net's first; those of objects lie in the run's own folder."""
        values = []
        for part in ("pnet", "rnet", "."):
            path = self.folder / part / "curve.csv"
            if path.is_file():
                with path.open(encoding="utf-8") as stream:
                    values += [float(row[1]) for row in csv.reader(stream) if len(row) > 1]
        return values

    @property
    def comparison(self) -> list[Comparison]:
        """Dice before and after, when it is done."""
        path = self.folder / COMPARISON
        if not path.is_file():
            return []
        return [Comparison(**row) for row in json.loads(path.read_text(encoding="utf-8"))["cases"]]

    @property
    def bundle(self) -> str | None:
        """The folder of the new bundle, when it is done."""
        path = self.folder / COMPARISON
        if self.running or not path.is_file():
            return None
        return json.loads(path.read_text(encoding="utf-8"))["bundle"]

    @property
    def problem(self) -> str | None:
        """Why it failed, in one line; None while it runs, and when it was right or cancelled."""
        if self.running or self.cancelled or self._process.returncode == 0:
            return None
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"The training ended with code {self._process.returncode}."

    def cancel(self) -> None:
        """Stop it, with every process that it has started."""
        if not self.running:
            return
        self.cancelled = True
        if os.name == "posix":
            os.killpg(self._process.pid, signal.SIGTERM)
        else:
            command = ["taskkill", "/T", "/F", "/PID", str(self._process.pid)]
            subprocess.run(command, capture_output=True, check=False)
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(configuration: Path, name: str) -> None:
    """Train a bundle's networks on, or new ones, and compare: what the process does."""
    from DeepIGeoSLib.bundles import load_bundle, proposes
    from DeepIGeoSLib.data import find_cases
    from DeepIGeoSLib.training.config import read_config, read_config_mapping
    from DeepIGeoSLib.training.fine_tuning import read_fine_tuning_config
    from DeepIGeoSLib.training.run import train

    base = configuration.parent
    folder = base / f"run-{configuration.stem}"
    bundle = load_bundle(name)
    mapping = read_config_mapping(configuration)
    is_new = isinstance(mapping, dict) and "network" in mapping
    if is_new:
        settings = read_config(configuration)
    else:
        settings = read_fine_tuning_config(configuration, bundle)

    def tell(share: float, text: str) -> None:
        with written_in_one_step(folder / _TOLD) as temporary:
            temporary.write_text(json.dumps([share, text]), encoding="utf-8")

    trained = train(settings, base, tell, bundle=None if is_new else bundle)
    if trained is None:
        raise InputError(f"{configuration} describes no bundle.")
    rows, tuned = [], load_bundle(trained)
    for case in find_cases(settings.data, base, "val"):
        volume, target = case.load()
        before = _dice(bundle, volume, target) if proposes(bundle) else None
        after = _dice(tuned, volume, target)
        rows.append({"case": case.name, "before": before, "after": after})
    with written_in_one_step(folder / COMPARISON) as temporary:
        text = json.dumps({"bundle": str(trained), "cases": rows})
        temporary.write_text(text, encoding="utf-8")


def _dice(bundle: Bundle, volume: Volume, target: np.ndarray) -> float:
    from DeepIGeoSLib.evaluation.metrics import dice
    from DeepIGeoSLib.interaction.session import InteractiveSession

    session = InteractiveSession(bundle, engine="torch")
    session.set_volume(volume)
    return float(dice(session.propose().labels > 0, target > 0))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except InputError as error:
        sys.exit(str(error))
