"""The LoRA files on disk. They are listed and their tags understood; no weight is ever changed by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modules import sd_checkpoint, shared


class NetworkOnDisk:
    """One file: the name that a prompt calls it by, and the alias that its trainer gave it."""

    def __init__(self, name: str, filename: str) -> None:
        self.name, self.filename = name, filename
        self.metadata = sd_checkpoint.read_metadata_from_safetensors(Path(filename))
        self.alias = self.metadata.get("ss_output_name", name)


def found() -> Iterator[Path]:
    """Give the files in the hosts' folder, and in the folders within."""
    return iter(sorted(Path(shared.cmd_opts.lora_dir).rglob("*.safetensors")))
