"""A minihost of the installed Gradio's flavour, served by a process of its own, and Chromium in front of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect, sync_playwright
from safetensors.torch import save_file

from minihost import weights
from tests import flavours, ports
from tests.browser.page import WebUI
from tests.conftest import ROOT

FLAVOUR = flavours.own()
HOSTILE = "<img src=x onerror=window.pwned=1>"
LONG = "sdxl-" + "without_any_break_" * 8
SD15 = "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa"
NAI = "89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8"
"""The sha256 of Stable Diffusion 1.5 and of NovelAI's model."""
HOSTILE_SD1 = f"sd1-{HOSTILE}"
HOSTILE_LORA = '"onmouseover=window.pwned=1 &lt;img src=x onerror=window.pwned=1&gt;'
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The first draws the same pages with a third less of a processor's time."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 300_000
"""How long (in ms) anything on the page may take: so far more than it does that a busy machine passes."""
OURS = re.compile(r"clip[_-]?skip", re.IGNORECASE)


class Site:
    """The running host: where it is, where its data are, what it has said."""

    def __init__(self, folder: Path, port: int, flavour: str, settings: dict | None) -> None:
        self._log = folder / "log"
        self.data = data = folder / "data"
        _write_models(data)
        if settings:
            (data / "config.json").write_text(json.dumps(settings))
        command = ["-m", "tests.browser.host", str(data), flavour, str(port)]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "GRADIO_TEMP_DIR": str(folder / "gradio")},
            )
        self.address = f"http://127.0.0.1:{port}/"
        try:
            self._wait_until_up()
        except BaseException:
            self.stop()
            raise

    def _wait_until_up(self) -> None:
        if "ready\n" not in self._process.stdout:
            pytest.fail(f"the minihost did not start:\n{self.said}")

    @property
    def said(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        self._process.kill()  # it keeps nothing, and Gradio may wait long for its last page
        self._process.wait()


def _write_models(data: Path) -> None:
    """Beside the minihost's own: SD 1.x models that say of themselves what they are, and hostile ones."""
    _write_checkpoint(data, HOSTILE, "sdxl")
    _write_checkpoint(data, LONG, "sdxl")
    _write_checkpoint(data, "slow", "sd1")
    _write_checkpoint(data, "photo", "sd1", {"files": [_file(SD15)]})
    _write_checkpoint(data, "anime", "sd1", {"files": [_file(NAI)], "clipSkip": 2})
    _write_checkpoint(
        data,
        HOSTILE_SD1,
        "sd1",
        {"files": [_file(NAI)], "clipSkip": HOSTILE, "description": f"Use clip skip 2. {HOSTILE}"},
        {"modelspec.title": HOSTILE, "modelspec.encoder_layer": HOSTILE, "ss_sd_model_name": f"nai {HOSTILE}"},
    )
    _write_lora(data, "two", "2")
    _write_lora(data, HOSTILE_LORA, "2")


def _file(sha256: str) -> dict:
    return {"hashes": {"SHA256": sha256}}


def _write_checkpoint(
    data: Path, name: str, arch: str, sidecar: dict | None = None, metadata: dict[str, str] | None = None
) -> None:
    """`sidecar` is what Civitai says of it; `metadata` is for hosts that have it in one file."""
    if FLAVOUR == "sdnext":
        folder = data / "models" / "Diffusers"
        weights.write_folder(folder / name, weights.ARCHITECTURES[arch])
    else:
        folder = data / "models" / "Stable-diffusion"
        folder.mkdir(parents=True, exist_ok=True)
        weights.write_file(folder / f"{name}.safetensors", weights.ARCHITECTURES[arch], metadata)
    if sidecar is not None:
        (folder / f"{name}.civitai.info").write_text(json.dumps(sidecar))


def _write_lora(data: Path, name: str, skip: str) -> None:
    folder = data / "models" / "Lora"
    folder.mkdir(parents=True, exist_ok=True)
    layer = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    tensors = {f"{layer}.lora_down.weight": torch.zeros(1, 768), f"{layer}.lora_up.weight": torch.zeros(768, 1)}
    save_file(tensors, folder / f"{name}.safetensors", {"ss_clip_skip": skip})


@contextmanager
def served(folder: Path, flavour: str, settings: dict | None = None) -> Iterator[Site]:
    """A host of this flavour with these settings of its own, as long as it is asked."""
    with ports.reserved() as port:
        running = Site(folder, port, flavour, settings)
        yield running
        running.stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    # SD.Next's slider can't be moved by anybody else.
    settings = {"clip_skip_enabled": True} if FLAVOUR == "sdnext" else None
    with served(tmp_path_factory.mktemp("site"), FLAVOUR, settings) as running:
        yield running


@pytest.fixture
def presets_file(site):
    """The presets file, which is not there yet."""
    path = site.data / "clip-skip" / "presets.json"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def viewport():
    return {"width": 1300, "height": 1400}


@pytest.fixture(scope="module")
def context(site, browser):
    """One for many pages: Gradio's files, and what Chromium compiled of them, are there from the second page on.

    Of a module, which may have a site of its own.
    """
    context = browser.new_context(base_url=site.address)
    yield context
    context.close()


@pytest.fixture
def page(site, context, viewport):
    """An empty page on a host as it was at its start. What concerns CLIP Skip must not fail in it, or behind it."""
    page = context.new_page()
    page.set_viewport_size(viewport)
    page.set_default_timeout(PATIENCE)
    title = "Diffusers/sdxl-a" if FLAVOUR == "sdnext" else "sdxl-a.safetensors"
    settings = {"enabled": True, "infotext": True, "slider_maximum": 12, "advice_panel": "info", "advice_badge": "info"}
    start = {
        "sd_model_checkpoint": title,
        "CLIP_stop_at_last_layers": 1,
        **({"ui_locale": "Auto"} if FLAVOUR == "sdnext" else {"localization": "None"}),
        **{f"clip_skip_ext_{name}": value for name, value in settings.items()},
    }
    assert context.request.post("/sdapi/v1/options", data=start, max_retries=3).ok
    before = len(site.said)

    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"{error} {error.stack}"))
    page.on("console", lambda m: m.type == "error" and wrong.append(f"{m.text} {m.location['url']}"))
    page.on("response", lambda r: r.status >= 400 and wrong.append(f"{r.status} {r.url}"))
    yield page
    page.close()
    assert [line for line in wrong if OURS.search(line)] == []
    assert "Traceback" not in site.said[before:], site.said[before:]


@pytest.fixture
def webui(page, site):
    webui = WebUI(page, site.address)
    webui.open()
    return webui


@pytest.fixture
def panel(webui):
    return webui.txt2img
