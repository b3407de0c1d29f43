"""A text in units: the words for clip skip, numbers, signs, and words by the part that they play (`vocabulary`).

Each unit is one letter, so that a rule is a pattern of letters (`rules`). A word's is its part's; a number that
may be a skip is "d", any other with what makes it one of another thing "D". A sign is its own letter, but ":" stands
for "=" too, "-" for all dashes, "_" for one with blanks around it, "/" for "\\" and a bar before a number, "|" for a
slash with blanks around it, "@" for arrows, "(" and ")" for square brackets, "X" for crosses, "L" for a new line. What
says nothing (quotes, asterisks, emoji) is no unit.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from ...text.regex import regex
from . import patterns, vocabulary

HIGHEST_SKIP = 12  # CLIP-L's, of SD 1.x: on nothing else is a text asked

MENTION, MAYBE_MENTION, SKIP, OTHER_NUMBER, NEW_LINE, END, UNKNOWN, UNSPACED = "M", "w", "d", "D", "L", ".", "x", "y"

_PART = {
    unicodedata.normalize("NFKC", word): part for part in reversed(vocabulary.PARTS) for word in vocabulary.words(part)
}
# In these scripts nothing parts a word from the next.
_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"


def _any_of(words: Iterator[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


@functools.cache
def _unit() -> re.Pattern[str]:
    """Any unit. Compiled for the first text, so that no WebUI starts the later for it."""
    phrases = _any_of(word for word in _PART if not re.search(f"[{_UNSPACED}]", word) and re.search(r"[^\w*]", word))
    unspaced = _any_of(word for word in _PART if re.search(f"[{_UNSPACED}]", word))
    return re.compile(
        rf"(?P<mention>{patterns.CLIP_SKIP})|(?P<maybe>{patterns.MAYBE_CLIP_SKIP})"
        rf"|(?P<between>\.\.+|…|(?<![a-z])(?:no|nr)\.(?=\s?\d))"
        rf"|(?P<phrase>(?<!\w)(?:{phrases})(?!\w))"
        rf"|(?P<other>{patterns.OTHER_NUMBER})|(?P<number>{patterns.NUMBER})"
        rf"|(?P<unspaced>{unspaced})|(?P<unknown>[{_UNSPACED}])"
        rf"|(?P<elided>(?<!\w)(?:qu|[cdlnjms])['’](?=\w\w))|(?P<word>[^\W\d_{_UNSPACED}]+(?:['’][^\W\d_]+)?)"
        r"|(?P<end>[.!。]+(?=\s|\Z)|[。!])|(?P<apart>(?<=\s)[-–—~〜](?=\s))|(?P<glued>\|(?=\d))|(?P<bar>(?<=\s)/(?=\s))"
        r"|(?P<sign>->|=>|→|➡|[-–—~〜/\\,、;:=>()?&+|\n❌✖✗🚫⛔👎]|(?<=\d)\s?<(?=\s[\dcs])|\[ \]|[\[\]])",
    )


_LETTERS = {
    **{"mention": MENTION, "maybe": MAYBE_MENTION, "other": OTHER_NUMBER, "unknown": UNSPACED},
    **{"end": END, "between": "-", "apart": "_", "glued": "/", "bar": "|"},
}
_SIGNS = {
    **dict.fromkeys(["=", ":"], ":"),
    **dict.fromkeys(["->", "=>", "→", "➡"], "@"),
    **dict.fromkeys("-–—~〜", "-"),
    **dict.fromkeys("/\\", "/"),
    **dict.fromkeys(",、", ","),
    **{"[": "(", "]": ")"},
    **dict.fromkeys([*"❌✖✗🚫⛔👎", "[ ]"], "X"),
    **dict.fromkeys(["<", " <"], "<"),
    "\n": NEW_LINE,
}
_NAME_SAID, _COUNTS_NOTHING = regex(patterns.NAME_SAID), regex(patterns.COUNTS_NOTHING)
_NOT = regex(
    r"(?:do|does|did|is|are|was|were|should|must|can?|could|would|wo|have|has|need)n['’]?ts?|ain['’]t|can['’]t"
    r"|[a-zçğıöşü]{4,20}m(?:[ae]z|[ae]d[ıi]|[ıiuü]yor)(?:la|le)?r?"  # Turkish verbs
)
# What plays its part after a number, and elsewhere joins.
_PARTING = frozenset({"a", "e", "i", "o", "u", "y", "do", "of the", "of my", "of our", "of all", "of these", "of them"})
_BEFORE_TOO = frozenset({"e", "i", "y"})
_AFTER_NUMBER = regex(r"(?<=[\d)])\s?\Z")
_BEFORE_NUMBER = regex(r"\s?\d")
# "1) VAE 2) sampler", but not "(clip skip 2)".
_ITEM = regex(r"\)\s[^\W\d]")
_TOO_MUCH = regex(r"\s(?!(?:if|for|but|and|or|with|when|on|in|as|at|so)\b)[a-z]")
_LONGEST_STEM, _LONGEST_ASIDE = 20, 80
# A fraction is a skip only beside the words, or in a list.
_FRACTION_SAID, _BEFORE_FRACTION = (
    regex(r"(?:skips?|\d|キップ|스킵|скип)[^\w(]{0,4}(?:(?:of|to|at|is|or)\W)?\Z"),
    16,
)


class Units(NamedTuple):
    letters: str
    spans: tuple[tuple[int, int], ...]  # in the text, of each letter's unit
    skips: tuple[float, ...]  # the skip at each letter, 0 where it is none


def units(text: str) -> Units:
    """The units of `text`, which is in small letters."""
    return _units(text, [(0, len(text))])


_MENTION = regex(f"{patterns.CLIP_SKIP}|{patterns.MAYBE_CLIP_SKIP}")
_LONGEST_WORD = 40
_MAX_MENTIONS, _REACH = 300, 240  # signs to either side of the words that are looked at


def units_about(text: str) -> Units:
    """The units of `text` near the words for clip skip; a passage of them ends as a sentence does."""
    passages: list[tuple[int, int]] = []
    for match in islice(_MENTION.finditer(text), _MAX_MENTIONS):
        start, stop = max(0, match.start() - _REACH), min(len(text), match.end() + _REACH)
        if start:  # at a blank, where there is one: some scripts have few
            start = max(start, text.find(" ", start, start + _LONGEST_WORD))
        if stop < len(text):
            blank = text.rfind(" ", stop - _LONGEST_WORD, stop)
            stop = blank if blank > 0 else stop
        if passages and start <= passages[-1][1]:
            start = passages.pop()[0]
        passages.append((start, stop))
    return _units(text, passages)


def _units(text: str, passages: Iterable[tuple[int, int]]) -> Units:
    letters, spans, skips = [], [], []
    for start, stop in passages:
        for match in _unit().finditer(text, start, stop):
            letter, skip = _letter(match, text)
            letters.append(letter)
            spans.append(match.span())
            skips.append(skip)
        letters.append(END)
        spans.append((stop, stop))
        skips.append(0.0)
    return Units("".join(letters), tuple(spans), tuple(skips))


def _letter(match: re.Match[str], text: str) -> tuple[str, float]:
    kind, unit = match.lastgroup or "", match.group()
    if kind == "number" or (
        (kind == "word" and unit in patterns.NAMES)
        and _NAME_SAID.search(text, max(0, match.start() - 8), match.start())
        and _COUNTS_NOTHING.match(text, match.end())
    ):
        if _ITEM.match(text, match.end()) and "(" not in text[max(0, match.start() - _LONGEST_ASIDE) : match.start()]:
            return OTHER_NUMBER, 0.0
        skip = patterns.NAMES.get(unit) or float(unit)
        if skip % 1 and not _FRACTION_SAID.search(text, max(0, match.start() - _BEFORE_FRACTION), match.start()):
            return OTHER_NUMBER, 0.0
        return (SKIP, skip) if 1 <= skip <= HIGHEST_SKIP and len(unit) < 6 else (OTHER_NUMBER, 0.0)
    if unit == "too" and _TOO_MUCH.match(text, match.end()):
        return vocabulary.BAD, 0.0
    if kind == "elided":
        return vocabulary.NOT if unit.startswith("n") else vocabulary.JOINING, 0.0
    if unit in _PARTING and not _parts(unit, match, text):
        return vocabulary.JOINING, 0.0
    if kind == "word":
        return _part(unit), 0.0
    if kind in ("phrase", "unspaced"):
        return _PART[unit], 0.0
    return _LETTERS.get(kind) or _SIGNS.get(unit, unit), 0.0


def _parts(unit: str, match: re.Match[str], text: str) -> bool:
    after_number = bool(_AFTER_NUMBER.search(text, match.start() - 2, match.start()))
    if unit not in _BEFORE_TOO:
        return after_number
    before_number = bool(_BEFORE_NUMBER.match(text, match.end()))
    return (after_number and before_number) if unit == "i" else (after_number or before_number)  # the English "i"


@functools.lru_cache(maxsize=2_000)  # more than a card has of different words
def _part(word: str) -> str:
    if _NOT.fullmatch(word):
        return vocabulary.NOT
    for known in (word, re.split("['’]", word)[0]):
        if known in _PART:
            return _PART[known]
        for length in range(min(len(known), _LONGEST_STEM), 0, -1):
            part = _PART.get(known[:length] + "*")
            if part:
                return part
    if "\uac00" <= word[0] <= "\ud7a3":
        return UNSPACED
    return vocabulary.NEUTRAL if len(word) > 4 and word.endswith("ly") else UNKNOWN
