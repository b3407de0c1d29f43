"""What lies in a model file, whatever its format: names, types and shapes of its tensors, and its metadata."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from ....text.bounded_json import load

# Bytes per number, by the safetensors names of the types that this package reads numbers of.
READABLE = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}

MAX_DIMENSIONS = 16
MAX_NUMBERS = 2**63 - 1  # in one tensor, and along one dimension


class Tensor(NamedTuple):
    """One stored tensor. `offset` is where its bytes begin in `file`, None where they can't be read in place."""

    dtype: str  # safetensors' name, such as "F16"; GGUF's own name for a quantised type; "?" if not known
    shape: tuple[int, ...]
    offset: int | None
    file: str


def width(shape: tuple[int, ...] | None, axis: int = 1) -> int | None:
    """How long the shape is along `axis`; None where there is no shape, or it has no such axis."""
    return shape[axis] if shape and len(shape) > axis else None


class ContentsError(ValueError):
    """The file can't be read as what it seems to be, or is refused; the message says why, for the user."""


@dataclass(frozen=True)
class Contents:
    """The outside of a model: nothing here has loaded a tensor.

    `format` is "safetensors", "pickle", "gguf" or "diffusers". In a diffusers folder a tensor's name is its
    component, a slash, and the name in the component's file ("unet/conv_in.weight"), and `configs` holds each
    component's config by the component's name, model_index.json as "model_index". `metadata` has strings only.
    """

    format: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    configs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def check_shapes(shapes: Collection[tuple[Any, ...]]) -> list[int]:
    """How many numbers each of the shapes has. Raises ContentsError where one is no shape."""
    if max(map(len, shapes), default=0) > MAX_DIMENSIONS:
        raise ContentsError(f"a tensor has more than {MAX_DIMENSIONS} dimensions")
    sizes = list(chain.from_iterable(shapes))
    if not set(map(type, sizes)) <= {int}:  # by type, since True is an int too
        raise ContentsError("a tensor's shape has something in it that is no whole number")
    counts = list(map(math.prod, shapes))
    if not 0 <= min(sizes, default=0) <= max(sizes + counts, default=0) <= MAX_NUMBERS:
        raise ContentsError("a tensor's shape is negative or absurdly large")
    return counts


def load_object(
    text: bytes, pairs_hook: Callable[[list[tuple[str, object]]], object] | None = None
) -> dict[str, object]:
    """The JSON object that `text` is. Raises ContentsError where it is anything else, or too much to read."""
    try:
        loaded = load(text.decode("utf8"), pairs_hook, longest=None)  # each format bounds its own
    except ValueError as error:
        raise ContentsError(f"broken JSON: {str(error)[:80]}") from error
    if not isinstance(loaded, dict):
        raise ContentsError("broken JSON: not an object")
    return loaded


class Numbers:
    """Reads numbers out of tensors where they lie; use it as a context manager, which keeps their files open.

    with Numbers() as numbers:
        for tensor in contents.tensors.values():
            head = numbers.read(tensor, 0, 8192)
    """

    def __init__(self) -> None:
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Numbers:
        return self

    def __exit__(self, *exception: object) -> None:
        while self._files:
            self._files.popitem()[1].close()

    def read(self, tensor: Tensor, first: int = 0, count: int | None = None) -> npt.NDArray[np.float32]:
        """`count` numbers of `tensor` (float32, 1-D), from the one at `first` of its numbers in row-major order.

        All that follow where `count` is None. Reads those bytes and no more. Raises ContentsError where the tensor's
        dtype isn't in READABLE, it has no offset, or it or its file ends before; OSError where the file can't be read.
        """
        width = READABLE.get(tensor.dtype)
        if width is None or tensor.offset is None:
            raise ContentsError(f"numbers of type {tensor.dtype[:80]} can't be read where they lie")
        total = math.prod(tensor.shape)
        count = total - first if count is None else count
        if not 0 <= first <= first + count <= total:
            raise ContentsError(f"the tensor has no numbers {first} to {first + count}, only {total}")
        if tensor.file not in self._files:
            self._files[tensor.file] = open(tensor.file, "rb", buffering=0)  # noqa: SIM115 (closed by __exit__)
        file = self._files[tensor.file]
        if tensor.offset + (first + count) * width > os.fstat(file.fileno()).st_size:  # before room is made for them
            raise ContentsError("the file ends inside a tensor")
        stored = np.empty(count * width, np.uint8)
        file.seek(tensor.offset + first * width)
        done = 0
        while done < len(stored):
            got = file.readinto(stored.data[done:])  # type: ignore[attr-defined]
            if not got:
                raise ContentsError("the file ends inside a tensor")
            done += got
        return _float32(stored, tensor.dtype)


def read_numbers(tensor: Tensor, first: int = 0, count: int | None = None) -> npt.NDArray[np.float32]:
    """Numbers.read for a single run."""
    with Numbers() as numbers:
        return numbers.read(tensor, first, count)


def _float32(stored: npt.NDArray[np.uint8], dtype: str) -> npt.NDArray[np.float32]:
    if dtype == "BF16":  # the upper half of a float32
        return (stored.view("<u2").astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # an F64 may lie beyond
        return stored.view({"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]).astype(np.float32, copy=False)
