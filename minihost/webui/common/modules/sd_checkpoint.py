"""The checkpoints on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from modules import hashes, paths, shared
from safetensors import safe_open

from minihost import context, weights

checkpoints_list: dict[str, CheckpointInfo] = {}
checkpoint_aliases: dict[str, CheckpointInfo] = {}
FOLDERS = not context.get().flavour.a1111_line


def read_metadata_from_safetensors(path: Path) -> dict[str, Any]:
    """Read what the header says of the file; JSON among it is parsed."""
    with safe_open(path, "pt") as file:
        found = dict(file.metadata() or {})
    for key, value in found.items():
        if value.startswith("{"):
            with contextlib.suppress(ValueError):
                found[key] = json.loads(value)
    return found


def model_hash(filename: str) -> str:
    """A1111's old hash, of 64 KB alone: many files have the same."""
    with open(filename, "rb") as file:
        file.seek(0x100000)
        return hashlib.sha256(file.read(0x10000)).hexdigest()[:8]


class CheckpointInfo:
    """One checkpoint; its hashes are known once it has been loaded."""

    def __init__(self, filename: str) -> None:
        path = Path(filename)
        self.filename = self.path = str(path)
        self.name = f"Diffusers/{path.name}" if path.is_dir() else path.name
        self.type = "diffusers" if path.is_dir() else path.suffix[1:]
        self.name_for_extra = self.model_name = path.stem if path.is_file() else path.name
        self.is_safetensors = path.suffix == ".safetensors"
        self.metadata = read_metadata_from_safetensors(path) if path.is_file() else {}
        self.sha256: str | None = None
        self.shorthash: str | None = None
        self.hash: str | None = None
        self.title = self.short_title = self.name
        self.ids = [self.name, self.filename] if path.is_dir() else [self.name_for_extra, self.name, self.filename]
        if not FOLDERS:
            self.hash = model_hash(filename)
            self.ids = [self.hash, *self.ids, f"{self.name} [{self.hash}]"]

    def register(self) -> None:
        checkpoints_list[self.title] = self
        for alias in (self.title, *self.ids):
            checkpoint_aliases[alias] = self

    def calculate_shorthash(self) -> str | None:
        if self.sha256 is None and (sha256 := hashes.sha256(self.filename, f"checkpoint/{self.name}")) is not None:
            self.sha256 = sha256
            shorthash = self.shorthash = sha256[:10]
            self.hash = sha256[-8:] if FOLDERS else self.hash
            checkpoints_list.pop(self.title, None)
            self.ids += [shorthash, sha256, f"{self.name_for_extra} [{self.shorthash}]"]
            self.title = f"{self.name} [{self.shorthash}]"
            self.short_title = f"{self.name_for_extra} [{self.shorthash}]"
            self.register()
        return self.shorthash


def list_models() -> None:
    """Look what is there; new objects each time."""
    checkpoints_list.clear()
    checkpoint_aliases.clear()
    folder = Path(paths.models_path, "Diffusers" if FOLDERS else "Stable-diffusion")
    weights.provide(folder, diffusers=FOLDERS)
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors" or (path / "model_index.json").is_file():
            CheckpointInfo(str(path)).register()


def get_closet_checkpoint_match(search: str | None) -> CheckpointInfo | None:
    """Find a checkpoint by any of its names, or by part of its title."""
    if not search or search == "None":
        return None
    found = checkpoint_aliases.get(search)
    if found is None:
        fits = sorted((info for info in checkpoints_list.values() if search in info.title), key=lambda i: len(i.title))
        found = fits[0] if fits else None
    return found


get_closest_checkpoint_match = get_closet_checkpoint_match  # SD.Next's spelling


def select_checkpoint() -> CheckpointInfo:
    """Tell what the settings ask for; the first one if they name none."""
    return get_closet_checkpoint_match(shared.opts.sd_model_checkpoint) or next(iter(checkpoints_list.values()))
