"""All models of the WebUI on the page: the second view of the tab "CLIP Skip"."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import FLAVOUR, HOSTILE, HOSTILE_LORA

SUFFIX = "" if FLAVOUR == "sdnext" else ".safetensors"


def title(model: str) -> re.Pattern[str]:
    """As the host lists a checkpoint, with its hash where it has worked that out."""
    return re.compile(rf"(^|\W){re.escape(model + SUFFIX)}( \[\w+\])?$")


class View:
    """The view "Models"."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = self.part("table").locator("tbody tr")
        self.progress = self.part("progress").locator("progress")
        self.about = self.part("about")
        self.said = self.part("said").locator(".clip-skip-words")

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#clip_skip_models_{name}").first

    def turn(self, view: str) -> None:
        self.page.locator("#clip_skip_views").get_by_role("button").or_(
            self.page.locator("#clip_skip_views").get_by_role("tab")
        ).filter(has_text=re.compile(rf"^\s*{view}\s*$")).click()

    def open(self) -> None:
        self.page.locator("#tabs button").filter(has_text=re.compile(r"^\s*CLIP Skip\s*$")).first.click()
        self.turn("Models")
        expect(self.part("search")).to_be_visible()

    def is_read(self) -> None:
        """Wait until every model is read."""
        expect(self.rows.first).to_be_visible()
        expect(self.part("table")).not_to_contain_text("Not read yet")
        self.rests()

    def rests(self) -> None:
        """Expect that nothing is being read."""
        expect(self.part("read")).to_be_visible()
        expect(self.progress).to_have_count(0)

    def find(self, words: str) -> None:
        self.part("search").locator("textarea, input").first.fill(words)

    def cells(self, model: str | re.Pattern[str]) -> Locator:
        return self.rows.filter(has=self.page.get_by_role("button", name=model, exact=True)).locator("td")

    def says(self, model: str | re.Pattern[str], *cells: str) -> None:
        """What the row of a model says beside its name, without the heads of a narrow page."""
        row = self.cells(model)
        expect(row).to_have_count(6)
        assert [text.strip() for text in row.all_inner_texts()][1:] == list(cells)

    def pick(self, model: str | re.Pattern[str]) -> None:
        self.rows.get_by_role("button", name=model, exact=True).click()
        expect(self.about.locator("h4")).to_have_text(model)


@pytest.fixture(autouse=True)
def file(presets_file):
    return presets_file


@pytest.fixture
def view(webui):
    view = View(webui.page)
    view.open()
    view.is_read()
    return view


def test_what_every_model_is(view):
    view.says(title("photo"), "SD 1.x", "1", "all models of its kind", "Does not descend from it", "")
    view.says(title("anime"), "SD 1.x", "2", "a file beside it", "Is NovelAI's model", "")
    view.says(title("sdxl-a"), "SDXL", "1", "all models of its kind", "", "")
    view.says("two", "SD 1.x, LoRA", "2", "its file", "", "")


def test_it_is_narrowed_and_sorted(view):
    view.part("kind").get_by_label("LoRAs", exact=True).check()
    expect(view.rows).to_have_count(2)
    view.part("kind").get_by_label("Checkpoints", exact=True).check()
    view.find("sd1-")
    expect(view.rows.locator("td:first-child").first).to_have_text(re.compile("sd1-"))
    view.find("nothing such")
    expect(view.part("table")).to_contain_text("No model has these words in it.")
    view.find("")
    head = view.part("table").locator("th").filter(has_text="Made for")
    for way, first in (("ascending", "1"), ("descending", "2")):
        head.get_by_role("button").focus()
        view.page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", way)
        expect(view.rows.first.locator("td").nth(2)).to_have_text(re.compile(rf"{first}$"))
        expect(head.get_by_role("button")).to_be_focused()


def test_from_a_row_to_its_evidence_and_its_preset(view, file):
    view.pick(title("anime"))
    expect(view.about).to_contain_text("It is NovelAI's SD 1.x model.")
    expect(view.about.locator("li").first).to_contain_text("(probable)")
    view.part("preset").click()
    box = view.page.locator("#clip_skip_presets_l input").first
    expect(box).to_be_visible()
    box.fill("1.5")
    view.page.locator("#clip_skip_presets_save").click()
    expect(view.page.locator("#clip_skip_presets_said .clip-skip-words").first).to_have_text("Saved.")
    assert [each["skip"] for each in json.loads(file.read_text())["presets"].values()] == [{"l": 1.5}]
    view.turn("Models")
    expect(view.cells(title("anime")).last).to_have_text(re.compile("CLIP-L 1.5"))


def test_hostile_names_are_text(view):
    lora = HOSTILE_LORA.replace(".", "_") if FLAVOUR == "sdnext" else HOSTILE_LORA  # as that lists it
    for name in (lora, title(f"sd1-{HOSTILE}")):
        view.pick(name)
    expect(view.about).to_contain_text(HOSTILE)
    assert view.page.evaluate("window.pwned") is None


def test_a_reference_is_asked_for_first_and_refused_with_a_reason(view, site):
    view.pick(title("sdxl-a"))
    expect(view.part("learn")).to_be_hidden()
    view.pick(title("photo"))
    view.part("learn").click()
    expect(view.said).to_have_text("Say first which of these models it is.")
    view.part("label").get_by_label("SD 1.5", exact=True).check()
    view.part("learn").click()
    expect(view.said).to_contain_text("Only if you are sure")
    view.part("confirm").click()
    expect(view.said).to_have_text(re.compile("^It can't be a reference: no SD 1.x UNet"))
    expect(view.part("confirm")).to_be_hidden()
    assert not (site.data / "clip-skip" / "references").exists()


def test_reading_can_be_stopped_and_waits_for_who_asks(webui, site):
    post = webui.page.request.post
    view = View(webui.page)
    new = site.data / "models" / "Lora" / "two.civitai.info"
    post("/test/hold")
    try:
        new.write_text("{}")  # so that it has to be read anew
        view.open()
        expect(view.progress).to_be_visible()
        view.part("stop").click()
        view.rests()
        webui.go("txt2img")
        view.open()
        view.rests()
    finally:
        post("/test/release")
        new.unlink()
    view.part("read").click()
    view.is_read()
    view.says("two", "SD 1.x, LoRA", "2", "its file", "", "")
