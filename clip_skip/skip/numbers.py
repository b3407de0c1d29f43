"""The number: skip -> depth -> weights of the two neighbouring depths, and the words for it. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..text.bounded_json import as_number
from ..text.phrase import Data, Phrase
from .architectures import Encoder


def depth_of(skip: float, trained_depth: int) -> float:
    """How many blocks have run where `skip` reads; 1 is the trained depth."""
    return trained_depth + 1 - skip


def in_range(skip: float, trained_depth: int) -> bool:
    """Whether `skip` reads a depth from 1 to the trained one."""
    return 1 <= skip <= trained_depth


def depth_weights(skip: float, trained_depth: int) -> tuple[tuple[int, float], ...]:
    """The whole depths that `skip` blends, deeper first, each with its weight.

    One pair for a whole skip, two for a fractional one; the weights sum to 1. Raises ValueError out of range.
    """
    if not in_range(skip, trained_depth):
        raise ValueError(f"skip {skip} is not from 1 to {trained_depth}")
    whole = math.floor(skip)
    fraction = skip - whole
    depth = trained_depth + 1 - whole
    if not fraction:
        return ((depth, 1.0),)
    return ((depth, 1 - fraction), (depth - 1, fraction))


def counted(value: object) -> float | None:
    """The number that a program wrote, in A1111's counting: ComfyUI and Civitai call its 2 also -2. None for others."""
    number = as_number(value)
    return None if number is None else abs(number)


def number(value: float) -> str:
    """The shortest text that reads back as `value`: "2", "1.5"."""
    return str(int(value)) if value == int(value) else repr(float(value))


def label(skips: Mapping[str, float]) -> str:
    """The skips of a model's encoders in short: "1.5" where all have the same, else "1 / 2"."""
    return " / ".join(dict.fromkeys(map(number, skips.values())))


def layers(encoder: Encoder, skip: float) -> Phrase:
    """What `skip` does on `encoder`: "layers left out: 0.5 of 11", "as trained", "layers too many: 1" below 1."""
    if skip == 1:
        return ("as trained",)
    count = number(round(abs(skip - 1), 4))
    if skip < 1:
        return "layers too many:", Data(f" {count}")
    return "layers left out:", Data(f" {count} "), "of", Data(f" {encoder.trained_depth}")
