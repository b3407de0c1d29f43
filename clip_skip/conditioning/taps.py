"""Layer taps: torch hooks that swap the hidden state a host will read for the blend that was asked for.

The host goes on to do its own chunking, emphasis, textual inversion, final norm and caching. Nothing is replaced:
three kinds of hook on the blocks of an encoder, and gone with `Taps.remove`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeAlias, TypeGuard

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from ..skip.architectures import Encoder
from ..skip.numbers import depth_weights
from ..skip.plan import Plan
from .blends import lerp, slerp
from .compiled import Eager, run_eagerly
from .stacks import Stack, callers
from .states import States

_ANOTHER_BLOCK = "another extension read another layer of the text encoder"

# What a module is called with.
Arguments: TypeAlias = "tuple[tuple[object, ...], dict[str, object]]"


class Taps:
    """The taps of one plan on the stacks of one model. Use as a context manager, or `install` and `remove`.

    `calls` counts, per encoder id, how often a tap really swapped a state: the proof that the plan was applied.
    A tap that can't do its work leaves the host's state alone, and never raises. The first reason of each encoder is
    kept in `failures`, by its id, and `on_failure([id], reason)` is told of it at once. `overruled` is why something
    else was read than what they put there, empty where that is not so.
    """

    def __init__(
        self, plan: Plan, stacks: Iterable[Stack], on_failure: Callable[[list[str], str], None] = lambda *_: None
    ) -> None:
        self.calls: dict[str, int] = {}
        self.failures: dict[str, str] = {}
        self._overruled = ""
        self._reads: list[set[bool]] = []  # of each run of an encoder: whether what was taken is what was put there
        self._on_failure = on_failure
        self._taps: list[_Tap] = []
        self._handles: list[RemovableHandle | Eager] = []
        by_encoder = {stack.encoder_id: stack for stack in stacks}
        for encoder in plan.architecture.encoders:
            if plan.skips[encoder.id] == 1:
                continue
            self.calls[encoder.id] = 0
            if encoder.id in by_encoder:
                self._taps.append(_Tap(self, encoder, by_encoder[encoder.id], plan.skips[encoder.id], plan.blend))

    @property
    def overruled(self) -> str:
        if self._overruled or {False} not in self._reads:
            return self._overruled
        return _ANOTHER_BLOCK

    @property
    def not_passed(self) -> list[str]:
        """The encoder ids whose tap was never reached."""
        return [id for id, calls in self.calls.items() if not calls and id not in self.failures]

    @property
    def unproven(self) -> list[str]:
        """The encoder ids whose tap was never reached, or failed even once."""
        return [*self.not_passed, *self.failures]

    def failed(self, encoder: Encoder, error: Exception) -> None:
        """The tap of this encoder could not do its work."""
        if encoder.id not in self.failures:
            self.failures[encoder.id] = f"{type(error).__name__}: {error}"
            self._on_failure([encoder.id], self.failures[encoder.id])

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
            tap.clear()

    def give_way(self, why: str) -> None:
        """Be gone: somebody else decides what is read."""
        self.remove()
        self._overruled = self._overruled or why

    def taken_of(self, put: torch.Tensor) -> Callable[[Any], None]:
        """What to call for each state that is taken of a run in which `put` was put where the host reads."""
        read: set[bool] = set()
        self._reads.append(read)
        return lambda state: read.add(state is put)

    def another_block(self) -> None:
        """What was read is not what was put there."""
        self._overruled = self._overruled or _ANOTHER_BLOCK

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

    def install(self) -> list[RemovableHandle | Eager]:
        blocks, trained = self._stack.blocks, self._encoder.trained_depth
        handles: list[RemovableHandle | Eager] = [
            # `prepend`: transformers >= 5 records hidden states in a forward hook of its own.
            blocks[depth - 1].register_forward_hook(_on(blocks[depth - 1], self._keeper(depth)), prepend=True)
            for depth, _ in self._weights
            if depth != trained
        ]
        tap = blocks[trained - 1]
        handles.append(tap.register_forward_hook(_on(tap, self._swap), prepend=True))
        if self._stack.module is not None:
            handles += run_eagerly(self._stack.module)
        following = blocks[trained] if trained < len(blocks) else None
        if following is None and not self._encoder.normed:
            # The host reads the last block without the norm, and pools through it: the norm must see the true state.
            following = self._stack.final_norm
        if following is not None:
            handles.append(following.register_forward_pre_hook(_on(following, self._restore), with_kwargs=True))
        if self._encoder.normed:
            norm = self._stack.final_norm
            handles.append(norm.register_forward_pre_hook(_on(norm, self._compare)))
            if trained < len(blocks):
                handles.append(blocks[-1].register_forward_hook(_on(blocks[-1], self._ended)))
        else:
            handles += [part.register_forward_hook(_on(part, self._watch)) for part in callers(self._stack)]
        return handles

    def clear(self) -> None:
        self._local = threading.local()

    def _keeper(self, depth: int) -> Callable[[nn.Module, object, object], None]:
        def keep(module: nn.Module, args: object, output: object) -> None:
            kept = self._local.__dict__.setdefault("kept", {})
            kept.pop(depth, None)  # left by an encode that was broken off
            try:
                # A clone, because some hosts add to a hidden state in place.
                kept[depth] = _state(output).clone()
            except Exception as error:
                self._taps.failed(self._encoder, error)

        return keep

    def _swap(self, module: nn.Module, args: object, output: object) -> object:
        states = self._local.__dict__.pop("kept", {})
        self._local.__dict__.pop("swapped", None)  # where the host does not run what follows
        self._local.__dict__.pop("put", None)
        self._local.__dict__.pop("last", None)
        try:
            true = states[self._encoder.trained_depth] = _state(output)
            blended = self._mix([(states[depth].to(true), weight) for depth, weight in self._weights])
        except Exception as error:
            self._taps.failed(self._encoder, error)
            return None
        self._local.swapped = true, blended
        self._local.put = blended
        self._taps.calls[self._encoder.id] += 1
        return (blended, *output[1:]) if isinstance(output, tuple) else blended

    def _ended(self, module: nn.Module, args: object, output: object) -> None:
        """The end of a stack that runs on after the tap: what it norms there of itself is not what is read."""
        with suppress(TypeError):
            self._local.last = _state(output)

    def _compare(self, module: nn.Module, args: tuple[object, ...]) -> None:
        """What is normed to be read is what was put there: nobody reads another block."""
        put, last = (getattr(self._local, name, None) for name in ("put", "last"))
        if put is None or not args or any(args[0] is each for each in (put, last)) or not _fits(args[0], put):
            return
        if not torch.equal(args[0].to(put), put):
            self._taps.another_block()

    def _watch(self, module: nn.Module, args: object, output: Any) -> None:
        """Where no norm follows that would see what is read: have the states tell which of them are."""
        states, put = getattr(output, "hidden_states", None), getattr(self._local, "put", None)
        if put is not None and isinstance(states, tuple) and any(state is put for state in states):
            with suppress(AttributeError):  # where a program's own kind of output can't be changed
                output.hidden_states = States(states, self._taps.taken_of(put))

    def _restore(self, module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> Arguments | None:
        swapped = self._local.__dict__.pop("swapped", None)
        if swapped is None:
            return None
        true, blended = swapped
        try:
            return _with_state(true, args, kwargs)
        except Exception as error:
            self._taps.failed(self._encoder, error)
            # What follows must not run on the blend. The blend is ours and the host holds it: it becomes the true state
            # again for both, rather than being read while everything after it is wrong.
            with suppress(Exception):
                blended.copy_(true)
            return None


def _on(module: nn.Module, hook: Callable[..., object]) -> Callable[..., object]:
    """`hook` for this module alone: a copy of an encoder, which takes its hooks along for good, is nobody's."""

    def on(called: nn.Module, *given: object) -> object:
        return hook(called, *given) if called is module else None

    return on


def _state(output: object) -> torch.Tensor:
    """The hidden state in what a block returned. Raises TypeError if there is none."""
    state = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(state, torch.Tensor):
        raise TypeError(f"a block returned {type(state).__name__} instead of a state")
    return state


def _with_state(state: torch.Tensor, args: tuple[object, ...], kwargs: dict[str, object]) -> Arguments:
    """The arguments of a block or norm, with this hidden state in place of theirs. Raises TypeError if none fits."""
    if args and _fits(args[0], state):
        return (state, *args[1:]), kwargs
    for name, value in kwargs.items():
        if _fits(value, state):
            return args, {**kwargs, name: state}
    raise TypeError(f"the module after the tap was given no state of shape {tuple(state.shape)}")


def _fits(value: object, state: torch.Tensor) -> TypeGuard[torch.Tensor]:
    return isinstance(value, torch.Tensor) and value.shape == state.shape
