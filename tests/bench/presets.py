"""What the presets file costs with 10,000 presets in it, beside Python's own reading of the same file."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

from clip_skip.models.presets import Preset, Store
from clip_skip.models.presets.preset import write

COUNT = 10_000
LOOK_UPS = 1000


def _preset(index: int) -> Preset:
    """Half have only numbers, as most will; half have every field."""
    skip = {"l": 2.0, "g": 1.5} if index % 3 else {"l": 2.0}
    if index % 2:
        return Preset(f"some model name v{index}", skip)
    return Preset(
        f"model {index}", skip, "slerp", "not-nai", frozenset({"not-nai", "too-deep"}), "a note of some words"
    )


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def presets(rounds: int) -> None:
    """Load, look-up and save, each beside `json.load` in the same round; prints medians and ratios."""
    hashes = [hashlib.sha256(str(index).encode()).hexdigest() for index in range(COUNT)]
    columns: dict[str, list[float]] = {
        name: [] for name in ("json", "load", "look-up", "all", "first", "save", "fsync")
    }
    with tempfile.TemporaryDirectory() as folder:
        Store(folder).change(lambda raw: raw.update({hash: write(_preset(index)) for index, hash in enumerate(hashes)}))
        long_ago = time.time_ns() - 60 * 10**9
        syncing = [0.0]
        fsync = os.fsync

        def timed_fsync(descriptor: int) -> None:
            syncing[0] += _milliseconds(lambda: fsync(descriptor))

        for index in range(rounds):
            store = Store(folder)
            # As a file that was saved some time ago is: not to be read again before each look-up.
            os.utime(store.path, ns=(long_ago, long_ago))
            columns["json"].append(_milliseconds(lambda: json.loads(store.path.read_bytes())))  # noqa: B023
            columns["load"].append(_milliseconds(lambda: store.get(hashes[0])))  # noqa: B023
            spread = hashes[:: COUNT // LOOK_UPS]
            columns["look-up"].append(_milliseconds(lambda: [store.get(hash) for hash in spread]) / len(spread))  # noqa: B023
            columns["all"].append(_milliseconds(store.all))
            os.fsync = timed_fsync  # type: ignore[assignment]
            try:
                for name, saver, hash in (
                    ("save", store, hashes[0]),
                    ("save", store, hashes[1]),
                    ("first", Store(folder), hashes[2]),
                ):
                    changed = replace(store.get(hash) or Preset(), note=f"round {index}")
                    syncing[0] = 0.0
                    spent = _milliseconds(lambda: saver.put(changed, sha256=hash))  # noqa: B023
                    columns[name][index:] = [spent - syncing[0]]  # of the two, the second, which is as all later ones
                    columns["fsync"].append(syncing[0])
            finally:
                os.fsync = fsync
        size = os.path.getsize(store.path)
    median = {name: statistics.median(column) for name, column in columns.items()}
    ratio = {
        name: statistics.median(a / b for a, b in zip(columns[name], columns["json"], strict=True))
        for name in ("load", "save")
    }
    print(
        f"presets, {COUNT} in {size / 1e6:.1f} MB: load {median['load']:.0f} ms (goal <= 100), "
        f"{ratio['load']:.2f} x json.loads ({median['json']:.0f} ms); look-up {1000 * median['look-up']:.1f} us; "
        f"all of them {median['all']:.0f} ms\n"
        f"presets, save one: {median['save']:.0f} ms (goal <= 50), {ratio['save']:.2f} x json.loads, and "
        f"{median['fsync']:.1f} ms of fsync; a program's first, with reading the file: {median['first']:.0f} ms"
    )


if __name__ == "__main__":
    presets(11)
