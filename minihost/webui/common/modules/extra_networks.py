"""``<name:arguments>`` in prompts."""

from __future__ import annotations

import re
from collections import defaultdict

from modules import errors

extra_network_registry: dict[str, ExtraNetwork] = {}
_TAG = re.compile(r"<(\w+):([^>]+)>")


class ExtraNetworkParams:
    """The arguments of one tag, split at colons."""

    def __init__(self, items=None):
        self.items = items or []
        self.positional = [item for item in self.items if "=" not in item]
        self.named = dict(item.split("=", 1) for item in self.items if "=" in item)

    def __eq__(self, other):
        return self.items == other.items


class ExtraNetwork:
    """What a tag's name stands for."""

    def __init__(self, name):
        self.name = name

    def activate(self, p, params_list):
        raise NotImplementedError

    def deactivate(self, p):
        raise NotImplementedError


def register_extra_network(extra_network: ExtraNetwork) -> None:
    extra_network_registry[extra_network.name] = extra_network


def parse_prompt(prompt: str):
    data = defaultdict(list)

    def take(match: re.Match) -> str:
        data[match[1]].append(ExtraNetworkParams(match[2].split(":")))
        return ""

    return _TAG.sub(take, prompt), data


def parse_prompts(prompts: list[str], *_):
    """Take the tags out of all prompts; those of the first count."""
    parsed = [parse_prompt(prompt) for prompt in prompts]
    return [text for text, _ in parsed], parsed[0][1] if parsed else None


def _each(p, data, method: str) -> None:
    for name, network in extra_network_registry.items():
        try:
            getattr(network, method)(p, *([(data or {}).get(name, [])] if method == "activate" else []))
        except Exception as e:
            errors.display(e, f"{method} extra network {name}")


def activate(p, data) -> None:
    """Call every registered network, with an empty list where the prompt has no tag of it; then the scripts."""
    _each(p, data, "activate")
    if p.scripts is not None and hasattr(p.scripts, "after_extra_networks_activate"):
        p.scripts.after_extra_networks_activate(p, prompts=p.prompts, extra_network_data=data)


def deactivate(p, data) -> None:
    _each(p, data, "deactivate")
