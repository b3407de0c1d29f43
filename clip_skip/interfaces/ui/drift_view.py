"""The drift of a prompt as HTML: the picture, the words that moved most, and both to save."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from ...drift.chart import Marks, svg
from ...drift.drift import Drift, Point, as_csv
from ...drift.measured import Measured
from ...models.checkpoint import Checkpoint
from ...skip.numbers import in_range, layers, number
from ...text.phrase import Data
from .markup import NOTHING, joined, line, pieces

_NARROW = 320
# What is asked about. A skip beyond it is shown where it is in use.
_SHOWN: float = 6


def render(measured: Sequence[Measured], checkpoint: Checkpoint, prompt: str, marks: Marks) -> Markup:
    """`checkpoint` is what was measured; `prompt` is shown as it stands."""
    drifts = [each.drift for each in measured]
    title = f"{checkpoint.name}: {prompt}"
    notes = {(each.drift.encoder.id, p.skip): p.moved(each.words) for each in measured for p in each.drift.points}

    def pictures(shown: Sequence[Drift], wide: str) -> Markup:
        # Which of the two is shown depends on the room that the panel has.
        both = Markup(wide + svg(shown, title, marks, notes, _NARROW))
        return Markup('<div class="clip-skip-drifts">{}</div>').format(both)

    in_use = [skip for drift in drifts if (skip := marks.current.get(drift.encoder.id, 1.0)) in _skips(drift)]
    near = [drift.up_to(max([_SHOWN, *in_use])) for drift in drifts]
    wide = svg(drifts, title, marks, notes)
    whole = Markup('<details class="clip-skip-whole"><summary>{}</summary>{}</details>')
    links = _link("clip-skip-drift.svg", "image/svg+xml", wide, "Save the picture") + _link(
        "clip-skip-drift.csv", "text/csv", as_csv(drifts), "Save the numbers"
    )
    return joined(
        [
            *_said(measured, marks),
            pictures(near, svg(near, title, marks, notes)),
            *_outside(measured, marks),
            _moved(measured, marks),
            whole.format(pieces(("All clip skips",)), pictures(drifts, wide)) if near != drifts else NOTHING,
            Markup('<p class="clip-skip-links">{}</p>').format(links),
        ]
    )


def _skips(drift: Drift) -> set[float]:
    return {point.skip for point in drift.points}


def _said(measured: Sequence[Measured], marks: Marks) -> Iterator[Markup]:
    """The curves read at the skip that says most: the relative norm, of which all that is more than 1 is all."""
    for drift, point in _points(measured, marks):
        if math.isfinite(point.relative_norm):
            at = Data(f" {number(point.skip)}, {drift.encoder.name} ")
            part = Data(f" {min(point.relative_norm, 1):.0%} ")
            yield line("At", at, "reads", part, "of your prompt differently.")


def _points(measured: Sequence[Measured], marks: Marks) -> Iterator[tuple[Drift, Point]]:
    for drift in (each.drift for each in measured):
        id = drift.encoder.id
        point = _telling(drift, marks.current.get(id, 1.0), marks.recommended.get(id, 1.0))
        if point is not None:
            yield drift, point


def _outside(measured: Sequence[Measured], marks: Marks) -> Iterator[Markup]:
    """Where an encoder is read that the picture does not show."""
    for encoder in (each.drift.encoder for each in measured):
        current = marks.current.get(encoder.id, 1.0)
        if not in_range(current, encoder.trained_depth):
            yield line("Not in the picture:", Data(f" {encoder.name}, "), *layers(encoder, current))


def _moved(measured: Sequence[Measured], marks: Marks) -> Markup:
    """The words that moved most, each encoder's at the skip that says most of it."""
    words = {each.drift.encoder.id: each.words for each in measured}
    said = [
        f"{drift.encoder.name} {number(point.skip)} ({moved})"
        for drift, point in _points(measured, marks)
        if (moved := point.moved(words[drift.encoder.id]))
    ]
    return line("Words that moved most:", Data(f" {', '.join(said)}")) if said else NOTHING


def _telling(drift: Drift, *skips: float) -> Point | None:
    """The point at the first of these skips at which anything moves, else at 2."""
    by_skip = {point.skip: point for point in drift.points}
    return next((by_skip[skip] for skip in (*skips, 2.0) if skip != 1 and skip in by_skip), None)


def _link(name: str, kind: str, content: str, label: str) -> Markup:
    data = base64.b64encode(content.encode("utf-8")).decode("ascii")
    link = Markup('<a href="data:{};charset=utf-8;base64,{}" download="{}">{}</a>')
    return link.format(kind, data, name, pieces((label,)))
