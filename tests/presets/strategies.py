"""Presets and JSON values for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from clip_skip.models.presets import Mark, Preset
from clip_skip.skip.architectures import DEEPEST_SKIP, ENCODER_IDS


def _json(floats):
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(10**20), 10**20) | floats | st.text(max_size=8),
        lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
        max_leaves=6,
    )


JSON = _json(st.floats(allow_nan=False, allow_infinity=False))
SKIPS = st.fixed_dictionaries({}, optional={id: st.floats(1, DEEPEST_SKIP[id]) for id in ENCODER_IDS})
TEXT = st.text(max_size=12)
PRESETS = st.builds(
    Preset,
    name=TEXT,
    skip=SKIPS,
    blend=st.sampled_from(["linear", "slerp"]),
    lineage=st.sampled_from([None, *Mark]),
    silenced=st.frozensets(st.sampled_from(["not-nai", "too-deep", "é"])),
    note=TEXT,
)
HASHES = [digit * 64 for digit in "0af"]
NAMES = ["a", "name:b", "ü \U0001f600", 'q"\\\n', "surrogate \udcff"]
# Mostly fields that are known, with values that may be anything: Python writes, and reads, what JSON does not have.
WILD = _json(st.floats(allow_nan=False))
RAW = st.dictionaries(st.sampled_from(["name", "skip", "blend", "lineage", "silenced", "note", "future"]), WILD) | WILD
