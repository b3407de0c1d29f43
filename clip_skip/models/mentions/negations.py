"""What takes a number back, by the units of its clause (`units`), and what leaves in doubt whether it does."""

from __future__ import annotations

import re

from ...text.regex import regex
from . import vocabulary

_REACH = 24  # units after a number that are looked at

# A clause begins after these, but not after the comma of "please don't, ever, use".
_CLAUSE = regex(r"(?:(?<=N),|,(?=h)|[^.;,L?c()|M])*\Z")
# "Do not use a VAE and use clip skip 2" has two clauses.
_OTHER_CLAUSE = regex(r".*N[^M]*[st][^M]{0,2}[o&](?=u)")


def clause(before: str) -> str:
    """The clause that `before` ends in."""
    found = _CLAUSE.search(before)
    return _OTHER_CLAUSE.sub("", found.group() if found else "")


# "Don't forget", "if that doesn't work try", "not bad", "bad if you don't".
_UNDONE = regex(
    r"[fF]?[Nk][jx]?[fF]N?|FN|Nj{1,3}[fb]|Na{1,2}(?=u)|[Nk][jxh]?b|[Nk][jx]?N(?=M)|N[jx]{2,5}:|b[jxit]{0,4}N"
)
# "Instead of clip skip 2", "1 > clip skip 2", "clip skip > 2", "[ ] clip skip 2".
_ANOTHER = regex(r"P[juT]{0,2}M?[^M]{0,2}\Z|d>{1,2}M\Z|^[^>]*M>\Z|(?:\A|L)[-_]?X")
# "It doesn't work without clip skip 2", "nothing but clip skip 2".
_NO_OTHER = regex(r"z[^MstaN]*M|p[^M]{0,3}M?[^M]{0,3}\Z")
_BOUND = regex(r"[gG]")
_AT_LEAST = regex(r"[Nk][ju]{0,3}M?[ju]{0,2}G")
# "A bad idea to use clip skip 2", "bad with clip skip 2", "don't use it", "no clip skip 2".
_NOT_BEFORE = regex(r"^[^i]*b[^iz]+M|b[xtaj]{0,2}[ir][ju]{0,2}M|N|F|k[juriTIq]{0,3}M")
_NOT_AFTER = regex(
    # "2 is bad", "2 for this model does not work", "2 no funciona", "2 has no use", "2 or not".
    r"(?::|\+|&[gG])?(?:[jaTxuiyfgGt:]{0,5}?b|(?:[jaTxuyfgG]{0,4}?|[ri]j?[tmx]j{0,2})N(?![jTu]{0,3}d)"
    r"|[jaTxu]{0,4}?k(?=[auj])|j{1,2}k|oN)"
    # "2: bad", "2 (not recommended)", "2? No.", "2 -> 1".
    r"|[,(:?@_-]{1,2}(?:[jx]?b|jjb|N(?![jTu]{0,3}d)(?:a|u(?!i?m|[jT]?s)|(?=[.;,L)]))|k(?=[.;,L)]))|X(?=[,;L.])|@d"
)
_BUT_GOOD = regex(r"[^.;,L?c()M|/]{0,4},?c[jx]{0,3}a")
# "If you use it, the images get blurry."
_IF_SO_BAD = regex(r",(?:[jxt]{0,4}b|[jxt]{1,4}N)")


def is_negated(before: str, after: str) -> bool:
    """Whether the clause `before` a number, with the words that lead to it, or what comes `after` takes it back."""
    before, after = _UNDONE.sub("", before), _UNDONE.sub("", after[:_REACH])
    if _ANOTHER.search(before) or ("i" in before and _IF_SO_BAD.match(after)):
        return True
    taken_back = _NOT_AFTER.match(after)
    nots = _NOT_BEFORE.search(before) or (taken_back and not _BUT_GOOD.match(after, taken_back.end()))
    if _NO_OTHER.search(before):
        return not (nots or "b" in before)
    if _BOUND.search(before):
        return not _AT_LEAST.search(before)
    return bool(nots) and not after.startswith(vocabulary.ENOUGH)


