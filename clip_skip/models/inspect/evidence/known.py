"""Files whose descent is known by their hash, and names that are a hint of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .evidence import Verdict

TABLE = Path(__file__).with_name("known_models.json")

# The verdicts that say that NovelAI's model is in it.
DESCENT = (Verdict.NAI, Verdict.NAI_DERIVED, Verdict.CONTAINS_NAI)


@dataclass(frozen=True)
class KnownModel:
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
_NEVER = re.compile(
    rf"noob{_GAP}ai"
    rf"|{_START}(?:nai|novel{_GAP}ai){_GAP}(?:xl|(?:diffusion{_GAP})?(?:anime{_GAP})?v?{_GAP}[3-9](?![a-z]))",
    re.IGNORECASE,
)
_NAMES = (
    (
        Verdict.NAI,
        re.compile(rf"{_START}(?:anime(?:full|sfw)(?![a-z])|nai{_GAP}anime{_GAP}v[12](?!\d))", re.IGNORECASE),
    ),
    (
        Verdict.NAI_DERIVED,
        re.compile(
            rf"{_START}anything{_GAP}v{_GAP}[345]|orange{_GAP}mix|{_START}aom[123](?!\d)"
            rf"|{_START}(?:nai|novel{_GAP}ai)(?:{_GAP}v?[12])?(?![a-z0-9])",
            re.IGNORECASE,
        ),
    ),
)
_MAX_NAME = 100_000


def by_name(text: str) -> Named | None:
    """What in `text` names NovelAI's SD 1.x model, or else a descendant of it. Never more than a hint."""
    text = text[:_MAX_NAME]
    if _NEVER.search(text):
        return None
    for lineage, pattern in _NAMES:
        match = pattern.search(text)
        if match:
            return Named(match.group(), lineage)
    return None
