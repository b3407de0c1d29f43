"""The rules by which the units of a text (`units`) say a skip.

The words for clip skip (M) are followed, or preceded, by numbers (d) with nothing but joining words and signs between;
a list of numbers counts whole; further numbers follow later in the sentence. A number that is negated counts as not
named. Where the words leave doubt nothing is read: a number that nobody said is worse than one missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import vocabulary

_MOST_LISTS, _REACH = 7, 40  # to one mention; units before it that are looked at

# A number that counts what follows it: "2 images", "4-8 steps", "7 for cfg"; but not "2 steps 30", "2 cfg: 7".
_COUNTS = r"(?:[-To]d)?(?:t(?![dD])|r?s{1,3}(?![s:dD(]))"
_SKIP = rf"d(?!{_COUNTS})"
# Here what follows may be the noun that the number counts.
_NO_NOUN = r"(?![xstmyD])"
_REMARK = r"(?:\([^()dML]{1,8}\))?"
_NEXT = rf"(?:[-_/T|]|\(?o)[-ja]{{0,2}}{_SKIP}|[,&+][o&]?[ja]{{0,2}}{_SKIP}(?![xtmyD])"
_LIST = rf"{_SKIP}(?:{_REMARK}(?:{_NEXT})){{0,8}}"

# "(in the settings)", "that I used for these is", "for SD 1.5:", ", as always,", "v2:".
_ASIDE = r"(?:D:|\([^()dDML]{1,12}\)|h[^dDLMs,.]{1,9}?(?=[j:])|[ri][^,:LM.sd]{1,7}?(?=[:j])|,[^,dDLMs.]{1,8},)"
_JOIN = r"(?:(?:N[xjha]{0,3}|b),?c|k(?=G)|[juriafT:@>\-_()?&NpPgGzLF/o|,;]|,c(?=j{0,2}u))"
_AFTER = re.compile(
    rf"[:@>\-_()?|juarifT]{{0,8}}?(?P<near>{_LIST})"
    rf"|(?:{_JOIN}{{0,4}}?{_ASIDE})?{_JOIN}{{0,12}}?(?P<far>{_LIST})(?![xtmyD])"
)
_BEFORE = re.compile(
    rf"(?:\A|[.,;(L?c/|]|[ujaTo&Nrif]|[ua]:)(?P<numbers>{_LIST})(?:,?[NPp]d,?)?(?:[rijT]?j{{0,2}}|j[jau]{{1,3}})\(?\Z"
)

_RUN = r"(?:[ri]D|[^.dDLMs;]){0,9}?"
_FURTHER = re.compile(
    # "1, not 2", "2 > 1"; "2 -> 1".
    r"(?P<not>(?:[^.dDLMs;]{0,4}?[NPp][jTu]{0,3}|>{1,2})d)|@(?P<new>d)"
    # "2, but you can try 1", "2 if you like, otherwise 1".
    rf"|{_RUN}c[juaxriT,]{{0,4}}?(?P<but>{_SKIP}){_NO_NOUN}"
    # "2 for anime, 1 for photos", "2 recommended / 1 possible".
    rf"|{_RUN}[,;/(_|o&](?:D:|[jTriu]{{0,2}})(?P<too>{_SKIP})(?=[ri:@]|[jo]{{0,2}}[au])"
    # "leave it at 1 or change it to 2".
    rf"|{_RUN}o[ju]{{1,3}}T(?P<change>{_SKIP}){_NO_NOUN}"
    # "v1: 1, v2: 2".
    rf"|{_RUN}[,;](?P<version>D:{_SKIP})"
    # "2, I use 1"; "2, for photos use 1".
    rf"|{_RUN}[,;][ja]{{0,2}}u{{1,2}}[jTi]{{0,2}}(?P<use>{_SKIP}){_NO_NOUN}"
    rf"|{_RUN}[,;(][ri][xtjm]{{1,3}}[:ju]{{1,2}}(?P<where>{_SKIP}){_NO_NOUN}"
    # "2, sometimes 1".
    rf"|{_RUN}[,;(]j?a{{1,2}}(?P<rare>{_SKIP}){_NO_NOUN}"
    # "with 1 it is sharper, with 2 softer".
    rf"|{_RUN}[,;]i(?P<with>{_SKIP}){_NO_NOUN}"
    # "1: sharper", and in the line below "2: softer".
    rf"|[^.dDLM]{{0,9}}?L[-_]?(?P<line>{_SKIP})(?=[ri:@])"
    # "Clip skip 2? No, 1"; "Clip skip 2. 1 also works".
    rf"|\?k,?u?(?P<answer>{_SKIP})|{_RUN}[.,]j?(?P<next>{_SKIP})(?=j{{0,2}}a)"
)
# Two settings' numbers: "CFG and clip skip: 7 and 2", "Clip skip/CFG: 2/7".
_COUPLED = re.compile(
    r"s[/&o]{1,2}M[:jTu]{0,3}(?:[dD][-/,o&]{1,2})+(?P<last>d)|M[/&o]{1,2}s[:jTu]{0,3}(?P<first>d)[/o,&]{1,2}[dD]"
)


# To all rules but those of doubt (`_in_doubt`), "is" joins as others do, and what is neutral is unknown.
_PLAIN = str.maketrans({vocabulary.BEING: vocabulary.JOINING, vocabulary.NEUTRAL: "x"})


def lists(letters: str, mention: int) -> Iterator[tuple[int, int]]:
    """From where to where in `letters` there stand numbers that the words at `mention` recommend or leave to choose."""
    end = letters.find("M", mention + 1) % (len(letters) + 1)
    spoken, letters = letters, letters.translate(_PLAIN)
    coupled = _COUPLED.search(letters, max(0, mention - 3), end)
    if coupled and coupled.start() <= mention:
        yield coupled.span(coupled.lastgroup or 0)
        return
    before = letters[max(0, mention - _REACH) : mention]
    found = _AFTER.match(letters, mention + 1, end)
    if found:
        start, stop = found.span(found.lastgroup or 0)
        joined = re.split("c|.*[,;]", letters[mention + 1 : start])
        said = joined[-1] if len(joined) > 1 else f"{_clause(before)}M{joined[-1]}"
    else:
        found = None if re.match("[:xt]", letters[mention + 1 : end]) else _BEFORE.search(before)
        if not found:
            return
        start, stop = (mention - len(before) + at for at in found.span("numbers"))
        said = _clause(before[: found.start("numbers")])
        if not is_negated(said, letters[mention + 1 : end]):
            yield start, stop
        start = stop = mention + 1
    asked = f"{_clause(spoken[max(0, mention - _REACH) : mention])}M" if "M" in said else ""
    if _in_doubt(asked, letters[mention + 1 : start], spoken[stop:end]):
        return
    for _ in range(_MOST_LISTS):
        if start < stop and not is_negated(said, letters[stop:end]):
            yield start, stop
        further = _FURTHER.match(letters, stop, end)
        if not further:
            return
        start, stop = further.span(further.lastgroup or 0)
        said = ""
        if further.lastgroup == "not":
            start = stop


# A clause begins after these, but not after the comma of "please don't, ever, use".
_CLAUSE = re.compile(r"(?:(?<=N),|[^.;,L?c()|M])*\Z")
# "Do not use a VAE and use clip skip 2" has two clauses.
_OTHER_CLAUSE = re.compile(r".*N[^M]*[st][^M]{0,2}[o&](?=u)")
# "Don't forget", "if that doesn't work try", "not bad".
_UNDONE = re.compile(r"[fF]?[Nk][jx]?[fF]N?|[fF]N|Na{1,2}(?=u)|N[jxh]?b|b[jxit]{0,4}N")
_TAKES_BACK = re.compile(
    # "2 is bad", "2 for this model does not work", "2 no funciona", "2 or not".
    r":?(?:[jaTxuiyfgGt]{0,4}?b|(?:[jaTxuyfgG]{0,4}?|[ri][jtmx]{1,3}j)N(?![jTu]{0,3}d)|[jaTxu]{0,4}?k(?=[auj])|j{1,2}k|oN)"
    # "2: bad", "2 (not recommended)", "2? No."
    r"|[,(:?@_-]{1,2}(?:[jx]?b|N(?![jTu]{0,3}d)(?:[ua]|(?=[.;,L)]))|k(?=[.;,L)]))|X(?=[,;L.])|@d"
)
# "If you use it, the images get blurry."
_IF_SO_BAD = re.compile(r",(?:[jxt]{0,4}b|[jxt]{1,4}N)")
_BUT_GOOD = re.compile(r"[^.;,L?c()M|/]{0,4},?c[jx]{0,3}a")


# "Steer clear of clip skip 2", "clip skip 2 is passé": a word that is not known may take the number back.
_UNKNOWN_BEFORE = re.compile(r"(?:[^ua]*[^uari])?x[jihrT]{0,4}M")
_UNKNOWN_AFTER = re.compile(r"v(?![jTxn]{0,4}[au])[jT]{0,3}x")


def _in_doubt(said: str, gap: str, after: str) -> bool:
    unknown_before = _UNKNOWN_BEFORE.match(said) and ":" not in gap
    return bool(unknown_before or _UNKNOWN_AFTER.match(after))


def _clause(before: str) -> str:
    found = _CLAUSE.search(before)
    return _OTHER_CLAUSE.sub("", found.group() if found else "")


def is_negated(before: str, after: str) -> bool:
    """Whether the clause `before` a number, with the words that lead to it, or what comes `after` takes it back."""
    before, after = _UNDONE.sub("", before), _UNDONE.sub("", after[:24])
    taken_back = _TAKES_BACK.match(after)
    if "i" in before and _IF_SO_BAD.match(after):
        return True
    nots = bool(
        re.search("^[^i]*b[^iz]+M|b[ir]j?M|N|F|k[juriT]{0,2}M", before)
        or (taken_back and not _BUT_GOOD.match(after, taken_back.end()))
    )
    if re.search(r"P[juT]{0,2}M?[^M]{0,2}\Z|d>{1,2}M\Z|(?:\A|L)[-_]?X", before):
        return True
    if re.search(r"z[^M]*M|p[^M]{0,3}M?[^M]{0,3}\Z", before):
        return not (nots or "b" in before)
    if re.search("[gG]", before):
        return not re.search("[Nk][ju]{0,3}M?[ju]{0,2}G", before)
    return nots
