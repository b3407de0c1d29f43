"""The hosts' own sliders: what was observed on running servers, as depths, against the table of rules."""

from __future__ import annotations

import pytest

from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.host_sliders import reading_at, slider_for

# docs/architecture.md, "The number": architecture -> encoder -> the depth that it was trained to read.
TRAINED = {
    "sd1": {"l": 12},
    "sd2": {"h": 23},
    "sdxl": {"l": 11, "g": 31},
    "sdxl-refiner": {"g": 31},
    "sd3": {"l": 11, "g": 31},
    "cascade": {"g": 32},
}
WITHOUT = ("flux", "hidream", "chroma", "none", "unknown")

SD1 = {-1: (12,), 0: (12,), 1: (12,), 2: (11,), 3: (10,), 6: (7,), 12: (1,), 13: (0,)}
# hosts/*.md: line -> architecture -> number at the slider -> the depth of each encoder that was read, l before g.
# What is not here was read at the trained depth under every number.
OBSERVED = {
    "a1111": {"sd1": SD1},  # and Forge Classic, the same
    "a1111-sdxl-l": {
        "sd1": SD1,
        "sdxl": {1: (12, 31), 2: (11, 31), 3: (10, 31), 6: (7, 31), 12: (1, 31)},
    },
    "reforge": {
        "sd1": SD1,
        "sd2": {1: (23,), 2: (23,), 3: (22,), 4: (21,), 7: (18,)},
        "sdxl": {1: (11, 31), 2: (11, 31), 3: (10, 30), 7: (6, 26)},
        "sdxl-refiner": {1: (31,), 2: (31,), 3: (30,), 7: (26,)},
    },
    "forge": {
        "sd1": SD1,
        "sd2": {1: (23,), 2: (22,), 3: (21,), 6: (18,), 12: (12,)},
        "sdxl": {1: (11, 31), 2: (11, 31), 3: (10, 30), 6: (7, 27), 12: (1, 21)},
        "sdxl-refiner": {1: (31,), 2: (31,), 3: (30,), 6: (27,), 12: (21,)},
        "sd3": {1: (12, 32), 2: (11, 31), 3: (10, 30), 6: (7, 27), 12: (1, 21)},
    },
    "neo": {
        "sd1": {-1: (12,), 0: (12,), 1: (12,), 2: (11,), 3: (10,), 13: (0,)},
        "sdxl": {1: (11, 31), 2: (11, 31), 3: (10, 30), 13: (0, 20)},
        "sdxl-refiner": {1: (31,), 2: (31,), 3: (30,)},
    },
    "sdnext": {
        "sd1": {0: (0,), 1: (12,), 1.1: (11.9,), 1.5: (11.5,), 2: (11,), 2.25: (10.75,), 6: (7,), 12: (1,), 13: (0,)},
        "sd2": {0: (0,), 1: (23,), 1.5: (22.5,), 2: (22,), 3: (21,), 12: (12,)},
        "sdxl": {0: (12, 32), 1: (11, 31), 1.5: (10.5, 30.5), 2: (10, 30), 6: (6, 26), 12: (0, 20)},
        "sdxl-refiner": {0: (32,), 1: (31,), 2: (30,)},
        "sd3": {0: (12, 32), 1: (11, 31), 1.5: (11, 31), 2: (10, 30), 2.9: (10, 30), 12: (0, 20)},
        "cascade": {0: (0,), 1: (32,), 2: (31,), 2.5: (30.5,)},
    },
    "sdnext-xhinker": {
        "sd1": {0: (12,), 1: (11,), 2: (10,), 11: (1,)},
        "sd2": {0: (23,), 1: (22,), 2: (21,)},
    },
}
CASES = [
    (line, architecture, number, depths)
    for line, observed in OBSERVED.items()
    for architecture, by_number in observed.items()
    for number, depths in by_number.items()
]
STILL = [
    (line, architecture) for line, seen in OBSERVED.items() for architecture in TRAINED if architecture not in seen
]


# Below what the sliders offer, where an API may set them: no number from 1 up reads the same.
BELOW = [
    ("forge", "sd3", 0, (12, 32)),
    ("forge", "sd3", -1, (12, 32)),
    ("sdnext", "sdxl", -1, (0, 0)),
    ("sdnext", "sdxl-refiner", -1, (0,)),
    ("sdnext", "sd3", -1, (0, 0)),
]


