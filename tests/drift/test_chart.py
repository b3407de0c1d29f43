"""The picture's text, and where its lines are."""

import io
import math
import re
import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from PIL import Image

from clip_skip.drift import chart
from clip_skip.drift.chart import Marks
from clip_skip.drift.drift import Drift, Point
from clip_skip.skip.architectures import ARCHITECTURES

SVG = "{http://www.w3.org/2000/svg}"
SDXL = ARCHITECTURES["sdxl"]


def made(encoder, norm=lambda skip: (skip - 1) / 40, cosine=lambda skip: 1 - (skip - 1) / 40, skips=None):
    skips = skips or range(1, encoder.trained_depth + 1)
    depth = encoder.trained_depth + 1
    return Drift(encoder, tuple(Point(float(s), depth - s, cosine(s), norm(s), (norm(s),)) for s in skips))


BOTH = [made(encoder) for encoder in SDXL.encoders]


def parsed(text):
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    return root


def curves(root):
    """The places of each encoder's line, as lists of (x, y), for the two plots in turn."""
    lines = [line for line in root.iter(f"{SVG}polyline") if line.get("stroke-width") == "2"]
    places = [[tuple(map(float, place.split(","))) for place in line.get("points").split()] for line in lines]
    return [each for each in places if len(each) > 2]  # the others are the legend's


def test_every_point_of_every_encoder():
    root = parsed(chart.svg(BOTH, "a cat"))
    norms_l, norms_g, cosines_l, cosines_g = curves(root)
    assert [len(each) for each in (norms_l, norms_g, cosines_l, cosines_g)] == [11, 31, 11, 31]
    assert norms_l[0] == norms_g[0] and norms_l[10] == norms_g[10]  # the same numbers at the same skips
    rising, falling = [y for _, y in norms_g], [y for _, y in cosines_g]
    assert rising == sorted(rising, reverse=True) and falling == sorted(falling)  # y points downwards
    steps = {round(b[0] - a[0]) for a, b in pairwise(norms_g)}
    assert len(steps) <= 2
    hints = [circle.find(f"{SVG}title").text for circle in root.iter(f"{SVG}circle")]
    assert len(hints) == 2 * (11 + 31)
    assert "CLIP-G, 2: 0.025 / 0.975" in hints


def rings(root):
    """The places of the rings around points, by colour; not the legend's."""
    found = [ring for ring in root.iter(f"{SVG}circle") if ring.get("fill") is None]
    return [(r.get("stroke"), float(r.get("cx")), float(r.get("cy"))) for r in found if r.get("stroke")[0] == "#"]


def test_what_is_used_now_is_marked_on_each_line():
    assert rings(parsed(chart.svg(BOTH, ""))) == []
    drifts = [made(SDXL.encoders[0], skips=[1, 1.5, 2, 3]), BOTH[1]]
    root = parsed(chart.svg(drifts, "", Marks(current={"l": 1.5, "g": 4.0, "h": 2.0})))
    norms_l, norms_g, cosines_l, cosines_g = curves(root)
    expected = [norms_l[1], norms_g[3], cosines_l[1], cosines_g[3]]
    assert [(x, y) for _, x, y in rings(root)] == expected
    assert len({colour for colour, _, _ in rings(root)}) == 2
    assert "in use now" in [label.text for label in root.iter(f"{SVG}text")]
    assert rings(parsed(chart.svg(BOTH, "", Marks(current={"l": 0.0, "g": 99.0})))) == []


def test_recommended_is_marked():
    labels = lambda root: [label.text for label in root.iter(f"{SVG}text")]  # noqa: E731
    dashed = lambda root: [line.get("points") for line in root.iter(f"{SVG}polyline") if line.get("stroke-dasharray")]  # noqa: E731
    plain = parsed(chart.svg(BOTH[:1], "a cat"))
    assert "clip skip (1: as trained)" in labels(plain) and not dashed(plain) and "recommended" not in labels(plain)
    marked = parsed(chart.svg(BOTH, "a cat", Marks(recommended={"l": 2.0, "g": 2.0, "h": 7.0})))
    assert "recommended" in labels(marked)
    norms, _, cosines, _ = curves(marked)
    _, *lines = [float(line.partition(",")[0]) for line in dashed(marked)]
    assert lines == [norms[1][0], cosines[1][0]]


@pytest.mark.parametrize("width", [320, 640])
def test_all_of_it_is_in_the_picture(width):
    marks = Marks(current={"l": 1.5}, recommended={"l": 2.0})
    root = parsed(chart.svg(BOTH, "a cat " * 20, marks, width=width))
    left, top, right, bottom = map(float, root.get("viewBox").split())
    assert (left, top, right) == (0, 0, width)
    ends = []
    for label in root.iter(f"{SVG}text"):
        size = 7 * len(label.text)
        start = float(label.get("x")) - {"middle": size / 2, "end": size}.get(label.get("text-anchor"), 0)
        assert start >= 0 and start + size <= right and float(label.get("y")) < bottom, label.text
        ends.append((float(label.get("y")), start, start + size))
    for (y, _, end), (other, start, _) in pairwise(sorted(ends)):
        assert y != other or end <= start, "two labels lie on each other"
    for line in root.iter(f"{SVG}polyline"):
        for place in line.get("points").split():
            x, y = map(float, place.split(","))
            assert 0 <= x <= right and 0 <= y <= bottom


