"""What is said of a model that is read as it should not be: in the panel, and beside the host's own slider."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FLAVOUR, HOSTILE, HOSTILE_LORA, HOSTILE_SD1
from tests.browser.page import WebUI, contrast, unanswered

NOT_NAI = "Warning Clip skip 2 is for SD 1.x models that descend from NovelAI's. This one does not."
UNVERIFIED = "Caution Does the model's page say clip skip 2?"
BEHIND = (
    "Clip skip 2 is for SD 1.x models that descend from NovelAI's. Whether this one does is not known. "
    "Nothing in its file tells."
)
YES, NO, UNSURE = "Yes, keep 2", "No, use 1", "I don't know"
NAI_BELOW = "Hint This model descends from NovelAI's SD 1.x model, which was trained with clip skip 2."
TOO_DEEP = "Caution At so high a clip skip most of the prompt is lost."
OFF_TRAINED = "Warning The prompt is read with fewer layers than the model was trained with."
LORA = "Hint A LoRA in the prompt was trained with another clip skip."
UNUSED = "off: CLIP Skip uses 1 CLIP Skip decides instead of this slider."
OFF = "off: CLIP Skip uses "
IS_NAI, IS_NOT_NAI = "This model is NAI-derived", "This model is not NAI-derived"
SILENCE = "Don't tell me again for this model"
OF_PHOTO = "Its .civitai.info says that the file's sha256 is that of v1-5-pruned-emaonly.safetensors."
OF_ANIME = "Its .civitai.info says clip skip 2."


@pytest.fixture(autouse=True)
def presets(site):
    """The presets file, which is not there yet."""
    path = site.data / "clip-skip" / "presets.json"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def advice(panel):
    return panel.advice


def kept(presets) -> list[dict]:
    """The presets in the file, without what tells of which model each is."""
    told = ("name", "architecture")
    presets = json.loads(presets.read_text())["presets"]
    return [{k: v for k, v in each.items() if k not in told} for each in presets.values()]


def come_back(webui: WebUI, tab: str = "txt2img") -> None:
    """Reload the page; the sliders of SD.Next forget what they were at."""
    before = webui.skip(tab).input_value()
    webui.reload()
    if tab != "txt2img":
        webui.go(tab)
    if FLAVOUR == "sdnext":
        webui.set_skip(before, tab)
    expect(webui.skip(tab)).to_have_value(before)


# --- it appears and goes ---------------------------------------------------------------------------------------------


def test_options_from_before_take_nothing_back_of_what_the_slider_is_at(webui, advice):
    webui.select_model("photo")
    before = webui.page.evaluate("JSON.stringify(opts)")
    with unanswered(webui.page, of='"data":[6]'):  # the host has not heard of the slider yet
        webui.skip().fill("6")
        webui.skip().blur()
        advice.says(NOT_NAI, TOO_DEEP)
        webui.page.evaluate("text => { updateOpts(text); }", before)
        webui.txt2img.rests()
        advice.says(NOT_NAI, TOO_DEEP)


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_the_hosts_own_slider_is_judged(webui, tab):
    webui.select_model("photo")
    panel = getattr(webui, tab)
    if tab != "txt2img":
        webui.go(tab)
    panel.advice.says_nothing()
    expect(webui.badge(tab)).to_be_hidden()
    webui.set_skip("2", tab)
    panel.advice.says(NOT_NAI)
    panel.advice.reasons(OF_PHOTO)
    panel.advice.offers("Use 1", IS_NAI, SILENCE)
    expect(webui.badge(tab)).to_have_text("Warning")
    webui.set_skip("1", tab)
    panel.advice.says_nothing()
    expect(webui.badge(tab)).to_be_hidden()
    expect(panel.part("status")).to_be_hidden()


def test_a_drag_of_the_hosts_slider_is_followed_to_its_end(webui, advice):
    webui.select_model("photo")
    track = webui.slider().locator("input[type=range]")
    box = track.bounding_box()
    mouse, y = webui.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + 8, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 1, y, steps=60)
    mouse.up()
    expect(webui.skip()).to_have_value("12")
    advice.reasons(OF_PHOTO, "CLIP-L: layers left out: 11 of 12")


def test_a_descendant_of_nai_is_judged_the_other_way_round(webui, advice):
    webui.select_model("anime")
    advice.says(NAI_BELOW)
    advice.reasons(OF_ANIME)
    advice.offers("Use 2", IS_NOT_NAI, SILENCE)
    expect(webui.badge()).to_have_text("Hint")
    webui.set_skip("2")
    advice.says_nothing()
    expect(webui.badge()).to_be_hidden()
    webui.set_skip("1")
    advice.says(NAI_BELOW)


def test_the_panels_own_sliders_are_judged(webui, panel, advice):
    """The badge says what is true of the host's own slider: that it is off, and what is used."""
    webui.select_model("photo")
    panel.open_manual()
    advice.says_nothing()
    expect(webui.badge()).to_have_text(f"{OFF}1")
    panel.set("l", "2")
    advice.says(NOT_NAI)
    expect(webui.badge()).to_have_text(f"{OFF}2")
    panel.set("l", "1")
    advice.says_nothing()
    expect(webui.badge()).to_have_text(f"{OFF}1")
    panel.set("l", "2")
    advice.says(NOT_NAI)
    panel.choose("mode", "Auto")
    advice.says_nothing()
    panel.choose("mode", "Manual")
    advice.says_nothing()
    panel.set("l", "2")
    advice.says(NOT_NAI)
    panel.switch(False)
    advice.says_nothing()
    expect(webui.badge()).to_be_hidden()


