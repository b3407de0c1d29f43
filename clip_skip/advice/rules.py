"""The rules of what has to be said about a reading of a model, and the messages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from ..models.inspect.evidence.evidence import DESCENDANTS, Verdict
from ..models.inspect.verdict.recommend import LINEAGE, SAMPLES
from ..skip.architectures import ENCODER_NAMES
from ..skip.numbers import layers, number
from ..skip.parameters import Refusal
from ..skip.prompt_tags import Mistaken
from ..skip.reading import Reading
from ..text.phrase import Data, Phrase, english, join
from .names import ActionId, AdviceId, Severity

if TYPE_CHECKING:
    from ..models.inspect.evidence.evidence import SkipStatement
    from ..models.inspect.facts import ModelFacts


# From these skips on a rule speaks: half way from what is right to the whole number that is wrong, on SD 1.x; less on
# the others, of which none was made for anything but 1.
_LIKE_NAI, _OFF, _DEEP = 1.5, 1.25, 4
# How far the skip in use may be from the one that a model was made for, or that a LoRA was trained with.
_NEAR = 0.5


@dataclass(frozen=True)
class Action:
    """One click that mends it; `skip` by encoder id is what "use" and the answers to a question use."""

    id: ActionId
    label: Phrase
    skip: Mapping[str, float] = field(default_factory=dict)


class Question(NamedTuple):
    """What a person can tell where no file does, and the answers."""

    text: str
    answers: tuple[Action, ...]


@dataclass(frozen=True)
class Advice:
    """One message: a stable id, how much it matters, a sentence, the facts behind it, and what mends it.

    `also` holds the ids of rules that have their say in the same message. Where somebody is there to be asked, the
    `question` stands for the sentence.
    """

    id: AdviceId
    severity: Severity
    text: str
    reason: Phrase = ()
    actions: tuple[Action, ...] = ()
    also: tuple[AdviceId, ...] = ()
    question: Question | None = None

    @property
    def offers(self) -> tuple[Action, ...]:
        """The answers, and what mends it."""
        return (*(self.question.answers if self.question else ()), *self.actions)

    @property
    def lines(self) -> list[str]:
        """The sentence, and its reason where that is half of it: of an error, what was typed, who says which skip."""
        is_told = self.severity is Severity.ERROR or self.id in (AdviceId.NOT_A_TAG, AdviceId.OFF_RECOMMENDED)
        return [self.text, *([english(self.reason)] if is_told else [])]

    def without(self, action_id: ActionId) -> Advice:
        """The same message, not offering this."""
        return replace(self, actions=tuple(action for action in self.actions if action.id != action_id))

    def __str__(self) -> str:
        return f"{self.text} {english(self.reason)}".rstrip()


@dataclass(frozen=True)
class Situation:
    """What the rules look at.

    `facts` is None while the model's file was not inspected: then no rule that asks for its descent says anything.
    `loras` holds the skip that each LoRA in the prompt was trained with, where that is known; `silenced` the ids of
    advice that the user does not want to hear about this model, and `kept` the skips that the user keeps for it.
    """

    reading: Reading
    facts: ModelFacts | None = None
    loras: Mapping[str, float] = field(default_factory=dict)
    silenced: Collection[str] = ()
    kept: Mapping[str, float] = field(default_factory=dict)

    @property
    def sd1_skip(self) -> float | None:
        return self.reading.skips.get("l") if self.reading.architecture.id == "sd1" else None

    @property
    def recommended(self) -> Mapping[str, float]:
        """What the model was made for: what its facts recommend, else as trained."""
        said = self.facts.recommended.skip if self.facts and self.facts.recommended else {}
        return {encoder.id: said.get(encoder.id, 1.0) for encoder in self.reading.architecture.encoders}

    @property
    def somebody_allows_2(self) -> bool:
        """Whether a source recommends 2, or leaves the choice: an author who says "1 or 2" has nothing against it."""
        statements = self.facts.statements if self.facts else ()
        said = [self.recommended, *(statement.skip for statement in statements)]
        return any(skip.get("l", 1) >= _LIKE_NAI for skip in said) or any(s.leaves_choice for s in statements)

    @property
    def reads_2_unasked(self) -> bool:
        """Whether an SD 1.x model is read as NovelAI's is, with no source for that or against it."""
        asked = self.somebody_allows_2 or self.is_off_recommended
        return self.sd1_skip is not None and self.sd1_skip >= _LIKE_NAI and not asked

    @property
    def agreeing(self) -> list[SkipStatement]:
        """The statements that name the skip at which an SD 1.x model is read, or nearly that."""
        statements, skip = self.facts.statements if self.facts else (), self.sd1_skip
        return [s for s in statements if skip is not None and "l" in s.skip and abs(skip - s.skip["l"]) < _NEAR]

    @property
    def is_read_as_said(self) -> bool:
        """Whether an SD 1.x model is read as its file or its author says, or its author leaves the choice."""
        statements = self.facts.statements if self.facts else ()
        return any(s.id not in SAMPLES for s in self.agreeing) or any(s.leaves_choice for s in statements)

    @property
    def is_off_recommended(self) -> bool:
        """Whether an SD 1.x model is read other than somebody says: its file, its author or its sample images."""
        said = self.facts.recommended if self.facts else None
        if said is None or said.source == LINEAGE or self.sd1_skip is None or self.is_read_as_said:
            return False
        return abs(self.sd1_skip - self.recommended["l"]) >= _NEAR

    @property
    def is_below_nai(self) -> bool:
        """Whether a descendant of NovelAI's that should be read at 2 is read at 1, with no source for that."""
        if self.facts is None or self.facts.verdict not in DESCENDANTS or self.facts.recommended is None:
            return False
        below = self.sd1_skip is not None and self.sd1_skip < _LIKE_NAI <= self.recommended["l"]
        return below and not self.agreeing and not self.is_read_as_said


