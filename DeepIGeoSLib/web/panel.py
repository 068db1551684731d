"""The panel beside the views: what the user presses and reads, as Vuetify's widgets."""

from __future__ import annotations

from typing import Any

from trame.widgets.html import H2, Div, Input, Span, Table, Tbody, Td, Template, Th, Thead, Tr
from trame_vuetify.widgets.vuetify3 import (
    VBtn,
    VBtnToggle,
    VCheckbox,
    VIcon,
    VList,
    VListItem,
    VMenu,
    VRangeSlider,
    VSelect,
    VSlider,
    VTextField,
)

from DeepIGeoSLib.scene.colors import SEED_COLORS
from DeepIGeoSLib.web.actions import Actions
from DeepIGeoSLib.web.results import KINDS
from DeepIGeoSLib.web.session import ERASER, MISSING, NO_BRUSH, TOO_MUCH


def build_panel(actions: Actions) -> None:
    """Make the panel's widgets in the layout that is being built."""
    with Div(classes="panel px-3 pb-6"):
        _cases(actions)
        _image(actions)
        _model()
        _brushes()
        _steps(actions)
        _targets(actions)
        _rounds()
        _results()
        _display()


def _cases(actions: Actions) -> None:
    with Div(v_if=("cases.length > 0",)):
        H2("Cases")
        VSelect(
            model_value=("case_name",),
            update_modelValue=(actions.open_case, "[$event]"),
            items=("cases",),
            id="cases",
            label=(
                "`${cases.filter(c => c.subtitle.startsWith('accepted')).length} of "
                "${cases.length} accepted`",
            ),
            item_props=True,
            density="compact",
            variant="outlined",
            hide_details=True,
        )
        with Div(classes="row"):
            _plain("Previous", actions.previous_case, icon="mdi-chevron-left")
            _plain("Next", actions.next_case, icon="mdi-chevron-right")
        with Div(classes="row"):
            _plain("Save", actions.save_case, icon="mdi-content-save", off="!has_target")
            with VBtn(
                id="case-done",
                prepend_icon="mdi-check-bold",
                disabled=("!has_target || !case_name",),
                click=actions.finish_case,
                title="Store the segmentation, and call the case accepted",
            ):
                Span("{{ case_done ? 'Reopen case' : 'Case done' }}")


def _plain(title: str, act: Any, *, icon: str, off: str = "false") -> None:
    VBtn(
        title,
        id=f"case-{title.lower()}",
        prepend_icon=icon,
        click=act,
        disabled=(off,),
        title=f"{title} case" if title != "Save" else "Store the segmentation beside the image",
    )


def _image(actions: Actions) -> None:
    H2("Image")
    with Div(classes="row"):
        VBtn(
            "Upload",
            id="upload",
            prepend_icon="mdi-upload",
            click="window.document.getElementById('files').click()",
            loading=("uploading",),
            title="An image (NIfTI, NRRD, MHA), or all files of a DICOM series",
        )
        VBtn(
            "Demo",
            id="demo",
            prepend_icon="mdi-head-outline",
            click=actions.open_demo,
            title="A hippocampus in T1 that comes with the program",
        )
        Input(id="files", type="file", multiple=True, hidden=True, change="deepigeosUpload($event)")
    with (
        Div(classes="row", v_if=("last_title",)),
        VBtn(id="last", prepend_icon="mdi-history", click=actions.open_last),
    ):
        Span("Go on with {{ last_title }}")
    VTextField(
        v_if=("has_folder",),
        v_model=("path_asked",),
        id="path",
        label="File or folder to open",
        hint=("opened_folder",),
        persistent_hint=True,
        density="compact",
        variant="outlined",
        keydown_enter=(actions.open_path, "[path_asked]"),
        append_inner_icon="mdi-folder-open-outline",
        click_appendInner=(actions.open_path, "[path_asked]"),
    )


def _model() -> None:
    H2("Model")
    VSelect(
        v_model=("model",),
        items=("models",),
        id="model",
        item_props=True,
        density="compact",
        variant="outlined",
        hide_details=True,
        menu_props=("{ maxWidth: 420 }",),
    )


def _brushes() -> None:
    H2("Brush")
    with VBtnToggle(
        v_model=("brush",),
        mandatory=True,
        divided=True,
        variant="outlined",
        classes="d-flex",
        disabled=("!can_paint",),
    ):
        for value, title, icon, key in (
            (MISSING, "Missing", "mdi-plus-box", "X"),
            (TOO_MUCH, "Too much", "mdi-minus-box", "X"),
            (ERASER, "Eraser", "mdi-eraser", "R"),
            (NO_BRUSH, "None", "mdi-cursor-move", "V"),
        ):
            seeds = {MISSING: "foreground", TOO_MUCH: "background"}.get(value)
            with VBtn(
                value=value,
                id=f"brush-{value.replace(' ', '-')}",
                classes="flex-grow-1 px-1",
                title=f"{title} (key {key})",
                stacked=True,
                size="small",
            ):
                color = None if seeds is None else _css(SEED_COLORS[seeds])
                VIcon(icon, color=color)
                Span(title)
    VSlider(
        v_model=("diameter",),
        label="Size",
        id="diameter",
        min=1,
        max=40,
        step=0.5,
        density="compact",
        hide_details=True,
        thumb_label=True,
        append_icon="mdi-circle-outline",
    )
    Div("{{ Number(diameter).toFixed(1) }} mm{{ ball ? '' : ', in this slice alone' }}")
    VCheckbox(
        v_model=("ball",),
        label="Sphere, through several slices",
        density="compact",
        hide_details=True,
    )


