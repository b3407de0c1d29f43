"""The page in other languages: translated by the host as the A1111 line does it, on SD.Next by our own script."""

from __future__ import annotations

import json
import re
from itertools import product

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import FLAVOUR
from tests.browser.page import WebUI
from tests.conftest import ROOT

WORDS = {
    name: json.loads((ROOT / "localizations" / f"{name}.json").read_text("utf-8"))
    for name in ("zh_CN", "ja_JP", "id_ID")
}
# Who translates: SD.Next leaves extensions to themselves, the A1111 line only those that lack its localization's name.
WAYS = ("ours",) if FLAVOUR == "sdnext" else ("host", "ours")
HASH = "0123456789abcdef" * 4
# Nothing of this is translated, though it reads like words of ours.
NOTE = "Saved."
KEPT = {
    "name:Nothing": {"name": "Nothing", "note": NOTE},
    "name:sdxl-a": {"name": "sdxl-a", "skip": {"l": 2, "g": 3}, "note": NOTE, "lineage": "not-nai", "blend": "slerp"},
    HASH: {"name": "quagga", "silenced": ["not-nai", "too-deep"]},
}
# Names, which are the same in every language: a sign each, so that what is left of a text node is words.
NAMES = re.compile(r"CLIP Skip|CLIP-[LGH]|\b[LGH] \d|SDXL refiner|Stable Cascade|SDXL|SD \d(\.x)?|[\d\W]")

# Our visible text nodes and placeholders, but for what is marked as no words.
SEEN = """() => {
    const ours = "[id^=clip_skip_], [id^=setting_clip_skip_ext_], [class*=clip-skip-]:not(.clip-skip-slider)";
    const found = new Set();
    for (const root of document.querySelectorAll(ours)) {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
            const owner = node.parentElement;
            if (owner.closest("[translate=no], [data-testid=dropdown-option], textarea, style, script")) continue;
            // Gradio hides its own words by their opacity.
            const visible = owner.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
            if (visible && node.data.trim()) found.add(node.data.trim());
        }
        for (const owner of root.querySelectorAll("[placeholder]")) {
            if (owner.checkVisibility() && owner.placeholder) found.add(owner.placeholder);
        }
    }
    return [...found];
}"""


def choose(page: Page, **options: str) -> None:
    """Have these among the page's options from its start, also such as the host does not have."""
    page.add_init_script(
        """Object.defineProperty(window, "opts", {configurable: true, set(opts) {
            Object.defineProperty(window, "opts", {writable: true, value: {...opts, ...OPTIONS}});
        }})""".replace("OPTIONS", json.dumps(options))
    )


def set_option(page: Page, **options: str) -> None:
    """Set these options of the host."""
    assert page.request.post("/sdapi/v1/options", data=options, max_retries=3).ok


def speak(page: Page, language: str, way: str = "ours") -> None:
    """Have the page in this language from its start."""
    if way == "host":  # it has merged all extensions' files of that name
        page.add_init_script(f"window.localization = {json.dumps(WORDS[language])}")
    elif FLAVOUR == "sdnext":
        set_option(
            page, ui_locale={"zh_CN": "zh: Chinese", "ja_JP": "ja: Japanese", "id_ID": "id: Indonesian"}[language]
        )
    else:  # a localization by another name than our file's, which the host therefore does not merge
        set_option(page, localization={"zh_CN": "zh-Hans (Stable)", "ja_JP": "ja", "id_ID": "id"}[language])


def untranslated(page: Page, language: str) -> list[str]:
    """What is on show of ours and is neither a translation nor made of names."""
    known = set(WORDS[language].values())
    return sorted(text for text in page.evaluate(SEEN) if text not in known and NAMES.sub("", text))


class Tour:
    """Through all that the extension shows, with a stop wherever the page has something new to say."""

    def __init__(self, page: Page, site, language: str) -> None:
        self.page, self.language = page, language
        self.webui = WebUI(page, site.address)
        self.seen: set[str] = set()

    def __call__(self, part: str, word: str) -> None:
        """Stop once `part` shows this in the language, and look around."""
        said = self.page.locator(f"#clip_skip_{part}").first
        expect(said).to_contain_text(WORDS[self.language][word])
        assert untranslated(self.page, self.language) == []
        self.seen |= set(self.page.evaluate(SEEN))


@pytest.fixture
def presets(site):
    file = site.data / "clip-skip" / "presets.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"schema": 1, "presets": KEPT}))
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture(params=list(product(WORDS, WAYS)), ids="-".join)
def tour(request, page, site, presets):
    speak(page, *request.param)
    return Tour(page, site, request.param[0])


def test_no_english_is_left(tour):
    page, webui = tour.page, tour.webui
    webui.open()
    panel = webui.txt2img
    panel.switch(True)
    tour("txt2img_status", "this model's preset")
    tour("txt2img_advice", "Don't tell me again for this model")
    panel.choose("mode", "Manual")
    panel.unfold()
    tour("txt2img_sliders", "layers left out:")
    panel.set("l", "3")
    tour("txt2img_advice", "Warning")

    page.locator("#tabs button").filter(has_text=re.compile(r"^\s*CLIP Skip\s*$")).first.click()
    tour("presets_table", "Does not descend from it")
    page.locator("#clip_skip_presets_table tbody button").last.click()
    tour("presets_form", "1 is as trained, 2 leaves one layer out; empty is not set.")
    page.locator("#clip_skip_presets_delete").click()
    tour("presets_undo", "Undo")
    for part in ("silenced", "import", "export"):
        page.locator(f"#clip_skip_presets_{part}_part .label-wrap").click()
    tour("presets_silenced", "the clip skip is very high")
    page.locator("#clip_skip_presets_text textarea").fill(json.dumps({"presets": {HASH: {}, "x": {}}}))
    page.locator("#clip_skip_presets_preview").click()
    tour("presets_changes", "Stays as it is")

    page.locator("#clip_skip_views button").nth(1).click()
    tour("models_table", "Does not descend from it")
    page.locator("#clip_skip_models_table tbody button").first.click()
    tour("models_about", "Made for clip skip")

    webui.go("Settings")
    tour("presets_changes", "Stays as it is")  # hidden by now; what is on show are the settings
    assert len(tour.seen) > 90


