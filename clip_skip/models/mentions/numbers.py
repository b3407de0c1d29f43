"""The numbers beside the words for clip skip: lists of them, those that count something else, and further ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .words import BETWEEN, any_of

HIGHEST_SKIP = 12  # CLIP-L's, of SD 1.x: on nothing else is a text asked

_NAMES = {"one": 1.0, "two": 2.0, "three": 3.0}
# What makes a number that of something else: "2x", "$", "8 steps", "1-2 CFG", "4 to 8 steps", "7 for cfg", "4 of 5".
_UNIT = r"(?!or\d)[a-z$€]|\s?[%×]|\s?(?:px|gb|mb|min)(?![a-z])|\s?[次步倍張张枚時时個个月]"
_OF_ANOTHER = "cfg|steps|hires|upscal|denois|weight|batch|lora"
_THINGS = any_of(
    "steps? cfg images? samples? samplers? times sampling hires seconds? minutes? hours? epochs? versions? models? "
    "loras? girls? boys? previews? embeddings? settings? people testers? votes?"
)
_COUNTING = (
    rf"(?!(?:(?:-|–|~|\sto\s)\d{{1,3}})? ?(?:{_THINGS})(?![a-z])(?!\s?(?:scale|[:=~(\d])))"
    rf"(?!\s(?:(?:out\s)?of(?![a-z])|(?:for|as|in)\s(?:{_OF_ANOTHER})))"
)
_DIGITS = rf"\d{{1,2}}(?:\.\d{{1,3}})?(?!\d|[.:]\d|{_UNIT}){_COUNTING}"
# A number's name is one only where nothing follows that it could count: "one of", "two cents".
_NAME = (
    rf"(?:{'|'.join(_NAMES)})(?![a-z]){_COUNTING}"
    r"(?=\s?(?:[^\w\s]|\n|\Z|(?:or|and|to|for|is|if|in|works?|with|when|always|should|as)(?!\w)))"
)
_FIRST = rf"(?:(?<![\d.,/]){_DIGITS}|(?<![a-z]){_NAME})"
_NEXT = rf"(?:{_DIGITS}|{_NAME})"
# After "and" and a comma a number may begin something else ("2, 3 embeddings"): what follows must be no noun.
_FOLLOWING = any_of(
    "or and to for if is are was as work works worked both all also but with when on in at depending based should can "
    "could will look looks give gives make makes tested used recommended preferred possible fine ok okay good"
)
_NO_NOUN = rf"(?=\s?(?:[^\w\s]|\n|\Z|\d|[^\x00-\x7f]|(?:{_FOLLOWING})(?!\w)|[a-z]+(?:\s[a-z]+)?\s?[:=]))"
_OR = any_of(
    "or and/or to until till through up_to und oder ou et o y e и или до atau oppure lub albo veya ya_da hoặc hay vs "
    "versus"
)
_EVEN = r"\s?(?:(?:or|even|maybe|also|sometimes|just|ou|oder|или)\s){0,2}"
_REMARK = r"(?:\s?\((?!or\s)[^()\n]{1,30}\))?"
_LIST = (
    rf"{_FIRST}(?:{_REMARK}\s?\(?(?:"
    rf"(?:[/\\~–—〜|-]|でも|または|또는|이나|[和与與至到或者か及や]{{1,2}}|(?<![^\W\d])(?:{_OR})){_EVEN}{_NEXT}"
    rf"|(?:[,、&+]|(?<!\w)and){_EVEN}{_NEXT}{_NO_NOUN})){{0,6}}"
)

AFTER = re.compile(rf"{BETWEEN}(?P<numbers>{_LIST})(?P<marker>[.)]\s)?", re.IGNORECASE)
BEFORE = re.compile(
    r"(?:^|[\n.;,!?(]\s?|(?<!\w)(?:settings?|recommend\w*|used?|using)\s?:\s?"
    r"|\b(?:use|using|with|at|on|set|want|recommend|prefer|like|a|and|of|to|need|run|try)\s)(?!one(?!\w))"
    rf"(?P<numbers>{_LIST})(?:\s(?:for|as|on|at|in))?(?:\s(?:the|your|my))?[- ]?[\"'“*]{{0,2}}\Z",
    re.IGNORECASE,
)
CELL = re.compile(_LIST, re.IGNORECASE)

# A further number, later in the sentence.
_WELL = "also|ok|okay|fine|good|better|best|possible|for|what|my|recommended|preferred"
FURTHER = re.compile(
    # "1: sharper", and in the line below "2: softer".
    r"\s?[:=][^\n\d]{1,60}\n[-*•\s]{0,3}(?P<line>\d)(?=\s?[:=])"
    r"|[^.!?。\n\d]{0,40}?(?:"
    # "2 if ..., otherwise 1".
    rf"(?<!\w)(?:or|otherwise|else|but|use|takes?)\s(?P<other>{_DIGITS}{_NO_NOUN})"
    # "2 for anime, 1 for photos", "2, but 1 also works", "2 recommended / 1 possible".
    rf"|(?:[,;/(]|(?<!\w)(?:and|but|or))\s?(?:with\s)?(?P<too>{_DIGITS})"
    rf"(?=\s(?:is (?:{_WELL})|also|works?|looks?|possible|ok|fine|you|if|when|can|for(?!\w)))"
    # The same in Japanese and Chinese.
    r"|[(、,]\s?(?P<mo>\d)(?=も)|[、,](?:请用|請用|请|改用|用)\s?(?P<yong>\d)(?![\d.]))",
    re.IGNORECASE,
)

_NUMBER = re.compile(rf"\d{{1,2}}(?:\.\d{{1,3}})?|{'|'.join(_NAMES)}", re.IGNORECASE)
_PARENTHESES = re.compile(r"\([^()]*\)")


def skips(numbers: str) -> Iterator[float]:
    """The skips of a list of numbers, without what stands in parentheses between them."""
    for number in _NUMBER.findall(_PARENTHESES.sub("", numbers)):
        skip = _NAMES.get(number.lower()) or float(number)
        if 1 <= skip <= HIGHEST_SKIP:
            yield skip
