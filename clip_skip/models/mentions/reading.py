"""The skips that a text names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...text.regex import regex
from . import grammar, negations, tables, vocabulary
from .rules import rule
from .units import MAYBE_MENTION, MENTION, NEW_LINE, SKIP, UNKNOWN, Units, units, units_about


def mentioned_skips(text: str) -> Iterator[float]:
    """Each skip that `text`, as `plain_words` gives it, recommends or leaves to choose, in A1111's counting."""
    text = text.lower()
    read = units_about(text)
    letters = _sure(read.letters)
    for mention in (at for at, letter in enumerate(letters) if letter == MENTION):
        span = read.spans[mention]
        column = tables.below(text, span)
        if column is not None:
            yield from column
            continue
        yield from _beside(text, letters, read, mention)


_NEGATING = {*(vocabulary.NOT, vocabulary.NO, vocabulary.WITHOUT, vocabulary.INSTEAD, vocabulary.OTHER_THAN)}


def has_negation(text: str) -> bool:
    """Whether a word of `text` negates: not, without, instead of, in the languages of cards."""
    return not _NEGATING.isdisjoint(negations.without_undone(units(text.lower()).letters))


_AMONG_SETTINGS = rule(
    "[SETTING MODEL] | ^ OTHER_NUMBER? MAYBE_MENTION : | ^ OTHER_NUMBER? MAYBE_MENTION SKIP $ | USE MAYBE_MENTION"
)


def _sure(letters: str) -> str:
    """`letters` with what may be words for clip skip taken for them where its line speaks of settings."""
    lines = letters.split(NEW_LINE)
    return NEW_LINE.join(
        line.replace(MAYBE_MENTION, MENTION if _AMONG_SETTINGS.search(line) else UNKNOWN) for line in lines
    )


_EXPLAINED, _SO_USE = rule(r"WHAT_IS [JOINING TO]? \Z"), rule(r"MENTION \? USE")
_LEFT = regex(r"\b(?:from|off)\s\Z")
# These count from 0, so that their 1 is A1111's 2. Of a higher number nobody knows which of the two was meant.
_COUNTED_FROM_ZERO = regex(
    r"(?:pipe\w{0,20}(?:\.\w{1,20})?\([^()]{0,400}|(?:diffusers|invoke(?:ai)?|pipeline)\b,?[^.,;\n]{0,40})\Z"
)
_SO_COUNTED = regex(r"\W{0,4}\d\W{1,3}(?:in|for|with)\s(?:diffusers|invoke)")
# "Change clip skip from 1 to 2".
_CHANGED = regex(
    r"\b(?:chang|switch|rais|lower|increas|turn|mov|bump|drag|crank|dial|set)(?:e[ds]?|ed|ing|s)?\s[^.!?\n]{0,30}\Z"
)
_FROM = regex(r"\sfrom\s")
# "Which is better, clip skip 1 or 2?" says nothing; "Why not try clip skip 2?" does.
_ASKED = regex(r"(?:\s?\()?[^.,!?\n(]{0,60}(?:, \w+)?\?(?!\s?(?:a\s?:\s?)?(?:yes|ja|oui|sí|sim|да)\b)")
_EXCUSED = regex(r"\s?(?:because|since)\b")
_SUGGESTED = regex(r"(?:why not|have you|did you (?:set|try|use|remember))[^.!?\n]{0,60}\Z")


def _in_turn(letters: str, skips: Sequence[float]) -> list[float]:
    """The skips of a list; what follows a comma there is one only where it is the next number."""
    listed: list[float] = []
    for at, skip in enumerate(skips):
        if letters[at] == SKIP:
            if listed and letters[at - 1] == "," and abs(skip - listed[-1]) != 1:
                break
            listed.append(skip)
    return listed


def _beside(text: str, letters: str, read: Units, mention: int) -> Iterator[float]:
    before = letters[max(0, mention - 6) : mention]
    start, end = read.spans[mention]
    words_before = text[max(0, start - 450) : start]
    if (_EXPLAINED.search(before) and not _SO_USE.match(letters, mention)) or _LEFT.search(words_before):
        return
    from_zero = _COUNTED_FROM_ZERO.search(words_before) or _SO_COUNTED.match(text, end)
    for first, last in grammar.lists(letters, mention):
        asked = _ASKED.match(text, read.spans[last - 1][1])
        if asked and (_EXCUSED.match(text, asked.end()) or not _SUGGESTED.search(words_before[-80:])):
            continue
        skips = _in_turn(letters[first:last], read.skips[first:last])
        low, high = (0, 3) if vocabulary.TO in letters[first:last] else (-4, 4)
        if not low and _CHANGED.search(words_before) and _FROM.fullmatch(text, end, read.spans[first][0]):
            skips = skips[-1:]
        elif len(skips) == 2 and not low <= skips[1] - skips[0] <= high:
            continue  # the whole scale
        if from_zero:
            skips = [skip + 1 for skip in skips if skip == 1]
        yield from skips
