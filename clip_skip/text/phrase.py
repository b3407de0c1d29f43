"""Words for the user in pieces, so that a page can be translated: what is said, and what it is said of."""

from __future__ import annotations

from collections.abc import Iterable


class Data(str):
    """A piece that is not translated: a number, a name, a fact from a file, the signs and spaces between the words."""

    __slots__ = ()


# The pieces one after the other, with nothing between them; each that is no `Data` is translated as a whole.
Phrase = tuple[str, ...]


def english(phrase: Phrase) -> str:
    """The phrase as it reads in English."""
    return "".join(phrase)


def join(phrases: Iterable[Phrase], between: str = ", ") -> Phrase:
    """All of them as one phrase."""
    joined: list[str] = []
    for phrase in phrases:
        joined += [*([Data(between)] if joined else []), *phrase]
    return tuple(joined)


class Problem(ValueError):
    """What is wrong with a value, in words for the user."""

    def __init__(self, *phrase: str) -> None:
        super().__init__(english(phrase))
        self.phrase: Phrase = phrase


def said(error: Exception) -> Phrase:
    """What an error says to the user."""
    return error.phrase if isinstance(error, Problem) else (Data(str(error)),)
