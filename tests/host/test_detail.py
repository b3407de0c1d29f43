"""Copies of the job that another extension shows to the scripts, as ADetailer does: nothing of ours begins or ends."""

from __future__ import annotations

import logging
from copy import copy

import pytest

from .grid import grid, texts
from .reference import NEGATIVE, PROMPT, assert_cond, request
from .test_own_encodes import at, host, script  # noqa: F401 (a fixture)
from .test_xyz import ours

LINE = ("a1111", "forge")
L = "[CLIP Skip] L"


def keys(made):
    return [ours(text) for text in made.info["infotexts"]]


def read(host, skips):  # noqa: F811
    for kind, name, used in host.last_conds:
        assert_cond(host, used, name, skips, NEGATIVE if kind.endswith("uc") else PROMPT)


@pytest.mark.parametrize("fields", [{}, {"n_iter": 2, "batch_size": 2}, {"n_iter": 3}])
@pytest.mark.parametrize("prompt, args, skips", [
    (f"{PROMPT} <clipskip:2>", [False], {"l": 2}),
    (f"{PROMPT} <clipskip:2>", [True, {"l": 3}], {"l": 2}),
    (PROMPT, [True, {"l": 3}], {"l": 3}),
    (PROMPT, [False], {}),
])  # fmt: skip
def test_the_generation_parameters_are_as_without_it(host, fields, prompt, args, skips):  # noqa: F811
    bare = host.txt2img(**request(host, "sd1-a", args, prompt=prompt, **fields, **at(1)))
    made = host.txt2img(**request(host, "sd1-a", args, prompt=prompt, detail=True, **fields, **at(1)))
    assert made.info["infotexts"] == bare.info["infotexts"]
    assert [each.get("CLIP skip L") for each in keys(made)] == [f"{skips['l']}" if skips else None for _ in made.images]
    read(host, skips)
    assert len(host.last_conds) == 2 * fields.get("n_iter", 1) * (1 + fields.get("batch_size", 1))


def test_each_batch_keeps_its_own_tag(host):  # noqa: F811
    prompts = [f"{PROMPT} <clipskip:2>", PROMPT, f"{PROMPT} <clipskip:l=3>"]
    made = host.txt2img(**request(host, "sd1-a", [False], prompt=prompts, n_iter=3, detail=True))
    assert [each.get("CLIP skip L") for each in keys(made)] == ["2", None, "3"]
    for place, skips in enumerate(({"l": 2}, {}, {"l": 3})):
        for kind, name, used in host.last_conds[4 * place : 4 * place + 4]:
            assert_cond(host, used, name, skips, NEGATIVE if kind == "uc" else PROMPT)


def test_in_a_grid(host):  # noqa: F811
    asked = request(host, "sd1-a", [False], **grid(host, (L, "1,2.5,3")))
    bare = host.txt2img(**asked)
    made = host.txt2img(**asked, detail=True)
    assert texts(made) == texts(bare)
    assert [ours(text).get("CLIP skip L") for text in texts(made)] == [None, "2.5", "3"]


def test_advice_is_said_once(host, caplog):  # noqa: F811
    logging.getLogger("clip_skip").propagate = True
    fields = {"n_iter": 2, "batch_size": 2}
    for detail in (False, True):
        caplog.clear()
        made = host.txt2img(**request(host, "sdxl-a", [True, {"l": 3}], detail=detail, **fields))
        said = [record.getMessage() for record in caplog.records if record.name == "clip_skip"]
        assert len(said) == 1 and said[0].startswith("The prompt is read with fewer layers"), said
        assert made.info["comments"].count("The prompt is read with fewer layers") == 1
    made = host.txt2img(**request(host, "sd1-a", [True, {"l": 99}], detail=True, **fields))
    assert made.info["comments"].count("was refused") == 2  # a sentence, and what it is about


def test_its_own_pass_can_have_a_tag_of_its_own(host):  # noqa: F811
    prompt = f"{PROMPT} <clipskip:2>"
    made = host.txt2img(**request(host, "sd1-a", [False], prompt=prompt, detail=f"{PROMPT} <clipskip:4>", n_iter=2))
    assert [each.get("CLIP skip L") for each in keys(made)] == ["2", "2"]
    for place, (kind, name, used) in enumerate(host.last_conds):
        skips = {"l": 4} if place % 4 >= 2 else {"l": 2}
        assert_cond(host, used, name, skips, NEGATIVE if kind == "uc" else PROMPT)


TAGGED, BATCHES = f"{PROMPT} <clipskip:2>", {"n_iter": 2, "batch_size": 2}


@pytest.mark.parametrize("hook", ["process_batch", "postprocess_image"])
def test_the_job_itself_is_shown_to_the_scripts_again(host, hook, monkeypatch):  # noqa: F811
    def show(p, *_, **__):
        p.scripts.process(p)
        p.scripts.postprocess(p, host.module("processing").Processed(p, [], 1, ""))

    asked = request(host, "sd1-a", [True, {"l": 3}], prompt=TAGGED, **BATCHES)
    bare = host.txt2img(**asked)
    monkeypatch.setattr(script(host), hook, show)
    made = host.txt2img(**asked)
    assert made.info["infotexts"] == bare.info["infotexts"] and made.info["comments"] == bare.info["comments"]
    read(host, {"l": 2})


@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize("prompt, skips", [(PROMPT, None), (f"{PROMPT} <clipskip:4>", {"l": 4})])
def test_a_copy_of_the_job_is_run(host, scripted, prompt, skips, monkeypatch):  # noqa: F811
    """It has a job of its own where our script runs for it, and is an inner pass of the outer one's else."""
    asked = request(host, "sd1-a", [False], prompt=TAGGED, **BATCHES)
    bare = host.txt2img(**asked)

    def run(p, *_, **__):
        if p.prompt == TAGGED:
            inner = copy(p)
            inner.prompt, inner.n_iter, inner.batch_size, inner.cached_c = prompt, 1, 1, [None] * 3
            if not scripted:
                inner._scripts = None
            host.module("processing").process_images(inner)

    monkeypatch.setattr(script(host), "postprocess_image", run)
    assert host.txt2img(**asked).info["infotexts"] == bare.info["infotexts"]
    inner = skips or ({} if scripted else {"l": 2})
    for place, (kind, name, used) in enumerate(host.last_conds):
        if kind == "c":
            assert_cond(host, used, name, {"l": 2} if place % 6 < 2 else inner, PROMPT)


@pytest.mark.parametrize("hook", ["process_batch", "post_sample"])
@pytest.mark.parametrize("region", ["a tree", "a tree <lora:tree:1>", "a tree <clipskip:4>"])
def test_networks_of_prompts_of_its_own_are_activated(host, hook, region, monkeypatch):  # noqa: F811
    """As Tiled Diffusion does for each of its regions."""
    asked = request(host, "sd1-a", [False], prompt=TAGGED, **BATCHES)
    bare = host.txt2img(**asked)
    networks = host.module("extra_networks")

    def activate(p, *_, **__):
        networks.activate(p, networks.parse_prompts([region])[1])

    monkeypatch.setattr(script(host), hook, activate)
    assert host.txt2img(**asked).info["infotexts"] == bare.info["infotexts"]
    read(host, {"l": 2})
