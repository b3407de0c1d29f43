"""Clip skips named by other programs' files: A1111's model notes, Config-Presets, Model Preset Manager, infotext.

None of these tells for sure which model it means, nor the model's architecture: what they do say is in `Found`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from ...skip.architectures import ENCODER_IDS
from ...skip.parameters import PARAMETERS
from ...text.bounded_json import as_number, decode
from ...text.plain import quote
from ..mentions import mentioned_skips, plain_words
from .preset import stem

_FIELD = re.compile(r"clip_?stop_?at_?last_?layers|clip[ _-]?skip", re.I)  # a control's or an option's id
_MODEL_FIELD = re.compile(r"(^|_)sd_model_checkpoint$|^model_?name$|^model$", re.I)
# A value that has a comma in it is written in quotes.
_INFOTEXT = re.compile(r'(?:^|,)\s*(Clip skip|Model hash|Model|CLIP skip [LGH]):\s*("(?:[^"\\]|\\.)*"|[^,]+)')
_ARCHITECTURES = {"SD1": "sd1", "SD 1": "sd1", "SD 1.4": "sd1", "SD 1.5": "sd1"}


@dataclass(frozen=True)
class Found:
    """One clip skip that a text names. `source` says where.

    `counted` holds the numbers named, in A1111's counting from the last block: none or several are no recommendation.
    `skip` is in the user's number by encoder id, where the text is our own infotext. `hash` is the model file's
    SHA-256 or its beginning; `architecture` an id of `architectures`, "" if not told.
    """

    source: str
    counted: frozenset[float] = frozenset()
    skip: Mapping[str, float] = field(default_factory=dict)
    name: str = ""
    hash: str = ""
    architecture: str = ""


def find(text: str, filename: str = "") -> list[Found]:
    """Every clip skip that the text of a file names, in the order of the text. Never raises."""
    top = decode(text)
    if isinstance(top, str) or top is None:
        return list(_in_text(text, filename or "the text"))
    if not isinstance(top, dict):
        return []
    if "default_preset" in top and isinstance(top.get("presets"), dict):
        return list(_in_model_preset_manager(top, filename))
    if any(isinstance(top.get(name), str) for name in ("notes", "description")):
        return list(_in_model_notes(top, filename))
    if found := list(_in_record(filename or "the text", top)):
        return found
    return [
        found for name, record in top.items() if isinstance(record, dict) for found in _in_record(quote(name), record)
    ]


def _in_text(text: str, source: str) -> Iterator[Found]:
    """A1111's infotext, one or many: the line of parameters of each tells its model."""
    for line in text.splitlines():
        values = {key: value.strip().strip('"') for key, value in _INFOTEXT.findall(line)}
        number = as_number(values.get("Clip skip"))
        skip = {}
        for id in ENCODER_IDS:
            ours = as_number(values.get(str(PARAMETERS[id].infotext)))
            if ours is not None:
                skip[id] = ours
        if number is not None or skip:
            yield Found(
                source,
                frozenset() if number is None else frozenset({number}),
                skip,
                stem(values.get("Model", "")),
                values.get("Model hash", "").lower(),
            )


def _in_model_preset_manager(top: Mapping[str, Any], filename: str) -> Iterator[Found]:
    """{"url", "default_preset", "trigger_words", "presets": {name: infotext}} in a file named by the model's hash.

    The default preset speaks for the model; where it names no clip skip, the others do if they agree.
    """
    named = {name: list(_in_text(text, quote(name))) for name, text in top["presets"].items() if isinstance(text, str)}
    default = top["default_preset"]
    found = named.get(default if isinstance(default, str) else "") or [
        each for several in named.values() for each in several
    ]
    if not found:
        return
    short = PurePath(filename).stem.lower()
    yield Found(
        found[0].source if len(found) == 1 else f"{len(found)} presets",
        frozenset().union(*(each.counted for each in found)),
        found[0].skip if all(each.skip == found[0].skip for each in found) else {},
        next((each.name for each in found if each.name), ""),
        short if re.fullmatch(r"[0-9a-f]{8,64}", short) else next((each.hash for each in found if each.hash), ""),
    )


def _in_model_notes(top: Mapping[str, Any], filename: str) -> Iterator[Found]:
    """A1111's `<model>.json`: {"description", "notes", "vae", and what other programs add, such as "sd version"}."""
    text = "\n".join(top[name] for name in ("notes", "description") if isinstance(top.get(name), str))
    numbers = frozenset(mentioned_skips(plain_words(text)))
    if numbers:
        version = top.get("sd version")
        architecture = _ARCHITECTURES.get(version, str(version)) if isinstance(version, str) else ""
        sha256 = top.get("sha256")
        yield Found(
            f"the notes in {quote(filename)}" if filename else "the notes",
            numbers,
            name=PurePath(filename).stem,
            hash=sha256.lower() if isinstance(sha256, str) else "",
            architecture="" if architecture == "Unknown" else architecture,
        )


def _in_record(source: str, record: Mapping[str, Any]) -> Iterator[Found]:
    """One preset of Config-Presets or its kin: values by the ids of the controls or options that they belong to."""
    numbers: set[float] = set()
    name = hash = ""
    for key, value in record.items():
        number = as_number(value)
        if _FIELD.search(key) and number is not None:
            numbers.add(number)
        elif _MODEL_FIELD.search(key) and isinstance(value, str):
            name = stem(value)
            title = re.search(r"\[([0-9a-fA-F]{8,64})\]\s*$", value)
            hash = title.group(1).lower() if title else ""
        elif isinstance(value, list):  # A1111's override settings: ["Clip skip: 2", "Model hash: 0123456789"]
            for found in _in_text(", ".join(item for item in value if isinstance(item, str)), source):
                numbers |= found.counted
                name, hash = found.name or name, found.hash or hash
    if numbers:
        yield Found(source, frozenset(numbers), name=name, hash=hash)
