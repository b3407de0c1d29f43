"""What the panel shows, and how it follows the model, the settings and the window."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from clip_skip.advice.names import AdviceId
from tests.browser.conftest import FLAVOUR, HOSTILE, LONG
from tests.browser.page import AFTER_ITS_EVENTS, QUESTION, SWITCHED_BY_ITS_HEAD, WebUI, asks, contrast, unanswered

AUTO_SDXL = "Auto uses CLIP-L 1, CLIP-G 1: as trained."


def test_a_new_page_has_the_panel_closed_and_off(panel):
    expect(panel.head).to_have_text(re.compile("CLIP Skip"))
    expect(panel.enabled).not_to_be_checked()
    expect(panel.part("status")).to_be_hidden()


def test_auto_names_architecture_model_and_values(panel):
    panel.switch(True)
    expect(panel.status).to_have_text(["SDXL, sdxl-a", AUTO_SDXL])
    panel.chosen("mode", "Auto")
    panel.shows_sliders("l", "g")
    for part in ("mode", "save", "back"):
        expect(panel.part(part)).to_be_hidden()


def test_a_slider_for_each_encoder_of_the_model_stands_where_auto_is(webui, panel, presets_file):
    presets_file.write_text('{"presets": {"name:sdxl-a": {"skip": {"l": 1.5, "g": 14}, "blend": "slerp"}}}')
    webui.go("img2img")
    webui.go("txt2img")
    panel.switch(True)
    expect(panel.status.last).to_have_text("Auto uses CLIP-L 1.5, CLIP-G 14: this model's preset.")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("14")  # beyond what the user's setting has the slider go to
    expect(panel.words("g")).to_have_text(["layers left out: 13 of 31"])
    panel.chosen("blend", "Slerp")
    panel.chosen("mode", "Auto")
    track = panel.slider("l").locator("input[type=range]")
    assert track.evaluate("track => getComputedStyle(track).opacity") == "0.55"
    track.press("ArrowRight")
    panel.chosen("mode", "Manual")
    assert track.evaluate("track => getComputedStyle(track).opacity") == "1"
    expect(panel.number("l")).to_have_value("1.6")
    panel.part("back").click()
    expect(panel.number("l")).to_have_value("1.5")
    panel.chosen("mode", "Auto")
    expect(track).to_be_focused()


def test_manual_is_what_a_hand_makes(panel):
    panel.open_manual()
    expect(panel.status).to_have_text(["SDXL, sdxl-a"])
    panel.shows_sliders("l", "g")
    panel.unfold()
    expect(panel.part("meaning")).to_have_text(
        '1 = as trained. A model page that says "clip skip 2" or "-2" means 1 here.'
    )
    expect(panel.part("same")).to_be_visible()
    expect(panel.words("l")).to_have_text(["as trained"])
    expect(panel.words("g")).to_have_text(["as trained"])
    panel.choose("mode", "Auto")
    expect(panel.status).to_have_text(["SDXL, sdxl-a", AUTO_SDXL])


def test_the_words_follow_the_slider(panel):
    panel.open_manual()
    panel.set("l", "1.5")
    expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 11"])
    panel.set("g", "2.5")
    expect(panel.words("g")).to_have_text(["layers left out: 1.5 of 31"])
    panel.slider("l").locator("input[type=range]").press("ArrowRight")
    expect(panel.number("l")).to_have_value("1.6")
    expect(panel.words("l")).to_have_text(["layers left out: 0.6 of 11"])
    panel.set("l", "1")
    expect(panel.words("l")).to_have_text(["as trained"])
    expect(panel.words("g")).to_have_text(["layers left out: 1.5 of 31"])


def test_same_for_all_encoders_is_one_slider_that_names_them(panel):
    panel.open_manual()
    panel.same.check()
    panel.shows_sliders("skip")
    panel.set("skip", "1.5")
    expect(panel.words("skip")).to_have_text(
        ["CLIP-L: layers left out: 0.5 of 11", "CLIP-G: layers left out: 0.5 of 31"]
    )
    panel.same.uncheck()
    panel.shows_sliders("l", "g")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("1.5")
    panel.set("l", "2")
    panel.same.check()
    expect(panel.number("skip")).to_have_value("2")


def test_the_sliders_stand_side_by_side_where_there_is_room(panel):
    panel.open_manual()
    panel.rests()
    left, right = (panel.slider(name).bounding_box() for name in ("l", "g"))
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    panel.same.check()
    panel.shows_sliders("skip")
    assert panel.slider("skip").bounding_box()["width"] > left["width"] * 1.9
    panel.page.set_viewport_size({"width": 360, "height": 1400})
    panel.same.uncheck()
    panel.shows_sliders("l", "g")
    left, right = (panel.slider(name).bounding_box() for name in ("l", "g"))
    assert left["x"] == right["x"] and left["y"] + left["height"] <= right["y"]


def test_the_panel_is_low(page, site):
    """As wide as the hosts have it on a page of 1,280 pixels; with the fonts of other machines, too."""
    page.set_viewport_size({"width": 1280, "height": 1100})
    webui = WebUI(page, site.address)
    webui.open()
    webui.txt2img.switch(True)
    webui.txt2img.rests()
    assert webui.txt2img.accordion.bounding_box()["height"] <= 140
    webui.txt2img.set("l", "2")
    expect(webui.txt2img.advice.items).to_have_count(1)
    assert webui.txt2img.accordion.bounding_box()["height"] <= 270


def test_all_that_can_be_pressed_has_a_name(panel):
    """As a screen reader has it: by its role."""
    panel.open_manual()
    panel.rests()
    roles = "button|checkbox|radio|slider|spinbutton|status|textbox"
    found = [
        named
        for part in ("sliders", "keep", "answer")
        for named in re.findall(rf'^ *- ({roles})\b(?: "([^"]*)")?', panel.part(part).aria_snapshot(), re.MULTILINE)
    ]
    expected = {
        ("slider", "CLIP-L"),
        ("spinbutton", "CLIP-L"),
        ("slider", "CLIP-G"),
        ("spinbutton", "CLIP-G"),
        ("textbox", "Skips to compare"),
        ("status", "CLIP Skip"),
        *(("button", words) for words in ("Compare skips", "Save for this model", "Back to Auto")),
        *([] if SWITCHED_BY_ITS_HEAD else [("checkbox", "On")]),
    }
    gradios = re.compile("^(number input|range slider) for ")  # Gradio 4 says which of the two
    assert {(role, gradios.sub("", name)) for role, name in found} == expected


def test_blend_is_shown_where_a_number_is_a_fraction(panel):
    panel.open_manual()
    panel.unfold()
    expect(panel.part("draw")).to_be_visible()
    expect(panel.part("blend")).to_be_hidden()
    panel.set("g", "1.5")
    expect(panel.part("blend")).to_be_visible()
    panel.set("g", "2")
    expect(panel.part("blend")).to_be_hidden()


def test_more_has_no_frame_of_its_own(panel):
    """Also where a WebUI has a rule for every accordion, as AUTOMATIC1111 and Forge have."""
    panel.page.add_style_tag(content="div.block.block { border: 1px solid red !important; }")
    panel.switch(True)
    expect(panel.part("more")).to_have_css("border-top-width", "0px")
    expect(panel.accordion).to_have_css("border-top-width", "1px")


def test_options_that_come_late_take_nothing_back_of_what_was_said(webui, panel, presets_file):
    """AUTOMATIC1111 tells its page of them after the page's first question, on a slow machine after a press."""
    options = webui.page.evaluate(
        "() => { const told = JSON.stringify(opts); for (const o in opts) delete opts[o]; return told; }"
    )
    panel.open_manual()
    panel.set("l", "1.5")
    panel.part("save").click()
    expect(panel.ended).to_contain_text("Saved for")
    panel.rests()
    webui.page.evaluate("text => { updateOpts(text); }", options)
    panel.rests()
    expect(panel.ended).to_contain_text("Saved for")


