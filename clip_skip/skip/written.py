"""Several skips written in one text: `1, 1.5, 2`, `1-3 (+0.5)`, or `1/2` for one encoder after the other."""

from __future__ import annotations

from ..text.regex import regex
from .architectures import Architecture
from .parameters import Refusal, refusal
from .ranges import numbers

# With those of Chinese and Japanese keyboards.
_BETWEEN = regex("[,;\u3001\uff0c\uff1b]")


def read(text: str, architecture: Architecture) -> tuple[list[dict[str, object]], tuple[Refusal, ...]]:
    """The options that each skip in `text` stands for on this architecture, in their order, and what was refused."""
    ids = [encoder.id for encoder in architecture.encoders]
    names = " / ".join(encoder.name for encoder in architecture.encoders)
    found: list[dict[str, object]] = []
    for item in filter(None, map(str.strip, _BETWEEN.split(text))):
        parts = [part.strip() for part in item.split("/")]
        if len(parts) == 1:
            found += ({"skip": number} for number in numbers(item))
        elif len(parts) == len(ids):
            found.append(dict(zip(ids, parts, strict=True)))
        else:
            return [], (refusal("skip", item, f"one number, or one for each of {names}"),)
    return found, ()
