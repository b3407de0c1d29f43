from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.live.webui import WebUI


def pytest_addoption(parser):
    parser.addoption("--webui", help="address of a running WebUI with the extension")
    parser.addoption("--root", default=".", help="the WebUI's folder, if it gives relative paths (SD.Next does)")
    parser.addoption("--bare", help="address of the same WebUI, same checkpoints, without the extension")


def pytest_generate_tests(metafunc):
    url = metafunc.config.getoption("--webui")
    if not url:
        raise pytest.UsageError("tests/live needs --webui URL")
    if "checkpoint" in metafunc.fixturenames:
        webui = WebUI(url, metafunc.config.getoption("--root"))
        names = sorted(
            name
            for name, architecture in webui.checkpoints.items()
            # SD.Next takes a refiner beside a base model, never as one.
            if architecture.encoders and not (webui.name == "sdnext" and architecture.id == "sdxl-refiner")
        )
        metafunc.parametrize("checkpoint", names, scope="session")


@pytest.fixture(scope="session")
def webui(request):
    return WebUI(request.config.getoption("--webui"), request.config.getoption("--root"))


@pytest.fixture(scope="session")
def bare(request):
    url = request.config.getoption("--bare")
    if not url:
        pytest.fail("--bare URL is needed: a host without the extension to compare with")
    return WebUI(url)