def test_a_track_stays_in_its_room_whatever_rules_a_webui_has(panel):
    """SD.Next's Standard UI has these: a track lay over the other slider, and went on beyond the panel."""
    panel.page.add_style_tag(
        content="""input[type="range"] { min-width: 160px !important; width: 100% !important; }
            [id^="clip_skip"]:is([id$="_l"], [id$="_g"]) { width: max-content !important; }"""
    )
    panel.open_manual()
    tracks = [panel.part(name).locator("input[type=range]") for name in ("l", "g")]
    for width in (1280, 360):
        panel.page.set_viewport_size({"width": width, "height": 900})
        for track in tracks:
            track.evaluate("""track => {
                const room = track.closest("[id$=_sliders] > *").getBoundingClientRect();
                if (track.getBoundingClientRect().right > room.right) throw new Error("out of its room");
            }""")


def test_a_webui_that_translates_by_name_leaves_the_title_to_gradio(panel):
    """As SD.Next does it, in every language but English; "CLIP Skip" is its own slider, too."""
    panel.page.evaluate(
        """() => {
            for (const each of document.querySelectorAll("button, label > span, .label-wrap > span")) {
                const name = each.dataset.original ?? each.textContent;
                if (name.toLowerCase().trim() === "clip skip") each.textContent = "CLIP Skip";
            }
        }"""
    )
    panel.switch(True)
    expect(panel.head).to_contain_text("CLIP Skip: L 1, G 1")


