"""What the scene's code tells a user can be translated, and is assembled after the translation."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SCENE = Path(__file__).parents[3] / "DeepIGeoSLib/scene"
FILES = sorted(path for path in SCENE.rglob("*.py") if not path.name.startswith("headless"))

# Sentences about mistakes in a script, which no button can make.
FOR_PROGRAMMERS = {
    ("nodes.py", "writeMaskToSegment"),
    ("nodes.py", "_checkNode"),
    ("chosen_model.py", "setCrf"),
    ("segmentation_logic.py", "startRefine"),
    ("target_sessions.py", "idle"),
}


def calls_in(tree, name):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_errors_for_users_go_through_the_translation(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or (path.name, function.name) in (
            FOR_PROGRAMMERS
        ):
            continue
        for raised in calls_in(function, "InputError"):
            text = ast.unparse(raised.args[0])
            assert text.startswith("_("), f"{path.name}, {function.name}: {text}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_plain_texts_are_translated(path):
    for call in calls_in(ast.parse(path.read_text(encoding="utf-8")), "_"):
        (text,) = call.args
        assert isinstance(text, ast.Constant), f"{path.name}: {ast.unparse(call)}"


def test_a_translated_sentence_still_names_what_is_wrong(monkeypatch, volume_node):
    from DeepIGeoSLib.errors import InputError
    from DeepIGeoSLib.scene import nodes

    texts = {"The volume {volume} has no voxels.": "Das Volumen {volume} hat keine Voxel."}
    monkeypatch.setattr(nodes, "_", lambda text: texts[text])
    volume_node.SetAndObserveImageData(None)
    with pytest.raises(InputError, match=r"^Das Volumen 'flair' hat keine Voxel\.$"):
        nodes.checkVolumeNode(volume_node)
