"""The prompt tag: `<clipskip:1.5>`, or with the API's options by name, `<clipskip:l=2:g=1>`.

To the WebUI it is one of its extra networks, as `<lora:...>` is: the WebUI finds it, whatever the prompt came from, and
takes it out of what is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from ..text.regex import regex
from .architectures import Architecture
from .parameters import Refusal, refusal
from .plan import resolve
from .request import Request, from_options

NAME = "clipskip"
_WRITTEN = regex(rf"<{NAME}:([^>]+)>")
# As it is written by hearsay, with letters of any size: <ClipSkip:2>, <clip skip:2>, <clipskip=2>. Where it is not
# closed, what stands behind the name is no further than its numbers.
_ALIKE = regex(
    r"<\s*clip[\s_-]*skips?(?![^\W\d_])(?:([^<>]*)>|((?:[\s_:=,;|/(-]{0,5}(?:[lgh]\s?=\s?)?\d[\d.]{0,9}){1,4}))",
    re.IGNORECASE,
)
# The wide signs of Chinese and Japanese keyboards, and what else stands for "<" and ">" there.
_WIDE = {0xFEE0 + sign: sign for sign in range(0x21, 0x7F)} | str.maketrans("\u3000\u3008\u3009\u300a\u300b", " <><>")
_EXAMPLE = "2"

# What each tag of a prompt has between its colons, after its name.
Tag: TypeAlias = "tuple[str, ...]"
Tags: TypeAlias = "tuple[Tag, ...]"


def request(tags: Tags, otherwise: Request, architecture: Architecture) -> tuple[Request, tuple[Refusal, ...]]:
    """What a prompt with these tags asks for, `otherwise` where none of them does, and what was refused.

    A tag with anything wrong in it, also for this architecture alone, counts as not there. Of several, the later one's
    options win.
    """
    options: dict[str, str] = {}
    refusals: list[Refusal] = []
    for tag in tags:
        given = _options(tag)
        refused = resolve(from_options(given), architecture).refusals if len(given) == len(tag) else (_twice(tag),)
        refusals += (replace(each, name=f"the tag's {each.name}") for each in refused)
        if not refused:
            options |= given
    return from_options(options) if options else otherwise, tuple(refusals)


def _options(tag: Tag) -> dict[str, str]:
    """The options of one tag, by name; a value without a name is that for all encoders."""
    named = (item.rpartition("=") for item in tag)
    return {name.strip() or "skip": value.strip() for name, _, value in named}


def _twice(tag: Tag) -> Refusal:
    return refusal("value", ":".join(tag), "one number, or each option once by its name")


def find(prompt: str) -> Tags:
    """The tags that are written in `prompt`."""
    return tuple(tuple(written.split(":")) for written in _WRITTEN.findall(prompt))


class Mistaken(NamedTuple):
    """What looks like a tag of ours and is none, as it is written, and the tag that is meant."""

    written: str
    meant: str
    negative: bool


def mistaken(prompt: str, negative: str = "") -> tuple[Mistaken, ...]:
    """What looks like a tag and is none in `prompt`, and all that looks like one in the `negative` prompt.

    Each once, in their order.
    """
    begun = {each.start() for each in _WRITTEN.finditer(prompt)}
    found = [
        Mistaken(text[each.start() : each.end()], _meant(each[1] or each[2] or ""), is_negative)
        for text, is_negative in ((prompt, False), (negative, True))
        for each in _ALIKE.finditer(text.translate(_WIDE))
        if is_negative or each.start() not in begun
    ]
    return tuple(dict.fromkeys(found))


def _meant(rest: str) -> str:
    """The tag with what stands behind the name in one that is none, an example where nothing does."""
    rest = re.sub(r"\s*=\s*", "=", rest)
    options = re.sub(r"[\s:,;|/()\\]+", ":", rest).strip(":=_-.")
    return f"<{NAME}:{options or _EXAMPLE}>"


def given(network_data: object) -> Tags:
    """The tags among what a WebUI has parsed out of a prompt: its lists of parameters by extra network."""
    return items_of(network_data.get(NAME, ())) if isinstance(network_data, Mapping) else ()


def items_of(params_list: Iterable[Any]) -> Tags:
    return tuple(tuple(each.items) for each in params_list)