def test_a_tag_that_decides_is_said(webui, panel, advice):
    panel.open_manual()
    panel.set("l", "3")
    advice.says(OFF_TRAINED)
    webui.prompt("txt2img").fill("a fox <clipskip:2>")
    expect(panel.status).to_have_text(["SDXL, sdxl-a", "The prompt's tag decides: CLIP-L 2, CLIP-G 2"])
    expect(webui.badge()).to_have_text(f"{OFF}2")
    panel.switch(False)
    expect(webui.badge()).to_have_text(f"{OFF}2")
    advice.says(OFF_TRAINED)
    advice.offers(SILENCE)
    expect(panel.head).to_contain_text("CLIP Skip: L 2, G 2")
    webui.prompt("txt2img").fill("a fox")
    advice.says_nothing()
    expect(panel.head).not_to_contain_text("CLIP Skip:")


@pytest.mark.parametrize("written", ["<ClipSkip:2>", "<clip skip 2>", "<clipskip\uff1a2>"])
def test_what_looks_like_a_tag_gets_the_tag_to_write(webui, panel, advice, written):
    webui.prompt("txt2img").fill(f"a fox {written}")
    advice.says("Hint What looks like CLIP Skip's tag does nothing.")
    advice.reasons(f"{written}: write <clipskip:2>")
    panel.switch(True)
    advice.reasons(f"{written}: write <clipskip:2>")
    webui.prompt("txt2img").fill("a fox")
    advice.says_nothing()
    webui.page.locator("#txt2img_neg_prompt textarea").fill("<clipskip:2>")
    advice.reasons("<clipskip:2>: write it into the prompt: <clipskip:2>")


def test_another_model_has_another_advice(webui, advice):
    webui.select_model("photo")
    webui.set_skip("2")
    advice.says(NOT_NAI)
    webui.select_model("sd1-a")
    advice.says(UNVERIFIED)
    expect(webui.badge()).to_have_text("Caution")
    webui.select_model("anime")
    advice.says_nothing()
    expect(webui.badge()).to_be_hidden()
    webui.select_model("photo")
    advice.says(NOT_NAI)
    expect(webui.badge()).to_have_text("Warning")


def test_each_tab_has_its_own_advice(webui, panel):
    webui.select_model("photo")
    panel.open_manual()
    panel.set("l", "2")
    panel.advice.says(NOT_NAI)
    webui.go("img2img")
    expect(webui.badge("img2img")).to_be_hidden()
    webui.img2img.advice.says_nothing()
    webui.go("txt2img")
    panel.advice.says(NOT_NAI)
    expect(webui.badge()).to_have_text(f"{OFF}2")


def test_a_change_in_another_page_is_seen_when_the_tab_is_shown_again(webui, panel, advice, presets, site):
    webui.select_model("photo")
    webui.set_skip("2")
    advice.says(NOT_NAI)
    presets.parent.mkdir(exist_ok=True)
    key = webui.page.request.get("/clip-skip/v1/status", max_retries=3).json()["model"]["key"]
    assert webui.page.request.put(f"/clip-skip/v1/presets/{key}", data={"lineage": "nai-derived"}).ok
    webui.go("img2img")
    webui.go("txt2img")
    advice.says_nothing()


