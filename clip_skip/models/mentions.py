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
_CELL_START = re.compile(r"<t[dh]\b[^<>]{0,2000}>\s?(?:<(?:p|div)\b[^<>]{0,200}>\s?){0,3}", re.IGNORECASE)
_CELL_END = re.compile(r"(?:</(?:p|div)>\s?){0,3}</t[dh]>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")


def plain_words(text: str) -> str:
    """`text` without HTML markup, a line a paragraph or row of a table, with "|" between the row's cells.

    East Asian full-width signs and digits are plain ones.
    """
    text = _CELL_END.sub(" | ", _CELL_START.sub(" ", text[:_MAX_TEXT]))
    text = _TAG.sub(" ", _BLOCK.sub("\n", text))
    text = unicodedata.normalize("NFKC", html.unescape(text))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text))


def _any(words: str) -> str:
    """A pattern of any of `words`, which are parted by blanks, the longest first; "_" in a word is a blank."""
    return "|".join(word.replace("_", " ") for word in sorted(set(words.split()), key=len, reverse=True))


# --- the words -------------------------------------------------------------------------------------------------------

_CLIP = r"(?<![a-z])(?:clips?|clp|klip|クリップ|클립|клип)"
_SKIP = r"(?:skips?(?![a-z])|skip(?=\d)|スキップ|스킵|скип(?![а-я])|跳过层?数?|跳過層?數?|[終终中]止层?層?[数數]?)"
# "CLIP=2" says it only among other settings: with a sign or a line's end to either side.
_ALONE = r"(?:^|(?<=[,|/;\n])|(?<=[,|/;]\s))clip(?=\s?[:=\s]\s?[12]\s?(?:[,|/;\n]|\Z))"
_WORDS = (
    rf"(?:{_CLIP}(?:[-_\s]layers?)?[-_:\s]{{0,4}}{_SKIP}"
    r"|(?<![a-z])clip[-_\s]layers?[-_\s]to[-_\s]skip(?![a-z])"
    r"|(?<![a-z])skip[-_ ]{0,3}clip(?![a-z])|пропуск[а-я]{0,2}\s(?:слоев\s)?(?:clip|клип)а?(?![a-zа-я])"
    rf"|(?<![a-z])(?:clip[_ ])?stop[_ ]at[_ ]last[_ ]layers(?: of clip(?: model)?)?|{_ALONE})"
)

_SIGNS = r"[\s:=*_\"'`()|\[\]{}<>≥→➔~,.#?•●▪◦·★✦✅✔☑–—-]"
_ENGLISH = (
    "a actually always an and are around as at be been best better between both can could default either equal equals "
    "from generally generated go have here i i'm ideally images in is it its just keep kept layer layers least level "
    "like love made make max maximum may me might min minimum mostly must my need needs number of on only optimal "
    "our parameter please prefer preferably preferred put recommend recommendation recommended recommending recommends "
    "required set sets setting settings should slider suggest suggested test tested the to trained up use used uses "
    "using usually value values was we will with work worked works you "
)
_OTHERS = (
    r"выстав\w{1,5} став\w{1,5} постав\w{1,5} использ\w{1,7} рекоменд\w{1,7} лучше равен равно значение параметр до на "  # Russian
    r"en es de del debe estar ser tiene que entre recomend\w{1,5} usad[oa] valor igual em é "  # Spanish, Portuguese
    r"réglée? sur à est au doit doivent être de recommandée? conseillée? "  # French
    r"auf ist von zwischen sein sollte soll am besten immer empfohlen mit "  # German
    r"a è di su impostat[oa] consigliat[oa] "  # Italian
    r"na to jest ustaw\w{0,6} zalecan\w{1,3} op til på är er "  # Polish, Dutch, Scandinavian
    r"di ke adalah pakai gunakan disarankan değeri olarak önerilen "  # Indonesian, Turkish
    r"là nên để đặt dùng bằng "  # Vietnamese
    r"값은 권장 사용 추천"  # Korean
)
_EAST_ASIAN = r"[はをにがもの은는을를로값值値为為设設置定数用使推荐薦建议議选選擇择请請是调調成]"
# An aside between the words and the number: "(in the settings)", ", as always,", "that I used for these images".
_ASIDE = (
    r"\((?!or\s|not\s)[^()\d\n]{1,60}\)|, as [^,.\d\n]{1,60},"
    r"|(?<!\w)(?:that|which) [^,.\d\n]{1,60}?(?= (?:is|was|are|were) )"
)
# A number that is named to be passed over: "not 2 but 1".
_PASSED_OVER = r"(?<!\w)(?:not|instead of) \d,? (?:but|it's)(?!\w)"
_JOIN = rf"(?:{_PASSED_OVER}|{_SIGNS}|{_EAST_ASIAN}|(?<!\w)(?:{_any(_ENGLISH + _OTHERS)})(?!\w))"
# A sentence that ends between the words and a number parts them: "Clip skip. CFG 7" says nothing of 7.
_SENTENCE_END = re.compile(r"[.!。](?:\s|\Z)")

