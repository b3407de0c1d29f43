"""JSON and numbers from outside, read within bounds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

MAX_JSON_CHARACTERS = 8_000_000
MAX_COMMAS = 1_000_000  # in one text; bounds its values, each of which takes some 200 bytes in memory
MAX_ENCODED = 3  # times that a value is encoded: some programs do it twice
MAX_DIGITS = 1000  # of one whole number: before 3.10.7 Python takes quadratic time over them


def load(
    text: str | bytes,
    pairs_hook: Callable[[list[tuple[str, object]]], object] | None = None,
    longest: int | None = MAX_JSON_CHARACTERS,
) -> Any:
    """The value that the JSON `text` is; whole numbers are ints. `pairs_hook` as json's `object_pairs_hook`.

    Raises ValueError where it is no JSON, or too much to read: longer than `longest` (None: whoever calls has bounded
    it), with too many values, a number too long, or nested too deeply.
    """
    if longest is not None and len(text) > longest:
        raise ValueError(f"it is longer than {longest} characters")
    commas = text.count(b",") if isinstance(text, bytes) else text.count(",")
    if commas > MAX_COMMAS:
        raise ValueError(f"it has more than {MAX_COMMAS} values")
    if isinstance(text, str):
        text = text.removeprefix("\ufeff")
    try:
        return json.loads(text, parse_int=_whole, object_pairs_hook=pairs_hook)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number in it has more than {MAX_DIGITS} digits")
    return int(digits)


def decode(value: object) -> object:
    """`value`, decoded where it is JSON text, up to `MAX_ENCODED` times where that gives JSON text again.

    None where it is no JSON, is encoded more often, or is more than `load` reads.
    """
    for _ in range(MAX_ENCODED):
        if not isinstance(value, str):
            break
        try:
            value = load(value)
        except ValueError:
            return None
    return None if isinstance(value, str) else value


def decode_object(value: object) -> dict[str, object]:
    """As `decode`; an empty object where `value` is none."""
    decoded = decode(value)
    return decoded if isinstance(decoded, dict) else {}


def as_number(value: object) -> float | None:
    """`value`, a number or the text of one, where it is finite."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, str))
        or (isinstance(value, str) and (len(value) > 40 or "_" in value))  # to Python, "1_0" is 10
    ):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None
