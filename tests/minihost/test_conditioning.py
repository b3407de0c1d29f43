"""The conditionings of every flavour, against transformers' own models."""

from __future__ import annotations

import pytest
import torch

LIKES = ["a1111", "forge", "sdnext"]
PROMPT, NEGATIVE = "a photo of a (cat:1.2), blue sky", "ugly, bad hands"


def states(host, checkpoint, encoder, text):
    """Give the hidden states (0: embeddings), the last norm and the pooled vector."""
    model, tokens = host.encoder(checkpoint, encoder), host.tokens(text, encoder)
    with torch.no_grad():
        out = model(tokens, output_hidden_states=True)
    pooled = out.text_embeds if encoder != "l" else out.pooler_output
    return out.hidden_states, getattr(model, "text_model", model).final_layer_norm, pooled


def expected(host, arch, checkpoint, text, depth):
    """Give what depth = blocks run of (l, g or h) is to look like."""
    if arch in ("sd1", "sd2"):
        hidden, norm, _ = states(host, checkpoint, "l" if arch == "sd1" else "h", text)
        return norm(hidden[depth["l" if arch == "sd1" else "h"]]), None
    names = "g" if arch == "sdxl-refiner" else "lg"
    parts = [states(host, checkpoint, name, text) for name in names]
    cond = torch.cat([part[0][depth[name]] for name, part in zip(names, parts, strict=True)], -1)
    return cond, torch.cat([part[2] for part in parts], -1) if arch == "sd3" else parts[-1][2]


def skipped(like, n):
    return {"clip_skip": n} if like == "sdnext" else {"override_settings": {"CLIP_stop_at_last_layers": n}}


def close(a, b):
    return a.shape == b.shape and torch.allclose(a, b, atol=2e-4)


TRAINED = {
    "sd1": {"l": 12},
    "sd2": {"h": 23},
    "sdxl": {"l": 11, "g": 31},
    "sdxl-refiner": {"g": 31},
    "sd3": {"l": 11, "g": 31},
}
# (flavour, architecture, the host's own number) -> depths; what is not here is the trained depth
READ = {
    ("a1111", "sd1", 2): {"l": 11},
    ("a1111", "sd1", 6): {"l": 7},
    ("forge", "sd1", 2): {"l": 11},
    ("forge", "sd2", 3): {"h": 21},
    ("forge", "sdxl", 3): {"l": 10, "g": 30},
    ("forge", "sdxl-refiner", 3): {"g": 30},
    ("forge", "sd3", 1): {"l": 12, "g": 32},
    ("forge", "sd3", 3): {"l": 10, "g": 30},
    ("sdnext", "sd1", 2): {"l": 11},
    ("sdnext", "sd2", 3): {"h": 21},
    ("sdnext", "sdxl", 2): {"l": 10, "g": 30},
    ("sdnext", "sdxl-refiner", 2): {"g": 30},
    ("sdnext", "sd3", 3): {"l": 9, "g": 29},
}


@pytest.mark.parametrize("like", LIKES)
def test_every_architecture_and_slider_value(host, like):
    booted = host(like)
    for arch, trained in TRAINED.items():
        checkpoint = booted.title(arch)
        name = next(
            c.name_for_extra for c in booted.module("sd_models").checkpoints_list.values() if c.title == checkpoint
        )
        for n in (1, 2, 3, 6):
            if (like, arch, n) not in READ and n != 1 and not (like == "a1111" and arch != "sd1"):
                continue
            depth = READ.get((like, arch, n), trained)
            settings = skipped(like, n)
            settings.setdefault("override_settings", {})["sd_model_checkpoint"] = booted.title(name)
            booted.txt2img(prompt=PROMPT, negative_prompt=NEGATIVE, steps=2, width=64, height=64, **settings)
            (kind, model, c), (kind_uc, _, uc) = booted.last_conds
            assert (kind, kind_uc, model) == ("c", "uc", name)
            for cond, text in ((c, PROMPT), (uc, NEGATIVE)):
                want, pooled = expected(booted, arch, name, text, depth)
                got = cond["crossattn"]
                if arch == "sd3":
                    got = got[:, :77, : want.shape[-1]]
                assert close(got, want), (like, arch, n)
                assert (pooled is None) == ("vector" not in cond)
                assert pooled is None or close(cond["vector"], pooled), (like, arch, n)
    assert booted.errors == []


