"""The hidden states that a text encoder of transformers gives, of which its host takes the one that it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


class States(tuple[Any, ...]):
    """All hidden states of one run, which call `taken(state)` for each that is taken out by its place."""

    _taken: Callable[[Any], object]

    def __new__(cls, states: Iterable[Any], taken: Callable[[Any], object] = lambda _: None) -> States:
        # accelerate makes such a tuple again from its items alone, where it moves them to another device.
        self = super().__new__(cls, states)
        self._taken = taken
        return self

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        if isinstance(place, slice):
            return States(found, self._taken)
        self._taken(found)
        return found

    def __reduce__(self) -> Any:
        return tuple, (list(self),)  # a copy is a plain tuple
