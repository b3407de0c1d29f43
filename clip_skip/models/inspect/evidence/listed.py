"""What public lists of models said of a file's clip skip: its author's card, and its sample images. Known by SHA-256.

The lists are packed into `listed_skips.json` by `docs/listed_skips.py`, which says of each where and when it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ....skip.numbers import number
from .evidence import SkipStatement
from .statements import samples_majority

TABLE = Path(__file__).with_name("listed_skips.json")
# Of a SHA-256, in hexadecimal digits: another file begins with the same ones once in 10^15 look-ups.
PREFIX = 16


class Listed(NamedTuple):
    """What one list said of one file: the skips that its author's card names, and how many sample images had which.

    `source` tells where and when: "Civitai in July 2023". Skips are in the user's number, which on SD 1.x, the only
    architecture that is listed, is also everybody else's.
    """

    source: str
    card: tuple[float, ...]
    samples: Mapping[float, int]


def listed(sha256: str) -> Listed | None:
    """What the lists say of the file with this SHA-256 (64 hexadecimal digits, in either case)."""
    return _table().get(sha256.lower()[:PREFIX]) if len(sha256) == 64 else None


def listed_statements(sha256: str) -> Iterator[SkipStatement]:
    """What the lists say of the file with this SHA-256, as statements; none where they do not know it."""
    found = listed(sha256)
    if found is None:
        return
    if found.card:
        said = " or ".join(number(skip) for skip in found.card)
        text = f"On {found.source} its author recommended clip skip {said}."
        yield SkipStatement("listed-card", text, {"l": found.card[0]} if len(found.card) == 1 else {})
    if found.samples:
        # Sample images choose among the numbers of an author who leaves the choice, and no other.
        skip = samples_majority(found.samples)
        chosen = skip is not None and (len(found.card) < 2 or skip in found.card)
        yield SkipStatement("listed-samples", _samples_text(found), {"l": skip} if chosen and skip is not None else {})


def _samples_text(found: Listed) -> str:
    total = sum(found.samples.values())
    counts = sorted(found.samples.items(), key=lambda item: -item[1])
    (skip, count), *others = counts
    also = "".join(f", {more} with {number(other)}" for other, more in others)
    images = "images were" if total > 1 else "image was"
    return f"{count} of its {total} sample {images} made with clip skip {number(skip)}{also}, on {found.source}."


@lru_cache(maxsize=1)
def _table() -> dict[str, Listed]:
    """Every listed file by the first digits of its SHA-256; of several lists that know one, the last."""
    table: dict[str, Listed] = {}
    for each in json.loads(TABLE.read_text(encoding="utf8"))["lists"]:
        for said, digits in each["files"].items():
            card, samples = said.split("|")
            row = Listed(
                each["source"],
                tuple(map(float, card.split())),
                {float(skip): int(count) for skip, _, count in (part.partition(":") for part in samples.split())},
            )
            table.update((digits[place : place + PREFIX], row) for place in range(0, len(digits), PREFIX))
    return table
