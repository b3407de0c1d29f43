"""Messages to the user: each with a stable id, a severity and one line of text. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .architectures import ENCODER_NAMES
from .request import Refusal


@dataclass(frozen=True)
class Advice:
    """`severity` is one of "error", "warning", "caution", "hint", "info"."""

    id: str
    severity: str
    text: str


def bad_value(refusal: Refusal) -> Advice:
    return Advice("bad-value", "error", f"CLIP Skip: {refusal}. The image was made as trained.")


def not_applied(encoder_ids: Collection[str], why: str) -> Advice:
    names = " and ".join(ENCODER_NAMES[id] for id in encoder_ids) or "the text encoder"
    return Advice("not-applied", "error", f"CLIP Skip was not applied to {names}: {why}.")
