"""The picture's text, and where its lines are."""

import io
import math
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from PIL import Image, ImageFont

from clip_skip import drift_chart
from clip_skip.architectures import ARCHITECTURES
from clip_skip.drift import Drift, Point

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
    root = parsed(drift_chart.svg(BOTH, "a cat"))
    norms_l, norms_g, cosines_l, cosines_g = curves(root)
    assert [len(each) for each in (norms_l, norms_g, cosines_l, cosines_g)] == [11, 31, 11, 31]
    assert norms_l[0] == norms_g[0] and norms_l[10] == norms_g[10]  # the same numbers at the same skips
    rising, falling = [y for _, y in norms_g], [y for _, y in cosines_g]
    assert rising == sorted(rising, reverse=True) and falling == sorted(falling)  # y points downwards
    steps = {round(b[0] - a[0]) for a, b in pairwise(norms_g)}
    assert len(steps) <= 2
    hints = [circle.find(f"{SVG}title").text for circle in root.iter(f"{SVG}circle")]
    assert len(hints) == 2 * (11 + 31)
    assert "CLIP-G, clip skip 2: block 30 of 32 (trained: 31)\nrelative norm 0.025, cosine 0.975" in hints


def test_recommended_is_marked():
    labels = lambda root: [label.text for label in root.iter(f"{SVG}text")]  # noqa: E731
    dashed = lambda root: [line.get("points") for line in root.iter(f"{SVG}polyline") if line.get("stroke-dasharray")]  # noqa: E731
    plain = parsed(drift_chart.svg(BOTH[:1], "a cat"))
    assert "clip skip (1: as trained)" in labels(plain) and not dashed(plain)
    assert "clip skip (1: as trained, recommended)" in labels(parsed(drift_chart.svg(BOTH, "a cat", [1, 1])))
    marked = parsed(drift_chart.svg(BOTH[:1], "a cat", [2, 2]))
    assert "clip skip (1: as trained; dashed: 2, recommended)" in labels(marked)
    norms, cosines = curves(marked)
    assert [float(line.partition(",")[0]) for line in dashed(marked)] == [norms[1][0], cosines[1][0]]


HOSTILE = "</title></svg><script>alert(1)</script> \"' & \x00\x1b[31m \u202e \ud800 ]]> 猫"


def test_hostile_text_stays_text():
    text = drift_chart.svg(BOTH, HOSTILE, notes={("g", 2.0): HOSTILE})
    root = parsed(text.encode("utf-8"))  # which a lone surrogate or a control character would break
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "style", "polyline", "circle", "text"}
    assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)
    assert "<script" not in text and "</title></svg><" not in text
    title = root.find(f"{SVG}title").text
    assert title.startswith("</title></svg><script>alert(1)</script> \"' & ") and "猫" in title
    assert not set("\x00\x1b\u202e\ud800") & set(title)
    assert Image.open(io.BytesIO(drift_chart.png(BOTH, HOSTILE))).size == (1440, 960)


def test_a_long_title_is_cut_in_the_picture_alone():
    root = parsed(drift_chart.svg(BOTH, "cat " * 500))
    assert len(root.find(f"{SVG}title").text) == 2000
    assert max(len(label.text) for label in root.iter(f"{SVG}text")) < 100


def test_numbers_beyond_the_usual_lie_inside():
    drift = made(SDXL.encoders[0], norm=lambda skip: 7.3 * (skip - 1), cosine=lambda skip: 1 - 0.19 * (skip - 1))
    for curve, (top, bottom) in zip(curves(parsed(drift_chart.svg([drift], ""))), drift_chart._PLOTS, strict=True):
        assert len(curve) == 11
        assert all(top <= y <= bottom for _, y in curve)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_no_number_is_left_out(broken):
    drift = made(SDXL.encoders[0], norm=lambda skip: broken if skip == 3 else skip / 20)
    norms, cosines = curves(parsed(drift_chart.svg([drift], "")))
    assert (len(norms), len(cosines)) == (10, 11)
    nothing = made(SDXL.encoders[0], norm=lambda skip: broken, cosine=lambda skip: broken)
    assert curves(parsed(drift_chart.svg([nothing], ""))) == []
    assert drift_chart.png([nothing], "")


@pytest.mark.parametrize("drifts", [[], [Drift(SDXL.encoders[0], ())], [made(SDXL.encoders[0], skips=[1])]])
def test_little_to_show(drifts):
    parsed(drift_chart.svg(drifts, ""))
    assert drift_chart.png(drifts, "")


@pytest.mark.parametrize("architecture", [a for a in ARCHITECTURES.values() if a.encoders], ids=lambda a: a.id)
def test_the_png_shows_each_encoder(architecture):
    drifts = [made(e, norm=lambda skip, e=e: (skip - 1) / 2 / e.blocks) for e in architecture.encoders]
    image = Image.open(io.BytesIO(drift_chart.png(drifts, "a cat", [2])))
    counts = {"#{:02x}{:02x}{:02x}".format(*colour): count for count, colour in image.getcolors(1 << 20)}
    used = set(re.findall(r'stroke="(#\w+)"', drift_chart.svg(drifts, "a cat")))
    assert len(used) == len(drifts)
    for colour in used:
        assert counts[colour] > 1000
    for point in curves(parsed(drift_chart.svg(drifts, "a cat")))[0]:  # the same geometry
        pixel = image.getpixel((round(2 * point[0]), round(2 * point[1])))
        assert "#{:02x}{:02x}{:02x}".format(*pixel) in used


def test_without_a_font_the_png_is_refused(monkeypatch):
    """As Pillow 9 does, which A1111 has, on a machine without fonts."""

    def truetype(name, size):
        raise OSError("cannot open resource")

    monkeypatch.setattr(ImageFont, "truetype", truetype)
    monkeypatch.setattr(ImageFont, "load_default", lambda: None)
    with pytest.raises(OSError, match=r"take \.svg"):
        drift_chart.png(BOTH, "a cat")
