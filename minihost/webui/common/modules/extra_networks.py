"""``<name:arguments>`` in prompts."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from modules import errors

from minihost import context

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing


LINE = context.get().flavour.a1111_line
extra_network_registry: dict[str, ExtraNetwork] = {}
_TAG = re.compile(r"<(\w+):([^>]+)>")


class ExtraNetworkParams:
    """The arguments of one tag, split at colons; one with two ``=`` is positional, as in the hosts."""

    def __init__(self, items: list[str] | None = None) -> None:
        self.items = items or []
        parts = [item.split("=", 2) for item in self.items]
        self.positional = ["=".join(part) for part in parts if len(part) != 2]
        self.named = dict(part for part in parts if len(part) == 2)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExtraNetworkParams) and self.items == other.items


NetworkData = dict[str, list[ExtraNetworkParams]]
"""The tags of a prompt, by their names."""


class ExtraNetwork:
    """What a tag's name stands for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def activate(self, p: StableDiffusionProcessing, params_list: list[ExtraNetworkParams]) -> None:
        raise NotImplementedError

    def deactivate(self, p: StableDiffusionProcessing) -> None:
        raise NotImplementedError


def register_extra_network(extra_network: ExtraNetwork) -> None:
    extra_network_registry[extra_network.name] = extra_network


def parse_prompt(prompt: str) -> tuple[str, NetworkData]:
    data: NetworkData = defaultdict(list)

    def take(match: re.Match[str]) -> str:
        data[match[1]].append(ExtraNetworkParams(match[2].split(":")))
        return ""

    return _TAG.sub(take, prompt), data


def parse_prompts(prompts: list[str], extra_data: NetworkData | None = None) -> tuple[list[str], NetworkData | None]:
    """Take the tags out of all prompts. Those of the first count; in SD.Next, of the last prompt that has any."""
    parsed = [parse_prompt(prompt) for prompt in prompts]
    found: list[NetworkData] = [data for _, data in parsed]
    if not LINE:
        found = [data for data in found if data][::-1] or [extra_data or defaultdict(list)]
    return [text for text, _ in parsed], found[0] if found else None


def _each(
    p: StableDiffusionProcessing, data: NetworkData | None, method: str, tagged: dict[str, Any], always: dict[str, Any]
) -> None:
    """Call a method of every registered network, those with a tag first, in the prompt's order."""
    data = data or {}
    for name in [*data, *(name for name in extra_network_registry if name not in data)]:
        network = extra_network_registry.get(name)
        if network is None:
            continue
        params, more = ([data.get(name, [])], tagged if name in data else {}) if method == "activate" else ([], always)
        try:
            getattr(network, method)(p, *params, **more)
        except Exception as e:
            errors.display(e, f"{method} extra network {name}")


def activate(p: StableDiffusionProcessing, data: NetworkData | None) -> None:
    """Call every registered network, with an empty list where the prompt has no tag of it; then the scripts."""
    _each(p, data, "activate", {} if LINE else {"step": 0}, {})
    if p.scripts is not None and hasattr(p.scripts, "after_extra_networks_activate"):
        p.scripts.after_extra_networks_activate(p, prompts=p.prompts, extra_network_data=data)


def deactivate(p: StableDiffusionProcessing, data: NetworkData | None) -> None:
    _each(p, data, "deactivate", {}, {} if LINE else {"force": False})
