"""The drift of the prompt, drawn in the panel: as it looks, and what its links hold."""

from __future__ import annotations

import csv
import io
import re
from urllib.request import urlopen
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from .conftest import FLAVOUR, HOSTILE
from .page import contrast

PROMPT = "a photo of a cat, blue sky"
SVG = "{http://www.w3.org/2000/svg}"


class Part:
    """What of drift is in the panel's closed part "More"."""

    def __init__(self, panel) -> None:
        self.panel = panel
        self.head = panel.part("more").locator(".label-wrap")
        self.button = panel.page.locator(f"#clip_skip_{panel.tab}_draw")
        self.place = panel.part("drift")
        # One for a wide panel, one for a narrow one.
        self.picture = self.place.locator("svg.clip-skip-drift").filter(visible=True)
        self.lines = self.place.locator(".clip-skip-words")

    def open(self) -> None:
        self.head.click()
        expect(self.button).to_be_visible()

    def show(self) -> None:
        self.button.click()
        expect(self.picture).to_have_count(1)

    def rings(self) -> int:
        """How many points are marked as in use."""
        return self.picture.locator("circle[r='7']:not([stroke=currentColor])").count()

    def file(self, name: str) -> str:
        """What a link's file holds, decoded as a browser does."""
        url = self.place.locator(f"a[download='{name}']").get_attribute("href")
        with urlopen(url) as data:
            return data.read().decode()


@pytest.fixture
def drift(webui):
    if FLAVOUR == "forge":  # which loads a model when the first image is made
        webui.page.locator("#txt2img_steps input[type=number]").fill("1")
        webui.generate()
    webui.prompt("txt2img").fill(PROMPT)
    webui.txt2img.open_manual()
    webui.txt2img.set("l", "2")
    webui.txt2img.set("g", "5.5")
    part = Part(webui.txt2img)
    part.open()
    return part


def test_a_press_shows_the_picture(drift):
    expect(drift.picture).to_have_count(0)
    asked = []
    drift.panel.page.on("request", lambda request: PROMPT in (request.post_data or "") and asked.append(request.url))
    drift.show()
    assert len(asked) == 1
    assert drift.rings() == 4  # both encoders, in both plots
    texts = drift.picture.locator("text").all_text_contents()
    assert f"sdxl-a: {PROMPT}" in texts
    assert {"CLIP-L", "CLIP-G", "in use now", "recommended", "clip skip (1: as trained)"} <= set(texts)
    assert drift.picture.locator("polyline[stroke-dasharray]").count() == 3  # and in the legend
    expect(drift.lines.last).to_contain_text("Words that moved most: CLIP-L 2 (")
    expect(drift.lines.first).to_have_text(re.compile(r"^At 2, CLIP-L reads \d+% of your prompt differently\.$"))
    expect(drift.lines.nth(1)).to_have_text(re.compile(r"^At 5.5, CLIP-G reads \d+% of your prompt differently\.$"))


def test_all_skips_are_shown_on_request(drift):
    drift.show()
    ticks = drift.picture.locator("text[text-anchor=middle]")
    assert ticks.all_text_contents()[:-1] == list("123456")
    drift.place.get_by_text("All clip skips").click()
    expect(drift.picture).to_have_count(2)
    assert drift.picture.nth(1).locator("text[text-anchor=middle]").all_text_contents()[-2] == "30"
    for text in drift.place.locator("summary span").all():
        assert contrast(text) >= 4.5


def test_what_is_in_use_follows_the_controls_and_the_prompt(drift, webui):
    drift.panel.choose("mode", "Auto")
    drift.panel.rests()
    drift.show()
    here = "CLIP-L 2 ("
    expect(drift.lines.last).to_contain_text(here)  # as trained nothing moves; 2 is shown instead
    left = [float(ring.get_attribute("cx")) for ring in drift.picture.locator("circle[r='7']").all()[1:]]
    assert len(set(left)) == 1 and left[0] < 60
    webui.prompt("txt2img").fill("nothing but a tag <clipskip:3>")
    drift.panel.rests()
    drift.button.click()
    expect(drift.lines.last).to_contain_text("CLIP-L 3 (")


