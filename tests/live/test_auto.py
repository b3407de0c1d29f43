"""Auto in a real WebUI: each model is made with its own preset, which is set by REST."""

from __future__ import annotations

import pytest
import requests

PLANS = {
    "sd1": [{"l": 2}, {"l": 3.5}],
    "sd2": [{"h": 2}],
    "sdxl": [{"l": 2, "g": 1.5}],
    "sdxl-refiner": [{"g": 3}],
    "sd3": [{"l": 1, "g": 2}],
}


pytestmark = pytest.mark.usefixtures("no_presets")


def of(webui, *architectures):
    """The first checkpoints of these architectures, each another; or the test does not apply to this host."""
    found = []
    for id in architectures:
        fits = [name for name, a in webui.checkpoints.items() if a.id == id and name not in found]
        if not fits:
            pytest.skip(f"no checkpoint of {id}")
        found.append(fits[0])
    return found


def test_models_with_different_presets_by_turns(webui):
    plans, counts = {}, {}
    for checkpoint in webui.testable:
        id = webui.checkpoints[checkpoint].id
        counts[id] = counts.get(id, -1) + 1
        if counts[id] < len(PLANS.get(id, ())):
            plans[checkpoint] = PLANS[id][counts[id]]
    assert len(plans) >= 4
    for checkpoint, skip in plans.items():
        webui.keep(checkpoint, skip)
    made = {checkpoint: webui.txt2img(checkpoint, [True]).pixels for checkpoint in plans}
    again = {checkpoint: webui.txt2img(checkpoint, [True]).pixels for checkpoint in reversed(plans)}
    by_hand = {checkpoint: webui.txt2img(checkpoint, [True, skip]).pixels for checkpoint, skip in plans.items()}
    trained = {checkpoint: webui.txt2img(checkpoint, [True, {"skip": 1}]).pixels for checkpoint in plans}
    assert made == again == by_hand
    assert all(made[checkpoint] != trained[checkpoint] for checkpoint in plans)


def test_the_infotext_holds_the_numbers(webui):
    (checkpoint,) = of(webui, "sdxl")
    webui.keep(checkpoint, {"l": 2.5, "g": 3})
    infotext = webui.txt2img(checkpoint, [True]).infotext
    assert "CLIP skip L: 2.5" in infotext and "CLIP skip G: 3" in infotext
    webui.forget()
    assert "CLIP skip L" not in webui.txt2img(checkpoint, [True]).infotext


def two_models(webui, first, second, values, encoder, make):
    """Pictures of one job on two models, for each pair of their presets; equal values equal the same set by hand."""
    pictures = {}
    for one in values:
        for other in values:
            webui.keep(first, {encoder: one})
            webui.keep(second, {encoder: other})
            pictures[one, other] = make([True]).pixels
    for value in values:
        assert pictures[value, value] == make([True, {encoder: value}]).pixels
    assert len(set(pictures.values())) == len(values) ** 2


def test_a_hires_checkpoint_gets_its_own(webui):
    if webui.name == "sdnext":
        pytest.skip("has no hires checkpoint")
    first, second = of(webui, "sd1", "sd1")
    hires = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.7, "hr_upscaler": "Latent"}

    def make(args):
        return webui.txt2img(first, args, **hires, hr_checkpoint_name=second)

    two_models(webui, first, second, (2, 4), "l", make)


def test_a_refiner_gets_its_own(webui):
    if webui.name == "sdnext":
        pytest.skip("its refiner is no part of an API job")
    first, second = of(webui, "sdxl", "sdxl-refiner")

    def make(args):
        return webui.txt2img(first, args, steps=4, refiner_checkpoint=second, refiner_switch_at=0.5)

    two_models(webui, first, second, (1, 4), "g", make)


def test_status_says_what_auto_uses(webui):
    (checkpoint,) = of(webui, "sd1")
    webui.keep(checkpoint, {"l": 2})
    webui.txt2img(checkpoint, [True])
    auto = requests.get(f"{webui.url}/clip-skip/v1/status", timeout=60).json()["auto"]
    assert (auto["skip"], auto["source"]) == ({"l": 2}, "preset")


def test_a_grid_of_checkpoints(webui):
    """The host's own grid script, with the axis that its UI offers."""
    if webui.name == "sdnext":
        pytest.skip("its grid takes other arguments")
    first, second = of(webui, "sd1", "sd1")
    webui.keep(first, {"l": 2})
    webui.keep(second, {"l": 3})
    scripts = webui.get("/sdapi/v1/script-info")
    grid = next(s for s in scripts if s["name"] == "x/y/z plot" and not s["is_img2img"])
    axis = grid["args"][0]["choices"].index("Checkpoint name")
    nothing = [0, "", []]
    values = [axis, "", [first, second], *nothing, *nothing, False, True, False, False, False, False, False, 0, False]
    made = webui.txt2img(first, [True], script_name="x/y/z plot", script_args=values).each
    by_hand = [webui.txt2img(name, [True, {"l": skip}]).each[0] for name, skip in ((first, 2), (second, 3))]
    assert list(made[-2:]) == by_hand
