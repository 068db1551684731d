"""DeepIGeoS.py as Slicer loads it: light, complete, and working from a checkout."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import pytest

OWN = {"DeepIGeoSPanel"}
ONLY_IN_QT_5 = {"QRegExp", "QDesktopWidget", "QTextCodec", "stateChanged", "exec_", "buttonClicked"}

ALLOWED_AT_FILE_SCOPE = set(sys.stdlib_module_names) | {"slicer", "vtk", "qt", "ctk", "numpy"} | OWN

# Modules that answer any import and any attribute, for a Python without Slicer and without VTK.
ANYTHING = """
import sys
from types import ModuleType

class Anything(ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})

for name in ("vtk", "qt", "slicer", "slicer.i18n", "slicer.util", "slicer.ScriptedLoadableModule"):
    sys.modules[name] = Anything(name)
sys.modules["slicer.i18n"].tr = str
sys.modules["slicer.parameterNodeWrapper"] = Anything("slicer.parameterNodeWrapper")
sys.modules["slicer.parameterNodeWrapper"].parameterNodeWrapper = lambda wrapped: wrapped
"""


@pytest.fixture(scope="session")
def sources(root):
    """The texts of the module's Python files, by path."""
    return {path: path.read_text(encoding="utf-8") for path in (root / "DeepIGeoS").rglob("*.py")}


@pytest.fixture(scope="session")
def panel(root):
    """The widgets of the parsed .ui files."""
    joined = ElementTree.Element("panel")
    for path in (root / "DeepIGeoS/Resources/UI").glob("*.ui"):
        joined.append(ElementTree.parse(path).getroot())
    return joined


@pytest.fixture
def checkout(root, tmp_path):
    """A checkout of the repository in another place."""
    for folder in ("DeepIGeoS", "DeepIGeoSLib"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def run_bare_python(code, *folders):
    """Run code with nothing but the standard library and these folders."""
    lines = [ANYTHING, f"sys.path += {[str(folder) for folder in folders]}", textwrap.dedent(code)]
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_nothing_heavy_is_imported_at_file_scope(sources):
    imported = set()
    for path, source in sources.items():
        if path.name == "SegmentEditorEffect.py":
            continue  # loaded by the Segment Editor, whose base class it needs
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
    assert imported <= ALLOWED_AT_FILE_SCOPE


def test_no_file_is_long(sources):
    for path, source in sources.items():
        assert source.count("\n") <= 500, path


def test_values_of_qt_are_spelled_as_qt_5_and_6_both_know_them(sources, root):
    """PySide takes ``qt.Qt.Orientation.Vertical``, too; PythonQt knows ``qt.Qt.Vertical`` only."""
    spelled = 0
    for path, source in sources.items():
        assert not [name for name in ONLY_IN_QT_5 if re.search(rf"\b{name}\b", source)], path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("qt."):
                spelled += 1
                names = ast.unparse(node).split(".")[1:]
                scopes = [name for name in names if name[0].isupper()]
                assert len(scopes) <= 2, f"{path}: {ast.unparse(node)}"
    assert spelled > 30
    for path in (root / "DeepIGeoS/Resources/UI").glob("*.ui"):
        for value in re.findall(r"<(?:enum|set)>([^<]+)<", path.read_text(encoding="utf-8")):
            assert all(part.count("::") == 1 for part in value.split("|")), f"{path}: {value}"


def test_texts_for_the_user_can_be_translated(sources):
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "_":
                assert isinstance(node.args[0], ast.Constant), f"{path}: {ast.unparse(node)}"
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".setText"):
                literal = node.args[0]
                assert not isinstance(literal, ast.Constant | ast.JoinedStr), (
                    f"{path}: {ast.unparse(node)}"
                )


def test_loading_the_module_does_not_load_the_library(checkout):
    loaded = run_bare_python(
        "import DeepIGeoS; print([n for n in sys.modules if 'DeepIGeoSLib' in n])",
        checkout / "DeepIGeoS",
    )
    assert loaded == "[]"


