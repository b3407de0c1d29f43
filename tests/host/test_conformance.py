"""Architecture x encoder x skip x flavour: the conditioning that sampling used, against plain text encoders."""

import pytest
import torch

from .reference import CHECKPOINTS, NEGATIVE, PROMPT, SMALL, TRAINED, assert_cond, cond, request

pytestmark = pytest.mark.every_flavour
FIRST = {architecture: name for name, architecture in reversed(CHECKPOINTS.items())}
CASES = [
    (a, e, s) for a, es in TRAINED.items() for e, deepest in es.items() for s in (1, 1.1, 1.5, 2, 2.25, 3, deepest)
]


@pytest.mark.parametrize("architecture, encoder, skip", CASES)
def test_conditioning(host, architecture, encoder, skip):
    checkpoint = FIRST[architecture]
    host.txt2img(**request(host, checkpoint, [False]))
    off = {kind: used for kind, _, used in host.last_conds}
    result = host.txt2img(**request(host, checkpoint, [True, {encoder: skip}]))
    kinds = []
    for kind, name, used in host.last_conds:
        kinds.append(kind)
        assert name == checkpoint
        assert_cond(host, used, checkpoint, {encoder: skip}, PROMPT if kind == "c" else NEGATIVE)
        assert ("vector" in used) == ("vector" in off[kind])
        assert "vector" not in used or torch.equal(used["vector"], off[kind]["vector"])
    assert sorted(kinds) == ["c", "uc"]
    assert "CLIP skip applied" not in result.info["infotexts"][0]


@pytest.mark.parametrize("architecture", TRAINED)
def test_both_encoders_and_slerp(host, architecture):
    def slerp(a, b, f):
        """By another route than the extension's: Shoemake's formula in double precision."""
        a, b = a.double(), b.double()
        norm = (1 - f) * a.norm(dim=-1, keepdim=True) + f * b.norm(dim=-1, keepdim=True)
        a, b = (x / x.norm(dim=-1, keepdim=True) for x in (a, b))
        omega = torch.acos((a * b).sum(-1, keepdim=True))
        return (norm * (torch.sin((1 - f) * omega) * a + torch.sin(f * omega) * b) / torch.sin(omega)).float()

    checkpoint = FIRST[architecture]
    skips = {encoder: 1.5 + index for index, encoder in enumerate(TRAINED[architecture])}
    host.txt2img(**request(host, checkpoint, [True, {**skips, "blend": "slerp"}]))
    for kind, _, used in host.last_conds:
        text = PROMPT if kind == "c" else NEGATIVE
        expected = cond(host.like, checkpoint, skips, text, slerp)
        got = used["crossattn"][:, : expected.shape[1], : expected.shape[2]]
        assert torch.allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", TRAINED)
def test_auto_reads_the_trained_depth_whatever_the_hosts_own_slider_says(host, architecture):
    checkpoint = FIRST[architecture]
    own = {"clip_skip": 3} if host.like == "sdnext" else {"override_settings": {"CLIP_stop_at_last_layers": 3}}
    for args in ([True], [True, {"mode": "auto"}], [True, {"skip": 1}]):
        result = host.txt2img(**request(host, checkpoint, args, **own))
        for kind, _, used in host.last_conds:
            assert_cond(host, used, checkpoint, {}, PROMPT if kind == "c" else NEGATIVE)
        assert "lip skip: 3" not in result.info["infotexts"][0] and "CLiP-skip" not in result.info["infotexts"][0]


def test_an_architecture_without_clip_skip_is_left_alone(host):
    off = host.txt2img(**{**SMALL, "override_settings": {"sd_model_checkpoint": host.title("flux")}})
    on = host.txt2img(**request(host, "flux", [True, {"skip": 2}]))
    assert on.images[0].tobytes() == off.images[0].tobytes()
    assert "CLIP skip applied" not in on.info["infotexts"][0]