def test_nothing_of_ours_has_the_name_of_the_webuis_slider(panel):
    """By which SD.Next explains a control: the tab's button, too, would be its slider to it."""
    named = panel.page.evaluate(
        """() => [...document.querySelectorAll("button, label > span, .label-wrap > span")]
            .filter((each) => (each.dataset.original ?? each.textContent).trim().toLowerCase() === "clip skip")
            .map((each) => each.closest("[id]").id)"""
    )
    assert not [id for id in named if id == "tabs" or id.startswith("clip_skip")]


def test_the_title_has_the_letters_of_other_titles(panel):
    """Also where a WebUI has larger ones for every accordion, as Forge has, and where there is little room."""
    panel.page.add_style_tag(content=".label-wrap > span { font-size: 23px; }")
    for width in (1280, 360):
        panel.page.set_viewport_size({"width": width, "height": 900})
        expect(panel.head.locator("> span").first).to_have_css("font-size", "23px")


def test_the_head_says_what_is_used_when_it_is_closed_too(webui, panel):
    expect(panel.head).not_to_contain_text("CLIP Skip:")
    panel.open_manual()
    panel.set("l", "1.5")
    expect(panel.head).to_contain_text("CLIP Skip: L 1.5, G 1")
    webui.select_model("sd1-a")
    expect(panel.head).to_contain_text("CLIP Skip: 1.5")
    expect(panel.part("meaning")).to_have_text(
        '1 = as trained. A model page that says "clip skip 2" or "-2" means 2 here.'
    )
    webui.select_model("flux")
    expect(panel.head).not_to_contain_text("CLIP Skip:")
    for part in ("meaning", "sliders", "compare", "save", "back", "forget", "more"):
        expect(panel.part(part)).to_be_hidden()


# Where all is that the user could press or read above the panel and in it, by its element: what is gone is not
# compared, nor what is said, for which there is a place.
BOXES = """where => {
    const all = [...document.querySelectorAll("input, button, textarea, label, .block, [id^=clip_skip_]")];
    const end = document.querySelector(where).getBoundingClientRect().bottom;
    // The place for answers grows, at the end of the panel, where "More" is not open below it.
    const isEnd = !document.querySelector(`${where.replace("enabled", "more")} > .label-wrap.open`);
    const grows = each => isEnd && (each.id.endsWith("_answer") || each.querySelector("[id$=_answer]"));
    const box = each => {
        const {x, y, width, height} = each.getBoundingClientRect();
        return [x, y, width, grows(each) ? 0 : height];
    };
    const said = "[id$=_answer] *, .clip-skip-window, .clip-skip-badge, [id$=_off], [id$=_words], [id$=_words] *";
    const shown = all.filter(each => each.checkVisibility() && !each.closest(said));
    const boxes = new Map(shown.filter(each => box(each)[1] < end).map(each => [each, box(each).map(Math.round)]));
    const before = window.boxes ?? boxes;
    window.boxes = boxes;
    return [...boxes].filter(([each, now]) => before.has(each) && String(before.get(each)) !== String(now))
        .map(([each, now]) => `${each.tagName} ${each.id} ${each.closest("[id]")?.id}: ${before.get(each)} ${now}`);
}"""
SAYS = (
    ("photo", "1", "2", "", "not-nai"),
    ("photo", "1", "1", "<lora:two:1>", "lora-mismatch"),
    ("sd1-a", "1", "2", "", "nai-unverified"),
    ("sd1-a", "1", "8", "", "too-deep"),
    ("anime", "2", "1", "", "nai-below"),
    ("anime", "2", "3", "", "off-recommended"),
    ("sdxl-a", "1", "2", "", "off-trained"),
    ("sdxl-a", "1", "1", "<clipskip:x>", "bad-value"),
    ("sdxl-a", "1", "1", "<ClipSkip 2>", "not-a-tag"),
)
"""A model, where its slider stands, where it goes, the prompt, and what is said then, if not only that."""


