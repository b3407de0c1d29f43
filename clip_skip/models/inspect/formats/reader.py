"""Reads a model file or folder, whatever its format."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from . import gguf, pickles, safetensors
from .contents import Contents, ContentsError
from .diffusers import read_folder


def read_contents(path: str | os.PathLike[str]) -> Contents:
    """The contents of the model file or diffusers folder at `path`.

    The format is told by the first bytes, not by the name. Raises ContentsError or OSError.
    """
    try:
        status = os.stat(path)
    except ValueError as error:  # a null character in the path
        raise ContentsError(f"no path: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        return read_folder(Path(path), read_contents)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise ContentsError("neither a file nor a folder")
    with open(path, "rb") as file:
        head = file.read(512)
        file.seek(0)
        return _reader(head)(file, os.fspath(path))


def _reader(head: bytes) -> Callable[[BinaryIO, str], Contents]:
    """The function that reads a file which begins with `head`."""
    # GGUF before safetensors: its ninth byte is a "{" where it has 123 tensors.
    for pattern, reader in (
        (rb"GGUF", gguf.read_gguf),
        (rb"PK\x03\x04", pickles.read_zip),
        (rb"(?s:.{8})\{", safetensors.read_safetensors),
        (rb"\x80[\x02-\x05]", pickles.read_stream),
    ):
        if re.match(pattern, head):
            return reader
    for pattern, what in _NO_MODELS:
        if re.match(pattern, head, re.IGNORECASE):
            raise ContentsError(what)
    raise ContentsError("not a model file of a known kind (safetensors, torch checkpoint or GGUF)")


# What lies where a model should, by how it begins.
_NO_MODELS = (
    (rb"\Z", "the file is empty"),
    (rb"\0+\Z", "the file begins with zeros: an unfinished download, or a damaged disk"),
    (rb"version https://git-lfs", "a Git LFS pointer: the model itself has not been downloaded (git lfs pull)"),
    (rb"\s*<(!doctype|html|\?xml|!--)", "a web page: the download saved an error page in place of the model"),
    (rb"\s*[{\[]", "a JSON text, such as a download's error message, not a model"),
)
