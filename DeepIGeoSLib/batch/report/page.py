"""Pages of one file: templates, pictures and the policy that nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DeepIGeoSLib.batch.report.tables import number
from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"
_SCRIPT = "table.js"

# Behind what a name may go on in the next line.
_PARTS = re.compile(r"(?<=[/_.-])(?=[^/_.-])")


def page(template: str, **values: Any) -> str:
    """Return a page; every value is escaped: names of files come from anywhere.

    A browser that shows it runs the page's own script alone, and loads nothing.

    Args:
        template: a file in ``templates``.
        values: what it shows.

    Raises:
        InputError: Jinja2 is missing.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise InputError(
            "Reports need the package Jinja2 (pip install deepigeos[report])."
        ) from error
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["picture"] = _picture
    environment.filters["breakable"] = _breakable
    script = (_TEMPLATES / _SCRIPT).read_text(encoding="utf-8")
    return environment.get_template(template).render(
        script=script, script_hash=_hash(script), **values
    )


def _breakable(name: str) -> Markup:
    """Return a name that a browser breaks where its parts end, before it breaks it anywhere."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in _PARTS.split(name))


def _picture(content: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
