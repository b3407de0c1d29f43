"""One preset: what it holds, and how it is read from and written into its JSON object."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...skip.architectures import ENCODER_IDS, Architecture
from ...skip.parameters import PARAMETERS, Refusal
from ...text.names import Name
from ...text.plain import quote
from ..checkpoint import MODEL_SUFFIXES, is_sha256

NAME_PREFIX = "name:"


class Mark(Name):
    """The user's word on a model's descent, which wins over every verdict; each is the text of one."""

    NAI_DERIVED = "nai-derived"
    NOT_NAI = "not-nai"


Raw = Mapping[str, object]  # the JSON object of one preset, with the fields that this version knows and others


@dataclass(frozen=True)
class Preset:
    """What the user keeps for one model. Every field may be left at its default.

    `skip` holds the user's number by encoder id; `lineage` is the user's mark; `silenced` holds ids of advice;
    `name` is the model's file name when it was last saved, for people. `refusals` names the fields that the file holds
    with values that can't be used: they read as their defaults here and stay in the file as they are. `origin` is
    where the preset was read, as (key, its JSON object): `Store.put` takes from it which fields were changed since.
    """

    name: str = ""
    skip: Mapping[str, float] = field(default_factory=dict)
    blend: str = "linear"
    lineage: Mark | None = None
    silenced: frozenset[str] = frozenset()
    note: str = ""
    refusals: tuple[Refusal, ...] = field(default=(), compare=False)
    origin: tuple[str, Raw] | None = field(default=None, compare=False, repr=False)


class _Refused(ValueError):
    def __init__(self, path: str, value: object, accepted: str) -> None:
        super().__init__(path)
        self.refusal = Refusal(path, quote(value), accepted)


class Field(NamedTuple):
    """One field of a preset: `accept` takes the JSON value, or raises ValueError; `write` gives it back."""

    accepted: str
    accept: Callable[[object], object]
    write: Callable[[Any], object]


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _read_skip(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ValueError
    skip = {}
    for id in ENCODER_IDS:
        if value.get(id) is not None:
            try:
                skip[id] = PARAMETERS[id].accept(value[id])
            except (ValueError, OverflowError) as error:
                raise _Refused(f"skip.{id}", value[id], PARAMETERS[id].accepted) from error
    return skip


def _write_skip(skip: Mapping[str, float]) -> dict[str, float]:
    return {id: int(value) if isinstance(value, float) and value.is_integer() else value for id, value in skip.items()}


def _read_silenced(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(id, str) for id in value):
        raise ValueError
    return frozenset(value)


def _same(value: object) -> object:
    return value


# In the order in which a new preset is written.
FIELDS = {
    "name": Field("text", _read_text, _same),
    "skip": Field('an object such as {"l": 2}', _read_skip, _write_skip),
    "blend": Field(PARAMETERS["blend"].accepted, PARAMETERS["blend"].accept, _same),
    "lineage": Field(" or ".join(f'"{mark}"' for mark in Mark), Mark, str),
    "silenced": Field("a list of advice ids", _read_silenced, sorted),
    "note": Field("text", _read_text, _same),
}
_DEFAULT = Preset()


def parse_preset(raw: object, key: str | None = None) -> Preset:
    """The preset that a JSON value of whatever type holds. Never raises: what can't be used is in `refusals`."""
    if not isinstance(raw, Mapping):
        return Preset(refusals=(Refusal("preset", quote(raw), 'an object such as {"skip": {"l": 2}}'),))
    values: dict[str, Any] = {}
    refusals = []
    for name, kind in FIELDS.items():
        value = raw.get(name)
        if value is None:
            continue
        try:
            values[name] = kind.accept(value)
        except _Refused as error:
            refusals.append(error.refusal)
        except (ValueError, TypeError):
            refusals.append(Refusal(name, quote(value), kind.accepted))
    return Preset(**values, refusals=tuple(refusals), origin=None if key is None else (key, raw))


def write(preset: Preset) -> dict[str, object]:
    """The JSON object of `preset`, defaults left out. Raises ValueError where a field's value is refused."""
    raw = {
        name: kind.write(getattr(preset, name))
        for name, kind in FIELDS.items()
        if getattr(preset, name) != getattr(_DEFAULT, name)
    }
    if refusals := parse_preset(raw).refusals:
        raise ValueError("; ".join(map(str, refusals)))
    return raw


def merge(current: object, preset: Preset, keys: Collection[str]) -> dict[str, object]:
    """The JSON value `current`, which the file holds for a model (None: nothing), with `preset` saved into it.

    Where `preset` was read from one of the model's `keys`, only the fields that changed since are written, so that
    another program's change to another field stays; of the silenced advice, only the ids that were added or taken
    away. Any other preset is written whole. Fields that this version does not know stay in every case.
    """
    merged = as_object(current)
    written = write(preset)
    base = parse_preset(preset.origin[1]) if preset.origin and preset.origin[0] in keys else None
    for name in FIELDS:
        mine = getattr(preset, name)
        if base is not None and mine == getattr(base, name):
            continue
        value = written.get(name)
        if name == "silenced" and base is not None:
            theirs = parse_preset(merged).silenced
            value = sorted((theirs - base.silenced) | (mine - base.silenced) | (theirs & mine))
        elif name == "skip" and isinstance(kept := merged.get(name), Mapping):
            value = {**_without(kept, ENCODER_IDS), **_write_skip(preset.skip)}
        if value:
            merged[name] = value
        else:
            merged.pop(name, None)
    return merged


