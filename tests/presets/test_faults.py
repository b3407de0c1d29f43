"""A full disk, a read-only folder, a broken file, at every point where they can strike: nothing saved is lost."""

import builtins
import errno
import json
import os
import resource
import signal
import time

import pytest
from filelock import FileLock

from clip_skip.models.presets import Preset, Store, StoreError
from clip_skip.models.presets import store as store_module

SHA = "a" * 64
GOOD = {"schema": 1, "presets": {SHA: {"note": "saved before", "future": 1}}}
CALLS = ["open", "fsync", "replace", "rename", "chmod", "stat", "mkdir", "unlink", "scandir", "write", "link"]


class Faults:
    """Counts the calls of the system, and lets the one numbered `at` fail, or all from there on."""

    def __init__(self, monkeypatch):
        self.count, self.at, self.lasting, self.error = 0, None, False, 0
        for name in CALLS:
            monkeypatch.setattr(os, name, self.failing(getattr(os, name)))
        opened = builtins.open

        def open_(*args, **kwargs):
            file = self.failing(opened)(*args, **kwargs)
            # What is written reaches the disk when the file is flushed or closed.
            return Written(file, self) if "x" in str(args[1:2]) else file

        monkeypatch.setattr(builtins, "open", open_)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        monkeypatch.setattr(store_module, "_LOCK_SECONDS", 0.05)

    def failing(self, call):
        def called(*args, **kwargs):
            self.strike()
            return call(*args, **kwargs)

        return called

    def strike(self):
        index, self.count = self.count, self.count + 1
        if self.at is not None and (index == self.at or (self.lasting and index > self.at)):
            raise OSError(self.error, os.strerror(self.error))

    def save(self, store, at=None, lasting=False, error=0):
        """Save a note under the faults asked for; whether that was acknowledged."""
        self.count, self.at, self.lasting, self.error = 0, at, lasting, error
        try:
            store.put(Preset(note="new"), sha256=SHA)
            return True
        except StoreError as refused:
            assert str(store.path) in str(refused)
            return False
        finally:
            self.at = None


class Written:
    def __init__(self, file, faults):
        self.file, self.faults = file, faults

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        self.faults.strike()
        self.file.write(data[len(data) // 2 :])

    def flush(self):
        self.file.flush()

    def fileno(self):
        return self.file.fileno()


@pytest.mark.parametrize("before", [json.dumps(GOOD).encode(), b'{"broken": ', None], ids=["good", "broken", "none"])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO], ids=errno.errorcode.get)
def test_a_fault_at_every_call(tmp_path, monkeypatch, caplog, before, lasting, error):
    caplog.set_level("CRITICAL")
    faults = Faults(monkeypatch)
    acknowledged, at = False, 0
    while True:
        folder = tmp_path / str(at)
        if before is not None:
            folder.mkdir()
            (folder / "presets.json").write_bytes(before)
        store = Store(folder)
        acknowledged = faults.save(store, at, lasting, error)
        struck = faults.count > at

        now = (folder / "presets.json").read_bytes() if (folder / "presets.json").exists() else None
        kept = [path.read_bytes() for path in folder.glob("presets.broken-*")]
        new = now is not None and now != before
        if new:
            assert json.loads(now)["presets"][SHA]["note"] == "new"
        assert new or not acknowledged
        assert not (before == b'{"broken": ' and new) or kept == [before]
        assert before is None or now is not None
        if not lasting and not acknowledged:
            assert list(folder.glob("*.tmp")) == []
            assert new or not kept

        # The fault is over: the same store saves, keeps what it has to keep, and clears up.
        assert faults.save(store)
        assert Store(folder).get(SHA).note == "new"
        assert before is None or b"future" not in before or Store(folder).raw()[SHA]["future"] == 1
        assert before != b'{"broken": ' or before in [path.read_bytes() for path in folder.glob("presets.broken-*")]
        assert list(folder.glob("*.tmp")) == []
        if not struck:
            assert acknowledged
            break
        at += 1
    assert at > 8  # lock, read, write, flush, replace, ...


