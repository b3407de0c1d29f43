"""What is encoded in a job outside of the host's conditioning stage is read as the job is; nothing else is."""

from __future__ import annotations

import sys

import pytest
import torch
from PIL import Image

from minihost.picture import as_cond

from .reference import NEGATIVE, PROMPT, assert_cond, request
from .test_jobs import hooks

LINE = ("a1111", "forge")
OPTION = "CLIP_stop_at_last_layers"
TEXTS = ["a dog", "a bird"]
KINDS = ("parsed", "multi", "learned")
STAGE = ("c", "uc")


@pytest.fixture(scope="module", params=LINE)
def host(request, data):
    import minihost
    from tests.conftest import ROOT

    (data / "config.json").unlink(missing_ok=True)
    # As saved before: the host puts back no other, and what a test leaves would be the next one's number.
    with minihost.boot(request.param, "sd1", extension=ROOT, data=data, opts={OPTION: 1}) as booted:
        yield booted
        assert booted.errors == []


def at(number):
    return {"override_settings": {OPTION: number}}


def script(host):
    """The other extension, as the text tab runs it: what it does in a hook of its can be set."""
    scripts = host.module("scripts").scripts_txt2img.alwayson_scripts
    return next(each for each in scripts if each.title() == "Minihost own encode")


def own(host, used, checkpoint, skips):
    """A cond of a whole batch, each image of it with its own text."""
    for place, text in enumerate(TEXTS):
        one = {key: value[place : place + 1] for key, value in used.items()}
        assert_cond(host, one, checkpoint, skips, text)


def check(host, checkpoint, skips, kinds=(*KINDS, *STAGE)):
    assert [kind for kind, _, _ in host.last_conds] == list(kinds)
    for kind, name, used in host.last_conds:
        if kind in KINDS:
            own(host, used, name, skips)
        else:
            assert_cond(host, used, name, skips, NEGATIVE if kind.endswith("uc") else PROMPT)


def conds(host, kinds=KINDS):
    return [used["crossattn"].clone() for kind, _, used in host.last_conds if kind in kinds]


def equal(made, others):
    return [torch.equal(a, b) for a, b in zip(made, others, strict=True)]


@pytest.mark.parametrize("checkpoint, options, skips", [
    ("sd1-a", {"l": 2}, {"l": 2}),
    ("sd1-a", {"l": 1}, {}),
    ("sd1-a", {"l": 2.5}, {"l": 2.5}),
    ("sdxl-a", {"l": 2, "g": 3.5}, {"l": 2, "g": 3.5}),
    ("sdxl-a", {"l": 1}, {}),
    ("sd2", {"h": 2}, {"h": 2}),
])  # fmt: skip
@pytest.mark.parametrize("number", [1, 2, 4])
def test_who_encodes_by_itself_is_read_as_the_job_is(host, checkpoint, options, skips, number):
    made = host.txt2img(**request(host, checkpoint, [True, options], own_encode=TEXTS, **at(number)))
    check(host, checkpoint, skips)
    assert "CLIP skip applied" not in made.info["infotexts"][0] and hooks(host) == []


def read_directly(model, texts):
    """What the model's own readers of its encoders give."""
    if hasattr(model, "text_processing_engine_l"):
        parts = model.text_processing_engine_l(texts), model.text_processing_engine_g(texts)[0]
        return {"crossattn": torch.cat(parts, -1)}
    for name in ("text_processing_engine", "conditioner", "cond_stage_model"):
        if hasattr(model, name):
            return as_cond(getattr(model, name)(texts))


@pytest.mark.parametrize("checkpoint, options, skips", [
    ("sd1-a", {"l": 2}, {"l": 2}),
    ("sdxl-a", {"l": 2, "g": 1}, {"l": 2}),
    ("sdxl-a", {"l": 1, "g": 3.5}, {"g": 3.5}),
])  # fmt: skip
@pytest.mark.parametrize("hook", ["process_batch", "postprocess_image"])
def test_who_reads_the_encoders_without_the_model_too(host, checkpoint, options, skips, hook, monkeypatch):
    made = []
    monkeypatch.setattr(script(host), hook, lambda *_, **__: made.append(read_directly(host.sd_model, TEXTS)))
    result = host.txt2img(**request(host, checkpoint, [True, options], **at(3)))
    own(host, made[0], checkpoint, skips)
    assert "CLIP skip applied" not in result.info["infotexts"][0] and hooks(host) == []
    host.txt2img(**request(host, checkpoint, [False], **at(1)))
    own(host, read_directly(host.sd_model, TEXTS), checkpoint, {})


