"""The store is a dictionary that survives other programs, hands and versions."""

import json
import os
import re
import stat
import tempfile
import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clip_skip.models.presets import Preset, Store, StoreError, key_of
from clip_skip.models.presets.preset import parse_preset
from clip_skip.skip.architectures import ARCHITECTURES

from .strategies import HASHES, NAMES, PRESETS

SHA = HASHES[1]
KEYS = st.sampled_from([(hash, None) for hash in HASHES] + [(None, name) for name in NAMES])


class LikeADictionary(RuleBasedStateMachine):
    """Two programs and a hand change one file; each sees what a dictionary would hold, at once."""

    @initialize()
    def start(self):
        self.fsync, os.fsync = os.fsync, lambda descriptor: None
        self.folder = tempfile.TemporaryDirectory()
        self.stores = [Store(self.folder.name), Store(self.folder.name)]
        self.expected = {}

    def teardown(self):
        os.fsync = self.fsync
        self.folder.cleanup()

    @rule(who=st.integers(0, 1), key=KEYS, preset=PRESETS)
    def put(self, who, key, preset):
        sha256, name = key
        self.stores[who].put(preset, sha256=sha256, name=name)
        self.expected[key_of(*key)] = replace(preset, name=name or preset.name)

    @rule(who=st.integers(0, 1), key=KEYS, note=st.text(max_size=5))
    def edit(self, who, key, note):
        seen = self.stores[who].get(*key)
        assert seen == self.expected.get(key_of(*key))
        if seen is not None:
            self.stores[1 - who].put(replace(seen, note=note), *key)
            self.expected[key_of(*key)] = replace(seen, note=note, name=key[1] or seen.name)

    @rule(who=st.integers(0, 1), key=KEYS)
    def forget(self, who, key):
        self.stores[who].forget(*key)
        self.expected.pop(key_of(*key), None)

    @rule(who=st.integers(0, 1), a=KEYS, b=KEYS)
    def copy(self, who, a, b):
        source, target = key_of(*a), key_of(*b)
        if source not in self.expected:
            with pytest.raises(ValueError, match="not there any more"):
                self.stores[who].copy(source, *b)
            return
        self.stores[who].copy(source, *b)
        name = b[1] or (self.expected[target].name if target in self.expected else "")
        self.expected[target] = replace(self.expected[source], name=name)

    @rule(who=st.integers(0, 1), name=st.sampled_from(NAMES), sha256=st.sampled_from(HASHES))
    def learn(self, who, name, sha256):
        if sha256 not in self.expected:
            self.stores[who].learn_hash(name, sha256)
            if key_of(name=name) in self.expected:
                self.expected[sha256] = self.expected.pop(key_of(name=name))

    @precondition(lambda self: self.expected)
    @rule(note=st.text(max_size=5), indent=st.sampled_from([None, 1, "\t"]), data=st.data())
    def edit_by_hand(self, note, indent, data):
        key = data.draw(st.sampled_from(sorted(self.expected)))
        path = self.stores[0].path
        top = json.loads(path.read_bytes())
        top["presets"][key]["note"] = note
        path.write_text(json.dumps(top, indent=indent))
        self.expected[key] = replace(self.expected[key], note=note)

    @rule()
    def restart(self):
        self.stores[0] = Store(self.folder.name)

    @invariant()
    def both_hold_what_is_expected(self):
        for store in self.stores:
            assert store.all() == self.expected
            assert store.check() == ()


LikeADictionary.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestLikeADictionary = LikeADictionary.TestCase


def write(store, data):
    store.folder.mkdir(exist_ok=True)
    store.path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())


def on_disk(store):
    return json.loads(store.path.read_bytes())


def asides(store):
    return {path.name: path.read_bytes() for path in store.folder.glob("presets.broken-*")}


def test_reading_an_empty_store_makes_nothing(store):
    assert store.get(SHA, "a") is None and store.all() == {} and store.check() == ()
    assert not store.folder.exists()
    store.forget(SHA, "a")
    store.learn_hash("a", SHA)
    assert store.all() == {}


def test_the_file_is_for_people(store):
    store.put(Preset(skip={"l": 2.0, "g": 1.5}, note="für später"), name="pony")
    store.put(Preset(lineage="not-nai"), sha256=SHA.upper(), name="real")
    assert store.path.read_text("utf-8") == (
        '{\n  "schema": 1,\n  "presets": {\n'
        f'    "{SHA}": {{"name": "real", "lineage": "not-nai"}},\n'
        '    "name:pony": {"name": "pony", "skip": {"l": 2, "g": 1.5}, "note": "für später"}\n'
        "  }\n}\n"
    )


