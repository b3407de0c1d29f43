"""Names that files, the API and scripts have as text: each is that text, wherever it goes, on every Python."""

import json

import pytest

from clip_skip.advice.names import ActionId, AdviceId, Severity
from clip_skip.interfaces.ui import advice_view, models_view, presets_view
from clip_skip.models.inspect.evidence.evidence import Strength, Verdict
from clip_skip.models.presets.preset import Mark

FIXED = {
    Severity: ["error", "warning", "caution", "hint", "info"],
    AdviceId: [
        "not-nai",
        "nai-unverified",
        "off-recommended",
        "off-trained",
        "other-numbering",
        "past-trained",
        "nai-below",
        "lora-mismatch",
        "too-deep",
        "no-effect",
        "not-applied",
        "bad-value",
        "not-a-tag",
        "not-compared",
    ],
    ActionId: ["use", "nai-derived", "not-nai", "silence", "yes", "no", "unsure"],
    Verdict: ["nai", "nai-derived", "contains-nai", "not-nai", "unknown"],
    Strength: ["certain", "strong", "probable", "hint"],
    Mark: ["nai-derived", "not-nai"],
}
# Errors, what did not do what somebody wrote, and a part of another.
UNSILENCED = set(map(AdviceId, ("not-applied", "bad-value", "not-a-tag", "not-compared", "other-numbering")))


@pytest.mark.parametrize("kind", FIXED)
def test_the_names_are_fixed_and_are_their_text(kind):
    assert list(kind) == FIXED[kind] and {name: 1 for name in kind} == {text: 1 for text in FIXED[kind]}
    for name, text in zip(kind, FIXED[kind], strict=True):
        assert (str(name), f"{name}", f"{name:<20}|", "-".join([name])) == (text, text, f"{text:<20}|", text)
        assert json.dumps({name: name}) == json.dumps({text: text})
        assert kind(text) is name


def test_every_mark_is_a_verdict_and_an_action():
    assert set(Mark) <= set(Verdict) and set(Mark) == set(ActionId) - {"use", "silence", "yes", "no", "unsure"}


@pytest.mark.parametrize(
    "table, kind",
    [
        (advice_view._SEVERITIES, Severity),
        (advice_view.VERDICTS, Verdict),
        (models_view._LINEAGES, Verdict),
        (advice_view._STRENGTHS, Strength),
        (presets_view._SILENCED, set(AdviceId) - UNSILENCED),
        ([mark for mark in presets_view.MARKS.values() if mark], Mark),
    ],
    ids=["severities", "verdicts", "lineages", "strengths", "silenced", "marks"],
)
def test_a_table_has_each_name(table, kind):
    assert set(table) == set(kind)
