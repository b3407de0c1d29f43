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


def test_models_with_different_presets_by_turns(webui):
    plans, counts = {}, {}
    for checkpoint in webui.testable:
        id = webui.checkpoints[checkpoint].id
        counts[id] = counts.get(id, -1) + 1
        if counts[id] < len(PLANS.get(id, ())):
            plans[checkpoint] = PLANS[id][counts[id]]
    assert len(plans) >= 2
    for checkpoint, skip in plans.items():
        webui.keep(checkpoint, skip)
    made = {checkpoint: webui.txt2img(checkpoint, [True]).pixels for checkpoint in plans}
    again = {checkpoint: webui.txt2img(checkpoint, [True]).pixels for checkpoint in reversed(plans)}
    by_hand = {checkpoint: webui.txt2img(checkpoint, [True, skip]).pixels for checkpoint, skip in plans.items()}
    trained = {checkpoint: webui.txt2img(checkpoint, [True, {"skip": 1}]).pixels for checkpoint in plans}
    assert made == again == by_hand
    assert all(made[checkpoint] != trained[checkpoint] for checkpoint in plans)


def test_the_infotext_holds_the_numbers(webui, sdxl):
    webui.keep(sdxl, {"l": 2.5, "g": 3})
    infotext = webui.txt2img(sdxl, [True]).infotext
    assert "CLIP skip L: 2.5" in infotext and "CLIP skip G: 3" in infotext
    webui.forget()
    assert "CLIP skip L" not in webui.txt2img(sdxl, [True]).infotext


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


@pytest.mark.needs("two of sd1", "a hires checkpoint")
def test_a_hires_checkpoint_gets_its_own(webui):
    first, second = webui.of("sd1")[:2]

    def make(args):
        return webui.txt2img(first, args, **webui.hires, hr_checkpoint_name=second)

    two_models(webui, first, second, (2, 4), "l", make)


@pytest.mark.needs("sdxl-refiner", "a refiner in a job")
def test_a_refiner_gets_its_own(webui, sdxl):
    refiner = webui.of("sdxl-refiner")[0]

    def make(args):
        return webui.txt2img(sdxl, args, steps=4, refiner_checkpoint=refiner, refiner_switch_at=0.5)

    two_models(webui, sdxl, refiner, (1, 4), "g", make)


def test_status_says_what_auto_uses(webui, sd1):
    webui.keep(sd1, {"l": 2})
    webui.txt2img(sd1, [True])
    auto = requests.get(f"{webui.url}/clip-skip/v1/status", timeout=60).json()["auto"]
    assert (auto["skip"], auto["source"]) == ({"l": 2}, "preset")


@pytest.mark.needs("two of sd1")
def test_a_grid_of_checkpoints(webui):
    """The host's own grid script, with the axis that its UI offers."""
    plans = dict(zip(webui.of("sd1"), (2, 3), strict=False))
    for checkpoint, skip in plans.items():
        webui.keep(checkpoint, {"l": skip})
    made = webui.grid(next(iter(plans)), (webui.axis("Checkpoint name"), ", ".join(plans)), args=[True])
    by_hand = [webui.txt2img(checkpoint, [True, {"l": skip}]) for checkpoint, skip in plans.items()]
    assert [cell.pixels for cell in made] == [each.pixels for each in by_hand]
