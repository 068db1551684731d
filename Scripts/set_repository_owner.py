"""Write the repository's owner into the two files that carry its public address.

    python Scripts/set_repository_owner.py NAME

NAME is the GitHub user or organization that publishes SlicerDeepIGeoS. CMakeLists.txt and the entry
for the Extensions Index are changed; every other file does without the address.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("CMakeLists.txt", "Docs/extension-index/DeepIGeoS.json")
_ADDRESS = re.compile(r"(github(?:usercontent)?\.com/)[\w-]+(/SlicerDeepIGeoS\b)")
_NAME = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")


def main(arguments: list[str]) -> str | None:
    """Set the owner; return what is wrong with the arguments, or None."""
    if len(arguments) != 1 or not _NAME.fullmatch(arguments[0]):
        return "Give one name of a GitHub user or organization: letters, digits, single hyphens."
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
    for name, text in texts.items():
        changed = _ADDRESS.sub(rf"\g<1>{arguments[0]}\g<2>", text)
        (ROOT / name).write_text(changed, encoding="utf-8", newline="\n")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
