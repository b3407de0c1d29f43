"""Everything that a model file and the files beside it say about the model, in one place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ...skip.architectures import ARCHITECTURES, UNKNOWN, Architecture
from ...text.log import logger
from .evidence import metadata
from .evidence.evidence import Evidence, SkipStatement, Strength, Verdict
from .evidence.known import lookup
from .evidence.listed import listed_statements
from .evidence.metadata import BaseModel, base_model
from .evidence.sidecars import Sidecars, read_sidecars
from .formats.contents import Contents, ContentsError
from .formats.reader import read_contents
from .identity.identify import Identity, identify_contents
from .verdict import ladder
from .verdict.recommend import LINEAGE, Recommendation, author_statement, by_descent, recommend, trained_skip
from .weights import fingerprints, trained_layers
from .weights.descent import weight_evidence
from .weights.references import NO_REFERENCES, References


@dataclass(frozen=True)
class ModelFacts:
    """What is known about one model.

    `verdict` is on descent from NovelAI's SD 1.x model; `evidence` begins with what decides
    and keeps what contradicts it. `statements` are all words on the skip, `recommended` what follows from them, and
    `trained_skip` what the model (or LoRA) was trained with, each None if nothing says so. `error` is set, and nothing
    else is known, where the file could not be read.
    """

    file: str
    architecture: Architecture = UNKNOWN
    kind: str = "unknown"
    variant: str = ""
    quantised: str = ""
    verdict: Verdict = Verdict.UNKNOWN
    evidence: tuple[Evidence, ...] = ()
    recommended: Recommendation | None = None
    trained_skip: float | None = None
    statements: tuple[SkipStatement, ...] = ()
    base: BaseModel | None = None
    error: str | None = None

    def with_descent(self, skip: float) -> ModelFacts:
        """The same facts, where the user's setting for NovelAI's descendants is `skip`."""
        if self.recommended is None or self.recommended.source != LINEAGE:
            return self
        return replace(self, recommended=by_descent(skip))

    def as_json(self) -> dict[str, object]:
        """The facts as plain JSON values: the form that the command line and the REST interface give out."""
        return {
            "file": self.file,
            "architecture": self.architecture.id,
            "kind": self.kind,
            "variant": self.variant,
            "quantised": self.quantised,
            "encoders": [
                {"id": e.id, "blocks": e.blocks, "trained_depth": e.trained_depth} for e in self.architecture.encoders
            ],
            "lineage": {"verdict": self.verdict, "evidence": [_evidence_json(e) for e in self.evidence]},
            "recommended": self.recommended and {"skip": self.recommended.skip, "source": self.recommended.source},
            "trained_skip": self.trained_skip,
            "skip_statements": [{"id": s.id, "skip": s.skip, "text": s.text} for s in self.statements],
            "base_model": self.base and vars(self.base),
            "error": self.error,
        }

    def to_text(self) -> str:
        """The facts as a text that `from_text` gives back whole."""
        return json.dumps({**asdict(self), "architecture": self.architecture.id})

    @classmethod
    def from_text(cls, text: str) -> ModelFacts:
        """The facts that `to_text` wrote. Raises ValueError, KeyError or TypeError on another text."""
        values = json.loads(text)
        values["architecture"] = ARCHITECTURES[values["architecture"]]
        values["verdict"] = Verdict(values["verdict"])
        values["evidence"] = tuple(
            Evidence(**{**e, "strength": Strength(e["strength"]), "verdict": Verdict(e["verdict"])})
            for e in values["evidence"]
        )
        values["statements"] = tuple(SkipStatement(**s) for s in values["statements"])
        values["recommended"] = values["recommended"] and Recommendation(**values["recommended"])
        values["base"] = values["base"] and BaseModel(**values["base"])
        return cls(**values)


def _evidence_json(evidence: Evidence) -> dict[str, str]:
    return {"id": evidence.id, "strength": evidence.strength, "text": evidence.text}


def inspect(
    path: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    mark: str | None = None,
    references: References = NO_REFERENCES,
    weights: bool = True,
    thorough: bool = False,
) -> ModelFacts:
    """What the model file or diffusers folder at `path` and the files beside it say. Never raises.

    `sha256` is the file's own, where the caller has it; `mark` the user's word on its lineage; `references` the
    learned UNets to compare with. Without `weights` only names, shapes and texts are read (about 2 ms); with them up
    to 64 MB of numbers; `thorough` reads the whole VAE too (seconds).
    """
    try:
        contents = read_contents(path)
        identity = identify_contents(contents)
        beside = read_sidecars(path, sha256)
        evidence = ladder.order(
            [
                *ladder.mark_evidence(mark),
                *ladder.architecture_evidence(identity.architecture),
                *_text_evidence(Path(path), contents, beside, sha256),
                *(_weight_evidence(Path(path), contents, identity, references, thorough) if weights else ()),
            ]
        )
        statements = (*_statements(contents, identity, beside, references, weights), *_author_statement(sha256))
        return _sum_up(Path(path), contents, identity, evidence, statements)
    except (OSError, ContentsError) as error:
        return unread(path, error)
    except Exception as error:  # an error of ours must not cost the user more than this answer
        logger.exception("inspecting %r failed", os.fspath(path))
        return ModelFacts(os.fspath(path), error=f"not inspected: {type(error).__name__}: {error}")


def unread(path: str | os.PathLike[str], error: OSError | ContentsError) -> ModelFacts:
    """The facts of a file that could not be read, and why; not where it lies, which may be shown to strangers."""
    reason = error.strerror if isinstance(error, OSError) else None
    return ModelFacts(os.fspath(path), error=reason or str(error))


def _sum_up(
    path: Path,
    contents: Contents,
    identity: Identity,
    evidence: list[Evidence],
    statements: tuple[SkipStatement, ...],
) -> ModelFacts:
    verdict = ladder.judge(evidence)
    return ModelFacts(
        file=os.fspath(path),
        architecture=identity.architecture,
        kind=identity.kind,
        variant=identity.variant,
        quantised=identity.quantised,
        verdict=verdict,
        evidence=tuple(evidence),
        recommended=recommend(identity.architecture, statements, verdict, evidence),
        trained_skip=trained_skip(statements),
        statements=statements,
        base=base_model(contents.metadata) if identity.kind == "lora" else None,
    )


def _text_evidence(path: Path, contents: Contents, beside: Sidecars, sha256: str | None) -> Iterator[Evidence]:
    yield from ladder.hash_evidence(sha256)
    yield from metadata.lineage_evidence(contents.metadata)
    yield from beside.lineage_evidence()
    yield from ladder.name_evidence(path.name)


def _weight_evidence(
    path: Path, contents: Contents, identity: Identity, references: References, thorough: bool
) -> Iterator[Evidence]:
    if identity.architecture.id != "sd1" or identity.kind == "lora":
        return
    found = [
        weight_evidence(contents, references),
        fingerprints.ema_updates(contents, references),
        fingerprints.text_model_evidence(contents),
        fingerprints.vae_evidence(contents) if thorough else None,
    ]
    yield from filter(None, found)
    yield from ladder.legacy_evidence(fingerprints.legacy_hash(path) if path.is_file() else None)


def _statements(
    contents: Contents, identity: Identity, beside: Sidecars, references: References, weights: bool
) -> Iterator[SkipStatement]:
    architecture_id, by_weights = identity.architecture.id, None
    told = metadata.skip_statements(contents.metadata, architecture_id)
    if weights and identity.kind == "lora":
        by_weights = trained_layers.lora_statement(contents, architecture_id)
        told = [trained_layers.contradicted(statement, by_weights) for statement in told]
    elif weights:
        by_weights = trained_layers.checkpoint_statement(contents, references)
    yield from told
    yield from beside.skip_statements(architecture_id)
    if by_weights is not None:
        yield by_weights


def _author_statement(sha256: str | None) -> Iterator[SkipStatement]:
    known = lookup(sha256) if sha256 else None
    statement = author_statement(known) if known else None
    if statement is not None:
        yield statement
    if sha256:
        yield from listed_statements(sha256)
