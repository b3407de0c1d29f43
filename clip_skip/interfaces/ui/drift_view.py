"""The drift of a prompt as HTML: the picture, the words that moved most, and both to save."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from ...drift.chart import Marks, svg
from ...drift.drift import Drift, Point, as_csv
from ...drift.measured import Measured
from ...models.checkpoint import Checkpoint
from ...skip.numbers import in_range, number, words
from ...text.phrase import Data
from .markup import NOTHING, joined, line, pieces

_NARROW = 320


def render(measured: Sequence[Measured], checkpoint: Checkpoint, prompt: str, marks: Marks) -> Markup:
    """`checkpoint` is what was measured; `prompt` is shown as it stands."""
    drifts = [each.drift for each in measured]
    title = f"{checkpoint.name}: {prompt}"
    notes = {(each.drift.encoder.id, p.skip): p.moved(each.words) for each in measured for p in each.drift.points}
    wide = svg(drifts, title, marks, notes)
    # Which of the two is shown depends on the room that the panel has.
    pictures = Markup(wide + svg(drifts, title, marks, notes, _NARROW))
    links = _link("clip-skip-drift.svg", "image/svg+xml", wide, "Save the picture") + _link(
        "clip-skip-drift.csv", "text/csv", as_csv(drifts), "Save the numbers"
    )
    whole = Markup('<div class="clip-skip-drifts">{}</div>{}{}<p class="clip-skip-links">{}</p>')
    return whole.format(pictures, joined(_outside(measured, marks)), _moved(measured, marks), links)


def _outside(measured: Sequence[Measured], marks: Marks) -> Iterator[Markup]:
    """Where an encoder is read that the picture does not show."""
    for encoder in (each.drift.encoder for each in measured):
        current = marks.current.get(encoder.id, 1.0)
        if not in_range(current, encoder.trained_depth):
            yield line("Not in the picture:", Data(f" {encoder.name}, "), *words(encoder, current))


def _moved(measured: Sequence[Measured], marks: Marks) -> Markup:
    """The words that moved most, each encoder's at the skip that says most of it."""
    said = []
    for each in measured:
        encoder = each.drift.encoder
        point = _telling(each.drift, marks.current.get(encoder.id, 1.0), marks.recommended.get(encoder.id, 1.0))
        if point is not None and (moved := point.moved(each.words)):
            said.append(f"{encoder.name} {number(point.skip)} ({moved})")
    return line("Words that moved most:", Data(f" {', '.join(said)}")) if said else NOTHING


def _telling(drift: Drift, *skips: float) -> Point | None:
    """The point at the first of these skips at which anything moves, else at 2."""
    by_skip = {point.skip: point for point in drift.points}
    return next((by_skip[skip] for skip in (*skips, 2.0) if skip != 1 and skip in by_skip), None)


def _link(name: str, kind: str, content: str, label: str) -> Markup:
    data = base64.b64encode(content.encode("utf-8")).decode("ascii")
    link = Markup('<a href="data:{};charset=utf-8;base64,{}" download="{}">{}</a>')
    return link.format(kind, data, name, pieces((label,)))
