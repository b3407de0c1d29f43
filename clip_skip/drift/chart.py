"""Drift as a picture: relative norm and cosine over the skip, one line an encoder. SVG by hand, PNG by matplotlib."""

from __future__ import annotations

import html
import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ..skip.numbers import number
from ..text.phrase import Data
from ..text.plain import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .drift import Drift, Point

Place: TypeAlias = "tuple[float, float]"
Skips: TypeAlias = "Mapping[str, float]"

WIDTH = 640
_NARROW = 500  # up to this width there is room for the most needed words alone
_LEFT, _MARGIN = 44, 16
_LETTER = 13
_LETTER_WIDTH = 7  # about, on average
_ROW = 20
_PLOT = 170

# Each reads well on white and on black.
_INKS = {"l": "#2f7ed8", "g": "#d9622b", "h": "#1d9a6c"}
_TEXT, _GRID = "text", "grid"  # inks that follow the page


@dataclass(frozen=True)
class Marks:
    """What to mark in the picture, by encoder id: the skips that are used now, and the recommended ones.

    A skip at which nothing was measured has no mark.
    """

    current: Skips = field(default_factory=dict)
    recommended: Skips = field(default_factory=dict)


NO_MARKS = Marks()

# What the hint of a point ends with, by encoder id and skip: the words that moved most, for example.
Notes: TypeAlias = "Mapping[tuple[str, float], str]"

# What is drawn, whichever way. Coordinates are in pixels, y downwards.


class _Line(NamedTuple):
    points: tuple[Place, ...]
    ink: str
    width: float = 1
    dashed: bool = False


class _Dot(NamedTuple):
    place: Place
    ink: str
    radius: float
    hint: str


class _Ring(NamedTuple):
    place: Place
    ink: str
    radius: float = 7


class _Label(NamedTuple):
    place: Place  # of the baseline
    text: str
    anchor: str = "start"


_Shape: TypeAlias = "_Line | _Dot | _Ring | _Label"


class _Picture(NamedTuple):
    width: int
    height: int
    shapes: list[_Shape]


def svg(
    drifts: Sequence[Drift],
    title: str,
    marks: Marks = NO_MARKS,
    notes: Notes = MappingProxyType({}),
    width: int = WIDTH,
) -> str:
    """The picture as an SVG element, `width` pixels wide or as wide as its place; `title` and `notes` may be hostile.

    Shown alone it follows the reader's light or dark theme; inside a page it takes the page's text colour.
    """
    picture = _picture(drifts, title, marks, notes, width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="clip-skip-drift" viewBox="0 0 {width} {picture.height}"'
        f' role="img" font-family="system-ui, sans-serif" font-size="{_LETTER}" fill="none">'
        f'<title translate="no">{_escaped(title)}</title>'
        # :root is this element only where no page is around it.
        "<style>svg:root{color:#1f2328;background:#fff}"
        "@media(prefers-color-scheme:dark){svg:root{color:#e6edf3;background:#0d1117}}</style>"
        + "".join(map(_svg_shape, picture.shapes))
        + "</svg>\n"
    )


