"""How far the conditioning moves from the trained one at every skip, from one pass of a text encoder.

The conditioning at a skip is what the diffusion model reads there: the hidden state of that depth (or the blend of
two), through the final layer norm where the architecture applies it. With c the conditioning at a skip and t the
trained one, both taken as one long vector of all tokens x width, in float32 at least:

    cosine         <c, t> / (|c| |t|)       1 where nothing moved
    relative norm  |c - t| / |t|            0 where nothing moved
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from ..conditioning.blends import lerp
from ..conditioning.stacks import Stack
from ..skip.architectures import Encoder
from ..skip.numbers import depth_of, depth_weights, number

# Hidden states by depth, each of shape (..., width): a mapping, or transformers' `hidden_states`, which begins at 0.
States: TypeAlias = "Mapping[int, torch.Tensor] | Sequence[torch.Tensor]"
# `blends.lerp` or `blends.slerp`.
Mix: TypeAlias = "Callable[[list[tuple[torch.Tensor, float]]], torch.Tensor]"

# What a block returns: its hidden state, which may be the first of several things.
Output: TypeAlias = "torch.Tensor | tuple[torch.Tensor, ...]"


class Point(NamedTuple):
    """The conditioning at one skip against the trained one.

    `tokens` has the relative norm of each token alone, |c_i - t_i| / |t_i|, in the order of the states' leading
    dimensions: token by token, and one chunk of the prompt after the other.
    """

    skip: float
    depth: float
    cosine: float
    relative_norm: float
    tokens: tuple[float, ...]

    def most_moved(self, count: int, among: Collection[int] | None = None) -> tuple[int, ...]:
        """The places in `tokens` of the `count` that moved most, the farthest first; of `among` only, where given."""
        places = range(len(self.tokens)) if among is None else among
        return tuple(sorted(places, key=lambda place: -self.tokens[place])[:count])

    def moved(self, words: Mapping[int, str], count: int = 3) -> str:
        """Those of the words, given by place, that moved most, with their own relative norm: "cat 0.61, photo 0.55".

        Punctuation is no word. Nothing where none can have moved: as trained.
        """
        if self.skip == 1:
            return ""
        most = self.most_moved(count, [place for place, word in words.items() if any(map(str.isalnum, word))])
        return ", ".join(f"{words[place]} {self.tokens[place]:.2f}" for place in most)


@dataclass(frozen=True)
class Drift:
    """What every skip does to one encoder's conditioning of one prompt; the points in the order they were asked for."""

    encoder: Encoder
    points: tuple[Point, ...]

    def up_to(self, skip: float) -> Drift:
        """The same without the points that are deeper than `skip`."""
        return replace(self, points=tuple(point for point in self.points if point.skip <= skip))


