"""The header of a safetensors file: https://huggingface.co/docs/safetensors, read without loading a tensor.

The format's own library is not asked, for two reasons. It does not say where in the file a tensor's numbers lie, and
gives no BF16 without torch; here a few numbers are read in place. And of a damaged file it says what its parser met,
where the user needs to know what is wrong with the file: cut off, damaged, or no safetensors at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import sub
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ....text.bounded_json import MAX_COMMAS
from ....text.regex import regex
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
    header = _read_usual(text) or _read_json(text)
    metadata = header.metadata if isinstance(header.metadata, dict) else {}
    metadata = {key: value for key, value in metadata.items() if isinstance(value, str)}
    try:  # half a surrogate pair is no text: printing it would fail later
        "".join(chain(header.places, metadata, metadata.values())).encode("utf8")
    except UnicodeEncodeError as error:
        raise ContentsError("broken JSON: half a character") from error
    _check(header, data_bytes - length)
    return Contents("safetensors", _Tensors(header, 8 + length, path), metadata)


class _Header(NamedTuple):
    """A header in columns, since it has a thousand entries: lists of texts and numbers are quickly made and checked.

    `places` has where in the columns each tensor stands; `edges`, twice as long, where the data of each begin and end.
    """

    metadata: object
    places: dict[str, int]
    dtypes: list[str]
    shapes: list[tuple[int, ...]]
    edges: list[int]


# An entry as safetensors' own library and Python's json write it. Bounded, so that no number takes long to read.
_ENTRY = regex(
    r'"([^"]*)": ?\{"dtype": ?"([A-Z0-9_]{1,20})", ?'
    r'"shape": ?\[([0-9, ]{0,400})\], ?"data_offsets": ?\[([0-9]{1,20}, ?[0-9]{1,20})\]\}'
)


def _read_usual(text: bytes) -> _Header | None:
    """The header where all of `text` is in the usual form, in a third of the time that JSON takes; None where it isn't.

    It has no control characters then, and no escapes in names, so that a name ends at the next quotation mark.
    """
    if len(text) > MAX_COMMAS or np.frombuffer(text, np.uint8).min(initial=0xFF) < ord(" "):
        return None
    try:
        before, *parts = _ENTRY.split(text.decode("utf8"))
        if not parts:
            return None
        names, dtypes, shapes, spans, (*between, end) = (parts[column::5] for column in range(5))
        if set(between) - {",", ", "} or end.rstrip(" ") != "}":
            return None
        metadata = None
        if before != "{":
            first, _, space = before.rpartition(",")
            header = load_object(f"{first}}}".encode(), _unique)
            if space.strip(" ") or list(header) != [_METADATA]:
                return None
            metadata = header[_METADATA]
        places = dict(zip(names, range(len(names)), strict=True))
        if len(places) < len(names) or _METADATA in places or "\\" in "".join(names):
            return None
        edges = json.loads(f"[{','.join(spans)}]")
        distinct = list(set(shapes))  # some eighty
        read = dict(zip(distinct, map(tuple, json.loads(f"[[{'],['.join(distinct)}]]")), strict=True))
    except ValueError:
        return None
    return _Header(metadata, places, dtypes, [read[shape] for shape in shapes], edges)


def _read_json(text: bytes) -> _Header:
    header: dict[str, Any] = load_object(text, _unique)
    metadata = header.pop(_METADATA, None)
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
    return _Header(
        metadata, dict(zip(header, range(len(header)), strict=True)), dtypes, list(map(tuple, shapes)), edges
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ContentsError("its header has the same name twice")
    return read


def _check(header: _Header, data_bytes: int) -> None:
    """Raises ContentsError where tensors can't be such, or can't lie so in so many bytes of data."""
    edges = header.edges
    begins, ends = edges[::2], edges[1::2]
    ordered = sorted(edges)
    if edges != ordered and list(chain.from_iterable(sorted(zip(begins, ends, strict=True)))) != ordered:
        raise ContentsError("the data of two tensors overlap, or end before they begin")
    if ordered and not 0 <= ordered[0] <= ordered[-1] <= data_bytes:
        raise ContentsError(
            f"the file is cut off, or damaged: a tensor would end at byte {ordered[-1]:.4g} of its data"
        )
    rows = set(zip(header.dtypes, header.shapes, map(sub, ends, begins), strict=True))
    counts = check_shapes([shape for _, shape, _ in rows])
    for (dtype, shape, size), count in zip(rows, counts, strict=True):
        bits = BITS.get(dtype)
        if bits and bits * count != 8 * size:
            raise ContentsError(
                f"a {dtype} tensor of shape {str(list(shape))[:80]} does not take {str(size)[:20]} bytes"
            )


class _Tensors(Mapping[str, Tensor]):
    """The tensors of a checked header, each made when it is asked for: few are looked at."""

    def __init__(self, header: _Header, data_start: int, path: str) -> None:
        self._header = header
        self._data_start = data_start
        self._path = path

    def __getitem__(self, name: str) -> Tensor:
        _, places, dtypes, shapes, edges = self._header
        place = places[name]
        return Tensor(dtypes[place], shapes[place], self._data_start + edges[2 * place], self._path)

    def __contains__(self, name: object) -> bool:
        return name in self._header.places

    def __iter__(self) -> Iterator[str]:
        return iter(self._header.places)

    def __len__(self) -> int:
        return len(self._header.places)
