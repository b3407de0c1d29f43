"""SD.Next's Control, the one image page of its Modern UI, by its API: all that a caller can ask for there is the tag.

Grids and input images are not asked for: this API asks for a grid by a name that its script does not have, and takes
no text for an image.
Every expectation is the host's own picture by its own number, or that two pictures differ.
"""

from __future__ import annotations

import pytest

from .test_live import skips_with_native

BASE = "a photo of a (cat:1.2), blue sky"

pytestmark = [pytest.mark.needs("Control"), pytest.mark.usefixtures("no_presets")]


def tagged(webui, checkpoint, tag, **fields):
    return webui.control(checkpoint, prompt=f"{BASE} <clipskip:{tag}>", **fields)


def test_the_tag_is_the_hosts_own_number(webui, checkpoint):
    """Also with the host's own number elsewhere, which does not count beside a tag."""
    for skip, number in skips_with_native(webui, checkpoint):
        hosts = webui.native(checkpoint, number, "control").pixels
        assert tagged(webui, checkpoint, skip).pixels == hosts, skip
        assert tagged(webui, checkpoint, skip, clip_skip=3).pixels == hosts, skip


def test_each_encoder_has_its_own(webui, checkpoint):
    ids = [encoder.id for encoder in webui.checkpoints[checkpoint].encoders]
    tags = [f"{id}={skip}" for id in ids for skip in (1.1, 1.5, 2, 3)]
    tags += [":".join(f"{id}=1.5" for id in ids)] if len(ids) > 1 else []
    pictures = {tag: tagged(webui, checkpoint, tag).pixels for tag in ["1", *tags]}
    assert len(set(pictures.values())) == len(pictures)
    assert tagged(webui, checkpoint, "1.5").pixels == pictures[tags[-1] if len(ids) > 1 else f"{ids[0]}=1.5"]


def test_nothing_is_left_behind(webui, checkpoint):
    """Neither in the next job nor in the host's cache, in any order."""
    off = webui.control(checkpoint)
    by_own = webui.native(checkpoint, 2, "control")
    for tag in (3, 1.5):
        assert tagged(webui, checkpoint, tag).pixels not in (off.pixels, by_own.pixels)
        assert webui.control(checkpoint) == off
        assert webui.native(checkpoint, 2, "control") == by_own


def test_the_infotext_says_what_was_used(webui, checkpoint):
    keys = tagged(webui, checkpoint, 2.5).keys
    for encoder in webui.checkpoints[checkpoint].encoders:
        assert keys[f"CLIP skip {encoder.id.upper()}"] == "2.5"
    assert webui.control(checkpoint).keys == {}


def test_a_bad_tag_is_named_and_the_image_is_the_hosts(webui, sd1):
    made = tagged(webui, sd1, 99)
    assert made.pixels == webui.control(sd1).pixels
    assert "99" in made.keys["CLIP skip refused"]


def test_several_images(webui, sd1):
    several = {"batch_count": 2, "batch_size": 2}
    own = webui.native(sd1, 2.5, "control", **several)
    assert tagged(webui, sd1, 2.5, **several).each == own.each
    assert len(set(own.each)) >= 4


def test_switched_off_the_tag_is_taken_out_and_does_nothing(webui, sd1):
    off = webui.control(sd1)
    webui.post("/sdapi/v1/options", {"clip_skip_ext_enabled": False})
    try:
        made = tagged(webui, sd1, 3)
    finally:
        webui.post("/sdapi/v1/options", {"clip_skip_ext_enabled": True})
    assert (made.pixels, made.keys) == (off.pixels, off.keys)


def test_it_and_the_other_tabs_by_turns(webui, sd1, sdxl):
    """Jobs of both, with and without a skip, on two models."""
    jobs = [
        (kind, checkpoint, prompt)
        for checkpoint in (sd1, sdxl)
        for kind in ("control", "txt2img")
        for prompt in (BASE, f"{BASE} <clipskip:2.5>", BASE)
    ]
    first = {}
    for job in [*jobs, *reversed(jobs)]:
        kind, checkpoint, prompt = job
        picture = getattr(webui, kind)(checkpoint, prompt=prompt).pixels
        assert first.setdefault(job, picture) == picture, job
    assert all(first[kind, name, BASE] != first[kind, name, f"{BASE} <clipskip:2.5>"] for kind, name, _ in jobs)
