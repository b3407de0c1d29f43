"""The stand-in as a demo: its page shows what it does, in the languages that there are, and asks nothing of the net."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FLAVOUR
from tests.conftest import ROOT

LANGUAGES = {"ja_JP": "ja: Japanese", "zh_CN": "zh: Chinese", "id_ID": "id: Indonesian"}


def set_option(page, **options):
    assert page.request.post("/sdapi/v1/options", data=options, max_retries=3).ok


def test_the_checkpoint_menu_is_true_after_a_reload(webui, panel):
    title = "Diffusers/sdxl-b" if FLAVOUR == "sdnext" else "sdxl-b.safetensors"
    set_option(webui.page, sd_model_checkpoint=title)
    # Its job works out the hash, which titles have from then on.
    assert webui.page.request.post("/sdapi/v1/txt2img", data={"prompt": "a cat", "steps": 1}).ok
    webui.reload()
    menu = webui.page.locator("#setting_sd_model_checkpoint input, .model_selection input").first
    expect(menu).to_have_value(re.compile(f"^{re.escape(title)}"))
    panel.switch(True)
    expect(panel.status.first).to_have_text("SDXL, sdxl-b")


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_is_chosen_in_its_settings(webui, panel, name):
    said = json.loads((ROOT / "localizations" / f"{name}.json").read_text("utf-8"))
    option = {"ui_locale": LANGUAGES[name]} if FLAVOUR == "sdnext" else {"localization": name}
    set_option(webui.page, **option)
    webui.reload()
    panel.switch(True)
    expect(panel.part("compare")).to_have_text(said["Compare skips"])


def test_nothing_is_asked_of_the_net(page, site):
    asked = []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    page.goto(site.address)
    expect(page.locator("#txt2img_prompt textarea")).to_be_visible()
    there = urlsplit(site.address).netloc
    assert there in {url.netloc for url in asked}
    assert [url.geturl() for url in asked if url.scheme.startswith("http") and url.netloc != there] == []
