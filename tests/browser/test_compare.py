"""Compare: one press makes the picture at several skips, and a press on one of the numbers keeps it."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FLAVOUR

PROMPT = "a photo of a cat, blue sky"


@pytest.fixture
def webui(webui):
    webui.prompt("txt2img").fill(PROMPT)
    webui.seed(7)
    return webui


def presets(site):
    file = site.data / "clip-skip" / "presets.json"
    return json.loads(file.read_text())["presets"] if file.exists() else {}


def press(panel, tab="txt2img"):
    panel.page.locator(f"#clip_skip_{tab}_compare").first.click()


def thumbnails(webui, tab="txt2img"):
    return webui.page.locator(f"#{tab}_gallery .thumbnails img")


def take(panel, label, place):
    panel.ended.get_by_role("button", name=label, exact=True).nth(place).click()


def test_one_press_shows_the_skips_side_by_side(webui, panel):
    panel.switch(True)
    compared = webui.generate(press=lambda: press(panel))
    expect(thumbnails(webui)).to_have_count(4)
    sheet, *images = map(webui._fetch, thumbnails(webui).evaluate_all("all => all.map(each => each.src)"))
    assert sheet.size[0] == 3 * images[0].size[0] and sheet.size[1] > images[0].size[1]
    assert compared.pixels == (sheet.size, sheet.tobytes())
    assert compared["Seed"] == "7"
    # The next press on Generate compares nothing.
    alone = webui.generate()
    expect(thumbnails(webui)).to_have_count(1)
    assert alone.pixels == (images[0].size, images[0].tobytes())
    panel.open_manual()
    for name in ("l", "g"):
        panel.set(name, "1.5")
    assert webui.generate().pixels == (images[1].size, images[1].tobytes())


def test_it_is_asked_for_where_the_page_is_slow_to_draw(webui, panel):
    """As Forge's is: what is drawn anew after the press has Gradio 4 read a frame later what goes with it."""
    panel.switch(True)
    panel.rests()
    webui.page.evaluate(
        """() => {
            window.requestAnimationFrame = then => setTimeout(then, 50);
            document.querySelector("#txt2img_generate").addEventListener("click", () => requestAnimationFrame(() => {
                const box = document.querySelector("#txt2img_neg_prompt textarea");
                box.value = "dog";
                box.dispatchEvent(new Event("input", {bubbles: true}));
            }), {capture: true});
        }"""
    )
    webui.generate(press=lambda: press(panel))
    expect(thumbnails(webui)).to_have_count(4)


def test_a_press_on_a_number_uses_it_or_saves_it(webui, panel, site):
    panel.switch(True)
    box = panel.part("compared").locator("input, textarea")
    box.fill("1, 2/1.5")
    webui.generate(press=lambda: box.press("Enter"))
    expect(panel.ended.get_by_role("button")).to_have_text(["1", "2 / 1.5", "1", "2 / 1.5"])
    take(panel, "2 / 1.5", 0)
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("2")
    expect(panel.number("g")).to_have_value("1.5")
    take(panel, "1", 0)
    expect(panel.number("l")).to_have_value("1")
    before = presets(site)
    take(panel, "2 / 1.5", 1)
    expect(panel.ended).to_contain_text("Saved for")
    panel.chosen("mode", "Auto")
    expect(panel.status.last).to_contain_text(re.compile("CLIP-L 2, CLIP-G 1.5"))
    assert presets(site) != before
    panel.ended.get_by_role("button", name="Undo").click()
    expect(panel.ended).to_have_text("Undone.")
    assert presets(site) == before


@pytest.mark.parametrize(
    "text, why",
    [
        ("1, 31", "CLIP-L 31 was refused, accepted is a number from 1 to 11 on SDXL."),
        ("1, fox", "accepted is a number from 1 to"),
        ("2", "They all read this model alike."),
        ("1/2/3", "one number, or one for each of CLIP-L / CLIP-G"),
    ],
)
def test_what_can_not_be_compared_is_said_and_nothing_is_made(webui, panel, text, why):
    panel.switch(True)
    panel.part("compared").locator("input, textarea").fill(text)
    press(panel)
    expect(panel.ended).to_contain_text("Not compared:")
    expect(panel.ended).to_contain_text(why)
    expect(thumbnails(webui)).to_have_count(0)


def test_a_tag_decides(webui, panel):
    panel.switch(True)
    webui.prompt("txt2img").fill(f"{PROMPT} <clipskip:2>")
    expect(panel.status.last).to_contain_text("The prompt's tag decides:")
    press(panel)
    expect(panel.ended).to_have_text("Not compared: The prompt's tag decides.")


def test_off_is_off(webui, panel):
    if FLAVOUR != "sdnext":
        expect(panel.part("compare")).to_be_hidden()
        return
    panel.open()
    press(panel)
    expect(panel.page.locator("#clip_skip_txt2img_ended_off .clip-skip-done")).to_have_text(
        "Not compared: CLIP Skip is off."
    )
