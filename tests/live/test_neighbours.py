"""Other extensions beside ours: where one acts in a job, ours at a number is the WebUI's own at that number."""

from __future__ import annotations

import pytest

from .neighbours import NEIGHBOURS, OVERRULERS
from .webui import OWN_OPTION

pytestmark = pytest.mark.needs("an option for clip skip")


def named(neighbours):
    return [pytest.param(each, marks=pytest.mark.needs(each.title), id=each.title) for each in neighbours]


@pytest.fixture
def make(webui, sd1):
    """One job with the neighbour on or off, our arguments, and the WebUI's own clip skip at `number`."""

    def make(neighbour, ours, number, on=True):
        title = webui.script(neighbour.title)
        values = [on, *webui.values(title, neighbour.controls)[1:]]
        fields = {"prompt": neighbour.prompt, **neighbour.fields, "alwayson_scripts": {title: {"args": values}}}
        return webui.txt2img(sd1, ours, override_settings={OWN_OPTION: number}, **fields)

    return make


@pytest.mark.parametrize("neighbour", named(NEIGHBOURS))
def test_beside_it_ours_is_the_webuis_own_and_off_is_off(make, neighbour):
    alone = {number: make(neighbour, [False], number).pixels for number in (1, 2)}
    assert alone[1] != alone[2]
    assert alone[1] != make(neighbour, [False], 1, on=False).pixels, "it does nothing in this job"
    assert make(neighbour, [True, {"skip": 2}], 1).pixels == alone[2]
    assert make(neighbour, [True, {"skip": 1}], 2).pixels == alone[1]
    assert {number: make(neighbour, [False], number).pixels for number in (1, 2)} == alone


@pytest.mark.parametrize("neighbour", named(OVERRULERS))
def test_who_decides_the_skip_itself_is_not_taken_for_us(make, neighbour):
    alone = make(neighbour, [False], 3).pixels
    both = make(neighbour, [True, {"skip": 2}], 3)
    # Last, for the WebUI's cond cache does not know whether the neighbour was on.
    ours = make(neighbour, [True, {"skip": 2}], 3, on=False)
    assert both.pixels == alone != ours.pixels
    assert both.advice.startswith("not-applied") and "CLIP skip applied: no" in both.infotext
    assert not ours.advice.startswith("not-applied") and ours.keys["CLIP skip L"] == "2"
