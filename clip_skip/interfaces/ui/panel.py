"""The panel in txt2img and img2img: builds the controls, and says in words what they do to the selected model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from ...advice.advisor import Advisor
from ...advice.rules import Action, Advice, bad_tag
from ...drift.chart import Marks
from ...drift.measured import measure
from ...hosts.base import Host
from ...models.checkpoint import NO_CHECKPOINT, Checkpoint
from ...models.library import Library
from ...models.presets.store import StoreError
from ...skip.architectures import UNNAMED, Architecture
from ...skip.auto import Auto
from ...skip.numbers import in_range, number, words
from ...skip.parameters import BLENDS, MODES, PARAMETERS
from ...skip.plan import resolve
from ...text.bounded_json import load
from ...text.log import logger
from ...text.phrase import Data, Phrase, Problem
from ..settings import DEFAULT_MODE, SLIDER_MAXIMUM, SLIDER_STEP, START_ENABLED, shown_at
from . import advice_view, drift_view
from .controls import SLIDERS, Controls
from .markup import line
from .paste import Fields, shown

_UNKNOWN_HOST = "CLIP Skip does not know this WebUI, and changes nothing in it."
_PROMPTS = ("txt2img_prompt", "img2img_prompt")
# What the page's script asks of a panel: a hidden button for each.
_QUESTIONS = ("refresh", "speak", "judge", "act")
# How Gradio calls the argument that takes JavaScript.
_SCRIPT = "_js" if gr.__version__.startswith("3.") else "js"
_SWITCHED_OFF = "CLIP Skip is switched off in Settings, under CLIP Skip."


@dataclass(frozen=True)
class Built:
    """What the host's Script needs of a panel: its arguments in order, and its infotext fields."""

    arguments: list[Any]
    infotext_fields: list[tuple[Any, Callable[..., Any]]]

    @property
    def paste_field_names(self) -> list[Callable[..., Any]]:
        return [read for _, read in self.infotext_fields]


def build(
    host: Host,
    library: Library | None,
    advisor: Advisor | None,
    fields: Fields,
    switched_on: Callable[[], bool],
    tab: str,
) -> Built:
    """Create the panel of `tab` in the current Gradio context. Called several times for each tab."""
    if library is None or advisor is None:
        with gr.Accordion("CLIP Skip", open=False):
            gr.HTML(line(_UNKNOWN_HOST))
            return Built([gr.Checkbox(False, visible=False)], [])
    panel = _Panel(host, library, advisor, switched_on, tab)
    _page.add(panel)
    return Built(panel.arguments, [(getattr(panel, name), read) for name, read in fields.items()])


