"""Many jobs of all kinds, in a row and at random: `python -m tests.live.soak URL [ROOT] --jobs 300 [--seed 0]`.

For a WebUI that was just started with the extension. First each kind of job is made once, and that is the picture which
it has to be ever after, whatever ran before it: among the jobs are some that are interrupted and some that fail, of
which nothing is expected but that they leave nothing behind. At the end the WebUI's own clip skip, at several numbers
and without the extension, has to be what it was at first, and so have the WebUI's options.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from .webui import PROMPT, WebUI

WAYS = ("txt2img", "img2img", "hires", "batches", "grid", "grid of tags")
SKIPS = (1, 1.25, 1.5, 2, 2.5, 3, 4)
OWN = (1, 2, 3)  # numbers of the WebUI's own clip skip
CHECKPOINTS = 3  # so that a job often follows another on its own; which ones, the seed says
KINDS = 5  # of each checkpoint, beside its own numbers
MEMORY_EVERY = 50  # jobs
_AXIS = "[CLIP Skip] All encoders"


@dataclass(frozen=True)
class Kind:
    """One kind of job: what it asks for by arguments and by a tag; or the WebUI's own number instead."""

    checkpoint: str
    way: str
    args: list[Any] | None = None
    tag: str = ""
    own: int | None = None

    def make(self, webui: WebUI, **more: Any) -> list[str]:
        """The hashes of its images."""
        if self.own is not None:
            return list(webui.native(self.checkpoint, self.own, **more).each)
        fields = {"prompt": f"{PROMPT['prompt']} {self.tag}".rstrip(), **more}
        if self.way == "grid":
            return self._grid(webui, (_AXIS, "1, 2.5"), (webui.axis("CFG Scale"), "4, 8"), **fields)
        if self.way == "grid of tags":
            fields["prompt"] = f"{PROMPT['prompt']} <clipskip:1>"
            return self._grid(webui, (webui.axis("Prompt S/R"), "skip:1>, skip:2.5>"), **fields)
        if self.way == "control":
            return list(webui.control(self.checkpoint, self.args, **fields).each)
        if self.way == "img2img":
            webui.img2img(self.checkpoint, self.args, **fields)  # A1111's first one after a model switch is its own
            return list(webui.img2img(self.checkpoint, self.args, **fields).each)
        several = {"hires": webui.hires, "batches": {"n_iter": 2, "batch_size": 2}}.get(self.way, {})
        return list(webui.txt2img(self.checkpoint, self.args, **{**several, **fields}).each)

    def _grid(self, webui: WebUI, *axes: tuple[str, str], **fields: Any) -> list[str]:
        return [cell.pixels for cell in webui.grid(self.checkpoint, *axes, args=self.args, **fields)]


def kinds(webui: WebUI, rng: random.Random) -> list[Kind]:
    """Those of the WebUI alone come first."""
    offered = webui.testable
    names = sorted(rng.sample(offered, min(CHECKPOINTS, len(offered))))
    own = [Kind(name, "txt2img", own=number) for name in names for number in OWN]
    return own + [_kind(webui, name, rng) for name in names for _ in range(KINDS)]


def _kind(webui: WebUI, checkpoint: str, rng: random.Random) -> Kind:
    way = rng.choice([*WAYS, *(each for each in webui.kinds if each not in WAYS)])
    ids = [encoder.id for encoder in webui.checkpoints[checkpoint].encoders]
    each = rng.choice([["skip"], rng.sample(ids, rng.randint(1, len(ids)))])
    options: dict[str, Any] = {id: rng.choice(SKIPS) for id in each}
    if rng.random() < 0.3:
        options["blend"] = "slerp"
    off: list[Any] | None = rng.choice([None, [False]])
    if way == "grid of tags":
        return Kind(checkpoint, way, off)
    if way == "control" or rng.random() < 0.4:
        words = [str(value) if name == "skip" else f"{name}={value}" for name, value in options.items()]
        return Kind(checkpoint, way, off, f"<clipskip:{':'.join(words)}>")
    return Kind(checkpoint, way, rng.choice([[True], [True, options], [True, options], off]))


def _failures(webui: WebUI) -> list[dict[str, Any]]:
    """What makes a job fail: before it starts, while it is set up, while it encodes, and in the middle of it."""
    found: list[dict[str, Any]] = [
        {"sampler_name": "no such sampler"},
        {"script_name": "no such script"},
        {"script_name": webui.grids[0], "script_args": ["no", "such", "arguments"]},
        {"override_settings": {"no_such_option": 1}},
        {**webui.hires, "hr_upscaler": "no such upscaler"},
    ]
    if webui.takes("refiner_checkpoint"):
        found.append({"refiner_checkpoint": "no such model", "refiner_switch_at": 0.5})
    return found


