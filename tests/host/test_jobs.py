"""Jobs after jobs: no cond of another plan, no hook and no changed option is ever left behind."""

import random

import pytest
from PIL import Image

from .reference import NEGATIVE, PROMPT, TRAINED, assert_cond, request

SD1, SD1_B, SDXL, SDXL_B, REFINER = "sd1-a", "sd1-b", "sdxl-a", "sdxl-b", "sdxl-refiner"
PLANS = {
    "off": ([False], {}),
    "auto": ([True], {}),
    "two": ([True, {"skip": 2}], {"l": 2, "g": 2}),
    "half": ([True, {"skip": 1.5}], {"l": 1.5, "g": 1.5}),
    "apart": ([True, {"l": 3, "g": 1}], {"l": 3}),
}


def hooks(host):
    """Every torch hook on the text encoders of every model the host holds, but transformers' own."""
    found = []
    roots = [host.sd_model, *getattr(host.module("sd_models").model_data, "loaded_sd_models", [])]
    seen, stack = set(), [root for root in roots if root is not None]
    while stack:
        item = stack.pop()
        if id(item) in seen or isinstance(item, (str, int, float, bytes)):
            continue
        seen.add(id(item))
        if hasattr(item, "_forward_hooks"):
            for module in item.modules():
                for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values()):
                    if "clip_skip" in getattr(hook, "__module__", ""):
                        found.append(hook)
        elif isinstance(item, (list, tuple)):
            stack += item
        elif hasattr(item, "__dict__"):
            stack += vars(item).values()
    return found


def state(host):
    """What must be the same after every job: options, and the host's own classes."""
    processing = host.module("processing").StableDiffusionProcessing
    return dict(host.opts.data), {name: vars(processing)[name] for name in vars(processing) if "cond" in name}


def check(host, checkpoint, skips):
    for kind, name, used in host.last_conds:
        assert_cond(host, used, name, skips, NEGATIVE if kind.endswith("uc") else PROMPT)
    assert host.last_conds and host.last_conds[0][1] == checkpoint


def run(host, kind, checkpoint, plan):
    """One job of this kind; its conds are held against the plan for every model that it used."""
    args, skips = PLANS[plan]
    fields = {}
    if kind == "hires":
        fields = {"enable_hr": True, "hr_scale": 2, "hr_force": True, "denoising_strength": 0.5}
    elif kind == "refiner" and host.like != "sdnext":
        fields = {"refiner_checkpoint": host.title(REFINER), "refiner_switch_at": 0.5}
    elif kind == "hires checkpoint" and host.like != "sdnext":
        fields = {"enable_hr": True, "hr_scale": 2, "hr_checkpoint_name": host.title(SDXL_B)}
    elif kind == "batches":
        fields = {"n_iter": 2, "batch_size": 2}
    elif kind == "inner":
        fields = {"inner_pass": True}
    elif kind in ("raise", "interrupt"):
        try:
            host.txt2img(**request(host, checkpoint, args, prompt=f"{PROMPT} __{kind}__"))
        except Exception as error:
            assert "__raise__" in str(error)
        return
    if kind == "img2img":
        host.img2img(**request(host, checkpoint, args, init_images=[Image.new("RGB", (64, 64), "teal")]))
    else:
        host.txt2img(**request(host, checkpoint, args, **fields))
    used = {name for _, name, _ in host.last_conds}
    if kind == "refiner" and host.like != "sdnext":
        assert used == {checkpoint, REFINER}
    if kind == "hires checkpoint" and host.like != "sdnext":
        assert used == {checkpoint, SDXL_B}
    check(host, checkpoint, skips)


KINDS = ["txt2img"] * 3 + ["hires", "refiner", "hires checkpoint", "batches", "img2img", "inner", "raise", "interrupt"]


@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_fifty_jobs_in_shuffled_order(host, seed, limit):
    host.opts.data["sd_checkpoints_limit"] = limit
    rng = random.Random(seed)
    before = state(host)
    for _ in range(50):
        kind, plan = rng.choice(KINDS), rng.choice(list(PLANS))
        checkpoint = rng.choice([SD1, SD1_B, SDXL, SDXL_B]) if kind not in ("refiner", "hires checkpoint") else SDXL
        run(host, kind, checkpoint, plan)
        assert hooks(host) == []
        assert state(host) == before
    host.opts.data["sd_checkpoints_limit"] = 1


@pytest.mark.parametrize(
    "first, second", [("off", "two"), ("two", "off"), ("two", "half"), ("auto", "two"), ("half", "auto")]
)
def test_the_cond_cache_never_serves_another_plan(host, first, second):
    for plan in (first, second, first):
        run(host, "txt2img", SDXL, plan)


def test_an_inner_pass_follows_the_outer_job(host):
    for plan in ("half", "off", "two"):
        run(host, "inner", SDXL, plan)
        assert len([kind for kind, _, _ in host.last_conds if kind == "c"]) == 2


def test_every_trained_architecture_has_a_checkpoint_here():
    from .reference import CHECKPOINTS

    assert set(CHECKPOINTS.values()) == set(TRAINED)