def test_from_a_checkout_the_library_is_found_beside_the_module(checkout):
    found = run_bare_python(
        "import DeepIGeoS; print(DeepIGeoS.importLibrary().__file__)", checkout / "DeepIGeoS"
    )
    assert found == str(checkout / "DeepIGeoSLib/__init__.py")


def test_installed_the_library_is_found_where_slicer_looks(checkout):
    installed = checkout / "qt-scripted-modules"
    installed.mkdir()
    shutil.copy(checkout / "DeepIGeoS/DeepIGeoS.py", installed)
    shutil.move(checkout / "DeepIGeoS/DeepIGeoSPanel", installed)
    shutil.move(checkout / "DeepIGeoSLib", installed)
    found = run_bare_python(
        "import DeepIGeoS; print(DeepIGeoS.importLibrary().__file__, len(sys.path))", installed
    )
    assert found.startswith(str(installed / "DeepIGeoSLib/__init__.py"))


def test_the_modules_metadata_is_complete(module):
    about = SimpleNamespace()
    module.DeepIGeoS(about)
    assert about.title == "DeepIGeoS"
    assert about.categories == ["Segmentation"]
    assert about.dependencies == ["Segmentations"]
    assert all(re.fullmatch(r".+ \(.+\)", name) for name in about.contributors)
    assert about.helpText
    assert about.acknowledgementText


def test_the_panel_and_the_parameter_node_name_the_same_parameters(panel, root):
    source = (root / "DeepIGeoS/DeepIGeoSPanel/parameters.py").read_text(encoding="utf-8")
    wrapper = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "DeepIGeoSParameterNode"
    )
    kinds = {
        item.target.id: ast.unparse(item.annotation)
        for item in wrapper.body
        if hasattr(item, "target")
    }
    classes = {"bool": "QCheckBox", "OtherSegments": "QComboBox"}
    bound = {}
    for widget in panel.iter("widget"):
        for child in widget.findall("property"):
            if child.get("name") == "SlicerParameterName":
                bound[child.find("string").text] = widget
    assert set(bound) == {name for name, kind in kinds.items() if kind != "str"}
    for name, widget in bound.items():
        expected = classes.get(kinds[name], "qMRMLNodeComboBox")
        assert widget.get("class") == expected, name
        types = {item.text for item in widget.iter("string") if "vtkMRML" in (item.text or "")}
        assert expected != "qMRMLNodeComboBox" or types == set(
            re.findall(r"vtkMRML\w+", kinds[name])
        )


def test_every_widget_is_in_use_and_every_widget_in_use_is_there(panel, sources):
    used = set()
    for path, source in sources.items():
        used |= set(re.findall(r"\bui\.(\w+)", source))
        if path.name == "panel.py":
            used |= set(re.findall(r'"(\w+Button)":', source))
    for_the_user, bound = set(), set()
    for widget in panel.iter("widget"):
        properties = {child.get("name") for child in widget.findall("property")}
        if "toolTip" in properties and widget.get("class") == "ctkCollapsibleButton":
            used.discard(widget.get("name"))
        elif "toolTip" in properties:
            for_the_user.add(widget.get("name"))
        if "SlicerParameterName" in properties:
            bound.add(widget.get("name"))
    assert used <= for_the_user
    assert for_the_user == used | bound


def test_every_widget_for_the_user_has_a_tool_tip(panel):
    for widget in panel.iter("widget"):
        if widget.get("class") not in ("qMRMLWidget", "QLabel", "QWidget"):
            names = {child.get("name") for child in widget.findall("property")}
            assert "toolTip" in names, widget.get("name")


def test_every_node_selector_follows_the_scene(panel):
    receivers = {connection.find("receiver").text for connection in panel.iter("connection")}
    selectors = {
        widget.get("name")
        for widget in panel.iter("widget")
        if widget.get("class") == "qMRMLNodeComboBox"
    }
    assert receivers == selectors


def test_a_failing_test_for_slicer_is_told(module, monkeypatch):
    monkeypatch.setattr(module.DeepIGeoSTest, "_phantom", lambda self: 1 / 0)
    with pytest.raises(AssertionError, match="tests failed"):
        module.DeepIGeoSTest().runTest()
