"""The words for clip skip, and those that may stand between them and their number, in the languages of cards."""

from __future__ import annotations

import re


def any_of(*words: str) -> str:
    """A pattern of any of `words`, parted by blanks, the longest first; "_" in a word stands for a blank."""
    alternatives = sorted(set(" ".join(words).split()), key=len, reverse=True)
    return "|".join(alternatives).replace("_", " ")


_CLIP = r"(?<![a-z])(?:clips?|clp|klip|クリップ|클립|клип)"
_SKIP = r"(?:skips?(?![a-z])|skip(?=\d)|スキップ|스킵|скип(?![а-я])|跳过层?数?|跳過層?數?|[終终中]止层?层?[数數]?)"
# "CLIP=2" says it only among other settings, with a sign or a line's end to either side, and in Chinese.
_ALONE = (
    r"(?:^|(?<=[,|/;\n])|(?<=[,|/;]\s))clip(?=\s?[:=\s]\s?[12]\s?(?:[,|/;\n]|\Z))"
    r"|(?<![a-z])clip(?=\s?[12]\s?[\u4e00-\u9fff])"
)
MENTION = re.compile(
    rf"{_CLIP}(?:[-_\s]layers?)?[-_:*\s]{{0,5}}{_SKIP}"
    r"|(?<![a-z])clip[-_\s]layers?[-_\s]to[-_\s]skip(?![a-z])"
    r"|(?<![a-z])skip[-_ ]{0,3}clip(?![a-z])|пропуск[а-я]{0,2}\s(?:слоев\s)?(?:clip|клип)а?(?![a-zа-я])"
    rf"|(?<![a-z])(?:clip[_ ])?stop[_ ]at[_ ]last[_ ]layers(?: of clip(?: model)?)?|{_ALONE}",
    re.IGNORECASE,
)

# Signs, emoji among them, save those that end a sentence, count, add, or take back.
_SIGN = r"(?:[^\w!。$€£%&+/;❌✖✗🚫⛔]|_)"
# In each language: be, have, can, must, set, leave, use, try, recommend; a value, a level; at, to, of, for me;
# always, mostly, best, by default.
_ENGLISH = (
    "a actually always an and are around as at be been best better between both can could default either equal equals "
    "from generally generated go has have here i i'm ideally images in is it its just keep kept layer layers least "
    "leave level like love made make max maximum may me might min minimum minus mostly must my need needs number of on "
    "only optimal our parameter personally please prefer preferably preferred put recommend recommendation recommended "
    "recommending recommends required set sets setting settings should slider suggest suggested taste test tested the "
    "to trained try up use used uses using usually value values was we will with work worked works you your"
)
_SPANISH = (
    r"a al de del en es entre está debe estar igual mejor pon\w{0,3} puede puesto que recomend\w{1,5} recomiendo "
    r"ser siempre tiene us[ao] usad[oa] valor"
)
_PORTUGUESE = r"com configurad[oa] deve é em entre melhor pode por recomendo sempre tem usando valor"
_FRENCH = (
    r"à au conseillée? de doit doivent entre est être mettre mieux peut recommandée? règle[rz]? réglée? sur toujours "
    r"utilise[rz]? valeur"
)
_ITALIAN = r"a consiglio consigliat[oa] deve di è essere impostat[oa] meglio può sempre su tra uso valore"
_GERMAN = r"am auf bei besten empfohlen immer ist kann mit muss nutze sein soll sollte von wert zwischen"
_NORDIC = r"är er med op på til till van"
_RUSSIAN = (
    r"быть выстав\w{1,5} до должен желательно значение использ\w{1,7} лучше можно на нужно обязательно параметр "
    r"постав\w{1,5} равен равно рекоменд\w{1,7} став\w{1,5} стоит установ\w{1,5} всегда"
)
_POLISH = r"być jest może na najlepiej powinien to używam ustaw\w{0,6} wartość zalecan\w{1,3} zawsze"
_TURKISH = r"değeri en iyi her zaman için olarak önerilen"
_INDONESIAN = r"adalah bisa di disarankan gunakan harus ke nilai pakai sebaiknya selalu"
_VIETNAMESE = r"bằng có để đặt dùng giá là luôn mức nên phải thể trị"
_KOREAN = r"값은 권장 사용 추천 항상"
_LETTERED = any_of(
    *(_ENGLISH, _SPANISH, _PORTUGUESE, _FRENCH, _ITALIAN, _GERMAN, _NORDIC),
    *(_RUSSIAN, _POLISH, _TURKISH, _INDONESIAN, _VIETNAMESE, _KOREAN),
)
_EAST_ASIAN = (
    r"[はをにがもの必ず은는을를로값值値为為设設置定数數用使推荐薦建议議选選擇择请請是调調成最好须須默认認倒第於于在]"
)
# A number that is named to be passed over: "not 2 but 1".
_PASSED_OVER = r"(?:(?<!\w)(?:not|instead of)|(?:is|be) not|isn['’]t) \d,? (?:but|it's)(?!\w)"
_JOINING = rf"(?:{_PASSED_OVER}|{_SIGN}|{_EAST_ASIAN}|(?<!\w)(?:{_LETTERED})(?!\w))"
# "(in the settings)", ", as always,", "that I used for these images", "for SD 1.5".
_ASIDE = (
    r"(?:\((?!or\s|not\s)[^()\d\n]{1,60}\)|, as [^,.\d\n]{1,60},"
    r"|(?<!\w)(?:that|which) [^,.\d\n]{1,60}?(?= (?:is|was|are|were) )"
    r"|(?<!\w)depend(?:s|ing) on [^,.:\d\n]{1,30}:"
    r"|(?<!\w)for (?:(?!cfg|steps|weight)[^,:\n]){1,30}?(?=:| is ))"
)
BETWEEN = rf"(?:{_JOINING}{{0,3}}?{_ASIDE})?{_JOINING}{{0,14}}?"
# A sentence that ends between the words and a number parts them: "Clip skip. CFG 7" says nothing of 7.
SENTENCE_END = re.compile(r"(?<!\.)[.!。](?:\s|\Z)")

# "What is clip skip? 12 layers ..." goes on to explain it.
EXPLAINED = re.compile(r"(?<!\w)what (?:is|does|are|do)\s(?:the\s|a\s)?\Z", re.IGNORECASE)
# "CFG and clip skip: 7 and 2" has two settings' numbers, the last of them this one's.
COUPLED = re.compile(r"(?<!\w)(?:cfg|scale|steps|eta|ensd|weight)\s?(?:/|&|and)\s?\Z", re.IGNORECASE)
