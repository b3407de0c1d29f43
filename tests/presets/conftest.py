from __future__ import annotations

import os

import pytest

from clip_skip.models.presets import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "clip-skip")


@pytest.fixture
def no_fsync(monkeypatch):
    """For tests of thousands of saves that pull no plug."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