@dataclass
class Soak:
    webui: WebUI
    jobs: int
    seed: int
    say: Callable[[str], None] = print
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def run(self) -> bool:
        """Whether all was right; everything is said on the way."""
        self.webui.settle()
        rng = random.Random(self.seed)
        offered = kinds(self.webui, rng)
        own = [kind for kind in offered if kind.own is not None]
        expected = [kind.make(self.webui) for kind in offered]
        options, memory = self._state(own[0])
        names = dict.fromkeys(kind.checkpoint for kind in offered)
        self.say(f"{len(offered)} kinds of job on {', '.join(names)}; memory {memory}")
        for number, (index, what) in enumerate(self._plan(rng, offered), 1):
            kind = offered[index]
            if what == "picture":
                self.done[kind.way] += 1
                self._compare(f"job {number}", kind, expected[index])
            else:
                self._disturb(kind, what, rng)
            if number % MEMORY_EVERY == 0:
                self.say(f"{number} jobs: {dict(self.done)}; memory {self._state(own[0])[1]}")
        wrong = len(self.wrong)
        for index, kind in enumerate(own):
            self._compare("after all", kind, expected[index])
        left = len(self.wrong) - wrong
        after, grown = self._state(own[0])
        moved = {name: (options.get(name), value) for name, value in after.items() if options.get(name) != value}
        self.say(f"{self.jobs} jobs: {dict(self.done)}")
        self.say(f"wrong pictures: {wrong}; without the extension after all: {left} wrong of {len(own)}")
        self.say(f"options moved: {moved}; memory {memory} -> {grown}")
        return not (self.wrong or moved)

    def _plan(self, rng: random.Random, offered: list[Kind]) -> Iterator[tuple[int, str]]:
        """For each job its kind and what becomes of it; models are changed at about every third."""
        index = rng.randrange(len(offered))
        for _ in range(self.jobs):
            same = [i for i, kind in enumerate(offered) if kind.checkpoint == offered[index].checkpoint]
            index = rng.choice(same) if rng.random() < 0.65 else rng.randrange(len(offered))
            yield index, rng.choices(["picture", "interrupted", "failing"], [7, 1, 2])[0]

    def _compare(self, when: str, kind: Kind, expected: list[str]) -> None:
        try:
            made = kind.make(self.webui)
        except (AssertionError, requests.RequestException) as error:
            made = [str(error)]
        if made != expected:
            self.wrong.append(f"{when}: {kind}: {made} instead of {expected}")
            self.say(self.wrong[-1])

    def _disturb(self, kind: Kind, what: str, rng: random.Random) -> None:
        """Run it so that it is interrupted, or fails."""
        if what == "failing":
            spoilt = rng.choice(_failures(self.webui))
            if kind.own is not None or kind.way.startswith("grid"):
                kind = Kind(kind.checkpoint, "txt2img", kind.args, kind.tag)
            self.done["failed" if self._fails(kind, spoilt) else "did not fail"] += 1
            return
        polls = rng.randint(1, 8)
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(self._fails, kind, {"steps": 30})
            while polls and not job.done():
                state = self.webui.get("/sdapi/v1/progress?skip_current_image=true")["state"]
                polls -= bool(state.get("job") or state.get("job_count"))
            if not job.done():
                requests.post(f"{self.webui.url}/sdapi/v1/interrupt", timeout=60)
                self.done["interrupted"] += 1

    def _fails(self, kind: Kind, fields: dict[str, Any]) -> bool:
        try:
            kind.make(WebUI(self.webui.url, self.webui.root), **fields)
        except (AssertionError, requests.RequestException):
            return True
        return False

    def _state(self, kind: Kind) -> tuple[dict[str, Any], str]:
        """The options and the memory in use, each time after the same job: the model that is loaded is in both."""
        kind.make(self.webui)
        used = self.webui.get("/sdapi/v1/memory").get("ram", {}).get("used")
        return self.webui.options, f"{used / 2**20:.0f} MiB" if isinstance(used, (int, float)) else "unknown"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("root", nargs="?", default=".")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    right = Soak(WebUI(given.url, given.root), given.jobs, given.seed, lambda text: print(text, flush=True)).run()
    sys.exit(not right)