def test_an_sdxl_model_at_2_counts_as_the_cards_do(webui, panel, advice):
    panel.open_manual()
    panel.set("g", "2")
    advice.says(OFF_TRAINED)
    advice.reasons('CLIP-G: layers left out: 1 of 31. A model page that says "clip skip 2" or "-2" means 1 here.')
    panel.set("g", "1")
    advice.says_nothing()


# --- what the buttons do ---------------------------------------------------------------------------------------------


def test_use_1_moves_the_hosts_own_slider(webui, advice, site):
    webui.select_model("photo")
    webui.set_skip("2")
    advice.press("Use 1")
    expect(webui.skip()).to_have_value("1")
    advice.says_nothing()
    expect(webui.badge()).to_be_hidden()
    if FLAVOUR != "sdnext":  # has no option for it
        # It moves in the page before the host has saved it.
        webui.page.wait_for_function(
            "async () => (await (await fetch('/test/saved')).json()).CLIP_stop_at_last_layers === 1"
        )
        saved = json.loads((site.data / "config.json").read_text())["CLIP_stop_at_last_layers"]
        assert (saved, type(saved)) == (1, int)  # A1111 can't count with 1.0
    webui.reload()
    expect(webui.skip()).to_have_value("1")
    advice.says_nothing()


def test_use_2_does_too(webui, advice):
    webui.select_model("anime")
    advice.press("Use 2")
    expect(webui.skip()).to_have_value("2")
    advice.says_nothing()
    come_back(webui)
    advice.says_nothing()


def test_use_1_moves_the_sliders_of_the_panel(webui, panel, advice):
    webui.select_model("photo")
    panel.open_manual()
    panel.set("l", "2")
    advice.press("Use 1")
    expect(panel.number("l")).to_have_value("1")
    expect(panel.words("l")).to_have_text(["as trained"])
    advice.says_nothing()
    panel.chosen("mode", "Manual")
    assert "Clip skip" not in webui.generate().info


def test_use_1_never_changes_a_preset_unasked(webui, panel, advice, presets):
    webui.select_model("photo")
    panel.open_manual()
    panel.set("l", "2")
    panel.part("save").click()
    panel.chosen("mode", "Auto")
    advice.says(NOT_NAI)
    before = presets.read_text()
    advice.press("Use 1")
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("1")
    expect(panel.ended).to_have_text("Set here alone: your preset is as it was.")
    advice.says_nothing()
    assert presets.read_text() == before
    panel.choose("mode", "Auto")
    expect(panel.status.last).to_have_text("Auto uses CLIP-L 2: this model's preset.")
    advice.says(NOT_NAI)


def ask_why(advice) -> None:
    advice.why.locator("summary").click()
    expect(advice.why.locator("p")).to_have_text(BEHIND)


def test_where_nobody_knows_the_words_of_descent_are_for_who_asks_why(webui, advice):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    advice.says(UNVERIFIED)
    expect(advice.items.locator("> .clip-skip-actions button")).to_have_text([YES, NO, UNSURE])
    expect(advice.why.locator("p")).to_be_hidden()
    # Beside the answers.
    answers, why = advice.items.locator("> .clip-skip-actions").bounding_box(), advice.why.locator("summary span")
    assert answers["y"] <= why.bounding_box()["y"] < answers["y"] + answers["height"]
    ask_why(advice)
    expect(advice.why.locator("button")).to_have_text([IS_NAI, IS_NOT_NAI, SILENCE])
    assert advice.why.locator("p").bounding_box()["y"] >= answers["y"] + answers["height"]
    assert advice.why.locator("p").bounding_box()["x"] == answers["x"]