def test_data_are_marked_as_no_words():
    """What is left is what a page translates."""
    root = parsed(chart.svg(BOTH, "a cat", Marks({"l": 2.0}, {"l": 2.0}), {("l", 2.0): "cat 0.5"}))
    texts = [each for each in root.iter() if each.tag in (f"{SVG}text", f"{SVG}title")]
    assert {each.text for each in texts if each.get("translate") != "no"} == {
        *("how much your prompt changes", "relative norm of the difference"),
        *("cosine", "clip skip (1: as trained)", "in use now", "recommended"),
    }


HOSTILE = "</title></svg><script>alert(1)</script> \"' & \x00\x1b[31m \u202e \ud800 ]]> 猫"


def test_hostile_text_stays_text():
    text = chart.svg(BOTH, HOSTILE, notes={("g", 2.0): HOSTILE})
    root = parsed(text.encode("utf-8"))  # which a lone surrogate or a control character would break
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "style", "polyline", "circle", "text"}
    assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)
    assert "<script" not in text and "</title></svg><" not in text
    title = root.find(f"{SVG}title").text
    assert title.startswith("</title></svg><script>alert(1)</script> \"' & ") and "猫" in title
    assert not set("\x00\x1b\u202e\ud800") & set(title)
    assert Image.open(io.BytesIO(chart.png(BOTH, HOSTILE))).width == 1280


def test_a_long_title_is_cut_in_the_picture_alone():
    root = parsed(chart.svg(BOTH, "cat " * 500))
    assert len(root.find(f"{SVG}title").text) == 2000
    assert max(len(label.text) for label in root.iter(f"{SVG}text")) < 100


def test_numbers_beyond_the_usual_lie_inside():
    drift = made(SDXL.encoders[0], norm=lambda skip: 7.3 * (skip - 1), cosine=lambda skip: 1 - 0.19 * (skip - 1))
    root = parsed(chart.svg([drift], ""))
    grid = [line for line in root.iter(f"{SVG}polyline") if line.get("stroke-opacity")]
    levels = sorted({float(line.get("points").split(",")[1].split()[0]) for line in grid})
    norms, cosines = curves(root)
    between = next(level for level in levels if level >= max(y for _, y in norms))
    for curve, inside in ((norms, [y for y in levels if y <= between]), (cosines, [y for y in levels if y > between])):
        assert len(curve) == 11
        assert all(min(inside) <= y <= max(inside) for _, y in curve)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_no_number_is_left_out(broken):
    drift = made(SDXL.encoders[0], norm=lambda skip: broken if skip == 3 else skip / 20)
    norms, cosines = curves(parsed(chart.svg([drift], "")))
    assert (len(norms), len(cosines)) == (10, 11)
    nothing = made(SDXL.encoders[0], norm=lambda skip: broken, cosine=lambda skip: broken)
    assert curves(parsed(chart.svg([nothing], ""))) == []
    assert chart.png([nothing], "")


@pytest.mark.parametrize("drifts", [[], [Drift(SDXL.encoders[0], ())], [made(SDXL.encoders[0], skips=[1])]])
def test_little_to_show(drifts):
    parsed(chart.svg(drifts, ""))
    assert chart.png(drifts, "")


@pytest.mark.parametrize("architecture", [a for a in ARCHITECTURES.values() if a.encoders], ids=lambda a: a.id)
def test_the_png_shows_each_encoder(architecture):
    drifts = [made(e, norm=lambda skip, e=e: (skip - 1) / 2 / e.blocks) for e in architecture.encoders]
    image = Image.open(io.BytesIO(chart.png(drifts, "a cat", Marks({"g": 2.0, "l": 2.0, "h": 2.0}, {"g": 2.0}))))
    counts = {"#{:02x}{:02x}{:02x}".format(*colour): count for count, colour in image.getcolors(1 << 20)}
    used = set(re.findall(r'stroke="(#\w+)"', chart.svg(drifts, "a cat")))
    assert len(used) == len(drifts)
    for colour in used:
        assert counts[colour] > 1000
    for point in curves(parsed(chart.svg(drifts, "a cat")))[0]:  # the same geometry
        pixel = image.getpixel((round(2 * point[0]), round(2 * point[1])))
        assert "#{:02x}{:02x}{:02x}".format(*pixel) in used


@pytest.mark.parametrize("title", ["$", "$x$ $", r"a \$ b", r"$\frac$ costs 5$", "{", "%"])
def test_no_title_is_a_formula(title):
    assert chart.png(BOTH, title)


def test_without_matplotlib_the_png_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OSError, match=r"take \.svg"):
        chart.png(BOTH, "a cat")