def advise(situation: Situation) -> list[Advice]:
    """Everything that has to be said, the most severe first."""
    said = [advice for rule in _RULES for advice in rule(situation) if advice.id not in situation.silenced]
    return sorted(said, key=lambda advice: advice.severity.rank)


# --- what mends it ---------------------------------------------------------------------------------------------------

# What a user may want to hear no more about for a model.
SILENCEABLE = (
    AdviceId.NOT_NAI,
    AdviceId.NAI_UNVERIFIED,
    AdviceId.OFF_RECOMMENDED,
    AdviceId.OFF_TRAINED,
    AdviceId.PAST_TRAINED,
    AdviceId.NAI_BELOW,
    AdviceId.LORA_MISMATCH,
    AdviceId.TOO_DEEP,
    AdviceId.NO_EFFECT,
)
_SILENCE = Action(ActionId.SILENCE, ("Don't tell me again for this model",))
_IS_NAI = Action(ActionId.NAI_DERIVED, ("This model is NAI-derived",))
_IS_NOT_NAI = Action(ActionId.NOT_NAI, ("This model is not NAI-derived",))


def _use(skip: Mapping[str, float], words: str = "Use", id: ActionId = ActionId.USE) -> Action:
    numbers = dict.fromkeys(number(value) for value in skip.values())
    return Action(id, (words, Data(" " + " / ".join(numbers))), dict(skip))


def _ask(otherwise: Mapping[str, float]) -> Question:
    """Whether the model's page says 2. Who does not know reads it as it is `otherwise`, as one who says no does."""
    answers = (
        _use({"l": 2.0}, "Yes, keep", ActionId.YES),
        _use(otherwise, "No, use", ActionId.NO),
        Action(ActionId.UNSURE, ("I don't know",), dict(otherwise)),
    )
    return Question("Does the model's page say clip skip 2?", answers)


# Model pages count from an encoder's last layer. Of the other architectures none speaks of clip skip.
PAGES_SAY = {
    "sd1": 'A model page that says "clip skip 2" or "-2" means 2 here.',
    "sdxl": 'A model page that says "clip skip 2" or "-2" means 1 here.',
}


# --- the rules -------------------------------------------------------------------------------------------------------


def _not_nai(s: Situation) -> Iterator[Advice]:
    if s.facts and s.facts.verdict == Verdict.NOT_NAI and s.reads_2_unasked:
        yield Advice(
            AdviceId.NOT_NAI,
            Severity.WARNING,
            "Clip skip 2 is for SD 1.x models that descend from NovelAI's. This one does not.",
            _deciding_fact(s.facts),
            (_use(s.recommended), _IS_NAI, _SILENCE),
        )


