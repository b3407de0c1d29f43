"""Text from outside made safe to show: without signs that hide, turn the direction, or act on a terminal or a page."""

from __future__ import annotations

_MAX_QUOTED = 80


def plain(value: str, longest: int | None = None) -> str:
    """`value` on one line, with a blank for each sign that can't be printed, such as one that is no Unicode.

    With `longest`, also shortened to so many signs: runs of blanks become one, and three dots tell what was cut off.
    """
    shown = value if longest is None else value[: 4 * longest]
    shown = "".join(sign if sign.isprintable() else " " for sign in shown)
    if longest is None:
        return shown
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."


def quote(value: object) -> str:
    """`value` for a message: text in quotes, on one line and shortened; a list or an object only by its kind."""
    if isinstance(value, str):
        return f'"{plain(value, _MAX_QUOTED - 2)}"'
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) or abs(value) < 10**15 else "a number too large"
    return "a list" if isinstance(value, (list, tuple)) else "an object"
