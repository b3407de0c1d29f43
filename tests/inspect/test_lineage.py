"""What the facts add up to."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clip_skip
from clip_skip.models.inspect.evidence.evidence import CERTAIN, HINT, PROBABLE, STRONG, Evidence, Strength, Verdict
from clip_skip.models.inspect.verdict.ladder import (
    LADDER,
    architecture_evidence,
    deciding,
    hash_evidence,
    judge,
    legacy_evidence,
    mark_evidence,
    name_evidence,
    order,
)
from clip_skip.skip.architectures import ARCHITECTURES

NAI = "89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8"
SD15 = "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa"

FACTS = st.builds(
    Evidence, st.sampled_from(LADDER), st.sampled_from(Strength), st.text(max_size=5), st.sampled_from(Verdict)
)
HINTS = st.builds(Evidence, st.sampled_from(LADDER), st.just(HINT), st.just("a hint"), st.sampled_from(Verdict))


def fact(id, strength, verdict):
    return Evidence(id, strength, "a fact", verdict)


def test_every_kind_of_fact_has_its_rung():
    """Evidence(...) anywhere in the package begins with an id of the ladder, and each rung is used."""
    used = set()
    for path in Path(clip_skip.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Evidence"
                and node.args
            ):
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
                used.add(node.args[0].value)
    assert used == set(LADDER)


@given(st.lists(FACTS), st.lists(HINTS))
def test_hints_never_change_the_verdict(facts, hints):
    assert judge([*hints, *facts]) == judge([*facts, *hints]) == judge(facts)


@given(st.lists(HINTS))
def test_hints_alone_decide_nothing(hints):
    assert judge(hints) == "unknown" and deciding(hints) is None


@given(st.lists(FACTS.filter(lambda fact: fact.id != "user-mark")), st.sampled_from(Verdict))
def test_the_users_mark_wins(facts, mark):
    expected = judge(facts) if mark == "unknown" else mark
    assert judge([*facts, *mark_evidence(mark)]) == judge([*mark_evidence(mark), *facts]) == expected


@given(st.lists(FACTS))
def test_order_loses_nothing_and_begins_with_what_decides(facts):
    ordered = order(facts)
    assert sorted(map(id, ordered)) == sorted(map(id, facts))
    speaking = [fact for fact in ordered if fact.verdict != "unknown"]
    assert not speaking or speaking[0].strength == HINT or speaking[0] == deciding(facts)
    assert [fact.strength == HINT for fact in ordered] == sorted(fact.strength == HINT for fact in ordered)


@pytest.mark.parametrize(
    "facts, verdict",
    [
        ([], "unknown"),
        ([fact("merge-recipe", STRONG, "nai-derived"), fact("unet-weights", STRONG, "not-nai")], "nai-derived"),
        ([fact("trainer-metadata", PROBABLE, "nai-derived"), fact("unet-weights", STRONG, "not-nai")], "not-nai"),
        ([fact("sidecar-hash", PROBABLE, "not-nai"), fact("trainer-metadata", PROBABLE, "nai-derived")], "nai-derived"),
        ([fact("known-file", CERTAIN, "not-nai"), fact("merge-recipe", STRONG, "nai-derived")], "not-nai"),
        ([fact("unet-weights", STRONG, "contains-nai")], "contains-nai"),
        # A recipe's probable name goes before weights that could not tell.
        ([fact("unet-weights", STRONG, "unknown"), fact("merge-recipe", PROBABLE, "nai-derived")], "nai-derived"),
        ([fact("merge-recipe", HINT, "nai-derived"), fact("unet-weights", STRONG, "not-nai")], "not-nai"),
        ([fact("merge-recipe", PROBABLE, "contains-nai"), fact("merge-recipe", STRONG, "nai-derived")], "nai-derived"),
        ([fact("of another version", STRONG, "nai"), fact("sidecar-hash", PROBABLE, "not-nai")], "not-nai"),
    ],
)
def test_the_ladder(facts, verdict):
    assert judge(facts) == judge(facts[::-1]) == verdict


def test_known_file():
    (found,) = hash_evidence(NAI.upper())
    assert (found.id, found.strength, found.verdict) == ("known-file", CERTAIN, "nai")
    assert '"animefull-final-pruned.ckpt"' in found.text
    assert [found.verdict for found in hash_evidence(SD15)] == ["not-nai"]
    for sha256 in (None, "", "x", NAI[:10], "0" * 64):
        assert hash_evidence(sha256) == []


def test_short_hash_and_name_are_hints():
    assert [(f.id, f.strength, f.verdict) for f in legacy_evidence("925997e9")] == [("legacy-hash", HINT, "nai")]
    assert [(f.id, f.strength, f.verdict) for f in name_evidence("AOM3A1.ckpt")] == [("name", HINT, "nai-derived")]
    assert legacy_evidence(None) == legacy_evidence("00000000") == name_evidence("noobai.safetensors") == []


@pytest.mark.parametrize("mark", [None, "", "unknown", "yes", 1, ["nai"]])
def test_a_mark_that_is_none(mark):
    assert mark_evidence(mark) == []


@pytest.mark.parametrize("id", sorted(ARCHITECTURES))
def test_other_architectures_are_no_descendants(id):
    found = architecture_evidence(ARCHITECTURES[id])
    if id in ("sd1", "unknown"):
        assert found == []
    else:
        assert [(f.id, f.strength, f.verdict) for f in found] == [("architecture", CERTAIN, "not-nai")]
        assert "SD 1.x" in found[0].text and "This model" not in found[0].text


@pytest.mark.parametrize("name", ["nai.safetensors", "animefull-xl.safetensors", "novelai_sdxl.safetensors"])
def test_an_sdxl_model_named_nai(name):
    facts = [*name_evidence(name), *hash_evidence(None), *architecture_evidence(ARCHITECTURES["sdxl"])]
    assert len(facts) == 2 and judge(facts) == "not-nai"


@pytest.mark.parametrize("name", ["noobaiXLNAIXL_epsilonPred10Version.safetensors", "NoobAI-XL-v1.1.safetensors"])
def test_noobai(name):
    assert name_evidence(name) == []
    assert judge([*name_evidence(name), *architecture_evidence(ARCHITECTURES["sdxl"])]) == "not-nai"
    assert judge([*name_evidence(name), *architecture_evidence(ARCHITECTURES["unknown"])]) == "unknown"