class _Panel:
    """The controls of one tab. Attributes are named after the request's fields (`request.PANEL_FIELDS`)."""

    def __init__(
        self, host: Host, library: Library, advisor: Advisor, switched_on: Callable[[], bool], tab: str
    ) -> None:
        self._host = host
        self._library = library
        self._advisor = advisor
        self._switched_on = switched_on
        self.tab = tab
        self.prompt_id = f"{tab}_prompt"
        opts = host.opts
        checkpoint = self._selected()
        controls = Controls(mode=shown([DEFAULT_MODE.value(opts)])[0])
        initial = iter(self._view(checkpoint, controls))

        # Outside the accordion: what the host's own slider does is said while that is closed, too.
        self.advice = gr.HTML("", elem_id=self._id("advice"))
        with self._accordion(START_ENABLED.value(opts)):
            # Filled by API callers alone: `[enabled, options]`.
            self.options = gr.Textbox("", visible=False, label="CLIP Skip options", elem_id=self._id("options"))
            self.status = gr.HTML(_status(checkpoint, None), elem_id=self._id("status"))
            self.mode = gr.Radio(
                shown(MODES), value=controls.mode, label=PARAMETERS["mode"].label, elem_id=self._id("mode")
            )
            with gr.Column(visible=next(initial)["visible"], elem_id=self._id("manual")) as self.manual:
                self._columns, self._sliders, self._words = {}, {}, {}
                for name in SLIDERS:
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
                self.forget = gr.Button("Forget this preset", size="sm", visible=False, elem_id=self._id("forget"))
            with gr.Accordion("Drift", open=False, elem_id=self._id("drift_part")) as self.drift_part:
                gr.HTML(line("How far each clip skip moves what the model reads of the prompt."))
                self.draw = gr.Button("Show the drift of the prompt", size="sm", elem_id=self._id("draw"))
                self.drift = gr.HTML("", elem_id=self._id("drift"))
            # Filled and pressed by the page's script.
            self.seen = gr.Textbox("", visible=False, label="Seen", elem_id=self._id("seen"))
            self.asked = gr.Textbox("", visible=False, label="Asked", elem_id=self._id("asked"))
            self.refresh, self.speak, self.judge, self.act = (
                gr.Button(name, visible=False, elem_id=self._id(name)) for name in _QUESTIONS
            )

        self.skip, self.l, self.g, self.h = (self._sliders[name] for name in SLIDERS)
        self.arguments = [
            self.enabled,
            self.options,
            self.mode,
            self.same,
            *self._sliders.values(),
            self.blend,
        ]
        # The user's own defaults are in Settings; ui-config.json would freeze every default, also the ranges.
        hidden = (self.seen, self.asked, self.refresh, self.speak, self.judge, self.act)
        ours = (self.save, self.forget, self.drift_part, self.draw, getattr(self.enabled, "accordion", None))
        for component in [*self.arguments, *ours, *hidden]:
            if component is not None:
                component.do_not_save_to_config = True
        self._listen()

    def answer_checkpoint(self, dropdown: Any) -> None:
        """Let the panel follow the page's checkpoint dropdown."""
        shown = self._on(dropdown.change, lambda name, *values: self._show(Controls(*values), name), dropdown)
        self._tells(shown, "show")

    def draw_drift_of(self, prompt: Any) -> None:
        """Let the panel measure the drift of what this box of the page holds."""
        self.draw.click(
            lambda text, *values: self._drift(text, Controls(*values)),
            inputs=[prompt, *self._inputs],
            outputs=[self.drift],
            show_progress="minimal",
            queue=False,
        )

    # --- events ------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """The page's script puts the questions: Gradio 3 drops an event while it waits for the answer to one before."""
        for event in (self.enabled.change, self.mode.change, self.same.change):
            _in_page(event, self._asks("refresh"))
        for slider in self._sliders.values():
            _in_page(slider.change, self._asks("speak"))
        _in_page(self.refresh.click, f"() => clipSkip.heard('{self.tab}')")
        answers = {
            "refresh": self._on(self.refresh.click, lambda *values: self._show(Controls(*values))),
            "speak": self._ask(
                self.speak.click, lambda *values: self._speak(Controls(*values)), self._inputs, self._spoken
            ),
            "judge": self._ask(
                self.judge.click, lambda *values: self._judge(Controls(*values)), self._inputs, self._judged
            ),
            "act": self._on(self.act.click, lambda asked, *values: self._act(asked, Controls(*values)), self.asked),
            "save": self._on(self.save.click, lambda *values: self._save(Controls(*values))),
            "forget": self._on(self.forget.click, lambda *values: self._forget(Controls(*values))),
        }
        for name, answer in answers.items():
            self._tells(answer, name)

    def _on(self, event: Any, answer: Callable[..., Any], *before: Any) -> Any:
        """Let `event` call `answer` with the values of `before` and of the controls; it answers with everything."""
        return self._ask(event, answer, [*before, *self._inputs], [self.mode, *self._outputs])

    def _ask(self, event: Any, answer: Callable[..., Any], inputs: list[Any], outputs: list[Any]) -> Any:
        # Not through the queue, where it would wait for others.
        return event(answer, inputs=inputs, outputs=outputs, show_progress="hidden", queue=False)

    def _asks(self, name: str) -> str:
        """The page's script asks this question, and "judge" after it where it does not judge."""
        return f"() => clipSkip.ask('{self.tab}', '{name}')"

    def _tells(self, answer: Any, name: str) -> None:
        """Let the page's script know when there is this answer."""
        _in_page(answer.then, f"() => clipSkip.answered('{self.tab}', '{name}')")

    @property
    def _inputs(self) -> list[Any]:
        """In the order of the fields of `Controls`."""
        return [self.enabled, self.mode, self.same, *self._sliders.values(), self.blend, self.seen]

    @property
    def _outputs(self) -> list[Any]:
        rows = [x for name in SLIDERS for x in (self._columns[name], self._sliders[name], self._words[name])]
        return [self.manual, *rows, self.same, self.save, *self._judged]

    @property
    def _spoken(self) -> list[Any]:
        return list(self._words.values())

    @property
    def _judged(self) -> list[Any]:
        """What depends on more than the controls and the model's architecture."""
        return [self.status, self.forget, self.advice]

    # --- what they answer --------------------------------------------------------------------------------------------

    def _show(self, controls: Controls, name: str | None = None) -> list[Any]:
        """Everything, as far as it can be told without reading the model's file."""
        checkpoint = self._selected(name)
        if self._library.knows(checkpoint):
            return self._all(checkpoint, controls)
        pending = [gr.update(value=_status(checkpoint, None)), gr.update(), gr.update(value="")]
        return [gr.update(), *self._view(checkpoint, controls), *pending]

    def _speak(self, controls: Controls) -> list[Any]:
        architecture = self._selected().architecture
        return [gr.update(value=_words(architecture, name, getattr(controls, name))) for name in SLIDERS]

    def _judge(self, controls: Controls) -> list[Any]:
        checkpoint = self._selected()
        verdict = self._verdict(checkpoint, controls)
        # While its file was read another model may have been selected. The page asks about that, too.
        return verdict if checkpoint == self._selected() else [gr.update() for _ in verdict]

    def _save(self, controls: Controls) -> list[Any]:
        """Keep the sliders' values for the selected model, and go over to Auto, which uses them from now on."""
        checkpoint = self._selected()
        plan = resolve(controls.request, checkpoint.architecture)
        try:
            if plan.refusals:
                raise StoreError("; ".join(map(str, plan.refusals)))
            self._library.save(checkpoint, plan.skips, plan.blend)
        except StoreError as error:
            return self._all(checkpoint, controls, failure=("Not saved:", Data(f" {error}")))
        return self._all(checkpoint, replace(controls, mode=shown(MODES)[0]), moved=True)

    def _forget(self, controls: Controls) -> list[Any]:
        checkpoint = self._selected()
        try:
            self._library.forget(checkpoint)
        except StoreError as error:
            return self._all(checkpoint, controls, failure=("Not forgotten:", Data(f" {error}")))
        return self._all(checkpoint, controls)

    def _act(self, asked: str, controls: Controls) -> list[Any]:
        """What the button stands for that `asked` names: {"advice", "action"}, beside an advice that holds now."""
        checkpoint = self._selected()
        names = load(asked)
        for advice in self._advice(checkpoint, controls):
            for action in advice.actions:
                if (advice.id, action.id) == (names["advice"], names["action"]):
                    try:
                        after = self._do(action, advice, checkpoint, controls)
                    except StoreError as error:
                        return self._all(checkpoint, controls, failure=("Not saved:", Data(f" {error}")))
                    return self._all(checkpoint, after, moved=True)
        return self._all(checkpoint, controls)

    def _do(self, action: Action, advice: Advice, checkpoint: Checkpoint, controls: Controls) -> Controls:
        """Mend what decides; what the page has to have in its controls then. Raises StoreError."""
        if action.id == "silence":
            self._library.silence(checkpoint, advice.id)
        elif action.id != "use":
            self._library.mark(checkpoint, action.id)
        elif not controls.enabled:
            slider = self._host.slider_for(checkpoint.architecture, action.skip)
            if slider is not None:
                self._host.use(slider)
                return controls.with_slider(slider)
        elif controls.auto:
            self._library.save(checkpoint, action.skip, "linear")
        else:
            return controls.with_skips(action.skip)
        return controls

    def _drift(self, prompt: str, controls: Controls) -> str:
        """The drift of `prompt` on the model that is loaded, or why there is none to show."""
        try:
            loaded = self._host.loaded()
            recommended = self._library.stands_for(loaded, "recommended")
            marks = Marks(self._skips(loaded, controls), recommended.skips if recommended else {})
            measured = measure(self._host, prompt, loaded, [marks.current, marks.recommended])
            picture = drift_view.render(measured, loaded, prompt, marks)
        except Problem as problem:
            return line(*problem.phrase)
        except Exception as error:
            logger.exception("the drift can't be measured")
            what = f" {type(error).__name__}: {error}"
            return line("The drift could not be measured. The log says more:", Data(what))
        if loaded == self._selected():
            return picture
        name = Data(f" {loaded.name}")
        return line("The selected model is not loaded yet. This is of the one that is:", name) + picture

    def _skips(self, checkpoint: Checkpoint, controls: Controls) -> Mapping[str, float]:
        """Where a job with these controls and this prompt would read each encoder of `checkpoint`."""
        architecture = checkpoint.architecture
        request = controls.asked(architecture).request
        if not request.enabled or not self._switched_on():
            return self._host.reading(architecture, controls.slider).skips
        return resolve(request, architecture, lambda word: self._library.stands_for(checkpoint, word)).skips

    def _slider_after(self, advice: Advice, architecture: Architecture) -> float | None:
        """The number at the host's own slider that does what this advice would use, if it can."""
        skips = [action.skip for action in advice.actions if action.id == "use"]
        return self._host.slider_for(architecture, skips[0]) if skips else None

    # --- what they show ----------------------------------------------------------------------------------------------

    def _all(
        self, checkpoint: Checkpoint, controls: Controls, *, moved: bool = False, failure: Phrase = ()
    ) -> list[Any]:
        """An update for the mode and each of `_outputs`. `moved`: mode and sliders go where `controls` has them."""
        status, *rest = self._verdict(checkpoint, controls)
        if failure:
            status = gr.update(value=status["value"] + line(*failure))
        mode = gr.update(value=controls.mode) if moved else gr.update()
        return [mode, *self._view(checkpoint, controls, moved), status, *rest]

    def _view(self, checkpoint: Checkpoint, controls: Controls, moved: bool = False) -> list[dict[str, Any]]:
        """What the manual part shows, and whether it can be saved."""
        architecture = checkpoint.architecture
        rows: list[dict[str, Any]] = []
        for name in SLIDERS:
            deepest = min((e.trained_depth for e in _read_by(architecture, name)), default=0)
            if not deepest:  # hidden: keeps its value for a model that reads it
                rows += [gr.update(visible=False), gr.update(), gr.update(value="")]
                continue
            maximum = max(2, min(deepest, SLIDER_MAXIMUM.value(self._host.opts)))
            value = getattr(controls, name)
            value = 1.0 if value is None else value  # its box is empty: the user is typing
            within = min(max(float(value), 1.0), float(maximum))
            rows += [
                gr.update(visible=(name == "skip") == bool(controls.same)),
                # Only a value that must change: the user may be moving the slider right now.
                gr.update(maximum=maximum, value=within) if moved or within != value else gr.update(maximum=maximum),
                gr.update(value=_words(architecture, name, within)),
            ]
        manual = not controls.auto and bool(architecture.encoders)
        return [
            gr.update(visible=manual),
            *rows,
            gr.update(visible=bool(controls.same) or len(architecture.encoders) > 1),
            gr.update(visible=manual and bool(checkpoint.file_name)),
        ]

    def _verdict(self, checkpoint: Checkpoint, controls: Controls) -> list[dict[str, Any]]:
        """One update for each of `_judged`. Reads the model's file where that was not done yet."""
        auto = self._library.auto(checkpoint)
        status = _status(checkpoint, auto if controls.auto else None) if self._switched_on() else line(_SWITCHED_OFF)
        return [
            gr.update(value=status),
            gr.update(visible=auto.source == "preset"),
            gr.update(value=self._advice_html(checkpoint, self._advice(checkpoint, controls), controls)),
        ]

    def _advice(self, checkpoint: Checkpoint, controls: Controls) -> list[Advice]:
        """What there is to say of how the model would be read with these controls."""
        if not self._switched_on():
            return []
        asked = controls.asked(checkpoint.architecture)
        said = [bad_tag(refusal) for refusal in asked.refusals]
        if not asked.request.enabled:
            return said + self._advisor.on_slider(checkpoint, controls.slider, [controls.tags])
        said += self._advisor.on_request(checkpoint, asked.request, [controls.tags])
        # No control of ours mends what a tag asks for.
        return [advice.without("use") for advice in said] if asked.by_tags else said

    def _advice_html(self, checkpoint: Checkpoint, advice: Sequence[Advice], controls: Controls) -> str:
        opts = self._host.opts
        ours = controls.asked(checkpoint.architecture).request.enabled
        items = [
            advice_view.Shown(
                each,
                [place for place in advice_view.PLACES if shown_at(place, each.severity, opts)],
                ours,
                None if ours else self._slider_after(each, checkpoint.architecture),
            )
            for each in advice
        ]
        facts = self._library.facts(checkpoint) if any(each.id in advice_view.ON_DESCENT for each in advice) else None
        unused = bool(ours and self._switched_on() and checkpoint.architecture.encoders)
        return advice_view.render(items, facts, unused)

    # --- parts -------------------------------------------------------------------------------------------------------

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
                maximum=slider.get("maximum", SLIDER_MAXIMUM.value(self._host.opts)),
                step=SLIDER_STEP.value(self._host.opts),
                value=1.0,
                label=PARAMETERS[name].label,
                elem_id=self._id(name),
            )
            return block, control, gr.HTML(text["value"], elem_id=self._id(f"{name}_words"))

    def _id(self, name: str) -> str:
        return f"clip_skip_{self.tab}_{name}"

    def _selected(self, name: str | None = None) -> Checkpoint:
        try:
            return self._host.selected(name)
        except Exception:
            logger.exception("the selected checkpoint can't be told")
            return NO_CHECKPOINT


