"""Importing the library stays light, and what may be imported or called where.

That imports point one way is checked by import-linter (``make lint``; pyproject.toml).
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "DeepIGeoSLib"
FILES = sorted(LIBRARY.rglob("*.py"))

HEAVY = {
    "torch",
    "SimpleITK",
    "pydicom",
    "lightning",
    "monai",
    "torchio",
    "numba",
    "openvino",
    "matplotlib",
}


def test_importing_the_library_imports_nothing_heavy() -> None:
    code = (
        "import sys, DeepIGeoSLib, DeepIGeoSLib.bundles, DeepIGeoSLib.volume, "
        "DeepIGeoSLib.inputs.distance_channels, DeepIGeoSLib.geodesic, "
        "DeepIGeoSLib.interaction.session, DeepIGeoSLib.cli;"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert result.stdout.strip() == "[]"


def test_only_tensors_crosses_between_numpy_and_torch() -> None:
    for path in FILES:
        if path.name == "tensors.py":
            continue
        text = path.read_text(encoding="utf-8")
        for forbidden in (".numpy()", "torch.from_numpy", "from_dlpack", "torch.as_tensor("):
            assert forbidden not in text, f"{path} has {forbidden}"


def test_nothing_is_unpickled() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert "weights_only=True" in ast.unparse(node), path


def test_the_public_interface_is_complete() -> None:
    import DeepIGeoSLib

    for name in DeepIGeoSLib.__all__:
        assert getattr(DeepIGeoSLib, name) is not None
    assert set(DeepIGeoSLib.__all__) == set(dir(DeepIGeoSLib))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        DeepIGeoSLib.nothing  # noqa: B018
