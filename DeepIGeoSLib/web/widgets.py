"""Vuetify's widgets as the panel uses them: rows of buttons, boxes to tick, and sliders."""

from __future__ import annotations

from typing import Any

from trame.widgets.html import Div, Span
from trame_vuetify.widgets.vuetify3 import VBtn, VCheckbox, VRangeSlider, VSelect, VSlider

_COMPACT = {"density": "compact", "hide_details": True}


def row(**attributes: Any) -> Any:
    """Return a row of buttons of the same width, to be filled in a ``with``."""
    return Div(classes="row", **attributes)


def button(title: str, name: str, *, icon: str, click: Any, hint: Any, off: str = "false") -> None:
    """Make a button.

    Args:
        title: what stands on it; "{{ }}" around what the state says.
        name: its ID.
        icon: of Material Design.
        click: what it does, see trame.
        hint: what it says below the mouse.
        off: when it can't be pressed, in terms of the state.
    """
    with VBtn(id=name, prepend_icon=icon, click=click, title=hint, disabled=(off,)):
        Span(title)


def checkbox(name: str, label: str, off: str = "false") -> None:
    """Make a box to tick for a value of the state; its ID has "-" for "_"."""
    VCheckbox(v_model=(name,), label=label, id=name.replace("_", "-"), disabled=(off,), **_COMPACT)


def choice(name: str, *, items: str, **attributes: Any) -> None:
    """Make a list to choose from, each entry with a title and a line below it."""
    VSelect(
        id=name,
        items=(items,),
        item_props=True,
        variant="outlined",
        menu_props=("{ maxWidth: 420 }",),
        **_COMPACT,
        **attributes,
    )


def slider(name: str, label: str, *, says: str = "", ends: bool = False, **scale: Any) -> None:
    """Make a slider for a value of the state.

    Args:
        name: of the value; the row's ID has "-" for "_".
        label: what stands before it.
        says: what stands behind it.
        ends: whether the value is two, from and to.
        **scale: min, max and step.
    """
    with Div(classes="slide", id=name.replace("_", "-")):
        Span(label, classes="before")
        (VRangeSlider if ends else VSlider)(v_model=(name,), **scale, **_COMPACT)
        if says:
            Span(says, classes="after")
