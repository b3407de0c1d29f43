"""The drift of a prompt on the model that a WebUI has loaded, from the WebUI's own encode of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import NamedTuple, Protocol, TypeVar

from ..conditioning.loaded_model import LoadedModel
from ..conditioning.stacks import Stack
from ..models.checkpoint import Checkpoint
from ..skip.architectures import Encoder
from ..skip.numbers import in_range
from ..text.phrase import Data, Problem
from .clip_tokens import words
from .drift import Drift, Passes, collected, drift

T = TypeVar("T")


class _Host(Protocol):
    """What a measurement asks of a WebUI; `hosts.base.Host` says what it does."""

    def encode(self, prompt: str, work: Callable[[LoadedModel, Callable[[], object]], T]) -> T: ...


class Measured(NamedTuple):
    """One encoder's drift at every whole skip and those asked for, and the prompt's words by their place."""

    drift: Drift
    words: Mapping[int, str]


def measure(host: _Host, prompt: str, checkpoint: Checkpoint, skips: Iterable[Mapping[str, float]]) -> list[Measured]:
    """The drift of each encoder of the loaded model, which has to be `checkpoint`, from one pass of each.

    `skips` are further ones by encoder id; one that is out of range is left out. Never waits, and loads nothing. Raises
    Problem where a job runs, no model is loaded or another one is, or the model has no CLIP skip.
    """
    asked = list(skips)

    def work(model: LoadedModel, encode: Callable[[], object]) -> list[Measured]:
        if model.checkpoint != checkpoint:
            raise Problem("Another model was loaded just now. Please try again.")
        if not model.architecture.encoders:
            raise Problem("No CLIP skip here.", Data(" "), model.architecture.reason)
        stacks = _stacks(model)
        with ExitStack() as scope:
            passes = [scope.enter_context(collected(stack)) for _, stack in stacks]
            encode()
        return [
            Measured(
                _drift(read, encoder, stack, [each.get(encoder.id, 1) for each in asked]),
                words(read.ids, model.tokenizer) if model.tokenizer is not None else {},
            )
            for (encoder, stack), read in zip(stacks, passes, strict=True)
        ]

    return host.encode(prompt, work)


def _stacks(model: LoadedModel) -> list[tuple[Encoder, Stack]]:
    by_id = {stack.encoder_id: stack for stack in model.stacks}
    return [(encoder, by_id[encoder.id]) for encoder in model.architecture.encoders if encoder.id in by_id]


def _drift(read: Passes, encoder: Encoder, stack: Stack, skips: Iterable[float]) -> Drift:
    if encoder.trained_depth not in read:
        raise Problem("The text encoder did not run where CLIP Skip expected it to.")
    wanted = {skip for skip in skips if in_range(skip, encoder.trained_depth)}
    return drift(read, encoder, stack.final_norm, sorted({*range(1, encoder.trained_depth + 1), *wanted}))
