"""A diffusion model that a WebUI has loaded, as far as its conditioning goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..models.checkpoint import NO_CHECKPOINT, Checkpoint
from ..skip.architectures import UNKNOWN, Architecture
from .stacks import Stack


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model: its architecture, the stacks of its CLIP text encoders, and the checkpoint that it is.

    `tokenizer` has a method `decode` for a list of ids; CLIP's vocabulary is the same in all its encoders.
    """

    architecture: Architecture
    stacks: tuple[Stack, ...] = ()
    checkpoint: Checkpoint = NO_CHECKPOINT
    tokenizer: Any = None


NOT_LOADED = LoadedModel(UNKNOWN)
