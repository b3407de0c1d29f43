"""SD.Next's own page: Modern UI, whose one tab that generates is Control, and which tells of no change of tabs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FLAVOUR
from tests.browser.page import Panel, WebUI, contrast

if FLAVOUR == "sdnext":

    @pytest.fixture
    def webui(page, site):
        webui = WebUI(page, site.address)
        page.goto(f"{site.address}?theme_type=Modern")
        expect(webui.prompt("control")).to_be_visible()
        return webui

    @pytest.fixture
    def panel(webui):
        panel = Panel(webui.page, "control")
        panel.rests()
        return panel

    def rail(webui, item):
        return webui.page.locator(f"#main_nav_content button[tabitemid='#split-app, #{item}']")

    def test_the_panel_answers_in_control(panel):
        panel.open_manual()
        expect(panel.status).to_have_text(["SDXL, sdxl-a"])
        panel.set("l", "1.5")
        expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 11"])

    def test_the_badge_is_beside_controls_slider(webui, panel):
        webui.set_skip("2", "control")
        expect(webui.badge("control")).to_be_visible()
        webui.badge("control").click()
        expect(webui.window("control").items.first).to_be_visible()
        webui.page.keyboard.press("Escape")
        webui.set_skip("1", "control")
        expect(webui.badge("control")).to_be_hidden()

    def test_the_badge_and_its_window_can_be_read(webui):
        """Also where the tab is as narrow as it is at first."""
        webui.page.add_style_tag(content="#control_clip_skip { width: 150px; min-width: 0; }")
        webui.set_skip("2", "control")
        expect(webui.badge("control")).to_be_visible()
        badge, slider = (
            each.bounding_box() for each in (webui.badge("control"), webui.page.locator("#control_clip_skip"))
        )
        assert badge["x"] + badge["width"] <= slider["x"] + slider["width"] and badge["height"] < 30
        webui.badge("control").click()
        words = webui.window("control").items.first.locator("p").first
        expect(words).to_be_visible()
        assert contrast(words) > 4.5

    def test_nothing_lies_on_anything_in_a_tab_as_narrow_as_it_is_at_first(panel):
        panel.open_manual()
        panel.page.add_style_tag(content="#clip_skip_control_enabled { width: 216px; min-width: 0; }")
        panel.set("l", "2.5")
        expect(panel.words("l")).to_contain_text("1.5 of 11")
        place, label, number, words, compare, compared, save, more = (
            each.bounding_box()
            for each in (
                panel.part("sliders"),
                panel.slider("l").locator("label").first,
                panel.number("l"),
                panel.words("l"),
                panel.part("compare"),
                panel.part("compared"),
                panel.part("save"),
                panel.part("more").locator(".label-wrap"),
            )
        )
        assert words["y"] >= max(each["y"] + each["height"] for each in (label, number))
        assert label["x"] < place["x"] + 0.2 * place["width"] and label["x"] + label["width"] <= number["x"]
        assert number["y"] < label["y"] + label["height"] and label["y"] < number["y"] + number["height"]
        assert more["height"] < 30
        assert compare["x"] + compare["width"] <= compared["x"] and compared["y"] + compared["height"] <= more["y"]
        assert compare["y"] + compare["height"] <= save["y"] < compare["y"] + 1.5 * compare["height"]

    def test_a_title_longer_than_the_tab_leaves_its_arrow_in_place(panel):
        panel.open_manual()
        modern = "#clip_skip_control_enabled { width: 216px; min-width: 0; } .label-wrap { white-space: nowrap; }"
        panel.page.add_style_tag(content=modern)
        panel.set("l", "1.25")
        panel.set("g", "1.25")
        expect(panel.head).to_contain_text("G 1.25")
        head, arrow = panel.head.bounding_box(), panel.head.locator(".icon").bounding_box()
        assert arrow["x"] + arrow["width"] <= head["x"] + head["width"]

    def test_its_buttons_are_as_high_as_their_words(webui, panel):
        webui.set_skip("2", "control")
        button = panel.advice.items.locator("button").first
        expect(button).to_be_visible()
        assert button.bounding_box()["height"] < 30

    def test_the_panel_acts_in_control_and_what_it_wrote_comes_back(webui, panel):
        panel.open_manual()
        panel.set("l", "2.5")
        webui.prompt("control").fill("a cat")
        for name in ("width", "height"):
            box = webui.page.locator(f"#control_{name} input[type=number]")
            box.fill("64")
            box.blur()
        webui.seed(7, "control")
        made = webui.generate("control")
        assert made["CLIP skip L"] == "2.5"
        panel.set("l", "1")
        webui.prompt("control").fill(made.info)
        webui.page.locator("#control_paste").click()
        expect(panel.number("l")).to_have_value("2.5")

    def test_the_tab_of_presets_is_filled_when_it_is_shown(webui, panel):
        button = rail(webui, "tab_clip_skip_tabitem")
        expect(button).to_have_text("CLIP Skip presets")
        expect(button).to_have_attribute("title", "CLIP Skip presets")
        expect(button.locator(".clip-skip-icon")).to_be_visible()
        table = webui.page.locator("#clip_skip_presets_table").first
        expect(table).to_be_hidden()
        button.click()
        expect(table).to_be_visible()
        expect(table).to_contain_text("preset")

    def test_back_in_control_the_panel_has_heard_of_what_changed(webui, panel, site):
        panel.switch(True)
        rail(webui, "tab_clip_skip_tabitem").click()
        expect(webui.prompt("control")).to_be_hidden()
        title = "Diffusers/sd1-a"
        assert webui.page.request.post("/sdapi/v1/options", data={"sd_model_checkpoint": title}, max_retries=3).ok
        rail(webui, "control_tabitem").click()
        expect(panel.status.first).to_have_text("SD 1.x, sd1-a")
