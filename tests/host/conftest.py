"""Minihosts with the extension loaded, one data folder for the session."""

from __future__ import annotations

import pytest

import minihost
from tests.conftest import ROOT

LIKES = ("a1111", "forge", "sdnext")


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("minihost")


@pytest.fixture
def boot(data):
    """Boot a host with the extension; closed at the end of the test."""
    booted = []

    def start(like, model="sd1", **kwargs):
        (data / "config.json").unlink(missing_ok=True)
        booted.append(minihost.boot(like, model, **{"extension": ROOT, "data": data, **kwargs}))
        return booted[-1]

    yield start
    for host in booted:
        host.close()


@pytest.fixture(scope="module", params=LIKES)
def host(request, data):
    """One host of each flavour for a whole module: what a test leaves behind is the next one's trouble."""
    (data / "config.json").unlink(missing_ok=True)
    with minihost.boot(request.param, "sd1", extension=ROOT, data=data) as booted:
        yield booted
        assert booted.errors == []
