"""Advice as HTML: for the panel, and for the badge beside the host's own slider, which the page's script fills."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...advice.names import ActionId, AdviceId, Severity
from ...advice.rules import Action, Advice
from ...models.inspect.evidence.evidence import Strength, Verdict
from ...text.phrase import Data, Phrase
from .markup import pieces

if TYPE_CHECKING:
    from ...models.inspect.facts import ModelFacts

_SEVERITIES = {
    Severity.ERROR: "Error",
    Severity.WARNING: "Warning",
    Severity.CAUTION: "Caution",
    Severity.HINT: "Hint",
    Severity.INFO: "Note",
}
_VERDICTS = {
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
# The advice that judges the model's descent.
ON_DESCENT = (AdviceId.NOT_NAI, AdviceId.NAI_UNVERIFIED, AdviceId.NAI_BELOW)


@dataclass(frozen=True)
class Shown:
    """One message and the `PLACES` where it is shown.

    `ours` tells whether the panel decides. Where the host's own slider does, `slider` is the number there that does
    what the advice would use, None if there is none.
    """

    advice: Advice
    places: Collection[str]
    ours: bool
    slider: float | None = None

    def can(self, action: Action) -> bool:
        return self.ours or action.id != ActionId.USE or self.slider is not None


def render(shown: Sequence[Shown], facts: ModelFacts | None, slider_unused: bool) -> str:
    """The HTML of all messages; empty where there is nothing to say. `facts` are what "Why?" opens.

    `slider_unused` adds, for the badge alone, that the host's own slider does not decide.
    """
    items = [_item(each, facts) for each in shown]
    if slider_unused:
        items.append(
            f'<div class="clip-skip-item" data-badge data-severity="info">{_sentence("Not used", _UNUSED)}</div>'
        )
    return f'<div class="clip-skip-advice">{"".join(items)}</div>' if items else ""


def _item(shown: Shown, facts: ModelFacts | None) -> str:
    advice = shown.advice
    where = " ".join(f"data-{place}" for place in shown.places)
    why = _why(facts) if advice.id in ON_DESCENT and facts is not None else ""
    buttons = "".join(_button(advice, action, shown.slider) for action in advice.actions if shown.can(action))
    return (
        f'<div class="clip-skip-item" {where} data-advice="{html.escape(advice.id)}"'
        f' data-severity="{html.escape(advice.severity)}">'
        f"{_sentence(_SEVERITIES[advice.severity], advice.text)}"
        f"{_paragraph(advice.reason)}{_row(buttons)}{why}</div>"
    )


def _sentence(head: str, text: str) -> str:
    """The head is also what the badge says."""
    return f"<p><b>{pieces((head,))}</b> {pieces((text,))}</p>"


def _paragraph(phrase: Phrase) -> str:
    return f"<p>{pieces(phrase)}</p>" if phrase else ""


def _row(buttons: str) -> str:
    return f'<div class="clip-skip-actions">{buttons}</div>' if buttons else ""


def _button(advice: Advice, action: Action, slider: float | None) -> str:
    asked = html.escape(json.dumps({"advice": advice.id, "action": action.id}))
    moves = "" if slider is None or action.id != ActionId.USE else f' data-clip-skip-slider="{slider:g}"'
    return f'<button type="button" data-clip-skip-act="{asked}"{moves}>{pieces(action.label)}</button>'


def _why(facts: ModelFacts) -> str:
    lines = [f"<li>{pieces(phrase)}</li>" for phrase in _reasons(facts)]
    return (
        f"<details><summary>{pieces(('Why?',))}</summary>"
        f"{_paragraph((_VERDICTS[facts.verdict],))}<ul>{''.join(lines)}</ul></details>"
    )


def _reasons(facts: ModelFacts) -> Iterator[Phrase]:
    if facts.error is not None:
        yield ("Its file could not be read:", Data(f" {facts.error}"))
    for fact in facts.evidence:
        yield Data(f"{fact.text} ("), _STRENGTHS[fact.strength], Data(")")
    for statement in facts.statements:
        yield (Data(statement.text),)
