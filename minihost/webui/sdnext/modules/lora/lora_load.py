"""SD.Next's list of LoRAs, by name (points become underscores), by path within the folder, and by file name."""

from __future__ import annotations

from pathlib import Path

from modules import shared
from modules.lora_files import NetworkOnDisk, found

available_networks: dict[str, NetworkOnDisk] = {}
available_network_aliases: dict[str, NetworkOnDisk] = {}


def list_available_networks() -> None:
    """Look what is there."""
    available_networks.clear()
    available_network_aliases.clear()
    for path in found():
        entry = NetworkOnDisk(path.stem.replace(".", "_"), str(path))
        within = path.relative_to(Path(shared.cmd_opts.lora_dir)).with_suffix("").as_posix()
        available_networks[entry.name] = entry
        available_network_aliases[entry.name] = available_network_aliases[within] = entry
        available_network_aliases.setdefault(path.stem, entry)


list_available_networks()
