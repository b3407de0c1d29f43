"""What takes a number back, by the units of its clause (`units`), and what leaves in doubt whether it does."""

from __future__ import annotations

import re

from . import vocabulary
from .rules import rule
from .units import MENTION

_REACH = 24  # units after a number that are looked at

# A clause begins after these, but not after the comma of "please don't, ever, use".
_CLAUSE = rule(r"(?:(?<=NOT) , | , (?=THAT) | [^ . ; , NEW_LINE ? BUT () | MENTION])* \Z")
# "Do not use a VAE and use clip skip 2" has two clauses.
_OTHER_CLAUSE = rule(r".* NOT [^ MENTION]* [SETTING THING] [^ MENTION]{0,2} [OR &] (?=USE)")


def clause(before: str) -> str:
    """The clause that `before` ends in."""
    found = _CLAUSE.search(before)
    return _OTHER_CLAUSE.sub("", found.group() if found else "")


# "Don't forget", "if that doesn't work try", "not bad", "bad if you don't".
_UNDONE = rule(
    r"[UNDONE FORGET]? [NOT NO] [JOINING UNKNOWN]? [UNDONE FORGET] NOT? | FORGET NOT"
    r" | NOT JOINING{1,3} [UNDONE BAD] | NOT GOOD{1,2} (?=USE) | [NOT NO] [JOINING UNKNOWN THAT]? BAD"
    r" | [NOT NO] [JOINING UNKNOWN]? NOT (?=MENTION) | NOT [JOINING UNKNOWN]{2,5} :"
    r" | BAD [JOINING UNKNOWN WHEN THING]{0,4} NOT | NOT [JOINING UNKNOWN]{0,4} ENOUGH"
)


def without_undone(letters: str) -> str:
    """`letters` without each "not" that is none."""
    return _UNDONE.sub("", letters)


# "Instead of clip skip 2", "1 > clip skip 2", "clip skip > 2", "[ ] clip skip 2".
_ANOTHER = rule(
    r"INSTEAD [JOINING USE TO]{0,2} MENTION? [^ MENTION]{0,2} \Z | SKIP >{1,2} MENTION \Z"
    r" | ^ [^ >]* MENTION > \Z | (?:\A | NEW_LINE) [- _]? X | X MENTION"
)
# "It doesn't work without clip skip 2", "nothing but clip skip 2".
_NO_OTHER = rule(
    r"WITHOUT [^ MENTION SETTING THING GOOD NOT]* MENTION"
    r" | OTHER_THAN [^ MENTION]{0,3} MENTION? [^ MENTION]{0,3} \Z"
)
_BOUND = rule(r"[ABOVE BELOW]")
_AT_LEAST = rule(r"[NOT NO] [JOINING USE]{0,3} MENTION? [JOINING USE]{0,2} BELOW")
# "A bad idea to use clip skip 2", "bad with clip skip 2", "don't use it", "no clip skip 2".
_NOT_BEFORE = rule(
    r"^ [^ WHEN]* BAD [^ WHEN WITHOUT]+ MENTION"
    r" | BAD [UNKNOWN THING GOOD JOINING]{0,2} [WHEN FOR] [JOINING USE]{0,2} MENTION | NOT | FORGET"
    r" | NO [JOINING USE FOR WHEN TO CONDITION WHAT_IS]{0,3} MENTION"
)
_NOT_AFTER = rule(
    # "2 is bad", "2 for this model does not work", "2 no funciona", "2 has no use", "2 or not".
    r"(?:: | \+ | & [ABOVE BELOW])?"
    r" (?:[JOINING GOOD TO UNKNOWN USE WHEN UNSPACED UNDONE ABOVE BELOW THING :]{0,5}? BAD"
    r" | (?:[JOINING GOOD TO UNKNOWN USE UNSPACED UNDONE ABOVE BELOW]{0,4}?"
    r" | [FOR WHEN] JOINING? [THING MODEL UNKNOWN] JOINING{0,2}) NOT (?![JOINING TO USE]{0,3} SKIP)"
    r" | [JOINING GOOD TO UNKNOWN USE]{0,4}? NO (?=[GOOD USE JOINING]) | JOINING{1,2} NO | OR NOT)"
    # "2: bad", "2 (not recommended)", "2? No.", "2 -> 1".
    r" | [, ( : ? @ _ -]{1,2} (?:[JOINING UNKNOWN]? BAD | JOINING JOINING BAD"
    r" | NOT (?![JOINING TO USE]{0,3} SKIP)"
    r" (?:GOOD | USE (?!WHEN? MODEL | [JOINING TO]? SETTING) | (?=[. ; , NEW_LINE)]))"
    r" | NO (?=[. ; , NEW_LINE)])) | X (?=[, ; NEW_LINE . MENTION]) | @ SKIP | <"
)
_BUT_GOOD = rule(r"[^ . ; , NEW_LINE ? BUT () MENTION | /]{0,4} ,? BUT [JOINING UNKNOWN]{0,3} GOOD")
# "If you use it, the images get blurry."
_IF_SO_BAD = rule(r", (?:[JOINING UNKNOWN THING]{0,4} BAD | [JOINING UNKNOWN THING]{1,4} NOT)")


