"""The drift of a prompt on the loaded model, by each host's own encode, against plain transformers."""

from __future__ import annotations

import base64
import csv
import html
import importlib
import re
import threading
from contextlib import contextmanager
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from minihost import encoders, weights
from tests.drift import reference

from .loaded import extension
from .reference import PROMPT, SMALL, request

WORDS = ["a", "photo", "of", "a", "cat", ",", "blue", "sky"]
LONG = ", ".join(["a photo of a cat under a blue sky"] * 10)  # 99 tokens: two chunks
MODELS = ["sd1-a", "sd2", "sdxl-a", "sdxl-refiner", "sd3"]


def ours(name):
    return importlib.import_module(f"clip_skip.{name}")


def measured(host, prompt, *skips):
    adapter = extension().host
    return ours("drift.measured").measure(adapter, prompt, adapter.loaded(), skips)


def load(host, checkpoint):
    """Loaded by a job, which is the only way in Forge."""
    title = host.title(checkpoint)
    host.http("POST", "/sdapi/v1/options", json={"sd_model_checkpoint": title})
    host.txt2img(**SMALL)
    assert extension().host.loaded().name == checkpoint


def ids_of(prompt, encoder):
    return torch.tensor(encoders.Tokenizer(weights.SPECS[encoder].pad).chunks(prompt))


def assert_drift(result, checkpoint, prompt):
    """Every whole skip, against a full encode for each by an encoder that is cut off there."""
    architecture = weights.CHECKPOINTS[checkpoint]
    id = result.drift.encoder.id
    state = weights.encoder_state(checkpoint, id)
    expected = reference.whole_skips(state, architecture, id, ids_of(prompt, id))
    for skip, (point, (cosine, relative, tokens)) in enumerate(zip(result.drift.points, expected, strict=True), 1):
        assert point.skip == skip
        assert abs(point.cosine - cosine) <= 1e-6
        assert abs(point.relative_norm - relative) <= 1e-6
        assert np.abs(np.array(point.tokens) - tokens).max() <= 1e-5


@pytest.mark.parametrize("prompt", [PROMPT, LONG, ""], ids=["short", "long", "empty"])
@pytest.mark.parametrize("checkpoint", MODELS)
def test_every_skip_of_every_encoder(host, checkpoint, prompt):
    load(host, checkpoint)
    results = measured(host, prompt)
    assert [each.drift.encoder.id for each in results] == list(reference.TRAINED[weights.CHECKPOINTS[checkpoint]])
    for result in results:
        assert_drift(result, checkpoint, prompt)


def test_the_words_are_the_prompts_own(host):
    load(host, "sdxl-a")
    for result in measured(host, PROMPT):
        assert result.words == dict(enumerate(WORDS, 1))
    for result in measured(host, LONG):
        tokens = [id for chunk in ids_of(LONG, "l").tolist() for id in chunk]
        places = [place for place, id in enumerate(tokens) if id not in (weights.BOS, weights.EOS)]
        assert list(result.words) == places
        assert result.words[77 + 1] == (LONG.replace(",", " ,").split())[75]


def test_further_skips_are_measured_too_where_they_are_in_range(host):
    load(host, "sdxl-a")
    left, right = measured(host, PROMPT, {"l": 1.5, "g": 0.0}, {"g": 2.25, "l": 12.0})
    assert [p.skip for p in left.drift.points] == [1, 1.5, *range(2, 12)]
    assert [p.skip for p in right.drift.points] == [1, 2, 2.25, *range(3, 32)]


def test_tags_are_no_part_of_the_prompt_and_no_network_is_touched(host, monkeypatch):
    load(host, "sdxl-a")
    plain = measured(host, PROMPT)
    networks = host.module("extra_networks")
    for name in ("activate", "deactivate"):
        monkeypatch.setattr(networks, name, lambda *args: pytest.fail("a network was touched"))
    assert measured(host, f"<lora:two:1>{PROMPT}<clipskip:3>") == plain


# --- it is told, and nothing is done -------------------------------------------------------------------------------


def refused(host, prompt=PROMPT):
    with pytest.raises(ours("text.phrase").Problem) as problem:
        measured(host, prompt)
    return str(problem.value)