@pytest.mark.parametrize("line, architecture, number, depths", CASES + BELOW)
def test_what_was_observed(line, architecture, number, depths):
    reading = reading_at(line, ARCHITECTURES[architecture], number)
    expected = {id: deep + 1 - depth for (id, deep), depth in zip(TRAINED[architecture].items(), depths, strict=True)}
    assert reading.skips == pytest.approx(expected)
    assert reading.acts and reading.slider == number and reading.architecture is ARCHITECTURES[architecture]


@pytest.mark.parametrize("line, architecture", STILL)
def test_a_slider_that_does_nothing_leaves_the_model_as_trained(line, architecture):
    for number in (0, 1, 2, 3.5, 12):
        reading = reading_at(line, ARCHITECTURES[architecture], number)
        assert not reading.acts and reading.slider == number
        assert reading.skips == dict.fromkeys(TRAINED[architecture], 1)


@pytest.mark.parametrize("line", OBSERVED)
@pytest.mark.parametrize("architecture", WITHOUT)
def test_without_clip_skip_no_slider_acts(line, architecture):
    reading = reading_at(line, ARCHITECTURES[architecture], 2)
    assert reading.skips == {} and not reading.acts


@pytest.mark.parametrize("line, architecture, skips, number", [
    ("a1111", "sd1", {"l": 1}, 1),
    ("a1111", "sd1", {"l": 2}, 2),
    ("a1111", "sd1", {"l": 1.5}, None),
    ("a1111", "sdxl", {"l": 1, "g": 1}, 1),
    ("a1111", "sdxl", {"l": 2, "g": 2}, None),
    ("a1111", "sd2", {"h": 2}, None),
    ("a1111-sdxl-l", "sdxl", {"l": 1, "g": 1}, 2),
    ("a1111-sdxl-l", "sdxl", {"l": 3, "g": 1}, 4),
    ("a1111-sdxl-l", "sdxl", {"l": 2, "g": 2}, None),
    ("reforge", "sd2", {"h": 1}, 1),
    ("reforge", "sd2", {"h": 2}, 3),
    ("forge", "sd2", {"h": 2}, 2),
    ("forge", "sdxl", {"l": 1, "g": 1}, 1),
    ("forge", "sdxl", {"l": 2, "g": 2}, 3),
    ("forge", "sdxl", {"l": 1, "g": 2}, None),
    ("forge", "sdxl", {"l": 1.5, "g": 1.5}, None),
    ("forge", "sd3", {"l": 1, "g": 1}, 2),
    ("forge", "sd3", {"l": 0, "g": 0}, 1),
    ("sdnext", "sd1", {"l": 1.5}, 1.5),
    ("sdnext", "sdxl", {"l": 1, "g": 1}, 1),
    ("sdnext", "sdxl", {"l": 2.5, "g": 2.5}, 2.5),
    ("sdnext", "sdxl", {"l": 2.5, "g": 1}, None),
    ("sdnext", "sd3", {"l": 2, "g": 2}, 2),
    ("sdnext", "sd3", {"l": 1.5, "g": 1.5}, None),
    ("sdnext-xhinker", "sd1", {"l": 1}, 0),
    ("sdnext-xhinker", "sd2", {"h": 3}, 2),
    ("sdnext-xhinker", "sdxl", {"l": 1, "g": 1}, 1),
    ("forge", "flux", {}, 1),
])  # fmt: skip
def test_the_number_for_these_skips(line, architecture, skips, number):
    assert slider_for(line, ARCHITECTURES[architecture], skips) == number


@pytest.mark.parametrize("line, architecture, number, depths", CASES)
def test_the_number_found_reads_the_same(line, architecture, number, depths):
    skips = reading_at(line, ARCHITECTURES[architecture], number).skips
    found = slider_for(line, ARCHITECTURES[architecture], skips)
    assert found is not None and reading_at(line, ARCHITECTURES[architecture], found).skips == skips


@pytest.mark.parametrize("line, default", [("neo", 2), ("forge", 1), ("a1111", 1), ("sdnext", 1)])
def test_the_number_at_which_a_slider_is_by_itself(line, default):
    assert reading_at(line, ARCHITECTURES["sd1"], 3).default == default
