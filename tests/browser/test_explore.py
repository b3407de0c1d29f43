"""Looking for the right value from the page: our axes in the host's own grid, and the tag typed into the prompt."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import FLAVOUR, HOSTILE
from tests.browser.page import LOCALLY

PROMPT = "a photo of a cat, blue sky"
TITLE = "XYZ Grid Script" if FLAVOUR == "sdnext" else "X/Y/Z plot"


class Grid:
    """The host's own X/Y/Z grid in the tab txt2img."""

    def __init__(self, webui):
        self.webui, self.page = webui, webui.page
        self.tab = self.page.locator("#tab_txt2img")

    def part(self, name):
        title = re.sub("[^a-z_]", "", TITLE.lower().replace(" ", "_"))
        return self.tab.locator(f"#script_txt2img_{title}_{name}").first

    def choose(self, dropdown, word):
        dropdown.locator("input").click()
        # In this one: the list of the one before may still be fading away.
        dropdown.locator(f'[data-testid=dropdown-option][aria-label="{word}"]').click()

    def open(self):
        self.choose(self.tab.locator("#script_list"), TITLE)
        expect(self.part("x_type")).to_be_visible()

    def type(self, axis, label, values):
        self.choose(self.part(f"{axis}_type"), label)
        self.part(f"{axis}_values").locator("textarea, input").fill(values)

    def pick(self, axis, label, *words):
        self.choose(self.part(f"{axis}_type"), label)
        values = self.part(f"{axis}_values_dropdown")
        expect(values).to_be_visible()
        for word in words:
            self.choose(values, word)
        values.locator("input").blur()

    def pictures(self, count):
        """All that the gallery has, by their pixels."""
        shown = self.tab.locator("#txt2img_gallery .thumbnails img")
        expect(shown).to_have_count(count)
        return [self._pixels(image) for image in shown.all()]

    def _pixels(self, image):
        expect(image).to_have_attribute("src", LOCALLY)
        response = self.page.request.get(image.get_attribute("src"), max_retries=3)
        picture = Image.open(io.BytesIO(response.body())).convert("RGB")
        return picture.size, picture.tobytes()


@pytest.fixture
def webui(webui):
    webui.prompt("txt2img").fill(PROMPT)
    webui.seed(7)
    return webui


def test_our_axes_in_the_hosts_grid(webui, panel):
    panel.open_manual()
    by_hand = []
    for skip, blend in (("2", "Linear"), ("1.5", "Linear"), ("1.5", "Slerp")):
        panel.set("l", skip)
        if float(skip) % 1:  # the choice is there for fractions only
            panel.choose("blend", blend)
        by_hand.append(webui.generate().pixels)
    panel.choose("blend", "Linear")
    panel.switch(False)

    grid = Grid(webui)
    grid.open()
    grid.type("x", "[CLIP Skip] L", "2, 1.5")
    grid.pick("y", "[CLIP Skip] Blend", "linear", "slerp")
    made = webui.generate()
    assert made.ours == {"CLIP skip mode": "manual", "CLIP skip L": "2"}  # the first cell's
    assert made["X Type"] == "[CLIP Skip] L" and 'X Values: "2, 1.5"' in made.info
    assert grid.pictures(5)[1:] == [*by_hand[:2], by_hand[0], by_hand[2]]
    assert len(set(by_hand)) == 3


def test_a_tag_in_the_prompt(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    by_hand = webui.generate()
    panel.set("l", "4")
    webui.prompt("txt2img").fill(f"{PROMPT} <clipskip:l=1.5>")
    tagged = webui.generate()
    assert tagged.pixels == by_hand.pixels and tagged.ours == by_hand.ours
    assert "<clipskip:l=1.5>" in tagged.info

    panel.switch(False)
    assert webui.generate().pixels == by_hand.pixels


def test_a_bad_tag_is_named_below_the_picture(webui, page):
    plain = webui.generate()
    webui.prompt("txt2img").fill(f"{PROMPT} <clipskip:{HOSTILE}")
    made = webui.generate()
    assert made.pixels == plain.pixels
    assert "tag in the prompt was refused" in made.log and HOSTILE.rpartition("=")[0] in made.log
    assert page.evaluate("window.pwned") is None
