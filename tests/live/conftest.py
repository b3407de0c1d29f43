from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.live.webui import WebUI


def pytest_addoption(parser):
    parser.addoption("--webui", help="address of a running WebUI with the extension")
    parser.addoption("--root", default=".", help="the WebUI's folder, if it gives relative paths (SD.Next does)")
    parser.addoption("--bare", help="pictures of the same WebUI without the extension, kept by tests.live.record")


def pytest_generate_tests(metafunc):
    url = metafunc.config.getoption("--webui")
    if not url:
        raise pytest.UsageError("tests/live needs --webui URL")
    if "checkpoint" in metafunc.fixturenames:
        webui = WebUI(url, metafunc.config.getoption("--root"))
        metafunc.parametrize("checkpoint", webui.testable, scope="session")


@pytest.fixture(scope="session")
def webui(request):
    return WebUI(request.config.getoption("--webui"), request.config.getoption("--root"))


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
