"""Hashes in the background: one file at a time, never while a job runs, and nothing that outlives its work."""

import hashlib
import logging
import threading

import pytest

from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.hashing import Hashing, lacks_hash
from clip_skip.models.inspect.inspector import file_sha256
from clip_skip.skip.architectures import ARCHITECTURES

MB = 1 << 20


class Host:
    """Busy while `jobs` has a job left: each rest ends one. Has what it was given, and what `knows` of itself."""

    def __init__(self):
        self.jobs = 0
        self.knows = {}
        self.kept = []
        self.asked = threading.Event()  # whether a job runs was asked for the first time
        self.gate = threading.Event()  # closed: that question is not answered yet
        self.gate.set()

    @property
    def busy(self):
        self.asked.set()
        assert self.gate.wait(60)
        return self.jobs > 0

    def hash_of(self, path):
        return self.knows.get(path)

    def keep_hash(self, path, sha256, modified):
        self.kept.append((path, sha256, modified))
        self.knows[path] = sha256


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def file(tmp_path):
    def make(name="a.safetensors", size=3 * MB + 7):
        path = tmp_path / name
        path.write_bytes(name.encode() * (size // len(name)))
        return path

    return make


def finish(hashing):
    """Until nothing is wanted any more."""
    thread = hashing._background.thread
    if thread is not None:
        thread.join(60)
        assert not thread.is_alive()


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [0, 1, MB - 1, MB, MB + 1, 3 * MB + 7])
def test_the_hash_of_a_file_is_that_of_all_its_bytes(tmp_path, size):
    path = tmp_path / "a"
    path.write_bytes(bytes(size))
    read = []
    assert file_sha256(path, read.append) == hashlib.sha256(bytes(size)).hexdigest()
    assert sum(read) == size and all(0 < count <= MB for count in read)


def test_what_is_wanted_is_kept_with_the_time_of_its_file_and_the_thread_ends(host, file):
    hashing, path = Hashing(host), file()
    hashing.want(str(path))
    finish(hashing)
    assert host.kept == [(str(path), sha256(path), path.stat().st_mtime)]
    assert hashing.part(str(path)) is None and not hashing.failed(str(path))
    other = file("b.ckpt")
    hashing.want(str(other))  # a thread of its own
    finish(hashing)
    assert [kept[0] for kept in host.kept] == [str(path), str(other)]
    assert "clip-skip-hashing" not in {thread.name for thread in threading.enumerate()}


def test_one_file_at_a_time_and_what_was_wanted_last_is_next(host, file):
    hashing, paths = Hashing(host), [str(file(name)) for name in "abc"]
    host.gate.clear()
    for path in (paths[0], paths[0], paths[1], paths[2]):
        hashing.want(path)
        assert host.asked.wait(60)  # the first has begun
        assert hashing.part(path) == 0
    assert [thread.name for thread in threading.enumerate()].count("clip-skip-hashing") == 1
    host.gate.set()
    finish(hashing)
    assert [kept[0] for kept in host.kept] == [paths[0], paths[2], paths[1]]


def test_nothing_is_read_while_a_job_runs(host, file):
    path, rests = str(file(size=2 * MB)), []

    def rest(stopped):
        rests.append(hashing.part(path))
        host.jobs -= 1

    hashing = Hashing(host, rest)
    host.jobs = 3
    hashing.want(path)
    finish(hashing)
    assert rests == [0, 0, 0] and [kept[0] for kept in host.kept] == [path]


def test_a_job_between_two_parts_of_a_file_is_waited_for(host, file):
    path, seen = file(size=4 * MB), []

    class Working(Host):
        @property
        def busy(self):
            # A job begins when half of the file is read.
            if hashing.part(str(path)) >= 0.5 and not seen:
                self.jobs = 2
            return self.jobs > 0

    def rest(stopped):
        seen.append(hashing.part(str(path)))
        host.jobs -= 1

    host = Working()
    hashing = Hashing(host, rest)
    hashing.want(str(path))
    finish(hashing)
    assert seen == pytest.approx([0.5, 0.5], abs=1e-5) and host.kept[0][1] == sha256(path)


def test_what_the_host_has_worked_out_meanwhile_is_not_worked_out_twice(host, file):
    path = str(file())

    def rest(stopped):
        host.knows[path], host.jobs = "ab" * 32, 0  # the job loaded the model

    hashing = Hashing(host, rest)
    host.jobs = 1
    hashing.want(path)
    finish(hashing)
    hashing.want(path)  # nor at all, where it had it before
    finish(hashing)
    assert host.kept == [] and not hashing.failed(path)


def test_it_stops_at_once_also_while_it_rests(host, file):
    resting = threading.Event()

    def rest(stopped):
        resting.set()
        assert stopped.wait(60)

    hashing, paths = Hashing(host, rest), [str(file(name)) for name in "ab"]
    host.jobs = 1
    for path in paths:
        hashing.want(path)
    assert resting.wait(60)
    thread = hashing._background.thread
    hashing.stop()
    assert not thread.is_alive() and host.kept == []
    hashing.want(paths[0])
    assert hashing._background.thread is None
    hashing.stop()


def test_what_fails_is_told_and_tried_again_only_when_asked_for(host, file, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    hashing, path = Hashing(host), tmp_path / "a.safetensors"
    hashing.want(str(path))
    finish(hashing)
    assert hashing.failed(str(path)) and hashing.part(str(path)) is None
    assert f"the SHA-256 of {path} can't be worked out" in caplog.text
    file()
    hashing.want(str(path))
    finish(hashing)
    assert host.kept == [] and hashing.failed(str(path))
    hashing.want(str(path), again=True)
    finish(hashing)
    assert host.kept[0][1] == sha256(path) and not hashing.failed(str(path))


def test_a_file_that_changes_meanwhile_gets_no_hash(host, file, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    path = file()

    def rest(stopped):
        path.write_bytes(b"another")
        host.jobs = 0

    hashing = Hashing(host, rest)
    host.jobs = 1
    hashing.want(str(path))
    finish(hashing)
    assert host.kept == [] and hashing.failed(str(path)) and "the file changed meanwhile" in caplog.text


def test_only_the_files_of_sd_1_models_lack_a_hash(file, tmp_path):
    path = str(file())
    for architecture in ARCHITECTURES.values():
        assert lacks_hash(Checkpoint("a", architecture, path)) == (architecture.id == "sd1")
    sd1 = ARCHITECTURES["sd1"]
    assert not lacks_hash(Checkpoint("a", sd1, path, "ab" * 32))
    for no_file in (str(tmp_path), str(tmp_path / "gone"), ""):  # a diffusers folder has no hash
        assert not lacks_hash(Checkpoint("a", sd1, no_file))
