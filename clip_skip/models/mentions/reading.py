"""The skips that a text names.

Read by three rules. The words for clip skip are followed, or preceded, by a number with nothing but joining words and
signs between; a list of numbers counts whole ("1, 2", "1-3"); and a number that is negated counts as not named. Where
the words leave doubt nothing is read: a number that nobody said is worse than one missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from . import negations, numbers, tables, words

_MAX_MENTIONS = 300
_REACH = 60  # signs to either side of the words that are looked at


def mentioned_skips(text: str) -> Iterator[float]:
    """Each skip that `text`, as `plain_words` gives it, recommends or leaves to choose, in A1111's counting."""
    for mention in islice(words.MENTION.finditer(text), _MAX_MENTIONS):
        column = tables.below(text, mention)
        yield from _beside(text, mention) if column is None else numbers.skips(column)


def _beside(text: str, mention: re.Match[str]) -> Iterator[float]:
    before = text[max(0, mention.start() - _REACH) : mention.start()]
    if words.EXPLAINED.search(before):
        return
    listed, end = _after(text, mention.end()) or _before(before, text, mention.end())
    coupled = bool(words.COUPLED.search(before))
    negated = negations.is_negated(before)
    while listed:
        if not (negated or negations.takes_back(before, text, end)):
            yield from list(numbers.skips(listed))[-1 if coupled else 0 :]
        further = numbers.FURTHER.match(text, end, end + _REACH)
        if further is None or words.MENTION.search(text, end, further.end()):
            return
        listed, end, negated = further[further.lastgroup or 0], further.end(), False


def _after(text: str, start: int) -> tuple[str, int] | None:
    """The numbers that follow the words which end at `start`, and where those end; None where none follow."""
    match = numbers.AFTER.match(text, start, start + 3 * _REACH)
    if match is None:
        return None
    between = text[start : match.start("numbers")]
    if words.SENTENCE_END.search(between) or between.count("\n") > 1:
        return None
    if "\n" in between and match["marker"]:  # the next item of a numbered list
        return None
    return match["numbers"], match.end("numbers")


def _before(before: str, text: str, end: int) -> tuple[str, int]:
    """The numbers that stand `before` the words which end at `end` of `text`, "" where none do."""
    match = numbers.BEFORE.search(before)
    if (
        match is None
        or re.match(r"\s?[:=]", text[end : end + 2])
        or negations.is_negated(before[: match.start("numbers")])
    ):
        return "", end
    return match["numbers"], end