def test_the_hash_wins_over_the_name_and_survives_renaming(store):
    store.put(Preset(note="by hash"), sha256=SHA, name="old name")
    store.put(Preset(note="by name"), name="new name")
    assert store.get(SHA, "new name").note == "by hash"
    assert store.get(SHA.upper()).note == "by hash"
    assert store.get(HASHES[0], "new name").note == "by name"
    assert store.get(None, "old name") is None


def test_two_names_of_one_file_share_what_was_kept_under_each(store):
    store.put(Preset(skip={"l": 2}, silenced=frozenset({"a"})), name="one")
    store.put(Preset(skip={"l": 3}, lineage="not-nai", silenced=frozenset({"b"})), name="two")
    store.learn_hash("one", SHA)
    store.learn_hash("two", SHA)
    assert list(store.all()) == [SHA]
    assert store.get(SHA) == Preset(name="one", skip={"l": 2}, lineage="not-nai", silenced=frozenset({"a", "b"}))
    assert store.raw()[SHA]["earlier"] == [{"key": "name:two", "skip": {"l": 3}}]


def test_what_is_kept_under_hash_and_name_reads_as_it_will_be_once_it_has_moved(store):
    raw = {SHA: {"skip": {"l": 2}, "silenced": ["a"]}, "name:a": {"skip": {"l": 3}, "note": "n", "silenced": ["b"]}}
    write(store, {"schema": 1, "presets": raw})
    before, kept = store.path.read_bytes(), store.get(SHA, "a")
    assert kept == Preset(skip={"l": 2}, note="n", silenced=frozenset({"a", "b"}))
    assert store.path.read_bytes() == before
    store.put(replace(kept, note="new"), sha256=SHA, name="a")
    assert store.get(SHA, "a") == replace(kept, note="new", name="a") and list(store.all()) == [SHA]
    assert store.raw()[SHA]["earlier"] == [{"key": "name:a", "skip": {"l": 3}}]


def test_saving_by_hash_takes_along_what_was_kept_by_name(store):
    write(store, {"schema": 1, "presets": {"name:a": {"skip": {"l": 2}, "note": "n", "future": [1], "blend": "cubic"}}})
    store.put(replace(store.get(SHA, "a"), note="new"), sha256=SHA, name="a")
    assert store.raw() == {SHA: {"skip": {"l": 2}, "note": "new", "future": [1], "blend": "cubic", "name": "a"}}


def test_forgetting_leaves_nothing_to_fall_back_to(store):
    store.put(Preset(), name="a")
    store.put(Preset(), sha256=SHA)
    store.forget(SHA, "a")
    assert store.get(SHA, "a") is None


def test_copying_takes_everything_but_the_name(store):
    source = {"name": "a", "skip": {"l": 2, "t": 4}, "blend": "cubic", "future": 1, "earlier": [{}]}
    write(store, {"schema": 1, "presets": {"name:a": source, SHA: {"name": "b", "note": "old", "other": 2}}})
    store.copy("name:a", SHA)
    copied = {"skip": {"l": 2, "t": 4}, "blend": "cubic", "future": 1}
    assert store.raw()[SHA] == {"name": "b", **copied, "other": 2}
    store.copy("name:a", name="c.safetensors")
    assert store.raw()["name:c"] == {"name": "c.safetensors", **copied}
    assert store.raw()["name:a"] == source
    store.copy("name:a", SHA, "d")
    assert store.raw()[SHA]["name"] == "d"


def test_copying_to_a_model_whose_hash_became_known_leaves_nothing_under_its_name(store):
    store.put(Preset(skip={"l": 3}), name="a")
    store.put(Preset(skip={"l": 2}, note="old"), name="b.safetensors")
    store.copy("name:a", SHA, "b.safetensors")
    assert set(store.raw()) == {"name:a", SHA}
    assert store.get(SHA, "b.safetensors") == Preset("b.safetensors", skip={"l": 3})


def test_a_refused_value_is_not_saved(store):
    store.put(Preset(note="good"), name="a")
    before = store.path.read_bytes()
    with pytest.raises(ValueError, match=r"skip\.l 99 was refused, accepted is a number from 1 to 12"):
        store.put(Preset(skip={"l": 99}), name="a")
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        store.put(Preset(), sha256="6ce0161689")
    assert store.path.read_bytes() == before


