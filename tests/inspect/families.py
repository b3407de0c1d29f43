"""Families of SD 1.x UNets that never were, with the statistics of real ones: an origin, and what trainings add to it.

Deltas have the norms and angles of the published models (unet_distances.json), differ from block to block, and are no
white noise: rows and columns of different scale, heavy tails, a part of low rank. Only the numbers that
`descent.sketch` reads exist (what those are is found out by watching it); the rest of a written file are holes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clip_skip.models.inspect.formats.contents import Numbers
from clip_skip.models.inspect.formats.reader import read_contents
from clip_skip.models.inspect.weights import descent

from .files import BITS, bf16, write_safetensors

RMS_NAI = 4.6e-3  # of NAI's delta per number
NORMS = {"nai": 135.5, "wd1.3": 81.4, "sd1.5": 320.8}  # |delta| of the real ones from SD 1.4
COS_NAI_WD = 0.5455
DRIFTS = ("drift 0", "drift 1", "drift 2", "drift 3")  # trainings of their own, of NAI's norm
ANIME = "anime"  # another one, of NAI's norm, at cosine 0.25 to both NAI and WD
DELTAS = ("nai", "wd1.3", "sd1.5", *DRIFTS, ANIME)


def block_of(name: str) -> int:
    return next(i for i, (block, _, _) in enumerate(descent.BLOCKS) if f".{block}." in name)


def unet_shapes(prefix: str = "model.diffusion_model.", column: int = 0) -> dict[str, tuple[int, int]]:
    """The attention matrices of an SD 1.x UNet."""
    return {
        f"{prefix}{block[column]}.transformer_blocks.0.{attn}.to_{part}.weight": (
            block[2],
            768 if attn == "attn2" and part in "kv" else block[2],
        )
        for block in descent.BLOCKS
        for attn in ("attn1", "attn2")
        for part in "qkv"
    }


class Run(NamedTuple):
    """A run of numbers that a sketch reads; `at` is where it lies in a model's vector."""

    name: str
    first: int
    at: slice


class Watch(Numbers):
    """Numbers, with a note of what was read: (tensor, first, count)."""

    reads: list[tuple[object, int, int]] = []

    def read(self, tensor, first=0, count=None):
        self.reads.append((tensor, first, count))
        return super().read(tensor, first, count)


def watch(contents, monkeypatch, function=descent.sketch) -> list[tuple[object, int, int]]:
    """What `function` reads of `contents`."""
    Watch.reads = []
    monkeypatch.setattr(f"{function.__module__}.Numbers", Watch)
    function(contents)
    return Watch.reads


