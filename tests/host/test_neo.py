"""Forge Neo: what it does in other ways than Forge."""

from __future__ import annotations

import sys

import pytest
import torch

import minihost
from tests.conftest import ROOT

from .reference import NEGATIVE, PROMPT, assert_cond, request, used_conds

OPTION = "CLIP_stop_at_last_layers"


@pytest.fixture(scope="module")
def host(data):
    (data / "config.json").unlink(missing_ok=True)
    with minihost.boot("neo", "sd1", extension=ROOT, data=data) as booted:
        yield booted
        assert booted.errors == []


def extension_host():
    return sys.modules["clip_skip.hosts.a1111"].WebUI.find()


def read(host, skips):
    for kind, name, used in host.last_conds:
        assert_cond(host, used, name, skips, NEGATIVE if kind.endswith("uc") else PROMPT)


def test_it_is_told_from_forge_and_read_at_2_where_nobody_set_anything(host):
    architectures = sys.modules["clip_skip.skip.architectures"].ARCHITECTURES
    for name, skips in (("sd1", {"l": 2}), ("sdxl", {"l": 1, "g": 1}), ("sdxl-refiner", {"g": 1})):
        reading = extension_host().reading(architectures[name])
        assert (reading.slider, reading.skips, reading.default) == (2, skips, 2)
    host.txt2img(**request(host, "sd1-a", [False]))
    used_conds(host, "sd1-a", {"l": 2})


def test_our_number_is_read_not_its_own(host):
    for options, skips in (({"l": 1}, {}), ({"l": 2}, {"l": 2}), ({"l": 2.5}, {"l": 2.5})):
        host.txt2img(**request(host, "sd1-a", [True, options]))
        used_conds(host, "sd1-a", skips)
    host.txt2img(**request(host, "sdxl-a", [True, {"l": 2, "g": 1}]))
    used_conds(host, "sdxl-a", {"l": 2})


def test_its_default_is_not_said_to_do_nothing(host):
    rules, architectures = sys.modules["clip_skip.advice.rules"], sys.modules["clip_skip.skip.architectures"]
    for number, said in ((None, []), (1, []), (3, ["no-effect"])):
        reading = extension_host().reading(architectures.ARCHITECTURES["flux"], number)
        assert [advice.id for advice in rules.advise(rules.Situation(reading))] == said


def test_no_cond_of_another_model_is_served_after_a_switch_in_a_job(host):
    fields = {"enable_hr": True, "hr_scale": 2}
    args = [True, {"l": 2}]
    for other in ({"hr_checkpoint_name": host.title("sd1-b")}, {}, {"hr_checkpoint_name": host.title("sd1-b")}):
        host.txt2img(**request(host, "sd1-a", args, **fields, **other))
        used = {name for kind, name, _ in host.last_conds if kind.startswith("hr_")}
        assert used == {"sd1-b" if other else "sd1-a"}
        read(host, {"l": 2})


def test_a_measured_drift_leaves_no_note_for_the_next_image(host):
    host.txt2img(**request(host, "sd1-a", [False]))
    notes = sys.modules["backend.args"].dynamic_args
    before = dict(notes.last_extra_generation_params)
    extension_host().encode("a dog", lambda model, encode: encode())
    assert notes.last_extra_generation_params == before == {}


@pytest.mark.parametrize(
    "name, shown", [("Flux2", "Flux.2"), ("ZImage", "Z-Image"), ("Krea2", "Krea 2"), ("PiD", "PiD")]
)
def test_its_models_without_clip_have_their_names(host, name, shown):
    host.txt2img(**request(host, "sd1-a", [False]))  # Neo has no model before its first job
    loaded = host.module("sd_models").model_data
    before = loaded.sd_model
    model = type(name, (), {})()
    model.sd_checkpoint_info = before.sd_checkpoint_info
    loaded.sd_model = model
    try:
        architecture = extension_host().loaded().architecture
    finally:
        loaded.sd_model = before
    assert (architecture.id, architecture.name) == ("none", shown)
    assert architecture.reason == "It has no CLIP text encoder."


def test_between_jobs_its_model_has_the_users_number(host):
    host.txt2img(**request(host, "sd1-a", [False]))
    bare = host.sd_model.get_learned_conditioning([PROMPT])
    host.txt2img(**request(host, "sd1-a", [True, {"l": 4}]))
    assert torch.equal(host.sd_model.get_learned_conditioning([PROMPT]), bare)