@pytest.mark.parametrize("decides", ["slider", "manual"])
@pytest.mark.parametrize("answer, skip", [(YES, 2), (NO, 1), (UNSURE, 1)])
def test_an_answer_is_kept_and_used_and_can_be_undone(webui, panel, advice, presets, decides, answer, skip):
    webui.select_model("sd1-a")
    if decides == "manual":
        panel.open_manual()
    number = panel.number("l") if decides == "manual" else webui.skip()
    panel.set("l", "3") if decides == "manual" else webui.set_skip("3")
    advice.says(UNVERIFIED)
    advice.press(answer)
    expect(number).to_have_value(str(skip))
    advice.says_nothing()
    if answer == UNSURE:
        expect(panel.ended).to_have_text("Set here alone: nothing is kept for this model.")
        assert not presets.exists()
        return
    expect(panel.ended).to_have_text("Kept for sd1-a. Undo")
    assert kept(presets) == [{"skip": {"l": skip}}]
    panel.ended.get_by_role("button").click()
    expect(panel.ended).to_have_text("Undone.")
    assert kept(presets) == []
    expect(number).to_have_value("3")
    advice.says(UNVERIFIED)


def test_undo_gives_back_what_the_slider_was_at_where_the_host_knew_first_where_it_goes(webui, panel, advice, presets):
    webui.select_model("sd1-a")
    webui.set_skip("3")
    advice.says(UNVERIFIED)
    with unanswered(webui.page, of="yes"):  # the press is heard after the slider that it moves
        advice.press(YES)
        expect(webui.skip()).to_have_value("2")
        if FLAVOUR != "sdnext":  # whose sliders are no options
            webui.page.wait_for_function(
                "async () => (await (await fetch('/sdapi/v1/options')).json()).CLIP_stop_at_last_layers === 2"
            )
    expect(panel.ended).to_have_text("Kept for sd1-a. Undo")
    panel.ended.get_by_role("button").click()
    expect(panel.ended).to_have_text("Undone.")
    expect(webui.skip()).to_have_value("3")
    advice.says(UNVERIFIED)


def test_what_was_answered_is_not_asked_again(webui, panel, advice, presets):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    advice.press(YES)
    advice.says_nothing()
    come_back(webui)
    advice.says_nothing()
    panel.switch(True)
    expect(panel.status.last).to_have_text("Auto uses CLIP-L 2: this model's preset.")
    advice.says_nothing()
    panel.switch(False)
    webui.select_model("sd1-b")
    advice.says(UNVERIFIED)


def test_what_was_kept_can_be_undone_where_it_was_pressed(webui, panel, advice, presets):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    ask_why(advice)
    advice.press(IS_NAI)
    advice.says_nothing()
    expect(panel.ended).to_have_text("Kept for sd1-a. Undo")
    panel.ended.get_by_role("button").click()
    expect(panel.ended).to_have_text("Undone.")
    advice.says(UNVERIFIED)
    assert kept(presets) == []


def test_a_model_is_marked_as_no_descendant(webui, advice, presets):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    advice.says(UNVERIFIED)
    ask_why(advice)
    advice.press(IS_NOT_NAI)
    advice.says(NOT_NAI)
    advice.reasons("You marked it as not NAI-derived.")
    assert kept(presets) == [{"lineage": "not-nai"}]
    come_back(webui)
    advice.says(NOT_NAI)
    webui.select_model("sd1-b")
    advice.says(UNVERIFIED)


def test_a_model_is_marked_as_a_descendant(webui, advice, presets):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    ask_why(advice)
    advice.press(IS_NAI)
    advice.says_nothing()
    assert kept(presets) == [{"lineage": "nai-derived"}]
    come_back(webui)
    advice.says_nothing()
    webui.set_skip("1")
    advice.says(NAI_BELOW)
    advice.reasons("You marked it as NAI-derived.")


def test_an_advice_is_silenced_for_a_model(webui, advice, presets):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    ask_why(advice)
    advice.press(SILENCE)
    advice.says_nothing()
    expect(webui.badge()).to_be_hidden()
    assert kept(presets) == [{"silenced": ["nai-unverified"]}]
    come_back(webui)
    webui.set_skip("6")
    advice.says(TOO_DEEP)
    webui.select_model("sd1-b")
    webui.set_skip("2")
    advice.says(UNVERIFIED)


def test_what_can_not_be_saved_is_said(webui, panel, advice, presets):
    webui.select_model("sd1-a")
    panel.open_manual()
    panel.set("l", "2")
    presets.parent.mkdir(exist_ok=True)
    presets.write_text('{"schema": 2, "presets": {}}')
    advice.press(YES)
    expect(panel.ended).to_have_text(re.compile("^Not saved: .* was written by a newer version of CLIP Skip"))
    advice.says(UNVERIFIED)