@pytest.mark.parametrize("width", [1300, 360])
def test_no_advice_moves_anything(webui, panel, presets_file, width):
    """Of all that can be said in the panel, which is on; the two others are of the host's own slider."""
    webui.page.set_viewport_size({"width": width, "height": 3000})
    of_slider = {"past-trained", "no-effect"}
    of_jobs = {"other-numbering", "not-applied", "not-compared"}
    assert {said for *_, said in SAYS} == set(AdviceId) - of_slider - of_jobs
    panel.switch(True)
    for model, at, to, prompt, said in SAYS:
        webui.select_model(model)
        webui.prompt("txt2img").fill("")
        panel.set("l", at)
        panel.rests()
        advice = panel.advice.place.locator(f"[data-panel][data-advice={said}]")
        expect(advice).to_have_count(0)
        webui.page.evaluate("delete window.boxes")
        assert webui.page.evaluate(BOXES, f"#{panel.accordion.get_attribute('id')}") == []
        panel.set("l", to)
        webui.prompt("txt2img").fill(prompt)
        expect(advice).to_be_visible()
        panel.rests()
        assert webui.page.evaluate(BOXES, f"#{panel.accordion.get_attribute('id')}") == []


@pytest.mark.parametrize("width", [340, 380, 440, 560, 800])
def test_longer_numbers_move_nothing(webui, panel, presets_file, width):
    """They stand in the panel's title, and beside the host's own slider, which may lie above the whole page."""
    webui.page.set_viewport_size({"width": width, "height": 3000})
    panel.open_manual()
    panel.rests()
    webui.page.evaluate("delete window.boxes")
    for name, value in (("l", "1.25"), ("g", "12"), ("l", "1"), ("g", "1"), ("g", "5.5")):
        panel.set(name, value)
        panel.rests()
        expect(webui.badge()).to_contain_text(panel.number(name).input_value())
        assert webui.page.evaluate(BOXES, f"#{panel.accordion.get_attribute('id')}") == []


def test_a_number_is_seen_to_its_last_digit(panel):
    panel.open_manual()
    for name, value in (("l", "1.25"), ("g", "10.25")):
        panel.set(name, value)
        assert panel.number(name).evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize("width", [340, 380, 440, 560, 800])
def test_what_is_told_beside_the_slider_comes_and_goes_and_moves_nothing(webui, panel, width):
    webui.page.set_viewport_size({"width": width, "height": 3000})
    webui.select_model("photo")
    panel.rests()
    expect(webui.badge()).to_be_hidden()
    webui.page.evaluate("delete window.boxes")
    for number in ("2", "1", "2"):
        webui.set_skip(number)
        panel.rests()
        expect(webui.badge()).to_be_visible(visible=number == "2")
        assert webui.page.evaluate(BOXES, f"#{panel.accordion.get_attribute('id')}") == []


def test_no_advice_moves_what_more_holds(webui, panel):
    panel.open_manual()
    panel.rests()
    buttons = panel.part("keep").bounding_box()
    panel.unfold()
    expect(panel.part("draw")).to_be_visible()
    assert panel.part("keep").bounding_box() == buttons
    assert webui.page.evaluate(BOXES, f"#{panel.accordion.get_attribute('id')}") == []
    for value, messages in (("2", 1), ("6", 2), ("1", 0)):
        panel.set("g", value)
        expect(panel.advice.items).to_have_count(messages)
        panel.rests()
        assert webui.page.evaluate(BOXES, f"#{panel.accordion.get_attribute('id')}") == []


def height_of_room(panel) -> float:
    return panel.part("answer").bounding_box()["height"]


@pytest.mark.parametrize("width", [1300, 800, 400])
def test_nothing_said_takes_no_room_until_it_was_said(webui, panel, width):
    """What was said leaves its room to what is said next: a page that shrinks under a hand scrolls."""
    webui.page.set_viewport_size({"width": width, "height": 1400})
    panel.open_manual()
    panel.rests()
    room, last = panel.part("answer").bounding_box(), panel.part("meaning").bounding_box()
    assert room["y"] + room["height"] - last["y"] - last["height"] < 8
    panel.set("l", "2")
    expect(panel.advice.items).to_have_count(1)
    panel.rests()
    said = height_of_room(panel)
    assert said > room["height"] + 40
    panel.set("l", "1")
    panel.advice.says_nothing()
    panel.rests()
    assert abs(height_of_room(panel) - said) <= 1
    webui.select_model("sdxl-b")
    panel.rests()
    assert height_of_room(panel) < said - 40


def fades(panel, fades: bool) -> None:
    """Expect that the place of what is said does, or does not."""
    place = panel.part("answer")
    assert place.evaluate("it => it.scrollHeight - it.clientHeight - it.scrollTop > 1") == fades
    has = expect(place)
    (has.not_to_have_css if fades else has.to_have_css)("mask-image", "none")


