"""What inspecting a model costs, on sparse files with the real names and shapes of SD 1.x, 2 GB each, warm."""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from safetensors import safe_open

from clip_skip.models.inspect.evidence.listed import PREFIX, TABLE
from clip_skip.models.inspect.facts import inspect
from clip_skip.models.inspect.formats.reader import read_contents
from clip_skip.models.inspect.weights.descent import sketch
from tests.inspect.files import write_safetensors

_KEYS = Path(__file__).parents[1] / "inspect" / "keys" / "sd1.json.gz"
_METADATA = {
    "modelspec.architecture": "stable-diffusion-v1",
    "modelspec.encoder_layer": "2",
    "sd_merge_models": json.dumps({"0" * 64: {"name": "a.safetensors", "legacy_hash": "925997e9"}}),
}
_FILES = 40
# A SHA-256 of which a public list says something.
_LISTED = next(iter(json.loads(TABLE.read_text(encoding="utf8"))["lists"][0]["files"].values()))[:PREFIX].ljust(64, "0")


def _seconds(work: Callable[[Path], object], paths: list[Path]) -> float:
    start = time.perf_counter()
    for path in paths:
        work(path)
    return (time.perf_counter() - start) / len(paths)


def _plain(path: Path) -> list[str]:
    with safe_open(path, "np") as file:
        return list(file.keys())


def _header(path: Path) -> object:
    return inspect(path, sha256=_LISTED, weights=False)


def _weights(path: Path) -> object:
    return sketch(read_contents(path))


def report(rounds: int) -> None:
    """Print the costs, each beside a plain loop of `safe_open(...).keys()` in the same round."""
    shapes = json.loads(gzip.decompress(_KEYS.read_bytes()))
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ("F16", "F32"):
            tensors = {name: (dtype, tuple(shape)) for name, shape in shapes.items()}
            paths = [
                write_safetensors(Path(folder, f"{dtype}-{n}.safetensors"), tensors, _METADATA) for n in range(_FILES)
            ]
            work = {
                "safe_open keys": _plain,
                "header and evidence, of a listed file": _header,
                "weight sketch": _weights,
            }
            few = {"weight sketch": paths[:4]}
            taken: dict[str, list[float]] = {name: [] for name in work}
            for _ in range(rounds + 1):  # the first round warms up
                for name, function in work.items():
                    taken[name].append(_seconds(function, few.get(name, paths)))
            median = {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}
            size = paths[0].stat().st_size / 1e9
            for name, seconds in median.items():
                print(
                    f"inspect {dtype} {size:.1f} GB, {len(tensors)} tensors, {name}: {seconds * 1e3:.2f} ms a file, "
                    f"{1 / seconds:.0f} files/s, {seconds / median['safe_open keys']:.2f} x safe_open keys"
                )
