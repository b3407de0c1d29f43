"""Compare in a running WebUI: each of the images that one job makes, against the same image made alone."""

from __future__ import annotations

import pytest

from .webui import Picture

SKIPS = (1, 1.5, 2)


def written(infotext):
    """What an infotext says of the skip."""
    return Picture("", infotext, (), "").keys


def alone(made, *others):
    """The images after the sheet are those of `others`, and say the same."""
    pixels = [image for other in others for image in other.each]
    texts = [text for other in others for text in other.infotexts]
    return list(made.each[1:]) == pixels and list(map(written, made.infotexts[1:])) == list(map(written, texts))


def test_each_image_is_the_one_that_is_made_alone(webui, checkpoint):
    for kind in webui.kinds:
        if kind != "control":  # which takes no arguments of extensions
            make = getattr(webui, kind)
            made = make(checkpoint, [True, {"compare": list(SKIPS)}])
            assert alone(made, *(make(checkpoint, [True, {"skip": skip}]) for skip in SKIPS)), kind
            assert len(set(made.each)) == 4


@pytest.mark.parametrize("fields", [{"n_iter": 2}, {"n_iter": 2, "batch_size": 2}], ids=["batches", "2 x 2"])
def test_every_image_of_a_batch(webui, sdxl, fields):
    made = webui.txt2img(sdxl, [True, {"compare": [1, {"l": 1.5}]}], **fields)
    assert alone(made, *(webui.txt2img(sdxl, [True, {"l": skip, "g": 1}], **fields) for skip in (1, 1.5)))


def test_in_a_second_pass(webui, sd1):
    made = webui.txt2img(sd1, [True, {"compare": list(SKIPS)}], **webui.hires)
    assert alone(made, *(webui.txt2img(sd1, [True, {"skip": skip}], **webui.hires) for skip in SKIPS))


def test_in_a_grid_nothing_is_compared(webui, sd1):
    axis = (webui.axis("CFG Scale"), "4, 8")
    made = webui.grid(sd1, axis, args=[True, {"compare": [1, 2]}])
    assert [each.pixels for each in made] == [each.pixels for each in webui.grid(sd1, axis, args=[True])]


def test_nothing_of_it_is_left(webui, sd1):
    before = webui.txt2img(sd1, [False])
    webui.txt2img(sd1, [True, {"compare": list(SKIPS)}])
    assert webui.txt2img(sd1, [False]) == before
