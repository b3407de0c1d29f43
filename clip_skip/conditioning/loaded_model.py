"""A diffusion model that a WebUI has loaded, as far as its conditioning goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..models.checkpoint import NO_CHECKPOINT, Checkpoint
from ..skip.architectures import UNKNOWN, Architecture
from .stacks import Stack


class Tokenizer(Protocol):
    """CLIP's vocabulary, which is the same in all its encoders."""

    def decode(self, ids: list[int], /) -> str: ...


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model: its architecture, the stacks of its CLIP text encoders, and the checkpoint that it is."""

    architecture: Architecture
    stacks: tuple[Stack, ...] = ()
    checkpoint: Checkpoint = NO_CHECKPOINT
    tokenizer: Tokenizer | None = None


NOT_LOADED = LoadedModel(UNKNOWN)
