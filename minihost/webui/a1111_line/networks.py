"""The list of LoRAs of the built-in Lora extension, which is a top-level module in every host of the A1111 line."""

from __future__ import annotations

from modules.lora_files import NetworkOnDisk, found

available_networks: dict[str, NetworkOnDisk] = {}
available_network_aliases: dict[str, NetworkOnDisk] = {}
forbidden_network_aliases: dict[str, int] = {}


def list_available_networks() -> None:
    """Look what is there; an alias that two files go by is forbidden to both."""
    for names in (available_networks, available_network_aliases, forbidden_network_aliases):
        names.clear()
    forbidden_network_aliases.update({"none": 1, "Addams": 1})
    for path in found():
        entry = NetworkOnDisk(path.stem, str(path))
        available_networks[entry.name] = entry
        if entry.alias in available_network_aliases:
            forbidden_network_aliases[entry.alias.lower()] = 1
        available_network_aliases[entry.name] = available_network_aliases[entry.alias] = entry


list_available_networks()
