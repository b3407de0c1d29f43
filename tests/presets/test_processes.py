"""Processes that write at once, and processes that die while they write."""

import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
from filelock import FileLock

from clip_skip.models.presets import Preset, Store

KILLS = 1000
MODELS = 4


def in_child(work):
    """Run `work` in a process of its own; its id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def save_forever(folder, first, acknowledge):
    store = Store(folder)
    os.write(acknowledge, b"started\n")
    count = first
    while True:
        model = count % MODELS
        store.put(Preset(note=str(count), skip={"l": 1 + count % 12}), name=f"model {model}")
        os.write(acknowledge, f"{count}\n".encode())
        count += 1


def test_a_writer_killed_at_random_points(tmp_path):
    """After each kill the file parses, holds every save that was acknowledged, and can be locked at once."""
    random.seed(4)
    counter, acknowledged, traces = 0, Counter(), Counter()
    lock = FileLock(tmp_path / "presets.json.lock")
    for _ in range(KILLS):
        reading, writing = os.pipe()
        pid = in_child(lambda first=counter, end=writing: save_forever(tmp_path, first, end))
        os.close(writing)
        said = os.read(reading, 8)  # "started"
        time.sleep(random.uniform(0, 0.012))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while piece := os.read(reading, 65536):
            said += piece
        os.close(reading)
        for count in map(int, said.split()[1:]):
            acknowledged[count % MODELS] = count
            counter = max(counter, count + 1)

        store = Store(tmp_path)
        for model, count in acknowledged.items():
            preset = store.get(name=f"model {model}")
            there = int(preset.note)
            assert there >= count and preset == Preset(f"model {model}", {"l": 1 + there % 12}, note=str(there))
            traces["saved, not said"] += there > count
            counter = max(counter, there + 1)
        assert store.check() == () and not list(tmp_path.glob("presets.broken-*"))
        leftovers = len(list(tmp_path.glob("*.tmp")))
        assert leftovers <= 1
        traces["left over"] += leftovers
        with lock.acquire(timeout=0):
            pass
    Store(tmp_path).put(Preset(), name="last")
    assert list(tmp_path.glob("*.tmp")) == []
    # The kills did hit writes, before and after the file was replaced.
    assert traces["left over"] > KILLS // 20 and counter > KILLS // 4, (traces, counter)


def test_four_writers_at_once(tmp_path):
    fields = [{"note": "n"}, {"lineage": "not-nai"}, {"skip": {"l": 2}}, {"silenced": frozenset({"a"})}]
    Store(tmp_path).put(Preset(), name="shared")
    seen = Store(tmp_path).get(name="shared")
    barrier, go = os.pipe()

    def work(writer):
        store = Store(tmp_path)
        os.read(barrier, 1)
        # All four read the shared preset before the first of them saved it.
        store.put(replace(seen, **fields[writer]), name="shared")
        for index in range(25):
            store.put(Preset(note=f"{writer} {index}"), name=f"{writer} {index}")
            store.put(replace(seen, silenced=frozenset({f"{writer}"})), name="shared")

    pids = [in_child(lambda writer=writer: work(writer)) for writer in range(4)]
    os.write(go, b"1234")
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    presets = dict(Store(tmp_path).all())
    assert presets.pop("name:shared") == Preset("shared", {"l": 2}, "linear", "not-nai", frozenset("a0123"), "n")
    assert presets == {
        f"name:{writer} {index}": Preset(f"{writer} {index}", note=f"{writer} {index}")
        for writer in range(4)
        for index in range(25)
    }
    assert sorted(os.listdir(tmp_path)) == ["presets.json", "presets.json.lock"]


def test_threads_of_one_store(tmp_path, no_fsync):
    store = Store(tmp_path)
    errors = []

    def work(thread):
        try:
            for index in range(20):
                store.put(Preset(note=str(index)), name=f"{thread} {index}")
                assert store.get(name=f"{thread} {index}").note == str(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(store.all()) == 80


@pytest.mark.parametrize("first", ["a", "b"])
def test_two_programs_that_save_different_fields_lose_neither(tmp_path, first):
    a, b = Store(tmp_path), Store(tmp_path)
    a.put(Preset(note="old", skip={"l": 2}), name="m")
    seen = {"a": a.get(name="m"), "b": b.get(name="m")}
    changes = {
        "a": lambda: a.put(replace(seen["a"], note="new"), name="m"),
        "b": lambda: b.put(replace(seen["b"], skip={"l": 3}), name="m"),
    }
    changes.pop(first)()
    changes.popitem()[1]()
    assert Store(tmp_path).get(name="m") == Preset("m", {"l": 3}, note="new")
