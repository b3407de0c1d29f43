"""The rules by which the units of a text (`units`) say a skip.

The words for clip skip (M) are followed, or preceded, by numbers (d) with nothing but joining words and signs between;
a list of numbers counts whole; further numbers follow later in the sentence. What is negated counts as not named, and
where the words leave doubt nothing is read (`negations`): a number that nobody said is worse than one missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...text.regex import regex
from . import negations, vocabulary

_MOST_LISTS, _REACH = 7, 40  # to one mention; units before it that are looked at

# A number that counts what follows it: "2 images", "4-8 steps", "7 for cfg"; but not "2 steps 30", "2 cfg: 7".
_COUNTS = r"(?:[-To]d)?a?(?:t(?![dD])|r?s{1,3}(?![s:dD(]))"
_SKIP = rf"d(?!{_COUNTS})"
# Here what follows may be the noun that the number counts.
_NO_NOUN = r"(?![xstmD])"
_REMARK = r"(?:\([^()dML]{1,8}\))?"
_NEXT = rf"(?:[-_/T|]|\(?o)[-ja]{{0,2}}{_SKIP}|[,&+][o&]?[ja]{{0,2}}{_SKIP}(?![xtmD])"
_LIST = rf"{_SKIP}(?:{_REMARK}(?:{_NEXT})){{0,8}}"

# "(in the settings)", "that I used for these is", "for SD 1.5:", ", as always,", "v2:".
_ASIDE = r"(?:D:|\([^()dDML]{1,12}\)|h[^dDLMs,.]{1,9}?(?=[j:])|[ri][^,:LM.sd]{1,7}?(?=[:j])|,[^,dDLMs.]{1,8},)"
_JOIN = r"(?:(?:N[xjha]{0,3}|b),?c|k(?=G)|[juriafT:@>\-_()?&NpPgGzLF/o|,;]|,c(?=j{0,2}u))"
_AFTER = regex(
    # "(default 1): 2".
    rf"\([jv]{{1,2}}d\):j{{0,2}}(?P<chosen>{_LIST})|"
    rf"(?:[:@>\-_()?|]|[juarif]{{0,3}}T){{0,6}}?(?P<near>{_LIST})"
    rf"|(?:{_JOIN}{{0,4}}?{_ASIDE})?{_JOIN}{{0,12}}?(?P<far>{_LIST})(?![xtmD])"
)
_BEFORE = regex(
    rf"(?:\A|[.,;(L?c/|]|[ujaTo&Nrif]|[ua]:)(?P<numbers>{_LIST})(?:,?[NPp]d,?)?(?:[rijT]?j{{0,2}}|j[jau]{{1,3}})\(?\Z"
)

_RUN = r"(?:[ri]D|[^.dDLMs;]){0,9}?"
_FURTHER = regex(
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
    rf"|{_RUN}[,;(][ja]{{0,2}}u{{1,2}}[jTi]{{0,2}}(?P<use>{_SKIP}){_NO_NOUN}"
    rf"|{_RUN}[,;(][ri][xtjm]{{1,3}}[:ju]{{1,2}}(?P<where>{_SKIP}){_NO_NOUN}"
    # "2, sometimes 1".
    rf"|{_RUN}[,;(]j?a{{1,2}}(?P<rare>{_SKIP}){_NO_NOUN}"
    # "with 1 it is sharper, with 2 softer".
    rf"|{_RUN}[,;]i(?P<with>{_SKIP}){_NO_NOUN}"
    # "1: sharper", and in the line below "2: softer".
    rf"|[^.dDLM]{{0,9}}?L[-_]?(?P<line>{_SKIP})(?=[ri:@_-])"
    # "Clip skip 2? No, 1"; "Clip skip 2. 1 also works".
    rf"|\?k,?u?(?P<answer>{_SKIP})|{_RUN}[.,]j?(?P<next>{_SKIP})(?=j{{0,2}}a)"
    rf"|{_RUN}[.][ij]{{0,3}}[au]{{1,3}}T?(?P<also>{_SKIP}){_NO_NOUN}"
)
# Two settings' numbers: "CFG and clip skip: 7 and 2", "Clip skip/CFG: 2/7".
_COUPLED = regex(
    r"s[/|&o]{1,2}M[:jTu]{0,3}(?:[dD][-/|,o&]{1,2})+(?P<last>d)|M[/|&o]{1,2}s[:jTu]{0,3}(?P<first>d)[/|o,&]{1,2}[dD]"
)


# To all rules but those of doubt (`negations.is_doubtful`), "is" joins as others do, what is neutral is unknown,
# and "formerly" is a "not".
_PLAIN = str.maketrans(
    {
        vocabulary.BEING: vocabulary.JOINING,
        vocabulary.CONDITION: vocabulary.WHEN,
        vocabulary.ELSE: vocabulary.BUT,
        vocabulary.FORMER: vocabulary.NOT,
        vocabulary.PAST: vocabulary.JOINING,
        vocabulary.NEUTRAL: "x",
        vocabulary.OTHERS: vocabulary.THING,
    }
)


def lists(letters: str, mention: int) -> Iterator[tuple[int, int]]:
    """From where to where in `letters` there stand numbers that the words at `mention` recommend or leave to choose."""
    next_mention = letters.find("M", mention + 1)
    end = len(letters) if next_mention < 0 else next_mention
    spoken, letters = letters, letters.translate(_PLAIN)
    coupled = _COUPLED.search(letters, max(0, mention - 3), end)
    if coupled and coupled.start() <= mention:
        yield coupled.span(coupled.lastgroup or 0)
        return
    before = letters[max(0, mention - _REACH) : mention]
    found = _AFTER.match(letters, mention + 1, end)
    if found and "N" in letters[mention + 1 : found.start(found.lastgroup or 0)] and _BEFORE.search(before):
        found = None  # "1 for clip skip, not 2"
    if found:
        start, stop = found.span(found.lastgroup or 0)
        gap, goes_on = spoken[mention + 1 : start], stop
        if vocabulary.FORMER in gap:
            return
        joined = re.split("c|.*[,;]", letters[mention + 1 : start])
        said = joined[-1] if len(joined) > 1 else f"{negations.clause(before)}M{joined[-1]}"
    else:
        found = None if re.match("[:xntj]", spoken[mention + 1 : end]) else _BEFORE.search(before)
        if not found:
            return
        start, stop = (mention - len(before) + at for at in found.span("numbers"))
        gap, goes_on = "", mention + 1
        said = negations.clause(before[: found.start("numbers")])
    if not negations.is_negated(said, letters[goes_on:end]):
        if negations.is_doubtful(spoken[mention - len(before) : mention], gap, spoken[goes_on : end + 1]):
            return
        yield start, stop
    for _ in range(_MOST_LISTS):
        further = _FURTHER.match(letters, goes_on, end)
        if not further:
            return
        start, goes_on = further.span(further.lastgroup or 0)
        if further.lastgroup != "not" and not negations.is_negated("", letters[goes_on:end]):
            yield start, goes_on
