"""Make a virtual environment and install this project into it, from nothing but Python.

Usage: prepare_environment.py FOLDER EXTRAS [REQUIREMENT ...], for example ``.venv fast,plot``.

It needs only the standard library, and no pip: Debian's and Ubuntu's Python comes without. A
requirement such as ``vtk==9.6.2`` takes the place of the tested version. What is installed already
is left alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 10), (3, 13)

# pip itself, for Pythons that come without it.
PIP_WHEEL = "pip-25.3-py3-none-any.whl"
PIP_SHA256 = "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"

# Plain torch from PyPI brings gigabytes of CUDA on Linux; this index has the build without.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def main() -> None:
    """Prepare the environment named on the command line."""
    folder, extras, requirements = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found = ".".join(str(part) for part in sys.version_info[:2])
        sys.exit(f"Python 3.10 to 3.13 is needed, but this is {found}; try make PYTHON=python3.12")
    mark = folder / f"prepared-{extras.replace(',', '-')}"
    fingerprint = _fingerprint() + " ".join(requirements)
    if mark.is_file() and mark.read_text() == fingerprint:
        return
    python = _python_of(folder)
    if not python.is_file():
        _make_environment(folder)
    _install(python, extras, requirements)
    mark.write_text(fingerprint)


def _fingerprint() -> str:
    """Return a number that changes with what is to be installed."""
    content = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(content).hexdigest()


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make_environment(folder: Path) -> None:
    has_pip = importlib.util.find_spec("ensurepip") is not None
    print(f"Making the virtual environment {folder}", flush=True)
    venv.create(folder, with_pip=has_pip, clear=True)
    if not has_pip:
        with tempfile.TemporaryDirectory() as temporary:
            wheel = _download_pip(Path(temporary))
            _run(_python_of(folder), f"{wheel}/pip", "install", "--no-index", str(wheel))


def _download_pip(folder: Path) -> Path:
    """Fetch pip's wheel from the package index and check its hash."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    with urllib.request.urlopen(index, timeout=60) as answer:
        page = answer.read().decode()
    found = re.search(rf'href="([^"]*{re.escape(PIP_WHEEL)}[^"]*)"', page)
    if found is None:
        sys.exit(f"{index} does not list {PIP_WHEEL}.")
    with urllib.request.urlopen(urljoin(index, found.group(1)), timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        sys.exit(f"{PIP_WHEEL} from {index} has another SHA-256 than expected.")
    wheel = folder / PIP_WHEEL
    wheel.write_bytes(content)
    return wheel


def _install(python: Path, extras: str, requirements: list[str]) -> None:
    print(f"Installing the project with its extras {extras} (minutes the first time)", flush=True)
    index = ["--extra-index-url", TORCH_CPU_INDEX] if _can_reach(TORCH_CPU_INDEX) else []
    replaced = {requirement.split("==")[0] for requirement in requirements}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    kept = [line for line in lines if line.split("==")[0] not in replaced]
    with tempfile.TemporaryDirectory() as temporary:
        constraints = Path(temporary) / "constraints.txt"
        constraints.write_text("\n".join(kept))
        options = ["--quiet", "--disable-pip-version-check", "--constraint", str(constraints)]
        project = ["--editable", f"{ROOT}[{extras}]"]
        _run(python, "-m", "pip", "install", *options, *index, *project, *requirements)


def _can_reach(url: str) -> bool:
    """Tell whether the index answers; an unreachable one would cost pip minutes of retries."""
    try:
        with urllib.request.urlopen(url + "/torch/", timeout=5):
            return True
    except OSError:
        return False


def _run(python: Path, *arguments: str) -> None:
    result = subprocess.run([str(python), *arguments], check=False)
    if result.returncode:
        sys.exit(result.returncode)


if __name__ == "__main__":
    main()
