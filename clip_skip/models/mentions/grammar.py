"""The rules by which the units of a text (`units`) say a skip.

The words for clip skip are followed, or preceded, by numbers with nothing but joining words and signs between;
a list of numbers counts whole; further numbers follow later in the sentence. What is negated counts as not named, and
where the words leave doubt nothing is read (`negations`): a number that nobody said is worse than one missed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from . import negations, vocabulary
from .rules import rule
from .units import MENTION, UNKNOWN

_MOST_LISTS, _REACH = 7, 40  # to one mention; units before it that are looked at

# A number that counts what follows it: "2 images", "4-8 steps", "7 for cfg"; but not "2 steps 30", "2 cfg: 7".
_COUNTS = (
    r"(?:[- TO OR] SKIP)? GOOD?"
    r" (?:THING (?![SKIP OTHER_NUMBER]) | FOR? SETTING{1,3} (?![SETTING : SKIP OTHER_NUMBER (]))"
)
_SKIP = rf"SKIP (?!{_COUNTS})"
# Here what follows may be the noun that the number counts.
_NO_NOUN = r"(?![UNKNOWN SETTING THING MODEL OTHER_NUMBER])"
_REMARK = r"(?:\( [^ () SKIP MENTION NEW_LINE]{1,8} \))?"
_NO_OTHER_NOUN = r"(?![UNKNOWN THING MODEL OTHER_NUMBER])"
_NEXT = (
    rf"(?:[- _ / TO |] | \(? OR) [- JOINING GOOD]{{0,2}} {_SKIP}"
    rf" | [, & +] [OR &]? [JOINING GOOD]{{0,2}} {_SKIP} {_NO_OTHER_NOUN}"
)
_LIST = rf"{_SKIP} (?:{_REMARK} (?:{_NEXT})){{0,8}}"

# "(in the settings)", "that I used for these is", "for SD 1.5:", ", as always,", "v2:".
_ASIDE = (
    r"(?:OTHER_NUMBER : | \( [^ () SKIP OTHER_NUMBER MENTION NEW_LINE]{1,12} \)"
    r" | THAT [^ SKIP OTHER_NUMBER NEW_LINE MENTION SETTING , .]{1,9}? (?=[JOINING :])"
    r" | [FOR WHEN] [^ , : NEW_LINE MENTION . SETTING SKIP]{1,7}? (?=[: JOINING])"
    r" | , [^ , SKIP OTHER_NUMBER NEW_LINE MENTION SETTING .]{1,8} ,)"
)
_JOIN = (
    r"(?:(?:NOT [UNKNOWN JOINING THAT GOOD]{0,3} | BAD) ,? BUT | NO (?=BELOW)"
    r" | [JOINING USE FOR WHEN GOOD UNDONE TO : @ > \- _ () ? &"
    r" NOT OTHER_THAN INSTEAD ABOVE BELOW WITHOUT NEW_LINE FORGET / OR | , ;] | , BUT (?=JOINING{0,2} USE))"
)
_AFTER = rule(
    # "(default 1): 2".
    rf"\( [JOINING BEING]{{1,2}} SKIP \) : JOINING{{0,2}} (?P<chosen>{_LIST}) |"
    rf"(?:[: @ > \- _ () ? |] | [JOINING USE GOOD FOR WHEN UNDONE]{{0,3}} TO){{0,6}}? (?P<near>{_LIST})"
    rf"| (?:{_JOIN}{{0,4}}? {_ASIDE})? {_JOIN}{{0,12}}? (?P<far>{_LIST}) {_NO_OTHER_NOUN}"
)
_BEFORE = rule(
    r"(?:\A | [. , ; ( NEW_LINE ? BUT / |] | [USE JOINING GOOD TO OR & NOT FOR WHEN UNDONE] | [USE GOOD] :)"
    rf" (?P<numbers>{_LIST}) (?:,? [NOT INSTEAD OTHER_THAN] SKIP ,?)?"
    r" (?:[FOR WHEN JOINING TO]? JOINING{0,2} | JOINING [JOINING GOOD USE]{1,3}) \(? \Z"
)

_RUN = r"(?:[FOR WHEN] OTHER_NUMBER | [^ . SKIP OTHER_NUMBER NEW_LINE MENTION SETTING ;]){0,9}?"
_FURTHER = rule(
    # "1, not 2", "2 > 1"; "2 -> 1".
    r"(?P<not>(?:[^ . SKIP OTHER_NUMBER NEW_LINE MENTION SETTING ;]{0,4}?"
    r" [NOT INSTEAD OTHER_THAN] [JOINING TO USE]{0,3} | >{1,2}) SKIP) | @ (?P<new>SKIP)"
    # "2, but you can try 1", "2 if you like, otherwise 1".
    rf"| {_RUN} BUT [JOINING USE GOOD UNKNOWN FOR WHEN TO ,]{{0,4}}? (?P<but>{_SKIP}) {_NO_NOUN}"
    # "2 for anime, 1 for photos", "2 recommended / 1 possible".
    rf"| {_RUN} [, ; / ( _ | OR &] (?:OTHER_NUMBER : | [JOINING TO FOR WHEN USE]{{0,2}}) (?P<too>{_SKIP})"
    r" (?=[FOR WHEN : @] | [JOINING OR]{0,2} [GOOD USE])"
    # "leave it at 1 or change it to 2".
    rf"| {_RUN} OR [JOINING USE]{{1,3}} TO (?P<change>{_SKIP}) {_NO_NOUN}"
    # "v1: 1, v2: 2".
    rf"| {_RUN} [, ;] (?P<version>OTHER_NUMBER : {_SKIP})"
    # "2, I use 1"; "2, for photos use 1".
    rf"| {_RUN} [, ; (] [JOINING GOOD]{{0,2}} USE{{1,2}} [JOINING TO WHEN]{{0,2}} (?P<use>{_SKIP}) {_NO_NOUN}"
    rf"| {_RUN} [, ; (] [FOR WHEN] [UNKNOWN THING JOINING MODEL]{{1,3}} [: JOINING USE]{{1,2}}"
    rf" (?P<where>{_SKIP}) {_NO_NOUN}"
    rf"| {_RUN} [, ; (] FOR UNKNOWN{{1,2}} (?P<whom>{_SKIP}) {_NO_NOUN}"
    # "2, sometimes 1".
    rf"| {_RUN} [, ; (] [JOINING &]? GOOD{{1,2}} WHEN? (?P<rare>{_SKIP}) {_NO_NOUN}"
    # "with 1 it is sharper, with 2 softer".
    rf"| {_RUN} [, ;] WHEN (?P<with>{_SKIP}) {_NO_NOUN}"
    # "1: sharper", and in the line below "2: softer".
    rf"| [^ . SKIP OTHER_NUMBER NEW_LINE MENTION]{{0,9}}? NEW_LINE [- _]? (?P<line>{_SKIP}) (?=[FOR WHEN : @ _ -])"
    # The lines "1 realistic", "2 drawn".
    r" | (?<= NEW_LINE SKIP) [UNKNOWN GOOD JOINING]{1,4} NEW_LINE"
    r" (?P<row>SKIP) (?=[UNKNOWN GOOD JOINING]{1,4} NEW_LINE)"
    # "Clip skip 2? No, 1"; "Clip skip 2. 1 also works".
    rf"| \? NO ,? USE? (?P<answer>{_SKIP}) | {_RUN} [. ,] JOINING? (?P<next>{_SKIP}) (?=JOINING{{0,2}} GOOD)"
    rf"| {_RUN} [.] [WHEN JOINING]{{0,3}} [GOOD USE]{{1,3}} [TO WHEN]? (?P<also>{_SKIP}) {_NO_NOUN}"
)
# Two settings' numbers: "CFG and clip skip: 7 and 2", "Clip skip/CFG: 2/7".
_COUPLED = rule(
    r"SETTING [/ | & OR]{1,2} MENTION [: JOINING TO USE]{0,3} (?:[SKIP OTHER_NUMBER] [- / | , OR &]{1,2})+"
    r" (?P<last>SKIP) | MENTION [/ | & OR]{1,2} SETTING [: JOINING TO USE]{0,3}"
    r" (?P<first>SKIP) [/ | OR , &]{1,2} [SKIP OTHER_NUMBER]"
    r" | MENTION (?:[/ | OR , &]{1,2} SETTING){2,4} [: @] (?P<leads>SKIP) [/ | OR , &]{1,2} [SKIP OTHER_NUMBER]"
)


# To all rules but those of doubt (`negations.is_doubtful`), "is" joins as others do, what is neutral is unknown,
# and "formerly" is a "not".
_UNOWNED: dict[str, str | int | None] = {vocabulary.OWN: vocabulary.JOINING, vocabulary.DEFAULT: vocabulary.JOINING}
_SPOKEN = str.maketrans(_UNOWNED)
_PLAIN = str.maketrans(
    {
        vocabulary.BEING: vocabulary.JOINING,
        vocabulary.CONDITION: vocabulary.WHEN,
        vocabulary.ELSE: vocabulary.BUT,
        vocabulary.FORMER: vocabulary.NOT,
        vocabulary.PAST: vocabulary.JOINING,
        vocabulary.NEUTRAL: UNKNOWN,
        vocabulary.OTHERS: vocabulary.THING,
        **_UNOWNED,
    }
)


@functools.lru_cache(maxsize=1)  # as often as its text has mentions
def _readings(letters: str) -> tuple[str, str]:
    return letters.translate(_SPOKEN), letters.translate(_PLAIN)


def lists(letters: str, mention: int) -> Iterator[tuple[int, int]]:
    """From where to where in `letters` there stand numbers that the words at `mention` recommend or leave to choose."""
    next_mention = letters.find(MENTION, mention + 1)
    end = len(letters) if next_mention < 0 else next_mention
    owned, (spoken, letters) = letters, _readings(letters)
    coupled = _COUPLED.search(letters, max(0, mention - 3), end)
    if coupled and coupled.start() <= mention:
        yield coupled.span(coupled.lastgroup or 0)
        return
    before = letters[max(0, mention - _REACH) : mention]
    found = _AFTER.match(letters, mention + 1, end)
    if found and vocabulary.NOT in letters[mention + 1 : found.start(found.lastgroup or 0)] and _BEFORE.search(before):
        found = None  # "1 for clip skip, not 2"
    if found:
        start, stop = found.span(found.lastgroup or 0)
        gap, goes_on = spoken[mention + 1 : start], stop
        if vocabulary.FORMER in gap:
            return
        joined = re.split("c|.*[,;]", letters[mention + 1 : start])
        said = joined[-1] if len(joined) > 1 else f"{negations.clause(before)}{MENTION}{joined[-1]}"
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
        if not negations.is_anothers(owned[mention - len(before) : mention], gap, owned[goes_on : end + 1]):
            yield start, stop
    for _ in range(_MOST_LISTS):
        further = _FURTHER.match(letters, goes_on, end)
        if not further:
            return
        start, goes_on = further.span(further.lastgroup or 0)
        if further.lastgroup != "not" and not negations.is_negated("", letters[goes_on:end]):
            yield start, goes_on
