"""The skip that follows from what was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.models.inspect.evidence.evidence import CERTAIN, HINT, PROBABLE, STRONG, Evidence, SkipStatement
from clip_skip.models.inspect.evidence.known import KnownModel, lookup
from clip_skip.models.inspect.verdict.recommend import SKIP_LADDER, author_statement, recommend, trained_skip
from clip_skip.skip.architectures import ARCHITECTURES

SD1 = ARCHITECTURES["sd1"]
NAI = lookup("89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8")
ANYTHING = lookup("543bcbc21294831c6245cd74c8a7707761e28812c690f946cb81fef930d54b5e")
AOM1 = lookup("6bb3a5a3b1eadd32dfbc8f0987559c48cb4177aee7582baa6d6a25181929b345")
AOM3 = lookup("d124fc18f0232d7f0a2a70358cdb1288af9e1ee8596200f50f0936be59514f6d")


def said(id, skip, trained=False):
    return SkipStatement(id, f"{id} says so.", {} if skip is None else {"l": skip}, trained)


def fact(id, strength, verdict="nai-derived"):
    return Evidence(id, strength, "a fact", verdict)


DESCENDS = [fact("unet-weights", STRONG)]


def answer(statements=(), known=None, verdict="unknown", evidence=(), architecture=SD1):
    author = author_statement(known) if known else None
    found = recommend(architecture, [*statements, *([author] if author else [])], verdict, evidence)
    return found and (found.skip, found.source)


@given(
    st.permutations(SKIP_LADDER[:-1]).flatmap(
        lambda ids: st.integers(1, len(ids)).map(
            lambda count: [said(id, 1.0 + SKIP_LADDER.index(id)) for id in ids[:count]]
        )
    )
)
def test_the_weightiest_statement_wins(statements):
    weightiest = min(SKIP_LADDER.index(statement.id) for statement in statements)
    assert answer(statements, verdict="nai-derived", evidence=DESCENDS) == (
        {"l": 1.0 + weightiest},
        SKIP_LADDER[weightiest],
    )


@pytest.mark.parametrize(
    "statements, known, expected",
    [
        ([], None, None),
        ([said("modelspec", None), said("yaml", 2)], None, ({"l": 2}, "yaml")),
        ([said("sample-images", 2)], AOM1, ({"l": 1}, "known-author")),
        ([said("ss-clip-skip", 2)], AOM1, ({"l": 2}, "ss-clip-skip")),
        ([], NAI, ({"l": 2}, "known-author")),
        ([], AOM3, None),
        ([said("sample-images", 2)], AOM3, ({"l": 2}, "sample-images")),
        ([], ANYTHING, None),
        ([said("somebody", 5)], None, None),
    ],
)
def test_statements(statements, known, expected):
    assert answer(statements, known) == expected


@pytest.mark.parametrize("id", ["user-mark", "known-file", "merge-recipe", "unet-weights", "ema-updates"])
@pytest.mark.parametrize("verdict", ["nai", "nai-derived"])
def test_a_sure_descendant_is_recommended_novelais_own(id, verdict):
    strength = CERTAIN if id in ("user-mark", "known-file") else STRONG
    assert answer(verdict=verdict, evidence=[fact(id, strength, verdict)]) == ({"l": 2}, "nai-lineage")


@pytest.mark.parametrize(
    "verdict, evidence",
    [
        ("nai-derived", [fact("trainer-metadata", PROBABLE)]),
        ("nai-derived", [fact("sidecar-hash", PROBABLE)]),
        ("unknown", [fact("merge-recipe", HINT)]),
        ("nai-derived", [fact("merge-recipe", PROBABLE)]),
        ("contains-nai", [fact("unet-weights", STRONG, "contains-nai")]),
        ("not-nai", [fact("known-file", CERTAIN, "not-nai")]),
        ("unknown", []),
        ("nai-derived", []),
    ],
)
def test_anything_less_is_not(verdict, evidence):
    assert answer(verdict=verdict, evidence=evidence) is None


def test_descent_never_stands_against_a_word():
    assert answer([said("description", 1)], verdict="nai-derived", evidence=DESCENDS) == ({"l": 1}, "description")
    assert answer([], AOM1, "nai-derived", DESCENDS) == ({"l": 1}, "known-author")


def test_no_preference_is_an_answer():
    assert answer([], AOM3, "nai-derived", DESCENDS) is None
    assert answer([said("description", None)], None, "nai-derived", DESCENDS) is None
    # A number that was none is no word at all.
    assert answer([said("modelspec", None)], None, "nai-derived", DESCENDS) == ({"l": 2}, "nai-lineage")
    assert answer([], ANYTHING, "nai-derived", DESCENDS) == ({"l": 2}, "nai-lineage")


@pytest.mark.parametrize("id", sorted(set(ARCHITECTURES) - {"sd1"}))
def test_other_architectures_are_read_where_they_were_trained(id):
    statements = [SkipStatement("modelspec", "says 3", {"l": 2.0, "g": 2.0}, True)]
    assert answer(statements, NAI, "nai", [fact("user-mark", CERTAIN, "nai")], ARCHITECTURES[id]) is None


def test_author_statement():
    assert author_statement(NAI).skip == {"l": 2} and author_statement(AOM1).skip == {"l": 1}
    assert author_statement(AOM3).skip == {} and "1 or 2" in author_statement(AOM3).text
    assert author_statement(ANYTHING) is None
    assert author_statement(KnownModel("x", "nai", "y", (1.5,))).skip == {"l": 1.5}


@pytest.mark.parametrize(
    "statements, expected",
    [
        ([], None),
        ([said("ss-clip-skip", 2, True)], 2),
        ([said("trained-layers", 3, True), said("ss-clip-skip", 2, True)], 2),
        ([said("modelspec", None, True), said("trained-layers", 2, True)], 2),
        ([said("lora-manager", 2), said("known-author", 2)], None),
        ([SkipStatement("ot-config", "says 0, 0", {"l": 1.0, "g": 1.0}, True)], None),
    ],
)
def test_trained_skip(statements, expected):
    assert trained_skip(statements) == expected
