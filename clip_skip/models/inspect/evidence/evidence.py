"""Facts read about a model, and the words for how much each is worth."""

from __future__ import annotations

from dataclasses import dataclass

from ....text.names import Name


class Verdict(Name):
    """A model's descent from NovelAI's SD 1.x model."""

    NAI = "nai"
    NAI_DERIVED = "nai-derived"
    CONTAINS_NAI = "contains-nai"
    NOT_NAI = "not-nai"
    UNKNOWN = "unknown"


class Strength(Name):
    """How much one fact is worth, from what settles the question to what never does."""

    CERTAIN = "certain"
    STRONG = "strong"
    PROBABLE = "probable"
    HINT = "hint"

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Strength).index(self)


CERTAIN, STRONG, PROBABLE, HINT = Strength.CERTAIN, Strength.STRONG, Strength.PROBABLE, Strength.HINT
# The verdicts on NovelAI's model itself and what is made from it alone: what it was trained with suits these.
DESCENDANTS = (Verdict.NAI, Verdict.NAI_DERIVED)


@dataclass(frozen=True)
class Evidence:
    """One fact that bears on a model's lineage.

    `text` is one sentence with the fact, for the user; it may quote hostile text and is never HTML. `verdict` is what
    the fact says when nothing stronger speaks, "unknown" if it says only why something could not be told.
    """

    id: str
    strength: Strength
    text: str
    verdict: Verdict = Verdict.UNKNOWN


@dataclass(frozen=True)
class SkipStatement:
    """One source's word on the skip that a model was trained with, or that its author recommends.

    `skip` is in the user's number (1 = the trained depth), per encoder id; empty where the source says that it has no
    preference ("1 or 2"), or where its number means nothing on this architecture. `trained` tells what the model was
    trained with from what somebody recommends.
    """

    id: str
    text: str
    skip: dict[str, float]
    trained: bool = False

    @property
    def leaves_choice(self) -> bool:
        """Whether a person who was asked for the skip to use names several ("1 or 2")."""
        return not self.skip and self.id in ("known-author", "description", "listed-card")
