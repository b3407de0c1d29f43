"""The WebUI's models in words: the rows of the table, and what is known of one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from ...models.inspect.evidence.evidence import Verdict
from ...models.presets.preset import Mark, Preset
from ...models.survey import CHECKPOINT, LORA, Found, Listed, Progress
from ...skip.architectures import ENCODER_NAMES, UNNAMED
from ...skip.numbers import number
from ...text.phrase import Data, Phrase, english, join
from . import markup
from .advice_view import VERDICTS, reasons
from .presets_view import MARKS, MOST_ROWS, holds, in_words, natural
from .words import meaning

if TYPE_CHECKING:
    from ...models.inspect.facts import ModelFacts

KINDS: Mapping[str, str | None] = {"All": None, "Checkpoints": CHECKPOINT, "LoRAs": LORA}
"""What the table can be narrowed to, in the user's words."""

COLUMNS: Mapping[str, str] = {
    "name": "Model",
    "architecture": "Architecture",
    "made": "Made for clip skip",
    "who": "Who says so",
    "lineage": "Origin",
    "preset": "Preset",
}
"""The table's columns and their heads."""

_TRAINED = "all models of its kind"
# Who says what a model was made for, by the ids of `recommend.SKIP_LADDER`.
SOURCES: Mapping[str, str] = {
    "modelspec": "its file",
    "ss-clip-skip": "its file",
    "ot-config": "its file",
    "trained-layers": "its weights",
    "lora-manager": "a file beside it",
    "civitai-version": "a file beside it",
    "yaml": "a file beside it",
    "description": "its description",
    "known-author": "its author",
    "listed-card": "its page on Civitai",
    "sample-images": "its sample images",
    "listed-samples": "its sample images",
    "nai-lineage": "its origin",
}
_WORDS = {mark: words for words, mark in MARKS.items()}
_LINEAGES: Mapping[Verdict, str] = {
    Verdict.NAI: "Is NovelAI's model",
    Verdict.NAI_DERIVED: _WORDS[Mark.NAI_DERIVED],
    Verdict.CONTAINS_NAI: "Holds some of NovelAI's model",
    Verdict.NOT_NAI: _WORDS[Mark.NOT_NAI],
    Verdict.UNKNOWN: "Not known",
}
_NOT_KNOWN: Phrase = ("Not known",)


@dataclass(frozen=True)
class Order:
    """The column that the table is sorted by, upwards or `down`. No tuple, which Gradio 4's state would make a list."""

    column: str = "name"
    down: bool = False

    def pressed(self, column: str) -> Order:
        """The order after a press on the head of `column`."""
        return Order(column, column == self.column and not self.down)


class Row(NamedTuple):
    """One model, what the table says of it by column, and what it is sorted by there, None where nothing is known."""

    model: Listed
    cells: Mapping[str, Phrase]
    keys: Mapping[str, Any]

    def matches(self, search: str) -> bool:
        return holds(" ".join((self.model.name, *map(english, self.cells.values()))), search)


def row(model: Listed, found: Found | None, preset: Preset | None) -> Row:
    """`found` is None where it was not read yet."""
    cells: dict[str, Phrase] = dict.fromkeys(COLUMNS, ())
    keys: dict[str, Any] = dict.fromkeys(COLUMNS)
    cells["name"] = (Data(model.name),)
    keys["name"] = natural(model.name)
    if found is None:
        cells["architecture"] = ("Not read yet",)
        return Row(model, cells, keys)
    if preset is not None:
        cells["preset"] = in_words(preset)
    if found.error:
        cells["architecture"] = ("Can't be read:", Data(f" {found.error}"))
    elif found.facts is None:
        cells["architecture"] = ("It has no file.",)
    else:
        cells["architecture"] = _architecture(found.facts)
        keys["architecture"] = natural(english(cells["architecture"]))
        keys["made"], cells["made"], cells["who"] = _made_for(found.facts)
        if asks_for_lineage(found.facts):
            cells["lineage"] = (_LINEAGES[found.facts.verdict],)
            keys["lineage"] = list(_LINEAGES).index(found.facts.verdict)
    for column in ("who", "preset"):
        keys[column] = natural(english(cells[column])) if cells[column] else None
    return Row(model, cells, keys)


def asks_for_lineage(facts: ModelFacts) -> bool:
    """Whether it is a model for which its descent matters."""
    return facts.architecture.id == "sd1" and facts.kind != "lora"


def ordered(rows: Iterable[Row], order: Order) -> list[Row]:
    """Those of which nothing is known there come last, whichever way."""
    by_name = sorted(rows, key=lambda row: (row.keys["name"], row.model.kind))
    known = [row for row in by_name if row.keys[order.column] is not None]
    known.sort(key=lambda row: row.keys[order.column], reverse=order.down)
    return known + [row for row in by_name if row.keys[order.column] is None]


