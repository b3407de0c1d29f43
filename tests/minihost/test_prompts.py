"""What becomes of a prompt before it is encoded: styles, tags, prompt editing, AND, hires prompts."""

from __future__ import annotations

import pytest
import torch

LIKES = ["a1111", "forge", "sdnext"]
SMALL = {"steps": 4, "width": 64, "height": 64, "seed": 1}
STYLES = "name,prompt,negative_prompt\nsky,blue sky <note:style>,clouds\nphoto,a photo of {prompt},\n"


@pytest.fixture
def note(host):
    """Boot a host with an extra network `note`; gives the host and the calls of it."""

    def start(like, **kwargs):
        booted = host(like, **kwargs)
        networks = booted.module("extra_networks")
        calls = []

        class Note(networks.ExtraNetwork):
            def activate(self, p, params_list, *args, **kwargs):
                calls.append(([params.items for params in params_list], p.is_hr_pass, kwargs))

            def deactivate(self, p, **kwargs):
                calls.append(("off", kwargs))

        networks.register_extra_network(Note("note"))
        return booted, calls

    return start


def conds(booted, kind="c"):
    return [used["crossattn"] for k, _, used in booted.last_conds if k == kind]


def cond_of(booted, prompt, **fields):
    booted.txt2img(prompt=prompt, **{**SMALL, **fields})
    (cond,) = conds(booted)
    return cond


@pytest.mark.parametrize("like", LIKES)
def test_styles(note, data, like):
    (data / "styles.csv").write_text(STYLES)
    try:
        booted, calls = note(like)
    finally:
        (data / "styles.csv").unlink()
    styled = cond_of(booted, "a cat", styles=["sky", "photo", "unknown"])
    assert [["style"]] in [call[0] for call in calls]
    (negative,) = conds(booted, "uc")
    assert torch.equal(styled, cond_of(booted, "a photo of a cat, blue sky", negative_prompt="clouds"))
    assert torch.equal(negative, conds(booted, "uc")[0])


@pytest.mark.parametrize("like", LIKES)
def test_a_network_hears_of_every_prompt_with_and_without_its_tag(note, like):
    booted, calls = note(like)
    tagged = cond_of(booted, "a <note:x:y=1>cat <note:z>")
    step, force = ({"step": 0}, {"force": False}) if like == "sdnext" else ({}, {})
    assert calls == [([["x", "y=1"], ["z"]], False, step), ("off", force)]
    calls.clear()
    assert torch.equal(tagged, cond_of(booted, "a cat "))
    assert calls[0] == ([], False, {})


@pytest.mark.parametrize("like", LIKES)
def test_the_parameters_of_a_tag(host, like):
    networks = host(like).module("extra_networks")
    text, data = networks.parse_prompt("a <note:x:y=1:a=b=c> <note:> <note>")
    (params,) = data["note"]
    assert text == "a  <note:> <note>"
    assert (params.positional, params.named) == (["x", "a=b=c"], {"y": "1"})


@pytest.mark.parametrize("like, first, last", [("a1111", "1", "3"), ("forge", "1", "3"), ("sdnext", "2", "4")])
def test_whose_tags_count_in_a_batch(note, like, first, last):
    booted, calls = note(like)
    prompts = [f"a cat <note:{i}>" for i in range(1, 5)]
    booted.txt2img(prompt=prompts, batch_size=2, n_iter=2, **SMALL)
    activated = [call[0] for call in calls if call[0] not in ("off", [])]
    assert activated == [[[first]], [[last]]]


@pytest.mark.parametrize("like", ["a1111", "forge"])
def test_prompt_editing_and_and(host, like):
    booted = host(like)
    booted.txt2img(prompt="a [cat:dog:0.5] AND [tree:3] sky", **SMALL)
    first, second = conds(booted)
    cat, dog = cond_of(booted, "a cat"), cond_of(booted, "a dog")
    assert torch.equal(first[:, :77], cat) and torch.equal(second[:, :77], dog)
    assert torch.equal(first[:, 77:], second[:, 77:]) and first.shape[1] == 2 * 77


@pytest.mark.parametrize("like", LIKES)
def test_a_hires_prompt_is_a_prompt_of_its_own(note, like):
    booted, calls = note(like)
    name = "refiner_prompt" if like == "sdnext" else "hr_prompt"
    booted.txt2img(prompt="a cat<note:1>", **{name: "a dog<note:2>"}, enable_hr=True, **SMALL)
    (first,), (second,) = conds(booted), conds(booted, "hr_c")
    activated = [call[0] for call in calls if call[0] != "off"]
    # Forge encodes for the second pass in the midst of the first
    between = [[["2"]], [["1"]]] if like == "forge" else []
    assert activated == [[["1"]], *between, [["2"]]]
    assert torch.equal(first, cond_of(booted, "a cat")) and torch.equal(second, cond_of(booted, "a dog"))
