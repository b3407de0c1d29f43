"""The header of a safetensors file: https://huggingface.co/docs/safetensors, read without loading a tensor."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import sub
from typing import Any, BinaryIO

from .contents import Contents, ContentsError, Tensor, check_shapes, load_object

MAX_HEADER_BYTES = 100_000_000  # the format's own limit

# Bits per number. Types keep being added: one that isn't here passes, but its size can't be checked.
BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}

_METADATA = "__metadata__"


def read_safetensors(file: BinaryIO, path: str) -> Contents:
    """The contents of the safetensors file `path`, open as `file` at its start.

    More lenient than the format where nothing is at stake: bytes that belong to no tensor are left alone, and so is
    whatever in `__metadata__` isn't a string (or all of it, where it is no object). Raises ContentsError.
    """
    data_bytes = os.fstat(file.fileno()).st_size - 8
    length = int.from_bytes(file.read(8), "little")
    if length > MAX_HEADER_BYTES:
        raise ContentsError(f"its header would be {length} bytes long: not safetensors, or damaged")
    if length > data_bytes:
        raise ContentsError(f"the file is cut off: its header is {length} bytes long and the file {data_bytes + 8}")
    text = file.read(length)
    header = load_object(text)
    escapes = b"\\u" in text  # characters that are written by their numbers
    if not _surely_unique(text, header, escapes):
        load_object(text, _unique)
    metadata = header.pop(_METADATA, None)
    metadata = metadata if isinstance(metadata, dict) else {}
    metadata = {key: value for key, value in metadata.items() if isinstance(value, str)}
    if escapes:  # half a surrogate pair is no text: printing it would fail later
        try:
            "".join(chain(header, metadata, metadata.values())).encode("utf8")
        except UnicodeEncodeError as error:
            raise ContentsError("broken JSON: half a character") from error
    return Contents("safetensors", _tensors(header, 8 + length, data_bytes - length, path), metadata)


class _Tensors(Mapping[str, Tensor]):
    """The tensors of a checked header, each made when it is asked for: there are thousands, and few are looked at."""

    def __init__(self, header: dict[str, Any], data_start: int, path: str) -> None:
        self._header = header
        self._data_start = data_start
        self._path = path

    def __getitem__(self, name: str) -> Tensor:
        entry = self._header[name]
        return Tensor(entry["dtype"], tuple(entry["shape"]), self._data_start + entry["data_offsets"][0], self._path)

    def __contains__(self, name: object) -> bool:
        return name in self._header

    def __iter__(self) -> Iterator[str]:
        return iter(self._header)

    def __len__(self) -> int:
        return len(self._header)


def _tensors(header: dict[str, Any], data_start: int, data_bytes: int, path: str) -> Mapping[str, Tensor]:
    """Rules are checked on columns and distinct rows: a header has a thousand entries, a user a thousand files."""
    entries = header.values()
    try:
        dtypes = [entry["dtype"] for entry in entries]
        shapes = [entry["shape"] for entry in entries]
        spans = [entry["data_offsets"] for entry in entries]
    except (TypeError, KeyError) as error:
        raise ContentsError("an entry of its header has no dtype, shape or data_offsets") from error
    if not set(map(type, dtypes)) <= {str}:
        raise ContentsError("a tensor's dtype is no text")
    if not (set(map(type, chain(shapes, spans))) <= {list} and set(map(len, spans)) <= {2}):
        raise ContentsError("a tensor's shape is no list, or its data_offsets are not two")
    edges = list(chain.from_iterable(spans))
    if not set(map(type, chain(edges, chain.from_iterable(shapes)))) <= {int}:  # by type, since True is an int too
        raise ContentsError("a tensor's shape or data_offsets has something in it that is no whole number")
    ordered = sorted(edges)
    if edges != ordered and list(chain.from_iterable(sorted(spans))) != ordered:
        raise ContentsError("the data of two tensors overlap, or end before they begin")
    if ordered and not 0 <= ordered[0] <= ordered[-1] <= data_bytes:
        raise ContentsError(
            f"the file is cut off, or damaged: a tensor would end at byte {ordered[-1]:.4g} of its data"
        )
    _check_sizes(set(zip(dtypes, map(tuple, shapes), map(sub, edges[1::2], edges[::2]), strict=True)))
    return _Tensors(header, data_start, path)


def _check_sizes(rows: set[tuple[str, tuple[int, ...], int]]) -> None:
    """Raises ContentsError where tensors of such a dtype, shape and size in bytes can't be."""
    counts = check_shapes([shape for _, shape, _ in rows])
    for (dtype, shape, size), count in zip(rows, counts, strict=True):
        bits = BITS.get(dtype)
        if bits and bits * count != 8 * size:
            raise ContentsError(
                f"a {dtype} tensor of shape {str(list(shape))[:80]} does not take {str(size)[:20]} bytes"
            )


def _surely_unique(text: bytes, header: dict[str, Any], escapes: bool) -> bool:
    """Whether no object in `text`, which was read as `header`, has a key twice. False may be said in doubt.

    Each key and each colon inside a string makes one colon, so there are more in the text than in what was read of
    it exactly where a key was read over. (An escaped colon would spoil the count.)
    """
    metadata = header.get(_METADATA, {})
    entries = len(header) - (_METADATA in header)
    if (escapes and b"\\u003" in text) or not isinstance(metadata, dict) or set(map(type, metadata.values())) - {str}:
        return False
    names = "".join(chain(header, metadata, metadata.values()))
    return text.count(b":") == len(header) + 3 * entries + len(metadata) + names.count(":")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ContentsError("its header has the same name twice")
    return read
