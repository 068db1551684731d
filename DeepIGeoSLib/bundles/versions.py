"""Which version of DeepIGeoS a bundle needs, and whether this one will do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import DeepIGeoSLib
from DeepIGeoSLib.bundles.migration import FORMAT_SINCE, FORMAT_VERSION
from DeepIGeoSLib.errors import BundleError
from DeepIGeoSLib.networks import NetworkSettings


def version_needed(networks: Iterable[NetworkSettings]) -> str:
    """Return the oldest version of DeepIGeoS that can use a bundle of such networks."""
    return max([FORMAT_SINCE, *(network.since for network in networks)], key=_numbers)


def check_version(mapping: Mapping[str, Any], path: Path) -> None:
    """Refuse a manifest of a format, or for a program, that is newer than this one."""
    own, needed = DeepIGeoSLib.__version__, mapping.get("needs")
    # Between two releases the program has the number of the last one, but reads the next format.
    able = max(own, FORMAT_SINCE, key=_numbers)
    newer = isinstance(needed, str) and _numbers(needed) > _numbers(able)
    wanted = f"it needs DeepIGeoS {needed} or newer, and this is {own}"
    version = mapping.get("format_version")
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        hint = f"; {wanted}" if newer else ""
        raise BundleError(
            f"{path} has the format version {version!r}; this program knows 1 to "
            f"{FORMAT_VERSION}{hint}."
        )
    if newer:
        raise BundleError(f"{path} can't be used: {wanted}.")


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version such as "0.1.0" as numbers that can be compared; none for other texts."""
    known = re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,2}", version, re.ASCII)
    return tuple(map(int, version.split("."))) if known else ()
