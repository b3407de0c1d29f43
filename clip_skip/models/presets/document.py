"""The text of the presets file: what it says, and how it is written.

    {
      "schema": 1,
      "presets": {
        "<SHA-256 of the model file>": {"name": "pony", "skip": {"l": 2, "g": 1.5}},
        "name:<file name, until the hash is known>": {"name": "anime", "lineage": "nai-derived"}
      }
    }

One preset a line, sorted, in UTF-8: to read, to search and to edit by hand.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...text.bounded_json import load
from ...text.plain import quote
from .preset import is_key, parse_preset, usual_key

SCHEMA = 1

_encode = json.JSONEncoder(ensure_ascii=False).encode


class Unreadable(ValueError):
    """The text is no presets file; the message says where it stops being one."""


@dataclass(frozen=True)
class Document:
    """What a presets file holds. `presets` has a JSON value for each key, `rest` the other fields of the top level.

    `doubled` names what an object has twice: only the last one can be kept.
    """

    schema: int = SCHEMA
    presets: Mapping[str, object] = field(default_factory=dict)
    rest: Mapping[str, object] = field(default_factory=dict)
    doubled: tuple[str, ...] = ()

    @property
    def newer(self) -> bool:
        """Whether a newer version wrote it, so that this one must not."""
        return self.schema > SCHEMA

    def refusals(self) -> list[str]:
        """What in it can't be used, one sentence for each."""
        said = [f"{quote(name)} is there twice: the last one counts" for name in self.doubled]
        for key, raw in self.presets.items():
            if not is_key(key):
                expected = '64 lower-case hexadecimal digits, or "name:" and a file name without its suffix'
                said.append(f"{quote(key)} is no key of a preset, which is {expected}")
            said += [f"{quote(key)}: {refusal}" for refusal in parse_preset(raw).refusals]
        return said


def parse(data: bytes | str) -> Document:
    """What a presets file with this content holds; an empty one holds no presets. Raises Unreadable."""
    if not data.strip():
        return Document()
    doubled: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        fields = dict(items)
        if len(fields) != len(items):
            doubled.extend(name for name, times in Counter(name for name, _ in items).items() if times > 1)
        return fields

    try:
        # The user's own file may be however long; the page and the body of a request bound what they hand over.
        top = load(data, pairs, longest=None)
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if not isinstance(top, dict):
        raise Unreadable(f"it holds {quote(top)} where an object is expected")
    return _document(top, tuple(doubled))


def _document(top: dict[str, object], doubled: tuple[str, ...]) -> Document:
    if top and not top.keys() & {"schema", "presets"}:
        raise Unreadable('it has neither "schema" nor "presets"')
    rest = dict(top)
    schema, presets = rest.pop("schema", SCHEMA), rest.pop("presets", {})
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise Unreadable(f'"schema" is {quote(schema)}, not a whole number from 1')
    if not isinstance(presets, dict):
        raise Unreadable(f'"presets" is {quote(presets)}, not an object')
    return Document(schema, _by_usual_keys(presets), rest, doubled)


def _by_usual_keys(presets: Mapping[str, object]) -> dict[str, object]:
    """The presets by the usual form of their keys; where that is another's, by their own."""
    usual = {key: usual_key(key) for key in presets}
    times = Counter(usual.values())
    return {usual[key] if times[usual[key]] == 1 else key: raw for key, raw in presets.items()}


def dump(
    presets: Mapping[str, object],
    rest: Mapping[str, object] | None = None,
    lines: dict[str, tuple[object, str]] | None = None,
) -> bytes:
    """The content of a presets file of this version's schema.

    `lines` has the lines of former calls by key, each with the value that it was made of: a value that is still the
    same object is not encoded again. It is brought up to date.
    """
    lines = {} if lines is None else lines
    for key, raw in presets.items():
        if key not in lines or lines[key][0] is not raw:
            lines[key] = (raw, f"    {_encode(key)}: {_encode(raw)}")
    block = ",\n".join([lines[key][1] for key in sorted(presets)])
    top = {"schema": SCHEMA, **(rest or {})}
    fields = [f"  {_encode(name)}: {_encode(value)}" for name, value in top.items()]
    fields.append('  "presets": {' + (f"\n{block}\n  " if block else "") + "}")
    # A file name that is no Unicode comes from the system with lone surrogates; JSON can escape these.
    return ("{\n" + ",\n".join(fields) + "\n}\n").encode("utf-8", "backslashreplace")