def join(sure: object, other: object, other_key: str) -> dict[str, object]:
    """Two JSON objects of one model made one: `sure`, found by its hash, and `other`, found by its name.

    The hash is certain and a name is not, so what `sure` says goes on. `other` gives what `sure` leaves unsaid, its
    silenced advice joins in, and what then loses is kept below "earlier", where a person finds it.
    """
    sure, other = as_object(sure), as_object(other)
    joined = {**other, **sure}
    ours, theirs = parse_preset(sure), parse_preset(other)
    if not ours.refusals and not theirs.refusals and ours.silenced | theirs.silenced:
        joined["silenced"] = sorted(ours.silenced | theirs.silenced)
        other = _without(other, ("silenced",))
    lost = {name: value for name, value in other.items() if name != "name" and joined[name] != value}
    if lost:
        before = sure.get("earlier", [])
        joined["earlier"] = [*(before if isinstance(before, list) else [before]), {"key": other_key, **lost}]
    return joined


def copied(source: object, target: object, name: str | None) -> dict[str, object]:
    """The JSON value of a preset with everything from `source` but its name, in place of `target` (None: nothing)."""
    target, source = as_object(target), _without(as_object(source), ("name", "earlier", "architecture"))
    return {"name": name or target.get("name", ""), **_without(target, FIELDS), **source}


def as_object(raw: object) -> dict[str, object]:
    """A copy of `raw`; what is no object is kept in one, so that it is not lost."""
    return dict(raw) if isinstance(raw, Mapping) else {} if raw is None else {"was": raw}


def _without(raw: Raw, names: Collection[str]) -> dict[str, object]:
    return {name: value for name, value in raw.items() if name not in names}


def key_of(sha256: str | None = None, name: str | None = None) -> str:
    """The key of a model: its file's SHA-256 in hexadecimal, or until that is known "name:" and its `stem`,
    below the folder that `name` tells.

    Raises ValueError where `sha256` is something else, and where neither is given.
    """
    if sha256:
        if not is_sha256(sha256):
            raise ValueError(f"{quote(sha256)} is not a SHA-256: 64 hexadecimal digits")
        return sha256.lower()
    if not name:
        raise ValueError("a preset needs the model's SHA-256 or its name")
    folder, base = folder_of(name), stem(name)
    return NAME_PREFIX + (f"{folder}/{base}" if folder and not re.search(r"[\\/]", base) else base)


def usual_key(key: str) -> str:
    """`key` as `key_of` writes it, where people and other systems write it otherwise: a hash in capitals, a name with
    its accents as signs of their own (macOS)."""
    return key.lower() if is_sha256(key) else unicodedata.normalize("NFC", key)


def keys_of(name: str) -> tuple[str, ...]:
    """The keys under which the model of this name may be kept: with its folder, and without where nobody told it."""
    return tuple(dict.fromkeys((key_of(name=name), NAME_PREFIX + stem(name))))


def is_key(key: str) -> bool:
    """Whether `key_of` makes this key of some model."""
    name = key.removeprefix(NAME_PREFIX)
    if name == key:
        return re.fullmatch(r"[0-9a-f]{64}", key) is not None
    return name != "" and key_of(name=name) == key


def folder_of(name: str) -> str:
    """The folder that a model's name, title or path tells that it lies in, the innermost alone; "" where none."""
    parts = [part for part in re.split(r"[\\/]", _untitled(name)) if part.strip() not in ("", ".", "..")]
    return parts[-2].strip() if len(parts) > 1 else ""


def fits(raw: object, architecture: Architecture) -> bool:
    """Whether a preset that is kept under a name may be that of a model of this architecture."""
    if not isinstance(raw, Mapping) or architecture.id == "unknown":
        return True
    if isinstance(told := raw.get("architecture"), str):
        return told == architecture.id
    skip = raw.get("skip")
    named = set(skip) & set(ENCODER_IDS) if isinstance(skip, Mapping) else set()
    # A number for every encoder that there is was meant for all models.
    return named == set(ENCODER_IDS) or named <= {encoder.id for encoder in architecture.encoders}


def stem(name: str) -> str:
    """A model's name without folder, suffix and the hash that A1111 writes after it: "a/b.ckpt [0123456789]" -> "b".

    Programs show a model by any of these, and the file moves; a name that would leave nothing stays as it is.
    """
    while (shorter := _shorter(name)) not in ("", name):
        name = shorter
    return name


def _shorter(name: str) -> str:
    name = re.split(r"[\\/]", _untitled(name))[-1].strip()
    base, dot, suffix = name.rpartition(".")
    return base if dot + suffix.lower() in MODEL_SUFFIXES else name


def _untitled(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    return re.sub(r"\[[0-9a-fA-F]{6,64}\]\s*$", "", name).rstrip()  # a run of blanks before it is looked at once