def _nai_unverified(s: Situation) -> Iterator[Advice]:
    # Who keeps 2 for it has answered.
    if s.facts and s.facts.verdict == Verdict.UNKNOWN and s.reads_2_unasked and s.kept.get("l", 1) < _LIKE_NAI:
        yield Advice(
            AdviceId.NAI_UNVERIFIED,
            Severity.CAUTION,
            "Clip skip 2 is for SD 1.x models that descend from NovelAI's. Whether this one does is not known.",
            _why_unknown(s.facts, s.kept.get("l")),
            (_use(s.recommended), _IS_NAI, _IS_NOT_NAI, _SILENCE),
            question=_ask(s.recommended),
        )


def _off_recommended(s: Situation) -> Iterator[Advice]:
    if not s.is_off_recommended or s.is_below_nai:
        return
    text, actions = "This model was made for another clip skip.", (_use(s.recommended), _SILENCE)
    said = Data(s.facts.recommended.text if s.facts and s.facts.recommended else "")
    if s.agreeing:
        disagree = "The sources do not agree on the clip skip of this model."
        reason = Data(" ".join([said, *(statement.text for statement in s.agreeing)]))
        yield Advice(AdviceId.OFF_RECOMMENDED, Severity.HINT, disagree, (reason,), actions)
    elif s.recommended["l"] < _LIKE_NAI <= (s.sd1_skip or 0):
        yield Advice(AdviceId.OFF_RECOMMENDED, Severity.WARNING, text, (said,), actions)
    else:
        yield Advice(AdviceId.OFF_RECOMMENDED, Severity.HINT, text, (said,), actions)


def _off_trained(s: Situation) -> Iterator[Advice]:
    architecture, skips = s.reading.architecture, s.reading.skips
    off = [id for id, skip in skips.items() if skip >= _OFF]
    if architecture.id == "sd1" or not off:
        return
    # Only where 2 is the number that the user sees: the A1111 line's own slider counts as the cards do.
    seen = skips.values() if s.reading.slider is None else [s.reading.slider]
    cards = architecture.id == "sdxl" and 2 in seen
    yield Advice(
        AdviceId.OFF_TRAINED,
        Severity.WARNING,
        "The prompt is read with fewer layers than the model was trained with.",
        (*_layers_of(s.reading, off), *((Data(". "), PAGES_SAY["sdxl"]) if cards else ())),
        (_use(s.recommended), _SILENCE),
        (AdviceId.OTHER_NUMBERING,) if cards else (),
    )


def _past_trained(s: Situation) -> Iterator[Advice]:
    past = [id for id, skip in s.reading.skips.items() if skip < 1]
    if past:
        yield Advice(
            AdviceId.PAST_TRAINED,
            Severity.WARNING,
            "The prompt is read with more layers than the model was trained with.",
            _layers_of(s.reading, past),
            (_use(s.recommended), _SILENCE),
        )


def _nai_below(s: Situation) -> Iterator[Advice]:
    facts = s.facts
    if facts and facts.recommended and s.is_below_nai:
        yield Advice(
            AdviceId.NAI_BELOW,
            Severity.HINT,
            "This model descends from NovelAI's SD 1.x model, which was trained with clip skip 2.",
            (Data(facts.recommended.text),) if facts.recommended.source != LINEAGE else _deciding_fact(facts),
            (_use(s.recommended), _IS_NOT_NAI, _SILENCE),
        )


def _lora_mismatch(s: Situation) -> Iterator[Advice]:
    if s.sd1_skip is None:
        return
    others = {name: skip for name, skip in s.loras.items() if abs(skip - s.sd1_skip) >= _NEAR}
    if others:
        said = Data("; ".join(f"{name}: {number(skip)}" for name, skip in others.items()))
        agreed = set(others.values())
        use = (_use({"l": agreed.pop()}),) if len(agreed) == 1 else ()
        text = "A LoRA in the prompt was trained with another clip skip."
        yield Advice(AdviceId.LORA_MISMATCH, Severity.HINT, text, (said,), (*use, _SILENCE))


def _too_deep(s: Situation) -> Iterator[Advice]:
    deep = [id for id, skip in s.reading.skips.items() if skip > max(_DEEP, s.recommended[id])]
    if deep:
        text = "At so high a clip skip most of the prompt is lost."
        yield Advice(
            AdviceId.TOO_DEEP, Severity.CAUTION, text, _layers_of(s.reading, deep), (_use(s.recommended), _SILENCE)
        )


