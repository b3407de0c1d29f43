"""The cache never fails, whatever happened to its file, and several processes may use it at once."""

import sqlite3
import subprocess
import sys

import pytest

from clip_skip.models.inspect.cache import Cache
from tests.conftest import ROOT


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "inspected.sqlite"


def test_a_text_is_good_under_its_own_key_only(file):
    cache = Cache(file)
    assert cache.get("a", "1") is None
    cache.put("a", "1", "one")
    cache.put("b", "1", "other")
    assert Cache(file).get("a", "1") == "one"
    cache.put("a", "2", "two")
    assert (cache.get("a", "1"), cache.get("a", "2"), cache.get("b", "1")) == (None, "two", "other")


def other_schema(file):
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE facts (other TEXT)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"no database at all, but long enough to be read as one" * 100),
        lambda file: file.write_bytes(file.read_bytes()[:3000]),
        lambda file: file.write_bytes(file.read_bytes()[:100] + b"\xff" * (file.stat().st_size - 100)),
        other_schema,
    ],
)
def test_a_damaged_file_is_made_anew(file, damage):
    cache = Cache(file)
    for index in range(100):
        cache.put(f"path {index}", "key", "text" * 50)
    damage(file)
    assert cache.get("path 1", "key") is None
    cache.put("path 1", "key", "again")
    assert cache.get("path 1", "key") == "again"


def test_where_nothing_can_be_kept_nothing_fails(tmp_path):
    (tmp_path / "file").write_text("a file where the folder should be")
    cache = Cache(tmp_path / "file" / "inspected.sqlite")
    cache.put("a", "1", "one")
    assert cache.get("a", "1") is None


def test_a_cache_that_another_process_holds_is_passed_by_and_not_thrown_away(file, monkeypatch):
    monkeypatch.setattr("clip_skip.models.inspect.cache._WAIT_SECONDS", 0)
    cache = Cache(file)
    cache.put("a", "1", "one")
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert cache.get("a", "1") is None
    holder.execute("COMMIT")
    holder.close()
    assert cache.get("a", "1") == "one"


def test_four_processes_at_once(file):
    code = """
import sys
from pathlib import Path
from clip_skip.models.inspect import cache as module
module._WAIT_SECONDS = 10**6  # a busy machine loses nothing
cache = module.Cache(Path(sys.argv[1]))
for index in range(100):
    cache.put(f"{sys.argv[2]} {index}", "key", f"text {index}")
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, str(file), str(n)], cwd=ROOT) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    cache = Cache(file)
    assert all(cache.get(f"{n} {i}", "key") == f"text {i}" for n in range(4) for i in range(100))
