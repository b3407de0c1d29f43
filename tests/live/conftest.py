from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.live.offers import FIXTURES, OFFERS
from tests.live.webui import WebUI

WEBUI = pytest.StashKey[WebUI]()
LACKING = pytest.StashKey[dict[str, list[str]]]()


def pytest_addoption(parser):
    parser.addoption("--webui", help="address of a running WebUI with the extension")
    parser.addoption("--root", default=".", help="the WebUI's folder, if it gives relative paths (SD.Next does)")
    parser.addoption("--bare", help="pictures of the same WebUI without the extension, kept by tests.live.record")


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*names): what the WebUI has to offer, of tests.live.offers")


def running(config):
    """The WebUI that is tested."""
    if WEBUI not in config.stash:
        if not (url := config.getoption("--webui")):
            raise pytest.UsageError("tests/live needs --webui URL")
        config.stash[WEBUI] = WebUI(url, config.getoption("--root"))
        config.stash[WEBUI].settle()
    return config.stash[WEBUI]


def pytest_generate_tests(metafunc):
    webui = running(metafunc.config)
    if "checkpoint" in metafunc.fixturenames:
        metafunc.parametrize("checkpoint", webui.testable, scope="session")


def pytest_collection_modifyitems(config, items):
    """What the WebUI does not offer is left out before the run, so that all that runs has something to hold."""
    offered = {}
    lacking, kept, left_out = {}, [], []
    for item in items:
        needed = [name for mark in item.iter_markers("needs") for name in mark.args]
        needed += [name for name in FIXTURES if name in getattr(item, "fixturenames", ())]
        for name in needed:
            if name not in offered:
                offered[name] = bool(OFFERS[name](running(config)))
        if missing := [name for name in needed if not offered[name]]:
            lacking.setdefault(", ".join(missing), []).append(item.nodeid)
        (left_out if missing else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)
    config.stash[LACKING] = lacking


def pytest_terminal_summary(terminalreporter, config):
    for missing, tests in config.stash.get(LACKING, {}).items():
        terminalreporter.section(f"this WebUI does not offer {missing}; not run", sep="-")
        for test in tests:
            terminalreporter.line(test)


@pytest.fixture(scope="session")
def webui(request):
    return running(request.config)


@pytest.fixture(scope="session")
def bare(request):
    file = request.config.getoption("--bare")
    if not file:
        pytest.fail("--bare FILE is needed: the pictures of the host without the extension")
    return json.loads(Path(file).read_text())


@pytest.fixture
def sd1(webui):
    return webui.of("sd1")[0]


@pytest.fixture
def sdxl(webui):
    return webui.of("sdxl")[0]


@pytest.fixture
def no_presets(webui):
    webui.forget()
    yield
    webui.forget()