@pytest.mark.parametrize("prompt, args, skips", [
    (f"{PROMPT} <clipskip:3>", [False], {"l": 3}),
    (f"{PROMPT} <clipskip:3>", [True, {"l": 2}], {"l": 3}),
])  # fmt: skip
def test_it_follows_the_tag_of_its_batch(host, prompt, args, skips):
    host.txt2img(**request(host, "sd1-a", args, prompt=prompt, own_encode=TEXTS))
    check(host, "sd1-a", skips)


def test_each_batch_has_its_own_tag(host):
    prompts = [f"{PROMPT} <clipskip:2>", PROMPT, f"{PROMPT} <clipskip:3>"]
    host.txt2img(**request(host, "sd1-a", [False], prompt=prompts, n_iter=3, own_encode=TEXTS))
    read = [used for kind, _, used in host.last_conds if kind in KINDS]
    for place, skips in enumerate(({"l": 2}, {}, {"l": 3})):
        for used in read[place * len(KINDS) : (place + 1) * len(KINDS)]:
            own(host, used, "sd1-a", skips)


@pytest.mark.parametrize("first, hires, skips", [
    (" <clipskip:2>", " <clipskip:3>", {"l": 3}),
    (" <clipskip:2>", "", {}),
    ("", " <clipskip:3>", {"l": 3}),
])  # fmt: skip
def test_in_the_hires_pass_it_follows_the_tag_of_that(host, first, hires, skips, monkeypatch):
    def encode(p):
        made.append(as_cond(p.sd_model.get_learned_conditioning(TEXTS)))

    made = []
    monkeypatch.setattr(script(host), "before_hr", lambda p, *_: encode(p))
    fields = {"enable_hr": True, "hr_scale": 2, "hr_prompt": f"a cat{hires}", **at(1)}
    host.txt2img(**request(host, "sd1-a", [False], prompt=f"{PROMPT}{first}", **fields))
    own(host, made[0], "sd1-a", skips)


@pytest.mark.parametrize("number", [1, 3])
def test_a_stage_that_asks_for_nothing_has_not_the_tag_of_the_pass_before(host, number):
    """The hires prompt has no tag, so that it is at the host's own number, as it is without the extension."""
    fields = {"enable_hr": True, "hr_scale": 2, "hr_prompt": "a cat", **at(number)}
    host.txt2img(**request(host, "sd1-a", [False], **fields))
    bare = conds(host, ("hr_c", "hr_uc"))
    host.txt2img(**request(host, "sd1-a", [False], prompt=f"{PROMPT} <clipskip:2>", **fields))
    assert equal(conds(host, ("hr_c", "hr_uc")), bare) == [True, True]


@pytest.mark.parametrize("number", [1, 3])
def test_off_it_is_the_hosts_also_after_other_jobs(host, number):
    def off():
        host.txt2img(**request(host, "sd1-a", [False], own_encode=TEXTS, **at(number)))
        return conds(host, (*KINDS, *STAGE))

    off()  # Forge's model has the number of the stage before
    bare = off()
    for after in ("", "__raise__", "__interrupt__"):
        try:
            prompt = f"{PROMPT} {after}"
            host.txt2img(**request(host, "sd1-a", [True, {"l": 2}], prompt=prompt, own_encode=TEXTS, **at(number)))
        except Exception as error:
            assert "__raise__" in str(error)
        assert hooks(host) == []
        assert equal(off(), bare) == [True] * len(bare)


@pytest.mark.parametrize("when", ["between", "after an exception"])
def test_between_jobs_nobody_is_read_otherwise(host, when):
    host.txt2img(**request(host, "sd1-a", [False]))
    bare = host.sd_model.get_learned_conditioning(TEXTS)
    prompt = PROMPT if when == "between" else f"{PROMPT} __raise__"
    try:
        host.txt2img(**request(host, "sd1-a", [True, {"l": 4}], prompt=prompt, own_encode=TEXTS))
    except Exception as error:
        assert "__raise__" in str(error)
    assert torch.equal(host.sd_model.get_learned_conditioning(TEXTS), bare)


def test_what_a_host_script_encodes(host):
    picture = {"init_images": [Image.new("RGB", (64, 64), "teal")], "script_name": "minihost alternative"}
    for args, number, skips in (([True, {"l": 2}], 1, {"l": 2}), ([True, {"l": 1}], 2, {}), ([False], 1, {})):
        fields = {**picture, "script_args": [PROMPT], **at(number)}
        host.img2img(**request(host, "sd1-a", args, **fields))
        assert [kind for kind, _, _ in host.last_conds] == ["original", *STAGE]
        for kind, name, used in host.last_conds:
            assert_cond(host, used, name, skips, NEGATIVE if kind == "uc" else PROMPT)


