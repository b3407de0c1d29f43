"""One preset: hostile values in, named refusals out; what is written reads back; nothing is lost in merging."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.models.presets.preset import FIELDS, Preset, is_key, join, key_of, merge, parse_preset, stem, write

from .strategies import JSON, PRESETS, RAW


@given(JSON | RAW)
def test_reading_never_raises_and_keeps_only_values_in_range(raw):
    preset = parse_preset(raw)
    assert all(1 <= skip <= {"l": 12, "g": 32, "h": 23}[id] for id, skip in preset.skip.items())
    assert preset.blend in ("linear", "slerp")
    assert preset.lineage in (None, "nai-derived", "not-nai")
    assert all(isinstance(id, str) for id in preset.silenced)
    assert isinstance(preset.note, str) and isinstance(preset.name, str)
    assert all(len(refusal.value) <= 80 for refusal in preset.refusals)


@given(PRESETS)
def test_what_is_written_reads_back(preset):
    assert parse_preset(json.loads(json.dumps(write(preset)))) == preset


@pytest.mark.parametrize(
    "raw, said",
    [
        ({"skip": {"l": 2, "g": 99}}, "skip.g 99 was refused, accepted is a number from 1 to 32"),
        ({"skip": {"h": "deep"}}, 'skip.h "deep" was refused, accepted is a number from 1 to 23'),
        ({"skip": {"l": True}}, "skip.l True was refused, accepted is a number from 1 to 12"),
        ({"skip": 2}, 'skip 2 was refused, accepted is an object such as {"l": 2}'),
        ({"blend": "cubic"}, 'blend "cubic" was refused, accepted is "linear" or "slerp"'),
        ({"lineage": "nai"}, 'lineage "nai" was refused, accepted is "nai-derived" or "not-nai"'),
        ({"silenced": "not-nai"}, 'silenced "not-nai" was refused, accepted is a list of advice ids'),
        ({"note": 5}, "note 5 was refused, accepted is text"),
        (5, 'preset 5 was refused, accepted is an object such as {"skip": {"l": 2}}'),
    ],
)
def test_a_bad_field_is_named_and_reads_as_its_default(raw, said):
    preset = parse_preset(raw)
    assert [str(refusal) for refusal in preset.refusals] == [said]
    assert preset == Preset()


def test_a_bad_field_leaves_the_others_in_use():
    preset = parse_preset({"skip": {"l": 0}, "lineage": "not-nai", "note": "keep"})
    assert (preset.skip, preset.lineage, preset.note) == ({}, "not-nai", "keep")


def test_null_is_not_given():
    assert parse_preset({"skip": {"l": None, "g": 2}, "lineage": None, "note": None}) == Preset(skip={"g": 2})


@pytest.mark.parametrize(
    "preset",
    [
        Preset(skip={"l": 0.5}),
        Preset(skip={"l": float("nan")}),
        Preset(skip={"g": float("inf")}),
        Preset(blend="cubic"),
        Preset(lineage="nai"),
        Preset(note=5),
    ],
)
def test_writing_refuses_what_reading_would(preset):
    with pytest.raises(ValueError, match="was refused, accepted is"):
        write(preset)


@given(RAW, PRESETS)
def test_an_unchanged_preset_changes_nothing_that_is_saved(raw, new):
    if isinstance(raw, dict):
        assert merge(raw, parse_preset(raw, "key"), ["key"]) == raw
        merged = merge(raw, new, ["key"])
        assert parse_preset(merged) == new
        assert {k: v for k, v in merged.items() if k not in FIELDS} == {k: v for k, v in raw.items() if k not in FIELDS}


@given(PRESETS, PRESETS, PRESETS)
def test_changes_of_two_programs_to_different_fields_are_both_kept(start, mine, theirs):
    raw = write(start)
    seen = parse_preset(raw, "key")
    by_them = merge(raw, Preset(**{**vars(seen), "note": theirs.note, "lineage": theirs.lineage}), ["key"])
    both = parse_preset(merge(by_them, Preset(**{**vars(seen), "skip": mine.skip, "blend": mine.blend}), ["key"]))
    assert (both.note, both.lineage, both.skip, both.blend) == (theirs.note, theirs.lineage, mine.skip, mine.blend)


def test_advice_silenced_by_two_programs_is_silenced_for_both():
    raw = {"silenced": ["a", "b"]}
    seen = parse_preset(raw, "key")
    by_them = merge(raw, Preset(silenced=frozenset("abc"), origin=seen.origin), ["key"])
    assert parse_preset(merge(by_them, Preset(silenced=frozenset("bd"), origin=seen.origin), ["key"])).silenced == set(
        "bcd"
    )


def test_encoders_of_the_future_stay():
    assert merge({"skip": {"t": 3, "l": 5}}, Preset(skip={"l": 2}), []) == {"skip": {"t": 3, "l": 2}}


def leaves(raw):
    """Every field's value somewhere in `raw`, as JSON text."""
    if isinstance(raw, dict):
        return {json.dumps(value, sort_keys=True) for value in raw.values()}.union(*map(leaves, raw.values()))
    return set().union(*map(leaves, raw)) if isinstance(raw, list) else set()


