"""A table's column whose heading is the words for clip skip: its number stands in the row below."""

from __future__ import annotations

import re

from .numbers import CELL

_LONGEST_ROW = 200  # in signs
_CELL_BEGINS = re.compile(r"(?:\A|\|)[\s*]*\Z")
_CELL_ENDS = re.compile(r"[\s*]*(?:\||\Z)")
_NUMBER_BESIDE = re.compile(r"[\s*]*\|\s*\d")
_RULE = re.compile(r"[\s|:-]*")


def below(text: str, mention: re.Match[str]) -> str | None:
    """The numbers in the cell below `mention`, "" for none; None where `mention` is no heading of a column."""
    start = text.rfind("\n", max(0, mention.start() - _LONGEST_ROW), mention.start()) + 1
    header, *rows = text[start : start + 3 * _LONGEST_ROW].split("\n")[:3]
    before, after = text[start : mention.start()], header[mention.end() - start :]
    if not _CELL_BEGINS.search(before) or not _CELL_ENDS.match(after) or _NUMBER_BESIDE.match(after):
        return None
    row = next((row for row in rows if not _RULE.fullmatch(row)), "")
    cells = _cells(row)
    if len(cells) < 2 or len(cells) != len(_cells(header)):
        return None
    cell = cells[len(_cells(before + "x")) - 1]
    return cell if CELL.fullmatch(cell) else ""


def _cells(row: str) -> list[str]:
    return [cell.strip(" *") for cell in row.strip(" |").split("|")]
