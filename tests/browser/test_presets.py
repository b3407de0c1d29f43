"""Presets on the page: saved and forgotten in the panel, and all of them in the tab "CLIP Skip"."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import FLAVOUR, HOSTILE
from tests.browser.page import AFTER_ITS_EVENTS, WebUI, unanswered

SUFFIX = "" if FLAVOUR == "sdnext" else ".safetensors"
HASH = "0123456789abcdef" * 4
ANIME = {"name": "anime.safetensors", "skip": {"l": 2}, "lineage": "nai-derived", "note": "as its card says"}
PONY = {"name": "pony.safetensors", "skip": {"l": 1.5, "g": 2.5}, "blend": "slerp"}
KEPT = {"name:anime": ANIME, HASH: PONY}


class Tab:
    """The tab "CLIP Skip"."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = self.part("table").locator("tbody tr")
        self.said = self.part("said").locator(".clip-skip-words")
        self.changes = self.part("changes")

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#clip_skip_presets_{name}").first

    def open(self) -> None:
        self.page.locator("#tabs button").filter(has_text=re.compile(r"^\s*CLIP Skip\s*$")).first.click()
        expect(self.part("search")).to_be_visible()

    def box(self, name: str) -> Locator:
        return self.part(name).locator("textarea, input").first

    def press(self, name: str) -> None:
        self.part(name).click()

    def cells(self, row: int) -> list[str]:
        """What the cells of a row say, below heads of their own on a wide page."""
        return _inner_texts(self.rows.nth(row))

    def shows(self, *models: str) -> None:
        expect(self.rows.locator("td:first-child")).to_have_text(list(models))

    def pick(self, model: str) -> None:
        self.rows.get_by_role("button", name=model, exact=True).click()
        expect(self.part("form")).to_be_visible()

    def select(self, dropdown: str, option: str | re.Pattern[str]) -> None:
        self.part(dropdown).locator("input").first.click()
        self.page.get_by_test_id("dropdown-option").filter(has_text=option).click()

    def has(self, **values: str) -> None:
        for name, value in values.items():
            expect(self.box(name)).to_have_value(value)

    def chosen(self, radio: str, word: str) -> None:
        expect(self.part(radio).get_by_label(word, exact=True)).to_be_checked()

    def open_file(self, file: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.press("open")
        chooser.value.set_files(file)

    def unfold(self, name: str) -> None:
        self.part(f"{name}_part").locator(".label-wrap").click()


def _inner_texts(row: Locator) -> list[str]:
    return row.locator("td").all_inner_texts()


@pytest.fixture(autouse=True)
def file(presets_file):
    return presets_file


@pytest.fixture
def keep(file):
    def write(presets):
        file.write_text(json.dumps({"schema": 1, "presets": presets}))

    return write


@pytest.fixture
def tab(webui, keep):
    keep(KEPT)
    tab = Tab(webui.page)
    tab.open()
    tab.shows("anime.safetensors", "pony.safetensors")
    return tab


def kept(file) -> dict:
    return json.loads(file.read_text())["presets"]


def copy_in(file) -> dict:
    """The one preset beside `KEPT`: under its model's name, and under its hash once the host knows that."""
    ((key, preset),) = ((key, preset) for key, preset in kept(file).items() if key not in KEPT)
    # Under a name alone its architecture is kept, too.
    assert preset.pop("architecture", None) == ("sd1" if key.startswith("name:") else None)
    return preset


# the panel


def test_a_saved_preset_is_what_auto_uses_until_it_is_forgotten(webui, panel, file):
    trained = "Auto uses CLIP-L 1: as trained."
    preset = "Auto uses CLIP-L 2: this model's preset."
    webui.prompt("txt2img").fill("a photo of a cat, blue sky")
    webui.seed(7)
    webui.select_model("sd1-a")
    panel.switch(True)
    expect(panel.status).to_have_text(["SD 1.x, sd1-a", trained])
    plain = webui.generate()
    panel.choose("mode", "Manual")
    panel.set("l", "2")
    by_hand = webui.generate()
    assert by_hand.pixels != plain.pixels

    panel.part("save").click()
    panel.chosen("mode", "Auto")
    expect(panel.status).to_have_text(["SD 1.x, sd1-a", preset])
    assert [saved["skip"] for saved in kept(file).values()] == [{"l": 2}]
    assert webui.generate().pixels == by_hand.pixels

    webui.select_model("sd1-b")
    expect(panel.status).to_have_text(["SD 1.x, sd1-b", trained])
    expect(panel.part("forget")).to_be_hidden()
    webui.select_model("sd1-a")
    expect(panel.status).to_have_text(["SD 1.x, sd1-a", preset])

    webui.reload()
    panel.switch(True)
    expect(panel.status).to_have_text(["SD 1.x, sd1-a", preset])
    panel.part("forget").click()
    expect(panel.status).to_have_text(["SD 1.x, sd1-a", trained])
    expect(panel.part("forget")).to_be_hidden()
    assert kept(file) == {}
    webui.prompt("txt2img").fill("a photo of a cat, blue sky")
    webui.seed(7)
    assert webui.generate().pixels == plain.pixels


def test_saving_and_forgetting_can_be_undone(webui, panel, keep, file):
    """With all that was kept."""
    whole = {"name": "sdxl-a", "skip": {"l": 1.5, "g": 2.5}, "blend": "slerp", "lineage": "not-nai", "note": "mine"}
    keep({"name:sdxl-a": whole})
    panel.switch(True)
    uses = "Auto uses CLIP-L 1.5, CLIP-G 2.5: this model's preset."
    expect(panel.status.last).to_have_text(uses)
    panel.choose("mode", "Manual")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("2.5")
    panel.chosen("blend", "Slerp")
    before = list(kept(file).values())
    panel.set("l", "2")
    panel.part("save").click()
    expect(panel.ended).to_have_text("Saved for sdxl-a. Undo")
    panel.chosen("mode", "Auto")
    assert [each["skip"] for each in kept(file).values()] == [{"l": 2, "g": 2.5}]
    panel.ended.get_by_role("button").click()
    expect(panel.ended).to_have_text("Undone.")
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("2")
    assert list(kept(file).values()) == before

    panel.choose("mode", "Auto")
    panel.part("forget").click()
    expect(panel.ended).to_have_text("Forgotten. Undo")
    expect(panel.status.last).to_have_text("Auto uses CLIP-L 1, CLIP-G 1: as trained.")
    panel.ended.get_by_role("button").click()
    expect(panel.status.last).to_have_text(uses)
    assert list(kept(file).values()) == before


def test_what_can_not_be_saved_is_said(webui, panel, file):
    file.write_text('{"schema": 2, "presets": {}}')
    panel.open_manual()
    panel.set("l", "2")
    panel.part("save").click()
    expect(panel.ended).to_have_text(re.compile("^Not saved: .* was written by a newer version of CLIP Skip"))
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("2")


# the table


def test_an_empty_table_says_so(webui):
    tab = Tab(webui.page)
    tab.open()
    expect(tab.part("table")).to_contain_text("No model has a preset yet.")
    expect(tab.part("form")).to_be_hidden()


def test_the_table_shows_all_presets(tab):
    assert tab.rows.count() == 2
    assert tab.cells(0) == [
        "anime.safetensors", "CLIP-L 2", "", "Descends from NovelAI's model", "as its card says", "file name"
    ]  # fmt: skip
    assert tab.cells(1) == ["pony.safetensors", "CLIP-L 1.5, CLIP-G 2.5", "Slerp", "", "", "hash 0123456789"]


def test_the_search_follows_what_is_typed(tab):
    tab.box("search").press_sequentially("card")
    tab.shows("anime.safetensors")
    tab.box("search").fill("SLERP 0123")
    tab.shows("pony.safetensors")
    tab.box("search").fill("nothing such")
    expect(tab.part("table")).to_contain_text("No preset has these words in it.")
    tab.box("search").fill("")
    tab.shows("anime.safetensors", "pony.safetensors")


def test_what_was_saved_in_the_panel_is_in_the_table(webui, panel):
    tab = Tab(webui.page)
    panel.open_manual()
    panel.set("g", "2")
    panel.part("save").click()
    panel.chosen("mode", "Auto")
    tab.open()
    tab.shows(f"sdxl-a{SUFFIX}")
    assert tab.cells(0)[1] == "CLIP-L 1, CLIP-G 2"
    tab.pick(f"sdxl-a{SUFFIX}")
    tab.box("g").fill("3")
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    webui.go("txt2img")
    expect(panel.status.last).to_have_text("Auto uses CLIP-L 1, CLIP-G 3: this model's preset.")


def test_problems_of_the_file_are_said(webui, file):
    file.write_text('{"presets": {"name:a": {"skip": {"l": 99}}, "b": {}}}')
    tab = Tab(webui.page)
    tab.open()
    expect(tab.part("problems").locator("p")).to_have_text(
        [re.compile("skip.l 99 was refused, accepted is a number from 1 to 12"), re.compile('"b" is no key')]
    )
    file.write_text('{"presets": {')
    webui.go("txt2img")
    tab.open()
    warning = tab.part("problems").locator(".clip-skip-item[data-severity=warning] p")
    expect(warning.first).to_have_text(re.compile("^Warning .*presets.json can't be read"))


def test_names_look_like_what_can_be_pressed_and_the_chosen_row_is_marked(tab):
    name = tab.rows.first.locator("button span")
    colour = "name => getComputedStyle(name).color"
    assert name.evaluate(colour) == tab.rows.first.locator("button").evaluate(colour)
    assert name.evaluate(colour) != tab.rows.first.locator("td").nth(1).evaluate(colour)
    marked = tab.part("table").locator("tr[aria-current]")
    expect(marked).to_have_count(0)
    tab.rows.last.locator("button").focus()
    tab.page.keyboard.press("Enter")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("pony.safetensors")
    expect(marked.locator("button")).to_be_focused()


def test_numbers_in_names_are_sorted_as_numbers(webui, keep):
    names = ["model_2", "model_10", "Model_100", f"model_{'9' * 5000}"]
    keep({f"name:{name}": {"name": name} for name in reversed(names)})
    tab = Tab(webui.page)
    tab.open()
    expect(tab.rows).to_have_count(4)
    assert [text.strip()[:9] for text in tab.rows.locator("td:first-child").all_inner_texts()] == [
        name[:9] for name in names
    ]


# the form


def test_the_form_has_what_the_model_reads(tab):
    tab.select("model", re.compile("sdxl-a"))
    tab.has(l="", g="")
    for part in ("h", "mark"):
        expect(tab.part(part)).to_be_hidden()
    tab.pick("pony.safetensors")  # which the host does not have
    for part in ("l", "g", "h", "mark"):
        expect(tab.part(part)).to_be_visible()


def test_what_was_pressed_answers_beside_it(tab):
    tab.pick("anime.safetensors")
    pressed = tab.part("delete").bounding_box()
    tab.press("delete")
    expect(tab.part("undo")).to_be_visible()
    said, undo = tab.said.bounding_box(), tab.part("undo").bounding_box()
    for answer in (said, undo):
        assert abs(answer["y"] - pressed["y"]) < 600  # the form above it is gone
    assert said["x"] + said["width"] <= undo["x"] and said["y"] < undo["y"] + undo["height"]


def test_a_preset_is_edited(tab, file):
    tab.pick("anime.safetensors")
    tab.has(model="anime.safetensors", l="2", g="", h="", note="as its card says")
    tab.chosen("blend", "Linear")
    tab.chosen("mark", "Descends from NovelAI's model")

    tab.box("l").fill("1.5")
    tab.part("blend").get_by_label("Slerp", exact=True).check()
    tab.part("mark").get_by_label("Does not descend from it", exact=True).check()
    tab.box("note").fill("tried it\nout")
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    expect(tab.rows.first).to_contain_text("CLIP-L 1.5")
    assert kept(file) == {
        "name:anime": {
            "name": "anime.safetensors", "skip": {"l": 1.5}, "blend": "slerp", "lineage": "not-nai",
            "note": "tried it\nout",
        },
        HASH: PONY,
    }  # fmt: skip

    tab.box("l").fill("")
    tab.part("blend").get_by_label("Linear", exact=True).check()
    tab.part("mark").get_by_label("Not said", exact=True).check()
    tab.box("note").fill("")
    tab.press("save")
    expect(tab.rows.first.locator("td").nth(1)).to_have_text("")
    assert kept(file)["name:anime"] == {"name": "anime.safetensors"}


def test_the_dropdown_chooses_too(tab):
    tab.select("model", re.compile(r"pony.safetensors \[0123456789\]"))
    tab.has(l="1.5", g="2.5", h="")
    tab.chosen("blend", "Slerp")
    tab.pick("anime.safetensors")
    tab.has(l="2", g="", h="")


def test_a_refused_number_changes_nothing(tab, file):
    before = file.read_bytes()
    tab.pick("anime.safetensors")
    tab.box("l").fill("40")
    tab.press("save")
    expect(tab.said).to_have_text("Not saved: CLIP-L 40 (accepted: 1 - 12)")
    tab.has(l="40")
    assert file.read_bytes() == before


def test_another_programs_change_meanwhile_stays(webui, tab, file, keep):
    tab.pick("anime.safetensors")
    tab.box("note").fill("mine")
    keep({"name:anime": {**ANIME, "skip": {"l": 3}, "extra": 1}})
    webui.go("txt2img")
    tab.open()
    tab.shows("anime.safetensors")
    tab.has(note="mine", l="2")  # what was typed is still there
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    assert kept(file)["name:anime"] == {**ANIME, "skip": {"l": 3}, "extra": 1, "note": "mine"}
    tab.has(note="mine", l="3")


def test_a_newer_files_presets_are_not_changed(tab, file):
    tab.pick("anime.safetensors")
    newer = {"schema": 2, "presets": KEPT}
    file.write_text(json.dumps(newer))
    tab.box("note").fill("mine")
    tab.press("save")
    expect(tab.said).to_have_text(re.compile("^Not saved: .* was written by a newer version of CLIP Skip"))
    tab.has(note="mine")
    assert json.loads(file.read_text()) == newer


def test_what_is_deleted_comes_back_with_undo(tab, file):
    tab.pick("anime.safetensors")
    tab.press("delete")
    tab.shows("pony.safetensors")
    expect(tab.said).to_have_text("Deleted: anime.safetensors")
    expect(tab.part("form")).to_be_hidden()
    assert kept(file) == {HASH: PONY}
    tab.press("undo")
    expect(tab.said).to_have_text("Undone.")
    tab.shows("anime.safetensors", "pony.safetensors")
    tab.has(l="2", note="as its card says")
    expect(tab.part("undo")).to_be_hidden()
    assert kept(file) == KEPT


def test_a_save_is_undone_where_nobody_changed_it_since(tab, file, keep):
    tab.pick("anime.safetensors")
    tab.box("l").fill("3")
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    tab.press("undo")
    expect(tab.said).to_have_text("Undone.")
    tab.has(l="2")
    assert kept(file) == KEPT

    tab.box("l").fill("4")
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    now = {**KEPT, "name:anime": {**ANIME, "skip": {"l": 5}}}
    keep(now)
    tab.press("undo")
    expect(tab.said).to_have_text("Not undone: it was changed meanwhile")
    assert kept(file) == now


def test_undo_is_not_offered_for_what_was_done_before_another_choice(tab, file):
    tab.pick("anime.safetensors")
    tab.press("delete")
    expect(tab.part("undo")).to_be_visible()
    tab.pick("pony.safetensors")
    expect(tab.part("undo")).to_be_hidden()
    assert kept(file) == {HASH: PONY}


def test_a_preset_is_copied_to_another_model(webui, panel, tab, file):
    tab.pick("anime.safetensors")
    tab.press("copy")
    expect(tab.said).to_have_text("Choose the model that it shall be copied to.")
    tab.select("target", re.compile("sd1-b"))
    tab.press("copy")
    expect(tab.said).to_have_text(re.compile("^Copied to: .*sd1-b"))
    tab.shows("anime.safetensors", "pony.safetensors", f"sd1-b{SUFFIX}")
    assert copy_in(file) == {**ANIME, "name": f"sd1-b{SUFFIX}"}

    tab.pick("pony.safetensors")
    tab.press("copy")
    expect(tab.said).to_have_text(re.compile("^Copied to: .*sd1-b.* Its preset was replaced: CLIP-L 2; "))
    assert copy_in(file) == {**PONY, "name": f"sd1-b{SUFFIX}"}
    tab.press("undo")
    expect(tab.said).to_have_text("Undone.")
    assert copy_in(file) == {**ANIME, "name": f"sd1-b{SUFFIX}"}
    tab.has(l="1.5", g="2.5")  # the form is still that of the one that was copied
    tab.press("copy")
    expect(tab.said).to_have_text(re.compile("^Copied to: .*sd1-b"))
    webui.go("txt2img")
    webui.select_model("sd1-b")
    panel.switch(True)
    expect(panel.status.last).to_have_text("Auto uses CLIP-L 1.5: this model's preset.")


def test_a_model_that_has_no_preset_gets_one(webui, panel, tab, file):
    tab.select("model", re.compile("sd1-b"))
    tab.has(l="", g="", note="")
    expect(tab.part("delete")).to_be_hidden()
    expect(tab.part("copy")).to_be_hidden()
    assert set(kept(file)) == {"name:anime", HASH}
    tab.box("l").fill("2")
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    tab.shows("anime.safetensors", "pony.safetensors", f"sd1-b{SUFFIX}")
    expect(tab.part("delete")).to_be_visible()
    (key,) = set(kept(file)) - {"name:anime", HASH}
    assert kept(file)[key] == {"name": f"sd1-b{SUFFIX}", "skip": {"l": 2}}
    webui.go("txt2img")
    webui.select_model("sd1-b")
    panel.switch(True)
    expect(panel.status.last).to_have_text("Auto uses CLIP-L 2: this model's preset.")


def test_the_dropdown_offers_what_the_search_finds_and_each_model_once(tab):
    tab.box("search").fill("sd1-b")
    expect(tab.part("table")).to_contain_text("No preset has these words in it.")
    tab.part("model").locator("input").first.click()
    expect(tab.page.get_by_test_id("dropdown-option")).to_have_text([re.compile("sd1-b")])
    tab.page.keyboard.press("Escape")
    tab.box("search").fill("")
    tab.shows("anime.safetensors", "pony.safetensors")
    tab.select("model", re.compile("sd1-b"))
    tab.box("note").fill("mine")
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    tab.part("model").locator("input").first.click()
    expect(tab.page.get_by_test_id("dropdown-option").filter(has_text="sd1-b")).to_have_count(1)


# what was silenced


def test_what_was_silenced_is_listed_and_told_again(webui, panel, file):
    webui.select_model("sdxl-a")
    panel.open_manual()
    panel.set("l", "2")
    advice = panel.advice.place.locator("[data-advice=off-trained]")
    advice.get_by_role("button", name="Don't tell me again").click()
    expect(advice).to_have_count(0)
    assert [preset["silenced"] for preset in kept(file).values()] == [["off-trained"]]

    tab = Tab(webui.page)
    tab.open()
    tab.unfold("silenced")
    items = tab.part("silenced").locator(".clip-skip-item")
    expect(items).to_have_count(1)
    expect(items).to_contain_text(f"sdxl-a{SUFFIX}")
    expect(items).to_contain_text("fewer layers are read than the model was trained with")
    items.get_by_role("button", name="Tell me again").click()
    expect(tab.part("silenced")).to_contain_text("No advice is silenced.")
    expect(tab.part("all_again")).to_be_hidden()
    assert kept(file) == {}
    webui.go("txt2img")
    expect(advice).to_be_visible()


def test_all_can_be_told_again_at_once(webui, keep, file):
    keep({"name:anime": {**ANIME, "silenced": ["not-nai"]}, HASH: {"name": "x", "silenced": ["too-deep", HOSTILE]}})
    tab = Tab(webui.page)
    tab.open()
    tab.unfold("silenced")
    items = tab.part("silenced").locator(".clip-skip-item")
    expect(items).to_have_count(2)
    expect(items.last).to_contain_text(HOSTILE)
    tab.pick("anime.safetensors")
    tab.press("all_again")
    expect(items).to_have_count(0)
    assert kept(file) == {"name:anime": ANIME}
    tab.has(l="2")


def test_silence_in_a_newer_file_stays(webui, file):
    tab = Tab(webui.page)
    newer = {"schema": 2, "presets": {HASH: {"silenced": ["not-nai"]}}}
    file.write_text(json.dumps(newer))
    tab.open()
    tab.unfold("silenced")
    tab.part("silenced").get_by_role("button", name="Tell me again").click()
    expect(tab.said).to_have_text(re.compile("^Not saved: .* was written by a newer version of CLIP Skip"))
    assert json.loads(file.read_text()) == newer


# import and export

IMPORTED = {"name:anime": {"skip": {"l": 1}}, "name:new": {"skip": {"l": 3}}, "name:bad": {"skip": {"l": "x"}}}


def test_an_import_is_shown_before_it_is_done(tab, file):
    before = file.read_bytes()
    tab.unfold("import")
    expect(tab.part("import")).to_be_disabled()
    tab.box("text").fill(json.dumps({"schema": 1, "presets": IMPORTED}))
    tab.press("preview")
    expect(tab.changes.locator("p")).to_have_text("1 new, 1 changed, 1 left out:")
    assert [_inner_texts(row) for row in tab.changes.locator("tbody tr").all()] == [
        [
            "anime.safetensors",
            "CLIP-L 2; Descends from NovelAI's model; note: as its card says",
            "CLIP-L 1; Descends from NovelAI's model; note: as its card says",
        ],
        ["new", "Nothing", "CLIP-L 3"],
        ['"name:bad"', "Nothing", 'Left out: skip.l "x" was refused, accepted is a number from 1 to 12'],
    ]
    assert file.read_bytes() == before
    tab.press("import")
    expect(tab.changes).to_contain_text("Imported: 2")
    tab.shows("anime.safetensors", "new", "pony.safetensors")
    expect(tab.part("import")).to_be_disabled()
    assert kept(file) == {"name:anime": {**ANIME, "skip": {"l": 1}}, "name:new": {"skip": {"l": 3}}, HASH: PONY}
    tab.press("undo_import")
    expect(tab.changes).to_have_text("Undone.")
    tab.shows("anime.safetensors", "pony.safetensors")
    assert kept(file) == KEPT


def test_only_what_was_shown_is_imported(tab, file, keep):
    tab.unfold("import")
    tab.box("text").fill(json.dumps({"schema": 1, "presets": IMPORTED}))
    tab.press("preview")
    expect(tab.part("import")).to_be_enabled()
    tab.box("text").fill("nothing of the kind")
    expect(tab.part("import")).to_be_disabled()
    tab.press("preview")
    expect(tab.changes).to_have_text("Nothing to import: nothing in it names a clip skip")
    expect(tab.part("import")).to_be_disabled()

    tab.box("text").fill(json.dumps({"schema": 1, "presets": IMPORTED}))
    tab.press("preview")
    expect(tab.part("import")).to_be_enabled()
    now = {"name:anime": {**ANIME, "skip": {"l": 4}}}
    keep(now)
    tab.press("import")
    expect(tab.changes.locator("p").first).to_have_text(re.compile("^Not imported: "))
    expect(tab.changes.locator("tbody tr").first).to_contain_text("CLIP-L 4")
    assert kept(file) == now
    tab.press("import")
    expect(tab.changes).to_contain_text("Imported: 2")
    assert kept(file)["name:anime"]["skip"] == {"l": 1}


def test_what_is_typed_asks_nothing_whose_answer_could_come_after_a_preview(tab):
    tab.unfold("import")
    with unanswered(tab.page) as asked:
        tab.box("text").fill(json.dumps({"schema": 1, "presets": IMPORTED}))
        tab.page.evaluate(AFTER_ITS_EVENTS)
        assert asked == []
    tab.press("preview")
    expect(tab.part("import")).to_be_enabled()


def test_a_note_of_a1111_is_opened_as_a_file(webui, tab, file, tmp_path):
    """Its name is all that tells the model; the host tells that this is SD 1.x, so that its number is taken."""
    note = tmp_path / "sd1-b.json"
    note.write_text(json.dumps({"description": "", "notes": "use clip skip 2"}))
    tab.unfold("import")
    for _ in "once", "again":
        tab.open_file(note)
        tab.has(filename="sd1-b.json", text=note.read_text())
        expect(tab.changes.locator("tbody tr")).to_have_count(1)
        expect(tab.changes.locator("tbody tr")).to_contain_text("CLIP-L 2")
        tab.box("text").fill("")
        expect(tab.changes.locator("tbody tr")).to_have_count(0)
        tab.box("filename").fill("")
    tab.open_file(note)
    tab.press("import")
    expect(tab.changes).to_contain_text("Imported: 1")
    tab.shows("anime.safetensors", "pony.safetensors", f"sd1-b{SUFFIX}")


def test_a_file_that_is_no_text_is_refused(tab, tmp_path):
    picture = tmp_path / "picture.json"
    picture.write_bytes(b"\x89PNG\0\xff\xfe")
    tab.unfold("import")
    tab.open_file(picture)
    expect(tab.changes).to_have_text("This file is no text: picture.json")


def test_an_export_can_be_imported_again(tab, file):
    tab.unfold("export")
    tab.press("export")
    expect(tab.box("exported")).to_have_value(re.compile("schema"))
    assert json.loads(tab.box("exported").input_value())["presets"] == KEPT
    with tab.page.expect_download() as download:
        tab.press("download")
    assert download.value.suggested_filename == "clip-skip-presets.json"
    assert json.loads(download.value.path().read_text())["presets"] == KEPT


# what others wrote


def test_hostile_names_and_notes_are_text(webui, keep, file):
    hostile = {"name": HOSTILE, "skip": {"l": 2}, "note": f"</td>{HOSTILE}\u202e\ud800", "silenced": [HOSTILE]}
    keep({f"name:{HOSTILE}": hostile, HASH: {**hostile, "name": "\"'><b>\ud800"}, "name:\udc80": {"blend": HOSTILE}})
    webui.reload()
    tab = Tab(webui.page)
    tab.open()
    expect(tab.rows).to_have_count(3)
    expect(tab.part("problems")).to_contain_text("onerror")
    expect(tab.rows.nth(0)).to_contain_text("\"'><b>")
    expect(tab.rows.nth(1).locator("td").nth(4).locator("[translate=no]").last).to_have_text(f"</td>{HOSTILE}")
    tab.pick(HOSTILE)
    tab.has(model=HOSTILE)
    tab.part("model").locator("input").first.click()
    expect(tab.page.get_by_test_id("dropdown-option").filter(has_text="onerror").first).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.press("delete")
    expect(tab.said).to_contain_text(HOSTILE)
    tab.press("undo")
    expect(tab.said).to_have_text("Undone.")
    tab.box("l").fill("3")
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    assert kept(file)[f"name:{HOSTILE}"] == {**hostile, "skip": {"l": 3}}

    tab.unfold("import")
    tab.box("text").fill(file.read_text().replace('"l": 3', '"l": 4'))
    tab.press("preview")
    expect(tab.changes.locator("tbody tr").filter(has_text="CLIP-L 4")).to_contain_text(HOSTILE)
    expect(webui.page.locator("#tab_clip_skip img, #tab_clip_skip td b")).to_have_count(0)
    assert webui.page.evaluate("typeof window.pwned") == "undefined"


def test_a_thousand_presets_are_shown_in_part_and_found_all(webui, keep):
    keep({f"name:model-{number}": {"skip": {"l": 2}} for number in range(1000)})
    tab = Tab(webui.page)
    tab.open()
    expect(tab.part("table")).to_contain_text("900 more are not shown: search for them.")
    expect(tab.rows).to_have_count(100)
    tab.box("search").press_sequentially("model-999")
    tab.shows("model-999")
    tab.pick("model-999")
    tab.has(model="model-999", l="2")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 360, "height": 800}], ids=["360px"])