class Family:
    """One family. `origin` and each of `deltas` are float32 vectors of the numbers that are read, blocks in order."""

    def __init__(self, seed: int, folder: Path, monkeypatch) -> None:
        self.rng = np.random.default_rng(seed)
        self.folder = folder
        empty = write_safetensors(folder / "empty.safetensors", {n: ("F32", s) for n, s in unet_shapes().items()})
        contents = read_contents(empty)
        names = {tensor: name for name, tensor in contents.tensors.items()}
        self.runs: list[Run] = []
        end = 0
        for tensor, first, count in watch(contents, monkeypatch):
            self.runs.append(Run(names[tensor], first, slice(end, end + count)))
            end += count
        self.size = end
        blocks = np.concatenate([np.full(run.at.stop - run.at.start, block_of(run.name)) for run in self.runs])
        edges = np.searchsorted(blocks, range(len(descent.BLOCKS) + 1))
        self.blocks = [slice(a, b) for a, b in pairwise(edges)]
        self.origin = self.rng.normal(0, 0.035, self.size).astype(np.float32)
        self.deltas = self._deltas()

    def _deltas(self) -> dict[str, np.ndarray]:
        # Some blocks move more than others in every training.
        self.profile = self.rng.lognormal(0, 0.4, len(self.blocks))
        nai = self._training(1.0)
        shared = self._share(nai, COS_NAI_WD, NORMS["wd1.3"] / NORMS["nai"])
        anime = self._training(1.0)
        for block in self.blocks:
            # cos c to both of two vectors at cos k: c / (1 + k) of each of their directions.
            unit = nai[block] / np.linalg.norm(nai[block]), shared[block] / np.linalg.norm(shared[block])
            part = 0.25 / (1 + unit[0] @ unit[1]) * (unit[0] + unit[1])
            norm = np.linalg.norm(anime[block])
            anime[block] = norm * part + np.sqrt(1 - part @ part) * anime[block]
        return {
            "nai": nai,
            "wd1.3": shared,
            "sd1.5": self._share(nai, 0.08, NORMS["sd1.5"] / NORMS["nai"]),
            **{name: self._training(1.0) for name in DRIFTS},
            ANIME: anime,
        }

    def _share(self, nai: np.ndarray, cos: float, norm: float) -> np.ndarray:
        """Another training at about that cosine to NAI's in each block."""
        other = self._training(norm)
        for block in self.blocks:
            here = np.clip(cos + self.rng.normal(0, 0.08), -0.9, 0.9)
            toward = nai[block] * (np.linalg.norm(other[block]) / np.linalg.norm(nai[block]))
            other[block] = here * toward + np.sqrt(1 - here**2) * other[block]
        return other

    def _training(self, norm: float) -> np.ndarray:
        """A random delta of `norm` times NAI's norm."""
        rng = self.rng
        shapes, parts, structure = unet_shapes(), np.empty(self.size, np.float32), {}
        for run in self.runs:
            rows, columns = shapes[run.name]
            if run.name not in structure:
                structure = {
                    run.name: (
                        rng.lognormal(0, 0.5, rows).astype(np.float32),
                        rng.lognormal(0, 0.5, columns).astype(np.float32),
                        rng.standard_normal((rows, 8), np.float32),
                        rng.standard_normal((8, columns), np.float32),
                    )
                }
            row_scale, column_scale, left, right = structure[run.name]
            count = run.at.stop - run.at.start
            at = np.arange(run.first, run.first + count)
            row, column = at // columns, at % columns
            tails = rng.standard_normal(count, np.float32) / np.sqrt(rng.chisquare(4, count) / 4)
            low_rank = (left[row[0] : row[-1] + 1] @ right)[row - row[0], column] / np.sqrt(8)
            parts[run.at] = row_scale[row] * column_scale[column] * tails + low_rank
        for block, usual in zip(self.blocks, self.profile, strict=True):
            scale = usual * rng.lognormal(0, 0.2) / np.sqrt(np.square(parts[block]).mean())
            parts[block] *= np.float32(scale)
        parts *= np.float32(norm * RMS_NAI * np.sqrt(self.size) / np.linalg.norm(parts))
        return parts

    def vector(self, mix: np.ndarray) -> np.ndarray:
        """The model with origin plus mix[block, delta] of each delta."""
        vector = self.origin.copy()
        for block, row in zip(self.blocks, mix, strict=True):
            for name, share in zip(DELTAS, row, strict=True):
                if share:
                    vector[block] += np.float32(share) * self.deltas[name][block]
        return vector

    def gram(self) -> np.ndarray:
        """The exact inner products of the deltas in each block, shape (blocks, deltas, deltas)."""
        grams = []
        for block in self.blocks:
            stack = np.stack([self.deltas[name][block] for name in DELTAS]).astype(np.float64)
            grams.append(stack @ stack.T)
        return np.array(grams)

    def write(self, name: str, vector: np.ndarray, dtype: str = "F32", **layout) -> Path:
        """A file of the model in float32, float16 or bfloat16."""
        path = write_safetensors(
            self.folder / name, {n: (dtype, s) for n, s in unet_shapes(**layout).items()}, metadata={"format": "pt"}
        )
        place(path, dtype, dict(zip(unet_shapes(), unet_shapes(**layout), strict=True)), self.runs, vector)
        return path


def place(path: Path, dtype: str, names: Mapping[str, str], runs: list[Run], vector: np.ndarray) -> None:
    """Puts the runs of `vector` where they belong in the file."""
    tensors = read_contents(path).tensors
    with open(path, "r+b") as file:
        for run in runs:
            file.seek(tensors[names[run.name]].offset + run.first * BITS[dtype] // 8)
            numbers = vector[run.at]
            stored = bf16(numbers)[1] if dtype == "BF16" else numbers.astype({"F32": "<f4", "F16": "<f2"}[dtype])
            file.write(stored.tobytes())