def _no_effect(s: Situation) -> Iterator[Advice]:
    architecture, slider = s.reading.architecture, s.reading.slider
    # What asks for the trained depth gets it: 1, and the number by which cards call it. Nobody asks for a default.
    quiet = {1.0, s.reading.default, *(float(e.blocks - e.trained_depth + 1) for e in architecture.encoders)}
    # Nobody knows what the WebUI's own number does there; what is asked for here does nothing.
    not_known = architecture.id == "unknown" and slider is not None
    if s.reading.acts or slider in quiet or not_known:
        return
    if not architecture.encoders:
        text, reason = "Clip skip does nothing on this model.", architecture.reason
    else:
        text, reason = "The WebUI's own clip skip does nothing on this model.", "CLIP Skip can: switch it on here."
    yield Advice(AdviceId.NO_EFFECT, Severity.INFO, text, (reason,), (_SILENCE,))


_RULES: tuple[Callable[[Situation], Iterator[Advice]], ...] = (
    _not_nai,
    _nai_unverified,
    _off_recommended,
    _off_trained,
    _past_trained,
    _nai_below,
    _lora_mismatch,
    _too_deep,
    _no_effect,
)


def _deciding_fact(facts: ModelFacts) -> Phrase:
    """Evidence begins with what decides."""
    return (Data(facts.evidence[0].text),) if facts.evidence else ()


def _why_unknown(facts: ModelFacts, kept: float | None) -> Phrase:
    if kept is not None:
        return ("Your preset for this model:", Data(f" {number(kept)}."))
    if facts.error is not None:
        return ("Its file could not be read.",)
    hints = [Data(fact.text) for fact in facts.evidence if fact.verdict != Verdict.UNKNOWN][:1]
    return ("There are only hints:", Data(" "), *hints) if hints else ("Nothing in its file tells.",)


def _layers_of(reading: Reading, encoder_ids: Collection[str]) -> Phrase:
    pieces: list[str] = []
    for encoder in reading.architecture.encoders:
        if encoder.id in encoder_ids:
            name = f"{encoder.name}: " if not pieces else f"; {encoder.name}: "
            pieces += [Data(name), *layers(encoder, reading.skips[encoder.id])]
    return tuple(pieces)


# --- what only a job can tell ----------------------------------------------------------------------------------------


def bad_value(refusal: Refusal) -> Advice:
    text = "A value was refused, and the model is read as it was trained."
    return Advice(AdviceId.BAD_VALUE, Severity.ERROR, text, (Data(f"{refusal}."),))


def bad_tag(refusal: Refusal) -> Advice:
    return Advice(
        AdviceId.BAD_VALUE, Severity.ERROR, "A tag in the prompt was refused, and is ignored.", (Data(f"{refusal}."),)
    )


def not_a_tag(found: Collection[Mistaken]) -> Advice:
    """`found` is what looks like our tags: each with what to write, and where."""
    said: list[Phrase] = [
        (Data(f"{each.written}: "), "write it into the prompt:" if each.negative else "write", Data(f" {each.meant}"))
        for each in found
    ]
    return Advice(AdviceId.NOT_A_TAG, Severity.HINT, "What looks like CLIP Skip's tag does nothing.", join(said, "; "))


def different_tags(first: bool = True) -> Advice:
    """`first` tells whether it is the first one's that counts."""
    text = "The prompts of this batch have different tags, and are all read as one of them says."
    if first:
        text = "The prompts of this batch have different tags, and are all read as the first one's says."
    mend = "Set the batch size to 1 to have each read as its own."
    return Advice(AdviceId.BAD_VALUE, Severity.ERROR, text, (mend,))


def not_applied(encoder_ids: Collection[str], why: str) -> Advice:
    """These encoders were read as trained instead; without any, the host's own clip skip acted."""
    names = ", ".join(ENCODER_NAMES[id] for id in encoder_ids)
    reason = Data(f"{names}: {why}. " if names else f"{why}. ")
    instead = "What failed was read as trained." if names else "The WebUI's own clip skip was used."
    return Advice(AdviceId.NOT_APPLIED, Severity.ERROR, "CLIP Skip was not applied.", (reason, instead))


# Why no skips are compared, where no value is to blame.
ALIKE = "They all read this model alike."
BY_TAG = "The prompt's tag decides."
BY_SCRIPT = "A script makes the images here. Choose none to compare."
NOT_WHOLE = "The last batch is not a whole one."


def not_compared(why: Phrase) -> Advice:
    return Advice(AdviceId.NOT_COMPARED, Severity.ERROR, "No skips were compared.", why)
