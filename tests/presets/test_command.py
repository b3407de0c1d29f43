"""`python -m clip_skip presets ...`, as a user types it."""

import argparse
import json
import os
import shlex

import pytest

from clip_skip.interfaces.commands import presets as command
from clip_skip.models.presets import Preset, Store

SHA = "6ce0161689" + "0" * 54


@pytest.fixture
def cli(store, capfd):
    """Runs a line; its exit code, stdout and stderr."""

    def run(line):
        parser = argparse.ArgumentParser()
        command.add_parser(parser.add_subparsers(required=True))
        options = parser.parse_args(["presets", *shlex.split(line)])
        options.data_dir = store.folder
        code = command.run(options)
        return code, *capfd.readouterr()

    return run


def test_set_and_show(cli, store):
    line = "set models/pony.safetensors l=2 g=1.5 blend=slerp lineage=not-nai silenced=too-deep,not-nai"
    assert cli(f"{line} 'note=for = later'")[0] == 0
    silenced = frozenset(("not-nai", "too-deep"))
    preset = Preset("models/pony", {"l": 2, "g": 1.5}, "slerp", "not-nai", silenced, "for = later")
    assert store.get(name="/webui/models/pony.safetensors") == preset
    assert store.get(name="pony") is store.get(name="other/pony.safetensors") is None
    code, out, _ = cli("show pony")
    assert code == 0 and json.loads(out) == store.raw()
    assert cli("set pony l= note= silenced=")[0] == 0
    assert store.get(name="models/pony") == Preset("models/pony", {"g": 1.5}, "slerp", "not-nai")


def test_models_by_hash_short_hash_and_name(cli, store):
    assert cli(f"set {SHA.upper()} l=2")[0] == 0
    store.put(store.get(SHA), sha256=SHA, name="real")
    for model in (SHA, "6ce016", "real", "sub/real.safetensors [6ce0161689]"):
        assert json.loads(cli(f"show '{model}'")[1]) == store.raw()
    assert cli("set 6ce0161689 g=3")[0] == 0
    assert store.all().keys() == {SHA} and store.get(SHA).skip == {"l": 2, "g": 3}


@pytest.mark.parametrize(
    "line, said",
    [
        ("set m l=99", 'skip.l "99" was refused, accepted is a number from 1 to 12'),
        ("set m l", '"l" is not NAME=VALUE with one of l, g, h, blend'),
        ("set m name=x", "is not NAME=VALUE"),
        ("set m lineage=nai", 'lineage "nai" was refused'),
        ("set m silenced=not-nai,x", 'silenced "x" was refused, accepted are ids of advice: not-nai, nai-unverified'),
        ("show m", 'there is no preset for "m"'),
        ("delete m", 'there is no preset for "m"'),
        ("export m", 'there is no preset for "m"'),
        ("import /nowhere/x.json", "error: /nowhere/x.json: No such file or directory\n"),
        ("show twin", '"twin" may be any of'),
    ],
)
def test_mistakes_change_nothing(cli, store, line, said):
    store.put(Preset(), sha256="a" * 64, name="twin")
    store.put(Preset(), sha256="b" * 64, name="twin")
    before = store.path.read_bytes()
    code, out, error = cli(line)
    assert code == 1 and error.startswith("error: ") and said in error and out == ""
    assert store.path.read_bytes() == before


def test_delete_all_or_none(cli, store):
    for name in "abc":
        store.put(Preset(), name=name)
    assert cli("delete a nothing")[0] == 1 and len(store.all()) == 3
    assert cli("delete a b")[0] == 0 and list(store.all()) == ["name:c"]


def test_list_lets_no_control_character_through(cli, store):
    store.put(Preset(note="\x1b[2J\n" + "n" * 100, skip={"l": 2}), name="evil\r\udcff")
    code, out, _ = cli("list")
    assert code == 0 and out.count("\n") == 2 and "\x1b" not in out and "\r" not in out
    assert "l=2" in out and "..." in out


def test_export_and_import_in_another_folder(cli, store, tmp_path):
    store.put(Preset(note="é", skip={"l": 2}), sha256=SHA, name="a")
    store.put(Preset(note="b"), name="b")
    file = tmp_path / "presets-export.json"
    assert cli(f"export -o {file}")[:2] == (0, "")
    assert cli("export")[1].encode() == file.read_bytes()
    assert json.loads(cli("export b")[1])["presets"].keys() == {"name:b"}
    before = dict(store.raw())
    store.path.unlink()
    code, out, _ = cli(f"import --dry-run {file}")
    assert code == 0 and store.all() == {} and "a: nothing -> l=2 - - é" in out
    assert cli(f"import {file}")[0] == 0 and store.raw() == before
    assert "a: unchanged" in cli(f"import {file}")[1]