def test_the_files_behind_the_links(drift):
    drift.show()
    root = ElementTree.fromstring(drift.file("clip-skip-drift.svg"))
    assert root.find(f"{SVG}title").text == f"sdxl-a: {PROMPT}"
    rows = list(csv.DictReader(io.StringIO(drift.file("clip-skip-drift.csv"))))
    assert [row["encoder"] for row in rows] == ["l"] * 11 + ["g"] * 32
    for row in rows:
        assert 1 <= float(row["skip"]) <= 31 and float(row["relative_norm"]) >= 0 and float(row["cosine"]) <= 1
    with drift.panel.page.expect_download() as download:
        drift.place.get_by_text("Save the numbers").click()
    assert download.value.suggested_filename == "clip-skip-drift.csv"
    assert download.value.path().read_text() == drift.file("clip-skip-drift.csv")


def test_a_hostile_prompt_stays_text(drift, webui):
    webui.prompt("txt2img").fill(f"</svg>{HOSTILE} a cat")
    drift.show()
    assert webui.page.evaluate("window.pwned") is None
    assert drift.place.locator("img").count() == 0
    expect(drift.picture.locator("text").first).to_contain_text(HOSTILE)


def test_the_tab_img2img_reads_its_own_prompt(webui, drift):
    webui.go("img2img")
    webui.prompt("img2img").fill("a dog")
    webui.img2img.switch(True)
    part = Part(webui.img2img)
    part.open()
    part.show()
    expect(part.picture.locator("text").first).to_have_text("sdxl-a: a dog")


@pytest.mark.parametrize("viewport", [{"width": 360, "height": 1400}, {"width": 1300, "height": 1400}], ids=str)
def test_it_fits_the_panel(drift, viewport):
    drift.show()
    page = drift.panel.page
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    box, around = drift.picture.bounding_box(), drift.panel.accordion.bounding_box()
    assert around["x"] <= box["x"] and box["x"] + box["width"] <= around["x"] + around["width"]
    assert 1.1 < box["width"] / box["height"] * (1 if viewport["width"] > 400 else 2) < 2
    for text in drift.picture.locator("text").all():
        assert text.bounding_box()["height"] >= 10  # can be read


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_seen_in_both_themes(webui, theme):
    webui.open(f"?__theme={theme}")
    if FLAVOUR == "forge":
        webui.page.locator("#txt2img_steps input[type=number]").fill("1")
        webui.generate()
    webui.prompt("txt2img").fill(PROMPT)
    webui.txt2img.open_manual()
    part = Part(webui.txt2img)
    part.open()
    part.show()
    for text in part.picture.locator("text").all():
        assert contrast(text, "fill") >= 4.5
    for line in part.picture.locator("polyline[stroke-width='2']").all():
        assert contrast(line, "stroke") >= 3
    for link in part.place.locator("a, a span").all():
        assert contrast(link) >= 4.5


def test_where_there_is_nothing_to_draw_it_says_why(webui, drift):
    """A model without a clip skip, by a job that loads it."""
    drift.panel.page.request.post("/sdapi/v1/options", data={"sd_model_checkpoint": title("flux")}, max_retries=3)
    if FLAVOUR == "forge":
        webui.generate()
    # Not by a hand: a panel that has heard of the model by now has nothing to press any more.
    drift.button.evaluate("button => button.click()")
    expect(drift.lines.first).to_have_text(
        "No CLIP skip here. It reads only CLIP's summary of the prompt, which clip skip never changes."
    )
    expect(drift.picture).to_have_count(0)


def title(name: str) -> str:
    return f"Diffusers/{name}" if FLAVOUR == "sdnext" else f"{name}.safetensors"
