"""What a text in a person's words says of clip skip: the numbers that a model's card names, and those it warns of.

Read by three rules. The words for clip skip are followed, or preceded, by a number with nothing but joining words and
signs between; a list of numbers counts whole ("1, 2", "1-3"); and a number that is negated counts as not named. Where
the words leave doubt nothing is read: a number that nobody said is worse than one missed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

HIGHEST_SKIP = 12  # CLIP-L's, of SD 1.x: on nothing else is a text asked

_MAX_TEXT, _MAX_MENTIONS = 200_000, 300  # in signs; far more than any card has
_BLOCK = re.compile(
    r"</?(?:p|br|li|ul|ol|div|tr|table|h[1-6]|hr|pre|blockquote|section)\b[^<>]{0,2000}>", re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]{0,2000}>")


def plain_words(text: str) -> str:
    """`text` without HTML markup, a line a paragraph; East Asian full-width signs and digits are plain ones."""
    text = _TAG.sub(" ", _BLOCK.sub("\n", text[:_MAX_TEXT]))
    text = unicodedata.normalize("NFKC", html.unescape(text))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text))


# --- the words -------------------------------------------------------------------------------------------------------

_CLIP = r"(?<![a-z])(?:clip|クリップ|클립|клип)"
_SKIP = r"(?:skips?(?![a-z])|skip(?=\d)|スキップ|스킵|скип(?![а-я])|跳过层?数?|跳過層?數?|[终終中]止层?層?[数數]?)"
_WORDS = (
    rf"(?:{_CLIP}[-_:\s]{{0,4}}{_SKIP}"
    rf"|(?<![a-z])skip[-_ ]{{0,3}}clip(?![a-z])"
    r"|(?<![a-z])(?:clip[_ ])?stop[_ ]at[_ ]last[_ ]layers(?: of clip(?: model)?)?)"
)

_SIGNS = r"[\s:=*_\"'`()|\[\]{}>→➔~,.–—-]"
_ENGLISH = (
    r"recommendation|recommending|recommended|preferably|recommends|generally|generated|parameter|"
    r"preferred|recommend|suggested|required|settings|between|default|ideally|optimal|setting|suggest|"
    r"trained|usually|always|around|better|either|equals|images|layers|mostly|number|please|prefer|should|"
    r"tested|values|worked|could|equal|layer|level|might|needs|using|value|works|been|best|both|from|here|"
    r"just|keep|kept|like|love|made|make|must|need|only|sets|test|used|uses|will|with|work|and|are|can|i'm|"
    r"its|may|our|put|set|the|use|you|an|as|at|be|go|in|is|it|me|my|of|on|to|we|a|i"
)
_OTHERS = (
    r"используйте|рекомендую|использую|значение|параметр|doivent|ставьте|sollte|igual|равен|равно|debe|"
    r"deve|doit|sein|soll|être|auf|del|est|ist|ser|sur|til|von|au|de|di|em|en|es|na|op|på|su|до|на|값은|권장|"
    r"사용|a|à|é"
)
_JOIN = (
    rf"(?:{_SIGNS}|[はをにがも은는을를로값值値为為设設置定数用使推荐薦建议議选擇择]"
    rf"|(?<!\w)(?:{_ENGLISH}|{_OTHERS})(?!\w))"
)
# A sentence that ends between the words and a number parts them: "Clip skip. CFG 7" says nothing of 7.
_SENTENCE_END = re.compile(r"[.!?。](?:\s|\Z)")

# --- the numbers -----------------------------------------------------------------------------------------------------

_NAMED = {"one": 1.0, "two": 2.0, "three": 3.0}
_UNIT = r"(?:\s?[%x×k]|\s?(?:nd|st|rd|th|px|gb|mb)(?![a-z])|\s?[次步倍張张枚時时])"
_ONE = rf"(?:(?<![\d.,/])\d{{1,2}}(?:\.\d{{1,3}})?(?!\d|\.\d)(?!{_UNIT})|(?<![a-z])(?:{'|'.join(_NAMED)})(?![a-z]))"
_MORE = rf"(?:\d{{1,2}}(?:\.\d{{1,3}})?(?!\d)(?!{_UNIT})|(?:{'|'.join(_NAMED)})(?![a-z]))"
# What follows a number that counts something else: "2, 30 steps", "2 - 7 CFG".
_COUNTED = (
    r"(?!\s?(?:steps?|cfg|images?|samples?|times|sampling|hires|seconds?|minutes?|hours?|epochs?|versions?|models?)"
    r"(?![a-z])"
    r"(?!\s?(?:scale|[:=~(\d])))"
)
_OR = (
    r"\s?(?:or|and|to|until|till|through|up to|und|oder|ou|et|o|y|e|и|или|до|/|~|-|–|—|〜|&|\+|,|、"
    r"|或者?|和|与|至|到|か|または|や|또는)"
    r"(?:\s(?:even|maybe|also|sometimes|just))?\s?"
)
_LIST = rf"{_ONE}{_COUNTED}(?:{_OR}{_MORE}{_COUNTED}){{0,6}}"
_AFTER = re.compile(rf"(?:{_JOIN}){{0,14}}?(?P<numbers>{_LIST})(?P<marker>[.)]\s)?", re.IGNORECASE)
_BEFORE = re.compile(
    r"(?:^|[\n.:;,!?(]\s?|\b(?:use|using|with|at|on|set|want|recommend|prefer|a|of|to|need|run|like|try)\s)"
    rf"(?P<numbers>{_LIST})(?:\s(?:for|as|on|at|in))?(?:\s(?:the|your|my))?[-\s]?\Z",
    re.IGNORECASE,
)
_MENTION = re.compile(_WORDS, re.IGNORECASE)
_NUMBER = re.compile(rf"\d{{1,2}}(?:\.\d{{1,3}})?|{'|'.join(_NAMED)}", re.IGNORECASE)
_REACH = 60  # signs to either side of the words that are looked at

# --- what takes it back ----------------------------------------------------------------------------------------------

_FILLING = (
    r"recommending|использовать|recommended|recommend|verwenden|anything|benutzen|changing|designed|"
    r"suitable|utiliser|running|setting|suggest|trained|ставить|advise|change|choose|higher|needed|select|"
    r"going|meant|other|using|avec|been|have|made|more|need|than|that|this|usar|used|with|your|any|auf|bei|"
    r"com|con|das|den|die|for|mit|put|run|set|the|use|an|at|be|go|it|my|of|on|to|a|с"
)
# Words that say "not" of what follows.
NEGATION = (
    r"(?:(?<![a-z])(?:do|does|did|is|are|was|should|must|can|could|would|will)\s?n['’]?t"
    r"|(?<![a-z])(?:not|never|without|avoid|avoiding|stop|no|cannot|instead of|rather than|nicht|kein|keine|ohne"
    r"|niemals|pas|sans|jamais|sin|nunca|não|sem|evite|не|без|никогда)(?![a-z])"
    r"|不要|別|别|不用|不使用|不需要|不推荐|不建议|避免|勿|請勿|请勿)"
)
_NOT_BEFORE = re.compile(
    rf"{NEGATION}(?:使用|用|设置?|把)*"
    rf"(?:[ :]+(?:{_FILLING}|work(?:s|ing)?(?: well)? (?:with|at|on|in)))*[ :]*\Z",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(
    r"\s?(?:(?:is|was|are|will be|would be)\s(?:not|never)\s|(?:is|are)n['’]?t\s|(?:do|does)\s?"
    r"(?:not|n['’]?t)\s"
    r"|not (?:recommended|needed|required|good|supported|advised)"
    r"|(?:is|are|looks?|gives?) (?:bad|worse|broken|terrible|awful|wrong|not)|breaks|ruins"
    r"|は?(?:使わない|使用しない|非推奨|不要|おすすめしない|推奨しない|ダメ)|不(?:推荐|建议|要|行|好)"
    r"|(?:не|nicht|no) )",
    re.IGNORECASE,
)


def mentioned_skips(text: str) -> Iterator[float]:
    """Each skip that `text`, as `plain_words` gives it, recommends or leaves to choose, in A1111's counting."""
    for mention in islice(_MENTION.finditer(text), _MAX_MENTIONS):
        before = text[max(0, mention.start() - _REACH) : mention.start()]
        if _NOT_BEFORE.search(before):
            continue
        numbers, end = _after(text, mention.end()) or _before(before, mention.end())
        if numbers and not _NOT_AFTER.match(text, end, end + _REACH):
            found = (_NAMED.get(number.lower()) or float(number) for number in _NUMBER.findall(numbers))
            yield from (skip for skip in found if 1 <= skip <= HIGHEST_SKIP)


def _after(text: str, start: int) -> tuple[str, int] | None:
    """The numbers that follow the words which end at `start`, and where those end; None where none follow."""
    match = _AFTER.match(text, start, start + 3 * _REACH)
    if match is None:
        return None
    between = text[start : match.start("numbers")]
    if _SENTENCE_END.search(between) or between.count("\n") > 1:
        return None
    if "\n" in between and match["marker"]:  # the next item of a numbered list
        return None
    return match["numbers"], match.end("numbers")


def _before(before: str, end: int) -> tuple[str, int]:
    """The numbers that stand before the words which end at `end`, "" where none do."""
    match = _BEFORE.search(before)
    if match is None or _NOT_BEFORE.search(before[: match.start("numbers")]):
        return "", end
    return match["numbers"], end
