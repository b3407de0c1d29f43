"""Whether a model descends from NovelAI's SD 1.x model: the facts in order of weight, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable

from ....skip.architectures import Architecture
from ....text.plain import quote
from ...checkpoint import is_sha256
from ..evidence.evidence import CERTAIN, HINT, Evidence, Verdict
from ..evidence.known import by_name, lookup, lookup_legacy

# Evidence ids, the weightiest first. The last five are always hints.
LADDER = (
    "user-mark",
    "architecture",
    "known-file",
    "merge-recipe",
    "unet-weights",
    "ema-updates",
    "trainer-metadata",
    "sidecar-hash",
    "legacy-hash",
    "no-text-model",
    "vae-metric",
    "name",
    "sidecar-text",
)


def mark_evidence(mark: str | None) -> list[Evidence]:
    """The user's own word, the text of a `Verdict`; none where there is no such word, or it is "unknown"."""
    if mark not in list(Verdict) or mark == Verdict.UNKNOWN:
        return []
    verdict = Verdict(mark)
    words = {Verdict.NAI_DERIVED: "NAI-derived", Verdict.NOT_NAI: "not NAI-derived"}.get(verdict, verdict)
    return [Evidence("user-mark", CERTAIN, f"You marked it as {words}.", verdict)]


def architecture_evidence(architecture: Architecture) -> list[Evidence]:
    """A model of another known architecture can't descend from an SD 1.x model, whatever its name."""
    if architecture.id in ("sd1", "unknown"):
        return []
    fact = (
        f"It is {architecture.name}" if architecture.encoders or architecture.id != "none" else architecture.reason[:-1]
    )
    return [Evidence("architecture", CERTAIN, f"{fact}; NovelAI's SD 1.x model is SD 1.x.", Verdict.NOT_NAI)]


def hash_evidence(sha256: str | None) -> list[Evidence]:
    """What the table of known files says of the file with this sha256."""
    known = lookup(sha256) if is_sha256(sha256) and sha256 else None
    if known is None:
        return []
    return [Evidence("known-file", CERTAIN, f"By its sha256 it is {quote(known.name)}: {known.why}.", known.lineage)]


def legacy_evidence(hash8: str | None) -> list[Evidence]:
    """What A1111's old 8-digit hash is a hint of."""
    short = lookup_legacy(hash8) if hash8 else None
    if short is None:
        return []
    text = f"It has the short hash of {quote(short.name)}, which other files share."
    return [Evidence("legacy-hash", HINT, text, short.lineage)]


def name_evidence(file_name: str) -> list[Evidence]:
    """What a file's or folder's name is a hint of."""
    named = by_name(file_name)
    return [Evidence("name", HINT, f"Its name has {quote(named.name)} in it.", named.lineage)] if named else []


def order(evidence: Iterable[Evidence]) -> list[Evidence]:
    """The facts as they decide: hints last, otherwise by `LADDER`, and on one rung the stronger first."""

    def weight(fact: Evidence) -> tuple[bool, int, int]:
        rung = LADDER.index(fact.id) if fact.id in LADDER else len(LADDER)
        return fact.strength == HINT, rung, fact.strength.rank

    return sorted(evidence, key=weight)


def deciding(evidence: Iterable[Evidence]) -> Evidence | None:
    """The weightiest fact that says something and is no hint, or None. Hints never decide, however many they are."""
    return next((fact for fact in order(evidence) if fact.strength != HINT and fact.verdict != Verdict.UNKNOWN), None)


def judge(evidence: Iterable[Evidence]) -> Verdict:
    """The verdict: that of the deciding fact, else unknown."""
    fact = deciding(evidence)
    return fact.verdict if fact else Verdict.UNKNOWN
