"""What the panel does to the picture and its text, and how both come back to the page."""

from __future__ import annotations

import re

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import expect

from tests.browser.conftest import FLAVOUR

PROMPT = "a photo of a cat, blue sky"
WITH_OURS = (
    "a red fox\nNegative prompt: blurry\nSteps: 12, Sampler: Euler, CFG scale: 7, Seed: 42, Size: 512x512, "
    "CLIP skip mode: manual, CLIP skip L: 1.5, CLIP skip G: 2, CLIP skip blend: slerp, CLIP skip version: 0.1.0"
)
OFF_TRAINED = "The prompt is read with fewer layers than the model was trained with."
WITHOUT_OURS = "a red fox\nNegative prompt: blurry\nSteps: 12, Sampler: Euler, CFG scale: 7, Seed: 42, Size: 512x512"


@pytest.fixture
def webui(webui):
    webui.prompt("txt2img").fill(PROMPT)
    webui.seed(7)
    return webui


def test_manual_moves_the_picture_and_off_gives_it_back(webui, panel):
    plain = webui.generate()
    assert "CLIP skip" not in plain.info

    panel.open_manual()
    panel.set("l", "1.5")
    moved = webui.generate()
    assert moved["CLIP skip L"] == "1.5"
    assert moved["CLIP skip mode"] == "manual"
    assert "CLIP skip G" not in moved.info
    assert moved["Seed"] == plain["Seed"] == "7"
    assert moved.log == OFF_TRAINED
    assert moved.pixels != plain.pixels

    panel.switch(False)
    again = webui.generate()
    assert again.info == plain.info
    assert again.pixels == plain.pixels


def test_auto_and_ones_make_the_picture_of_the_panel_off(webui, panel):
    plain = webui.generate()
    panel.switch(True)
    auto = webui.generate()
    assert auto.ours == {}
    assert auto["CLIP skip version"]
    assert auto.pixels == plain.pixels
    panel.open_manual()
    ones = webui.generate()
    assert ones.ours == {"CLIP skip mode": "manual"}
    assert ones.pixels == plain.pixels


def test_each_encoder_has_its_own_value(webui, panel):
    panel.open_manual()
    panel.set("g", "2.5")
    g = webui.generate()
    assert g.ours == {"CLIP skip mode": "manual", "CLIP skip G": "2.5"}
    panel.set("l", "1.5")
    both = webui.generate()
    assert both.ours == {"CLIP skip mode": "manual", "CLIP skip L": "1.5", "CLIP skip G": "2.5"}
    panel.choose("blend", "Slerp")
    slerp = webui.generate()
    assert slerp.ours == {**both.ours, "CLIP skip blend": "slerp"}
    assert len({made.pixels for made in (g, both, slerp)}) == 3


