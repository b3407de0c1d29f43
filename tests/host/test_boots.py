"""What takes a host of its own: comparisons between hosts, and fresh installs."""

import contextlib

import pytest
import torch

import minihost
from tests.conftest import ROOT

from .conftest import LIKES
from .reference import CHECKPOINTS, PROMPT, SMALL, cond, request


def test_off_is_bit_identical_to_a_host_without_the_extension(data):
    """Same requests, with and without the extension in the extensions folder; also between two that use it."""
    for like in LIKES:
        made = []
        for extension in (None, ROOT):
            (data / "config.json").unlink(missing_ok=True)
            with minihost.boot(like, "sd1", extension=extension, data=data) as host:
                pictures = []
                for checkpoint in CHECKPOINTS:
                    for args in [None] if extension is None else [[True, {"skip": 2.5}], [False], None]:
                        result = host.txt2img(**request(host, checkpoint, args))
                    pictures.append((result.images[0].tobytes(), result.info["infotexts"], host.last_conds))
                made.append(pictures)
        for bare, off in zip(*made, strict=True):
            assert bare[:2] == off[:2]
            for (kind, name, used), (kind_off, name_off, used_off) in zip(bare[2], off[2], strict=True):
                assert (kind, name, set(used)) == (kind_off, name_off, set(used_off))
                assert all(torch.equal(used[key], used_off[key]) for key in used)


def test_the_same_weights_prompt_and_skip_give_the_same_conditioning_in_every_host(boot):
    """Up to the order in which transformers', OpenCLIP's and A1111's own blocks add up: 1e-5 of the state's size."""
    made = {}
    for like in LIKES:
        host = boot(like)
        for checkpoint in CHECKPOINTS:
            for skip in (1, 1.5, 2, 3):
                host.txt2img(**request(host, checkpoint, [True, {"skip": skip}]))
                for kind, _, used in host.last_conds:
                    states = used["crossattn"][:, :77, : cond(like, checkpoint, {}, PROMPT).shape[-1]]
                    first = made.setdefault((checkpoint, skip, kind), states)
                    assert torch.allclose(states, first, rtol=1e-5, atol=1e-5 * float(first.abs().max())), (
                        like,
                        checkpoint,
                    )
        host.close()
    assert len(made) == 2 * 4 * len(CHECKPOINTS)


@pytest.mark.parametrize("like", LIKES)
def test_the_cond_cache_still_serves_the_same_plan(boot, like):
    """Encoding again for nothing would cost every batch of a grid its text encoders."""
    host = boot(like, "sd1")
    half = {**SMALL, "alwayson_scripts": {"clip skip": {"args": [True, {"skip": 1.5}]}}}
    for _ in range(3):  # Forge's caches serve from the third job on
        host.txt2img(**half)
    encodes = []
    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, *_: encodes.append(1) if type(module).__name__ == "CLIPTextModel" else None
    )
    host.txt2img(**half, n_iter=3)
    handle.remove()
    # SD.Next's caches know nothing of a plan and are emptied around each job: there one job encodes once.
    assert len(encodes) == (2 if like == "sdnext" else 0)


@pytest.mark.parametrize("like", ["a1111", "forge"])
@pytest.mark.parametrize("saved", [True, False])
def test_the_hosts_option_is_left_as_it_was_also_on_a_fresh_install(boot, like, saved):
    host = boot(like, opts={"CLIP_stop_at_last_layers": 3} if saved else {})
    own = {key: value for key, value in host.opts.data.items() if "last_layers" in key}
    assert bool(own) == saved
    for args in ([True], [True, {"skip": 2}], [True, {"skip": 99}]):
        for fields in ({}, {"enable_hr": True}, {"prompt": "__raise__"}):
            with contextlib.suppress(RuntimeError):
                host.txt2img(**request(host, "sd1-a", args, **fields))
            assert {key: value for key, value in host.opts.data.items() if "last_layers" in key} == own