def test_why_opens_the_evidence_and_stays_open(webui, advice):
    webui.select_model("photo")
    webui.set_skip("2")
    expect(advice.why.locator("summary")).to_have_text("Why?")
    expect(advice.why.locator("li").first).to_be_hidden()
    advice.why.locator("summary").click()
    expect(advice.why.locator("p")).to_have_text("It does not descend from NovelAI's SD 1.x model.")
    expect(advice.why.locator("li")).to_have_text([f"{OF_PHOTO} (probable)"])
    expect(advice.why.locator("li").first).to_be_visible()
    webui.set_skip("6")
    advice.says(NOT_NAI, TOO_DEEP)
    expect(advice.why.locator("li").first).to_be_visible()
    advice.why.locator("summary").click()
    webui.set_skip("2")
    advice.says(NOT_NAI)
    expect(advice.why.locator("li").first).to_be_hidden()


def test_advice_that_stays_the_same_is_not_drawn_again(webui, advice):
    webui.select_model("photo")
    webui.set_skip("2")
    advice.says(NOT_NAI)
    advice.items.evaluate("item => item.drawn = 'once'")
    for number in ("3", "4"):  # asked one after the other: at the second answer the first is on the page
        with webui.page.expect_response(lambda answer: "/run/" in answer.url and "This one does not" in answer.text()):
            webui.set_skip(number)
    expect(advice.items).to_have_js_property("drawn", "once")
    webui.set_skip("6")
    advice.says(NOT_NAI, TOO_DEEP)
    expect(advice.items.first).not_to_have_js_property("drawn", "once")


# --- the badge -------------------------------------------------------------------------------------------------------


def test_the_badge_opens_a_window_that_acts(webui, advice):
    webui.select_model("photo")
    webui.set_skip("2")
    badge, window = webui.badge(), webui.window()
    expect(badge).to_have_attribute("aria-expanded", "false")
    badge.click()
    expect(badge).to_have_attribute("aria-expanded", "true")
    window.says(NOT_NAI)
    window.reasons(OF_PHOTO)
    window.offers("Use 1", IS_NAI, SILENCE)
    window.why.locator("summary").click()
    expect(window.why.locator("li")).to_be_visible()
    window.press("Use 1")
    window.says_nothing()
    expect(badge).to_be_hidden()
    expect(webui.skip()).to_have_value("1")
    advice.says_nothing()


def test_the_window_closes(webui):
    webui.select_model("photo")
    webui.set_skip("2")
    badge, window = webui.badge(), webui.window()
    ways = (badge.click, lambda: webui.page.keyboard.press("Escape"), webui.prompt("txt2img").click)
    for close in ways:
        badge.click()
        window.says(NOT_NAI)
        close()
        window.says_nothing()
        expect(badge).to_have_attribute("aria-expanded", "false")


def test_the_window_follows_what_it_is_about(webui):
    webui.select_model("photo")
    webui.set_skip("2")
    webui.badge().click()
    webui.window().says(NOT_NAI)
    webui.window().press(SILENCE)
    expect(webui.badge()).to_be_hidden()
    webui.set_skip("6")
    webui.badge().click()
    webui.window().says(TOO_DEEP)


def test_a_keyboard_is_enough(webui, advice):
    """From the slider's box backwards to the badge, into its window, to its button, and on from where it was."""
    webui.select_model("photo")
    webui.set_skip("2")
    badge, window = webui.badge(), webui.window()
    expect(badge).to_be_visible()
    webui.skip().focus()
    webui.page.keyboard.press("Shift+Tab")
    expect(badge).to_be_focused()
    webui.page.keyboard.press("Enter")
    window.says(NOT_NAI)
    webui.page.keyboard.press("Tab")
    expect(window.items.get_by_role("button", name="Use 1")).to_be_focused()
    webui.page.keyboard.press("Escape")
    window.says_nothing()
    expect(badge).to_be_focused()
    webui.page.keyboard.press("Space")
    window.says(NOT_NAI)
    webui.page.keyboard.press("Tab")
    webui.page.keyboard.press("Enter")
    advice.says_nothing()
    expect(webui.skip()).to_be_focused()


