"""The skip to use with a model: what was said about it, weighed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ....skip.architectures import Architecture
from ....skip.auto import NAI_SKIP
from ....skip.numbers import number
from ....text.plain import quote
from ..evidence.evidence import CERTAIN, DESCENDANTS, STRONG, Evidence, SkipStatement, Verdict
from ..evidence.known import KnownModel
from .ladder import deciding

# The recommendation that is descent alone.
LINEAGE = "nai-lineage"
# Ids of the statements that recommend, the weightiest first: a person's words before counts of pictures, which may be
# others', and of each what lies beside the file before what is known by its hash. The weights say "trained-layers".
SKIP_LADDER = (
    "modelspec",
    "ss-clip-skip",
    "ot-config",
    "trained-layers",
    "lora-manager",
    "civitai-version",
    "yaml",
    "description",
    "known-author",
    "listed-card",
    "sample-images",
    "listed-samples",
    LINEAGE,
)

# Those of them that count pictures.
SAMPLES = ("sample-images", "listed-samples")

# What may decide the verdict, certain or strong, where descent alone is reason enough to recommend NovelAI's own skip.
_SURE = ("user-mark", "known-file", "merge-recipe", "unet-weights", "ema-updates")


@dataclass(frozen=True)
class Recommendation:
    """A skip by encoder id, in the user's number; the id of the statement that it comes from, and its words."""

    skip: dict[str, float]
    source: str
    text: str


def author_statement(known: KnownModel) -> SkipStatement | None:
    """What the author of a known file recommends on its card. Several numbers are no preference: an empty `skip`."""
    if not known.skips:
        return None
    said = " or ".join(f"{skip:g}" for skip in known.skips)
    text = f"The author of {quote(known.name)} recommends clip skip {said}."
    return SkipStatement("known-author", text, {"l": float(known.skips[0])} if len(known.skips) == 1 else {})


def recommend(
    architecture: Architecture,
    statements: Iterable[SkipStatement],
    lineage_verdict: Verdict,
    evidence: Iterable[Evidence],
) -> Recommendation | None:
    """The skip that the weightiest statement names, else NovelAI's own for a sure descendant, else None.

    None on every architecture but SD 1.x: the others are read where they were trained, whatever their cards say.
    An author who leaves the choice ("1 or 2", on the card of a known file or in a description) has been asked and has
    no preference, so descent does not make one up.
    """
    if architecture.id != "sd1":
        return None
    ranked = _ranked(statements)
    for statement in ranked:
        if statement.skip:
            return Recommendation(dict(statement.skip), statement.id, statement.text)
    if any(statement.leaves_choice for statement in ranked):
        return None
    fact = deciding(evidence)
    if lineage_verdict in DESCENDANTS and fact is not None and _is_sure(fact):
        return by_descent()
    return None


def _is_sure(fact: Evidence) -> bool:
    return fact.id in _SURE and fact.strength in (CERTAIN, STRONG)


def by_descent(skip: float = NAI_SKIP) -> Recommendation:
    """What descent from NovelAI's SD 1.x model alone recommends, where the user's setting for that is `skip`."""
    text = (
        "NovelAI's SD 1.x model was trained with clip skip 2, and this model descends from it."
        if skip == NAI_SKIP
        else f"The setting for descendants of NovelAI's SD 1.x model is {number(skip)}, and this model is one."
    )
    return Recommendation({"l": float(skip)}, LINEAGE, text)


def trained_skip(statements: Iterable[SkipStatement]) -> float | None:
    """The skip that an SD 1.x model or LoRA was trained with, by the weightiest statement that says so."""
    for statement in _ranked(statements):
        if statement.trained and set(statement.skip) == {"l"}:
            return statement.skip["l"]
    return None


def _ranked(statements: Iterable[SkipStatement]) -> list[SkipStatement]:
    known = [statement for statement in statements if statement.id in SKIP_LADDER]
    return sorted(known, key=lambda statement: SKIP_LADDER.index(statement.id))