def test_bad_values_by_hand_are_named_kept_and_leave_the_others_in_use(store):
    presets = {
        SHA: {"skip": {"l": 2, "g": 99}, "note": "n"},
        HASHES[0]: {"skip": {"l": 3}},
        "name:x": 5,
        "oops": {"skip": {"l": 2}},
    }
    write(store, {"schema": 1, "presets": presets})
    assert store.get(SHA) == Preset(note="n")
    assert store.get(HASHES[0]).skip == {"l": 3}
    assert store.get(name="x").refusals
    said = "\n".join(store.check())
    assert len(store.check()) == 3 and store.problems == ()
    assert "skip.g 99 was refused" in said and "preset 5 was refused" in said and '"oops" is no key' in said
    store.put(replace(store.get(SHA), note="m"), sha256=SHA)
    assert on_disk(store)["presets"] == {**presets, SHA: {"skip": {"l": 2, "g": 99}, "note": "m"}}


def test_unknown_fields_stay_on_every_level(store):
    top = {"schema": 1, "made by": {"x": [1]}, "presets": {SHA: {"skip": {"l": 2, "t": 9}, "future": {"a": None}}}}
    write(store, top)
    store.put(replace(store.get(SHA), skip={"l": 3}), sha256=SHA)
    store.put(Preset(), name="other")
    top["presets"][SHA]["skip"]["l"] = 3
    top["presets"]["name:other"] = {"name": "other"}
    assert on_disk(store) == top


@pytest.mark.parametrize("schema", [2, 99])
def test_a_newer_schema_is_read_but_never_written(store, schema):
    write(store, {"schema": schema, "presets": {SHA: {"skip": {"l": 2}, "future": 1}}})
    before = store.path.read_bytes()
    assert store.get(SHA).skip == {"l": 2}
    assert "newer version" in store.problems[0]
    for save in (
        lambda: store.put(Preset(), sha256=SHA),
        lambda: store.forget(SHA),
        lambda: store.copy(SHA, name="x"),
    ):
        with pytest.raises(StoreError, match="newer version of CLIP Skip and is not changed"):
            save()
    assert store.path.read_bytes() == before and not asides(store)


def test_a_name_is_the_same_however_the_host_writes_it(store):
    store.put(Preset(note="n"), name="pony.v6.safetensors [0123456789]")
    assert store.all().keys() == {"name:pony.v6"}
    for name in ("pony.v6", "pony.v6.ckpt", "elsewhere\\pony.v6.SafeTensors", "pony.v6 [abcdef12]"):
        assert store.get(name=name).note == "n"
    store.learn_hash("pony.v6.safetensors", SHA)
    assert store.get(SHA).name == "pony.v6.safetensors [0123456789]"


@pytest.mark.parametrize("saved, asked", [("NFD", "NFC"), ("NFC", "NFD")])
@pytest.mark.parametrize("name", ["caf\u00e9", "\u30ac\u30fc\u30eb", "\ud55c\uae00/a"])
def test_a_name_is_the_same_however_a_system_writes_its_accents(store, name, saved, asked):
    saved, asked = (unicodedata.normalize(form, name) for form in (saved, asked))
    store.put(Preset(note="n"), name=saved)
    assert store.get(name=asked).note == "n"
    write(store, {"schema": 1, "presets": {f"name:{saved}": {"note": "old"}}})  # as it was kept until now
    assert store.get(name=asked).note == "old" and store.check() == ()
    store.learn_hash(f"{asked}.safetensors", SHA)
    assert list(store.raw()) == [SHA] and store.get(SHA).note == "old"


def test_a_hash_in_capitals_is_the_hash(store):
    write(store, {"schema": 1, "presets": {"AB" * 32: {"note": "n"}}})
    assert store.get("ab" * 32).note == "n" and store.check() == ()


def test_keys_that_would_be_one_are_both_kept(store):
    one, other = "aB" * 32, "Ab" * 32
    presets = {one: {"note": "a"}, other: {"note": "b"}}
    write(store, {"schema": 1, "presets": presets})
    assert dict(store.raw()) == presets


def test_a_name_is_kept_with_its_folder(store):
    store.put(Preset(note="n"), name="models/SD/pony.safetensors [0123456789]")
    store.put(Preset(note="x"), name="XL\\pony.ckpt")
    assert store.all().keys() == {"name:SD/pony", "name:XL/pony"}
    assert store.get(name="/webui/models/SD/pony.safetensors").note == "n" and store.get(name="XL/pony").note == "x"
    assert store.get(name="pony") is store.get(name="other/pony") is None
    store.put(Preset(note="any"), name="pony")
    assert store.get(name="other/pony").note == "any" and store.get(name="SD/pony").note == "n"
    store.learn_hash("/webui/models/SD/pony.safetensors", SHA)
    assert store.all().keys() == {SHA, "name:XL/pony", "name:pony"}