# --- the numbers -----------------------------------------------------------------------------------------------------

_NAMED = {"one": 1.0, "two": 2.0, "three": 3.0}
_UNIT = r"[a-z$€]|\s?[%×]|\s?(?:px|gb|mb)(?![a-z])|\s?[次步倍張张枚時时个個月]"
_DIGITS = rf"\d{{1,2}}(?:\.\d{{1,3}})?(?!\d|[.:]\d|{_UNIT})"
# What follows a number that counts something else: "2, 30 steps", "2 - 7 CFG".
_COUNTED = (
    r"(?!(?:(?:-|–|~|\sto\s)\d{1,3})?\s?(?:(?:for|as|in)\s)?(?:steps?|cfg|images?|samples?|samplers?|times|sampling|hires|seconds?|minutes?|hours?|epochs?|versions?"
    r"|models?|loras?|girls?|boys?)(?![a-z])(?!\s?(?:scale|[:=~(\d])))"
)
_ONE = rf"(?:(?<![\d.,/]){_DIGITS}|(?<![a-z])(?:{'|'.join(_NAMED)})(?![a-z])){_COUNTED}"
_MORE = rf"(?:{_DIGITS}|(?:{'|'.join(_NAMED)})(?![a-z])){_COUNTED}"
_OR = (
    rf"(?:\s?\((?!or\s)[^()\n]{{1,30}}\))?\s?\(?(?:[/~–—〜&+,、|-]|でも|または|또는|이나|[和与與至到或者か及や]{{1,2}}|"
    rf"(?<!\w)(?:{_any('or and and/or to until till through up_to und oder ou et o y e и или до atau oppure lub albo veya ya_da hoặc hay')}))"
    r"\s?(?:(?:or|even|maybe|also|sometimes|just|ou|oder|или)\s){0,2}"
)
_LIST = rf"{_ONE}(?:{_OR}{_MORE}){{0,6}}"
# A further number, later in the sentence: "2 for anime, 1 for photos", "2, but 1 also works", "2 if ..., otherwise 1".
_FURTHER = re.compile(
    r"\s?[:=][^\n\d]{1,60}\n[-*•\s]{0,3}(?P<line>\d)(?=\s?[:=])"
    r"|[^.!?。\n\d]{0,40}?"
    rf"(?:(?<!\w)(?:or|otherwise|else|but|use|takes?)\s(?P<told>{_DIGITS}{_COUNTED})"
    r"|[(、,]\s?(?P<too>\d)(?=も)|[、,](?:请用|請用|请|改用|用)\s?(?P<east>\d)(?![\d.])"
    rf"|(?:[,;/(]|(?<!\w)(?:and|but|or))\s?(?:with\s)?(?P<said>{_DIGITS}{_COUNTED})"
    r"(?=\s(?:is|also|works?|looks?|possible|ok|fine|you|if|when|can|for (?!cfg|steps|hires|upscal|denois|weight|batch|lora))))",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"(?:(?:{_JOIN}){{0,3}}?(?:{_ASIDE}))?(?:{_JOIN}){{0,14}}?(?P<numbers>{_LIST})(?P<marker>[.)]\s)?", re.IGNORECASE
)
_BEFORE = re.compile(
    r"(?:^|[\n.:;,!?(]\s?|\b(?:use|using|with|at|on|set|want|recommend|prefer|like|a|of|to|need|run|try)\s)"
    rf"(?P<numbers>{_LIST})(?:\s(?:for|as|on|at|in))?(?:\s(?:the|your|my))?[-\s]?\Z",
    re.IGNORECASE,
)
_MENTION = re.compile(_WORDS, re.IGNORECASE)
_NUMBER = re.compile(rf"\d{{1,2}}(?:\.\d{{1,3}})?|{'|'.join(_NAMED)}", re.IGNORECASE)
_PARENTHESES = re.compile(r"\([^()]*\)")
_CELL_LEFT = re.compile(r"(?:\A|\|)[\s*]*\Z")
_REACH, _ROW = 60, 200  # signs to either side of the words that are looked at

