"""JSON and numbers from outside, read within bounds."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_JSON_CHARACTERS = 8_000_000


def decode(value: Any, times: int = 3) -> Any:
    """`value`, decoded where it is JSON text, again where that gives JSON text (some programs encode twice).

    None where it is no JSON. Whole numbers come as floats: Python's own reading of a very long one takes minutes.
    """
    while isinstance(value, str):
        if times == 0 or len(value) > MAX_JSON_CHARACTERS:
            return None
        try:
            value = json.loads(value, parse_int=float)
        except (ValueError, RecursionError):
            return None
        times -= 1
    return value


def decode_object(value: Any) -> dict[str, Any]:
    """As `decode`; an empty object where `value` is none."""
    decoded = decode(value)
    return decoded if isinstance(decoded, dict) else {}


def as_number(value: Any) -> float | None:
    """`value`, a number or the text of one, where it is finite."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, str))
        or (isinstance(value, str) and len(value) > 40)
    ):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None
