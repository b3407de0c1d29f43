"""Regular expressions that are compiled late: as Python's own, but for when."""

from __future__ import annotations

import re

import pytest

from clip_skip.text.regex import regex


def test_it_does_what_python_does():
    late, ours = regex(r"(?P<n>\d+)-?", re.IGNORECASE), re.compile(r"(?P<n>\d+)-?", re.IGNORECASE)
    text = "a 1-22 b"
    assert late.findall(text) == ours.findall(text)
    assert late.sub("x", text, count=1) == ours.sub("x", text, count=1)
    assert [match.span("n") for match in late.finditer(text, 3)] == [
        match.span("n") for match in ours.finditer(text, 3)
    ]
    assert (late.pattern, late.flags, late.groupindex) == (ours.pattern, ours.flags, ours.groupindex)
    with pytest.raises(AttributeError):
        late.no_such_method  # noqa: B018


def test_it_is_compiled_once_and_only_when_it_is_used(monkeypatch):
    compiled = []
    python = re.compile
    monkeypatch.setattr(re, "compile", lambda *source: compiled.append(source) or python(*source))
    late = regex("a")
    assert compiled == []
    assert late.search("a") and late.search("a") and late.match("a")
    assert compiled == [("a", 0)]
