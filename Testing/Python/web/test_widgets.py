"""What the page gives its widgets reaches them: trame leaves out what it does not know."""

from __future__ import annotations

from typing import Any

import pytest


def test_every_attribute_and_event_of_the_page_s_widgets_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")
    from trame.app import get_server
    from trame.ui.vuetify3 import VAppLayout
    from trame_client.widgets.core import AbstractElement

    from DeepIGeoSLib.web import panel

    made: list[tuple[Any, dict[str, Any]]] = []
    original = AbstractElement.__init__

    def noted(self: Any, name: str, *args: Any, **keywords: Any) -> None:
        original(self, name, *args, **keywords)
        made.append((self, keywords))

    monkeypatch.setattr(AbstractElement, "__init__", noted)
    monkeypatch.setattr(panel, "legend", lambda: "none")  # needs a scene
    actions: Any = type("Actions", (), {"__getattr__": lambda *_: lambda *_: None})()
    with VAppLayout(get_server("widgets", client_type="vue3")):
        panel.build_panel(actions)
    assert len(made) > 50
    own = {"children", "raw_attrs", "trame_server", "__properties", "__events"}
    for widget, keywords in made:
        named = [*widget._attr_names, *widget._event_names]
        known = {name if isinstance(name, str) else name[0] for name in named} | own
        unknown = {name for name in keywords if not name.startswith("v_slot")} - known
        assert not unknown, widget.html
