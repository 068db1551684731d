"""Every shipped bundle still does what its model card says, on a small case that is shipped too."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, list_bundles, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.samples.sample import Sample, hippocampus_sample, phantom_sample
from DeepIGeoSLib.users.robot_user import robot_stroke

ROOT = Path(__file__).parents[3]
BUNDLES = ROOT / "DeepIGeoSLib/bundles"
SHIPPED = [name for name in list_bundles() if (BUNDLES / name).is_dir()]

# Other processors and versions of PyTorch round differently; a voxel at the border counts 0.0004.
TOLERANCE = 0.005


def numbers(cells: str) -> list[float | None]:
    """Return the Dice in the cells of a table's line; None where it says "none"."""
    cells = [cell.strip() for cell in cells.strip(" |").split("|")]
    return [None if cell == "none" else float(cell) for cell in cells]


def on_the_card(name: str) -> tuple[Sample, list[float | None]]:
    """Return the small case of a bundle's model card, and what it says of it."""
    card = (BUNDLES / name / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## A small case\n(.*?)(?=^## )", card, re.MULTILINE | re.DOTALL)
    assert section, f"the model card of {name} has no section 'A small case'"
    *_, line = re.findall(r"^\|(.+)\|$", section[1], re.MULTILINE)
    case, _, cells = line.partition("|")
    sample = hippocampus_sample() if "hippocampus_057" in case else phantom_sample()
    return sample, numbers(cells)


def measured(session: InteractiveSession, sample: Sample, strokes: int) -> list[float | None]:
    """Return the Dice automatically and after each stroke of the robot user."""
    session.set_volume(sample.volume)
    labels_of_marks = ("foreground", "background")
    marks = {label: np.zeros(sample.volume.shape, dtype=bool) for label in labels_of_marks}
    proposes = "pnet" in session.bundle.manifest.weights
    labels = session.propose().labels > 0 if proposes else np.zeros_like(sample.truth)
    scores = [dice(labels, sample.truth) if proposes else None]
    for _ in range(strokes):
        stroke = robot_stroke(labels, sample.truth)
        marks[stroke.label] |= stroke.mask
        labels = session.refine(**marks).labels > 0
        scores.append(dice(labels, sample.truth))
    return scores


@pytest.mark.parametrize("name", SHIPPED)
def test_a_bundle_does_what_its_card_says(name: str) -> None:
    sample, promised = on_the_card(name)
    session = InteractiveSession(load_bundle(name), device="cpu")
    found = measured(session, sample, len(promised) - 1)
    cells = " | ".join("none" if score is None else f"{score:.3f}" for score in found)
    assert found == pytest.approx(promised, abs=TOLERANCE), f"measured: | {cells} |"


@pytest.mark.slow
def test_the_hippocampus_card_holds_on_all_its_validation_cases(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    config = ROOT / "Configs/hippocampus-rnet.json"
    if not (ROOT / "../shared/data").resolve().samefile(data):
        pytest.skip(f"{config} names its data by a path beside the repository")
    arguments = ["evaluate", str(config), "--bundle", "t1-hippocampus", "--rounds", "5"]
    assert main([*arguments, "-o", str(tmp_path / "report"), "--json", "--device", "cpu"]) == 0
    curve = json.loads(capsys.readouterr().out)["mean_dice"]["all"]
    card = (BUNDLES / "t1-hippocampus/README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^\| msd_hippocampus \| 26 +\|(.+)\|$", card, re.MULTILINE)
    assert curve == pytest.approx(numbers(line), abs=0.002)
