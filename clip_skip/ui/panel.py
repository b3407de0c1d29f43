"""The panel in txt2img and img2img: builds the controls, and says in words what they do to the selected model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..architectures import ENCODER_IDS, Architecture
from ..auto import Auto
from ..checkpoint import NO_CHECKPOINT, Checkpoint
from ..hosts.base import Host
from ..library import Library
from ..log import logger
from ..presets.store import StoreError
from ..request import BLENDS, MODES, PARAMETERS, parse
from ..resolve import resolve
from ..settings import DEFAULT_MODE, SLIDER_MAXIMUM, SLIDER_STEP, START_ENABLED
from ..skip import in_range, number, words
from .markup import line
from .paste import Fields, shown

_SLIDERS = ("skip", *ENCODER_IDS)
_UNKNOWN_HOST = "CLIP Skip does not know this WebUI, and changes nothing in it."
_SWITCHED_OFF = "CLIP Skip is switched off in Settings, under CLIP Skip."


@dataclass(frozen=True)
class Built:
    """What the host's Script needs of a panel: its arguments in order, and its infotext fields."""

    arguments: list[Any]
    infotext_fields: list[tuple[Any, Callable[..., Any]]]

    @property
    def paste_field_names(self) -> list[Callable[..., Any]]:
        return [read for _, read in self.infotext_fields]


def build(host: Host, library: Library | None, fields: Fields, switched_on: Callable[[], bool], tab: str) -> Built:
    """Create the panel of `tab` in the current Gradio context. Called several times for each tab."""
    if not host.known or library is None:
        with gr.Accordion("CLIP Skip", open=False):
            gr.HTML(f"<p>{_UNKNOWN_HOST}</p>")
            return Built([gr.Checkbox(False, visible=False)], [])
    panel = _Panel(host, library, switched_on, tab)
    _page.add(panel)
    return Built(panel.arguments, [(getattr(panel, name), read) for name, read in fields.items()])