def test_same_for_all_encoders_writes_both_values(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    panel.set("g", "1.5")
    each = webui.generate()
    panel.set("l", "3")
    panel.same.check()
    panel.shows_sliders("skip")
    panel.set("skip", "1.5")
    same = webui.generate()
    assert same.ours == {"CLIP skip mode": "manual", "CLIP skip L": "1.5", "CLIP skip G": "1.5"}
    assert same.pixels == each.pixels


def test_the_values_go_with_the_model(webui, panel):
    panel.open_manual()
    panel.set("l", "2")
    panel.set("g", "1.5")
    webui.select_model("sd1-a")
    sd1 = webui.generate()
    assert sd1["Model"] == "sd1-a"
    assert sd1.ours == {"CLIP skip mode": "manual", "CLIP skip L": "2"}
    assert sd1["Clip skip"] == "2"
    webui.select_model("flux")
    flux = webui.generate()
    assert flux["Model"] == "flux"
    assert not {"CLIP skip L", "CLIP skip G", "CLIP skip applied"} & set(flux.ours)
    webui.select_model("sdxl-a")
    sdxl = webui.generate()
    assert sdxl.ours == {"CLIP skip mode": "manual", "CLIP skip L": "2", "CLIP skip G": "1.5"}


def test_switched_off_in_settings_it_makes_the_picture_of_the_bare_host(webui, panel):
    plain = webui.generate()
    panel.open_manual()
    panel.set("l", "1.5")
    moved = webui.generate()
    assert moved.pixels != plain.pixels

    webui.apply_settings(enabled=False)
    expect(panel.status).to_have_text(["CLIP Skip is switched off in Settings, under CLIP Skip."])
    off = webui.generate()
    assert off.info == plain.info
    assert off.pixels == plain.pixels

    webui.apply_settings(enabled=True)
    expect(panel.status).to_have_text(["SDXL, sdxl-a"])
    on = webui.generate()
    assert on.info == moved.info
    assert on.pixels == moved.pixels


def test_the_infotext_can_be_switched_off(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    written = webui.generate()
    assert written["CLIP skip L"] == "1.5"
    webui.apply_settings(infotext=False)
    bare = webui.generate()
    assert "CLIP skip" not in bare.info
    assert bare.pixels == written.pixels


def test_pasting_our_text_sets_the_panel(webui, panel):
    webui.paste(WITH_OURS)
    panel.is_on()
    panel.chosen("mode", "Manual")
    panel.shows_sliders("l", "g")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("2")
    panel.chosen("blend", "Slerp")
    expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 11"])
    expect(panel.words("g")).to_have_text(["layers left out: 1 of 31"])


def test_pasting_our_text_leaves_the_common_slider(webui, panel):
    panel.open_manual()
    panel.same.check()
    panel.shows_sliders("skip")
    webui.paste(WITH_OURS)
    panel.shows_sliders("l", "g")
    expect(panel.number("l")).to_have_value("1.5")


def test_pasting_a_text_without_our_keys_switches_the_panel_off(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    webui.paste(WITHOUT_OURS)
    expect(panel.enabled).not_to_be_checked()
    expect(panel.ended).to_have_text("The pasted text has no CLIP skip: the panel was switched off.")
    assert "CLIP skip" not in webui.generate().info
    webui.paste(WITH_OURS)
    panel.is_on()
    panel.switch(False)
    panel.rests()
    expect(panel.ended).to_have_count(0)


def test_what_was_off_is_not_said_to_be_switched_off_by_a_paste(webui, panel):
    webui.paste(WITHOUT_OURS)
    panel.switch(True)
    panel.rests()
    panel.switch(False)
    panel.rests()
    expect(panel.ended.filter(visible=True)).to_have_count(0)


def test_a_pasted_value_that_was_refused_is_named(webui, panel):
    webui.paste(WITH_OURS.replace("CLIP skip L: 1.5", "CLIP skip L: 99"))
    panel.is_on()
    expect(panel.ended).to_have_text(
        re.compile(r"^CLIP skip L: 99 was not taken, accepted is a number from 1 to \d+\.\s*$")
    )
    webui.paste(WITH_OURS)
    expect(panel.ended).to_have_count(0)
    expect(panel.number("l")).to_have_value("1.5")


def test_pasting_a_bare_prompt_leaves_the_panel_alone(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    webui.prompt("txt2img").fill("a red fox\nNegative prompt: blurry")
    webui.page.locator("#paste").click()
    if FLAVOUR != "sdnext":  # which takes all of it for a prompt, so that nothing on the page changes
        expect(webui.page.locator("#txt2img_neg_prompt textarea")).to_have_value("blurry")
    made = webui.generate()  # Gradio 3 answers in the order of the questions
    assert made.ours == {"CLIP skip mode": "manual", "CLIP skip L": "1.5"}
    expect(panel.enabled).to_be_checked()
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("1.5")


def test_what_a_picture_says_makes_it_again(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    panel.set("g", "2.5")
    panel.choose("blend", "Slerp")
    webui.seed(-1)
    made = webui.generate()
    assert made["Seed"] != "-1"

    panel.choose("blend", "Linear")
    panel.set("l", "4")
    panel.set("g", "1")
    panel.switch(False)
    other = webui.generate()
    assert other.pixels != made.pixels

    webui.paste(made.info)
    panel.is_on()
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("2.5")
    expect(webui.page.locator("#txt2img_seed input")).to_have_value(made["Seed"])
    again = webui.generate()
    assert again.info == made.info
    assert again.pixels == made.pixels


def test_send_to_img2img_carries_the_panel(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    panel.set("g", "2")
    made = webui.generate()
    webui.page.locator("#img2img_tab").click()
    target = webui.img2img
    expect(target.accordion).to_be_visible()
    target.is_on()
    target.chosen("mode", "Manual")
    target.shows_sliders("l", "g")
    expect(target.number("l")).to_have_value("1.5")
    expect(target.number("g")).to_have_value("2")
    expect(webui.prompt("img2img")).to_have_value(PROMPT)
    expect(webui.page.locator("#img2img_image img").first).to_be_visible()
    assert webui.generate("img2img").ours == made.ours


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_png_info_sends_the_panel_its_values(webui, tab, tmp_path):
    panel = getattr(webui, tab)
    text = PngInfo()
    text.add_text("parameters", WITH_OURS)
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "picture.png", pnginfo=text)
    webui.go("PNG Info")
    webui.upload("pnginfo_image", tmp_path / "picture.png")
    expect(webui.page.locator("#pnginfo_text textarea")).to_have_value(WITH_OURS)
    webui.page.locator(f"#pnginfo_send_{tab}").click()
    expect(panel.accordion).to_be_visible()
    panel.is_on()
    panel.shows_sliders("l", "g")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("2")
    expect(webui.prompt(tab)).to_have_value("a red fox")


def test_img2img_obeys_its_own_panel(webui, panel, tmp_path):
    panel.open_manual()
    panel.set("l", "3")
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "picture.png")
    webui.go("img2img")
    webui.upload("img2img_image", tmp_path / "picture.png")
    webui.prompt("img2img").fill(PROMPT)
    webui.seed(7, "img2img")
    plain = webui.generate("img2img")
    assert "CLIP skip" not in plain.info
    webui.img2img.open_manual()
    webui.img2img.set("g", "1.5")
    moved = webui.generate("img2img")
    assert moved.ours == {"CLIP skip mode": "manual", "CLIP skip G": "1.5"}
    assert moved.pixels != plain.pixels


@pytest.mark.parametrize("value, clamped", [("99", "11"), ("0", None)])
def test_a_bad_number_is_clamped_when_its_box_is_left(webui, panel, value, clamped):
    panel.open_manual()
    panel.number("l").fill(value)
    panel.number("l").blur()
    expect(panel.number("l")).to_have_value(clamped or "1")
    made = webui.generate()
    assert made["CLIP skip L"] == clamped
    assert "CLIP skip refused" not in made.info


@pytest.mark.parametrize("value", ["99", "12", "0"])
def test_a_bad_number_still_in_its_box_is_refused_in_words(webui, panel, value):
    """Pressed by a keyboard shortcut or a script, Generate gets the number before Gradio clamps it."""
    plain = webui.generate()
    panel.open_manual()
    panel.number("l").fill(value)
    expect(panel.words("l")).to_have_text(["accepted: 1 - 11"])
    made = webui.generate(press=lambda: webui.page.evaluate("document.querySelector('#txt2img_generate').click()"))
    said, reason = made.log.split("\n\n")
    assert said == "A value was refused, and the model is read as it was trained."
    assert re.search(rf" {value} was refused, accepted is a number from 1 to 1[12]\b", reason)
    assert "CLIP skip refused" in made.ours
    assert made.pixels == plain.pixels
    panel.set("l", "1.5")
    expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 11"])
    after = webui.generate()
    assert after.ours == {"CLIP skip mode": "manual", "CLIP skip L": "1.5"}
    assert after.log == OFF_TRAINED