@contextmanager
def elsewhere(lock):
    """The lock is held by another thread, as a running job holds it."""
    held, over = threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_running_job_is_neither_disturbed_nor_waited_for(host):
    load(host, "sdxl-a")
    busy = "The WebUI is busy with a job. Please try again when it is done."
    with elsewhere(host.module("call_queue").queue_lock):
        assert refused(host) == busy
    state = host.module("shared").state
    state.begin("an upscaler without the lock")
    assert refused(host) == busy
    state.end()
    assert len(measured(host, PROMPT)) == 2


def test_no_job_begins_meanwhile(host):
    load(host, "sdxl-a")
    adapter, lock = extension().host, host.module("call_queue").queue_lock
    free = []

    def try_lock():
        free.append(lock.acquire(blocking=False))

    def work(model, encode):
        thread = threading.Thread(target=try_lock)
        thread.start()
        thread.join()

    adapter.encode(PROMPT, work)
    assert free == [False]
    with pytest.raises(ZeroDivisionError):
        adapter.encode(PROMPT, lambda model, encode: 1 / 0)
    try_lock()
    assert free == [False, True]
    lock.release()


def test_models_without_a_clip_skip(host):
    load(host, "flux")
    assert refused(host).startswith("No CLIP skip here. It reads only CLIP's summary")


def test_another_model_that_came_in_meanwhile(host):
    load(host, "sdxl-a")
    before = extension().host.loaded()
    load(host, "sd1-a")
    with pytest.raises(ours("text.phrase").Problem, match="Another model was loaded just now"):
        ours("drift.measured").measure(extension().host, PROMPT, before, [])


# --- nothing is left behind ----------------------------------------------------------------------------------------


