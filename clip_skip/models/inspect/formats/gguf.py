"""The header of a GGUF file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3."""

from __future__ import annotations

import math
import os
import struct
from typing import Any, BinaryIO

from .contents import READABLE, Contents, ContentsError, Tensor, check_shapes

MAX_KEYS = 100_000
MAX_TENSORS = 200_000
MAX_STRING = 1 << 20
MAX_KEPT = 64 << 20  # bytes of the header kept in memory
MAX_STRINGS_SKIPPED = 1_000_000  # in arrays: a tokenizer's vocabulary

# ggml's types by number; those that hold plain numbers have the name that safetensors gives them.
TYPES = {
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1"},
    **{10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K"},
    **{16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS"},
    **{24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16"},
    **{34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4"},
}

# A value's type by number, in struct's letters.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9

# ComfyUI-GGUF flattens what its quantisation can't divide, and keeps the shape here.
_TRUE_SHAPE = "comfy.gguf.orig_shape."
_SHORT_ARRAY = 16


def read_gguf(file: BinaryIO, path: str) -> Contents:
    """The contents of the GGUF file `path`, open as `file` at its start. Raises ContentsError.

    Arrays among its metadata are passed over.
    """
    reader = _Reader(file)
    reader.take(4)
    version = reader.number("I")
    if version not in (2, 3):
        raise ContentsError(f"GGUF version {version} is not known")
    tensor_count, key_count = reader.number("Q"), reader.number("Q")
    if tensor_count > MAX_TENSORS or key_count > MAX_KEYS:
        raise ContentsError(f"a GGUF header with {tensor_count} tensors and {key_count} keys: damaged")
    values = {reader.string(): reader.value(reader.number("I")) for _ in range(key_count)}
    rows = [reader.tensor() for _ in range(tensor_count)]
    names = [name for name, *_ in rows]
    if len(set(names)) < len(names):
        raise ContentsError("its header has the same name twice")
    counts = check_shapes([shape for _, shape, _, _ in rows])
    align = values.get("general.alignment", 32)
    if type(align) is not int or align <= 0:
        raise ContentsError("its general.alignment is no number of bytes")
    start = reader.position + -reader.position % align
    tensors = {}
    for (name, shape, dtype, offset), count in zip(rows, counts, strict=True):
        width = READABLE.get(dtype)
        if start + offset + count * (width or 0) > reader.size:
            raise ContentsError("the file is cut off: it ends before its tensors")
        true_shape = values.get(_TRUE_SHAPE + name)
        if type(true_shape) is tuple and math.prod(true_shape) == count and min(true_shape, default=1) > 0:
            shape = true_shape
        tensors[name] = Tensor(dtype, shape, start + offset if width else None, path)
    metadata = {key: str(value) for key, value in values.items() if value is not None and type(value) is not tuple}
    return Contents("gguf", tensors, metadata)


class _Reader:
    """Takes the header apart, counting what is kept of it."""

    def __init__(self, file: BinaryIO):
        self.size = os.fstat(file.fileno()).st_size
        self.position = 0
        self._file = file
        self._kept = 0
        self._strings_skipped = 0

    def take(self, size: int) -> bytes:
        self._kept += size
        if self._kept > MAX_KEPT:
            raise ContentsError(f"a GGUF header of over {MAX_KEPT} bytes")
        data = self._file.read(size)
        if len(data) < size:
            raise ContentsError("the file is cut off inside its GGUF header")
        self.position += size
        return data

    def skip(self, size: int) -> None:
        self.position += size
        if self.position > self.size:
            raise ContentsError("the file is cut off inside its GGUF header")
        self._file.seek(self.position)

    def number(self, letter: str) -> Any:
        return struct.unpack("<" + letter, self.take(struct.calcsize("<" + letter)))[0]

    def string(self) -> str:
        size = self.number("Q")
        if size > MAX_STRING:
            raise ContentsError(f"a GGUF header with a text of {size} bytes")
        return self.take(size).decode("utf8", "replace")

    def value(self, kind: int) -> object:
        """A text, a number, true or false, or a tuple of a few whole numbers; None for any other array."""
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self._array(self.number("I"), self.number("Q"))
        if kind not in _SCALARS:
            raise ContentsError(f"a GGUF header with a value of unknown type {kind}")
        return self.number(_SCALARS[kind])

    def _array(self, kind: int, count: int) -> object:
        if kind == _STRING:
            self._strings_skipped += count
            if self._strings_skipped > MAX_STRINGS_SKIPPED:
                raise ContentsError(f"a GGUF header with {count} texts in an array")
            for _ in range(count):
                self._kept -= 8
                self.skip(self.number("Q"))
            return None
        if kind not in _SCALARS:
            raise ContentsError(f"a GGUF header with an array of unknown type {kind}")
        letter = _SCALARS[kind]
        if count <= _SHORT_ARRAY and letter in "iIqQ":
            return tuple(self.number(letter) for _ in range(count))
        self.skip(count * struct.calcsize("<" + letter))
        return None

    def tensor(self) -> tuple[str, tuple[int, ...], str, int]:
        """The next tensor's name, shape, dtype and offset. Shapes are stored in reverse of numpy's order."""
        name, dimensions = self.string(), self.number("I")
        if dimensions > _SHORT_ARRAY:
            raise ContentsError(f"a tensor with {dimensions} dimensions")
        shape = struct.unpack(f"<{dimensions}Q", self.take(8 * dimensions))[::-1]
        return name, shape, TYPES.get(self.number("I"), "?"), self.number("Q")
