"""A table's column whose heading is the words for clip skip: its numbers stand in the rows below."""

from __future__ import annotations

from ...text.regex import regex
from .rules import rule
from .units import units

_LONGEST_ROW, _MOST_ROWS = 200, 20
_CELL_BEGINS = regex(r"(?:\A|\|)[\s*]*\Z")
_CELL_ENDS = regex(r"[\s*]*(?:\||\Z)")
_NUMBER_BESIDE = regex(r"[\s*]*\|[\s*]*\d")
_RULE = regex(r"[\s|:-]*")
_CELL = rule("SKIP (?:[- _ / , OR &]{1,2} SKIP)*")


def below(text: str, mention: tuple[int, int]) -> list[float] | None:
    """The skips in the cells below `mention`; None where `mention` is no heading of a column."""
    start = text.rfind("\n", max(0, mention[0] - _LONGEST_ROW), mention[0]) + 1
    header, *rows = text[start : start + _MOST_ROWS * _LONGEST_ROW].split("\n")[: _MOST_ROWS + 1]
    before, after = text[start : mention[0]], header[mention[1] - start :]
    if not _CELL_BEGINS.search(before) or not _CELL_ENDS.match(after) or _NUMBER_BESIDE.match(after):
        return None
    column, skips = len(_cells("x" + after)), []
    rows = [row for row in rows if not _RULE.fullmatch(row)]
    for at, row in enumerate(rows):
        cells = _cells(row)
        # An empty cell above the names of the rows is none here.
        if len(cells) < 2 or len(cells) - len(_cells(header)) not in (0, 1):
            if at == 0:
                return None
            break
        cell = units(cells[-column])
        if _CELL.fullmatch(cell.letters, 0, len(cell.letters) - 1):
            skips += [skip for skip in cell.skips if skip]
    return skips if rows else None


def _cells(row: str) -> list[str]:
    return [cell.strip(" *") for cell in row.strip(" |").split("|")]
