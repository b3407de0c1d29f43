"""Text for a terminal. What comes from files is hostile: all of it passes through `plain`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ...text.plain import plain


def fail(message: str) -> int:
    """Say what went wrong, on stderr; the exit code for it."""
    print(f"error: {plain(message)}", file=sys.stderr)
    return 1


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows under their heads, in columns as wide as they need be."""
    lines = [tuple(head), *(tuple(plain(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
