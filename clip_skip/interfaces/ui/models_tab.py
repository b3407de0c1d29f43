"""The view "Models" of the tab: what every model that the WebUI lists is, and all that is known of one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import gradio as gr

from ...models.library import Library
from ...models.presets.preset import Preset
from ...models.survey import CHECKPOINT, Found, Listed, Survey
from ...text.log import logger
from ...text.phrase import Data, Phrase
from . import markup, models_view
from .events import Shown, in_page, on
from .models_view import KINDS, Order

if TYPE_CHECKING:
    from .events import Answered, Event

_ABOUT_NUMBERS = (
    "What every model is, and the clip skip that it was made for: 1 is as it was trained, 2 leaves one layer out."
)
_ABOUT_REFERENCES = (
    "Whether an SD 1.x model descends from NovelAI's is told by comparing it with the original models. "
    "If you have one of them, say here which it is."
)

# The model that all is told about, with what had been read of it by then, None where nothing had.
Chosen: TypeAlias = tuple[Listed, Found | None]


class Pending(TypedDict):
    """The reference that waits for a second press: which model is to be which."""

    model: Listed
    label: str


class ModelsView:
    """The components of the view and what they do.

    `order` is how the table is sorted; of `chosen` and `pending` each is None where there is none.
    """

    def __init__(self, library: Library, survey: Survey) -> None:
        self._library = library
        self._survey = survey
        self.order, self.chosen, self.pending = gr.State(Order()), gr.State(None), gr.State(None)
        with gr.Row():
            with gr.Column(scale=3, min_width=280):
                self._build_table()
            with gr.Column(scale=2, min_width=280, elem_id=self._id("side")):
                self._build_about()

    @staticmethod
    def _id(name: str) -> str:
        return f"clip_skip_models_{name}"

    def _build_table(self) -> None:
        with gr.Row():
            self.search = gr.Textbox(
                "",
                label="Search",
                placeholder="Model, architecture or origin",
                max_lines=1,
                scale=2,
                min_width=160,
                elem_id=self._id("search"),
            )
            self.kind = gr.Radio(
                list(KINDS), value=next(iter(KINDS)), label="Show", scale=2, min_width=160, elem_id=self._id("kind")
            )
        with gr.Row():
            self.progress = gr.HTML("", elem_id=self._id("progress"))
            self.read = gr.Button("Read again", size="sm", min_width=80, scale=0, elem_id=self._id("read"))
            self.stop = gr.Button("Stop", visible=False, size="sm", min_width=80, scale=0, elem_id=self._id("stop"))
        self.table = gr.HTML("", elem_id=self._id("table"))
        # Pressed by the page's script: when the view is opened, while models are read, and for a press in the table.
        self.refresh = gr.Button("", visible=False, elem_id=self._id("refresh"))
        self.look = gr.Button("", visible=False, elem_id=self._id("look"))
        self.picked = gr.Textbox("", visible=False, elem_id=self._id("picked"))
        self.pick = gr.Button("", visible=False, elem_id=self._id("pick"))
        self.sort = gr.Button("", visible=False, elem_id=self._id("sort"))

    def _build_about(self) -> None:
        nothing = markup.line(_ABOUT_NUMBERS) + markup.line("Choose a model to see what is known of it, and why.")
        self.about = gr.HTML(nothing, elem_id=self._id("about"))
        self.preset = gr.Button("Open its preset", visible=False, size="sm", elem_id=self._id("preset"))
        with gr.Column(visible=False, elem_id=self._id("reference_part")) as self.reference_part:
            gr.HTML(markup.line(_ABOUT_REFERENCES))
            self.label = gr.Radio([], label="This model is", elem_id=self._id("label"))
            self.learn = gr.Button("Use as a reference", size="sm", elem_id=self._id("learn"))
        self.said = gr.HTML("", elem_id=self._id("said"))
        with gr.Row():
            self.confirm = gr.Button(
                "Really use", variant="stop", visible=False, size="sm", elem_id=self._id("confirm")
            )
            self.cancel = gr.Button("Cancel", visible=False, size="sm", elem_id=self._id("cancel"))

    def listen(self, opened: Event, show_preset: Callable[[str], Shown], shown: list[object]) -> None:
        """Let the controls do something. `opened` happens when the view is.

        `show_preset` gives what changes in `shown` where the preset of a model, by its title, is opened.
        """
        state = [self.search, self.kind, self.order, self.chosen]
        overview = [self.progress, self.read, self.stop, self.table]
        seen = [*overview, self.chosen, self.about]
        asking = [self.said, self.pending, self.confirm, self.cancel]
        about = [self.chosen, self.about, self.preset, self.reference_part, self.label]

        def follow(answer: Answered) -> None:
            in_page(answer.then, "() => clipSkip.watch()")

        for event in (opened, self.refresh.click):
            follow(on(event, self._opened, state, seen))
        follow(on(self.look.click, self._seen, state, seen))
        follow(on(self.read.click, self._started, state, seen))
        on(self.stop.click, self._stopped, state, seen)
        found = (lambda *now: {self.table: self._table(*now)}, state, [self.table])
        # Gradio 3 drops what is typed while it waits for an answer; what comes after the answer asks once more.
        on(on(self.search.change, *found).then, *found)
        on(self.kind.change, *found)
        on(self.sort.click, self._sorted, [self.picked, *state], [self.order, self.table])
        on(self.pick.click, self._choose, [self.picked, *state], [self.table, *about, *asking])
        on(self.learn.click, self._ask_learn, [self.chosen, self.label], asking)
        follow(on(self.confirm.click, self._learn, [self.pending, *state], [*seen, *asking]))
        on(self.cancel.click, lambda: self._settled(), [], asking)
        preset = on(self.preset.click, lambda chosen: show_preset(chosen[0].name), [self.chosen], shown)
        in_page(preset.then, "() => clipSkip.turned()")

    # the table

    def _opened(self, *state: Any) -> Shown:
        self._survey.look()
        return self._seen(*state)

    def _started(self, *state: Any) -> Shown:
        self._survey.start()
        return self._seen(*state)

    def _stopped(self, *state: Any) -> Shown:
        self._survey.give_up()
        return self._seen(*state)

    def _seen(self, search: str, kind: str, order: Order, chosen: Chosen | None) -> Shown:
        """How far it is, and what is read by now; also of the model that all is told about."""
        now = self._survey.progress
        shown: Shown = {
            self.progress: gr.update(value=models_view.progress(now)),
            self.read: gr.update(visible=now is None),
            self.stop: gr.update(visible=now is not None),
            self.table: self._table(search, kind, order, chosen),
        }
        if chosen and self._survey.found.get(chosen[0]) != chosen[1]:
            shown |= self._about(chosen[0])
        return {**shown, self.chosen: shown.get(self.chosen, chosen)}

    def _table(self, search: str | None, kind: str, order: Order, chosen: Chosen | None) -> object:
        found, wanted = self._survey.found, KINDS.get(kind)
        rows = [
            models_view.row(model, found.get(model), self._preset(found.get(model)))
            for model in self._survey.listed()
            if wanted in (None, model.kind)
        ]
        matching = [row for row in rows if row.matches(search or "")]
        table = models_view.table(models_view.ordered(matching, order), order, chosen[0] if chosen else None)
        return gr.update(value=table)

    def _preset(self, found: Found | None) -> Preset | None:
        return self._library.profile(found.checkpoint).preset if found is not None else None

    def _sorted(self, column: str, search: str, kind: str, order: Order, chosen: Chosen | None) -> Shown:
        order = order.pressed(column) if column in models_view.COLUMNS else order
        return {self.order: order, self.table: self._table(search, kind, order, chosen)}

    # one model

    def _choose(self, pick: str, search: str, kind: str, order: Order, chosen: Chosen | None) -> Shown:
        model = next((each for each in self._survey.listed() if models_view.pick_of(each) == pick), None)
        if model is None:
            return self._settled("the model is not there any more")
        about = self._about(model)
        return {**about, **self._settled(), self.table: self._table(search, kind, order, about[self.chosen])}

    def _about(self, model: Listed) -> Shown:
        found = self._survey.found.get(model)
        can_learn = found is not None and found.facts is not None and models_view.asks_for_lineage(found.facts)
        labels = [each.name for each in self._library.references()] if can_learn else []
        return {
            self.chosen: (model, found),
            self.about: gr.update(value=models_view.about(model, found, self._preset(found))),
            self.preset: gr.update(visible=model.kind == CHECKPOINT),
            self.reference_part: gr.update(visible=can_learn),
            self.label: gr.update(choices=labels, value=None),
        }

    # references

    def _ask_learn(self, chosen: Chosen | None, name: str | None) -> Shown:
        reference = next((each for each in self._library.references() if each.name == name), None)
        if not chosen or reference is None:
            return self._settled("Say first which of these models it is.")
        question: Phrase = ("Only if you are sure: what is told of all other models depends on it.",)
        if reference.source:
            question = (*question, Data(" "), "It takes the place of:", Data(f" {reference.source}"))
        pending = {"model": chosen[0], "label": reference.label}
        yes = {self.confirm: gr.update(visible=True), self.cancel: gr.update(visible=True)}
        return {**self._settled(*question), self.pending: pending, **yes}

    def _learn(self, pending: Pending | None, *state: Any) -> Shown:
        found = self._survey.found.get(pending["model"]) if pending else None
        if not pending or found is None:
            return {**self._settled(), **self._seen(*state)}
        try:
            self._library.learn(found.checkpoint.path, pending["label"])
        except (ValueError, OSError) as error:
            why = getattr(error, "strerror", None) or str(error)  # not where it lies
            return {**self._settled("It can't be a reference:", Data(f" {why}")), **self._seen(*state)}
        logger.info("%s is now the reference %s", found.checkpoint.file_name, pending["label"])
        self._survey.start()
        return {**self._settled("It is a reference now. All models are read once more."), **self._seen(*state)}

    def _settled(self, *phrase: str) -> Shown:
        """No question open; `phrase` is how the last one ended."""
        hidden = gr.update(visible=False)
        said = gr.update(value=markup.line(*phrase) if phrase else "")
        return {self.said: said, self.pending: None, self.confirm: hidden, self.cancel: hidden}