def test_a_disk_that_is_full_at_every_byte(store, no_fsync):
    """The system's own limit cuts a real write short."""
    store.put(Preset(note="saved before"), sha256=SHA)
    before = store.path.read_bytes()
    refused = 0
    for limit in range(0, len(before) + 60, 3):
        pid = os.fork()
        if pid == 0:
            code = 2
            try:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                store.put(Preset(note="new"), name="other")
                code = 0
            except StoreError:
                code = 1
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, 1)
        refused += code
        assert Store(store.folder).get(SHA).note == "saved before"
        assert (Store(store.folder).get(name="other") is not None) == (code == 0)
        assert list(store.folder.glob("*.tmp")) == []
        store.forget(name="other")
        assert store.path.read_bytes() == before
    assert 20 < refused < limit // 3 + 1


def test_a_folder_that_cant_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "clip-skip")
    assert store.get(SHA) is None and "can't be read" in store.problems[0]
    with pytest.raises(StoreError, match="could not be saved: "):
        store.put(Preset(), sha256=SHA)


def test_a_file_that_cant_be_opened_is_not_replaced(store):
    store.path.mkdir(parents=True)
    assert store.get(SHA) is None
    with pytest.raises(StoreError, match="could not be saved: Is a directory"):
        store.put(Preset(), sha256=SHA)
    assert store.path.is_dir()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to(path.name)])
def test_a_pipe_and_a_link_to_itself_are_not_waited_for(store, make):
    store.folder.mkdir()
    make(store.path)
    assert store.get(SHA) is None and "can't be read" in store.problems[0]
    with pytest.raises(StoreError, match="could not be saved"):
        store.put(Preset(), sha256=SHA)


def test_a_held_lock_is_said(store, monkeypatch):
    monkeypatch.setattr(store_module, "_LOCK_SECONDS", 0.05)
    store.folder.mkdir()
    with FileLock(f"{store.path}.lock"), pytest.raises(StoreError, match="locked by another process"):
        Store(store.folder).put(Preset(), sha256=SHA)
    store.put(Preset(), sha256=SHA)


def test_a_file_in_use_for_a_moment_is_replaced_after_it(store, monkeypatch):
    """Windows: a reader keeps a file from being replaced."""
    replace, pauses = os.replace, []

    def in_use(source, target):
        if len(pauses) < 2:
            raise PermissionError(errno.EACCES, "in use")
        replace(source, target)

    monkeypatch.setattr(os, "replace", in_use)
    monkeypatch.setattr(time, "sleep", pauses.append)
    store.put(Preset(note="n"), sha256=SHA)
    assert store.get(SHA).note == "n" and len(pauses) == 2


SMALL = b"""{
  "schema": 1,
  "presets": {
    "name:a": {"skip": {"l": 2}, "note": "x", "z": [1]},
    "name:b": {}
  }
}
"""


def presets_of(data):
    """What Python's own reader finds, where that is a presets file."""
    try:
        top = json.loads(data)
        if not isinstance(top, dict) or not isinstance(top.get("presets", {}), dict):
            return None
        return top
    except ValueError:
        return None


def broken_files():
    for at in range(len(SMALL)):
        yield SMALL[:at]
        yield SMALL[:at] + SMALL[at + 1 :]
        for byte in b'"{}[,:\\\x00\xff9':
            yield SMALL[:at] + bytes([byte]) + SMALL[at + 1 :]
        yield SMALL[:at] + b"\n\n" + SMALL[at:]


def test_a_file_broken_at_every_byte(tmp_path, no_fsync, caplog):
    """Every value that was in the file is in it after a save, or the file lies beside it as it was."""
    caplog.set_level("CRITICAL")
    folder = tmp_path
    path = folder / "presets.json"
    set_aside = 0
    for data in broken_files():
        path.write_bytes(data)
        store = Store(folder)
        store.all(), store.check(), store.get(name="a")
        assert path.read_bytes() == data
        try:
            store.put(Preset(note="new"), name="new")
        except StoreError as error:
            assert "newer version" in str(error)
            assert path.read_bytes() == data
            continue
        now = json.loads(path.read_bytes())
        assert now["presets"]["name:new"]["note"] == "new"
        copies = list(folder.glob("presets.broken-*"))
        if copies:
            assert [copy.read_bytes() for copy in copies] == [data]
            assert len(store.problems) == 1
            set_aside += 1
        else:
            had = presets_of(data) if data.strip() else {}
            assert had.get("presets", {}).items() <= now["presets"].items()
            assert {k: v for k, v in had.items() if k != "presets"}.items() <= now.items()
        for copy in copies:
            copy.unlink()
    assert set_aside > 800