def test_what_is_said_fades_only_where_some_of_it_is_hidden(webui, panel, presets_file):
    webui.select_model("sd1-a")
    panel.open_manual()
    panel.set("l", "2")
    expect(panel.advice.items).to_have_count(1)
    panel.rests()
    fades(panel, False)
    webui.select_model("sdxl-a")
    panel.unfold()
    panel.set("g", "6")
    expect(panel.advice.items).to_have_count(2)
    panel.rests()
    fades(panel, True)
    panel.part("answer").evaluate("it => it.scrollTo(0, it.scrollHeight)")
    fades(panel, False)


def test_nothing_moves_because_of_an_answer(webui, panel, site):
    """Neither in the panel, nor above it."""
    file = site.data / "clip-skip" / "presets.json"
    file.unlink(missing_ok=True)
    advice, prompt = panel.advice, webui.prompt("txt2img")

    def stays() -> None:
        panel.rests()
        assert webui.page.evaluate(BOXES, f"#{panel.accordion.get_attribute('id')}") == []

    webui.select_model("photo")
    stays()
    webui.set_skip("2")
    expect(advice.items).to_have_count(1)
    stays()
    webui.set_skip("1")
    webui.select_model("sdxl-a")
    panel.open_manual()
    webui.page.evaluate("delete window.boxes")
    stays()
    for name, value, messages in (("l", "1.5", 1), ("g", "6", 2), ("l", "1", 2)):
        panel.set(name, value)
        expect(advice.items).to_have_count(messages)
        stays()
    prompt.fill("<clipskip:2> <clipskip:x>")
    expect(panel.status).to_have_count(2)
    stays()
    prompt.fill("")
    expect(panel.status).to_have_count(1)
    stays()
    panel.part("save").click()
    expect(panel.ended).to_contain_text("Saved for")
    panel.chosen("mode", "Auto")
    webui.page.evaluate("delete window.boxes")
    stays()
    panel.part("forget").click()
    expect(panel.ended).to_contain_text("Forgotten.")
    stays()
    file.unlink(missing_ok=True)


def test_few_clicks_set_a_skip_and_keep_it_and_answer_what_is_asked(webui, panel, presets_file):
    webui.select_model("sd1-a")
    count = "event => event.isTrusted && window.clicks++"
    webui.page.evaluate(f"window.clicks = 0; document.addEventListener('click', {count}, {{capture: true}})")

    def click_at(skip: int) -> None:
        track = panel.slider("l").locator("input[type=range]")
        track.scroll_into_view_if_needed()
        box = track.bounding_box()
        thumb = 16
        x = box["x"] + thumb / 2 + (box["width"] - thumb) * (skip - 1) / 11
        webui.page.mouse.click(x, box["y"] + box["height"] / 2)

    panel.head.click()
    click_at(2)
    expect(panel.enabled).to_be_checked()
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value(re.compile(r"^(1\.[6-9]|2(\.[0-4])?)$"))
    assert webui.page.evaluate("window.clicks") == 2
    # What is asked can be read, and answered, where it is.
    expect(panel.advice.items.first).to_contain_text("Does the model's page say clip skip 2?")
    place = panel.part("answer").bounding_box()
    for part in (panel.advice.items.locator("p").first, panel.advice.items.locator("button").first):
        box = part.bounding_box()
        assert place["y"] <= box["y"] and box["y"] + box["height"] <= place["y"] + place["height"]
    panel.advice.press("Yes, keep 2")
    expect(panel.ended).to_contain_text("Kept for")
    assert webui.page.evaluate("window.clicks") == 3
    click_at(5)
    expect(panel.part("save")).to_be_visible()
    panel.part("save").click()
    expect(panel.ended).to_contain_text("Saved for")
    assert webui.page.evaluate("window.clicks") == 5


def test_the_sliders_follow_the_model(webui, panel):
    panel.open_manual()
    panel.set("l", "1.5")
    panel.set("g", "1.2")

    webui.select_model("sd1-a")
    expect(panel.status).to_have_text(["SD 1.x, sd1-a"])
    panel.shows_sliders("l")
    expect(panel.part("same")).to_be_hidden()
    expect(panel.number("l")).to_have_attribute("max", "12")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 12"])

    webui.select_model("sd2")
    panel.shows_sliders("h")
    expect(panel.number("h")).to_have_value("1")
    expect(panel.words("h")).to_have_text(["as trained"])

    webui.select_model("sd3")
    panel.shows_sliders("l", "g")
    expect(panel.number("l")).to_have_attribute("max", "11")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("1.2")

    webui.select_model("flux")
    panel.shows_sliders()
    expect(panel.sliders).to_be_hidden()
    expect(panel.status).to_have_text(
        ["Flux.1, flux: No CLIP skip here. It reads only CLIP's summary of the prompt, which clip skip never changes."]
    )

    webui.select_model("sdxl-a")
    expect(panel.status).to_have_text(["SDXL, sdxl-a"])
    panel.shows_sliders("l", "g")
    expect(panel.number("l")).to_have_attribute("max", "11")
    expect(panel.number("l")).to_have_value("1.5")
    expect(panel.number("g")).to_have_value("1.2")
    expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 11"])
    expect(panel.words("g")).to_have_text(["layers left out: 0.2 of 31"])


