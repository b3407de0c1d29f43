"""The table of parameters: what each is called where, and what it accepts."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ..text.bounded_json import as_number
from .architectures import DEEPEST_SKIP, ENCODER_IDS, ENCODER_NAMES
from .numbers import number

MODES = ("auto", "manual")


BLENDS = ("linear", "slerp")


# What an axis of a grid takes beside numbers: what each stands for is the model's.
WORDS = ("trained", "recommended", "preset", "auto")


@dataclass(frozen=True)
class Parameter:
    """One option: its name in the API, its words in the panel, its infotext key, its axis in a grid, what it accepts.

    A parameter with `choices` takes one of these words; any other takes a number from 1 to `maximum`.
    """

    name: str
    label: str
    help: str
    axis: str
    infotext: str | None = None
    choices: tuple[str, ...] = ()
    maximum: int = 0

    @property
    def accepted(self) -> str:
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        return f"a number from 1 to {self.maximum}"

    def accept(self, value: object, words: Collection[str] = ()) -> Any:
        """`value` as this parameter holds it, or one of `words`. Raises ValueError where it is not accepted."""
        if isinstance(value, str) and value.strip().lower() in words:
            return value.strip().lower()
        if self.choices:
            word = value.strip().lower() if isinstance(value, str) else value
            if word not in self.choices:
                raise ValueError
            return word
        skip = as_number(value)
        if skip is None or not 1 <= skip <= self.maximum:
            raise ValueError
        return skip


PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "mode",
            "Mode",
            "Auto reads each encoder where the model was made to be read; Manual takes the numbers below.",
            axis="[CLIP Skip] Mode",
            infotext="CLIP skip mode",
            choices=MODES,
        ),
        Parameter(
            "skip",
            "All encoders",
            "1 is where the model was trained to read; 2 leaves one layer out.",
            axis="[CLIP Skip] All encoders",
            maximum=max(DEEPEST_SKIP.values()),
        ),
        *(
            Parameter(
                id,
                ENCODER_NAMES[id],
                f"Skip of {ENCODER_NAMES[id]} alone; wins over the number for all encoders.",
                axis=f"[CLIP Skip] {id.upper()}",
                infotext=f"CLIP skip {id.upper()}",
                maximum=DEEPEST_SKIP[id],
            )
            for id in ENCODER_IDS
        ),
        Parameter(
            "blend",
            "Blend",
            "How a fractional skip mixes the two neighbouring layers.",
            axis="[CLIP Skip] Blend",
            infotext="CLIP skip blend",
            choices=BLENDS,
        ),
    )
}


@dataclass(frozen=True)
class Refusal:
    """A value that was not taken, and what would have been."""

    name: str
    value: str
    accepted: str

    def __str__(self) -> str:
        return f"{self.name} {self.value} was refused, accepted is {self.accepted}"


def refusal(name: str, value: object, accepted: str) -> Refusal:
    """The refusal of `value`, however long that is."""
    text = number(value) if isinstance(value, float) and math.isfinite(value) else str(value)
    return Refusal(name, text if len(text) <= 60 else f"{text[:57]}...", accepted)