# What takes back another thing than the number before it: "no VAE", "not 1", "1 is bad", "not needed but better".
_OWN = regex(
    r"[kz][^.,;cdLM]{0,4}?[smDtS]|N[^.,;cdLM]{0,4}?[smD]|[NPOb][jTuxi:]{0,3}[dM](?:[jx]{1,3}O)?|d[jauxvTf]{0,4}[Nb]"
    r"|N[^.,;L]{0,5}[c&][jx]{0,3}[au]|[ua],?cN(?![^.,;L)])|,N[^.,;cdLM]{0,4}[tS]|cjN[jxu]{0,4}t|Nb|NN"
    r"|I[^.,;c]{0,5}[Nb]"
)
# To the end of the sentence, and of one like "You don't."
_REST = regex(r"[^.LCo]*(?:C(?![^.L])|\.[^.L]{0,3}N[^.LsdDtum]{0,2}(?=[.L]))?")
# "2, but I see no gain", "2 and the face gets ugly", "2, that is gone", "2 means".
_TURN = regex(
    r"^[^,;(:]*b|[NkzFCO]|(?:(?:c,?|&)[^.c,]{0,5}|[vV][^.c,]{0,4})b(?!-)|[,;c&][jhtx]{1,3}[vV]x|y[jy]*b|^j?S|q"
)
# "Steer clear of clip skip 2", "clip skip 2 is passé", "was recommended", "fizzles": words not known may take it back.
_UNKNOWN_BEFORE = regex(r"(?:[^ua]*[^uarI])?x[jihrTIvt]{0,5}M")
_UNKNOWN_JUDGEMENT = regex(
    r"(?:&j|[ijtnIyDmf]{0,4})(?:v(?![ijTxnyrv]{0,4}[au])[ijTrntv]{0,4}(?:[xyPp]|[gG](?!d)|nt|-?d)|V(?![jT]{0,3}u)"
    r"|:j(?![^.L]*[au])|j{0,2}u&y(?![^.L]*a))"
)
_UNKNOWN_VERB = regex(r"(?:fj?)?(?:x(?![jTx]{0,3}[au])|n[jTxntis](?![jTxntis]{0,4}[au]))")
# "If clip skip 2 is on", "if it is at 2, put it back to 1", "only use clip skip 2 if", "with clip skip 2 it is pale".
_CONDITION = regex(
    r"I[ijvuxT]{0,5}M(?![^.L]*a)|I[ijvuxT]{0,5}M[^.LCd]*,[^.LCd]*Td|I[ijvxTt]{0,3}Vu[ij]?M|f[^M]*MI|IfM"
    r"|I[^u]{5,}M|ij?M(?=[^.,;:L()riT&|])(?![^.L]*[au])"
)
# "It was clip skip 2", "with or without", "YouTubers use", "SD was trained with", "my other models use".
_OF_ANOTHER = regex(r"VM|[o&/]z|^[xn]*x[xn]*uM|^m[xn]*V?u[ij]*M|^[^u]*?(?<![ri])(?<![ri][^j])(?<![ri][^j]{2})S[^:_]*M")
# "Clip skip, if you had it on 2"; "clip skip does not matter, I tried 1".
_GAP = regex(r"I[^,:)]*\Z|N[^c]*,[^c]*\Z")
# "Formerly, as all did, clip skip 2", "unlike v1 (clip skip 2)", "Avoid:" above a list; "you need no clip skip, add 1".
_BEFORE = regex(r"O[^.LcM]*[,;(][^.LcM]*\Z|[NP][^.LcM,;(]*\(\Z|(?:\A|[L.])[^-_L.d]*[Nb]:?L[-_](?:[^L]*L[-_])*\Z")
_NO_SUCH = regex(r"N[^.,;cCfFM]*M[^cC:M]*,[^cC:M]*\Z")
# "CFG/clip skip: 7/default".
_COLUMN = regex(r"s[/|]{2}\Z")


def is_doubtful(before: str, gap: str, after: str) -> bool:
    """Whether it is in doubt if a number is meant, which stands a `gap` behind the words and the sentence `before`."""
    if _UNKNOWN_JUDGEMENT.match(after):
        return True
    if ":" in gap:
        return bool(_COLUMN.search(before + after[:1]))
    asked = "" if re.search("[c,;]", gap) else f"{clause(before)}M"
    rest = _OWN.sub("", _UNDONE.sub("", (_REST.match(after) or [""])[0])).split(vocabulary.SETTING)[0]
    return bool(
        _UNKNOWN_BEFORE.match(asked)
        or (vocabulary.WITHOUT not in asked and (_TURN.search(rest) or (not gap and _UNKNOWN_VERB.match(after))))
        or _CONDITION.match(asked + after)
        or _OF_ANOTHER.search(asked)
        or _GAP.search(gap)
        or _BEFORE.search(before)
        or _NO_SUCH.search(f"{before}M{gap}")
    )