def as_csv(drifts: Iterable[Drift]) -> str:
    """The numbers of all points, a row for each, under their names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("encoder", "skip", "depth", "cosine", "relative_norm"))
    for each in drifts:
        writer.writerows(
            (each.encoder.id, number(p.skip), number(p.depth), p.cosine, p.relative_norm) for p in each.points
        )
    return text.getvalue()


def drift(
    states: States,
    encoder: Encoder,
    final_norm: Callable[[torch.Tensor], torch.Tensor],
    skips: Iterable[float] | None = None,
    mix: Mix = lerp,
) -> Drift:
    """The drift of `encoder` at each of `skips`, whole or fractional; at every whole one where they are not given.

    `states` holds at least the depths that the skips read and the trained one, all of one shape; nothing is written to
    them. `final_norm` gets them as they are, in their own dtype. Raises ValueError for a skip out of range, KeyError or
    IndexError for a depth that `states` lacks.
    """
    skips = list(range(1, encoder.trained_depth + 1) if skips is None else skips)
    trained = _conditioning(states, encoder, final_norm, 1, mix)
    products = [_products(_conditioning(states, encoder, final_norm, skip, mix), trained) for skip in skips]
    if not products:
        return Drift(encoder, ())
    # One transfer for all skips, since each waits for the device; float64, which not every device has, only from here.
    by_skip = torch.stack(products).cpu().double()
    return Drift(
        encoder,
        tuple(
            _point(skip, depth_of(skip, encoder.trained_depth), tokens)
            for skip, tokens in zip(skips, by_skip, strict=True)
        ),
    )


class Passes(Mapping[int, torch.Tensor]):
    """What went through one stack: the hidden states by depth from 1, each of shape (tokens, width), and the `ids`.

    Pass after pass, and in each of them token by token, one text after the other.
    """

    def __init__(self) -> None:
        self.ids: list[torch.Tensor] = []  # of each pass: shape (texts, tokens)
        self._states: dict[int, list[torch.Tensor]] = {}

    def __getitem__(self, depth: int) -> torch.Tensor:
        flat = [self._texts_first(number, state).flatten(0, -2) for number, state in enumerate(self._states[depth])]
        return torch.cat(flat) if len(flat) > 1 else flat[0]

    def __iter__(self) -> Iterator[int]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def _texts_first(self, number: int, state: torch.Tensor) -> torch.Tensor:
        """The state of one pass, which OpenCLIP's blocks have with the tokens first."""
        ids = self.ids[number] if number < len(self.ids) else None
        is_swapped = ids is not None and state.shape[:2] == ids.shape[::-1] != ids.shape
        return state.transpose(0, 1) if is_swapped else state

    def keep_state(self, depth: int, output: Output) -> None:
        # A clone, because some hosts add to a hidden state in place.
        self._states.setdefault(depth, []).append((output[0] if isinstance(output, tuple) else output).clone())

    def keep_ids(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        ids = next((value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)), None)
        if ids is not None and ids.ndim == 2:
            self.ids.append(ids.clone())


@contextmanager
def collected(stack: Stack) -> Iterator[Passes]:
    """All that goes through `stack` while the context is open.

    with collected(stack) as passes:
        encoder(tokens)
    drift(passes, row, stack.final_norm)

    The states are the true ones, also where taps are installed, if this is opened after them. They stay on their
    device, as copies.
    """
    passes = Passes()
    handles: list[RemovableHandle] = []

    def keeper(depth: int) -> Callable[[nn.Module, object, Output], None]:
        return lambda module, args, output: passes.keep_state(depth, output)

    try:
        for depth, block in enumerate(stack.blocks, start=1):
            # `prepend`: a tap on the same block must not have swapped its output yet.
            handles.append(block.register_forward_hook(keeper(depth), prepend=True))
        if stack.tokens is not None:
            keep_ids = lambda module, args, kwargs: passes.keep_ids(args, kwargs)  # noqa: E731
            handles.append(stack.tokens.register_forward_pre_hook(keep_ids, with_kwargs=True))
        yield passes
    finally:
        for handle in handles:
            handle.remove()


def _conditioning(
    states: States, encoder: Encoder, final_norm: Callable[[torch.Tensor], torch.Tensor], skip: float, mix: Mix
) -> torch.Tensor:
    """What the diffusion model reads at `skip`: shape (tokens, width), in float32 at least."""
    blend = mix([(states[depth], weight) for depth, weight in depth_weights(skip, encoder.trained_depth)])
    read = final_norm(blend) if encoder.normed else blend
    return read.to(torch.promote_types(read.dtype, torch.float32)).flatten(0, -2)


def _products(read: torch.Tensor, trained: torch.Tensor) -> torch.Tensor:
    """<c, c>, <c, t>, <t, t> and <c - t, c - t> of each token: shape (4, tokens)."""
    moved = read - trained
    pairs = ((read, read), (read, trained), (trained, trained), (moved, moved))
    return torch.stack([(a * b).sum(dim=-1) for a, b in pairs])


def _point(skip: float, depth: float, products: torch.Tensor) -> Point:
    tiny = torch.finfo(products.dtype).tiny
    read, both, trained, moved = products.sum(dim=-1).tolist()
    tokens = (products[3] / products[2].clamp_min(tiny)).sqrt()
    return Point(
        skip=float(skip),
        depth=depth,
        cosine=max(min(both / max(math.sqrt(read * trained), tiny), 1.0), -1.0),  # in this order a NaN stays one
        relative_norm=math.sqrt(moved / max(trained, tiny)),
        tokens=tuple(tokens.tolist()),
    )
