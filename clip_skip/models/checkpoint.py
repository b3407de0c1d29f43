"""A model as the host names it, before or without being loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ..skip.architectures import UNKNOWN, Architecture


@dataclass(frozen=True)
class Checkpoint:
    """The name that users see, what its file says it is, its file or folder, and that file's SHA-256.

    `path` is "" where there is none; `sha256` is None where the host has not worked it out.
    """

    name: str
    architecture: Architecture
    path: str = ""
    sha256: str | None = None

    @classmethod
    def of(cls, name: str, architecture: Architecture, path: str, sha256: Any) -> Checkpoint:
        """With whatever a host holds as hash: SD.Next has a commit's there for some folders."""
        return cls(name, architecture, path, sha256.lower() if is_sha256(sha256) else None)

    @property
    def file_name(self) -> str:
        """The name that its preset goes by until its hash is known: the file's, without its folder."""
        return PurePath(self.path).name or self.name


NO_CHECKPOINT = Checkpoint("", UNKNOWN)


def is_sha256(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value) is not None


# How the names of model files end.
MODEL_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf")
