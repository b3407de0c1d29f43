"""Files whose descent is known by their hash, and names that are a hint of it."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ....text.regex import regex
from ...mentions import has_negation
from .evidence import Verdict

TABLE = Path(__file__).with_name("known_models.json")

# The verdicts that say that NovelAI's model is in it.
DESCENT = (Verdict.NAI, Verdict.NAI_DERIVED, Verdict.CONTAINS_NAI)


class KnownModel(NamedTuple):
    """One file of the table.

    `skips` is what its author's card recommends: empty where it says nothing, several numbers where it leaves the
    choice. `reference` names the UNet as which it serves the weight test ("nai", "wd1.3", "sd1.4", "sd1.5"), and
    `stands_for` the one in whose place it serves until that is there.
    """

    name: str
    lineage: Verdict
    why: str
    skips: tuple[float, ...] = ()
    reference: str | None = None
    stands_for: str | None = None

    @property
    def reference_label(self) -> str | None:
        """The label of the reference that it can be learned as, None where it can be none."""
        return self.reference or (f"{self.stands_for}-like" if self.stands_for else None)


class Named(NamedTuple):
    """What is recognised without certainty: the name, and the verdict that it is a hint of."""

    name: str
    lineage: Verdict


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, KnownModel], dict[str, Named]]:
    table = json.loads(TABLE.read_text(encoding="utf8"))
    models = {
        sha256: KnownModel(**{**row, "lineage": Verdict(row["lineage"]), "skips": tuple(row.get("skips", ()))})
        for sha256, row in table["models"].items()
    }
    return models, {hash8: Named(row["name"], Verdict(row["lineage"])) for hash8, row in table["legacy"].items()}


def lookup(sha256: str) -> KnownModel | None:
    """The known file with this sha256 (64 hexadecimal digits, in either case)."""
    return _tables()[0].get(sha256.lower())


def lookup_legacy(hash8: str) -> Named | None:
    """The known file with A1111's old 8-digit hash: a hint only, since unrelated files share it."""
    return _tables()[1].get(hash8.lower())


_START = r"(?<![a-z0-9])"
_GAP = r"[-_ .]{0,3}"  # bounded: names come from files, and an open run would take a search quadratic time

# NovelAI's later models are SDXL or their own, and NoobAI is no kin of it: one of these makes the whole text no hint.
_NEVER = regex(
    rf"noob{_GAP}ai"
    rf"|{_START}(?:nai|novel{_GAP}ai){_GAP}(?:xl|(?:diffusion{_GAP})?(?:anime{_GAP})?v?{_GAP}[3-9](?![a-z]))",
    re.IGNORECASE,
)
_NAMES = (
    (
        Verdict.NAI,
        regex(rf"{_START}(?:anime(?:full|sfw|final-full)(?![a-z])|nai{_GAP}anime{_GAP}v[12](?!\d))", re.IGNORECASE),
    ),
    (
        Verdict.NAI_DERIVED,
        regex(
            rf"{_START}anything{_GAP}v{_GAP}[345]|orange{_GAP}mix(?!er|ed|ing|ture)|{_START}aom[123](?!\d)"
            rf"|{_START}(?:nai|novel{_GAP}ai)(?:{_GAP}v?[12])?(?![a-z0-9])",
            re.IGNORECASE,
        ),
    ),
)
_MAX_NAME, _MAX_MATCHES = 100_000, 100
# A clause ends where a sign, East Asian ones too, or a sentence does; a "not" or a VAE in it is no other clause's.
_CLAUSE_END = regex(r"[,;!?\n()\[\]\uff0c\u3001\u3002\uff1b]|\.(?:\s|\Z)")
_REACH = 60
_FREE_OF = regex(
    r"(?<![a-z])(?:non|zero|(?:free|clean|clear) of|exclud(?:es?|ing|ed)|alternatives? to|compatible with)(?![a-z])"
    r"|(?<!\d)0 ?%|\u975e|[\u8131\u7121\u65e0]\Z",
    re.IGNORECASE,
)
# "NAI-free", "NAIなし", "NAI抜き", "NAI is excluded"; and "novelai-webui" is a program.
_FREE = regex(
    rf"(?:{_GAP}leak(?:ed|s)?)?{_GAP}(?:(?:free|less)(?![a-z])|\u306a\u3057|\u629c\u304d|\u30d5\u30ea\u30fc|\ubbf8\uc0ac\uc6a9|web{_GAP}ui"
    r"|(?:(?:was|is|were|are|has been|fully) ){0,2}(?:exclu|remov))",
    re.IGNORECASE,
)
# The words after the name that a "not" is among, if it is said of that.
_WORDS_AFTER = regex(r"\W{0,2}(?:(?!and|but|or\b|with)\w+\W{1,2}){0,2}\w{0,20}")
_VAE = regex(r"(?<![a-z])vaes?(?![a-z])", re.IGNORECASE)
# "VAE (NAI)", "VAE: animevae, anything-v4", "embedded VAE (A3 / NAI": a sign parts them, and it is the VAE still.
_VAE_LISTED = regex(
    r"(?<![a-z])vaes?(?:\s?[:\uff1a]\s?[-*\u2022]?\s?|\]\s?|\u63a8[\u8350\u85a6][:\uff1a]?\s?|[ ,(/]{1,3})"
    r"(?:(?!based|merge|mix|made|model|train)(?:e\.g\.|\w+)[- ,(/\n*\u2022]{1,3}){0,5}\Z",
    re.IGNORECASE,
)
# What the rest of a folder's name and its end look like, with the full-width strokes of Chinese and Japanese keyboards.
_STROKES = r"\\/\uff0f\uff3c"
_FOLDER = regex(rf"[^\s{_STROKES},;\"']{{0,100}}[{_STROKES}]")
_PARTS = regex(f"[{_STROKES}]")


def by_name(text: str) -> Named | None:
    """What in `text` names NovelAI's SD 1.x model, or else a descendant of it. Never more than a hint.

    A folder's name, a VAE's and a negated one ("not NAI", "NAI-free") are no such name.
    """
    text = text[:_MAX_NAME]
    if _NEVER.search(text):
        return None
    for lineage, pattern in _NAMES:
        for match in islice(pattern.finditer(text), _MAX_MATCHES):
            if _of_a_model(text, match.start(), match.end()):
                return Named(match.group(), lineage)
    return None


def by_file_name(path: str) -> Named | None:
    """As `by_name`, of the file or folder at `path` alone: the folders above it are its user's."""
    return by_name(["", *filter(None, _PARTS.split(path[-_MAX_NAME:]))][-1])


def _of_a_model(text: str, start: int, end: int) -> bool:
    """Whether what `text` names from `start` to `end` is said to be a model that this one has in it."""
    before = _CLAUSE_END.split(text[max(0, start - _REACH) : start])[-1]
    after = _CLAUSE_END.split(text[end : end + _REACH])[0]
    return not (
        has_negation(before.replace("_", " "))
        or has_negation((_WORDS_AFTER.match(after) or [""])[0])
        or _FREE_OF.search(before)
        or _FREE.match(after)
        or _VAE.search(before)
        or _VAE_LISTED.search(text[max(0, start - _REACH) : start])
        or _VAE.search(after)
        or _FOLDER.match(text, end)
    )