def test_import_of_notes(cli, store, tmp_path):
    for name in ("anime", "other"):
        (tmp_path / f"{name}.json").write_text('{"notes": "clip skip: 2"}')
    code, out, _ = cli(f"import {tmp_path}/anime.json")
    assert code == 1 and "left out: its clip skip is sure to mean" in out and store.all() == {}
    assert cli(f"import --sd1 {tmp_path}/anime.json {tmp_path}/other.json")[0] == 0
    assert store.get(name="anime").skip == store.get(name="other").skip == {"l": 2}
    (tmp_path / "bad.json").write_bytes(b"\xff")
    assert cli(f"import {tmp_path}/bad.json")[0] == 1


def test_check(cli, store):
    assert cli("check")[:2] == (0, "0 presets, 0 problems\n")
    store.folder.mkdir()
    store.path.write_text(json.dumps({"schema": 1, "presets": {"name:a": {"skip": {"l": 0}}, "name:b": {}}}))
    code, out, _ = cli("check")
    assert code == 1 and '"name:a": skip.l 0 was refused' in out and out.endswith("2 presets, 1 problems\n")
    store.path.write_text("{")
    assert cli("check")[0] == 1


def test_a_broken_file_is_said_with_every_action(cli, store):
    store.folder.mkdir()
    store.path.write_text("{")
    assert "warning: " in cli("list")[2]
    code, _, error = cli("set a l=2")
    assert code == 0 and "was set aside as presets.broken-" in error
    assert Store(store.folder).get(name="a").skip == {"l": 2}


def test_a_newer_file_is_said(cli, store):
    store.folder.mkdir()
    store.path.write_text('{"schema": 2, "presets": {"name:a": {}}}')
    code, _, error = cli("set a l=2")
    assert code == 1 and "newer version of CLIP Skip and is not changed by this one" in error


def test_a_preset_is_named_the_same_the_first_time_and_later(cli):
    assert cli("set new l=1")[1] == cli("set new l=1")[1] == "new: l=1\n"
    assert cli(f"set {SHA} l=1")[1] == cli(f"set {SHA} l=1")[1] == f"{SHA}: l=1\n"


def test_a_key_is_a_name_too(cli, store):
    assert cli("set name:pony l=2") == (0, "pony: l=2\n", "") and list(store.all()) == ["name:pony"]


def test_import_of_what_windows_writes(cli, store, tmp_path):
    """PowerShell's `>`, and an editor's "Unicode"."""
    for name, encoding in (("a", "utf-16"), ("b", "utf-8-sig")):
        text = f"cat\r\nSteps: 1, Model: {name}, Clip skip: 2\r\n"
        (tmp_path / "x.txt").write_bytes(text.encode(encoding))
        assert cli(f"import --sd1 {tmp_path}/x.txt")[0] == 0
    assert list(store.all()) == ["name:a", "name:b"]


def test_what_is_silenced_already_may_stay(cli, store):
    store.put(Preset(silenced=frozenset({"of a newer version"})), name="m")
    assert cli("set m note=n")[0] == 0 and "of a newer version" in store.get(name="m").silenced


def test_a_folder_tells_presets_of_one_name_apart(cli, store):
    assert cli("set SD/anime l=2")[0] == cli("set XL/anime l=1 g=2")[0] == 0
    assert store.get(name="/models/SD/anime.ckpt").skip == {"l": 2}
    assert store.get(name="/models/XL/anime.ckpt").skip == {"l": 1, "g": 2}
    assert json.loads(cli("show XL/anime.ckpt")[1]).keys() == {"name:XL/anime"}
    assert "may be any of" in cli("show anime")[2]


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda path: path.write_bytes(b"\xb0\x00"), "it is no text in UTF-8"),
        (os.mkfifo, "it is a pipe, not a file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to("/dev/zero"), "it is longer than 268435456 bytes"),
    ],
)
def test_what_is_no_text_file_says_so(cli, tmp_path, make, said):
    make(tmp_path / "x.json")
    assert cli(f"import {tmp_path}/x.json") == (1, "", f"error: {tmp_path}/x.json: {said}\n")