@given(
    st.dictionaries(st.sampled_from([*FIELDS, "future"]), JSON), st.dictionaries(st.sampled_from([*FIELDS, "x"]), JSON)
)
def test_joining_loses_no_value_and_the_hash_wins(sure, other):
    joined = join(sure, other, "name:a")
    union = {"silenced"} if not parse_preset(sure).refusals and not parse_preset(other).refusals else set()
    assert all(joined[name] == value for name, value in sure.items() if name not in union | {"earlier"})
    assert all(joined[name] == value for name, value in other.items() if name not in {*sure, *union})
    kept = leaves(joined)
    for name, value in other.items():
        if name not in ("name", "silenced"):
            # 1 == True == 1.0: equal values are not kept twice.
            assert json.dumps(value, sort_keys=True) in kept or joined[name] == value
    if union:
        assert parse_preset(joined).silenced == parse_preset(sure).silenced | parse_preset(other).silenced


def test_joining_keeps_what_is_no_preset_at_all():
    assert leaves(join(5, {"note": "n"}, "name:a")) >= {"5", '"n"'}
    assert leaves(join({"note": "n"}, [7], "name:a")) >= {"[7]", '"n"'}


def test_keys():
    assert key_of("A" * 64) == "a" * 64
    assert key_of("a" * 64, "model") == "a" * 64
    assert key_of(None, "model") == "name:model"
    assert key_of("", "model") == "name:model"
    assert is_key("a" * 64) and is_key("name:x")
    assert (
        not is_key("name:a.ckpt")
        and not is_key("A" * 64)
        and not is_key("a" * 63)
        and not is_key("name:")
        and not is_key("")
    )
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        key_of("6ce0161689")
    with pytest.raises(ValueError, match="SHA-256 or its name"):
        key_of()


@pytest.mark.parametrize(
    "name, expected",
    [
        ("sub/dir/model.v1.5.safetensors [0123456789]", "model.v1.5"),
        ("sub\\model.ckpt", "model"),
        ("model.v1", "model.v1"),
        ("a [b].ckpt", "a [b]"),
        ("a.ckpt.safetensors", "a"),
        (".ckpt", ".ckpt"),
        ("folder/", "folder/"),
        ("", ""),
    ],
)
def test_stems(name, expected):
    assert stem(name) == expected


@given(st.text(alphabet="ab./\\[] 0123456789ckpt", max_size=30))
def test_a_stem_is_its_own_stem_and_never_nothing(name):
    assert stem(stem(name)) == stem(name)
    assert bool(stem(name)) == bool(name)
    assert not name or is_key(key_of(name=name))