def png(drifts: Sequence[Drift], title: str, marks: Marks = NO_MARKS) -> bytes:
    """The picture as a PNG of twice the size, on white. Raises OSError where matplotlib is not there."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OSError(f"a .png is drawn with matplotlib ({error}); take .svg") from error
    picture = _picture(drifts, title, marks, {}, WIDTH)
    # A point is a pixel of the picture; twice the resolution makes the PNG twice the size.
    figure = Figure((picture.width / _POINTS, picture.height / _POINTS), dpi=2 * _POINTS)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, picture.width), ylim=(picture.height, 0))
    axes.set_axis_off()
    for shape in picture.shapes:
        _png_shape(axes, shape)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign that is not in the font is drawn as a box
        figure.savefig(file, format="png")
    return file.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# Geometry


def _picture(drifts: Sequence[Drift], title: str, marks: Marks, notes: Notes, width: int) -> _Picture:
    deepest = max((point.skip for drift in drifts for point in drift.points), default=2)
    right = width - _MARGIN

    def x(skip: float) -> float:
        return round(_LEFT + (right - _LEFT) * (skip - 1) / max(deepest - 1, 1), 2)

    longest = int((width - 2 * _MARGIN) / _LETTER_WIDTH)
    legend, y = _legend(drifts, marks, right)
    shapes: list[_Shape] = [_Label((_MARGIN, 22), Data(plain(title, longest))), *legend]
    recommended = sorted({skip for id, skip in marks.recommended.items() if id in {each.encoder.id for each in drifts}})
    for name, also, value in (
        ("how much your prompt changes", "relative norm of the difference", lambda point: point.relative_norm),
        ("cosine", "", lambda point: point.cosine),
    ):
        top = y + 40
        bottom = top + _PLOT
        shapes += [_Line(((x(skip), top), (x(skip), bottom)), _TEXT, dashed=True) for skip in recommended]
        shapes += [_Label((_MARGIN, top - 12), name), *_plot(drifts, marks, (top, bottom), right, x, value, notes)]
        if also and width > _NARROW:
            shapes.append(_Label((right, top - 12), also, "end"))
        y = bottom
    step = _step(deepest - 1, 12 if width > _NARROW else 7, whole=True)
    ticks = [1.0, *(skip for skip in range(2, math.floor(deepest) + 1) if skip % step == 0 or step == 1)]
    shapes += [_Label((x(skip), y + 18), Data(number(skip)), "middle") for skip in ticks]
    shapes.append(_Label(((_LEFT + right) / 2, y + 38), "clip skip (1: as trained)", "middle"))
    return _Picture(width, round(y + 52), shapes)


def _legend(drifts: Sequence[Drift], marks: Marks, right: float) -> tuple[list[_Shape], float]:
    """The legend, and where it ends; its entries have room for other languages."""

    def line(ink: str) -> Callable[[float, float], _Shape]:
        return lambda x, y: _Line(((x, y), (x + 18, y)), ink, 2)

    entries: list[tuple[float, Callable[[float, float], _Shape], str]]
    entries = [(82, line(_INKS[drift.encoder.id]), Data(drift.encoder.name)) for drift in drifts]
    if marks.current:
        entries.append((100, lambda x, y: _Ring((x + 9, y), _TEXT), "in use now"))
    if marks.recommended:
        entries.append((120, lambda x, y: _Line(((x + 9, y - 8), (x + 9, y + 8)), _TEXT, dashed=True), "recommended"))
    shapes: list[_Shape] = []
    x, y = float(_MARGIN), 46.0
    for room, sign, text in entries:
        if x + room > right and x > _MARGIN:
            x, y = float(_MARGIN), y + _ROW
        shapes += [sign(x, y - 4), _Label((x + 24, y), text)]
        x += room
    return shapes, y


def _plot(
    drifts: Sequence[Drift],
    marks: Marks,
    edges: Place,
    right: float,
    x: Callable[[float], float],
    value: Callable[[Point], float],
    notes: Notes,
) -> Iterator[_Shape]:
    top, bottom = edges
    values = [value(point) for drift in drifts for point in drift.points if math.isfinite(value(point))]
    step = _step(max([1.0, *values]) - min([0.0, *values]), 6)
    low = step * math.floor(min([0.0, *values]) / step + 1e-9)
    high = step * math.ceil(max([1.0, *values]) / step - 1e-9)

    def y(number: float) -> float:
        return round(bottom - (bottom - top) * (number - low) / (high - low), 2)

    for tick in range(round((high - low) / step) + 1):
        level = low + tick * step
        yield _Line(((_LEFT, y(level)), (right, y(level))), _GRID)
        yield _Label((_LEFT - 8, y(level) + 4), Data(f"{round(level, 10):g}"), "end")
    for drift in drifts:
        ink = _INKS[drift.encoder.id]
        points = sorted((p for p in drift.points if math.isfinite(value(p))), key=lambda point: point.skip)
        yield _Line(tuple((x(point.skip), y(value(point))) for point in points), ink, 2)
        for point in points:
            place = (x(point.skip), y(value(point)))
            yield _Dot(place, ink, 3, _hint(drift, point, notes))
            if point.skip == marks.current.get(drift.encoder.id):
                yield _Ring(place, ink)


def _step(span: float, parts: int, whole: bool = False) -> float:
    """The roundest step (1, 2 or 5 times a power of ten) that cuts `span` into at most `parts`."""
    least = max(span / parts, 1 if whole else 1e-9)
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= least * (1 - 1e-9))


def _hint(drift: Drift, point: Point, notes: Notes) -> str:
    """In numbers and names alone: it is read in every language."""
    lines = (
        f"{drift.encoder.name}, {number(point.skip)}: {point.relative_norm:.3f} / {point.cosine:.3f}",
        notes.get((drift.encoder.id, point.skip), ""),
    )
    return "\n".join(filter(None, lines))


# ---------------------------------------------------------------------------------------------------------------------
# SVG

_STROKES: Mapping[str, str] = {
    _TEXT: 'stroke="currentColor"',
    _GRID: 'stroke="currentColor" stroke-opacity=".15"',
    **{ink: f'stroke="{ink}"' for ink in _INKS.values()},
}


def _svg_shape(shape: _Shape) -> str:
    if isinstance(shape, _Line):
        points = " ".join(f"{x:g},{y:g}" for x, y in shape.points)
        dashes = ' stroke-dasharray="4 4"' if shape.dashed else ""
        return f'<polyline points="{points}" {_STROKES[shape.ink]} stroke-width="{shape.width:g}"{dashes}/>'
    x, y = shape.place
    if isinstance(shape, _Dot):
        hint = f'<title translate="no">{_escaped(shape.hint)}</title>'
        return f'<circle cx="{x:g}" cy="{y:g}" r="{shape.radius:g}" fill="{shape.ink}">{hint}</circle>'
    if isinstance(shape, _Ring):
        return f'<circle cx="{x:g}" cy="{y:g}" r="{shape.radius:g}" {_STROKES[shape.ink]} stroke-width="2"/>'
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    data = ' translate="no"' if isinstance(shape.text, Data) else ""
    return f'<text x="{x:g}" y="{y:g}"{anchor} fill="currentColor"{data}>{_escaped(shape.text)}</text>'


def _escaped(text: str) -> str:
    """`text` for XML, line by line."""
    return html.escape("\n".join(map(plain, text.split("\n"))))


# ---------------------------------------------------------------------------------------------------------------------
# PNG

_POINTS = 72  # in an inch
_COLOURS: Mapping[str, str] = {_TEXT: "#1f2328", _GRID: "#dddedf", **{ink: ink for ink in _INKS.values()}}
_ALIGNMENTS = {"start": "left", "middle": "center", "end": "right"}


def _png_shape(axes: Axes, shape: _Shape) -> None:
    if isinstance(shape, _Line):
        if shape.points:
            dashes = (0, (4, 4)) if shape.dashed else "solid"
            xs, ys = zip(*shape.points, strict=True)
            axes.plot(xs, ys, color=_COLOURS[shape.ink], linewidth=shape.width, linestyle=dashes)
        return
    x, y = shape.place
    if isinstance(shape, (_Dot, _Ring)):
        filled = {"markerfacecolor": "none", "markeredgewidth": 2} if isinstance(shape, _Ring) else {}
        size = 2 * shape.radius
        axes.plot([x], [y], color=_COLOURS[shape.ink], marker="o", markersize=size, clip_on=False, **filled)
        return
    text = plain(shape.text).replace("$", r"\$")  # which would begin a formula
    axes.text(x, y, text, color=_COLOURS[_TEXT], size=_LETTER, ha=_ALIGNMENTS[shape.anchor], va="baseline")
