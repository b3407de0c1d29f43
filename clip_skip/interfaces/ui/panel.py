"""The panel of one tab: its controls, and which event puts which question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from ...hosts.base import Host
from ...skip.parameters import BLENDS, MODES, PARAMETERS
from ..settings import DEFAULT_MODE, SLIDER_MAXIMUM, SLIDER_STEP, START_ENABLED
from .answers import Answers
from .controls import MOVED, SLIDERS, Controls
from .events import in_page
from .markup import line
from .paste import shown
from .words import TITLE, status

if TYPE_CHECKING:
    from .events import Answered, Event, Update

# What the page's script asks of a panel: a hidden button for each.
_QUESTIONS = ("refresh", "judge", "act")


class Panel:
    """The controls of one tab. Attributes are named after the request's fields (`request.PANEL_FIELDS`)."""

    def __init__(self, host: Host, answers: Answers, tab: str) -> None:
        self._host = host
        self._answers = answers
        self.tab = tab
        self.prompt_id = f"{tab}_prompt"
        opts = host.opts
        checkpoint = answers.selected()
        controls = Controls(mode=shown([DEFAULT_MODE.value(opts)])[0])
        initial = iter(answers.view(checkpoint, controls))

        with self._accordion(START_ENABLED.value(opts)):
            # Filled by API callers, `[enabled, options]`, and for one job by the page's script.
            self.options = gr.Textbox("", visible=False, label="CLIP Skip options", elem_id=self._id("options"))
            # Not shown: a hand on a slider makes it Manual, a button Auto again.
            self.mode = gr.Radio(
                shown(MODES),
                value=controls.mode,
                label=PARAMETERS["mode"].label,
                visible=False,
                elem_id=self._id("mode"),
            )
            meant = next(initial)
            with gr.Column(visible=next(initial)["visible"], elem_id=self._id("sliders")) as self.place:
                self._columns, self._sliders, self._words = {}, {}, {}
                for name in SLIDERS:
                    self._columns[name], self._sliders[name], self._words[name] = self._slider(name, initial)
            same, save, blend, more, compare = (next(initial)["visible"] for _ in range(5))
            with gr.Row(elem_id=self._id("keep")):
                if self._host.input_accordion is None:
                    self.enabled.render()
                with gr.Row(visible=compare, elem_id=self._id("comparing")) as self.comparing:
                    self.compare = gr.Button("Compare skips", size="sm", elem_id=self._id("compare"))
                    self.compared = gr.Textbox(
                        "1, 1.5, 2",
                        label="Skips to compare",
                        show_label=False,
                        container=False,
                        max_lines=1,
                        elem_id=self._id("compared"),
                    )
                self.save = gr.Button("Save for this model", size="sm", visible=save, elem_id=self._id("save"))
                self.back = gr.Button("Back to Auto", size="sm", elem_id=self._id("back"))
                self.forget = gr.Button("Forget", size="sm", visible=False, elem_id=self._id("forget"))
            # Below all that can be pressed: nothing of that moves because of an answer.
            with gr.Column(elem_id=self._id("answer")):
                self.ended = gr.HTML("", elem_id=self._id("ended"))
                self.advice = gr.HTML("", elem_id=self._id("advice"))
                self.status = gr.HTML(status(checkpoint, None), elem_id=self._id("status"))
                self.meaning = gr.HTML(meant["value"], visible=meant["visible"], elem_id=self._id("meaning"))
            with gr.Accordion("More", open=False, visible=more, elem_id=self._id("more")) as self.more:
                self.same = gr.Checkbox(False, label="Same for all encoders", visible=same, elem_id=self._id("same"))
                self.blend = gr.Radio(
                    shown(BLENDS),
                    value=shown(BLENDS)[0],
                    label=PARAMETERS["blend"].label,
                    visible=blend,
                    elem_id=self._id("blend"),
                )
                self.hash = gr.Button("Work out its SHA-256", size="sm", visible=False, elem_id=self._id("hash"))
                gr.HTML(line("How far each clip skip moves what the model reads of the prompt."))
                self.draw = gr.Button("Show the drift of the prompt", size="sm", elem_id=self._id("draw"))
                self.drift = gr.HTML("", elem_id=self._id("drift"))
            # Filled and pressed by the page's script.
            self.seen = gr.Textbox("", visible=False, label="Seen", elem_id=self._id("seen"))
            self.asked = gr.Textbox("", visible=False, label="Asked", elem_id=self._id("asked"))
            # One for each question: what one answer moves is read before the next one to the same question.
            self.moves = {
                name: gr.Textbox("", visible=False, label="", elem_id=self._id(f"{name}_moves")) for name in _QUESTIONS
            }
            self.questions = {name: gr.Button(name, visible=False, elem_id=self._id(name)) for name in _QUESTIONS}
        # Below the accordion: while the panel is off, that is closed, and the host's own slider decides.
        self.ended_off = gr.HTML("", elem_id=self._id("ended_off"))
        self.advice_off = gr.HTML("", elem_id=self._id("advice_off"))

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
        hidden = (self.seen, self.asked, *self.moves.values(), *self.questions.values())
        buttons = (self.save, self.back, self.forget, self.hash, self.draw, self.compare)
        for component in [*self.arguments, self.head, self.more, self.compared, *buttons, *hidden]:
            component.do_not_save_to_config = True

    def draw_drift_of(self, prompt: object) -> None:
        """Let the panel measure the drift of what this box of the page holds."""
        self.draw.click(
            lambda text, *values: self._answers.drift(text, Controls(*values)),
            inputs=[prompt, *self._inputs],
            outputs=[self.drift],
            show_progress="minimal",
            queue=False,
        )

    # --- events ------------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Answer what is done to the controls.

        The page's script puts the questions: Gradio 3 drops an event while it waits for the answer to one before.
        """
        in_page(self.enabled.change, f"(on) => clipSkip.switched('{self.tab}', on)", self.enabled)
        for control in (self.mode, *self._sliders.values()):
            in_page(control.change, f"() => clipSkip.look('{self.tab}')")
        in_page(self.same.change, f"() => clipSkip.joined('{self.tab}')")
        in_page(self.back.click, f"() => [clipSkip.leave('{self.tab}', '{shown(MODES)[0]}')]", to=[self.mode])
        for name, button in (("save", self.save), ("forget", self.forget), ("hash", self.hash)):
            in_page(button.click, f"() => clipSkip.press('{self.tab}', '{name}')")
        in_page(self.questions["refresh"].click, f"() => clipSkip.heard('{self.tab}')")
        self._on("refresh", lambda *values: self._answers.show(Controls(*values)))
        self._on("judge", lambda *values: self._answers.judge(Controls(*values)))
        self._on("act", lambda asked, *values: self._answers.act(asked, Controls(*values)), self.asked)
        for press in (self.compare.click, self.compared.submit):
            comparing = self._ask(
                press,
                lambda text, *values: self._answers.compare(text, Controls(*values)),
                [self.compared, *self._inputs],
                [self.options, self.ended, self.ended_off],
            )
            generate = f"(options) => clipSkip.generate('{self.tab}', options)"
            in_page(comparing.then, generate, self.options, to=[self.options])

    def _on(self, name: str, answer: Callable[..., object], *before: object) -> None:
        """Let `answer` answer the question `name`, from the values of `before` and of the controls, with everything.

        The page's script moves controls then, where no hand has been since.
        """
        event, moves = self.questions[name].click, self.moves[name]
        answered = self._ask(event, answer, [*before, *self._inputs], [*self._outputs, moves])
        moved = [getattr(self, control) for control in MOVED]
        script = f"(...values) => clipSkip.moved('{self.tab}', '{name}', ...values)"
        in_page(answered.then, script, moves, *moved, to=moved)

    def _ask(
        self, event: Event, answer: Callable[..., object], inputs: list[object], outputs: list[object]
    ) -> Answered:
        # Not through the queue, where it would wait for others.
        return event(answer, inputs=inputs, outputs=outputs, show_progress="hidden", queue=False)

    @property
    def _inputs(self) -> list[object]:
        """In the order of the fields of `Controls`."""
        return [self.enabled, self.mode, self.same, *self._sliders.values(), self.blend, self.seen]

    @property
    def _outputs(self) -> list[object]:
        """Everything, but for what moves."""
        rows = [x for name in SLIDERS for x in (self._columns[name], self._sliders[name], self._words[name])]
        viewed = [
            self.meaning,
            self.place,
            *rows,
            self.same,
            self.save,
            self.blend,
            self.more,
            self.comparing,
        ]
        judged = [self.status, self.forget, self.advice, self.advice_off, self.head, self.hash]
        return [*viewed, *judged, self.ended, self.ended_off]

    # --- parts -------------------------------------------------------------------------------------------------------

    def _accordion(self, enabled: bool) -> Any:
        """The panel's accordion, and the checkbox that is its switch."""
        elem_id = self._id("enabled")
        if self._host.input_accordion is not None:
            self.enabled = self._host.input_accordion(enabled, label=TITLE, elem_id=elem_id)
            self.head = self.enabled.accordion
            return self.enabled
        self.head = gr.Accordion(TITLE, open=enabled, elem_id=elem_id)
        # Among the buttons.
        self.enabled = gr.Checkbox(enabled, label="On", render=False, elem_id=f"{elem_id}-checkbox")
        return self.head

    def _slider(self, name: str, initial: Iterator[Update]) -> tuple[object, object, object]:
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
