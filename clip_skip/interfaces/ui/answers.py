"""What a panel answers to each question of the page: updates for its controls. Knows no control, only their order."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import gradio as gr
from markupsafe import Markup

from ...advice.actions import Moved, act, sliders_after
from ...advice.advisor import Advisor
from ...advice.names import ActionId
from ...advice.rules import ALIKE, BY_TAG, Action, Advice, bad_tag, not_a_tag
from ...drift.chart import Marks
from ...drift.measured import measure
from ...hosts.base import Host
from ...models.checkpoint import NO_CHECKPOINT, Checkpoint
from ...models.hashing import Hashing, lacks_hash
from ...models.library import Library
from ...models.presets.store import Changed, StoreError
from ...models.profile import Profile
from ...skip import written
from ...skip.architectures import Architecture
from ...skip.numbers import label
from ...skip.parameters import MODES
from ...skip.plan import Plan, resolve
from ...skip.request import COMPARE, from_options
from ...text.bounded_json import decode_object, load
from ...text.log import logger
from ...text.phrase import Data, Phrase, Problem
from ..settings import SLIDER_MAXIMUM, shown_at
from . import advice_view, drift_view
from .advice_view import compared, done
from .controls import MOVED, SLIDERS, Asked, Controls
from .markup import NOTHING, line
from .paste import shown
from .words import DISABLED, SWITCHED_OFF, hashing, meaning, read_by, slider_words, status, title

if TYPE_CHECKING:
    from .events import Answer, Update

_AUTO, _MANUAL = shown(MODES)
_NOTHING_ENDED = [gr.update(), gr.update()]
_MOST_UNDOABLE = 100


class _Undoable(NamedTuple):
    """What was changed of what is kept, and the controls before.

    `moved` tells whether the panel's sliders were moved; `slider` is where the host's own was before it was, else None.
    """

    changed: Changed
    controls: Controls
    moved: bool = False
    slider: float | None = None

    def undo(self, controls: Controls) -> Controls:
        sliders = {name: getattr(self.controls, name) for name in SLIDERS} if self.moved else {}
        return replace(controls.moved(Moved(slider=self.slider)), mode=self.controls.mode, **sliders)


class Answers:
    """The answers of the panels of one WebUI, each to what the controls of one of them hold.

    An answer is for what `view` is for, for what `_verdict` is for, for how something ended, said in the panel or below
    it, and for what moves.
    """

    def __init__(
        self, host: Host, library: Library, advisor: Advisor, switched_on: Callable[[], bool], hashing: Hashing
    ) -> None:
        self._host = host
        self._library = library
        self._advisor = advisor
        self._switched_on = switched_on
        self._hashing = hashing
        self._pressed = {"join": self.join, "save": self.save, "forget": self.forget, "hash": self.hash}
        # By what the page asks for to undo it.
        self._undoable: dict[str, _Undoable] = {}

    def show(self, controls: Controls) -> Answer:
        """Everything, as far as it can be told without reading the model's file."""
        # How something ended is said until there is another model.
        ended = [gr.update(value=""), gr.update(value="")] if controls.another else _NOTHING_ENDED
        return self._shown(self._model(controls), controls, controls, ended)

    def join(self, controls: Controls) -> Answer:
        """As `show`, where the user chose one slider for all, or one for each: those begin at what is in use."""
        model = self._model(controls)
        encoders = [encoder.id for encoder in model.checkpoint.architecture.encoders]
        if controls.same:
            at = replace(controls, skip=getattr(controls, encoders[0])) if encoders else controls
        else:
            at = replace(controls, **dict.fromkeys(encoders, controls.skip))
        return self._shown(model, controls, at)

    def _shown(
        self, model: Profile, controls: Controls, at: Controls, ended: Sequence[object] = _NOTHING_ENDED
    ) -> Answer:
        if model.is_read:
            return self._all(model, controls, at, ended)
        checkpoint = model.checkpoint
        nothing = [gr.update(value=""), gr.update(value=""), gr.update(label=title(checkpoint.architecture, None))]
        # What a preset says needs no file to be read.
        at = self._settled(model, at) if model.has_skips or not at.auto else at
        return [
            *self.view(checkpoint, at),
            gr.update(value=status(checkpoint, None)),
            gr.update(),
            *nothing,
            gr.update(visible=False),
            *ended,
            self._moves(model, controls, at, judged=False),
        ]

    def judge(self, controls: Controls) -> Answer:
        """Everything. Reads the model's file where that was not done yet."""
        model = self._model(controls)
        answer = self._all(model, controls)
        now = self.selected()
        if now == model.checkpoint:
            return answer
        if now.path and now.path == model.checkpoint.path:  # its hash has come to be known
            return self._all(self._library.profile(now), controls)
        # While its file was read another model was selected. The page asks about that.
        return [*(gr.update() for _ in answer[:-1]), self._moves(model, controls, controls, judged=False)]

    def save(self, controls: Controls) -> Answer:
        """Keep the sliders' values for the selected model, and go over to Auto, which uses them from now on."""
        model = self._model(controls)
        return self._save(resolve(controls.request, model.checkpoint.architecture), model, controls)

    def _save(self, plan: Plan, model: Profile, controls: Controls) -> Answer:
        try:
            if plan.refusals:
                raise StoreError("; ".join(map(str, plan.refusals)))
            undo = self._undo_of(self._library.save(model.checkpoint, plan.skips, plan.blend), controls)
        except StoreError as error:
            return self._ended(model, controls, done(("Not saved:", Data(f" {error}"))))
        return self._ended(
            self._again(model), controls, done(_named("Saved for", model), undo), replace(controls, mode=_AUTO)
        )

    def compare(self, text: str, controls: Controls) -> Answer:
        """What the page's script has Generate ask for, "" for nothing, and what is said of it: buttons to keep a skip.

        `text` names the skips. All else is as the controls have it.
        """
        model = self._model(controls)
        architecture = model.checkpoint.architecture
        asked = controls.asked(architecture)
        values, refused = written.read(text, architecture)
        blend = asked.request.blend
        if controls.auto and (model.is_read or model.has_skips):
            blend = model.auto.blend
        options = {**asked.request.options, COMPARE: [{**value, "blend": blend} for value in values]}
        request = from_options(options, refused)
        plans = {plan.key: plan for each in request.compare for plan in [resolve(each, architecture, model.stands_for)]}
        refused = (*request.refusals, *(refusal for plan in plans.values() for refusal in plan.refusals))
        why: Phrase = ()
        if not (controls.enabled and self._switched_on()):
            why = ("CLIP Skip is off.",)
        elif asked.by_tags:
            why = (BY_TAG,)
        elif refused:
            why = (Data(f"{refused[0]}."),)
        elif len(plans) < 2:
            why = (ALIKE,)
        if why:
            return ["", *self._said(done(("Not compared:", Data(" "), *why)), controls)]
        takes = [(label(plan.skips), {"skip": dict(plan.skips), "blend": plan.blend}) for plan in plans.values()]
        return [json.dumps(options), *self._said(compared(takes), controls)]

    def _take(self, asked: Mapping[str, object], model: Profile, controls: Controls) -> Answer:
        """One of the skips that were compared is for now, or for this model from now on."""
        taken = {**decode_object(asked.get("skip")), "blend": asked.get("blend")}
        plan = resolve(from_options(taken), model.checkpoint.architecture)
        if asked.get("save"):
            return self._save(plan, model, controls)
        if plan.refusals:
            return self._ended(model, controls, done(("Not saved:", Data(f" {plan.refusals[0]}."))))
        same = controls.same and len(set(plan.skips.values())) == 1
        at = replace(controls.moved(Moved(skips=plan.skips)), mode=_MANUAL, same=same, blend=shown([plan.blend])[0])
        return self._all(model, controls, at)

    def forget(self, controls: Controls) -> Answer:
        """Keep no skips for the selected model any more."""
        model = self._model(controls)
        try:
            undo = self._undo_of(self._library.forget(model.checkpoint), controls)
        except StoreError as error:
            return self._ended(model, controls, done(("Not forgotten:", Data(f" {error}"))))
        return self._ended(self._again(model), controls, done(("Forgotten.",), undo))

    def act(self, asked: str, controls: Controls) -> Answer:
        """What the button stands for that `asked` names.

        That is {"press"}, a control of the panel, {"advice", "action"}, beside an advice that holds now, {"undo"},
        beside what was kept, or {"take": {"skip", "blend", "save"}}, one of the skips that were compared.
        """
        names = load(asked)
        if "press" in names:
            return self._pressed[names["press"]](controls)
        model = self._model(controls)
        if "undo" in names:
            return self._undo(names["undo"], model, controls)
        if "take" in names:
            return self._take(names["take"], model, controls)
        for advice in self._advice(model, controls.asked(model.checkpoint.architecture), controls):
            for action in advice.offers:
                if (advice.id, action.id) == (names["advice"], names["action"]):
                    return self._act(action, advice, model, controls)
        return self._all(model, controls)

    def _act(self, action: Action, advice: Advice, model: Profile, controls: Controls) -> Answer:
        slider = self._host.reading(model.checkpoint.architecture, controls.slider).slider
        try:
            moved = act(action, advice, model.checkpoint, controls.decider, self._library, self._host)
        except StoreError as error:
            return self._ended(model, controls, done(("Not saved:", Data(f" {error}"))))
        ended, back = None, slider if moved.slider is not None else None
        if undo := self._undo_of(moved.changed, controls, moved.skips != {}, back):
            ended = done(_named("Kept for", model), undo, back)
        after = controls.moved(moved)
        if moved.skips and controls.auto:
            after = replace(after, mode=_MANUAL)
            ended = done(("Set here alone: your preset is as it was.",))
        if action.id is ActionId.UNSURE:
            ended = done(("Set here alone: nothing is kept for this model.",))
        return self._ended(self._again(model), controls, ended, after)

    def _undo_of(self, changed: Changed, controls: Controls, moved: bool = False, slider: float | None = None) -> str:
        """What to ask for to undo what was changed, "" where nothing was; see `_Undoable`."""
        if not changed.before:
            return ""
        name = secrets.token_hex(8)
        self._undoable[name] = _Undoable(changed, controls, moved, slider)
        while len(self._undoable) > _MOST_UNDOABLE:
            self._undoable.pop(next(iter(self._undoable)))
        return name

    def _undo(self, name: str, model: Profile, controls: Controls) -> Answer:
        """Keep what was kept before, and have the mode that was chosen then, and the numbers where they were moved."""
        try:
            undoable = self._undoable.get(name)
            if undoable is None:
                raise StoreError("that was too long ago")
            self._library.presets.restore(undoable.changed)
        except StoreError as error:
            return self._ended(model, controls, done(("Not undone:", Data(f" {error}"))))
        self._undoable.pop(name, None)
        if undoable.slider is not None:
            self._host.use(undoable.slider)
        return self._ended(self._again(model), controls, done(("Undone.",)), undoable.undo(controls))

    def hash(self, controls: Controls) -> Answer:
        """Work out the selected model's SHA-256, also where the WebUI hashes no model."""
        model = self._model(controls)
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

    def _ended(self, model: Profile, controls: Controls, ended: Markup | None, at: Controls | None = None) -> Answer:
        """As `_all`; `ended` is how what was pressed ended."""
        said = _NOTHING_ENDED if ended is None else self._said(ended, controls)
        return self._all(model, controls, at, said)

    def _all(
        self,
        model: Profile,
        controls: Controls,
        at: Controls | None = None,
        ended: Sequence[object] = _NOTHING_ENDED,
    ) -> Answer:
        """Everything. `at` is where mode and sliders go from where `controls` has them, None to stay."""
        at = self._settled(model, at or controls)
        return [*self.view(model.checkpoint, at), *self._verdict(model, at), *ended, self._moves(model, controls, at)]

    def _moves(self, model: Profile, controls: Controls, to: Controls, judged: bool = True) -> object:
        """For the page's script, which moves what a hand has left alone: where the controls were, and where they go.

        Also whether all is said by that, the model that the page has chosen, where the host has it by now, and whether
        its hash is known.
        """
        places = [[getattr(each, name) for name in MOVED] for each in (controls, to)]
        goes = [None if old == new else new for old, new in zip(*places, strict=True)]
        taken = controls.model if controls.model and self.selected() == model.checkpoint else None
        hashed = model.checkpoint.sha256 is not None
        moves = {"from": places[0], "to": goes, "judged": judged, "taken": taken, "hashed": hashed}
        return gr.update(value=json.dumps(moves))

    def _maximum(self, architecture: Architecture, name: str) -> int:
        """The highest value of the slider `name`, 0 where it sets no encoder."""
        deepest = min((encoder.trained_depth for encoder in read_by(architecture, name)), default=0)
        return deepest and max(2, min(deepest, SLIDER_MAXIMUM.value(self._host.opts)))

    def _settled(self, model: Profile, controls: Controls) -> Controls:
        """These controls where they belong: in Auto at what that uses, in Manual within the sliders' range.

        What the user is typing stays, and an empty box. So does what is not shown, for a model that reads it.
        """
        architecture = model.checkpoint.architecture
        if controls.auto:
            auto = model.auto
            return replace(controls.moved(Moved(skips=auto.skips)), same=False, blend=shown([auto.blend])[0])
        if controls.typed:
            return controls
        within = {}
        for name in SLIDERS:
            value, maximum = getattr(controls, name), self._maximum(architecture, name)
            if maximum and value is not None:
                within[name] = min(max(value, 1.0), float(maximum))
        return replace(controls, **within)

    @staticmethod
    def _said(ended: Markup, controls: Controls) -> Answer:
        """Where it was pressed: what is in the panel is hidden while that is off."""
        return [gr.update(value=ended if here else "") for here in (controls.enabled, not controls.enabled)]

    def view(self, checkpoint: Checkpoint, controls: Controls) -> list[Update]:
        """What depends on the controls and the model's architecture alone.

        The line on what 1 means, the sliders' place, three for each slider, *Same for all*, *Save*, the blend, *More*,
        and *Compare*.
        """
        architecture = checkpoint.architecture
        has_skip = gr.update(visible=bool(architecture.encoders))
        rows: list[Update] = []
        for name in SLIDERS:
            maximum, value = self._maximum(architecture, name), getattr(controls, name)
            stays = not maximum or (controls.typed and not controls.auto)
            rows += [
                gr.update(visible=bool(maximum) and (name == "skip") == bool(controls.same)),
                # What Auto uses may be beyond what the user wants to choose from.
                gr.update() if stays else gr.update(maximum=max(maximum, math.ceil(value or 1))),
                gr.update(value=slider_words(architecture, name, value)),
            ]
        return [
            gr.update(value=meaning(architecture), visible=bool(architecture.encoders)),
            has_skip,
            *rows,
            gr.update(visible=bool(controls.same) or len(architecture.encoders) > 1),
            gr.update(visible=bool(architecture.encoders and checkpoint.file_name)),
            gr.update(visible=_blends(controls, architecture)),
            has_skip,
            has_skip,
        ]

    def _verdict(self, model: Profile, controls: Controls) -> list[Update]:
        """What depends on more than that: status, *Forget*, advice, the title, and whether a button asks for the hash.

        Reads the model's file where that was not done yet.
        """
        auto, architecture = model.auto, model.checkpoint.architecture
        asked = controls.asked(architecture)
        ours = asked.request.enabled and self._switched_on()
        used = resolve(asked.request, architecture, model.stands_for).skips if ours else None
        words = status(model.checkpoint, auto if controls.auto else None, used if asked.by_tags else None)
        advice = self._advice_html(model, self._advice(model, asked, controls), used)
        hashed, can_hash = self._hashed(model.checkpoint)
        off = DISABLED if self._host.flag("disable") else SWITCHED_OFF
        return [
            gr.update(value=words + hashed if self._switched_on() else line(off)),
            gr.update(visible=auto.source == "preset"),
            gr.update(value=advice if controls.enabled else ""),
            gr.update(value="" if controls.enabled else advice),
            gr.update(label=title(architecture, used)),
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
        said += [not_a_tag(found)] if (found := controls.mistaken) else []
        if not asked.request.enabled:
            return said + self._advisor.on_slider(model, controls.slider, [controls.tags])
        said += self._advisor.on_request(model, asked.request, [controls.tags])
        # No control of ours mends what a tag asks for.
        return [replace(each, question=None).without(ActionId.USE) for each in said] if asked.by_tags else said

    def _advice_html(self, model: Profile, advice: Sequence[Advice], used: Mapping[str, float] | None) -> str:
        """`used` are the skips where the panel or a tag decides, and not the host's own slider."""
        opts, architecture, ours = self._host.opts, model.checkpoint.architecture, used is not None
        # The badge says what is true of the host's own slider.
        places = ("panel",) if ours else advice_view.PLACES
        items = [
            advice_view.Shown(
                each,
                [place for place in places if shown_at(place, each.severity, opts)],
                ours,
                {} if ours else sliders_after(each, architecture, self._host),
            )
            for each in advice
        ]
        facts = model.facts if any(each.id in advice_view.ON_DESCENT for each in advice) else None
        return advice_view.render(items, facts, used)

    def _model(self, controls: Controls) -> Profile:
        return self._library.profile(self.selected(controls.model))

    def selected(self, name: str | None = None) -> Checkpoint:
        """The checkpoint `name`, or the one that is selected now. Never raises."""
        try:
            return self._host.selected(name)
        except Exception:
            logger.exception("the selected checkpoint can't be told")
            return NO_CHECKPOINT


def _blends(controls: Controls, architecture: Architecture) -> bool:
    """Whether a number at the sliders lies between two blocks."""
    names = ["skip"] if controls.same else [encoder.id for encoder in architecture.encoders]
    return bool(architecture.encoders) and any((getattr(controls, name) or 1) % 1 for name in names)


def _named(words: str, model: Profile) -> Phrase:
    return words, Data(f" {model.checkpoint.name}.")
