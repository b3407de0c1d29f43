"""What a running WebUI's own clip skip does, as its API's answer tells it where that does not fit the model.

The models are taken for ones of random weights, of whose descent nothing is known.
"""

from __future__ import annotations

import pytest

OFF = "off-trained"
SD1 = {1: "", 2: "nai-unverified"}
FROM_THE_LAST = {1: "", 2: "", 3: OFF}
# Observed on running servers, by host, architecture and number. Nothing acts where none is named.
SAID = {
    "a1111": {"sd1": SD1},
    "classic": {"sd1": SD1},
    "reforge": {"sd1": SD1, "sd2": FROM_THE_LAST, "sdxl": FROM_THE_LAST, "sdxl-refiner": FROM_THE_LAST},
    "forge": {
        "sd1": SD1,
        "sd2": {1: "", 2: OFF},
        "sdxl": FROM_THE_LAST,
        "sdxl-refiner": FROM_THE_LAST,
        "sd3": {1: "past-trained", 2: "", 3: OFF},
    },
    "sdnext": {"sd1": SD1, "sd2": {1: "", 2: OFF}, "sdxl": {1: "", 1.2: "", 2: OFF}, "sd3": {1: "", 2: OFF}},
}


def test_what_the_hosts_own_number_does_is_said(webui, checkpoint):
    known = SAID[webui.name].get(webui.checkpoints[checkpoint].id, {1: "", 2: "", 3: ""})
    said = {number: webui.native(checkpoint, number).advice for number in known}
    assert {number: text.partition(":")[0] for number, text in said.items()} == known


def test_a_plan_of_ours_is_judged_and_the_image_is_made(webui, checkpoint):
    id = webui.checkpoints[checkpoint].encoders[0].id
    off = webui.txt2img(checkpoint, [True, {id: 2}])
    as_trained = webui.txt2img(checkpoint, [True, {id: 1}])
    expected = SD1[2] if webui.checkpoints[checkpoint].id == "sd1" else OFF
    assert (off.advice.partition(":")[0], as_trained.advice) == (expected, "")
    assert off.pixels != as_trained.pixels
    assert "advice" not in off.infotext


@pytest.mark.parametrize("options, expected", [('{"l": 2}', "clip skip 2"), ('{"l": 99}', "was refused")])
def test_the_same_is_told_without_making_an_image(webui, sdxl, options, expected):
    (said, *_) = webui.get(f"/clip-skip/v1/advice?model={sdxl}&options={options}")
    assert expected in said["reason"]
