"""Drift as a picture: relative norm and cosine over the skip, a line for each encoder. SVG by hand, PNG by Pillow."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from .phrase import english
from .skip import number, words

if TYPE_CHECKING:
    from .drift import Drift, Point

Place: TypeAlias = "tuple[float, float]"

WIDTH, HEIGHT = 720, 480
_LEFT, _RIGHT = 56, 704
_PLOTS = ((64, 244), (284, 444))  # top and bottom of the two plots
_LETTER = 13
_LONGEST_TITLE = 76

# Each reads well on white and on black.
_INKS = {"l": "#2f7ed8", "g": "#d9622b", "h": "#1d9a6c"}
_TEXT, _GRID = "text", "grid"  # inks that follow the page

# What is drawn, whichever way. Coordinates are in pixels of a picture of WIDTH x HEIGHT, y downwards.


@dataclass(frozen=True)
class _Line:
    points: tuple[Place, ...]
    ink: str
    width: float = 1
    dashed: bool = False


@dataclass(frozen=True)
class _Dot:
    place: Place
    ink: str
    radius: float
    hint: str


@dataclass(frozen=True)
class _Label:
    place: Place  # of the baseline
    text: str
    anchor: str = "start"


_Shape: TypeAlias = "_Line | _Dot | _Label"

# What the hint of a point ends with, by encoder id and skip: the words that moved most, for example.
Notes: TypeAlias = "Mapping[tuple[str, float], str]"


def svg(
    drifts: Sequence[Drift], title: str, recommended: Iterable[float] = (), notes: Notes = MappingProxyType({})
) -> str:
    """The picture as an SVG element; `title` and `notes` may be hostile.

    Shown alone it follows the reader's light or dark theme; inside a page it takes the page's text colour.
    """
    name = _escaped(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="clip-skip-drift" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="system-ui, sans-serif" font-size="{_LETTER}" fill="none"><title>{name}</title>'
        # :root is this element only where no page is around it.
        "<style>svg:root{color:#1f2328;background:#fff}"
        "@media(prefers-color-scheme:dark){svg:root{color:#e6edf3;background:#0d1117}}</style>"
        + "".join(map(_svg_shape, _shapes(drifts, title, sorted(set(recommended)), notes)))
        + "</svg>\n"
    )


def png(drifts: Sequence[Drift], title: str, recommended: Iterable[float] = ()) -> bytes:
    """The picture as a PNG of twice the size, on white. Needs Pillow. Raises OSError where no font is found."""
    from PIL import Image, ImageDraw  # type: ignore[import-not-found]

    scale = 2
    image = Image.new("RGB", (WIDTH * scale, HEIGHT * scale), "#fff")
    draw, font = ImageDraw.Draw(image), _font(_LETTER * scale)
    for shape in _shapes(drifts, title, sorted(set(recommended)), {}):
        _png_shape(draw, font, scale, shape)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# Geometry


def _shapes(drifts: Sequence[Drift], title: str, recommended: Sequence[float], notes: Notes) -> list[_Shape]:
    deepest = max((point.skip for drift in drifts for point in drift.points), default=2)

    def x(skip: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (skip - 1) / max(deepest - 1, 1), 2)

    short = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 3]}..."
    shapes: list[_Shape] = [_Label((_LEFT, 20), short), *_legend(drifts)]
    for (top, bottom), name, value in zip(
        _PLOTS,
        ("relative norm of the difference", "cosine"),
        (lambda point: point.relative_norm, lambda point: point.cosine),
        strict=True,
    ):
        shapes += [_Line(((x(skip), top), (x(skip), bottom)), _TEXT, dashed=True) for skip in recommended]
        shapes += [_Label((_LEFT, top - 8), name), *_plot(drifts, top, bottom, x, value, notes)]
    step = _step(deepest - 1, 12, whole=True)
    marks = [1.0, *(skip for skip in range(2, math.floor(deepest) + 1) if skip % step == 0 or step == 1)]
    bottom = _PLOTS[-1][1]
    shapes += [_Label((x(skip), bottom + 18), number(skip), "middle") for skip in marks]
    shapes.append(_Label(((_LEFT + _RIGHT) / 2, bottom + 34), f"clip skip ({_said(recommended)})", "middle"))
    return shapes


def _said(recommended: Sequence[float]) -> str:
    if not recommended:
        return "1: as trained"
    named = " and ".join(map(number, recommended))
    return "1: as trained, recommended" if named == "1" else f"1: as trained; dashed: {named}, recommended"


def _legend(drifts: Sequence[Drift]) -> Iterable[_Shape]:
    for index, drift in enumerate(drifts):
        right = _RIGHT - 90 * (len(drifts) - 1 - index)
        yield _Line(((right - 76, 40), (right - 56, 40)), _INKS[drift.encoder.id], 2)
        yield _Label((right, 44), drift.encoder.name, "end")


def _plot(
    drifts: Sequence[Drift],
    top: float,
    bottom: float,
    x: Callable[[float], float],
    value: Callable[[Point], float],
    notes: Notes,
) -> Iterable[_Shape]:
    values = [value(point) for drift in drifts for point in drift.points if math.isfinite(value(point))]
    step = _step(max([1.0, *values]) - min([0.0, *values]), 5)
    low = step * math.floor(min([0.0, *values]) / step + 1e-9)
    high = step * math.ceil(max([1.0, *values]) / step - 1e-9)

    def y(number: float) -> float:
        return round(bottom - (bottom - top) * (number - low) / (high - low), 2)

    for tick in range(round((high - low) / step) + 1):
        level = low + tick * step
        yield _Line(((_LEFT, y(level)), (_RIGHT, y(level))), _GRID)
        yield _Label((_LEFT - 8, y(level) + 4), f"{round(level, 10):g}", "end")
    for drift in drifts:
        ink = _INKS[drift.encoder.id]
        points = sorted((p for p in drift.points if math.isfinite(value(p))), key=lambda point: point.skip)
        yield _Line(tuple((x(point.skip), y(value(point))) for point in points), ink, 2)
        for point in points:
            yield _Dot((x(point.skip), y(value(point))), ink, 4 if point.skip == 1 else 3, _hint(drift, point, notes))


def _step(span: float, parts: int, whole: bool = False) -> float:
    """The roundest step (1, 2 or 5 times a power of ten) that cuts `span` into at most `parts`."""
    least = max(span / parts, 1 if whole else 1e-9)
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= least * (1 - 1e-9))


def _hint(drift: Drift, point: Point, notes: Notes) -> str:
    lines = (
        f"{drift.encoder.name}, clip skip {number(point.skip)}: {english(words(drift.encoder, point.skip))}",
        f"relative norm {point.relative_norm:.3f}, cosine {point.cosine:.3f}",
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
        hint = f"<title>{_escaped(shape.hint)}</title>"
        return f'<circle cx="{x:g}" cy="{y:g}" r="{shape.radius:g}" fill="{shape.ink}">{hint}</circle>'
    text = _escaped(shape.text)
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{shape.anchor}" fill="currentColor">{text}</text>'


def _escaped(text: str) -> str:
    """`text` for XML, which has no way at all to write most control characters."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else "�" for c in text))