def test_a1111_sdxl_clip_l_skip(host):
    booted = host("a1111", "sdxl", opts={"sdxl_clip_l_skip": True})
    for n, depth in ((1, 12), (2, 11), (3, 10)):
        booted.txt2img(prompt=PROMPT, steps=1, **skipped("a1111", n))
        want, _ = expected(booted, "sdxl", "sdxl-a", PROMPT, {"l": depth, "g": 31})
        assert close(booted.last_conds[0][2]["crossattn"], want)


def test_sdnext_fractions(host):
    booted = host("sdnext", "sd1")
    hidden, norm, _ = states(booted, "sd1-a", "l", PROMPT)
    for value, want in (
        (1.5, norm(0.5 * hidden[12] + 0.5 * hidden[11])),
        (2.25, norm(0.75 * hidden[11] + 0.25 * hidden[10])),
        (0, hidden[0]),
        (-1, hidden[12]),
    ):
        booted.txt2img(prompt=PROMPT, steps=1, extra={"clip_skip": value})
        assert close(booted.last_conds[0][2]["crossattn"], want), value


def test_sdnext_parsers(host):
    booted = host("sdnext", "sdxl", opts={"prompt_attention": "fixed"})
    booted.txt2img(prompt=PROMPT, negative_prompt=NEGATIVE, steps=1, clip_skip=3)
    (_, _, c), (_, _, uc) = booted.last_conds
    assert close(c["crossattn"], expected(booted, "sdxl", "sdxl-a", PROMPT, {"l": 9, "g": 29})[0])
    assert close(uc["crossattn"], expected(booted, "sdxl", "sdxl-a", NEGATIVE, TRAINED["sdxl"])[0])
    booted.close()
    booted = host("sdnext", "sd1", opts={"prompt_attention": "xhinker"})
    booted.txt2img(prompt=PROMPT, negative_prompt=NEGATIVE, steps=1)
    got = booted.last_conds[0][2]["crossattn"]
    want, _ = expected(booted, "sd1", "sd1-a", PROMPT, {"l": 11})
    assert close(got, want[:, : got.shape[1]])


def test_empty_negative_is_zero_for_sdxl(host):
    booted = host("a1111", "sdxl")
    booted.txt2img(prompt=PROMPT, steps=1)
    assert all(value.abs().max() == 0 for value in booted.last_conds[1][2].values())


@pytest.mark.parametrize("like", LIKES)
def test_flux_and_long_prompts(host, like):
    booted = host(like, "flux")
    booted.txt2img(prompt=PROMPT, steps=1)
    first = booted.last_conds[0][2]
    booted.txt2img(prompt=PROMPT, steps=1, **skipped(like, 3))
    assert torch.equal(first["crossattn"], booted.last_conds[0][2]["crossattn"])
    checkpoint = {"override_settings": {"sd_model_checkpoint": booted.title("sdxl")}}
    booted.txt2img(prompt="word " * 100, steps=1, **checkpoint)
    assert booted.last_conds[0][2]["crossattn"].shape[1] == 154


def test_picture_shows_every_difference(host):
    booted = host("a1111", "sdxl")
    made = [booted.txt2img(prompt=p, negative_prompt=n, steps=2).images[0].tobytes() for p, n in
            (("a cat", "x"), ("a cat", "x"), ("a dog", "x"), ("a cat", "y"))]  # fmt: skip
    assert made[0] == made[1]
    assert len(set(made)) == 3
