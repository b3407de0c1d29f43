"""Values that files state, of whatever JSON type: quoted for the user, decoded, and read as a skip."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from ..architectures import ARCHITECTURES, Architecture
from ..skip import in_range, number
from .evidence import SkipStatement

MAX_JSON_CHARACTERS = 8_000_000
_MAX_QUOTED = 80


def quote(value: Any) -> str:
    """`value` for a message: text in quotes, on one line and shortened; a list or an object only by its kind."""
    if isinstance(value, str):
        # Control and direction signs could rewrite a terminal's line.
        text = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * _MAX_QUOTED]).split())
        return f'"{text}"' if len(text) <= _MAX_QUOTED - 2 else f'"{text[: _MAX_QUOTED - 5]}..."'
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) or abs(value) < 10**15 else "a number too large"
    return "a list" if isinstance(value, (list, tuple)) else "an object"


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


def is_sha256(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value) is not None


def architecture_of(architecture_id: str) -> Architecture:
    return ARCHITECTURES.get(architecture_id, ARCHITECTURES["unknown"])


def skip_statement(id: str, source: str, value: Any, architecture_id: str, trained: bool = False) -> SkipStatement:
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
            note = "" if ours == counted else f", counted from the last block: {number(ours)} here"
            return SkipStatement(id, f"{said}{note}.", skip, trained)
    highest = min(encoder.blocks for encoder in architecture.encoders)
    return SkipStatement(id, f"{said}, which is not a number from 1 to {highest}.", {}, trained)