def test_the_keyboard_stays_where_a_banner_was(webui, panel, advice):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    advice.items.get_by_role("button", name=YES).focus()
    webui.page.keyboard.press("Enter")
    advice.says_nothing()
    expect(panel.part("advice_off")).to_be_focused()


def test_a_screen_reader_hears_of_it(webui, panel):
    webui.select_model("photo")
    webui.set_skip("2")
    expect(webui.page.get_by_role("status").filter(has_text=NOT_NAI)).to_have_count(1)
    expect(panel.part("advice_off")).to_have_attribute("role", "status")


def test_the_slider_is_said_to_be_out_of_use(webui, panel, advice):
    expect(webui.badge()).to_be_hidden()
    panel.switch(True)
    expect(webui.badge()).to_have_text(f"{OFF}1")
    advice.says_nothing()
    webui.badge().click()
    webui.window().says(UNUSED)
    panel.switch(False)
    expect(webui.badge()).to_be_hidden()


def test_settings_limit_what_is_shown(webui, advice):
    webui.select_model("sd1-a")
    webui.set_skip("2")
    advice.says(UNVERIFIED)
    webui.apply_settings(advice_panel="Also warnings")
    advice.says_nothing()
    expect(webui.badge()).to_have_text("Caution")
    webui.apply_settings(advice_panel="Everything", advice_badge="Also warnings")
    webui.set_skip("2")
    advice.says(UNVERIFIED)
    expect(webui.badge()).to_be_hidden()
    webui.select_model("photo")
    expect(webui.badge()).to_have_text("Warning")


# --- LoRAs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_a_lora_in_the_prompt_is_heard(webui, tab):
    webui.select_model("photo")
    if tab != "txt2img":
        webui.go(tab)
    advice = getattr(webui, tab).advice
    webui.prompt(tab).press_sequentially("a fox <lora:two:0.8>")
    advice.says(LORA)
    advice.reasons("two: 2")
    advice.offers("Use 2", SILENCE)
    webui.prompt(tab).fill("a fox")
    advice.says_nothing()
    webui.prompt(tab).fill("<lora:nobody:1> <lora:two:1>")
    webui.set_skip("2", tab)
    advice.says(NOT_NAI)


def test_a_pasted_lora_is_heard(webui, advice):
    webui.select_model("photo")
    webui.paste("a fox <lora:two:1>\nSteps: 12, Sampler: Euler, CFG scale: 7, Seed: 42, Size: 512x512")
    advice.says(LORA)


# --- what comes from others ------------------------------------------------------------------------------------------


def test_hostile_words_stay_words(webui, panel, advice):
    webui.select_model(HOSTILE_SD1)
    expect(panel.status.first).to_have_text(f"SD 1.x, {HOSTILE_SD1}")
    advice.says(NAI_BELOW)
    advice.reasons("Its description (.civitai.info) says clip skip 2.")
    advice.why.locator("summary").click()
    said = [f'Its .civitai.info says clip skip "{HOSTILE}", which is not a number from 1 to 12.']
    if FLAVOUR != "sdnext":  # whose folders have no such metadata
        said += [
            f'Its metadata (modelspec.encoder_layer) says clip skip "{HOSTILE}", which is not a number from 1 to 12.',
            f'Its metadata says that it was trained on "nai {HOSTILE}", recognised by its name.',
        ]
    for each in said:
        expect(advice.why.locator("li").filter(has_text=each)).to_have_count(1)
    webui.prompt("txt2img").fill(f"<lora:{HOSTILE_LORA}:1> <lora:{HOSTILE}:1> {HOSTILE}")
    advice.says(NAI_BELOW, LORA)
    expect(advice.items.last.locator("p").nth(1)).to_have_text(f"{HOSTILE_LORA}: 2")
    webui.badge().click()
    webui.window().says(NAI_BELOW, LORA)
    expect(webui.window().items.last.locator("p").nth(1)).to_have_text(f"{HOSTILE_LORA}: 2")
    expect(webui.page.locator(".clip-skip-item img")).to_have_count(0)
    expect(webui.page.locator("[onmouseover]")).to_have_count(0)
    assert webui.page.evaluate("typeof window.pwned") == "undefined"


