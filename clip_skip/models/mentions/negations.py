"""What takes a number back: a negation before the words or after the number, and a question."""

from __future__ import annotations

import re

from .words import any_of

_REACH = 60  # signs after the number that are looked at

_NOT = any_of(
    "not never without avoid avoiding stop no cannot against instead_of rather_than over neither nor turn_off disable "
    "forget_about nicht niemals kein keine keinen ohne sans pas jamais sin nunca não sem évite[rz]? evite w/o"
)
# Of these languages the verb, whatever it is, follows the negation.
_NOT_AND_VERB = any_of("не без никогда nie bez jangan tidak tanpa không đừng non senza")
_EAST_ASIAN_NOT = (
    r"(?:不要|別|别|不用|不使用|不需要|不推荐|不推薦|不建议|不建議|避免|勿|請勿|请勿|无需|無需)"
    r"(?:使用|用|设置?|設定?|把)*"
)
_CROSS = r"[❌✖✗🚫⛔]\ufe0f?"
# What may stand between a negation and the words that it negates.
_REACHED = any_of(
    "a advise an any anything at be been bring change changing choose compatible designed do ever for go going have "
    "higher it like made meant more my need needed of on other put reason require run running select set setting "
    "suggest suitable take tested than that the this to trained tried try use used using with your "
    r"recom\w{1,10} auf bei benutzen das den die mit verwenden avec de com con es necesario usar us[ae]s? "
    r"utili[sz]\w{1,3}"
)
_WORK = r"work(?:s|ing)?(?: well)? (?:with|at|on|in)"
_NEGATION = (
    r"(?:(?<![a-z])(?:do|does|did|is|are|was|should|must|can|could|would|will|have|has)\s?n['’]?t"
    rf"|(?<!why )(?<!\w)(?:{_NOT})(?!\w)|{_EAST_ASIAN_NOT})"
)
# A word that negates something, wherever it stands.
NEGATION = re.compile(rf"{_NEGATION}|(?<!\w)(?:{_NOT_AND_VERB})(?!\w)", re.IGNORECASE)
BEFORE = re.compile(
    rf"(?:{_NEGATION}(?:[ :]+(?:{_REACHED}|{_WORK}))*"
    rf"|(?<!\w)(?:{_NOT_AND_VERB})(?:\s\w+){{0,3}}"
    rf"|(?:\A|\n)\s?{_CROSS})[ :]*\Z",
    re.IGNORECASE,
)
# "Nothing works without clip skip 2" and "don't forget about it" ask for it.
TWICE = re.compile(
    r"(?:n['’]t|(?<!\w)(?:not|nothing|never|cannot))\s[^.,;:!?\n]{0,40}"
    r"(?<!\w)(?:without|forget about)\s[^.,;:!?\n]{0,20}\Z",
    re.IGNORECASE,
)

_MODAL = r"(?:is|was|are|were|do|does|did|will|would|can|could|should|must|may)"
_BAD = (
    r"(?:a )?(?:bad|worse|broken|terrible|awful|wrong|blurry|no-?go|useless|unnecessary|unneeded|incompatible"
    r"|unsupported|not|off)(?!\w)"
)
AFTER = re.compile(
    rf"[ ?]{{0,2}}(?:{_MODAL}\s?(?:not|never|n['’]?t)(?! only| matter)|won['’]?t|can(?:not|['’]t)"
    r"|(?:not|no|never) (?:recom\w+|needed|need|required|necessary|good|supported|advised|use))(?!\w)"
    rf"| ?(?:(?:is|are|looks?|gives?|makes? \w+) |[:=] ?){_BAD}"
    rf"| ?(?:(?:will|would|can|may) )?(?:break|ruin|destroy)s?(?!\w)| ?{_CROSS} ?(?:[,;\n]|\Z)"
    r"| ?[はを]?(?:使わない|使用しない|非推奨|不要|だと(?:崩|ダメ)|おすすめしない|推奨しない|ダメ)"
    r"| ?不(?:推荐|推薦|建议|建議|要|行|好)"
    r"| ?[은는을를]? ?(?:사용하지|쓰지|비추)| ?['’]?\w{0,2} ?(?:kullanmay\w+|kullanma|önerilm\w+|olmamalı|değil)"
    r"| (?:не|nicht|no se|nie|non|não|không|tidak) ",
    re.IGNORECASE,
)
# "Should I use clip skip 2?" asks; "Why not try clip skip 2?" does not.
_ASKED = re.compile(r" ?\?(?!\s?yes)", re.IGNORECASE)
ASKING = re.compile(r"(?:\A|[\n.!?:]\s?)(?:should|shall|must|do|does|is|can|what about)\s[^.!?\n]*\Z", re.IGNORECASE)


def is_negated(before: str) -> bool:
    """Whether the text `before` the words for clip skip negates them."""
    return bool(BEFORE.search(before)) and not TWICE.search(before)


def takes_back(before: str, text: str, end: int) -> bool:
    """Whether what follows the number that ends at `end` of `text`, in view of what is `before`, takes it back."""
    return bool(AFTER.match(text, end, end + _REACH) or (_ASKED.match(text, end) and ASKING.search(before)))