def hooks_of(host):
    """All hooks on the encoders; transformers 5 has some of its own, from the first encode on."""
    found = []
    for stack in extension().host._loaded().stacks:
        for module in (*stack.blocks.modules(), stack.final_norm, stack.tokens):
            found += [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    return found


def caches_of(host):
    if host.like == "sdnext":
        parser, hijack = host.module("prompt_parser_diffusers"), host.module("sd_hijack_te")
        return list(parser.cache), dict(hijack.prompt_cache.cache), parser.last_attention
    cls = host.module("processing").StableDiffusionProcessing
    return cls.cached_c[0], cls.cached_uc[0], id(cls.cached_c[1])


@pytest.mark.parametrize("args", [None, [True, {"l": 2, "g": 3.5}]], ids=["off", "on"])
@pytest.mark.parametrize("checkpoint", ["sd1-a", "sdxl-a", "sd3"])
def test_the_next_image_is_the_same_and_nothing_stays(host, checkpoint, args):
    args = args if args is None or checkpoint != "sd1-a" else [True, {"l": 2}]
    job = request(host, checkpoint, args)
    before = host.txt2img(**job).images[0].tobytes()
    hooks, options, caches, random = hooks_of(host), dict(host.opts.data), caches_of(host), torch.get_rng_state()
    measured(host, "another prompt")
    measured(host, PROMPT)
    with pytest.raises(ZeroDivisionError):
        extension().host.encode(PROMPT, lambda model, encode: (encode(), 1 / 0))
    assert hooks_of(host) == hooks
    assert dict(host.opts.data) == options
    assert caches_of(host) == caches
    assert torch.equal(torch.get_rng_state(), random)
    assert host.txt2img(**job).images[0].tobytes() == before
    # A conditioning that is not in a cache any more is made as before, too.
    other = host.txt2img(**{**job, "prompt": "blue"}).images[0].tobytes()
    assert other != before
    assert host.txt2img(**job).images[0].tobytes() == before


def test_it_takes_one_pass_of_each_encoder(host):
    load(host, "sdxl-a")
    passes = []
    stacks = extension().host._loaded().stacks
    handles = [s.blocks[0].register_forward_hook(lambda module, *_: passes.append(module)) for s in stacks]
    measured(host, PROMPT)
    for handle in handles:
        handle.remove()
    assert passes == [stack.blocks[0] for stack in stacks]


# --- the panel's answer --------------------------------------------------------------------------------------------

HOSTILE = "</title></svg><img src=x onerror=alert(1)> \" ' & </p><script>alert(2)</script>"


@pytest.fixture
def answer(host, monkeypatch):
    """What the button in the panel of txt2img answers, to a prompt and the values of the panel's controls."""

    def ask(prompt, **controls):
        return extension().answers.drift(prompt, ours("interfaces.ui.controls").Controls(**controls))

    return ask


def links(answer):
    """The files behind the links, by their names."""
    found = re.findall(r'<a href="(data:[^"]*)" download="([^"]*)">', answer)
    return {name: base64.b64decode(html.unescape(url).partition(";base64,")[2]).decode() for url, name in found}


def marked(svg):
    """The places of the rings, by colour, and of the dashed lines; without the legend's."""
    root = ElementTree.fromstring(svg)
    circles = [c for c in root.iter("{http://www.w3.org/2000/svg}circle") if c.get("r") == "7"]
    lines = [p for p in root.iter("{http://www.w3.org/2000/svg}polyline") if p.get("stroke-dasharray")]
    return (
        [(c.get("stroke"), float(c.get("cx"))) for c in circles if c.get("stroke") != "currentColor"],
        [float(line.get("points").partition(",")[0]) for line in lines[1:]],
    )


def test_the_picture_marks_what_is_in_use_and_what_is_recommended(host, answer):
    load(host, "sdxl-a")
    shown = answer(PROMPT, enabled=True, mode="Manual", l=2.0, g=5.5)
    files = links(shown)
    rows = list(csv.DictReader(files["clip-skip-drift.csv"].splitlines()))
    for id, last in (("l", 11), ("g", 31)):
        skips = [row["skip"] for row in rows if row["encoder"] == id]
        extra = [] if id == "l" else ["5.5"]
        assert sorted(skips, key=float) == sorted([*map(str, range(1, last + 1)), *extra], key=float) == skips
    rings, dashed = marked(files["clip-skip-drift.svg"])
    x = lambda skip: round(44 + (640 - 16 - 44) * (skip - 1) / 30, 1)  # noqa: E731
    assert [round(place, 1) for _, place in rings] == [x(2), x(5.5)] * 2
    assert dashed == [44, 44]  # as trained, in both plots
    assert "Words that moved most:" in shown and "CLIP-G 5.5 (" in shown


def test_the_tag_in_the_prompt_is_what_is_in_use(host, answer):
    load(host, "sdxl-a")
    shown = answer(f"{PROMPT} <clipskip:3>", seen='{"tags": "<clipskip:3>"}')
    rings, _ = marked(links(shown)["clip-skip-drift.svg"])
    assert {round((place - 44) / 580 * 30 + 1, 3) for _, place in rings} == {3}


def test_a_hostile_prompt_stays_text(host, answer):
    load(host, "sdxl-a")
    shown = answer(HOSTILE)
    assert "<img" not in shown and "<script" not in shown
    assert html.escape(HOSTILE)[:60] in shown
    root = ElementTree.fromstring(links(shown)["clip-skip-drift.svg"])
    assert root.find("{http://www.w3.org/2000/svg}title").text.endswith(HOSTILE)
    tags = {element.tag.partition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "style", "polyline", "circle", "text"}


def test_an_error_is_a_line_in_the_panel_and_in_the_log(host, answer, monkeypatch, caplog):
    load(host, "sdxl-a")
    adapter = extension().host
    monkeypatch.setattr(type(adapter), "encode", lambda *args: 1 / 0)
    log = ours("text.log").logger
    monkeypatch.setattr(log, "propagate", True)
    shown = answer(PROMPT)
    text = re.sub(r"<[^>]*>", "", shown)
    assert text == "The drift could not be measured. The log says more: ZeroDivisionError: division by zero"
    assert "ZeroDivisionError" in caplog.text


def test_blocks_that_did_not_run(host, answer, monkeypatch):
    """A text encoder that was compiled, or replaced, runs where no hook is."""
    load(host, "sdxl-a")
    adapter = extension().host
    monkeypatch.setattr(type(adapter), "encode", lambda self, prompt, work: work(self._loaded(), lambda: None))
    assert "The text encoder did not run where CLIP Skip expected it to." in answer(PROMPT)
