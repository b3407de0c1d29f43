"""Text from outside made safe to show: on one line, shortened, with no sign that hides or turns the direction."""

from __future__ import annotations

from typing import Any

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
