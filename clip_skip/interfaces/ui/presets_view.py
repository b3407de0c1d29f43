"""Presets in words: the rows of the table, what an import would change, and what was silenced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ...advice.names import AdviceId
from ...models.presets.exchange import Change
from ...models.presets.preset import NAME_PREFIX, Mark, Preset, key_of, keys_of
from ...skip.architectures import ENCODER_NAMES
from ...skip.numbers import number
from ...text.phrase import Data, Phrase, english, join
from ...text.plain import plain
from . import markup

MARKS: Mapping[str, Mark | None] = {
    "Not said": None,
    "Descends from NovelAI's model": Mark.NAI_DERIVED,
    "Does not descend from it": Mark.NOT_NAI,
}
"""The lineage marks in the user's words. They win over what the file says."""

_SILENCED: Mapping[str, str] = {
    AdviceId.NOT_NAI: "clip skip 2 on a model that does not descend from NovelAI's",
    AdviceId.NAI_UNVERIFIED: "clip skip 2 on a model of unknown descent",
    AdviceId.OFF_RECOMMENDED: "the model was made for another clip skip",
    AdviceId.OFF_TRAINED: "fewer layers are read than the model was trained with",
    AdviceId.PAST_TRAINED: "more layers are read than the model was trained with",
    AdviceId.NAI_BELOW: "the model was made for clip skip 2",
    AdviceId.LORA_MISMATCH: "a LoRA was trained with another clip skip",
    AdviceId.TOO_DEEP: "the clip skip is very high",
    AdviceId.NO_EFFECT: "clip skip does nothing",
}
"""What each advice is about, by its id."""

_HEAD = ("Model", "Skips", "Blend", "Origin", "Your note", "Found by")
MOST_ROWS = 100
_MOST_PROBLEMS = 8
_HASH_SHOWN = 10  # as many digits as the hosts show


class Row(NamedTuple):
    """One preset: its key, the words by which one chooses it (no two rows share them), and what the table says."""

    key: str
    label: str
    cells: tuple[Phrase, ...]

    def matches(self, search: str) -> bool:
        return holds(" ".join((*map(english, self.cells), self.label, self.key)), search)


def holds(text: str, search: str) -> bool:
    """Whether all words of `search` are in `text`."""
    text = text.casefold()
    return all(word in text for word in search.casefold().split())


def rows(presets: Mapping[str, Preset]) -> list[Row]:
    """A row for each preset, by name."""
    taken: dict[str, int] = {}
    made = []
    for key, preset in sorted(presets.items(), key=lambda item: (natural(_name(*item)), item[0])):
        label = _label(key, preset)
        taken[label] = taken.get(label, 0) + 1
        if taken[label] > 1:
            label = f"{label} ({taken[label]})"
        made.append(Row(key, label, _cells(key, preset)))
    return made


def without_row(titles: Iterable[str], rows: Sequence[Row], key_of_model: Callable[[str], str]) -> list[str]:
    """The titles of the host's models, which may begin with a folder, that have none of the rows.

    A row that is found by its hash may be that of any file of its name: `key_of_model` tells then, by the title, under
    which key the model's preset is kept.
    """
    keys = {row.key for row in rows}
    labels = {row.label for row in rows}
    hashed = {row.label.rpartition(" [")[0] for row in rows if not row.key.startswith(NAME_PREFIX)}

    def has_row(title: str) -> bool:
        name = title.replace("\\", "/").rpartition("/")[2]
        if name in labels or not keys.isdisjoint(keys_of(title)):
            return True
        return name in hashed and key_of_model(title) in keys

    return [title for title in titles if not has_row(title)]


def shown(found: Sequence[Row], search: str, chosen: str | None = None) -> tuple[list[Row], Markup]:
    """The rows that the table has room for, and its HTML, with the one of the label `chosen` marked."""
    room = list(found[:MOST_ROWS])
    if not room and search.strip():
        return room, markup.line("No preset has these words in it.")
    if not room:
        how = "To keep one, choose a model here, press its button in the CLIP Skip panel, or import."
        return room, markup.line("No model has a preset yet.", Data(" "), how)
    more = len(found) - len(room)
    said = markup.line(Data(f"{more} "), "more are not shown: search for them.") if more else markup.NOTHING
    return room, markup.table(_HEAD, [row.cells for row in room], [row.label for row in room], chosen) + said


def problems(sentences: Sequence[str]) -> Markup:
    """What is wrong with the store; "" where nothing is."""
    item = Markup('<div class="clip-skip-item" data-severity="warning"><p><b>{}</b> {}</p></div>')
    warning = markup.pieces(("Warning",))
    items = [item.format(warning, markup.pieces((Data(sentence),))) for sentence in sentences[:_MOST_PROBLEMS]]
    return markup.messages(items) + _more(len(sentences) - len(items))