@pytest.mark.parametrize(
    "raw, fitting",
    [
        ({"skip": {"l": 2}}, {"sd1", "sdxl", "sd3", "unknown"}),
        ({"skip": {"l": 2}, "architecture": "sd1"}, {"sd1", "unknown"}),
        ({"note": "n", "architecture": "sdxl"}, {"sdxl", "unknown"}),
        ({"skip": {"l": 2, "g": 3}}, {"sdxl", "sd3", "unknown"}),
        ({"skip": {"l": 2, "g": 2, "h": 2}}, {"sd1", "sd2", "sdxl", "sd3", "unknown"}),
        ({"note": "n"}, {"sd1", "sd2", "sdxl", "sd3", "unknown"}),
    ],
)
def test_a_name_is_a_models_whose_architecture_fits(store, raw, fitting):
    write(store, {"schema": 1, "presets": {"name:a": raw}})
    ids = ("sd1", "sd2", "sdxl", "sd3", "unknown")
    assert {id for id in ids if store.get(name="a", architecture=ARCHITECTURES[id])} == fitting
    for id in set(ids) - fitting:
        store.learn_hash("a", SHA, ARCHITECTURES[id])
    assert store.all().keys() == {"name:a"}
    store.learn_hash("a", SHA, ARCHITECTURES[sorted(fitting)[0]])
    assert dict(store.raw()) == {SHA: {name: value for name, value in raw.items() if name != "architecture"}}


def test_a_value_that_equals_a_bad_one_is_written(store):
    write(store, {"schema": 1, "presets": {SHA: {"skip": {"l": True}}}})  # True == 1
    store.put(Preset(skip={"l": 1}), sha256=SHA)
    assert store.check() == () and store.get(SHA).skip == {"l": 1}


BROKEN = [
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\xff",
    b'{"schema": 1, "presets": []}',
    b'{"schema": "1", "presets": {}}',
    b'{"schema": true, "presets": {}}',
    b'{"schema": 0.5, "presets": {}}',
    b'{"txt2img_steps": {"a": 1}}',
    b'{"anime": 2}',
    b"[" * 100_000,
    b'{"schema": ' + b"9" * 10_000 + b"}",
]


@pytest.mark.parametrize("data", BROKEN, ids=lambda data: repr(data[:30]))
def test_a_file_that_cant_be_read_is_set_aside_and_said_so(store, data, caplog):
    write(store, data)
    assert store.get(SHA) is None
    assert len(store.problems) == 1 and "can't be read" in store.problems[0]
    assert store.path.read_bytes() == data  # reading changes nothing
    assert "can't be read" in caplog.text
    store.put(Preset(note="new"), sha256=SHA)
    ((name, kept),) = asides(store).items()
    assert kept == data and re.fullmatch(r"presets\.broken-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.json", name)
    assert len(store.problems) == 1 and f"was set aside as {name}" in store.problems[0]
    assert Store(store.folder).get(SHA).note == "new" and Store(store.folder).problems == ()


def test_files_set_aside_in_the_same_second_are_all_kept(store, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda format: "2026-11-22T03-04-05")
    for index in range(3):
        write(store, b"{broken %d" % index)
        store.put(Preset(note=str(index)), sha256=SHA)
    assert asides(store) == {
        "presets.broken-2026-11-22T03-04-05.json": b"{broken 0",
        "presets.broken-2026-11-22T03-04-05-2.json": b"{broken 1",
        "presets.broken-2026-11-22T03-04-05-3.json": b"{broken 2",
    }


def test_while_the_file_is_broken_what_was_read_before_goes_on(store):
    store.put(Preset(note="good"), sha256=SHA)
    good = store.path.read_bytes()
    assert store.get(SHA).note == "good"
    write(store, good[:-5])
    assert store.get(SHA).note == "good" and "1 presets that were read before go on" in store.problems[0]
    write(store, good.replace(b"good", b"better"))
    assert store.get(SHA).note == "better" and store.problems == ()
    write(store, b"{")
    store.put(Preset(note="more"), name="other")
    assert {preset.note for preset in Store(store.folder).all().values()} == {"better", "more"}


def test_a_name_given_twice_by_hand_is_set_aside_before_one_is_dropped(store):
    data = f'{{"schema": 1, "presets": {{"{SHA}": {{"note": "1"}}, "{SHA}": {{"note": "2"}}}}}}'.encode()
    write(store, data)
    assert store.get(SHA).note == "2"
    assert "is there twice" in store.check()[0]
    store.put(Preset(), name="x")
    assert list(asides(store).values()) == [data]
    assert store.get(SHA).note == "2" and "was set aside" in store.problems[0]


