"""The header of a safetensors file: names and shapes, without loading a tensor."""

from __future__ import annotations

import json
import os
from pathlib import Path

MAX_HEADER_BYTES = 100_000_000  # the format's own limit


def read_shapes(path: str | os.PathLike[str]) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in the safetensors file at `path`, by name.

    Raises ValueError where the file is no safetensors file, OSError where it can't be read.
    """
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
            raise ValueError(f"{path}: no safetensors header")
        text = file.read(length)
    try:
        header = json.loads(text)
        return {name: tuple(info["shape"]) for name, info in header.items() if name != "__metadata__"}
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: broken safetensors header: {error}") from error
