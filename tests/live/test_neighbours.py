"""Other extensions beside ours: where one acts in a job, ours at a number is the WebUI's own at that number."""

from __future__ import annotations

from functools import partial

import pytest

from .neighbours import NEIGHBOURS, OVERRULERS, TOGETHER, going_together
from .webui import joined


def named(neighbours):
    return [pytest.param(each, marks=pytest.mark.needs(each.title), id=each.title) for each in neighbours]


@pytest.fixture
def make(webui, sd1):
    """One job with these neighbours on or off, our arguments, and the WebUI's own clip skip at `number`."""

    def make(neighbours, ours, number, on=True, prompt=None):
        job = joined({"prompt": prompt or neighbours[0].prompt}, webui.own_number(number))
        for each in neighbours:
            switched = {"alwayson_scripts": each.scripts(webui, on), "override_settings": each.options(on)}
            job = joined(job, each.fields, webui.hires if each.hires else {}, switched)
        return webui.txt2img(sd1, ours, **job)

    return make


def is_the_webuis_own(make, acts=True):
    """Holds the jobs of `make` to this: ours at a number is the WebUI's own at it, and off is as without us."""
    alone = {number: make([False], number).pixels for number in (1, 2)}
    assert alone[1] != alone[2]
    if acts:
        assert alone[1] != make([False], 1, on=False).pixels, "the neighbours do nothing in this job"
    ours = {number: make([True, {"skip": number}], 3 - number) for number in (1, 2)}
    assert {number: each.pixels for number, each in ours.items()} == alone
    assert [each.keys.get("CLIP skip L") for each in ours.values()] == [None, "2"]
    assert {number: make([False], number).pixels for number in (1, 2)} == alone


@pytest.mark.parametrize("neighbour", named(NEIGHBOURS))
def test_beside_it_ours_is_the_webuis_own_and_off_is_off(make, neighbour):
    is_the_webuis_own(partial(make, [neighbour]), neighbour.acts)


@pytest.mark.needs("several other extensions")
def test_beside_all_of_them_at_once(webui, make):
    is_the_webuis_own(partial(make, going_together(webui), prompt=TOGETHER))


@pytest.mark.parametrize("neighbour", named(OVERRULERS))
def test_who_decides_the_skip_itself_is_not_taken_for_us(make, neighbour):
    alone = make([neighbour], [False], 3).pixels
    both = make([neighbour], [True, {"skip": 2}], 3)
    # Last, for the WebUI's cond cache does not know whether the neighbour was on.
    ours = make([neighbour], [True, {"skip": 2}], 3, on=False)
    assert both.pixels == alone != ours.pixels
    assert both.advice.startswith("not-applied") and "CLIP skip applied: no" in both.infotext
    assert not ours.advice.startswith("not-applied") and ours.keys["CLIP skip L"] == "2"
