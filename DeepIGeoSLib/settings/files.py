"""JSON and YAML files, read into plain mappings and lists and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from DeepIGeoSLib.errors import InputError

YAML_ENDINGS = (".yaml", ".yml")

# Longer configurations than this are none that people write.
_LARGEST = 16 * 2**20

# YAML 1.1, which PyYAML follows, takes 1e-3 for text because it has no point; YAML 1.2 does not.
_FLOAT_WITHOUT_POINT = re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$")


def read_mapping(path: str | Path) -> object:
    """Read a JSON file, or a YAML file when the name ends in .yaml or .yml.

    Neither can make anything but mappings, lists, texts, numbers, booleans and null. A key that is
    given twice is refused: one of its values would be lost.

    Raises:
        InputError: the file is missing, not valid, or YAML without the package PyYAML.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The configuration {path} does not exist.")
    if path.stat().st_size > _LARGEST:
        raise InputError(f"The configuration {path} is larger than {_LARGEST} bytes.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The configuration {path} can't be read as text: {error}.") from error
    parse = parse_yaml if path.suffix.lower() in YAML_ENDINGS else parse_json
    try:
        return parse(text, str(path))
    except RecursionError as error:
        raise InputError(f"The configuration {path} is nested too deeply.") from error


def parse_json(text: str, where: str) -> object:
    """Return what a JSON text says; ``where`` names it in errors."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise InputError(f"{where} has the key {twice!r} twice.")
        return mapping

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise InputError(f"The configuration {where} is not valid JSON: {error}.") from error


def parse_yaml(text: str, where: str) -> object:
    """Return what a YAML text says; ``where`` names it in errors."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise InputError(
            f"{where} is YAML, but the Python package PyYAML is not installed: install it (for "
            "example with pip install deepigeos[train]), or write the configuration as JSON."
        ) from error

    class StrictLoader(yaml.SafeLoader):
        """Safe: it makes no objects. Strict: it refuses keys that are given twice."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
            keys = [repr(self.construct_object(key, deep=True)) for key, _ in self._own(node)]
            twice = [key for key in keys if keys.count(key) > 1]
            if twice:
                line = getattr(node.start_mark, "line", 0) + 1
                raise InputError(f"{where} has the key {twice[0]} twice (from line {line}).")
            return super().construct_mapping(node, deep)

        @staticmethod
        def _own(node: yaml.MappingNode) -> list:
            """Return the entries but for the merged ones (<<), which others may override."""
            return [entry for entry in node.value if entry[0].tag != "tag:yaml.org,2002:merge"]

    StrictLoader.add_implicit_resolver(
        "tag:yaml.org,2002:float", _FLOAT_WITHOUT_POINT, list("-+0123456789")
    )
    try:
        return yaml.load(text, Loader=StrictLoader)
    except yaml.YAMLError as error:
        what = " ".join(str(error).split())
        raise InputError(f"The configuration {where} is not valid YAML: {what}.") from error
