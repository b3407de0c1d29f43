"""What the panel says of a drift, beside its picture."""

import re

import pytest

from clip_skip.drift.chart import Marks
from clip_skip.drift.drift import Drift, Point
from clip_skip.drift.measured import Measured
from clip_skip.interfaces.ui import drift_view
from clip_skip.models.checkpoint import Checkpoint
from clip_skip.skip.architectures import ARCHITECTURES

SDXL = ARCHITECTURES["sdxl"]


def shown(current, norm=lambda skip: 0.27 * (skip - 1)):
    """The HTML for SDXL's encoders, of which each was measured at every whole skip and at the current one."""
    measured = []
    for encoder in SDXL.encoders:
        skips = sorted({*range(1, encoder.trained_depth + 1), current.get(encoder.id, 1.0)})
        points = [Point(float(skip), 12.0 - skip, 0.5, norm(skip), (0.5, 0.5)) for skip in skips]
        measured.append(Measured(Drift(encoder, tuple(points)), {1: "cat"}))
    return drift_view.render(measured, Checkpoint("a model", SDXL), "a cat", Marks(current))


def sentences(html):
    lines = (re.sub("<[^>]*>", "", line) for line in re.findall("<p[^>]*>(.*?)</p>", html))
    return [line for line in lines if line.startswith("At ")]


@pytest.mark.parametrize("current, said", [
    ({}, ["At 2, CLIP-L reads 27% of your prompt differently.", "At 2, CLIP-G reads 27% of your prompt differently."]),
    (
        {"l": 1.5, "g": 3.0},
        ["At 1.5, CLIP-L reads 14% of your prompt differently.", "At 3, CLIP-G reads 54% of your prompt differently."],
    ),
    (
        {"l": 11.0},
        ["At 11, CLIP-L reads 100% of your prompt differently.", "At 2, CLIP-G reads 27% of your prompt differently."],
    ),
])  # fmt: skip
def test_the_curve_is_read_at_the_skip_in_use_else_at_2(current, said):
    assert sentences(shown(current)) == said


def test_what_is_no_number_is_not_read():
    assert sentences(shown({}, lambda skip: float("nan"))) == []


@pytest.mark.parametrize("current, deepest", [({}, 6), ({"l": 2.0, "g": 5.5}, 6), ({"l": 2.0, "g": 9.0}, 9)])
def test_the_first_picture_goes_as_far_as_is_asked_about(current, deepest):
    first, _, rest = str(shown(current)).partition("<details")
    ticks = [[int(each) for each in re.findall(r'middle"[^>]*>(\d+)<', part)] for part in (first, rest)]
    assert max(ticks[0]) == deepest and max(ticks[1]) >= 30
    assert first.count("<svg") == 2 and rest.count("<svg") == 2
