"""Presets in words: the rows of the table, and what an import would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..architectures import ENCODER_NAMES
from ..presets.exchange import Change
from ..presets.model import NAME_PREFIX, Preset, key_of
from ..skip import number
from . import markup

MARKS = {
    "Not said": None,
    "Descends from NovelAI's model": "nai-derived",
    "Does not descend from it": "not-nai",
}
"""The lineage marks in the user's words. They win over what the file says."""

_HEAD = ("Model", "Skip", "Blend", "Lineage", "Note", "Key")
_MOST_ROWS = 100
_MOST_PROBLEMS = 8
_HASH_SHOWN = 10  # as many digits as the hosts show


@dataclass(frozen=True)
class Row:
    """One preset: its key, the words by which one chooses it (no two rows share them), and what the table says."""

    key: str
    label: str
    cells: tuple[str, ...]

    def matches(self, search: str) -> bool:
        said = " ".join((*self.cells, self.label, self.key)).casefold()
        return all(word in said for word in search.casefold().split())


def rows(presets: Mapping[str, Preset]) -> list[Row]:
    """A row for each preset, by name."""
    taken: dict[str, int] = {}
    made = []
    for key, preset in sorted(presets.items(), key=lambda item: (_name(*item).casefold(), item[0])):
        label = _label(key, preset)
        taken[label] = taken.get(label, 0) + 1
        if taken[label] > 1:
            label = f"{label} ({taken[label]})"
        made.append(Row(key, label, _cells(key, preset)))
    return made


def shown(found: Sequence[Row], search: str) -> tuple[list[Row], str]:
    """The rows that the table has room for, and its HTML."""
    room = list(found[:_MOST_ROWS])
    if not room:
        why = "No preset has these words in it." if search.strip() else "No model has a preset yet."
        how = '"Save for this model" in the CLIP Skip panel keeps one; so does an import.'
        return room, markup.line(why if search.strip() else f"{why} {how}")
    more = len(found) - len(room)
    said = markup.line(f"{more} more are not shown: search for them.") if more else ""
    return room, markup.table(_HEAD, [row.cells for row in room], [row.label for row in room]) + said


def problems(sentences: Sequence[str]) -> str:
    """What is wrong with the store; "" where nothing is."""
    said = [*sentences[:_MOST_PROBLEMS]]
    if more := len(sentences) - len(said):
        said.append(f"And {more} more.")
    return "".join(map(markup.line, said))


def preview(changes: Iterable[Change]) -> str:
    """What importing these changes does: how many, then each of them before and after."""
    lines, counts = [], {"new": 0, "changed": 0, "unchanged": 0, "refused": 0}
    for change in changes:
        before, after = _kept(change.before), _kept(change.after)
        if change.refused or change.after is None:
            kind, after = "refused", f"Refused: {change.refused}"
        elif change.before is None:
            kind = "new"
        else:
            kind = "unchanged" if change.before == change.after else "changed"
        counts[kind] += 1
        preset = change.after or change.before
        model = _label(change.key, preset) if change.key and preset else change.source
        lines.append((model, before, after if kind != "unchanged" else "Stays as it is"))
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    hidden = len(lines) - _MOST_ROWS
    rest = markup.line(f"And {hidden} more.") if hidden > 0 else ""
    return markup.line(f"{said}:") + markup.table(("Model", "Kept now", "After the import"), lines[:_MOST_ROWS]) + rest


def _cells(key: str, preset: Preset) -> tuple[str, ...]:
    refused = "".join(f" ({refusal.name} refused)" for refusal in preset.refusals)
    return (
        _name(key, preset),
        _skips(preset) + refused,
        preset.blend.capitalize(),
        _mark(preset) if preset.lineage else "",
        preset.note,
        _short(key),
    )


def _kept(preset: Preset | None) -> str:
    if preset is None:
        return "Nothing"
    parts = [_skips(preset)]
    parts += [preset.blend.capitalize()] if preset.blend != "linear" else []
    parts += [_mark(preset)] if preset.lineage else []
    parts += [f"silenced: {', '.join(sorted(preset.silenced))}"] if preset.silenced else []
    parts += [f"note: {preset.note}"] if preset.note else []
    return "; ".join(filter(None, parts)) or "No skip"


def _skips(preset: Preset) -> str:
    return ", ".join(f"{ENCODER_NAMES[id]} {number(skip)}" for id, skip in preset.skip.items())


def _mark(preset: Preset) -> str:
    return next(words for words, mark in MARKS.items() if mark == preset.lineage)


def _name(key: str, preset: Preset) -> str:
    return preset.name or (key[len(NAME_PREFIX) :] if key.startswith(NAME_PREFIX) else "(no name)")


def _short(key: str) -> str:
    return "by name" if key.startswith(NAME_PREFIX) else key[:_HASH_SHOWN]


def _label(key: str, preset: Preset) -> str:
    name = markup.plain(_name(key, preset), 120)
    if not key.startswith(NAME_PREFIX):
        return f"{name} [{_short(key)}]"
    # By hand, a preset may have got another name than the one that it is found by.
    return name if key_of(name=_name(key, preset)) == key else f"{name} ({markup.plain(key, 120)})"
