"""Forge Neo's page, which declares the host's options by `let`: scripts find them by their name, not in `window`."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FLAVOUR, served
from tests.browser.page import WebUI
from tests.conftest import ROOT

if FLAVOUR == "forge":  # Neo has its Gradio

    @pytest.fixture(scope="module")
    def site(tmp_path_factory):
        with served(tmp_path_factory.mktemp("neo"), "neo") as running:
            yield running

    def test_the_panel_speaks_the_pages_language(site, page):
        words = json.loads((ROOT / "localizations" / "zh_CN.json").read_text("utf-8"))
        webui = WebUI(page, site.address)
        # A localization of another name than our file's, which the host therefore does not give us.
        name = "zh-Hans (Stable)"
        assert page.request.post("/sdapi/v1/options", data={"localization": name}, max_retries=3).ok
        webui.open()
        assert page.evaluate("[typeof window.opts, opts.localization]") == ["undefined", name]
        webui.txt2img.switch(True)
        expect(webui.txt2img.status.last).to_contain_text(words["as trained"])

    def test_the_badges_window_has_no_gaps_between_its_words(site, page):
        webui = WebUI(page, site.address)
        webui.open()
        page.add_style_tag(content="#quicksettings .block span { margin-right: 1em; }")  # Neo's, for a slider's name
        webui.select_model("photo")
        webui.set_skip("2")
        webui.badge().click()
        gaps = (
            webui.window()
            .items.first.locator("span")
            .evaluate_all("all => all.map(each => getComputedStyle(each).marginRight)")
        )
        assert set(gaps) == {"0px"}
