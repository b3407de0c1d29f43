"""What a text in a person's words says of clip skip."""

from __future__ import annotations

import re
from collections.abc import Iterator

HIGHEST_SKIP = 12  # CLIP-L's, of SD 1.x: on nothing else is a text asked

_SKIP_WORDS = (
    r"(?:clip|クリップ)[-_\s]{0,3}(?:skips?(?![a-z])|スキップ|跳过层?数?|跳過層?數?|[终終中]止层?層?[数數]?)"
    r"|stop[\s_]at[\s_]last[\s_]layers(?:\sof\sclip\smodel)?"
)
# Between the words and the number nothing but signs and words that join them: "Clip skip. CFG 7" says nothing of 7.
_JOIN = (
    r"(?:[\s:=*_\"'`()|\[\]【】>→~\u2013-]|[はをに値值为為设設置定数]"
    r"|\b(?:to|is|at|on|of|value|set|layers?|use|should|be|recommended)\b)"
)
_NUMBER = r"\d{1,2}(?:\.\d{1,3})?(?![\d%])"
_OR = r"\s?(?:or|and|to|/|~|-|\u2013|&|或者?|和|か|または|〜|、)\s?"
_MENTION = re.compile(rf"(?:{_SKIP_WORDS}){_JOIN}{{0,12}}?({_NUMBER}(?:{_OR}{_NUMBER}){{0,3}})", re.IGNORECASE)
_AGAINST = re.compile(
    r"(?:\b(?:no|not|without|avoid|never|instead of)\b|n['\u2019]?t\b|不|勿)[^.,;!?\n。、]{0,20}$", re.IGNORECASE
)


def mentioned_skips(text: str) -> Iterator[float]:
    """Each skip that a text names with words such as "clip skip", in A1111's counting."""
    for mention in _MENTION.finditer(text):
        if not _AGAINST.search(text, max(0, mention.start() - 40), mention.start()):
            yield from (s for s in map(float, re.findall(_NUMBER, mention[1])) if 1 <= s <= HIGHEST_SKIP)