def is_negated(before: str, after: str) -> bool:
    """Whether the clause `before` a number, with the words that lead to it, or what comes `after` takes it back."""
    before, after = without_undone(before), without_undone(after[:_REACH])
    if _ANOTHER.search(before) or (vocabulary.WHEN in before and _IF_SO_BAD.match(after)):
        return True
    taken_back = _NOT_AFTER.match(after)
    nots = _NOT_BEFORE.search(before) or (taken_back and not _BUT_GOOD.match(after, taken_back.end()))
    if _NO_OTHER.search(before):
        return not (nots or vocabulary.BAD in before)
    if _BOUND.search(before):
        return not _AT_LEAST.search(before)
    return bool(nots) and not after.startswith(vocabulary.ENOUGH)


# What takes back another thing than the number before it: "no VAE", "not 1", "1 is bad", "not needed but better".
_OWN = rule(
    r"[NO WITHOUT] [^ . , ; BUT SKIP NEW_LINE MENTION]{0,4}? [SETTING MODEL OTHER_NUMBER THING OTHERS]"
    r" | NOT [^ . , ; BUT SKIP NEW_LINE MENTION]{0,4}? [SETTING MODEL OTHER_NUMBER]"
    r" | [NOT INSTEAD FORMER BAD] [JOINING TO USE UNKNOWN WHEN :]{0,3} [SKIP MENTION]"
    r" (?:[JOINING UNKNOWN]{1,3} FORMER)? | SKIP [JOINING GOOD USE UNKNOWN BEING TO UNDONE]{0,4} [NOT BAD]"
    r" | NOT [^ . , ; NEW_LINE]{0,5} [BUT &] [JOINING UNKNOWN]{0,3} [GOOD USE]"
    r" | [USE GOOD] ,? BUT NOT (?![^ . , ; NEW_LINE)])"
    r" | , NOT [^ . , ; BUT SKIP NEW_LINE MENTION]{0,4} [THING OTHERS]"
    r" | BUT JOINING NOT [JOINING UNKNOWN USE]{0,4} THING | NOT BAD | NOT NOT"
    r" | CONDITION [^ . , ; BUT]{0,5} [NOT BAD]"
)
# To the end of the sentence, and of one like "You don't."
_REST = rule(
    r"[^ . NEW_LINE ELSE OR]* (?:ELSE (?![^ . NEW_LINE])"
    r" | \. [^ . : NEW_LINE OTHER_NUMBER]{0,3} NOT"
    r" [^ . NEW_LINE SETTING SKIP OTHER_NUMBER THING USE MODEL]{0,2} (?=[. NEW_LINE]))?"
)
# "2, but I see no gain", "2 and the face gets ugly", "2, that is gone", "2 means".
_TURN = rule(
    r"^ [^ , ; ( :]* BAD | [NOT NO WITHOUT FORGET ELSE FORMER]"
    r" | (?:(?:BUT ,? | &) [^ . BUT ,]{0,5} | [BEING PAST] [^ . BUT ,]{0,4}) BAD (?!-)"
    r" | [, ; BUT &] [JOINING THAT THING UNKNOWN]{1,3} [BEING PAST] UNKNOWN | UNSPACED [JOINING UNSPACED]* BAD"
    r" | ^ JOINING? OTHERS | (?<![- _ ,]) WHAT_IS"
)
# "Steer clear of clip skip 2", "clip skip 2 is passé", "was recommended", "fizzles": words not known may take it back.
_UNKNOWN_BEFORE = rule(
    r"(?![^ MENTION]* WHEN UNKNOWN MENTION) (?:[^ USE GOOD]* [^ USE GOOD FOR CONDITION])?"
    r" UNKNOWN [JOINING WHEN THAT FOR TO CONDITION BEING THING]{0,5} MENTION"
)
_UNKNOWN_JUDGEMENT = rule(
    r"(?:& JOINING | [WHEN JOINING THING NEUTRAL CONDITION UNSPACED OTHER_NUMBER MODEL UNDONE]{0,4})"
    r" (?:BEING (?![WHEN JOINING TO UNKNOWN NEUTRAL UNSPACED FOR BEING]{0,4} [GOOD USE])"
    r" [WHEN JOINING TO FOR NEUTRAL THING BEING &]{0,4}"
    r" (?:[UNKNOWN UNSPACED INSTEAD OTHER_THAN] | [ABOVE BELOW] (?!SKIP) | NEUTRAL THING | -? SKIP)"
    r" | : (?:NEUTRAL JOINING | UNKNOWN [NEUTRAL BEING]) [. , ; NEW_LINE]"
    r" | PAST (?![JOINING TO]{0,3} USE) | : JOINING (?![^ . NEW_LINE]* [GOOD USE])"
    r" | JOINING{0,2} USE & UNSPACED (?![^ . NEW_LINE]* GOOD))"
)
_UNKNOWN_VERB = rule(
    r"(?:UNDONE JOINING?)? (?:UNKNOWN (?![JOINING TO UNKNOWN BEING]{0,3} [GOOD USE])"
    r" | NEUTRAL [JOINING TO UNKNOWN NEUTRAL THING WHEN SETTING]"
    r" (?![JOINING TO UNKNOWN NEUTRAL THING WHEN SETTING]{0,4} [GOOD USE]))"
)
# "If clip skip 2 is on", "if it is at 2, put it back to 1", "only use clip skip 2 if", "with clip skip 2 it is pale".
_CONDITION = rule(
    r"CONDITION [WHEN JOINING BEING USE UNKNOWN TO]{0,5} MENTION (?![^ . NEW_LINE]* GOOD)"
    r" | CONDITION [WHEN JOINING BEING USE UNKNOWN TO]{0,5} MENTION"
    r" [^ . NEW_LINE ELSE SKIP]* , [^ . NEW_LINE ELSE SKIP]* TO SKIP"
    r" | CONDITION [WHEN JOINING BEING UNKNOWN TO THING]{0,3} PAST USE [WHEN JOINING]? MENTION"
    r" | UNDONE [^ MENTION]* MENTION CONDITION | CONDITION UNDONE MENTION | CONDITION [^ USE :]{5,} MENTION"
    r" | WHEN WHEN [^ , : USE GOOD]* MENTION"
    r" | WHEN JOINING? MENTION (?=[^ . , ; : NEW_LINE () FOR WHEN TO & |]) (?![^ . NEW_LINE]* [GOOD USE])"
)
# "It was clip skip 2", "with or without", "YouTubers use", "SD was trained with", "my other models use".
_OF_ANOTHER = rule(
    r"PAST MENTION | [OR & /] WITHOUT | ^ TO OTHER_NUMBER [^ : _]* MENTION | [& ,] MODEL [WHEN JOINING]{1,2} MENTION"
    r" | OTHERS USE WHEN MENTION | ^ [UNKNOWN NEUTRAL]* UNKNOWN [UNKNOWN NEUTRAL]* USE MENTION"
    r" | ^ MODEL [UNKNOWN NEUTRAL]* PAST? USE [WHEN JOINING]* MENTION"
    r" | ^ [^ USE]*? (?<![FOR WHEN]) (?<![FOR WHEN] [^ JOINING])"
    r" (?<![FOR WHEN] [^ JOINING]{2}) OTHERS [^ : _]* MENTION"
)
# "Clip skip: at 2 it forgets the trigger".
_SO_IT = rule(r": WHEN \Z")
_IT_DOES = rule(r"JOINING UNKNOWN (?![^ . NEW_LINE]* [GOOD USE])")
# "Clip skip, if you had it on 2"; "clip skip does not matter, I tried 1".
_GAP = rule(r"CONDITION [^ , :)]* \Z | NOT [^ BUT ELSE]* , [^ BUT ELSE]* \Z")
# "Blurry? That's clip skip 2", "NAI (which uses clip skip 2)"; "formerly, as all did, clip skip 2",
# "unlike v1 (clip skip 2)", "Avoid:" above a list; "you need no clip skip, add 1".
_BEFORE = rule(
    r"FORMER [^ . NEW_LINE BUT MENTION]* [, ; (] [^ . NEW_LINE BUT MENTION]* \Z"
    r" | [NOT INSTEAD] [^ . NEW_LINE BUT MENTION , ; (]* \( \Z"
    r" | (?:\A | [NEW_LINE .]) [^ - _ NEW_LINE . SKIP]* [NOT BAD] :? NEW_LINE [- _]"
    r" (?:[^ NEW_LINE]* NEW_LINE [- _])* \Z"
    r" | BAD [^ . NEW_LINE MENTION]{0,3} \? THAT BEING? \Z"
    r" | [MODEL OTHERS] \( THAT [USE JOINING BEING PAST]{0,2} \Z"
    r" | FORMER MENTION SKIP [, ; . NEW_LINE |]{1,2} UNKNOWN : \Z"
)
_NO_SUCH = rule(
    r"NOT [^ . , ; BUT ELSE UNDONE FORGET MENTION]* MENTION [^ BUT ELSE : MENTION]* , [^ BUT ELSE : MENTION]* \Z"
)
_IS_GOOD = rule(r"BEING GOOD")
# "CFG/clip skip: 7/default".
_COLUMN = rule(r"(?<![SKIP OTHER_NUMBER]) SETTING [/ |]{2} \Z")


