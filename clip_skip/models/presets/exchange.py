"""Presets as text for other people and machines, and from such text, with a look at what will change first."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...skip.architectures import ARCHITECTURES
from ...skip.numbers import number
from ...text.phrase import Data, Phrase, Problem, english
from ...text.plain import quote
from ...text.regex import regex
from ..checkpoint import is_sha256
from . import foreign
from .document import SCHEMA, Document, Unreadable, dump, parse
from .preset import NAME_PREFIX, Preset, Raw, as_object, is_key, key_of, parse_preset, stem
from .store import Changed, Store

# As many digits of a hash as tell models apart; A1111 writes ten. Its old hash of eight is shared by hundreds of files.
_TELLING_HASH = regex(r"[0-9a-f]{10,64}")
# What is saved has to be read again by a program with less room left on its stack.
_MAX_NESTING = 32


class Model(NamedTuple):
    """What a host knows of one of its models; None and "" where it does not."""

    name: str
    sha256: str | None = None
    architecture: str = ""


_NOTHING = Model("")
# Finds all models of this name, which may tell a folder, or whose SHA-256 begins so.
Identify = Callable[[str], Sequence[Model]]


@dataclass(frozen=True)
class Change:
    """What an import will do to one preset, or why it leaves one out: then `why` says it and `after` is None."""

    source: str
    key: str | None = None
    before: Preset | None = None
    after: Preset | None = None
    why: Phrase = ()
    raw: Raw = field(default_factory=dict, repr=False)

    @property
    def refused(self) -> str:
        """Why this one is left out, in English; "" where it is not."""
        return english(self.why)


def export(store: Store, keys: Collection[str] | None = None) -> str:
    """All presets, or those under `keys`, in the format of the presets file. Raises KeyError."""
    presets = store.raw()
    chosen = presets if keys is None else {key: presets[key] for key in keys}
    return dump(chosen).decode()


def plan_import(
    text: str, store: Store, filename: str = "", identify: Identify | None = None, assumed: str = ""
) -> list[Change]:
    """What importing `text` would change, entry by entry. Raises ValueError where it holds nothing to import.

    `text` is an export of ours, or anything that `foreign.find` reads; `filename` is the name of the file that it came
    from, which may be all that tells the model. What an entry of ours says wins over what is saved, field by field;
    what it leaves unsaid stays. A number in A1111's counting is taken only for a model known to be SD 1.x; `assumed` is
    the architecture of those of which nothing tells it.
    """
    text = text.lstrip("\ufeff")
    document = _ours(text)
    # Others call their tables "presets" too.
    found = [] if document is not None and any(map(is_key, document.presets)) else foreign.find(text, filename)
    if found:
        changes = [_from_foreign(each, store, identify, assumed) for each in found]
    elif document is None:
        raise Problem("nothing in it names a clip skip")
    elif document.newer:
        schemas = Data(f": schema {document.schema}, known is {SCHEMA}")
        raise Problem("it was written by a newer version of CLIP Skip", schemas)
    else:
        changes = [_change(quote(key), key, raw, store) for key, raw in document.presets.items()]
    for change in changes:
        check_plain(change.raw)
    return _once_each(changes)


def check_plain(value: object) -> None:
    """Raises ValueError where `value` is nested too deep, or has a number that JSON has no word for."""
    level = [value]
    for _ in range(_MAX_NESTING):
        if any(isinstance(each, float) and not math.isfinite(each) for each in level):
            raise Problem("it holds a number that is not finite")
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, Mapping) else each if isinstance(each, list) else ())
        ]
        if not level:
            return
    raise Problem(f"it is nested deeper than {_MAX_NESTING} levels")


def apply(changes: Iterable[Change], store: Store) -> tuple[int, Changed]:
    """Save what `plan_import` planned and did not refuse; how many presets that were, and what changed of the file.

    Raises StoreError.
    """
    taken = [(change.key, change.raw) for change in changes if change.key and not change.refused]

    def edit(presets: dict[str, object]) -> None:
        for key, raw in taken:
            presets[key] = _over(presets.get(key), raw)

    return len(taken), store.change(edit) if taken else Changed({}, {})


def _ours(text: str) -> Document | None:
    """The document that `text` is, if it is one of ours."""
    try:
        document = parse(text)
    except Unreadable:
        return None
    if not text.strip(" \t\r\n{}") or "default_preset" in document.rest:
        return None
    return document


def _change(source: str, key: str, raw: Any, store: Store) -> Change:
    before = store.raw().get(key)
    seen = None if before is None else parse_preset(before, key)
    if not is_key(key):
        return Change(source, why=('it is neither a SHA-256 nor "name:" and a name',))
    if refusals := parse_preset(raw).refusals:
        return Change(source, key, seen, why=(Data("; ".join(map(str, refusals))),))
    return Change(source, key, seen, parse_preset(_over(before, raw), key), raw=raw)


def _over(before: object, raw: Raw) -> dict[str, object]:
    return {**as_object(before), **raw}


def _from_foreign(found: foreign.Found, store: Store, identify: Identify | None, assumed: str) -> Change:
    try:
        model = _identified(found, identify)
    except Problem as problem:
        return Change(found.source, why=problem.phrase)
    key = _key(model.sha256 or found.hash, model.name or found.name, store)
    if key is None and found.hash:
        return Change(
            found.source, why=("it tells the model by a hash that is not known here:", Data(f" {quote(found.hash)}"))
        )
    if key is None:
        return Change(found.source, why=("it does not tell the model",))
    architecture = model.architecture or found.architecture or assumed
    if found.skip:
        skip = dict(found.skip)
    elif len(found.counted) != 1:
        numbers = Data(f" {', '.join(number(each) for each in sorted(found.counted))}")
        several: Phrase = ("it names several clip skips:", numbers)
        return Change(found.source, key, why=several if found.counted else ("it names no single clip skip",))
    else:
        (counted,) = found.counted
        if architecture != "sd1":
            known = ARCHITECTURES[architecture].name if architecture in ARCHITECTURES else quote(architecture)
            this: Phrase = ("this one is", Data(f" {known}")) if architecture else ("what this one is, is not known",)
            counts = "its clip skip is sure to mean the same here only for SD 1.x"
            return Change(found.source, key, why=(counts, Data(f" ({number(counted)}); "), *this))
        skip = {"l": counted}
    raw: dict[str, object] = {"skip": skip}
    if key.startswith(NAME_PREFIX):
        # As a save keeps it, where it is found by that.
        name = model.name if model.name and key_of(name=model.name) == key else key[len(NAME_PREFIX) :]
        raw = {"name": name, **raw}
        if architecture in ARCHITECTURES:
            raw["architecture"] = architecture
    elif name := model.name.rpartition("/")[2] or stem(found.name):
        raw = {"name": name, **raw}
    return _change(found.source, key, raw, store)


def _identified(found: foreign.Found, identify: Identify | None) -> Model:
    """What the host knows of the model that a text tells, an empty one where it knows none.

    A hash is believed before a name, and neither where the other contradicts it. Raises Problem, which says so.
    """
    if identify is None:
        return _NOTHING
    hash = found.hash if _TELLING_HASH.fullmatch(found.hash) else ""
    named = identify(found.name) if found.name else ()
    for models in (named, identify(hash) if hash else ()):
        for model in models:
            if hash and model.sha256 and model.sha256.startswith(hash):
                return model
    # Of a model whose hash the host has not worked out, the name is all that there is.
    fitting = [model for model in named if not hash or not model.sha256]
    if named and not fitting:
        begins = ", ".join(str(model.sha256)[:10] for model in named[:5])
        raise Problem("the model of this name is another file here, whose SHA-256 begins with", Data(f" {begins}"))
    if len({model.sha256 or model.name for model in fitting}) > 1:
        names = ", ".join(quote(model.name) for model in fitting[:5])
        raise Problem("several models have this name here:", Data(f" {names}"))
    if found.guessed and not fitting and not hash:
        raise Problem("it does not tell the model")
    return fitting[0] if fitting else _NOTHING


def _key(hash: str, name: str, store: Store) -> str | None:
    """The key of a model of which a text tells a hash, maybe cut short, and a name, or one of them."""
    if is_sha256(hash):
        return key_of(hash)
    if _TELLING_HASH.fullmatch(hash):
        keys = [key for key in store.raw() if key.startswith(hash)]
        if len(keys) == 1:
            return keys[0]
    return key_of(name=name) if name else None


def _once_each(changes: Iterable[Change]) -> list[Change]:
    """The changes without repetitions; where two would give one model different presets, both are refused."""
    by_key: dict[str, list[Change]] = {}
    kept: list[Change] = []
    for change in changes:
        if change.key is None or change.refused:
            kept.append(change)
        elif change.raw not in (earlier.raw for earlier in by_key.setdefault(change.key, [])):
            by_key[change.key].append(change)
            kept.append(change)
    return [
        Change(change.source, change.key, change.before, why=("the text names several presets for this model",))
        if change.key in by_key and len(by_key[change.key]) > 1 and not change.refused
        else change
        for change in kept
    ]
