"""Ranges of numbers, as the WebUIs' grids have them in their texts."""

from __future__ import annotations

from ..text.regex import regex

# 1-3, 1-2 (+0.5), 3-1 (-0.5), 1-3 [5] as the A1111 line has ranges, 1-3:5 as SD.Next has them.
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_RANGE = regex(rf"{_NUMBER}\s*-\s*{_NUMBER}\s*(?:\(\s*([+-]?{_NUMBER})\s*\)|\[\s*(\d+)\s*\]|:(\d+))?")
_LONGEST = 1000


def numbers(value: object) -> list[object]:
    """The numbers of a range such as `1-2 (+0.5)` in its place; what is none stays as it is."""
    found = _RANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return [value]
    start, end = float(found[1]), float(found[2])
    if count := found[5] or found[6]:
        pieces = max(int(count) - 1, 1)
        step = (end - start) / pieces
    else:
        step = float(found[3] or (1 if end >= start else -1))
        pieces = int((end - start) / step + 1e-9) if step else 0
    if not 0 <= pieces < _LONGEST:
        return [value]
    return [round(start + step * place, 8) for place in range(pieces + 1)]
