"""What a bundle says of itself, checked before it is believed: it may come from anywhere."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DeepIGeoSLib.any_structure.choice import SIGNS
from DeepIGeoSLib.errors import BundleError

if TYPE_CHECKING:
    import torch

    from DeepIGeoSLib.bundles.manifest import BundleManifest

# Files larger than these are not read. Bundles are some MB, and their manifests some kB.
LARGEST_MANIFEST = 4 * 2**20
LARGEST_WEIGHTS = 2**30

_LONGEST_NAME, _LONGEST_TEXT = 200, 10_000
_MOST_CHANNELS = 64
_LARGEST_REGION = 2048
_HASHED_AT_ONCE = 2**20

# Unicode's classes of the characters that turn the direction of what follows.
_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def parse_manifest(path: Path) -> object:
    """Return what the JSON file of a manifest says.

    Raises:
        BundleError: it is too large, no JSON, or holds NaN or infinite numbers.
    """
    size = path.stat().st_size
    if size > LARGEST_MANIFEST:
        raise BundleError(f"{path} has {size} bytes; a manifest has at most {LARGEST_MANIFEST}.")
    try:
        return json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_finite, parse_float=_finite
        )
    except BundleError as error:
        raise BundleError(f"{path} {error}") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not valid JSON: {error}.") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BundleError(f"holds the number {text}; finite numbers are expected.")
    return value


def check_manifest(manifest: BundleManifest, path: Path) -> None:
    """Check texts, sizes and hashes.

    Raises:
        BundleError: one can't be true.
    """
    for key, text in _texts(manifest):
        _check_text(key, text, path)
    name = manifest.name
    if not name.strip() or len(name) > _LONGEST_NAME or re.search(r"[/\\]|^\.", name):
        raise BundleError(
            f"{path}: the name {name[:60]!r} is none; a short text without slashes that does not "
            "begin with a dot is expected."
        )
    if not 1 <= len(manifest.channels) <= _MOST_CHANNELS:
        raise BundleError(
            f"{path} names {len(manifest.channels)} channels; 1 to {_MOST_CHANNELS} are expected."
        )
    if manifest.targets and manifest.crf is not None:
        raise BundleError(
            f"{path} has targets and a CRF; a CRF-Net follows networks of one target."
        )
    region = manifest.region or ()
    if any(not 1 <= size <= _LARGEST_REGION for size in region):
        raise BundleError(f"{path}: region is {list(region)}; 1 to {_LARGEST_REGION} are expected.")
    choice = manifest.answer_choice
    for rule in () if choice is None else (choice.begin, choice.add, choice.remove):
        rows = (rule.mean, rule.scale, *rule.hidden)
        if any(len(row) != len(SIGNS) for row in rows) or min(rule.scale) <= 0:
            raise BundleError(
                f"{path}: answer_choice needs {len(SIGNS)} numbers in mean, scale and each row of "
                "hidden of each rule, and those of scale above 0."
            )
        if not len(rule.hidden) == len(rule.offsets) == len(rule.weights):
            raise BundleError(
                f"{path}: answer_choice needs as many offsets and weights as rows of hidden in "
                "each rule."
            )
    for role, weight in manifest.weights.items():
        if not re.fullmatch(r"[0-9a-fA-F]{64}", weight.sha256):
            raise BundleError(f"{path}: the SHA-256 of {role!r} is not 64 hexadecimal digits.")


def _texts(manifest: BundleManifest) -> Iterator[tuple[str, str]]:
    """Yield every text of a manifest and what it is."""
    for key in ("name", "version", "needs", "task", "modality", "license", "derived_from"):
        yield key, getattr(manifest, key) or ""
    for key, words in (("channels", manifest.channels), ("fits", manifest.fits)):
        for word in words:
            yield key, word
    for target in manifest.targets:
        yield "targets", target.name
    for data in manifest.training_data:
        yield "training_data", data.name
        yield "training_data", data.license
    for role, weight in manifest.weights.items():
        yield "weights", role
        yield "weights", weight.file
    for row in manifest.metrics:
        for text in _texts_within(row):
            yield "metrics", text


def _texts_within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_within(inner)


def _check_text(key: str, text: str, path: Path) -> None:
    # Control characters would act on the terminal, those of direction let a text read as another
    # one, and lone surrogates can't be written anywhere.
    bad = next((c for c in text if _is_no_text(c)), None)
    if bad is not None:
        raise BundleError(f"{path}: {key} holds the character U+{ord(bad):04X}, which is no text.")
    if len(text) > _LONGEST_TEXT:
        raise BundleError(f"{path}: {key} holds a text of {len(text)} characters.")


def _is_no_text(character: str) -> bool:
    if unicodedata.category(character) in ("Cc", "Cs"):
        return True
    return unicodedata.bidirectional(character) in _DIRECTIONS


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(_HASHED_AT_ONCE):
            found.update(part)
    return found.hexdigest()


def check_weights(path: Path, expected: str) -> None:
    """Check a file of weights against the manifest.

    Raises:
        BundleError: it is missing, too large, or not the one that the manifest means.
    """
    if not path.is_file():
        raise BundleError(f"The weights {path} are missing.")
    size = path.stat().st_size
    if size > LARGEST_WEIGHTS:
        raise BundleError(f"{path} has {size} bytes; weights have at most {LARGEST_WEIGHTS}.")
    actual = file_sha256(path)
    if actual != expected.lower():
        raise BundleError(
            f"{path} has the SHA-256 {actual}, but its manifest says {expected}: the file is "
            "damaged or was replaced."
        )


def check_finite(state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Check that weights are numbers.

    Raises:
        BundleError: one is NaN or infinite.
    """
    for key, value in state.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise BundleError(f"{path} holds NaN or infinite weights in {key!r}.")
