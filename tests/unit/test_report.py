"""What a finished job tells: where, from which severity on, and that nothing of it is lost or changed."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from clip_skip.advice.names import Severity
from clip_skip.advice.report import report
from clip_skip.advice.rules import Advice, not_applied
from clip_skip.interfaces.settings import shown_at
from clip_skip.text.phrase import Data

ALL = [Advice(f"a-{severity}", severity, f"It is {severity}.", ("Why", Data(" 1"))) for severity in Severity]
FAILED = not_applied(["l"], "no")
TOLD = "a-warning: It is warning. Why 1; a-caution: It is caution. Why 1"


def done(comments="", params=None):
    return SimpleNamespace(comments=comments, extra_generation_params=params)


def opts(**places):
    """What is shown where, as the settings say."""
    kept = SimpleNamespace(**{f"clip_skip_ext_advice_{place}": severity for place, severity in places.items()})
    return lambda *where: shown_at(*where, kept)


@pytest.fixture
def logged(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    caplog.set_level(logging.INFO, "clip_skip")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize("before, lines", [
    ("", []), (None, []), ("said before", ["said before"]), ("a\nb\n", ["a", "b"]),
])  # fmt: skip
def test_comments_keep_what_they_had_and_get_a_line_for_each_sentence(before, lines):
    processed = done(before)
    report(processed, [FAILED], ALL[1:], opts())
    expected = [*FAILED.lines, "It is warning.", "It is caution."]
    assert processed.comments.split("\n") == [*lines, *expected]


@pytest.mark.parametrize("before", [None, {}, {"Hires upscale": 2}])
def test_the_apis_info_has_ids_and_reasons_in_a_dictionary_of_its_own(before):
    kept = None if before is None else dict(before)
    processed = done(params=before)
    report(processed, [], ALL[1:], opts())
    assert processed.extra_generation_params == {**(before or {}), "CLIP skip advice": TOLD}
    assert before == kept


def test_where_there_is_nothing_to_tell_nothing_is_touched(logged):
    params = {"Hires upscale": 2}
    for judged in ([], ALL[3:]):
        processed = done("a\n", params)
        report(processed, [], judged, opts())
        assert processed.comments == "a\n" and processed.extra_generation_params is params
    assert logged() == []


@pytest.mark.parametrize("least", Severity)
def test_each_place_has_its_own_least_severity(logged, least):
    expected = list(Severity)[: least.rank + 1]
    processed = done()
    report(processed, [], ALL, opts(result=least, log="error"))
    sentences = [line for line in processed.comments.split("\n") if line.startswith("It is")]
    assert sentences == [f"It is {severity}." for severity in expected]
    assert [message for _, message in logged()] == ["It is error. Why 1"]
    report(done(), [], ALL, opts(result="error", log=least))
    assert [message for _, message in logged()[1:]] == [f"It is {severity}. Why 1" for severity in expected]


def test_what_failed_is_told_under_every_setting_and_was_logged_already(logged):
    processed = done()
    report(processed, [FAILED], [], opts(result="error", log="error"))
    assert processed.comments.split("\n") == FAILED.lines and logged() == []
    assert processed.extra_generation_params == {"CLIP skip advice": f"not-applied: {FAILED}"}


def test_the_logs_own_levels(logged):
    report(done(), [], ALL, opts(log="info"))
    assert [level for level, _ in logged()] == ["WARNING", "WARNING", "WARNING", "INFO", "INFO"]