def test_a_value_too_deep_for_the_new_model_is_brought_into_its_range(webui, panel):
    webui.select_model("sd1-a")
    panel.open_manual()
    panel.set("l", "12")
    webui.select_model("sdxl-a")
    expect(panel.number("l")).to_have_value("11")
    expect(panel.words("l")).to_have_text(["layers left out: 10 of 11"])


def test_one_encoder_keeps_the_common_slider_usable(webui, panel):
    """The box that leaves the common slider must not vanish with the second encoder."""
    panel.open_manual()
    panel.same.check()
    panel.shows_sliders("skip")
    webui.select_model("sd1-a")
    panel.shows_sliders("skip")
    expect(panel.words("skip")).to_have_text(["CLIP-L: as trained"])
    expect(panel.part("same")).to_be_visible()
    panel.same.uncheck()
    panel.shows_sliders("l")


def test_the_panel_works_after_a_reload(webui, panel):
    panel.open_manual()
    webui.reload()
    expect(panel.enabled).not_to_be_checked()
    panel.open_manual()
    panel.set("l", "1.5")
    expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 11"])


def test_every_tab_has_its_own_panel(webui, panel):
    outside = ":not([id^=clip_skip_presets], [id^=clip_skip_models], [id=clip_skip_views])"
    ids = webui.page.locator(f"[id^=clip_skip_]{outside}").evaluate_all(
        "parts => [...new Set(parts.map(part => part.id))]"
    )
    tabs = ("txt2img", "img2img", *(["control"] if FLAVOUR == "sdnext" else []))
    by_tab = {tab: {id.removeprefix(f"clip_skip_{tab}_") for id in ids if f"_{tab}_" in id} for tab in tabs}
    assert all(of_tab == by_tab["txt2img"] for of_tab in by_tab.values())
    assert {"enabled", "status", "mode", "skip", "l", "g", "h", "same", "blend"} <= by_tab["txt2img"]
    assert len(ids) == len(tabs) * len(by_tab["txt2img"])

    webui.go("img2img")
    webui.img2img.open_manual()
    webui.img2img.set("l", "2")
    webui.go("txt2img")
    expect(panel.enabled).not_to_be_checked()
    panel.switch(True)
    panel.chosen("mode", "Auto")
    expect(panel.number("l")).to_have_value("1")


def test_both_panels_follow_the_model(webui):
    webui.select_model("sd1-a")
    webui.go("img2img")
    expect(webui.img2img.status.first).to_have_text(re.compile("sd1-a"))
    webui.img2img.open_manual()
    webui.img2img.shows_sliders("l")


def test_settings_have_a_section(webui):
    webui.go("Settings")
    section = webui.page.locator("#settings_clip_skip")
    for label in (
        "Use CLIP Skip",
        "Start with the CLIP Skip panel switched on",
        "Mode that the CLIP Skip panel starts with",
        "Highest value of the CLIP Skip sliders",
        "Step of the CLIP Skip sliders",
        "Write CLIP Skip values into the generation parameters",
    ):
        expect(section.get_by_text(label, exact=True).first).to_be_visible()
    expect(section.get_by_text("off: every image is made as without the extension")).to_be_visible()


def test_the_panel_says_that_it_is_switched_off_in_settings(webui, panel):
    panel.switch(True)
    webui.apply_settings(enabled=False)
    expect(panel.status).to_have_text(["CLIP Skip is switched off in Settings, under CLIP Skip."])
    webui.apply_settings(enabled=True)
    expect(panel.status).to_have_text(["SDXL, sdxl-a", AUTO_SDXL])


def test_the_highest_value_of_the_sliders_is_a_setting(webui, panel):
    panel.open_manual()
    panel.set("g", "6")
    webui.apply_settings(slider_maximum="4")
    expect(panel.number("g")).to_have_attribute("max", "4")
    expect(panel.number("g")).to_have_value("4")
    webui.apply_settings(slider_maximum="32")
    expect(panel.number("g")).to_have_attribute("max", "31")
    expect(panel.number("l")).to_have_attribute("max", "11")