def preview(changes: Iterable[Change]) -> Markup:
    """What importing these changes does: how many, then each of them before and after."""
    lines: list[tuple[Phrase, Phrase, Phrase]] = []
    counts = {"new": 0, "changed": 0, "unchanged": 0, "left out": 0}
    for change in changes:
        before, after = _kept(change.before), _kept(change.after)
        if change.why or change.after is None:
            kind, after = "left out", ("Left out:", Data(" "), *change.why)
        elif change.before is None:
            kind = "new"
        else:
            kind = "unchanged" if change.before == change.after else "changed"
        counts[kind] += 1
        preset = change.after or change.before
        model = _label(change.key, preset) if change.key and preset else change.source
        lines.append(((Data(model),), before, after if kind != "unchanged" else ("Stays as it is",)))
    said = join((Data(f"{count} "), kind) for kind, count in counts.items() if count)
    table = markup.table(("Model", "Kept now", "After the import"), lines[:MOST_ROWS])
    return markup.line(*said, Data(":")) + table + _more(len(lines) - MOST_ROWS)


def silenced(presets: Mapping[str, Preset]) -> Markup:
    """Each model about which some advice was silenced, that advice, and a button; "" where there is none."""
    found = sorted(((_name(key, preset).casefold(), key) for key, preset in presets.items() if preset.silenced))
    item = Markup(
        '<div class="clip-skip-item" data-severity="info"><p>{}</p><p>{}</p><div class="clip-skip-actions">'
        '<button type="button" data-clip-skip-press="again" data-clip-skip-pick="{}">{}</button></div></div>'
    )
    again = markup.pieces(("Tell me again",))
    items = [
        item.format(markup.pieces(_named(key, presets[key])), markup.pieces(_about(presets[key])), key, again)
        for _, key in found[:MOST_ROWS]
    ]
    return markup.messages(items) + _more(len(found) - len(items))


def _more(count: int) -> Markup:
    return markup.line(Data(f"{count} "), "more.") if count > 0 else markup.NOTHING


def _cells(key: str, preset: Preset) -> tuple[Phrase, ...]:
    return (
        _named(key, preset),
        join(filter(None, [_skips(preset), unusable(preset)])),
        (preset.blend.capitalize(),) if any(skip % 1 for skip in preset.skip.values()) else (),
        _mark(preset),
        (Data(preset.note),) if preset.note else (),
        ("file name",) if key.startswith(NAME_PREFIX) else ("hash", Data(f" {key[:_HASH_SHOWN]}")),
    )


def unusable(preset: Preset) -> Phrase:
    """The values that the file holds for the preset and that can't be used."""
    values = ", ".join(f"{refusal.name} {refusal.value}" for refusal in preset.refusals)
    return ("can't be used:", Data(f" {values}")) if values else ()


def _kept(preset: Preset | None) -> Phrase:
    return ("Nothing",) if preset is None else in_words(preset)


def in_words(preset: Preset) -> Phrase:
    """All that is kept for a model."""
    parts: list[Phrase] = [_skips(preset)]
    parts += [(preset.blend.capitalize(),)] if preset.blend != "linear" else []
    parts += [_mark(preset)]
    parts += [("silenced:", Data(" "), *_about(preset))] if preset.silenced else []
    parts += [("note:", Data(f" {preset.note}"))] if preset.note else []
    return join(filter(None, parts), "; ") or ("No skip",)


def _skips(preset: Preset) -> Phrase:
    return join((Data(f"{ENCODER_NAMES[id]} {number(skip)}"),) for id, skip in preset.skip.items())


def _mark(preset: Preset) -> Phrase:
    return tuple(words for words, mark in MARKS.items() if mark is not None and mark == preset.lineage)


def _about(preset: Preset) -> Phrase:
    return join((_SILENCED.get(id, Data(id)),) for id in sorted(preset.silenced))


def _name(key: str, preset: Preset) -> str:
    return preset.name or (key[len(NAME_PREFIX) :] if key.startswith(NAME_PREFIX) else "")


def natural(name: str) -> list[object]:
    """What a name is sorted by: its numbers as numbers, of any length, and the rest in either case."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(len(part.lstrip("0")), part.lstrip("0")) if number % 2 else part for number, part in enumerate(parts)]


def _named(key: str, preset: Preset) -> Phrase:
    name = _name(key, preset)
    return (Data(name),) if name else ("(no name)",)


def _label(key: str, preset: Preset) -> str:
    name = plain(_name(key, preset), 120)
    if not key.startswith(NAME_PREFIX):
        return f"{name} [{key[:_HASH_SHOWN]}]".strip()
    # By hand, a preset may have got another name than the one that it is found by.
    return name if key_of(name=_name(key, preset)) == key else f"{name} ({plain(key, 120)})"
