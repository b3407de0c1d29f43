"""What the extension costs: `python -m tests.bench [--rounds N]`. Ratios are of pairs measured side by side."""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from clip_skip.conditioning.stacks import find_stack
from clip_skip.conditioning.taps import Taps
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.plan import resolve
from clip_skip.skip.request import from_options

from . import inspecting, presets

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {"l": (768, 12, 12), "g": (1280, 32, 20)}  # width, blocks, heads of the real encoders


def encoder(id: str) -> torch.nn.Module:
    width, blocks, heads = SHAPES[id]
    config = CLIPTextConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=blocks,
        num_attention_heads=heads,
        projection_dim=width,
    )
    kind = CLIPTextModelWithProjection if id == "g" else CLIPTextModel
    return kind(config).eval().requires_grad_(False)


def encode_seconds(models: list, tokens: torch.Tensor, scope: AbstractContextManager, times: int = 1) -> float:
    start = time.perf_counter()
    with scope:
        for _ in range(times):
            for model in models:
                model(tokens, output_hidden_states=True)
    return time.perf_counter() - start


def encode_ratios(rounds: int) -> None:
    tokens = torch.randint(0, 49000, (1, 77))
    for name in ("sd1", "sdxl"):
        architecture = ARCHITECTURES[name]
        models = [encoder(e.id) for e in architecture.encoders]
        stacks = [stack for model in models if (stack := find_stack(model))]
        plan = resolve(from_options({"skip": 1.5}), architecture)

        scopes = (nullcontext(), Taps(plan, stacks))
        encode_seconds(models, tokens, scopes[0])
        tapped, twice = [], []
        for index in range(rounds):
            # In turns, so that what the machine does meanwhile hits both alike.
            order = (0, 1) if index % 2 else (1, 0)
            seconds = {i: encode_seconds(models, tokens, scopes[i]) for i in order}
            tapped.append(seconds[1] / seconds[0])
            twice.append(encode_seconds(models, tokens, scopes[0], times=2) / seconds[0])
        print(
            f"encode {architecture.name}, skip 1.5: {statistics.median(tapped):.3f} x plain"
            f" (goal <= 1.01; encoding twice, as hooking the whole encode does: {statistics.median(twice):.2f})"
        )


START = """
import sys, time
sys.path.insert(0, {root!r})
import gradio, torch, minihost, PIL.ImageFont  # which every WebUI has loaded by then
with minihost.boot("a1111", "sd1", extension=None, data={data!r}) as host:
    from modules import scripts
    import inspect, runpy
    inspect.stack()  # as at each callback that A1111 registers, and slow at the first: its own extensions' before us
    sys.path.insert(0, {root!r})
    # Compiled once and kept, as it is with every user, whatever the environment says.
    sys.dont_write_bytecode, sys.pycache_prefix = False, {data!r} + "/bytecode"
    start = time.process_time()
    module = runpy.run_path({root!r} + "/scripts/clip_skip.py", run_name="clip_skip.py")
    loaded = time.process_time()
    with gradio.Blocks():  # its end makes a whole application of Gradio's, as it does without us
        begun = time.process_time()
        module["ClipSkip"]().ui(False)
        print(loaded - start, time.process_time() - begun)
    module["extension"].host.uninstall()
"""


def start_up(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as data:
        code = START.format(root=str(ROOT), data=data)
        times = []
        for _ in range(rounds + 1):  # the first compiles
            run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            times.append([float(word) for word in run.stdout.split()[-2:]])
    load, panel = (1000 * statistics.median(column) for column in zip(*times[1:], strict=True))
    print(f"start-up, torch and gradio loaded: {load:.0f} ms of CPU to load (goal <= 30), {panel:.0f} for one panel")


def memory(rounds: int) -> None:
    """Tensor bytes alive before and after jobs of changing plans; the host's own cond cache holds one cond always."""
    import minihost

    def held() -> int:
        gc.collect()
        return sum(x.nelement() * x.element_size() for x in gc.get_objects() if isinstance(x, torch.Tensor))

    with tempfile.TemporaryDirectory() as data, minihost.boot("a1111", "sdxl", data=data) as host:
        request = {"prompt": "a cat", "negative_prompt": "x", "steps": 2, "width": 64, "height": 64}
        job = lambda args: host.txt2img(**request, alwayson_scripts={"clip skip": {"args": args}})  # noqa: E731
        job([False])
        before = held()
        for index in range(rounds):
            job([True, {"l": 1.5 + index % 5, "g": 2.5}])
        job([False])
        print(f"memory held after {rounds} jobs: {held() - before} bytes of tensors (goal: none)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="measured pairs")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    encode_ratios(rounds)
    start_up(min(rounds, 5))
    memory(rounds)
    inspecting.report(min(rounds, 7))
    presets.presets(min(rounds, 7))
