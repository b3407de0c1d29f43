"""SD.Next beside other extensions: who sets a job's slider, shows the job again, or makes passes of its own."""

from __future__ import annotations

from copy import copy

import pytest

import minihost
from tests.conftest import ROOT

from .loaded import extension
from .reference import PROMPT, SMALL, assert_cond, request, used_conds

TAGGED, BATCHES = f"{PROMPT} <clipskip:2>", {"n_iter": 2, "batch_size": 2}
PLANS = pytest.mark.parametrize("checkpoint, skips", [("sd1-a", {"l": 2}), ("sdxl-a", {"l": 2, "g": 1})])


@pytest.fixture(scope="module")
def host(data):
    (data / "config.json").unlink(missing_ok=True)
    with minihost.boot("sdnext", "sd1", extension=ROOT, data=data) as booted:
        yield booted
        assert booted.errors == []


@pytest.fixture
def other(host, monkeypatch):
    """Have another extension do this in a hook of its."""
    script = next(s for s in host.module("scripts").scripts_txt2img.alwayson_scripts if s.title() != "CLIP Skip")
    monkeypatch.setattr(script, "args_to", max(script.args_to, 1))
    yield lambda hook, work: monkeypatch.setattr(script, hook, work, raising=False)
    assert extension().host._running == []


def read(host, batch):
    """The positive prompts of the last job's passes were read so, over and over."""
    used = [(name, cond) for kind, name, cond in host.last_conds if kind == "c"]
    assert used and len(used) % len(batch) == 0
    for place, (name, cond) in enumerate(used):
        assert_cond(host, cond, name, batch[place % len(batch)], PROMPT)


@PLANS
@pytest.mark.parametrize("hook", ["before_process_batch", "process_batch"])
def test_who_sets_the_slider_in_a_job_does_not_act_beside_the_plan(host, other, hook, checkpoint, skips):
    other(hook, lambda p, *_, **__: setattr(p, "clip_skip", 3))
    made = host.txt2img(**request(host, checkpoint, [True, skips], n_iter=2))
    used_conds(host, checkpoint, skips)
    assert "CLIP skip applied" not in made.info["infotexts"][0]
    host.txt2img(**request(host, checkpoint, [False]))
    used_conds(host, checkpoint, {encoder: 3 for encoder in skips})


@PLANS
def test_nor_does_the_slider_of_an_inner_pass(host, other, checkpoint, skips):
    processing, made = host.module("processing"), []

    def run(p, *_):
        made.append(processing.StableDiffusionProcessingTxt2Img(**SMALL, clip_skip=3))
        processing.process_images(made[-1])

    other("postprocess_image", run)
    host.txt2img(**request(host, checkpoint, [True, skips], **BATCHES))
    used_conds(host, checkpoint, skips)
    assert [inner.clip_skip for inner in made] == [3] * 4


@pytest.mark.parametrize("hook", ["process_batch", "postprocess_image"])
@pytest.mark.parametrize("shown", [copy, lambda p: p])
def test_a_job_is_shown_to_the_scripts_again(host, other, hook, shown):
    asked = request(host, "sd1-a", [True, {"l": 3}], prompt=TAGGED, **BATCHES)
    bare = host.txt2img(**asked)

    def show(p, *_, **__):
        p.scripts.process(shown(p))
        p.scripts.postprocess(shown(p), host.module("processing").Processed(p, [], 1, ""))

    other(hook, show)
    made = host.txt2img(**asked)
    assert made.info["infotexts"] == bare.info["infotexts"] and made.info["comments"] == bare.info["comments"]
    used_conds(host, "sd1-a", {"l": 2})


@pytest.mark.parametrize("runner", ["process_images", "process_images_inner"])
@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize("prompt, skips", [(PROMPT, None), (f"{PROMPT} <clipskip:4>", {"l": 4})])
def test_a_copy_of_the_job_is_run(host, other, runner, scripted, prompt, skips):
    """As the detailer does, which the host tells nobody when it is over."""
    asked = request(host, "sd1-a", [False], prompt=TAGGED, **BATCHES)
    bare = host.txt2img(**asked)

    def run(p, *_):
        if p.prompt == TAGGED:
            inner = copy(p)
            inner.prompt, inner.n_iter, inner.batch_size = prompt, 1, 1
            if not scripted:
                inner.scripts = None
            getattr(host.module("processing"), runner)(inner)

    other("postprocess_image", run)
    assert host.txt2img(**asked).info["infotexts"] == bare.info["infotexts"]
    inner = skips or ({} if scripted else {"l": 2})
    read(host, [{"l": 2}, inner, inner])


def test_an_inner_pass_without_a_tag_has_not_that_of_the_one_before(host, other):
    processing = host.module("processing")
    prompts = iter([f"{PROMPT} <clipskip:4>", PROMPT] * 2)

    def run(p, *_):
        processing.process_images(processing.StableDiffusionProcessingTxt2Img(**{**SMALL, "prompt": next(prompts)}))

    other("postprocess_image", run)
    host.txt2img(**request(host, "sd1-a", [True, {"l": 2}], **BATCHES))
    read(host, [{"l": 2}, {"l": 4}, {"l": 2}])
