"""Text for a terminal. What comes from files is hostile: all of it passes through `plain`."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TypeAlias

from ...text.plain import plain

# To which each command adds its own parser.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_LEAST_WIDTH = 12  # of a column that is shortened
_CUT = "..."


def prepare() -> None:
    """Let stdout show every name, whatever its encoding: what that can't hold is written as its escape.

    What is said to a stdout or stderr that the caller has closed goes nowhere.
    """
    sys.stdout, sys.stderr = sys.stdout or os.fdopen(_nobody(), "w"), sys.stderr or os.fdopen(_nobody(), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print `text`. Where the reader of a pipe has gone, such as `head`, nothing more is said and the work goes on."""
    try:
        print(text)
    except BrokenPipeError:
        to_nobody()


def finish() -> None:
    """Send what was said on its way."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        to_nobody()


def to_nobody() -> None:
    """Let what is said from now on go nowhere."""
    os.dup2(_nobody(), sys.stdout.fileno())


def _nobody() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def fail(message: str) -> int:
    """Say what went wrong, on stderr; the exit code for it."""
    tell(f"error: {message}")
    return 1


def tell(text: str) -> None:
    """Print a line to stderr. Where its reader has gone, or there is no room, the work goes on without."""
    with suppress(OSError):
        print(plain(text), file=sys.stderr)


def reason(error: Exception) -> str:
    """Why something failed, for the user: the system's words without Python's, below the file's name if it has one."""
    if isinstance(error, OSError) and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows under their heads, in columns as wide as they need be; on a terminal, no wider than that."""
    lines = [tuple(head), *(tuple(plain(cell) for cell in row) for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(head))]
    if sys.stdout.isatty():
        widths = _fitted(widths, shutil.get_terminal_size().columns - 2 * (len(widths) - 1))
    padded = ([_padded(cell, width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """The widths with the widest columns made narrower, so that together they need no more room, where they can."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > _LEAST_WIDTH:
        widths[widths.index(max(widths))] -= 1
    return widths


def _padded(cell: str, width: int) -> str:
    """The cell in as many columns: its beginning and its end, where names and paths differ, if it is too long."""
    tail = len(cell) - width // 2
    if _width(cell) > width:
        shown = cell[: width - width // 2 - len(_CUT)]
        while _width(shown + _CUT + cell[tail:]) > width:  # East Asian signs take two columns
            shown, tail = shown[:-1], tail if shown else tail + 1
        cell = shown + _CUT + cell[tail:]
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
