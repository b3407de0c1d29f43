"""Closed sets of names that files, the API and people's scripts have as text."""

from __future__ import annotations

from enum import Enum


class Name(str, Enum):
    """A member is equal to its text, and is that text wherever it is printed, formatted or written as JSON."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)
