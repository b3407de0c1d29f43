"""What takes a host of its own: comparisons between hosts, and fresh installs."""

import asyncio
import contextlib
import copy
import functools
import sys
from dataclasses import replace
from types import SimpleNamespace

import gradio
import pytest
import torch

import minihost
from tests.conftest import ROOT

from .conftest import LIKES
from .loaded import extension
from .reference import CHECKPOINTS, NEGATIVE, PROMPT, SMALL, assert_cond, cond, request, used_conds
from .test_advice import KINDS, MARKED, NOT_NAI, NOTHING, forget_all, make, mark, same, told


def test_off_is_bit_identical_to_a_host_without_the_extension(data):
    """Same requests, with and without the extension in the extensions folder; also between two that use it."""
    for like in LIKES:
        made = []
        for folder in (None, ROOT):
            (data / "config.json").unlink(missing_ok=True)
            with minihost.boot(like, "sd1", extension=folder, data=data) as host:
                pictures = []
                for checkpoint in CHECKPOINTS:
                    for args in [None] if folder is None else [[True, {"skip": 2.5}], [False], None]:
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


if int(gradio.__version__.split(".")[0]) < 4:  # Gradio 4's queue has no such deadline

    def test_the_stand_ins_queue_waits_however_long_a_page_takes(boot):
        boot(LIKES[0])
        message = {"session_hash": "x", "fn_index": 0, "data": []}

        class Slow:
            async def receive_json(self):
                loop = asyncio.get_running_loop()
                later = loop.time() + 3600
                loop.time = lambda: later
                for _ in range(3):  # turns of the loop, in which a deadline would be met
                    await asyncio.sleep(0)
                return message

        async def forget(event):
            pass

        got = gradio.queueing.Queue.get_message(SimpleNamespace(clean_event=forget), SimpleNamespace(websocket=Slow()))
        data, awake = asyncio.run(got)
        assert awake and data.session_hash == "x"


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


def test_infotext_by_the_api_makes_the_image_again(boot):
    host = boot("a1111", "sdxl")
    made = host.txt2img(**request(host, "sdxl-a", [True, {"l": 2.5, "g": 3}]))
    assert "CLIP skip L: 2.5" in made.info["infotexts"][0]
    host.txt2img(**request(host, "sdxl-a", None, infotext=made.info["infotexts"][0]))
    used_conds(host, "sdxl-a", {"l": 2.5, "g": 3})


@pytest.mark.parametrize("like", LIKES)
def test_the_flag_disables_everything(boot, like):
    host = boot(like, "sdxl", argv=["--clip-skip-disable"])
    off = host.txt2img(**request(host, "sdxl-a", [False]))
    on = host.txt2img(**request(host, "sdxl-a", [True, {"l": 3}]))
    assert on.images[0].tobytes() == off.images[0].tobytes() and "CLIP skip" not in on.info["infotexts"][0]
    controls = sys.modules["clip_skip.interfaces.ui.controls"].Controls(enabled=True)
    assert "--clip-skip-disable" in extension().answers.judge(controls)[-9]["value"]


@pytest.mark.parametrize("like", LIKES)
def test_the_panel_can_start_enabled_and_in_manual(boot, like):
    host = boot(like, "sdxl", opts={"clip_skip_ext_start_enabled": True, "clip_skip_ext_default_mode": "manual"})
    text = host.txt2img(**request(host, "sdxl-a")).info["infotexts"][0]
    assert "CLIP skip mode: manual" in text and "CLIP skip version" in text


@pytest.mark.parametrize("like", LIKES)
def test_reload_ui_keeps_working_once(boot, like):
    host = boot(like, "sdxl")
    for _ in range(2):
        host.reload_ui()
        host.txt2img(**request(host, "sdxl-a", [True, {"l": 3}]))
        used_conds(host, "sdxl-a", {"l": 3})
    processing = host.module("processing").StableDiffusionProcessing
    method = vars(processing).get("get_conds_with_caching")
    if method is not None:
        assert not hasattr(method.__clip_skip_original__, "__clip_skip_original__")
    host.module("script_callbacks").call("script_unloaded")
    method = vars(processing).get("get_conds_with_caching")
    assert not hasattr(method, "__clip_skip_original__")


@pytest.mark.parametrize("like", ["a1111", "forge"])
@pytest.mark.parametrize("wraps", [functools.wraps, lambda _: lambda wrapper: wrapper], ids=["wraps", "bare"])
def test_another_extensions_wrapper_survives_a_reload_and_the_plan_is_applied_once(boot, like, wraps):
    host = boot(like, "sdxl")
    processing = host.module("processing").StableDiffusionProcessing
    seen = []
    ours = processing.get_conds_with_caching

    @wraps(ours)
    def theirs(self, *args, **kwargs):
        seen.append(1)
        return ours(self, *args, **kwargs)

    processing.get_conds_with_caching = theirs
    for _ in range(2):
        host.reload_ui()
        seen.clear()
        host.txt2img(**request(host, "sdxl-a", [True, {"l": 2.5}]))
        assert len(seen) == 2  # the negative prompt's conds, and the prompt's
        used_conds(host, "sdxl-a", {"l": 2.5})
        host.txt2img(**request(host, "sdxl-a", [False]))
        used_conds(host, "sdxl-a", {})
    host.module("script_callbacks").call("script_unloaded")
    assert vars(processing)["get_conds_with_caching"] is theirs