# --- what takes it back ----------------------------------------------------------------------------------------------

_FILLING = _any(
    "a advise an any anything at avec be been benutzen bringing change changing choose com con das de den designed die do compatible es necesario require reason like "
    "ever for go going have higher it made meant mit more my need needed of on other put recom\\w{1,10} "
    "run running select set setting suggest suitable take tested than that the this to "
    "trained tried try us[aeo]n? usar us[ae]s use used using utiliser utilisez utiliz\\w{1,3} verwenden with your auf bei"
)
_NOT = _any(
    "not never without avoid avoiding stop no cannot against instead_of rather_than over neither nor turn_off disable forget_about nicht niemals sans pas jamais sin "
    "kein keine keinen ohne nunca não sem evite"
)
# Of these languages the verb, whatever it is, follows the negation.
_NOT_AND_VERB = _any("не без никогда nie bez jangan tidak tanpa không đừng non senza")
_NOT_BEFORE = re.compile(
    r"(?:(?:(?<![a-z])(?:do|does|did|is|are|was|should|must|can|could|would|will|have|has)\s?n['’]?t"
    rf"|(?<!why )(?<!\w)(?:{_NOT})(?!\w)"
    r"|不要|別|别|不用|不使用|不需要|不推荐|不推薦|不建议|不建議|避免|勿|請勿|请勿|无需|無需)(?:使用|用|设置?|設定?|把)*"
    rf"(?:[ :]+(?:{_FILLING}|auf|bei|work(?:s|ing)?(?: well)? (?:with|at|on|in)))*"
    rf"|(?<!\w)(?:{_NOT_AND_VERB})(?:\s\w+){{0,3}}"
    r"|(?:\A|\n)\s?[❌✖✗🚫⛔]\ufe0f?)[ :]*\Z",
    re.IGNORECASE,
)
# "Nothing works without clip skip 2" and "don't forget about" it ask for it.
_NOT_WITHOUT = re.compile(
    r"(?:n['’]t|(?<!\w)(?:not|nothing|never|cannot))\s[^.,;:!?\n]{0,40}(?<!\w)(?:without|forget about)\s[^.,;:!?\n]{0,20}\Z",
    re.IGNORECASE,
)
_BAD = (
    r"(?:(?:a )?(?:bad|worse|broken|terrible|awful|wrong|blurry|no-?go|useless|unnecessary|unneeded|incompatible"
    r"|unsupported|not|off))(?!\w)"
)
_NOT_AFTER = re.compile(
    r"(?:[ ?]{0,2}(?:(?:is|was|are|were|do|does|did|will|would|can|could|should|must|may)\s?(?:not|never|n['’]?t)(?! only| matter)"
    r"|wo?n['’]?t|can(?:not|['’]t)"
    r"|(?:not|no|never) (?:recom\w+|needed|need|required|necessary|good|supported|advised|use))(?!\w)"
    rf"| ?(?:(?:is|are|looks?|gives?|makes? \w+) |[:=] ?){_BAD}"
    r"| ?(?:(?:will|would|can|may) )?(?:break|ruin|destroy)s?(?!\w)| ?[❌✖✗🚫⛔]\ufe0f? ?(?:[,;\n]|\Z)"
    r"| ?[はを]?(?:使わない|使用しない|非推奨|不要|おすすめしない|推奨しない|ダメ)| ?不(?:推荐|推薦|建议|建議|要|行|好)"
    r"| ?[은는을를]? ?(?:사용하지|쓰지|비추)| ?['’]?\w{0,2} ?(?:kullanmay\w+|kullanma|önerilm\w+|olmamalı|değil)"
    r"| (?:не|nicht|no se|nie|non|não|không|tidak) )",
    re.IGNORECASE,
)
# "What is clip skip? 12 layers ..." goes on to explain it.
_EXPLAINED = re.compile(r"(?<!\w)what (?:is|does|are|do)\s(?:the\s|a\s)?\Z", re.IGNORECASE)
# "Should I use clip skip 2?" asks; "Why not try clip skip 2?" does not.
_ASKING = re.compile(r"(?:\A|[\n.!?:]\s?)(?:should|shall|must|do|does|is|can|what about)\s[^.!?\n]*\Z", re.IGNORECASE)


