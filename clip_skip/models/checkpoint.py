"""A model as the host names it, before or without being loaded."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import TypeGuard

from ..skip.architectures import UNKNOWN, Architecture
from ..text.log import logger
from ..text.plain import quote


@dataclass(frozen=True)
class Checkpoint:
    """The name that users see, what its file says it is, its file or folder, and that file's SHA-256.

    `path` is "" where there is none; `sha256` is None where the host has not worked it out; `folder` is the one in the
    host's models that holds it, "" if that is all of them, and `level` how many folders below that the file lies.
    """

    name: str
    architecture: Architecture
    path: str = ""
    sha256: str | None = None
    folder: str = ""
    level: int = 0

    @classmethod
    def of(cls, name: str, architecture: Architecture, path: str, sha256: object, listed_as: str = "") -> Checkpoint:
        """With whatever a host holds as hash, and the path that it lists the model under within its models.

        SD.Next has a commit's hash there for some folders. Forge had that of the file's name for a time, and keeps it
        as long as the file does not change: it tells the name and no file, and two files can have one.
        """
        known = sha256.lower() if is_sha256(sha256) else None
        if known is not None and known == hashlib.sha256(PurePath(path).name.encode("utf-8", "replace")).hexdigest():
            _tell_once(path)
            known = None
        *folders, _ = re.split(r"[\\/]", listed_as)
        return cls(name, architecture, path, known, folders[-1] if folders else "", len(folders))

    @property
    def file_name(self) -> str:
        """The file's name, without its folder; without a file the model's."""
        return PurePath(self.path).name or self.name

    @property
    def place(self) -> str:
        """The path by which a preset that was kept under the file's name, below its folder or not, is found."""
        return self.path or self.name

    def has_namesake(self) -> bool:
        """Whether a file of its name lies above all folders of the host's models: what is kept under the name without a
        folder is that one's."""
        path = Path(self.path)
        top = path.parents[self.level] if 0 < self.level < len(path.parents) else None
        bare = path.stem if path.suffix.lower() in MODEL_SUFFIXES else path.name
        return top is not None and any(os.path.exists(top / f"{bare}{suffix}") for suffix in ("", *MODEL_SUFFIXES))

    @property
    def kept_name(self) -> str:
        """The name that its preset goes by until its hash is known: the file's, below its folder."""
        return f"{self.folder}/{self.file_name}" if self.folder and self.file_name else self.file_name


@cache
def _tell_once(path: str) -> None:
    logger.warning(
        "the WebUI's hash of %s is that of its name, not of the file, and is not used: let it hash the file anew",
        quote(PurePath(path).name),
    )


NO_CHECKPOINT = Checkpoint("", UNKNOWN)


def is_sha256(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value) is not None


# How the names of model files end.
MODEL_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf")

# How the names of the documents end that other programs put beside a model; `inspect.evidence.sidecars` says whose.
SIDECAR_DOCUMENTS = (".civitai.info", ".metadata.json", ".api_info.json", ".cm-info.json", ".swarm.json", ".json")

# ModelSpec's keys for what a model's maker writes to its users.
MODELSPEC_TEXTS = ("modelspec.usage_hint", "modelspec.description")