class _Panel:
    """The controls of one tab. Attributes are named after the request's fields (`request.PANEL_FIELDS`)."""

    def __init__(self, host: Host, library: Library, switched_on: Callable[[], bool], tab: str) -> None:
        self._host = host
        self._library = library
        self._switched_on = switched_on
        self._tab = tab
        opts = host.opts
        (mode,) = shown([DEFAULT_MODE.read(opts)])
        # What Auto uses is not asked for here: the model may have to be read, and the page does not wait for that.
        view = self._view(self._selected(), None, mode, False, *[1.0] * len(_SLIDERS))
        initial = iter(view)

        with self._accordion(START_ENABLED.read(opts)):
            # Filled by API callers alone: `[enabled, options]`.
            self.options = gr.Textbox("", visible=False, label="CLIP Skip options", elem_id=self._id("options"))
            self.status = gr.HTML(next(initial)["value"], elem_id=self._id("status"))
            self.mode = gr.Radio(shown(MODES), value=mode, label=PARAMETERS["mode"].label, elem_id=self._id("mode"))
            with gr.Column(visible=next(initial)["visible"], elem_id=self._id("manual")) as self.manual:
                self._columns, self._sliders, self._words = {}, {}, {}
                for name in _SLIDERS:
                    self._columns[name], self._sliders[name], self._words[name] = self._slider(name, initial)
                self.same = gr.Checkbox(
                    False,
                    label="Same for all encoders",
                    visible=next(initial)["visible"],
                    elem_id=self._id("same"),
                )
                self.blend = gr.Radio(
                    shown(BLENDS), value=shown(BLENDS)[0], label=PARAMETERS["blend"].label, elem_id=self._id("blend")
                )
            with gr.Row():
                self.save = gr.Button(
                    "Save for this model", size="sm", visible=next(initial)["visible"], elem_id=self._id("save")
                )
                self.forget = gr.Button(
                    "Forget this preset", size="sm", visible=next(initial)["visible"], elem_id=self._id("forget")
                )
            self.refresh = gr.Button("Refresh", visible=False, elem_id=self._id("refresh"))

        self.skip, self.l, self.g, self.h = (self._sliders[name] for name in _SLIDERS)
        self.arguments = [
            self.enabled,
            self.options,
            self.mode,
            self.same,
            *self._sliders.values(),
            self.blend,
        ]
        # The user's own defaults are in Settings; ui-config.json would freeze every default, also the ranges.
        buttons = (self.save, self.forget, self.refresh)
        for component in [*self.arguments, *buttons, getattr(self.enabled, "accordion", None)]:
            if component is not None:
                component.do_not_save_to_config = True
        self._listen()

    def follow(self, dropdown: Any) -> None:
        """Let the panel follow the page's checkpoint dropdown."""
        dropdown.change(
            lambda name, *values: self._shown(self._selected(name), *values),
            inputs=[dropdown, *self._inputs],
            outputs=self._outputs,
            show_progress="hidden",
        )

    def _selected(self, name: str | None = None) -> Checkpoint:
        try:
            return self._host.selected(name)
        except Exception:
            logger.exception("the selected checkpoint can't be told")
            return NO_CHECKPOINT

    def _listen(self) -> None:
        for event in (self.refresh.click, self.mode.change, self.same.change):
            event(
                lambda *values: self._shown(self._selected(), *values),
                inputs=self._inputs,
                outputs=self._outputs,
                show_progress="hidden",
            )
        self.save.click(
            self._save,
            inputs=[*self._inputs, self.blend],
            outputs=[self.mode, *self._outputs],
            show_progress="hidden",
        )
        self.forget.click(self._forget, inputs=self._inputs, outputs=self._outputs, show_progress="hidden")
        for name, slider in self._sliders.items():
            spoken: dict[str, Any] = {
                "fn": lambda value, name=name: _words(self._selected().architecture, name, value),
                "inputs": [slider],
                "outputs": [self._words[name]],
                "show_progress": "hidden",
            }
            # Gradio 3 drops a change while it waits for the answer to one before: `then` asks for what it is by then.
            for event in (slider.change, slider.release):
                event(**spoken).then(**spoken)

    @property
    def _inputs(self) -> list[Any]:
        return [self.mode, self.same, *self._sliders.values()]

    @property
    def _outputs(self) -> list[Any]:
        rows = [x for name in _SLIDERS for x in (self._columns[name], self._sliders[name], self._words[name])]
        return [self.status, self.manual, *rows, self.same, self.save, self.forget]

    def _save(self, mode: str, same: bool, *values: Any) -> list[dict[str, Any]]:
        """Keep the sliders' values for the selected model, and go over to Auto, which uses them from now on."""
        *numbers, blend = values
        checkpoint = self._selected()
        asked = parse(True, None, mode, same, *numbers, blend)
        plan = resolve(asked, checkpoint.architecture)
        try:
            if plan.refusals:
                raise StoreError("; ".join(map(str, plan.refusals)))
            self._library.save(checkpoint, plan.skips, plan.blend)
        except StoreError as error:
            return [gr.update(), *self._failed(f"Not saved: {error}", checkpoint, mode, same, *numbers)]
        auto = shown(MODES)[0]
        return [gr.update(value=auto), *self._shown(checkpoint, auto, same, *numbers)]

    def _forget(self, mode: str, same: bool, *values: float | None) -> list[dict[str, Any]]:
        checkpoint = self._selected()
        try:
            self._library.forget(checkpoint)
        except StoreError as error:
            return self._failed(f"Not forgotten: {error}", checkpoint, mode, same, *values)
        return self._shown(checkpoint, mode, same, *values)

    def _failed(self, text: str, checkpoint: Checkpoint, *values: Any) -> list[dict[str, Any]]:
        status, *rest = self._shown(checkpoint, *values)
        return [gr.update(value=status["value"] + line(text)), *rest]

    def _shown(self, checkpoint: Checkpoint, *values: Any) -> list[dict[str, Any]]:
        return self._view(checkpoint, self._library.auto(checkpoint), *values)

    def _view(
        self, checkpoint: Checkpoint, auto: Auto | None, mode: str, same: bool, *values: float | None
    ) -> list[dict[str, Any]]:
        """What every part of the panel shows for these values: one update for each of `_outputs`.

        `auto` is what Auto uses for the checkpoint; None where that is not known yet.
        """
        architecture = checkpoint.architecture
        rows: list[dict[str, Any]] = []
        for name, value in zip(_SLIDERS, values, strict=True):
            deepest = min((e.trained_depth for e in _read_by(architecture, name)), default=0)
            if not deepest:  # hidden: keeps its value for a model that reads it
                rows += [gr.update(visible=False), gr.update(), gr.update(value="")]
                continue
            maximum = max(2, min(deepest, SLIDER_MAXIMUM.read(self._host.opts)))
            value = 1.0 if value is None else value  # its box is empty: the user is typing
            shown = min(max(float(value), 1.0), float(maximum))
            rows += [
                gr.update(visible=(name == "skip") == bool(same)),
                # Only a value that must change: the user may be moving the slider right now.
                gr.update(maximum=maximum) if shown == value else gr.update(maximum=maximum, value=shown),
                gr.update(value=_words(architecture, name, shown)),
            ]
        status = _status(checkpoint, auto, mode) if self._switched_on() else line(_SWITCHED_OFF)
        manual = mode.lower() == "manual" and bool(architecture.encoders)
        return [
            gr.update(value=status),
            gr.update(visible=manual),
            *rows,
            gr.update(visible=bool(same) or len(architecture.encoders) > 1),
            gr.update(visible=manual and bool(checkpoint.file_name)),
            gr.update(visible=auto is not None and auto.source == "preset"),
        ]

    def _accordion(self, enabled: bool) -> Any:
        """The panel's accordion, with the checkbox that is its switch."""
        title, elem_id = "CLIP Skip", self._id("enabled")
        if self._host.input_accordion:
            from modules.ui_components import InputAccordion

            self.enabled = InputAccordion(enabled, label=title, elem_id=elem_id)
            return self.enabled
        accordion = gr.Accordion(title, open=enabled, elem_id=elem_id)
        with accordion:
            self.enabled = gr.Checkbox(enabled, label="CLIP Skip is on", elem_id=f"{elem_id}-checkbox")
        return accordion

    def _slider(self, name: str, initial: Any) -> tuple[Any, Any, Any]:
        column, slider, text = next(initial), next(initial), next(initial)
        with gr.Column(visible=column["visible"]) as block:
            control = gr.Slider(
                minimum=1,
                maximum=slider.get("maximum", SLIDER_MAXIMUM.read(self._host.opts)),
                step=SLIDER_STEP.read(self._host.opts),
                value=1.0,
                label=PARAMETERS[name].label,
                elem_id=self._id(name),
            )
            return block, control, gr.HTML(text["value"], elem_id=self._id(f"{name}_words"))

    def _id(self, name: str) -> str:
        return f"clip_skip_{self._tab}_{name}"


