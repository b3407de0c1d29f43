"""Values that files state, of whatever JSON type: quoted for the user, decoded, and read as a skip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ....skip.architectures import ARCHITECTURES, Architecture
from ....skip.numbers import in_range, number
from ....text.bounded_json import as_number
from ....text.plain import quote
from ...mentions import mentioned_skips
from .evidence import SkipStatement

# What sample images say together: at least so many of them, and so large a part of them.
_LEAST_IMAGES, _MAJORITY = 3, 0.6


def samples_majority(counts: Mapping[float, int]) -> float | None:
    """The skip that most of a model's sample images were made with, None where they are too few or do not agree.

    `counts` holds how many images were made with which skip.
    """
    total = sum(counts.values())
    skip = max(counts, key=lambda each: counts[each], default=None)
    return skip if skip is not None and total >= _LEAST_IMAGES and counts[skip] >= _MAJORITY * total else None


def architecture_of(architecture_id: str) -> Architecture:
    return ARCHITECTURES.get(architecture_id, ARCHITECTURES["unknown"])


def described(texts: Iterable[tuple[str, str]], architecture_id: str) -> Iterator[SkipStatement]:
    """What the first text that names a skip recommends; `texts` are (whose, its words as `plain_words` gives them).

    Several numbers, together or in several places, are no preference: an empty `skip`. Numbers that are no skip, and
    mentions with a "not" before them, are not taken for a recommendation at all.
    """
    for source, text in texts:
        named = dict.fromkeys(mentioned_skips(text))
        if len(named) == 1:
            yield skip_statement("description", source, next(iter(named)), architecture_id)
        elif named:
            said = " or ".join(number(skip) for skip in sorted(named)[:5])
            yield SkipStatement("description", f"{source} leaves the choice: clip skip {said}.", {})
        if named:
            return


def skip_statement(id: str, source: str, value: object, architecture_id: str, trained: bool = False) -> SkipStatement:
    """The statement that `source` makes with `value` in A1111's number, which counts from the last block.

    On SD 1.x that is the user's number. Elsewhere the trained depth is one block before the last, so 2 is the user's
    1, and so is 1, which the programs that count so raise to 2. A value that is no such number makes a statement that
    names it, with an empty `skip`.
    """
    architecture = architecture_of(architecture_id)
    said = f"{source} says clip skip {quote(value)}"
    if not architecture.encoders:
        return SkipStatement(id, f"{said}, which means nothing here.", {}, trained)
    counted = as_number(value)
    if counted is not None and counted >= 1:
        skip = {e.id: max(1.0, counted - (e.blocks - e.trained_depth)) for e in architecture.encoders}
        if all(in_range(skip[encoder.id], encoder.trained_depth) for encoder in architecture.encoders):
            ours = next(iter(skip.values()))
            note = "" if ours == counted else f", counted from the last layer: {number(ours)} here"
            return SkipStatement(id, f"{said}{note}.", skip, trained)
    highest = min(encoder.blocks for encoder in architecture.encoders)
    return SkipStatement(id, f"{said}, which is not a number from 1 to {highest}.", {}, trained)
