"""The drift of a prompt in hosts that are not as they mostly are."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from minihost import weights
from tests.drift import reference

from .conftest import LIKES
from .loaded import extension
from .reference import PROMPT, SMALL
from .test_drift import assert_drift, ids_of, load, measured, ours, refused


def test_the_hosts_own_slider_does_not_count(boot):
    for like in LIKES:
        host = boot(like, opts={} if like == "sdnext" else {"CLIP_stop_at_last_layers": 9, "sdxl_clip_l_skip": True})
        host.txt2img(**{**SMALL, **({"clip_skip": 9} if like == "sdnext" else {})})
        assert_drift(measured(host, PROMPT)[0], "sd1-a", PROMPT)
        host.close()


@pytest.mark.parametrize("like", ["a1111", "forge"])
def test_each_text_of_a_prompt_that_changes_counts_once(boot, like):
    host = boot(like)
    load(host, "sdxl-a")
    texts = ["a photo of a cat", "a photo of a dog", "blue sky"]
    for result in measured(host, "a photo of a [cat:dog:0.5] AND blue sky"):
        id = result.drift.encoder.id
        ids = torch.cat([ids_of(text, id) for text in texts])
        expected = reference.whole_skips(weights.encoder_state("sdxl-a", id), "sdxl", id, ids)
        for point, (cosine, relative, tokens) in zip(result.drift.points, expected, strict=True):
            assert abs(point.cosine - cosine) <= 1e-6 and abs(point.relative_norm - relative) <= 1e-6
            # Text by text, also where the blocks have the tokens first.
            assert np.abs(np.array(point.tokens) - tokens).max() <= 1e-5
        assert " ".join(result.words.values()) == " ".join(texts)


def test_no_model_is_loaded_for_it(boot, monkeypatch):
    for like in LIKES:
        host = boot(like)
        models = host.module("sd_models")
        if like == "forge":
            assert type(models.model_data.sd_model).__name__ == "FakeInitialModel"
        else:
            models.model_data.sd_model = None
        monkeypatch.setattr(models, "reload_model_weights", lambda *args, **kwargs: pytest.fail("a model was loaded"))
        assert refused(host) == "No model is loaded yet. Make an image first."
        assert host.errors == []
        monkeypatch.undo()
        host.close()


def test_a_slider_that_reads_what_the_picture_does_not_show(boot):
    host = boot("forge", opts={"CLIP_stop_at_last_layers": 1})
    load(host, "sd3")
    shown = extension().answers.drift(PROMPT, ours("interfaces.ui.controls").Controls())
    text = re.sub(r"<[^>]*>", "", shown)
    assert "Not in the picture: CLIP-L, layers too many: 1" in text
    assert "Not in the picture: CLIP-G, layers too many: 1" in text


def test_the_picture_is_of_the_model_that_is_loaded(boot):
    host = boot("forge")
    load(host, "sdxl-a")
    host.http("POST", "/sdapi/v1/options", json={"sd_model_checkpoint": host.title("sd1-a")})
    shown = extension().answers.drift(PROMPT, ours("interfaces.ui.controls").Controls())
    text = re.sub(r"<[^>]*>", "", shown)
    assert text.startswith("The selected model is not loaded yet. This is of the one that is: sdxl-a")
    assert "CLIP-G" in shown