@pytest.fixture
def tab(page, site, presets):
    """Opens the page and in it the tab, with one preset in the form."""
    webui = WebUI(page, site.address)

    def open() -> None:
        webui.open()
        page.locator("#tabs button").filter(has_text=re.compile(r"^\s*CLIP Skip\s*$")).first.click()
        page.locator("#clip_skip_presets_table tbody button").last.click()
        expect(page.locator("#clip_skip_presets_form").first).to_be_visible()

    return open


def save(page: Page) -> Locator:
    return page.locator("#clip_skip_presets_save").first


def test_what_is_data_stays_as_it_is(page, tab):
    speak(page, "ja_JP")
    tab()
    expect(save(page)).to_have_text("プリセットを保存")
    expect(page.locator("#clip_skip_presets_table tbody tr").last).to_contain_text(NOTE)
    expect(page.locator("#clip_skip_presets_note textarea")).to_have_value(NOTE)
    page.locator("#clip_skip_presets_model input").first.fill("Noth")
    expect(page.get_by_test_id("dropdown-option")).to_have_text([re.compile(r"Nothing\s*$")])


def test_nothing_of_the_host_is_translated_by_us(page, tab):
    speak(page, "ja_JP")
    tab()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=theirs title=Search>Cancel</p>')")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=clip_skip_x title=Search>Cancel</p>')")
    expect(page.locator("#clip_skip_x")).to_have_text("キャンセル")
    expect(page.locator("#clip_skip_x")).to_have_attribute("title", "検索")
    expect(page.locator("#theirs")).to_have_text("Cancel")
    expect(page.locator("#theirs")).to_have_attribute("title", "Search")


def test_the_language_can_change_while_the_page_is_open(page, tab):
    """By the button at the bottom of SD.Next's page, which goes through all languages."""
    choose(page, ui_locale="en: English")
    tab()
    search = page.locator("#clip_skip_presets_search textarea, #clip_skip_presets_search input").first
    for language, words, placeholder in (
        ("ja", "プリセットを保存", "モデル、メモ、数値"),
        ("ko", "Save preset", "Model, note or number"),
        ("zh", "保存预设", "模型、备注或数字"),
        ("id", "Simpan preset", "Model, catatan, atau angka"),
        ("en", "Save preset", "Model, note or number"),
    ):
        page.evaluate("language => { opts.ui_locale = language; document.body.append(''); }", language)
        expect(save(page)).to_have_text(words)
        expect(search).to_have_attribute("placeholder", placeholder)


@pytest.mark.parametrize(
    "browser_speaks, words",
    [
        ("ja-JP", "プリセットを保存"),
        ("zh-CN", "保存预设"),
        ("zh", "保存预设"),
        ("zh-TW", "Save preset"),
        ("en", "Save preset"),
    ],
)
def test_auto_is_the_browsers_language(page, tab, browser_speaks, words):
    page.add_init_script(f"Object.defineProperty(navigator, 'languages', {{value: ['{browser_speaks}', 'id']}})")
    choose(page, ui_locale="Auto")
    tab()
    expect(save(page)).to_have_text(words)


def test_an_english_page_asks_for_no_language(page, tab):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    tab()
    expect(save(page)).to_have_text("Save preset")
    assert [url for url in asked if "localizations" in url] == []
    assert any("clip_skip_locale.js" in url for url in asked)


def test_what_the_host_does_elsewhere_in_the_page_costs_nothing(page, site):
    """As it shows a job's progress: no part of ours is gone over for that, and what is new of ours is."""
    speak(page, "ja_JP")
    webui = WebUI(page, site.address)
    webui.open()
    webui.txt2img.switch(True)
    expect(webui.txt2img.status.last).to_contain_text(WORDS["ja_JP"]["as trained"])
    gone_over, said = page.evaluate(
        """async (word) => {
            const walk = document.createTreeWalker;
            let walks = 0;
            document.createTreeWalker = (...of) => { walks += 1; return walk.apply(document, of); };
            // Changes are told before anything else on the page goes on.
            const count = async (change) => { walks = 0; change(); await null; await null; return walks; };
            const theirs = document.createElement("div");
            const ours = document.createElement("div");
            ours.id = "clip_skip_something";
            const counts = [
                await count(() => document.body.append(theirs)),
                await count(() => theirs.append(word)),
                await count(() => { theirs.firstChild.data = `${word} `; }),
                await count(() => { ours.append(word); theirs.append(ours); }),
            ];
            theirs.remove();
            document.createTreeWalker = walk;
            return [counts, [theirs.firstChild.data, ours.textContent]];
        }""",
        NOTE,
    )
    assert gone_over[:3] == [0, 0, 0] and gone_over[3] > 0
    assert said == [f"{NOTE} ", WORDS["ja_JP"][NOTE]]