def table(rows: Sequence[Row], order: Order, chosen: Listed | None) -> Markup:
    """The first of the rows, with the one of the model `chosen` marked; `pick_of` tells what a press on one picks."""
    if not rows:
        return markup.line("No model has these words in it.")
    button = '<button type="button" data-clip-skip-press="sort" data-clip-skip-pick="{}">{}</button>'
    head = Markup('<th aria-sort="{}">' + button + "</th>")
    ways = {True: "descending", False: "ascending"}
    heads = [
        head.format(ways[order.down] if column == order.column else "none", column, markup.pieces((words,)))
        for column, words in COLUMNS.items()
    ]
    room = rows[:MOST_ROWS]
    drawn = markup.table(
        list(COLUMNS.values()),
        [list(row.cells.values()) for row in room],
        [pick_of(row.model) for row in room],
        pick_of(chosen) if chosen else None,
        heads,
    )
    more = len(rows) - len(room)
    return drawn + (markup.line(Data(f"{more} "), "more are not shown: search for them.") if more else markup.NOTHING)


def pick_of(model: Listed) -> str:
    """What stands for `model` on the page, which takes no file name that is no Unicode."""
    return f"{model.kind}:{model.name}".encode("utf-8", "backslashreplace").decode()


def progress(now: Progress | None) -> Markup:
    """How far the models are read; "" where none is being read."""
    if now is None:
        return markup.NOTHING
    bar = Markup(
        '<label class="clip-skip-words clip-skip-progress">{} <progress max="{}" value="{}"></progress> {}</label>'
    )
    words = "Waits for the WebUI's job:" if now.rests else "Reading the models:"
    counted = markup.pieces((Data(f"{now.done} / {now.total}"),))
    return bar.format(markup.pieces((words,)), now.total, now.done, counted)


def about(model: Listed, found: Found | None, preset: Preset | None) -> Markup:
    """All that is known of one model."""
    head = Markup('<h4 translate="no">{}</h4>').format(markup.text(model.name))
    if found is None:
        return head + markup.line("Not read yet")
    if found.error:
        return head + markup.line("Its file could not be read:", Data(f" {found.error}"))
    facts = found.facts
    if facts is None:
        return head + markup.line("It has no file.")
    file_name = found.checkpoint.file_name
    details = [facts.quantised, "" if file_name in model.name else file_name]
    more = "".join(f", {detail}" for detail in details if detail)
    parts = [head, markup.line(*_architecture(facts), Data(more))]
    if not facts.architecture.encoders:
        parts.append(markup.line("No CLIP skip here.", Data(" "), facts.architecture.reason))
        return markup.joined(parts)
    _, skip, who = _made_for(facts)
    parts.append(markup.line("Made for clip skip", Data(": "), *skip, *((Data(" ("), *who, Data(")")) if who else ())))
    if facts.kind != "lora":
        kept = in_words(preset) if preset is not None else ("none",)
        parts.append(markup.line("Your preset:", Data(" "), *kept))
    parts.append(meaning(facts.architecture))
    if asks_for_lineage(facts):
        parts.append(markup.line(VERDICTS[facts.verdict]))
    parts.append(markup.bullets(reasons(facts)))
    return markup.joined(parts)


def _architecture(facts: ModelFacts) -> Phrase:
    known = [] if facts.architecture.name == UNNAMED else [facts.architecture.name]
    words = ", ".join(filter(None, [*known, facts.variant, "LoRA" if facts.kind == "lora" else ""]))
    return (Data(words),) if known or facts.variant else (*_NOT_KNOWN, Data(f", {words}" if words else ""))


def _made_for(facts: ModelFacts) -> tuple[tuple[float, ...] | None, Phrase, Phrase]:
    """The clip skip that a model was made for: to sort by, in words, and who says so."""
    architecture = facts.architecture
    if not architecture.encoders:
        return None, () if architecture.name == UNNAMED else ("No CLIP skip here.",), ()
    if architecture.id != "sd1":
        return (1.0,), (Data("1"),), (_TRAINED,)
    if facts.kind == "lora":
        skip = facts.trained_skip
        if skip is None:
            return None, _NOT_KNOWN, ()
        who = next((s.id for s in facts.statements if s.trained and s.skip.get("l") == skip), "")
        return (skip,), (Data(number(skip)),), (SOURCES[who],) if who in SOURCES else ()
    if facts.recommended is not None:
        skips = facts.recommended.skip
        return tuple(skips.values()), _skips(skips), (SOURCES[facts.recommended.source],)
    if any(statement.leaves_choice for statement in facts.statements):
        return None, ("Left to you",), (SOURCES["known-author"],)
    if facts.verdict == Verdict.NOT_NAI:
        return (1.0,), (Data("1"),), (_TRAINED,)
    return None, _NOT_KNOWN, ()


def _skips(skips: Mapping[str, float]) -> Phrase:
    if set(skips) == {"l"}:
        return (Data(number(skips["l"])),)
    return join((Data(f"{ENCODER_NAMES[id]} {number(skip)}"),) for id, skip in skips.items())
