"""Slicer's scene bundles (.mrb), read without Slicer.

A bundle is a zip file of a scene description (.mrml, XML) and the files of its nodes. It may come
from anywhere, so nothing in it decides where something is written or what else is read: one member
at a time is copied to a temporary file with a name of our own, and only formats that hold header
and voxels in one file are accepted.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote
from xml.etree import ElementTree

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.settings.mapping import nearest_name

_LARGEST_SCENE = 64 * 2**20
_LARGEST_MEMBER = 8 * 2**30
# Formats without a second file that the header could point to.
_ENDINGS = (".seg.nrrd", ".nrrd", ".nii.gz", ".nii")

T = TypeVar("T")


@dataclass(frozen=True)
class SceneNode:
    """A volume or segmentation of a scene.

    Attributes:
        name: what the user reads.
        identifier: of the node.
        member: its file in the bundle.
        transform: identifier of its parent transform; empty when there is none.
        reference: identifier of the volume that a segmentation was drawn on.
    """

    name: str
    identifier: str
    member: str
    transform: str
    reference: str


class SceneBundle:
    """An opened .mrb file."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Read the scene description.

        Raises:
            InputError: there is none, or it is not one that Slicer writes.
        """
        self.path = path
        self._archive = archive
        scenes = [name for name in archive.namelist() if name.lower().endswith(".mrml")]
        if len(scenes) != 1:
            raise InputError(f"{path} holds {len(scenes)} scene descriptions (.mrml), expected 1.")
        self._folder = PurePosixPath(scenes[0]).parent
        self._root = _parsed(self._bytes(scenes[0]), path)

    def volumes(self) -> list[SceneNode]:
        """Return the scalar volumes (images, not labelmaps)."""
        return self._nodes("Volume")

    def segmentations(self) -> list[SceneNode]:
        """Return the segmentations."""
        return self._nodes("Segmentation")

    def read(self, node: SceneNode, reader: Callable[[Path], T]) -> T:
        """Return what ``reader`` makes of the node's file.

        Raises:
            InputError: the file is missing or of another format, or the reader refuses it.
        """
        place = f"{self.path}: {node.member}"
        ending = next((e for e in _ENDINGS if node.member.lower().endswith(e)), None)
        if ending is None:
            raise InputError(f"{place} has another format than {', '.join(_ENDINGS)}.")
        with tempfile.TemporaryDirectory(prefix="deepigeos-") as folder:
            copy = Path(folder) / f"node{ending}"
            self._copy(node.member, copy)
            if ending.endswith(".nrrd"):
                _check_attached(copy, place)
            try:
                return reader(copy)
            except InputError as error:  # name the bundle, not the temporary copy
                raise InputError(str(error).replace(str(copy), place)) from error

    def _nodes(self, tag: str) -> list[SceneNode]:
        files = {
            element.get("id"): element.get("fileName", "")
            for element in self._root.iter()
            if element.tag.endswith("Storage")
        }
        nodes = []
        for element in self._root.iter(tag):
            references = _references(element)
            file = files.get(references.get("storage"), "")
            nodes.append(
                SceneNode(
                    name=element.get("name", ""),
                    identifier=element.get("id", ""),
                    member=str(self._folder / unquote(file)) if file else "",
                    transform=references.get("transform", ""),
                    reference=references.get("referenceImageGeometryRef", ""),
                )
            )
        return nodes

    def _copy(self, member: str, target: Path) -> None:
        try:
            information = self._archive.getinfo(member)
        except KeyError as error:
            raise InputError(f"{self.path} has no file {member!r}.") from error
        if information.file_size > _LARGEST_MEMBER:
            raise InputError(f"{self.path}: {member} is larger than 8 GiB.")
        with (
            _readable(self.path),
            self._archive.open(information) as source,
            target.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy)

    def _bytes(self, member: str) -> bytes:
        if self._archive.getinfo(member).file_size > _LARGEST_SCENE:
            raise InputError(f"{self.path}: {member} is larger than a scene description can be.")
        with _readable(self.path):
            return self._archive.read(member)


@contextmanager
def open_bundle(path: Path) -> Generator[SceneBundle, None, None]:
    """Open a .mrb file.

    Raises:
        InputError: it is missing, not a zip file, or holds no scene.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    with _readable(path):
        archive = zipfile.ZipFile(path)
    with archive:
        yield SceneBundle(path, archive)


def chosen_node(nodes: Sequence[SceneNode], name: str, *, what: str, where: Path) -> SceneNode:
    """Return the node of that name, or the only one when no name is given.

    Raises:
        InputError: there is no such node, or more than one.
    """
    known = ", ".join(repr(node.name) for node in nodes)
    fitting = [node for node in nodes if not name or node.name == name]
    if len(fitting) == 1:
        return fitting[0]
    if not nodes:
        raise InputError(f"{where} holds no {what}.")
    if not name:
        raise InputError(f"{where} holds {len(nodes)} {what}s ({known}); name the one to use.")
    if fitting:
        raise InputError(f"{where} holds {len(fitting)} {what}s named {name!r}.")
    close = nearest_name(name, [node.name for node in nodes])
    meant = f"did you mean {close!r}?" if close else f"there are {known}."
    raise InputError(f"{where} holds no {what} named {name!r}; {meant}")


def _parsed(content: bytes, path: Path) -> ElementTree.Element:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise InputError(f"{path}: its scene description declares entities, as Slicer never does.")
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: its scene description is not valid XML: {error}.") from error


def _references(element: ElementTree.Element) -> dict[str, str]:
    """Return the first node that each role of a node's references names."""
    references = {
        role: element.get(f"{role}NodeRef", "") for role in ("storage", "transform")
    }  # before Slicer 4.6
    for entry in element.get("references", "").split(";"):
        role, _, identifiers = entry.partition(":")
        if identifiers.strip():
            references[role] = identifiers.split()[0]
    return references


def _check_attached(path: Path, place: str) -> None:
    """Refuse an NRRD header that points to another file: it could be any file of this machine."""
    with path.open("rb") as stream:
        header = stream.read(2**20).replace(b"\r\n", b"\n").partition(b"\n\n")[0].lower()
    if any(line.startswith((b"data file:", b"datafile:")) for line in header.splitlines()):
        raise InputError(f"{place} keeps its voxels in another file.")


@contextmanager
def _readable(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise InputError(f"{path} can't be read as a zip file: {error}.") from error