# --- a slow disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hold(page, site):
    """Let no model's file be read before `release`; that of the model "slow" is new."""
    post = partial(page.context.request.post, max_retries=3)
    release = partial(post, "/test/release")
    folder = site.data / "models" / ("Diffusers" if FLAVOUR == "sdnext" else "Stable-diffusion")

    def hold():
        note = folder / "slow.txt"
        note.write_text("x" * (1 + (note.stat().st_size if note.exists() else 0)))
        assert post("/test/hold").ok
        return release

    yield hold
    assert release().ok


def test_the_page_does_not_wait_for_the_models_file(webui, panel, advice, hold):
    panel.open_manual()
    panel.set("g", "2")
    advice.says(OFF_TRAINED)
    release = hold()
    webui.select_model("slow")
    expect(panel.status).to_have_text(["SD 1.x, slow"])
    advice.says_nothing()
    panel.set("l", "2")
    expect(panel.words("l")).to_have_text(["layers left out: 1 of 12"])
    panel.choose("mode", "Auto")
    panel.chosen("mode", "Auto")
    panel.touch()
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("2")
    webui.page.wait_for_function("async () => await (await fetch('/test/waiting')).json() > 0")
    advice.says_nothing()
    release()
    advice.says(UNVERIFIED)
    expect(webui.badge()).to_have_text(f"{OFF}2")


def test_what_is_known_too_late_is_not_said_of_another_model(webui, panel, advice, hold):
    webui.select_model("photo")
    webui.set_skip("2")
    advice.says(NOT_NAI)
    panel.part("advice_off").evaluate(
        """part => {
            window.said = [];
            const hear = () => window.said.push(part.innerText);
            new MutationObserver(hear).observe(part, {childList: true, subtree: true});
        }"""
    )
    release = hold()
    webui.select_model("slow")
    advice.says_nothing()
    webui.select_model("photo")
    release()
    advice.says(NOT_NAI)
    webui.set_skip("1")
    advice.says_nothing()
    said = "window.said.join()"
    assert UNVERIFIED not in webui.page.evaluate(said)
    webui.select_model("slow")
    webui.set_skip("2")
    advice.says(UNVERIFIED)
    assert UNVERIFIED in webui.page.evaluate(said)


# --- how it looks ----------------------------------------------------------------------------------------------------


def test_the_buttons_of_a_row_are_alike(webui, advice):
    """Gradio gives every button in a text a margin below, but for the last, which a row makes the higher for it."""
    webui.select_model("photo")
    webui.set_skip("2")
    advice.offers("Use 1", IS_NAI, SILENCE)
    boxes = [advice.items.locator("button").nth(place).bounding_box() for place in range(3)]
    assert len({(box["y"], box["height"]) for box in boxes}) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 360, "height": 800}], ids=["360px"])
def test_it_can_be_read_in_a_narrow_window(page, site, theme):
    webui = WebUI(page, site.address)
    webui.open(f"?__theme={theme}")
    webui.select_model(HOSTILE_SD1)
    webui.txt2img.advice.says(NAI_BELOW)
    webui.badge().click()
    webui.window().says(NAI_BELOW)
    webui.window().why.locator("summary").click()
    badge, slider = (each.bounding_box() for each in (webui.badge(), webui.slider()))  # where it has no room it is cut
    assert 0 <= slider["x"] < badge["x"] < badge["x"] + badge["width"] < slider["x"] + slider["width"] <= 360
    places = (webui.txt2img.advice.place.filter(visible=True).first, webui.window().place)
    for place in places:
        left, right, sticking_out = place.evaluate(
            """place => {
                const {left, right} = place.getBoundingClientRect();
                const out = [...place.querySelectorAll("*")].filter(part => {
                    const box = part.getBoundingClientRect();
                    return box.width > 0 && (box.left < left - 0.5 || box.right > right + 0.5);
                });
                return [left, right, out.map(part => part.outerHTML.slice(0, 120))];
            }"""
        )
        assert 0 <= left < right <= 360
        assert sticking_out == []
    for text in (
        page.locator(".clip-skip-item :is(p, li, button, summary), .clip-skip-badge").filter(visible=True).all()
    ):
        assert contrast(text) >= 4.5, text.inner_text()  # WCAG AA
    for item in page.locator(".clip-skip-item, .clip-skip-badge").filter(visible=True).all():
        assert contrast(item, "borderLeftColor") >= 3, item.inner_text()