def test_hires_and_refiner_of_sdnext_read_their_own_plan(boot):
    host = boot("sdnext", "sdxl")
    host.opts.sd_model_refiner = host.title("sdxl-refiner")
    fields = {"enable_hr": True, "hr_scale": 2, "hr_force": True, "refiner_start": 0.5}
    for args, skips in (([True, {"l": 3, "g": 2.5}], {"l": 3, "g": 2.5}), ([False], {}), ([True, {"g": 4}], {"g": 4})):
        host.txt2img(**request(host, "sdxl-a", args, **fields))
        kinds = []
        for kind, name, used in host.last_conds:
            kinds.append(kind)
            assert_cond(host, used, name, skips, NEGATIVE if kind.endswith("uc") else PROMPT)
        assert kinds == ["c", "uc", "hr_c", "hr_uc", "refiner_c", "refiner_uc"]


def test_a_value_that_only_the_second_model_refuses_is_named_too(boot):
    """12 is a skip of SD 1.x, not of SDXL: the hires pass is made as trained, and the result says so."""
    host = boot("a1111", "sd1")
    fields = {"enable_hr": True, "hr_scale": 2, "hr_checkpoint_name": host.title("sdxl-a")}
    result = host.txt2img(**request(host, "sd1-a", [True, {"l": 12}], **fields))
    for kind, name, used in host.last_conds:
        skips = {"l": 12} if name == "sd1-a" else {}
        assert_cond(host, used, name, skips, NEGATIVE if kind.endswith("uc") else PROMPT)
    assert "CLIP skip L: 12" in result.info["infotexts"][0]
    assert "CLIP-L 12 was refused" in result.info["infotexts"][0] and "CLIP-L 12" in str(result.info["comments"])


@pytest.mark.parametrize("like", LIKES)
def test_blocks_that_are_never_run_are_not_applied_and_said_so(boot, like, monkeypatch):
    """A compiled encoder, or a host that keeps it where nobody knew: what runs is not what was hooked."""
    host = boot(like, "sd1")
    host.txt2img(**request(host, "sd1-a", [False]))
    off = host.last_conds
    encoders = sys.modules["clip_skip.hosts.encoders"]
    find_stack = encoders.find_stack

    def find_a_copy(module):
        stack = find_stack(module)
        return stack and replace(stack, blocks=copy.deepcopy(stack.blocks))

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "find_stack", find_a_copy)
        for _ in range(2):  # the second time the cond cache must not make it look right
            result = host.txt2img(**request(host, "sd1-a", [True, {"l": 2}]))
            assert "CLIP skip applied: no" in result.info["infotexts"][0]
            lines = result.info["comments"].splitlines()
            assert lines[0] == "CLIP Skip was not applied." and lines[1].startswith("CLIP-L: its layers did not run")
            assert len(lines) == 2
            assert len(result.images) == 1
    result = host.txt2img(**request(host, "sd1-a", [True, {"l": 2}]))
    assert "CLIP skip applied" not in result.info["infotexts"][0]
    used_conds(host, "sd1-a", {"l": 2})
    host.txt2img(**request(host, "sd1-a", [False]))
    assert torch.equal(host.last_conds[0][2]["crossattn"], off[0][2]["crossattn"])


@pytest.mark.parametrize("parser", ["native", "fixed", "xhinker"])
@pytest.mark.parametrize("checkpoint", ["sd1-a", "sd2", "sdxl-a", "sd3"])
def test_every_parser_of_sdnext_is_right_or_says_not_applied(boot, parser, checkpoint):
    host = boot("sdnext", checkpoint, opts={"prompt_attention": parser})
    skips = {"l": 2.5, "g": 2.5, "h": 2.5}
    plain = host.txt2img(**request(host, checkpoint, [False])).images[0].tobytes()
    for args in ([True, {"skip": 2.5}], [False], [True], [True, {"skip": 2.5}]):
        result = host.txt2img(**request(host, checkpoint, args))
        if args[-1] != {"skip": 2.5}:
            assert parser == "xhinker" or result.images[0].tobytes() == plain
            continue
        assert "CLIP skip applied" not in result.info["infotexts"][0]
        for kind, _, used in host.last_conds:
            text = PROMPT if kind == "c" else NEGATIVE
            if parser != "xhinker":  # xhinker does not pad to 77 tokens: its own test is on the real host
                assert_cond(host, used, checkpoint, skips, text)
        assert result.images[0].tobytes() != plain


@pytest.mark.parametrize("like", LIKES)
def test_what_is_told_changes_no_image_and_no_text_of_a_host_without_the_extension(data, like):
    made = []
    for path in (None, ROOT):
        (data / "config.json").unlink(missing_ok=True)
        with minihost.boot(like, "sd1", extension=path, data=data) as host:
            if path is not None:
                mark(host, "not-nai")
            results = [make(host, "sd1-a", 2, None, **fields) for fields in KINDS.values()]
            made.append([same(result) for result in results])
            lines = [told(result) for result in results]
            assert lines == [NOTHING if path is None else ([NOT_NAI], MARKED)] * len(KINDS)
            if path is not None:
                forget_all()
            assert host.errors == []
    assert made[0] == made[1]


@pytest.mark.parametrize("like", LIKES)
def test_reload_ui_leaves_one_voice(boot, like):
    host = boot(like)
    host.reload_ui()
    mark(host, "not-nai")
    assert told(make(host, "sd1-a", 2)) == ([NOT_NAI], MARKED)
    forget_all()
    assert host.errors == []
