"""The panel beside the views: what the user presses and reads, as Vuetify's widgets."""

from __future__ import annotations

from trame.widgets.html import H2, Div, Input, Span, Table, Tbody, Td, Template, Th, Thead, Tr
from trame_vuetify.widgets.vuetify3 import (
    VBtn,
    VBtnToggle,
    VIcon,
    VList,
    VListItem,
    VMenu,
    VTextField,
)

from DeepIGeoSLib.scene.colors import SEED_COLORS
from DeepIGeoSLib.web.actions import Actions
from DeepIGeoSLib.web.css_color import css
from DeepIGeoSLib.web.results import KINDS
from DeepIGeoSLib.web.session import ERASER, MISSING, NO_BRUSH, TOO_MUCH
from DeepIGeoSLib.web.uncertainty import legend
from DeepIGeoSLib.web.widgets import button, checkbox, choice, row, slider

_BRUSHES = (
    (MISSING, "Missing", "mdi-plus-box", "X", css(SEED_COLORS["foreground"])),
    (TOO_MUCH, "Too much", "mdi-minus-box", "X", css(SEED_COLORS["background"])),
    (ERASER, "Eraser", "mdi-eraser", "R", None),
    (NO_BRUSH, "None", "mdi-cursor-move", "V", None),
)


def build_panel(actions: Actions) -> None:
    """Make the panel's widgets in the layout that is being built."""
    with Div(classes="panel px-3 pb-6"):
        _cases(actions)
        _image(actions)
        H2("Model")
        choice("model", items="models", v_model=("model",))
        _brushes()
        _steps(actions)
        _targets(actions)
        _rounds()
        _results()
        _display()


def _cases(actions: Actions) -> None:
    with Div(v_if=("cases.length > 0",)):
        H2("Cases")
        choice(
            "cases",
            items="cases",
            model_value=("case_name",),
            update_modelValue=(actions.open_case, "[$event]"),
            label=(
                "`${cases.filter(c => c.subtitle.startsWith('accepted')).length} of "
                "${cases.length} accepted`",
            ),
        )
        with row():
            button(
                "Previous",
                "case-previous",
                icon="mdi-chevron-left",
                click=actions.previous_case,
                hint="The case before that is not accepted yet",
            )
            button(
                "Next",
                "case-next",
                icon="mdi-chevron-right",
                click=actions.next_case,
                hint="The next case that is not accepted yet",
            )
        with row():
            button(
                "Save",
                "case-save",
                icon="mdi-content-save",
                click=actions.save_case,
                hint="Store the segmentation beside the image",
                off="!has_target || !case_name",
            )
            button(
                "{{ case_done ? 'Reopen case' : 'Case done' }}",
                "case-done",
                icon="mdi-check-bold",
                click=actions.finish_case,
                hint="Store the segmentation, and call the case accepted",
                off="!has_target || !case_name",
            )


def _image(actions: Actions) -> None:
    H2("Image")
    with row():
        button(
            "{{ uploading ? 'Uploading' : 'Upload' }}",
            "upload",
            icon="mdi-upload",
            click="utils.deepigeos.chooseFiles()",
            hint="An image (NIfTI, NRRD, MHA), or all files of a DICOM series",
            off="uploading",
        )
        button(
            "Demo",
            "demo",
            icon="mdi-head-outline",
            click=actions.open_demo,
            hint="A hippocampus in T1 that comes with the program",
        )
        Input(
            id="files",
            type="file",
            multiple=True,
            hidden=True,
            change="utils.deepigeos.takeFiles($event)",
        )
    with row(v_if=("last_title",)):
        button(
            "Go on with {{ last_title }}",
            "last",
            icon="mdi-history",
            click=actions.open_last,
            hint="Open the image that was open last, with your work on it",
        )
    VTextField(
        v_if=("has_folder",),
        v_model=("path_asked",),
        id="path",
        label="File or folder to open",
        hint=("opened_folder",),
        persistent_hint=True,
        density="compact",
        variant="outlined",
        # Trame's own list of the field's events has no keys, and what is not in it is left out.
        __events=[("keydown_enter", "keydown.enter")],
        keydown_enter=(actions.open_path, "[path_asked]"),
        append_inner_icon="mdi-folder-open-outline",
        click_appendInner=(actions.open_path, "[path_asked]"),
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
        for value, title, icon, key, color in _BRUSHES:
            with VBtn(
                value=value,
                id=f"brush-{value.replace(' ', '-')}",
                classes="flex-grow-1 px-1",
                title=f"{title} (key {key})",
                stacked=True,
                size="small",
            ):
                VIcon(icon, color=color)
                Span(title)
    says = "{{ Number(diameter).toFixed(1) }} mm"
    slider("diameter", "Size", says=says, min=1, max=40, step=0.5)
    checkbox("ball", "Sphere, through several slices")


def _steps(actions: Actions) -> None:
    H2("Segment")
    with row():
        _step(actions, "Segment", "segment", icon="mdi-auto-fix", off="!can_segment")
        _step(actions, "Refine", "refine", icon="mdi-creation", off="!can_refine", key="Ctrl+Enter")
    checkbox("auto_refine", "Refine after each stroke")
    with row():
        button(
            "Undo",
            "undo",
            icon="mdi-undo",
            click=(actions.act, "['undo']"),
            hint=("`${undo_hint} (key Z)`",),
            off="!can_undo",
        )
        _step(actions, "Redo", "redo", icon="mdi-redo", off="!can_redo", key="Y")
    with row():
        _step(
            actions,
            "Next place to look",
            "next place",
            icon="mdi-map-marker",
            off="!has_rounds",
            key="N",
        )
    with row():
        _step(actions, "Clear strokes", "clear strokes", icon="mdi-broom", off="!has_target")


def _step(actions: Actions, title: str, action: str, *, icon: str, off: str, key: str = "") -> None:
    """Make the button of an action, see ``WebSession.act``."""
    button(
        title,
        action.replace(" ", "-"),
        icon=icon,
        click=(actions.act, f"['{action}']"),
        hint=f"{title} (key {key})" if key else title,
        off=off,
    )


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
    with row():
        button(
            "{{ is_accepted ? 'Reopen' : 'Accept' }}",
            "accept",
            icon="mdi-lock-outline",
            click=actions.accept_or_reopen,
            hint="Lock the target as it is, or unlock it (key A)",
            off="!has_target",
        )
        _step(actions, "Next lesion", "next target", icon="mdi-plus", off="!has_volume", key="E")


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
                    click=f"utils.deepigeos.download('{ending}')",
                )


def _display() -> None:
    H2("Display")
    for name, label in (("fill", "Fill"), ("outline", "Outline"), ("strokes_opacity", "Strokes")):
        slider(name, label, min=0, max=1, step=0.05)
    slider(
        "window",
        "Window",
        ends=True,
        min=("window_min",),
        max=("window_max",),
        step=("(window_max - window_min) / 500",),
    )
    checkbox("show_uncertainty", "Uncertainty over the slices", off="!has_volume")
    with Div(classes="legend", v_if=("show_uncertainty",)):
        Span("rather sure")
        Div(style=f"background: {legend()}")
        Span("unsure")
    checkbox("show_3d", "Surface in 3D", off="!has_volume")