def _steps(actions: Actions) -> None:
    H2("Segment")
    with Div(classes="row"):
        _button(actions, "Segment", "segment", "!can_segment", "mdi-auto-fix")
        _button(actions, "Refine", "refine", "!can_refine", "mdi-creation", "Ctrl+Enter")
    VCheckbox(
        v_model=("auto_refine",),
        label="Refine after each stroke",
        id="auto-refine",
        density="compact",
        hide_details=True,
    )
    with Div(classes="row"):
        _button(actions, "Undo", "undo", "!can_undo", "mdi-undo", "Z", hint=("undo_hint",))
        _button(actions, "Redo", "redo", "!can_redo", "mdi-redo", "Y")
    with Div(classes="row"):
        _button(actions, "Next place to look", "next place", "!has_rounds", "mdi-map-marker", "N")
    with Div(classes="row"):
        _button(actions, "Clear strokes", "clear strokes", "!has_target", "mdi-broom")


def _targets(actions: Actions) -> None:
    H2("Targets")
    with Div(
        v_for="one in targets",
        key="one.id",
        classes=("'target' + (one.id === target ? ' chosen' : '')",),
        click=(actions.choose_target, "[one.id]"),
    ):
        Span(classes="swatch", style=("{ background: one.color }",))
        Span("{{ one.name }}", classes="name")
        Span("{{ milliliters }}", v_if="one.id === target", id="milliliters")
        for name, title, act in (
            ("one.visible ? 'mdi-eye' : 'mdi-eye-off'", "Show or hide", actions.toggle_shown),
            ("one.locked ? 'mdi-lock' : 'mdi-lock-open-outline'", "Lock", actions.toggle_locked),
        ):
            with VBtn(
                icon=True,
                size="x-small",
                variant="text",
                title=title,
                raw_attrs=["@click.stop"],
                click=(act, "[one.id]"),
            ):
                VIcon(icon=(name,))
    with Div(classes="row"):
        with VBtn(
            disabled=("!has_target",),
            click=actions.accept_or_reopen,
            id="accept",
            title="Lock the target as it is, or unlock it (key A)",
        ):
            Span("{{ is_accepted ? 'Reopen' : 'Accept' }}")
        _button(actions, "Next lesion", "next target", "!has_volume", "mdi-plus", "E")


def _rounds() -> None:
    with Div(v_if=("has_rounds",)):
        H2("Rounds")
        with Table(id="rounds"):
            with Thead(), Tr():
                for title in ("Round", "Changed (ml)", "Volume (ml)"):
                    Th(title)
            with Tbody(), Tr(v_for="made in rounds", key="made.number"):
                Td("{{ made.number }} {{ made.kind }}")
                Td("{{ made.changed }}")
                Td("{{ made.total }}")


def _display() -> None:
    H2("Display")
    for name, label in (("fill", "Fill"), ("outline", "Outline"), ("strokes_opacity", "Strokes")):
        VSlider(
            v_model=(name,),
            label=label,
            min=0,
            max=1,
            step=0.05,
            density="compact",
            hide_details=True,
        )
    VRangeSlider(
        v_if=("has_volume",),
        v_model=("window",),
        id="window",
        label="Window",
        min=("window_min",),
        max=("window_max",),
        step=("(window_max - window_min) / 500",),
        density="compact",
        hide_details=True,
    )
    VCheckbox(
        v_model=("show_uncertainty",),
        label="Uncertainty over the slices",
        id="show-uncertainty",
        density="compact",
        hide_details=True,
        disabled=("!has_volume",),
    )
    VCheckbox(
        v_model=("show_3d",),
        label="Surface in 3D",
        id="show-3d",
        density="compact",
        hide_details=True,
        disabled=("!has_volume",),
    )


def _results() -> None:
    H2("Results")
    with VMenu():
        with Template(v_slot_activator="{ props }"):
            VBtn(
                "Download",
                id="download",
                block=True,
                v_bind="props",
                prepend_icon="mdi-download",
                disabled=("!has_target",),
            )
        with VList(density="compact"):
            for ending, title in KINDS.items():
                VListItem(
                    title,
                    v_if=("is_dicom",) if ending == ".dcm" else ("true",),
                    id=f"download{ending.replace('.', '-')}",
                    click=f"deepigeosDownload('{ending}')",
                )


def _button(
    actions: Actions,
    title: str,
    action: str,
    disabled: str,
    icon: str,
    key: str = "",
    hint: tuple[str] | None = None,
) -> None:
    VBtn(
        title,
        id=action.replace(" ", "-"),
        disabled=(disabled,),
        prepend_icon=icon,
        click=(actions.act, f"['{action}']"),
        title=hint or (f"{title} (key {key})" if key else title),
    )


def _css(color: tuple[float, float, float]) -> str:
    return f"rgb({', '.join(str(round(255 * part)) for part in color)})"