def _read_by(architecture: Architecture, name: str) -> list[Any]:
    """The encoders that the slider `name` sets on this architecture."""
    return [encoder for encoder in architecture.encoders if name in ("skip", encoder.id)]


def _words(architecture: Architecture, name: str, skip: float | None) -> str:
    skip = 1.0 if skip is None else skip  # the box is empty
    lines = []
    for encoder in _read_by(architecture, name):
        within = in_range(skip, encoder.trained_depth)
        reads: Phrase = words(encoder, skip) if within else ("accepted:", Data(f" 1 - {encoder.trained_depth}"))
        lines.append(line(Data(f"{encoder.name}: "), *reads) if name == "skip" else line(*reads))
    return "".join(lines)


def _status(checkpoint: Checkpoint, auto: Auto | None) -> str:
    """The model, and what Auto uses on it, None where that is not known yet or not asked for."""
    architecture = checkpoint.architecture
    kind = architecture.name if architecture.name == UNNAMED else Data(architecture.name)
    name = line(kind, Data(f", {checkpoint.name}" if checkpoint.name else ""))
    if not architecture.encoders:
        return name + line("No CLIP skip here.", Data(" "), architecture.reason)
    if auto is None:
        return name
    values = ", ".join(f"{encoder.name} {number(auto.skips[encoder.id])}" for encoder in architecture.encoders)
    stop = () if auto.text[-1].endswith(".") else (Data("."),)
    return name + line("Auto uses", Data(f" {values}: "), *auto.text, *stop)