def _read_by(architecture: Architecture, name: str) -> list[Any]:
    """The encoders that the slider `name` sets on this architecture."""
    return [encoder for encoder in architecture.encoders if name in ("skip", encoder.id)]


def _words(architecture: Architecture, name: str, skip: float | None) -> str:
    skip = 1.0 if skip is None else skip  # the box is empty
    lines = []
    for encoder in _read_by(architecture, name):
        within = in_range(skip, encoder.trained_depth)
        reads = words(encoder, skip) if within else f"from 1 to {encoder.trained_depth}"
        lines.append(f"{encoder.name}: {reads}" if name == "skip" else reads)
    return "".join(line(each) for each in lines)


def _status(checkpoint: Checkpoint, auto: Auto | None, mode: str) -> str:
    architecture = checkpoint.architecture
    name = f"{architecture.name}, {checkpoint.name}" if checkpoint.name else architecture.name
    if not architecture.encoders:
        return line(name) + line(f"No CLIP skip here. {architecture.reason}")
    if mode.lower() == "auto" and auto is not None:
        values = ", ".join(f"{encoder.name} {number(auto.skips[encoder.id])}" for encoder in architecture.encoders)
        return line(name) + line(f"Auto uses {values}: {auto.text.rstrip('.')}.")
    return line(name)


class _Page:
    """The page that is being built: its panels and its checkpoint dropdown, whichever comes first."""

    def __init__(self) -> None:
        self._panels: list[_Panel] = []
        self._dropdown: Any = None

    def add(self, panel: _Panel) -> None:
        self._panels.append(panel)
        if self._dropdown is not None:
            self._connect(panel)

    def meet(self, component: Any) -> None:
        if self._dropdown is None:
            self._dropdown = component
            for panel in self._panels:
                self._connect(panel)

    def _connect(self, panel: _Panel) -> None:
        try:
            panel.follow(self._dropdown)
        except Exception:
            logger.exception("the panel can't follow the checkpoint dropdown")


_page = _Page()


def forget() -> None:
    """A new page is about to be built."""
    global _page
    _page = _Page()


def meet(component: Any, elem_id: str | None = None, **_: Any) -> None:
    """A component of the host's page was made: the panels follow the one that selects the checkpoint."""
    classes = getattr(component, "elem_classes", None) or []
    if elem_id == "setting_sd_model_checkpoint" or "model_selection" in classes:
        _page.meet(component)
