"""Processes that write at once, and processes that die while they write."""

import os
import signal
import threading
from collections import Counter
from dataclasses import replace

import pytest
from filelock import FileLock

from clip_skip.models.presets import Preset, Store
from clip_skip.models.presets import store as store_module

from .test_faults import SHA, Faults


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


class Kills(Faults):
    """Kills the process at a call of the system, or halfway through a write."""

    def strike(self):
        index, self.count = self.count, self.count + 1
        if index == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("before", [None, "old"])
def test_a_writer_killed_at_every_call(tmp_path, before):
    """After each kill the file parses, holds what was acknowledged and what was there, and can be locked at once."""
    traces, at = Counter(), 0
    while True:
        folder = tmp_path / str(at)
        store = Store(folder)
        if before:
            store.put(Preset(note="other"), name="other")
            store.put(Preset(note=before), name="model")
        reading, writing = os.pipe()

        def work(folder=folder, at=at, end=writing):
            kills = Kills(pytest.MonkeyPatch())
            assert kills.save(Store(folder), at)
            os.write(end, b"saved")

        status = os.waitpid(in_child(work), 0)[1]
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            acknowledged = pipe.read() == b"saved"

        killed = Store(folder)
        preset = killed.get(SHA)
        traces["saved, not said"] += preset is not None and not acknowledged
        assert preset == Preset(note="new") if preset or acknowledged else True
        assert not before or {key: each.note for key, each in killed.all().items() if key != SHA} == {
            "name:other": "other",
            "name:model": before,
        }
        assert killed.check() == () and not list(folder.glob("presets.broken-*"))
        leftovers = len(list(folder.glob("*.tmp")))
        assert leftovers <= 1
        traces["left over"] += leftovers
        if folder.exists():
            with FileLock(folder / "presets.json.lock").acquire(timeout=0):
                pass
        killed.put(Preset(), name="last")
        assert list(folder.glob("*.tmp")) == []
        if status == 0:
            break
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        at += 1
    assert acknowledged
    # The kills did hit writes, before and after the file was replaced.
    assert traces["left over"] > 2 and traces["saved, not said"] > 0, traces


@pytest.fixture
def patient(monkeypatch):
    """No store gives up waiting for the others."""
    monkeypatch.setattr(store_module, "_LOCK_SECONDS", -1)


def test_four_writers_at_once(tmp_path, patient):
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


def test_threads_of_one_store(tmp_path, no_fsync, patient):
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