def test_a_narrow_window_holds_the_tab(page, site, keep, theme):
    long = "without_any_break_" * 12
    entry = {"name": long, "skip": {"l": 1.25, "g": 1.25, "h": 1.25}, "note": long, "silenced": ["not-nai", long]}
    keep({**KEPT, f"name:{long}": entry})
    webui = WebUI(page, site.address)
    webui.open(f"?__theme={theme}")
    tab = Tab(page)
    tab.open()
    tab.rows.last.get_by_role("button").click()
    expect(tab.part("form")).to_be_visible()
    tab.press("save")
    expect(tab.said).to_have_text("Saved.")
    tab.unfold("silenced")
    expect(tab.part("all_again")).to_be_visible()
    tab.unfold("import")
    tab.box("text").fill(json.dumps({"schema": 1, "presets": {f"name:{long}": {"note": long * 2}}}))
    tab.press("preview")
    expect(tab.changes.locator("tbody tr")).to_have_count(1)
    tab.unfold("export")
    tab.press("export")
    expect(tab.part("download")).to_be_visible()
    scroll, client, sticking_out = page.locator("#tab_clip_skip").evaluate(
        """tab => {
            const right = tab.getBoundingClientRect().right;
            const out = [...tab.querySelectorAll("*")].filter(part => {
                const box = part.getBoundingClientRect();
                return box.width > 0 && box.right > right + 0.5;
            });
            return [tab.scrollWidth, tab.clientWidth, out.map(part => part.outerHTML.slice(0, 120))];
        }"""
    )
    assert 0 < scroll <= client <= 360
    assert sticking_out == []