def is_doubtful(before: str, gap: str, after: str) -> bool:
    """Whether it is in doubt if a number is meant, which stands a `gap` behind the words and the sentence `before`."""
    if _UNKNOWN_JUDGEMENT.match(after) or (_SO_IT.search(gap) and _IT_DOES.match(after)):
        return True
    if ":" in gap:
        return bool(_COLUMN.search(before + after[:1]))
    asked = "" if re.search("[c,;]", gap) else f"{clause(before)}{MENTION}"
    rest = _OWN.sub("", without_undone((_REST.match(after) or [""])[0])).split(vocabulary.SETTING)[0]
    return bool(
        _UNKNOWN_BEFORE.match(asked)
        or (vocabulary.WITHOUT not in asked and (_TURN.search(rest) or (not gap and _UNKNOWN_VERB.match(after))))
        or _CONDITION.match(asked + after)
        or _OF_ANOTHER.search(asked)
        or _GAP.search(gap)
        or _BEFORE.search(before)
        or (not _IS_GOOD.match(after) and _NO_SUCH.search(f"{before}{MENTION}{gap}"))
    )


# "The base wants clip skip 2, mine 1", "Usually advised: clip skip 2. My advice: clip skip 1".
_ELSEWHERE = rule(
    r"^ [^ OWN USE]* [THING MODEL OTHER_NUMBER NEUTRAL UNKNOWN OTHERS] [USE JOINING GOOD :]{1,2} MENTION"
    r" [^ SKIP . , ;]* [, ; . BUT]{1,2} OWN [^ . , ; NEW_LINE MENTION SKIP SETTING]{0,4}"
    r" (?:MENTION | SKIP (?![THING SETTING UNKNOWN]))"
)
# "The default clip skip in A1111 is 1".
_OF_PROGRAM = rule(r"DEFAULT JOINING? MENTION [^ . , ; ( GOOD USE]* WHEN JOINING? [OTHER_NUMBER MODEL NEUTRAL]")


def is_anothers(before: str, gap: str, after: str) -> bool:
    """Whether the number, a `gap` behind the words, is said of another model than the card's, or of a program."""
    if vocabulary.OWN not in after and vocabulary.DEFAULT not in before:
        return False
    sentence = f"{clause(before)}{MENTION}{gap}{after}"
    return bool(_ELSEWHERE.match(sentence) or _OF_PROGRAM.search(sentence))
