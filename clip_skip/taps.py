"""Layer taps: torch hooks that swap the hidden state a host will read for the blend that was asked for.

The host goes on to do its own chunking, emphasis, textual inversion, final norm and caching. Nothing is replaced:
three kinds of hook on the blocks of an encoder, and gone with `Taps.remove`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from .architectures import Encoder, encoder_id_of
from .resolve import Plan
from .skip import depth_weights

# Where a text encoder keeps its blocks, its final layer norm and its token embedding: transformers (before and after
# 5.6, bare and under a host's wrapper; A1111's own SD3 encoder and ldm_patched copy its names), then OpenCLIP.
_HUGGING_FACE = ("encoder.layers", "final_layer_norm", "embeddings.token_embedding")
_OPEN_CLIP = ("transformer.resblocks", "ln_final", "token_embedding")
_LAYOUTS = (
    ("transformer.text_model.", _HUGGING_FACE),
    ("transformer.", _HUGGING_FACE),
    ("text_model.", _HUGGING_FACE),
    ("", _HUGGING_FACE),
    ("model.", _OPEN_CLIP),
    ("", _OPEN_CLIP),
)


@dataclass(frozen=True)
class Stack:
    """The blocks of one CLIP text encoder, the layer norm that follows them, and, if found, what the ids go into."""

    encoder_id: str
    blocks: nn.ModuleList
    final_norm: nn.Module
    tokens: nn.Module | None = None


def find_stack(module: Any) -> Stack | None:
    """The stack inside `module` (a text encoder, or a host's wrapper around one); None if it is no CLIP encoder."""
    for place, names in _LAYOUTS:
        blocks, norm, tokens = (follow(module, place + name) for name in names)
        if isinstance(blocks, nn.ModuleList) and isinstance(norm, nn.Module):
            encoder_id = encoder_id_of(len(blocks))
            tokens = tokens if isinstance(tokens, nn.Module) else None
            return Stack(encoder_id, blocks, norm, tokens) if encoder_id else None
    return None


class Taps:
    """The taps of one plan on the stacks of one model. Use as a context manager, or `install` and `remove`.

    `calls` counts, per encoder id, how often a tap really swapped a state: the proof that the plan was applied.
    A tap that can't do its work leaves the host's state alone and its reason in `failure`; it never raises.
    """

    def __init__(self, plan: Plan, stacks: Iterable[Stack]) -> None:
        self.calls: dict[str, int] = {}
        self.failure = ""
        self._taps: list[_Tap] = []
        self._handles: list[RemovableHandle] = []
        by_encoder = {stack.encoder_id: stack for stack in stacks}
        for encoder in plan.architecture.encoders:
            if plan.skips[encoder.id] == 1:
                continue
            self.calls[encoder.id] = 0
            if encoder.id in by_encoder:
                self._taps.append(_Tap(self, encoder, by_encoder[encoder.id], plan.skips[encoder.id], plan.blend))

    @property
    def unproven(self) -> list[str]:
        """The encoder ids whose tap was never passed."""
        return [id for id, calls in self.calls.items() if not calls]

    def install(self) -> None:
        if not self._handles:
            try:
                for tap in self._taps:
                    self._handles += tap.install()
            except BaseException:
                self.remove()
                raise

    def remove(self) -> None:
        while self._handles:
            self._handles.pop().remove()
        for tap in self._taps:
            tap.forget()

    def __enter__(self) -> Taps:
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class _Tap:
    def __init__(self, taps: Taps, encoder: Encoder, stack: Stack, skip: float, blend: str) -> None:
        if not encoder.trained_depth <= len(stack.blocks):
            raise ValueError(f"{encoder.name} has {len(stack.blocks)} blocks, {encoder.trained_depth} are needed")
        self._taps = taps
        self._encoder = encoder
        self._stack = stack
        self._weights = depth_weights(skip, encoder.trained_depth)
        self._mix = slerp if blend == "slerp" else lerp
        # Per thread, so that two encodes at once never see each other's states.
        self._local = threading.local()

    def install(self) -> list[RemovableHandle]:
        blocks, trained = self._stack.blocks, self._encoder.trained_depth
        handles = [
            # `prepend`: transformers >= 5 records hidden states in a forward hook of its own.
            blocks[depth - 1].register_forward_hook(self._keeper(depth), prepend=True)
            for depth, _ in self._weights
            if depth != trained
        ]
        handles.append(blocks[trained - 1].register_forward_hook(self._swap, prepend=True))
        following = blocks[trained] if trained < len(blocks) else None
        if following is None and not self._encoder.normed:
            # The host reads the last block without the norm, and pools through it: the norm must see the true state.
            following = self._stack.final_norm
        if following is not None:
            handles.append(following.register_forward_pre_hook(self._restore, with_kwargs=True))
        return handles

    def forget(self) -> None:
        self._local = threading.local()

    def _keeper(self, depth: int) -> Any:
        def keep(module: nn.Module, args: Any, output: Any) -> None:
            state = _state(output)
            if state is not None:
                # A clone, because some hosts add to a hidden state in place.
                self._local.__dict__.setdefault("kept", {})[depth] = state.clone()

        return keep

    def _swap(self, module: nn.Module, args: Any, output: Any) -> Any:
        states = self._local.__dict__.pop("kept", {})
        true = states[self._encoder.trained_depth] = _state(output)
        try:
            blended = self._mix([(states[depth].to(true), weight) for depth, weight in self._weights])
        except Exception as error:
            self._taps.failure = f"{self._encoder.name}: {type(error).__name__}: {error}"
            return None
        self._local.true = true
        self._taps.calls[self._encoder.id] += 1
        return (blended, *output[1:]) if isinstance(output, tuple) else blended

    def _restore(self, module: nn.Module, args: Any, kwargs: Any) -> Any:
        true = self._local.__dict__.pop("true", None)
        if true is None:
            return None
        if args:
            return (true, *args[1:]), kwargs
        for name, value in kwargs.items():
            if isinstance(value, torch.Tensor) and value.shape == true.shape:
                return args, {**kwargs, name: true}
        return None


def lerp(parts: list[tuple[torch.Tensor, float]]) -> torch.Tensor:
    """The weighted sum of states of shape (..., width), in their own dtype; half types are summed in float32."""
    if len(parts) == 1:
        return parts[0][0]
    (a, weight_a), (b, weight_b) = parts
    wide = torch.promote_types(a.dtype, torch.float32)
    return (weight_a * a.to(wide) + weight_b * b.to(wide)).to(a.dtype)


def slerp(parts: list[tuple[torch.Tensor, float]]) -> torch.Tensor:
    """Per token, the spherical interpolation of direction and the linear one of norm, between two states."""
    if len(parts) == 1:
        return parts[0][0]
    (a, weight_a), (b, weight_b) = parts
    wide = torch.promote_types(a.dtype, torch.float32)
    norm_a, norm_b = (x.to(wide).norm(dim=-1, keepdim=True) for x in (a, b))
    unit_a, unit_b = (x.to(wide) / norm.clamp_min(torch.finfo(wide).tiny) for x, norm in ((a, norm_a), (b, norm_b)))
    angle = torch.acos((unit_a * unit_b).sum(dim=-1, keepdim=True).clamp(-1, 1))
    sine = torch.sin(angle)
    # Where the two point (almost) the same or opposite ways the arc is not defined: the chord stands in for it.
    flat = sine < 1e-4
    safe = torch.where(flat, torch.ones_like(sine), sine)
    direction = torch.where(
        flat,
        weight_a * unit_a + weight_b * unit_b,
        (torch.sin(weight_a * angle) * unit_a + torch.sin(weight_b * angle) * unit_b) / safe,
    )
    return (direction * (weight_a * norm_a + weight_b * norm_b)).to(a.dtype)


def _state(output: Any) -> Any:
    """The hidden state in what a block returned, None if there is none."""
    state = output[0] if isinstance(output, tuple) and output else output
    return state if isinstance(state, torch.Tensor) else None


def follow(module: Any, path: str) -> Any:
    """What lies at `path` under `module`, None if nothing does."""
    for name in path.split("."):
        module = getattr(module, name, None)
    return module
