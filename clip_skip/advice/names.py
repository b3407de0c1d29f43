"""The names of advice: how much it matters, what it is about, and what a click on it does."""

from __future__ import annotations

from ..text.names import Name


class Severity(Name):
    """How much advice matters, from what must not be missed to what is only good to know."""

    ERROR = "error"
    WARNING = "warning"
    CAUTION = "caution"
    HINT = "hint"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


class AdviceId(Name):
    """What is said. Saved presets and people's scripts have these."""

    NOT_NAI = "not-nai"
    NAI_UNVERIFIED = "nai-unverified"
    OFF_RECOMMENDED = "off-recommended"
    OFF_TRAINED = "off-trained"
    OTHER_NUMBERING = "other-numbering"
    PAST_TRAINED = "past-trained"
    NAI_BELOW = "nai-below"
    LORA_MISMATCH = "lora-mismatch"
    TOO_DEEP = "too-deep"
    NO_EFFECT = "no-effect"
    NOT_APPLIED = "not-applied"
    BAD_VALUE = "bad-value"
    NOT_A_TAG = "not-a-tag"
    NOT_COMPARED = "not-compared"


class ActionId(Name):
    """What a click does: use a skip, mark the model's descent, say no more of this, or answer what is asked.

    An answer uses a skip, too; yes and no are also kept for the model.
    """

    USE = "use"
    NAI_DERIVED = "nai-derived"
    NOT_NAI = "not-nai"
    SILENCE = "silence"
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