# ---------------------------------------------------------------------------------------------------------------------
# PNG

_COLOURS: Mapping[str, str] = {_TEXT: "#1f2328", _GRID: "#dddedf", **{ink: ink for ink in _INKS.values()}}
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def _png_shape(draw: Any, font: Any, scale: int, shape: _Shape) -> None:
    if isinstance(shape, _Line):
        points = [(x * scale, y * scale) for x, y in shape.points]
        width = round(shape.width * scale)
        for part in _dashes(points, 4 * scale) if shape.dashed else [points]:
            draw.line(part, _COLOURS[shape.ink], width, joint="curve")
        return
    x, y = (value * scale for value in shape.place)
    if isinstance(shape, _Dot):
        radius = shape.radius * scale
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), _COLOURS[shape.ink])
        return
    text = "".join(c if c.isprintable() else "�" for c in shape.text)
    draw.text((x, y), text, _COLOURS[_TEXT], font, _ANCHORS[shape.anchor])


def _dashes(points: Sequence[Place], length: float) -> Iterable[list[Place]]:
    """A vertical line of two points, cut up."""
    (x, top), (_, bottom) = points
    for index in range(0, math.ceil((bottom - top) / length), 2):
        yield [(x, top + index * length), (x, min(top + (index + 1) * length, bottom))]


def _font(size: int) -> Any:
    from PIL import ImageFont

    for name in ("DejaVuSans.ttf", "Arial.ttf", "arial.ttf", "LiberationSans-Regular.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    try:
        return ImageFont.load_default(size)
    except TypeError as error:  # before Pillow 10.1 its own font can't be scaled
        raise OSError("there is no font to write on a .png with; take .svg") from error