def test_in_an_inner_pass(host):
    """Only the outer job's scripts run here; what encodes inside is the pass itself."""
    host.txt2img(**request(host, "sd1-a", [True, {"l": 2}], own_encode=TEXTS, inner_pass=True, **at(1)))
    check(host, "sd1-a", {"l": 2}, (*KINDS, *STAGE, *STAGE))


def test_a_model_that_is_loaded_in_a_job_keeps_nothing_of_it(host):
    """A1111 encodes the empty prompt with each model that it loads, to pad with from then on; Forge does not."""

    def empty():
        kept = getattr(host.sd_model, "cond_stage_model_empty_prompt", None)
        return host.sd_model.sd_checkpoint_info.name_for_extra, None if kept is None else kept.tolist()

    host.txt2img(**request(host, "sd1-b", [False]))
    bare = empty()
    assert host.like == "forge" or bare[1]
    host.txt2img(**request(host, "sd1-a", [False]))
    fields = {"enable_hr": True, "hr_scale": 2, "hr_checkpoint_name": host.title("sd1-b")}
    host.txt2img(**request(host, "sd1-a", [True, {"l": 3}], **fields))
    assert empty() == bare


def test_nor_does_who_is_told_of_that_model(host, monkeypatch):
    """What another extension encodes then, it may keep for as long as the model."""
    callbacks, kept = host.module("script_callbacks"), []
    told = callbacks.model_loaded_callback

    def loaded(model):
        told(model)
        kept.append((model.sd_checkpoint_info.name_for_extra, as_cond(model.get_learned_conditioning(TEXTS))))

    host.txt2img(**request(host, "sd1-a", [False], **at(1)))
    monkeypatch.setattr(callbacks, "model_loaded_callback", loaded)
    fields = {"enable_hr": True, "hr_scale": 2, "hr_checkpoint_name": host.title("sd1-b"), **at(1)}
    host.txt2img(**request(host, "sd1-a", [True, {"l": 3}], **fields))
    assert kept
    for name, used in kept:
        own(host, used, name, {})


def test_one_that_could_not_be_read_so_is_said(host, monkeypatch):
    """In a way that leaves the stage itself alone."""
    taps = sys.modules["clip_skip.conditioning.taps"]
    lerp, fails = taps.lerp, []

    def broken(parts):
        frame = sys._getframe()
        while frame is not None and frame.f_code.co_name != "get_conds_with_caching":
            frame = frame.f_back
        if frame is None:
            fails.append(1)
            raise RuntimeError("no memory left")
        return lerp(parts)

    monkeypatch.setattr(taps, "lerp", broken)
    made = host.txt2img(**request(host, "sd1-a", [True, {"l": 1.5}], own_encode=TEXTS))
    assert fails and "CLIP skip applied: no" in made.info["infotexts"][0]
    assert made.info["comments"].splitlines()[0] == "CLIP Skip was not applied."
    own_conds = [used for kind, _, used in host.last_conds if kind in KINDS]
    for used in own_conds:
        own(host, used, "sd1-a", {})


def test_who_puts_the_hosts_own_stage_back_has_us_again(host):
    """An extension that had kept it before us, and takes itself out again."""
    jobs = host.module("processing").StableDiffusionProcessing
    host.txt2img(**request(host, "sd1-a", [False]))  # in the host's cache
    for skips in ({"l": 2}, {"l": 3}):
        jobs.get_conds_with_caching = vars(jobs)["get_conds_with_caching"].__clip_skip_original__
        made = host.txt2img(**request(host, "sd1-a", [True, skips], **at(1)))
        check(host, "sd1-a", skips, STAGE)
        assert "CLIP skip applied" not in made.info["infotexts"][0]
    host.txt2img(**request(host, "sd1-a", [False], **at(1)))
    check(host, "sd1-a", {}, STAGE)


def test_nothing_of_ours_is_left_on_the_model(host):
    host.txt2img(**request(host, "sd1-a", [True, {"l": 2}]))
    owner = next(each for each in type(host.sd_model).__mro__ if "get_learned_conditioning" in vars(each))
    original = vars(owner)["get_learned_conditioning"].__clip_skip_original__
    for _ in range(2):
        host.reload_ui()
        host.txt2img(**request(host, "sd1-a", [True, {"l": 2}], own_encode=TEXTS))
        check(host, "sd1-a", {"l": 2})
    assert vars(owner)["get_learned_conditioning"].__clip_skip_original__ is original
    host.module("script_callbacks").call("script_unloaded")
    assert vars(owner)["get_learned_conditioning"] is original
    host.reload_ui()
