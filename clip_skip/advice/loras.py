"""The LoRAs that a prompt names."""

from __future__ import annotations

import re

from ..text.regex import regex

_TAG = regex(r"<(?:lora|lyco):([^:<>]+)[^<>]*>", re.IGNORECASE)


def names(prompt: str) -> list[str]:
    """The name in each tag such as `<lora:NAME:0.8>`, each once, in their order."""
    return list(dict.fromkeys(_TAG.findall(prompt)))