def mentioned_skips(text: str) -> Iterator[float]:
    """Each skip that `text`, as `plain_words` gives it, recommends or leaves to choose, in A1111's counting."""
    for mention in islice(_MENTION.finditer(text), _MAX_MENTIONS):
        before = text[max(0, mention.start() - _REACH) : mention.start()]
        column = _below(text, mention)
        if column is not None:
            yield from _skips(column)
            continue
        if _EXPLAINED.search(before):
            continue
        numbers, end = _after(text, mention.end()) or _before(before, mention.end())
        negated = _NOT_BEFORE.search(before) and not _NOT_WITHOUT.search(before)
        while numbers:
            asked = text[end : end + 1] == "?" and _ASKING.search(before)
            if not (negated or asked or _NOT_AFTER.match(text, end, end + _REACH)):
                yield from _skips(numbers)
            further = _FURTHER.match(text, end, end + _REACH)
            numbers, negated = "", None
            if further and not _MENTION.search(text, end, further.end()):
                numbers, end = further[further.lastgroup or 0], further.end()


def _skips(numbers: str) -> Iterator[float]:
    """The skips of a list of numbers, without what stands in parentheses between them."""
    for number in _NUMBER.findall(_PARENTHESES.sub("", numbers)):
        skip = _NAMED.get(number.lower()) or float(number)
        if 1 <= skip <= HIGHEST_SKIP:
            yield skip


def _below(text: str, mention: re.Match[str]) -> str | None:
    """The list of numbers in the cell below, "" for none; None where `mention` is no heading of a table's column."""
    start = text.rfind("\n", max(0, mention.start() - _ROW), mention.start()) + 1
    header, *rows = text[start : start + 3 * _ROW].split("\n")[:3]
    before, after = text[start : mention.start()], header[mention.end() - start :]
    cells = header.strip(" |").count("|")
    if not cells or not _CELL_LEFT.search(before) or not re.match(r"[\s*]*(?:\||\Z)", after):
        return None
    below = next((row.strip(" |") for row in rows if not re.fullmatch(r"[\s|:-]*", row)), "")
    if below.count("|") != cells or re.match(r"[\s*]*\|\s*\d", after):
        return None
    cell = below.split("|")[before.lstrip(" |").count("|")].strip(" *")
    return cell if re.fullmatch(_LIST, cell, re.IGNORECASE) else ""


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