def _in_page(event: Any, script: str, *inputs: Any) -> None:
    """Let `event` call a function of the page's script, with the values of `inputs`."""
    event(fn=None, inputs=list(inputs), outputs=[], **{_SCRIPT: script})


class _Page:
    """The page that is being built: its panels and its checkpoint dropdown, whichever comes first."""

    def __init__(self) -> None:
        self._panels: list[_Panel] = []
        self._dropdown: Any = None
        self._heard: set[str | None] = set()
        self._prompts: dict[str, Any] = {}

    def add(self, panel: _Panel) -> None:
        self._panels.append(panel)
        if self._dropdown is not None:
            self._connect(panel)
        self._read(panel)

    def meet(self, component: Any) -> None:
        if self._dropdown is None:
            self._dropdown = component
            for panel in self._panels:
                self._connect(panel)

    def hear(self, component: Any, elem_id: str | None) -> None:
        """Let the page's script know what this control of the host's holds, whenever that changes."""
        if elem_id in self._heard:  # Gradio 4 makes components again when they change
            return
        self._heard.add(elem_id)
        try:
            _in_page(component.change, f"(value) => clipSkip.holds({json.dumps(elem_id)}, value)", component)
        except Exception:
            logger.exception("the panel can't follow the WebUI's control %s", elem_id)

    def prompt(self, component: Any, elem_id: str) -> None:
        if elem_id not in self._prompts:
            self._prompts[elem_id] = component
            for panel in self._panels:
                if panel.prompt_id == elem_id:
                    self._read(panel)

    def _read(self, panel: _Panel) -> None:
        prompt = self._prompts.get(panel.prompt_id)
        try:
            if prompt is not None:
                panel.draw_drift_of(prompt)
        except Exception:
            logger.exception("the panel can't read the prompt")

    def _connect(self, panel: _Panel) -> None:
        try:
            panel.answer_checkpoint(self._dropdown)
        except Exception:
            logger.exception("the panel can't follow the checkpoint dropdown")


_page = _Page()


def new_page() -> None:
    """A new page is about to be built."""
    global _page
    _page = _Page()


def meet(host: Host, component: Any, elem_id: str | None = None, **_: Any) -> None:
    """A component of the page of `host` was made: the panels follow the one that selects the checkpoint.

    The page's script hears of the others that count: the host's own sliders, and its prompts.
    """
    classes = getattr(component, "elem_classes", None) or []
    if elem_id == "setting_sd_model_checkpoint" or "model_selection" in classes:
        _page.meet(component)
    if host.is_slider(component, elem_id):
        component.elem_classes = [*classes, "clip-skip-slider"]  # where the page's script puts the badge
        _page.hear(component, elem_id)
    elif elem_id in _PROMPTS:
        _page.hear(component, elem_id)
        _page.prompt(component, elem_id)
