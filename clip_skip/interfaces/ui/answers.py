"""What a panel answers to each question of the page: updates for its controls. Knows no control, only their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
from markupsafe import Markup

from ...advice.actions import act, slider_after
from ...advice.advisor import Advisor
from ...advice.names import ActionId
from ...advice.rules import Advice, bad_tag
from ...drift.chart import Marks
from ...drift.measured import measure
from ...hosts.base import Host
from ...models.checkpoint import NO_CHECKPOINT, Checkpoint
from ...models.hashing import Hashing, lacks_hash
from ...models.library import Library
from ...models.presets.store import StoreError
from ...models.profile import Profile
from ...skip.parameters import MODES
from ...skip.plan import resolve
from ...text.bounded_json import load
from ...text.log import logger
from ...text.phrase import Data, Phrase, Problem
from ..settings import SLIDER_MAXIMUM, shown_at
from . import advice_view, drift_view
from .controls import SLIDERS, Asked, Controls
from .markup import NOTHING, line
from .paste import shown
from .words import SWITCHED_OFF, hashing, read_by, slider_words, status


class Answers:
    """The answers of the panels of one WebUI, each to what the controls of one of them hold.

    An answer with everything is an update for the mode, for what `view` is for, and for what `judge` is for.
    """

    def __init__(
        self, host: Host, library: Library, advisor: Advisor, switched_on: Callable[[], bool], hashing: Hashing
    ) -> None:
        self._host = host
        self._library = library
        self._advisor = advisor
        self._switched_on = switched_on
        self._hashing = hashing

    def show(self, controls: Controls, name: str | None = None) -> list[Any]:
        """Everything, as far as it can be told without reading the model's file."""
        model = self._library.profile(self.selected(name))
        if model.is_read:
            return self._all(model, controls)
        checkpoint = model.checkpoint
        pending = [
            gr.update(value=status(checkpoint, None)),
            gr.update(),
            gr.update(value=""),
            gr.update(visible=False),
        ]
        return [gr.update(), *self.view(checkpoint, controls), *pending]

    def speak(self, controls: Controls) -> list[Any]:
        """The words under each slider."""
        architecture = self.selected().architecture
        return [gr.update(value=slider_words(architecture, name, getattr(controls, name))) for name in SLIDERS]

    def judge(self, controls: Controls) -> list[Any]:
        """What depends on more than the controls and the architecture: status, *Forget*, and advice."""
        model = self._library.profile(self.selected())
        verdict = self._verdict(model, controls)
        now = self.selected()
        if now == model.checkpoint:
            return verdict
        if now.path and now.path == model.checkpoint.path:  # its hash has come to be known
            return self._verdict(self._library.profile(now), controls)
        # While its file was read another model was selected. The page asks about that, too.
        return [gr.update() for _ in verdict]

    def save(self, controls: Controls) -> list[Any]:
        """Keep the sliders' values for the selected model, and go over to Auto, which uses them from now on."""
        model = self._library.profile(self.selected())
        plan = resolve(controls.request, model.checkpoint.architecture)
        try:
            if plan.refusals:
                raise StoreError("; ".join(map(str, plan.refusals)))
            self._library.save(model.checkpoint, plan.skips, plan.blend)
        except StoreError as error:
            return self._all(model, controls, failure=("Not saved:", Data(f" {error}")))
        return self._all(self._again(model), replace(controls, mode=shown(MODES)[0]), moved=True)

    def forget(self, controls: Controls) -> list[Any]:
        """Keep no skips for the selected model any more."""
        model = self._library.profile(self.selected())
        try:
            self._library.forget(model.checkpoint)
        except StoreError as error:
            return self._all(model, controls, failure=("Not forgotten:", Data(f" {error}")))
        return self._all(self._again(model), controls)

    def act(self, asked: str, controls: Controls) -> list[Any]:
        """What the button stands for that `asked` names: {"advice", "action"}, beside an advice that holds now."""
        model = self._library.profile(self.selected())
        names = load(asked)
        for advice in self._advice(model, controls.asked(model.checkpoint.architecture), controls):
            for action in advice.actions:
                if (advice.id, action.id) == (names["advice"], names["action"]):
                    try:
                        moved = act(action, advice, model.checkpoint, controls.decider, self._library, self._host)
                    except StoreError as error:
                        return self._all(model, controls, failure=("Not saved:", Data(f" {error}")))
                    return self._all(self._again(model), controls.moved(moved), moved=True)
        return self._all(model, controls)

    def hash(self, controls: Controls) -> list[Any]:
        """Work out the selected model's SHA-256, also where the WebUI hashes no model."""
        model = self._library.profile(self.selected())
        if self._switched_on() and lacks_hash(model.checkpoint):
            self._hashing.want(model.checkpoint.path, again=True)
        return self._all(model, controls)

    def _again(self, model: Profile) -> Profile:
        """The same model, of which something else is kept now."""
        return self._library.profile(model.checkpoint)

    def drift(self, prompt: str, controls: Controls) -> str:
        """The drift of `prompt` on the model that is loaded, or why there is none to show."""
        try:
            loaded = self._host.loaded()
            model = self._library.profile(loaded)
            recommended = model.stands_for("recommended")
            marks = Marks(self._skips(model, controls), recommended.skips if recommended else {})
            measured = measure(self._host, prompt, loaded, [marks.current, marks.recommended])
            picture = drift_view.render(measured, loaded, prompt, marks)
        except Problem as problem:
            return line(*problem.phrase)
        except Exception as error:
            logger.exception("the drift can't be measured")
            what = f" {type(error).__name__}: {error}"
            return line("The drift could not be measured. The log says more:", Data(what))
        if loaded == self.selected():
            return picture
        name = Data(f" {loaded.name}")
        return line("The selected model is not loaded yet. This is of the one that is:", name) + picture

    def _skips(self, model: Profile, controls: Controls) -> Mapping[str, float]:
        """Where a job with these controls and this prompt would read each encoder of this model."""
        architecture = model.checkpoint.architecture
        request = controls.asked(architecture).request
        if not request.enabled or not self._switched_on():
            return self._host.reading(architecture, controls.slider).skips
        return resolve(request, architecture, model.stands_for).skips

    # --- what they show ----------------------------------------------------------------------------------------------

    def _all(self, model: Profile, controls: Controls, *, moved: bool = False, failure: Phrase = ()) -> list[Any]:
        """Everything. `moved`: mode and sliders go where `controls` has them. `failure` is said below the status."""
        words, *rest = self._verdict(model, controls)
        if failure:
            words = gr.update(value=words["value"] + line(*failure))
        mode = gr.update(value=controls.mode) if moved else gr.update()
        return [mode, *self.view(model.checkpoint, controls, moved), words, *rest]

    def view(self, checkpoint: Checkpoint, controls: Controls, moved: bool = False) -> list[dict[str, Any]]:
        """The manual part: whether it shows, three for each slider, *Same for all*; and whether it can be saved."""
        architecture = checkpoint.architecture
        rows: list[dict[str, Any]] = []
        for name in SLIDERS:
            deepest = min((e.trained_depth for e in read_by(architecture, name)), default=0)
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
                gr.update(value=slider_words(architecture, name, within)),
            ]
        manual = not controls.auto and bool(architecture.encoders)
        return [
            gr.update(visible=manual),
            *rows,
            gr.update(visible=bool(controls.same) or len(architecture.encoders) > 1),
            gr.update(visible=manual and bool(checkpoint.file_name)),
        ]

    def _verdict(self, model: Profile, controls: Controls) -> list[dict[str, Any]]:
        """As `judge`. Reads the model's file where that was not done yet."""
        auto, asked = model.auto, controls.asked(model.checkpoint.architecture)
        words = status(model.checkpoint, auto if controls.auto else None)
        hashed, can_hash = self._hashed(model.checkpoint)
        return [
            gr.update(value=words + hashed if self._switched_on() else line(SWITCHED_OFF)),
            gr.update(visible=auto.source == "preset"),
            gr.update(value=self._advice_html(model, self._advice(model, asked, controls), asked.request.enabled)),
            gr.update(visible=can_hash),
        ]

    def _hashed(self, checkpoint: Checkpoint) -> tuple[Markup, bool]:
        """What there is to say of the model's SHA-256, which is worked out where it lacks; whether a button asks."""
        if not self._switched_on() or not lacks_hash(checkpoint):
            return NOTHING, False
        path = checkpoint.path
        if self._host.hashes:
            self._hashing.want(path)
        part = self._hashing.part(path)
        return hashing(part, self._hashing.failed(path)), part is None

    def _advice(self, model: Profile, asked: Asked, controls: Controls) -> list[Advice]:
        """What there is to say of how the model would be read with these controls, which ask for `asked`."""
        if not self._switched_on():
            return []
        said = [bad_tag(refusal) for refusal in asked.refusals]
        if not asked.request.enabled:
            return said + self._advisor.on_slider(model, controls.slider, [controls.tags])
        said += self._advisor.on_request(model, asked.request, [controls.tags])
        # No control of ours mends what a tag asks for.
        return [advice.without(ActionId.USE) for advice in said] if asked.by_tags else said

    def _advice_html(self, model: Profile, advice: Sequence[Advice], ours: bool) -> str:
        """`ours` tells whether the panel or a tag decides, and not the host's own slider."""
        opts, architecture = self._host.opts, model.checkpoint.architecture
        items = [
            advice_view.Shown(
                each,
                [place for place in advice_view.PLACES if shown_at(place, each.severity, opts)],
                ours,
                None if ours else slider_after(each, architecture, self._host),
            )
            for each in advice
        ]
        facts = model.facts if any(each.id in advice_view.ON_DESCENT for each in advice) else None
        unused = bool(ours and self._switched_on() and architecture.encoders)
        return advice_view.render(items, facts, unused)

    def selected(self, name: str | None = None) -> Checkpoint:
        """The checkpoint `name`, or the one that is selected now. Never raises."""
        try:
            return self._host.selected(name)
        except Exception:
            logger.exception("the selected checkpoint can't be told")
            return NO_CHECKPOINT