def test_a_hostile_file_name_is_text(webui, panel):
    panel.switch(True)
    webui.select_model(HOSTILE)
    expect(panel.status).to_have_text([f"SDXL, {HOSTILE}", AUTO_SDXL])
    webui.reload()
    panel.switch(True)
    webui.select_model("sd1-a")
    webui.select_model(HOSTILE)
    assert webui.generate().info.count(HOSTILE) == 1
    expect(panel.status.first).to_have_text(f"SDXL, {HOSTILE}")
    expect(panel.accordion.locator("img")).to_have_count(0)
    assert webui.page.evaluate("typeof window.pwned") == "undefined"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 360, "height": 800}], ids=["360px"])
def test_a_narrow_window_holds_the_panel(page, site, theme):
    webui = WebUI(page, site.address)
    webui.open(f"?__theme={theme}")
    assert ("dark" in (page.locator("body").get_attribute("class") or "").split()) == (theme == "dark")
    panel = webui.txt2img
    panel.switch(True)
    webui.select_model(LONG)
    _fits(panel)
    panel.choose("mode", "Manual")
    panel.shows_sliders("l", "g")
    _fits(panel)
    panel.same.check()
    panel.shows_sliders("skip")
    _fits(panel)
    webui.select_model("flux")
    _fits(panel)


def _fits(panel):
    scroll, client, sticking_out = panel.accordion.evaluate(
        """panel => {
            const right = panel.getBoundingClientRect().right;
            const out = [...panel.querySelectorAll("*")].filter(part => {
                const box = part.getBoundingClientRect();
                return box.width > 0 && box.right > right + 0.5;
            });
            return [panel.scrollWidth, panel.clientWidth, out.map(part => part.outerHTML.slice(0, 120))];
        }"""
    )
    assert 0 < scroll <= client <= 360
    assert sticking_out == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_words_can_be_read(page, site, theme):
    webui = WebUI(page, site.address)
    webui.open(f"?__theme={theme}")
    webui.txt2img.switch(True)
    expect(webui.txt2img.status.first).to_be_visible()
    assert contrast(webui.txt2img.status.first) >= 4.5  # WCAG AA


def test_a_number_typed_key_by_key_is_taken(panel):
    panel.open_manual()
    box = panel.number("l")
    box.click()
    box.press("ControlOrMeta+a")
    box.press("Delete")
    box.press_sequentially("2.5")
    box.press("Tab")
    expect(box).to_have_value("2.5")
    expect(panel.words("l")).to_have_text(["layers left out: 1.5 of 11"])


def test_deep_values_survive_a_model_without_these_encoders(webui, panel):
    panel.open_manual()
    panel.set("l", "8")
    panel.set("g", "10")
    webui.select_model("flux")
    webui.select_model("sdxl-a")
    panel.shows_sliders("l", "g")
    expect(panel.number("l")).to_have_value("8")
    expect(panel.number("g")).to_have_value("10")


def test_a_reload_shows_the_model_of_now(webui, panel):
    webui.select_model("sd2")
    webui.reload()
    panel.switch(True)
    expect(panel.status).to_have_text(["SD 2.x, sd2", "Auto uses CLIP-H 1: as trained."])
    webui.img2img.page.locator("#tabs button").filter(has_text="img2img").first.click()
    webui.img2img.switch(True)
    expect(webui.img2img.status.first).to_have_text("SD 2.x, sd2")


def test_an_emptied_box_cannot_break_the_panel(webui, panel):
    plain = webui.generate()
    panel.open_manual()
    panel.number("l").fill("")
    expect(panel.number("l")).to_have_value("")
    panel.choose("mode", "Auto")
    expect(panel.status).to_have_text(["SDXL, sdxl-a", "Auto uses CLIP-L 1, CLIP-G 1: as trained."])
    panel.choose("mode", "Manual")
    panel.chosen("mode", "Manual")
    assert webui.generate().pixels == plain.pixels
    panel.set("l", "1.5")
    expect(panel.words("l")).to_have_text(["layers left out: 0.5 of 11"])


def test_the_words_are_right_after_a_quick_drag(panel):
    panel.open_manual()
    track = panel.slider("g").locator("input[type=range]")
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    mouse, y = panel.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + 5, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, y, steps=60)
    mouse.up()
    value = float(panel.number("g").input_value())
    assert value > 3
    expect(panel.words("g")).to_have_text([f"layers left out: {round(value - 1, 4):g} of 31"])


# --- a slow machine --------------------------------------------------------------------------------------------------


def test_nothing_moves_or_fades_while_an_answer_is_awaited(panel):
    panel.open_manual()
    with unanswered(panel.page):
        panel.same.check()
        waiting = panel.part("status").locator(".pending")
        expect(waiting).to_be_visible()
        assert waiting.evaluate("part => part.getAnimations().length || getComputedStyle(part).opacity") == "1"
        place = panel.slider("l").bounding_box()
    panel.shows_sliders("skip")
    panel.rests()
    assert panel.slider("skip").bounding_box()["y"] == place["y"]


