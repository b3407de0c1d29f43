"""Words for the user in pieces, so that a page can be translated: what is said, and what it is said of."""

from __future__ import annotations


class Data(str):
    """A piece that is not translated: a number, a name, a fact from a file, the signs and spaces between the words."""

    __slots__ = ()


# The pieces one after the other, with nothing between them; each that is no `Data` is translated as a whole.
Phrase = tuple[str, ...]


def english(phrase: Phrase) -> str:
    """The phrase as it reads in English."""
    return "".join(phrase)