def twice(*names):
    presets = ", ".join(f'"{name}": {{"note": "{index}"}}' for name in names for index in (1, 2))
    return f'{{"schema": 1, "presets": {{{presets}}}}}'.encode()


@pytest.mark.parametrize("data, why", [
    (b"null", "it holds None where an object is expected"),
    (b"[" * 100_000, "it is nested too deeply"),
    (b'{"schema": 1, "presets": []}', '"presets" is a list, not an object'),
    (b'{"schema": 0.5, "presets": {}}', '"schema" is 0.5, not a whole number from 1'),
    (twice("name:a"), "name:a was there twice"),
    (twice("name:a", "name:b"), "name:a, name:b was there twice"),
    (twice("name:" + "x" * 200), "name:" + "x" * 75 + " was there twice"),
], ids=lambda value: repr(value[:30]))  # fmt: skip
def test_what_is_set_aside_is_said_with_the_copys_name_and_the_reason(store, data, why, caplog):
    write(store, data)
    store.put(Preset(note="new"), name="new")
    (name,) = asides(store)
    said = f"{store.path} was set aside as {name} when presets were saved: {why}"
    assert store.problems == (said,) and said in caplog.messages
    store.put(Preset(note="newer"), name="new")
    assert store.problems == (said,) and list(asides(store)) == [name]  # once


def test_of_a_file_that_was_doubled_before_it_broke_the_break_is_said(store):
    write(store, twice("name:a"))
    assert store.get(name="a").note == "2"
    write(store, b"null")
    store.put(Preset(note="new"), name="new")
    (said,) = store.problems
    assert said.endswith(": it holds None where an object is expected")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_what_editors_write_is_read(store, encoding):
    write(store, json.dumps({"schema": 1, "presets": {"name:ü": {"note": "é"}}}, ensure_ascii=False).encode(encoding))
    assert store.get(name="ü").note == "é" and store.problems == ()


def test_an_edit_within_one_tick_of_the_clock_is_noticed(store, monkeypatch):
    store.put(Preset(note="1"), sha256=SHA)
    tick = os.stat(store.path).st_mtime_ns
    monkeypatch.setattr(time, "time_ns", lambda: tick)  # however long this takes
    assert store.get(SHA).note == "1"
    with open(store.path, "r+b") as file:  # in place: the same file, size and time
        file.write(store.path.read_bytes().replace(b'"1"', b'"2"'))
    os.utime(store.path, ns=(tick, tick))
    assert store.get(SHA).note == "2"


def test_a_file_that_did_not_change_is_not_read_again(store, monkeypatch):
    store.put(Preset(note="1"), sha256=SHA)
    long_ago = time.time_ns() - 60 * 10**9
    os.utime(store.path, ns=(long_ago, long_ago))
    assert store.get(SHA).note == "1"
    monkeypatch.setattr("builtins.open", lambda *args, **kwargs: pytest.fail("the file was read"))
    assert store.get(SHA).note == "1"


def test_a_deleted_file_is_an_empty_store(store):
    store.put(Preset(), sha256=SHA)
    store.path.unlink()
    assert store.all() == {} and store.problems == ()


def test_a_link_stays_a_link_and_the_mode_stays(store, tmp_path):
    real = tmp_path / "synced.json"
    real.write_text("{}")
    real.chmod(0o664)
    store.folder.mkdir()
    store.path.symlink_to(real)
    store.put(Preset(note="x"), sha256=SHA)
    assert store.path.is_symlink() and json.loads(real.read_bytes())["presets"][SHA] == {"note": "x"}
    assert stat.S_IMODE(real.stat().st_mode) == 0o664


def test_a_new_file_has_the_users_usual_mode(store):
    before = os.umask(0o027)
    try:
        store.put(Preset(), sha256=SHA)
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o640


@pytest.mark.parametrize("value", [float("inf"), 10**400, "\udc80", {"deep": [[[{}]]]}, "</script>\u2028"])
def test_odd_unknown_values_stay(store, value):
    store.change(lambda presets: presets.update({SHA: {"future": value}}))
    store.put(Preset(note="n"), sha256=SHA)
    assert Store(store.folder).raw()[SHA] == {"future": value, "note": "n"}


def test_a_change_that_fails_changes_nothing(store):
    store.put(Preset(note="n"), sha256=SHA)
    before = store.path.read_bytes()

    def edit(presets):
        presets.clear()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.change(edit)
    assert store.path.read_bytes() == before and parse_preset(store.raw()[SHA]).note == "n"
