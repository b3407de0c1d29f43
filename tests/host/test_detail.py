"""Copies of the job that another extension shows to the scripts, as ADetailer does: nothing of ours begins or ends."""

from __future__ import annotations

import logging

import pytest

from .grid import grid, texts
from .reference import NEGATIVE, PROMPT, assert_cond, request
from .test_own_encodes import at, host  # noqa: F401 (a fixture)
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
        assert len(said) == 1 and said[0].startswith("This reads an earlier block"), said
        assert made.info["comments"].count("This reads an earlier block") == 1
    made = host.txt2img(**request(host, "sd1-a", [True, {"l": 99}], detail=True, **fields))
    assert made.info["comments"].count("was refused") == 2  # a sentence, and what it is about


def test_its_own_pass_can_have_a_tag_of_its_own(host):  # noqa: F811
    prompt = f"{PROMPT} <clipskip:2>"
    made = host.txt2img(**request(host, "sd1-a", [False], prompt=prompt, detail=f"{PROMPT} <clipskip:4>", n_iter=2))
    assert [each.get("CLIP skip L") for each in keys(made)] == ["2", "2"]
    for place, (kind, name, used) in enumerate(host.last_conds):
        skips = {"l": 4} if place % 4 >= 2 else {"l": 2}
        assert_cond(host, used, name, skips, NEGATIVE if kind == "uc" else PROMPT)