def test_what_is_changed_before_the_first_answer_counts(page, site):
    panel = WebUI(page, site.address).txt2img
    with unanswered(page) as asked:
        with page.expect_request(QUESTION):
            page.goto(site.address)
        panel.switch(True)
        panel.set("l", "2")
        panel.chosen("mode", "Manual")
        assert asked
    expect(panel.words("l")).to_have_text(["layers left out: 1 of 11"])
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("2")


def test_a_setting_that_changes_while_a_question_waits_counts(webui, panel):
    panel.open_manual()
    panel.rests()
    with unanswered(panel.page, "typed") as asked:
        with panel.page.expect_request(asks("typed")):  # while the panel is on show
            panel.set("g", "6")
        webui.apply_settings(slider_maximum="4")
        webui.page.evaluate(AFTER_ITS_EVENTS)
        assert asked
    expect(panel.number("g")).to_have_attribute("max", "4")
    expect(panel.number("g")).to_have_value("4")
    webui.apply_settings(slider_maximum="32")
    expect(panel.number("g")).to_have_attribute("max", "31")


def test_an_answer_that_comes_late_is_not_the_last_word(panel):
    panel.open_manual()
    panel.rests()
    with unanswered(panel.page, "join") as asked:  # where the one slider begins, and what is on show now
        with panel.page.expect_request(asks("join")):  # no older question
            panel.same.check()
        panel.set("l", "2")
        expect(panel.words("l")).to_have_text(["layers left out: 1 of 11"])
        assert asked
    panel.shows_sliders("skip")
    panel.rests()
    expect(panel.words("l")).to_have_text(["layers left out: 1 of 11"])


def test_what_a_hand_sets_before_gradio_has_read_a_press_stays(panel):
    panel.open_manual()
    panel.rests()
    panel.page.evaluate(
        """() => {
            const later = window.setTimeout;
            window.setTimeout = (what, when, ...values) => {
                if (values[1] !== "join") return later(what, when, ...values);
                window.goOn = () => what(...values);
            };
        }"""
    )
    panel.same.check()
    panel.set("l", "3")
    panel.shows_sliders("skip")
    panel.set("skip", "1.5")
    panel.page.evaluate("() => { window.goOn(); }")
    panel.rests()
    expect(panel.number("skip")).to_have_value("1.5")
    expect(panel.words("skip")).to_have_text(
        ["CLIP-L: layers left out: 0.5 of 11", "CLIP-G: layers left out: 0.5 of 31"]
    )


@pytest.mark.parametrize("press", ["save", "Use 1"])
def test_an_answer_leaves_what_a_hand_has_set_since_it_was_asked_for(panel, presets_file, press):
    panel.open_manual()
    panel.set("l", "2")
    expect(panel.advice.items).to_have_count(1)
    panel.rests()
    with unanswered(panel.page) as asked:
        with panel.page.expect_request(QUESTION):
            panel.part("save").click() if press == "save" else panel.advice.press(press)
        panel.set("l", "3")
        assert asked
    expect(panel.words("l")).to_have_text(["layers left out: 2 of 11"])
    panel.rests()
    expect(panel.number("l")).to_have_value("3")
    panel.chosen("mode", "Manual")


def test_what_auto_uses_comes_too_late_for_a_hand(webui, panel, presets_file):
    panel.switch(True)
    panel.rests()
    presets_file.write_text('{"presets": {"name:sdxl-a": {"skip": {"l": 5, "g": 5}}}}')
    with unanswered(panel.page) as asked:
        with panel.page.expect_request(QUESTION):
            panel.page.evaluate("updateOpts(JSON.stringify({...opts, clip_skip_ext_slider_maximum: 11}))")
        for value in ("2", "1"):  # as it was: the answer can't tell by the number
            panel.set("l", value)
        assert asked
    panel.rests()
    panel.chosen("mode", "Manual")
    expect(panel.number("l")).to_have_value("1")
    expect(panel.number("g")).to_have_value("1")


def test_an_answer_moves_what_no_hand_has_set_since_it_was_asked_for(panel):
    panel.open_manual()
    panel.set("l", "2")
    expect(panel.advice.items).to_have_count(1)
    panel.rests()
    with unanswered(panel.page):
        with panel.page.expect_request(QUESTION):
            panel.advice.press("Use 1")
        panel.set("g", "1.5")
    expect(panel.number("l")).to_have_value("1")
    panel.rests()
    expect(panel.number("g")).to_have_value("1.5")
