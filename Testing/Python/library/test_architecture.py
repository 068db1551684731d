"""Imports point one way, and importing the library stays light (see the design)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "DeepIGeoSLib"
FILES = sorted(LIBRARY.rglob("*.py"))

# Upper layers first. A module may import from its own layer and from those below it.
LAYERS = [
    {"phantom", "preprocessing", "learning"},  # earlier homes of public names
    {"cli", "__main__", "commands"},
    {"benchmarks"},
    {"training", "batch", "web"},
    {"evaluation"},
    {"scene"},
    {"samples"},
    {"interaction", "users", "data"},
    {"engines"},
    {"bundles"},
    {"any_structure", "crf", "networks"},
    {"inputs"},
    {"geodesic"},
    {"volume"},
    {"dicom"},
    {"formats"},
    {"grid", "settings", "tensors", "files"},
    {"errors", ""},
]
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


def layer_of(module: str) -> int:
    """Return the layer of a module given as "DeepIGeoSLib.x.y"."""
    part = [*module.split("."), ""][1]
    return next(index for index, names in enumerate(LAYERS) if part in names)


def module_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> list[str]:
    """Return every module that a file imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.append(node.module)
    return names


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_downwards(path: Path) -> None:
    own = layer_of(module_of(path))
    if path == LIBRARY / "__init__.py":
        return  # the door of the library names everything that is public
    for name in imports_of(path):
        if name.split(".")[0] == "DeepIGeoSLib" and name != "DeepIGeoSLib":
            assert layer_of(name) >= own, f"{module_of(path)} imports {name} above it"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_slicer_and_qt_stay_in_their_rooms(path: Path) -> None:
    room = path.relative_to(LIBRARY).parts[0]
    for name in imports_of(path):
        package = name.split(".")[0]
        assert package not in {"qt", "ctk", "PythonQt"}, f"{path} imports {package}"
        if package in {"slicer", "vtk", "vtkmodules"}:
            assert room in {"scene", "web"}, f"{path} imports {package}"


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
        assert not {"pickle", "dill", "joblib"} & set(imports_of(path)), path


def test_the_public_interface_is_complete() -> None:
    import DeepIGeoSLib

    for name in DeepIGeoSLib.__all__:
        assert getattr(DeepIGeoSLib, name) is not None
    assert set(DeepIGeoSLib.__all__) == set(dir(DeepIGeoSLib))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        DeepIGeoSLib.nothing  # noqa: B018
