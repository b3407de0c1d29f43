"""Advice as HTML: for the panel, and for the badge beside the host's own slider, which the page's script fills."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from ...advice.names import ActionId, AdviceId, Severity
from ...advice.rules import Action, Advice, Question
from ...models.inspect.evidence.evidence import Strength, Verdict
from ...skip.numbers import label
from ...text.phrase import Data, Phrase
from .markup import NOTHING, bullets, joined, messages, pieces

if TYPE_CHECKING:
    from ...models.inspect.facts import ModelFacts

_SEVERITIES = {
    Severity.ERROR: "Error",
    Severity.WARNING: "Warning",
    Severity.CAUTION: "Caution",
    Severity.HINT: "Hint",
    Severity.INFO: "Note",
}
VERDICTS = {
    Verdict.NAI: "It is NovelAI's SD 1.x model.",
    Verdict.NAI_DERIVED: "It descends from NovelAI's SD 1.x model.",
    Verdict.CONTAINS_NAI: "It holds some of NovelAI's SD 1.x model, among others.",
    Verdict.NOT_NAI: "It does not descend from NovelAI's SD 1.x model.",
    Verdict.UNKNOWN: "Nothing tells for sure whether it descends from NovelAI's SD 1.x model.",
}
_STRENGTHS = {
    Strength.CERTAIN: "certain",
    Strength.STRONG: "strong",
    Strength.PROBABLE: "probable",
    Strength.HINT: "only a hint",
}
_UNUSED = "CLIP Skip decides instead of this slider."
PLACES = ("panel", "badge")
# The advice that goes by what is known of the model, its descent and what is said of it.
ON_DESCENT = (AdviceId.NOT_NAI, AdviceId.NAI_UNVERIFIED, AdviceId.OFF_RECOMMENDED, AdviceId.NAI_BELOW)


@dataclass(frozen=True)
class Shown:
    """One message and the `PLACES` where it is shown.

    `ours` tells whether the panel decides. Where the host's own slider does, `sliders` has the number there that does
    what each action would use, where there is one.
    """

    advice: Advice
    places: Collection[str]
    ours: bool
    sliders: Mapping[ActionId, float] = field(default_factory=dict)

    def can(self, action: Action) -> bool:
        return self.ours or not action.skip or action.id in self.sliders


def render(shown: Sequence[Shown], facts: ModelFacts | None, used: Mapping[str, float] | None = None) -> Markup:
    """The HTML of all messages; empty where there is nothing to say. `facts` are what "Why?" opens.

    `used` are the skips where the host's own slider does not decide: the badge beside it says that alone.
    """
    items = [_item(each, facts) for each in shown]
    if used:
        unused = Markup('<div class="clip-skip-item" data-badge data-severity="info">{}</div>')
        items.append(unused.format(_sentence(("off: CLIP Skip uses", Data(f" {label(used)}")), _UNUSED)))
    return messages(items)


def _item(shown: Shown, facts: ModelFacts | None) -> Markup:
    advice = shown.advice
    item = Markup('<div class="clip-skip-item" {} data-advice="{}" data-severity="{}">{}{}</div>')
    marks = {"asks": advice.question is not None, "numbering": AdviceId.OTHER_NUMBERING in advice.also}
    return item.format(
        " ".join(f"data-{each}" for each in [*shown.places, *(mark for mark, holds in marks.items() if holds)]),
        advice.id,
        advice.severity,
        _sentence((_SEVERITIES[advice.severity],), advice.question.text if advice.question else advice.text),
        _asked(shown, advice.question, facts) if advice.question else _told(shown, facts),
    )


def _told(shown: Shown, facts: ModelFacts | None) -> Markup:
    advice = shown.advice
    why = NOTHING
    if advice.id in ON_DESCENT and facts is not None:
        why = _why(_paragraph((VERDICTS[facts.verdict],)), facts)
    return _paragraph(advice.reason) + _row(shown, advice.actions) + why


def _asked(shown: Shown, question: Question, facts: ModelFacts | None) -> Markup:
    """The answers; what is behind the question, and what else can be done, is for who asks why."""
    advice = shown.advice
    others = [action for action in advice.actions if action.id != ActionId.USE]  # which is one of the answers
    behind = _paragraph((advice.text, Data(" "), *advice.reason))
    return _row(shown, question.answers) + _why(behind, facts, _row(shown, others))


def _sentence(head: Phrase, text: str) -> Markup:
    """The head is also what the badge says."""
    return Markup("<p><b>{}</b> {}</p>").format(pieces(head), pieces((text,)))


def done(phrase: Phrase, undo: str = "", slider: float | None = None) -> Markup:
    """How what was pressed ended; `undo` is what the panel is asked for that would take it back.

    `slider` is the number to which that moves the host's own slider, None for none.
    """
    more = _button({"undo": undo}, ("Undo",), slider) if undo else NOTHING
    return Markup('<p class="clip-skip-words clip-skip-done">{} {}</p>').format(pieces(phrase), more)


def compared(skips: Sequence[tuple[str, Mapping[str, object]]]) -> Markup:
    """Buttons that take one of the skips that are compared: for now, or for this model.

    Each skip has its label, and what the panel is asked for that takes it.
    """
    button = Markup('<button type="button" translate="no" data-clip-skip-act="{}">{}</button>')
    parts: list[Markup] = []
    for words, save in (("Use", False), ("Save for this model", True)):
        buttons = [button.format(json.dumps({"take": {**take, "save": save}}), text) for text, take in skips]
        parts.append(Markup("<span>{}{}</span>").format(pieces((words,)), joined(buttons)))
    return Markup('<p class="clip-skip-words clip-skip-done clip-skip-compared">{}</p>').format(joined(parts))


def _paragraph(phrase: Phrase) -> Markup:
    return Markup("<p>{}</p>").format(pieces(phrase)) if phrase else NOTHING


def _row(shown: Shown, actions: Sequence[Action]) -> Markup:
    buttons = [
        _button({"advice": shown.advice.id, "action": action.id}, action.label, shown.sliders.get(action.id))
        for action in actions
        if shown.can(action)
    ]
    return Markup('<div class="clip-skip-actions">{}</div>').format(joined(buttons)) if buttons else NOTHING


def _button(asked: Mapping[str, str], label: Phrase, slider: float | None) -> Markup:
    """What a press asks of the panel, and the number to which it moves the host's own slider, None for none."""
    moves = Markup(' data-clip-skip-slider="{:g}"').format(slider) if slider is not None else NOTHING
    button = Markup('<button type="button" data-clip-skip-act="{}"{}>{}</button>')
    return button.format(json.dumps(asked), moves, pieces(label))


def _why(first: Markup, facts: ModelFacts | None, last: Markup = NOTHING) -> Markup:
    details = Markup("<details><summary>{}</summary>{}{}{}</details>")
    return details.format(pieces(("Why?",)), first, bullets(reasons(facts) if facts else ()), last)


def reasons(facts: ModelFacts) -> Iterator[Phrase]:
    """What is known of a model's descent, and what was said of its skip: a phrase for each fact."""
    if facts.error is not None:
        yield ("Its file could not be read:", Data(f" {facts.error}"))
    for fact in facts.evidence:
        if fact.verdict == Verdict.UNKNOWN:  # why something could not be told, which is worth nothing
            yield (Data(fact.text),)
        else:
            yield Data(f"{fact.text} ("), _STRENGTHS[fact.strength], Data(")")
    for statement in facts.statements:
        yield (Data(statement.text),)
