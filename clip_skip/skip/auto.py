"""What Auto uses: a model's preset, else what the model says about itself, else the settings, else as trained. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..text.phrase import Data, Phrase
from .architectures import Architecture

# What NovelAI's SD 1.x model was trained with: what its descendants are read with unless the user's setting says other.
NAI_SKIP: float = 2


class _Preset(Protocol):
    """What counts of a preset: the skip of each encoder id that it names, and the blend."""

    @property
    def skip(self) -> Mapping[str, float]: ...
    @property
    def blend(self) -> str: ...


class _Recommendation(Protocol):
    """Who recommends which skip by encoder id: an id, and words for the user."""

    @property
    def skip(self) -> Mapping[str, float]: ...
    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...


class _Facts(Protocol):
    """What counts of a model's facts: what its file says that it is, and what they recommend."""

    @property
    def architecture(self) -> Architecture: ...
    @property
    def recommended(self) -> _Recommendation | None: ...


@dataclass(frozen=True)
class Auto:
    """Each encoder's skip, the blend, and where they come from: an id, and words for the user.

    `source` is "preset", the id of what recommends it (`recommend.SKIP_LADDER`), "settings" or "trained".
    """

    skips: Mapping[str, float]
    blend: str = "linear"
    source: str = "trained"
    text: Phrase = ("as trained",)

    @property
    def as_trained(self) -> bool:
        return all(skip == 1 for skip in self.skips.values())


@dataclass(frozen=True)
class Defaults:
    """The host's settings: a skip per (architecture id, encoder id), and the skip of CLIP-L on descendants of NAI."""

    skips: Mapping[tuple[str, str], float] = field(default_factory=dict)
    nai: float = NAI_SKIP


def automatic(architecture: Architecture, preset: _Preset | None, facts: _Facts | None, defaults: Defaults) -> Auto:
    """The first of the sources that says anything. An encoder that it leaves out is read as trained."""
    encoders = [encoder.id for encoder in architecture.encoders]

    def each(skips: Mapping[str, float]) -> dict[str, float]:
        return {id: skips.get(id, 1.0) for id in encoders}

    if preset is not None and any(id in preset.skip for id in encoders):
        return Auto(each(preset.skip), preset.blend, "preset", ("this model's preset",))
    recommended = facts.recommended if facts is not None and facts.architecture.id == architecture.id else None
    if recommended is not None:
        return Auto(each(recommended.skip), source=recommended.source, text=(Data(recommended.text),))
    skips = {id: defaults.skips.get((architecture.id, id), 1.0) for id in encoders}
    if any(skip != 1 for skip in skips.values()):
        return Auto(skips, source="settings", text=("the default in Settings for", Data(f" {architecture.name}")))
    return Auto(each({}))
