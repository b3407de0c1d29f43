"""How many questions the page asks for what a user does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import QUESTION

# The element of the page whose event each of its functions listens to.
NAMES = """() => {
    const ids = Object.fromEntries(gradio_config.components.map(({id, props}) => [id, props.elem_id]));
    const targets = gradio_config.dependencies.map(({id, targets}, index) => [id ?? index, [targets].flat(2)[0]]);
    return targets.map(([index, target]) => [index, ids[target] ?? ""]);
}"""


class Asked:
    """Our questions that the page has put."""

    def __init__(self, page: Page) -> None:
        self._names = dict(page.evaluate(NAMES))
        self._since: list[str] = []
        page.on("request", self._note)

    def _note(self, request) -> None:
        if QUESTION.search(request.url):
            name = self._names[request.post_data_json["fn_index"]]
            if name.startswith("clip_skip_"):
                self._since.append(name.removeprefix("clip_skip_"))

    def since(self) -> list[str]:
        since, self._since[:] = [*self._since], []
        return since


@pytest.fixture
def asked(webui, panel) -> Asked:
    """Of a page whose panel has been asked about both models, which nobody hashes."""
    for name in ("sd2", "sdxl-a"):
        webui.select_model(name)
        panel.rests()
    return Asked(webui.page)


def test_what_a_hand_does_asks_once(webui, panel, asked, presets_file):
    def once(question: str) -> None:
        panel.rests()
        assert asked.since() == [f"txt2img_{question}"]

    panel.switch(True)
    expect(panel.head).to_contain_text("L 1, G 1")
    once("refresh")
    panel.set("l", "1.5")  # which makes it Manual
    expect(panel.words("l")).to_contain_text("0.5")
    once("refresh")
    panel.set("l", "2")
    expect(panel.advice.items).to_have_count(1)
    once("refresh")
    panel.advice.press("Use 1")
    expect(panel.number("l")).to_have_value("1")
    once("act")
    panel.same.check()
    panel.shows_sliders("skip")
    once("act")
    panel.set("skip", "1.5")
    expect(panel.words("skip").first).to_contain_text("0.5")
    once("refresh")
    panel.same.uncheck()
    panel.shows_sliders("l", "g")
    once("act")
    panel.part("save").click()
    expect(panel.ended).to_contain_text("Saved for")
    once("act")
    panel.set("g", "2")
    expect(panel.words("g")).to_contain_text("out: 1 of")
    once("refresh")
    panel.part("back").click()
    expect(panel.number("g")).to_have_value("1.5")
    once("refresh")
    panel.part("forget").click()
    expect(panel.number("g")).to_have_value("1")
    once("act")


def test_what_the_host_does_asks_once_where_it_can_be_seen(webui, panel, asked):
    panel.switch(True)
    panel.rests()
    asked.since()
    for name in ("sd2", "sdxl-a"):
        webui.select_model(name)
        panel.rests()
        assert asked.since() == ["txt2img_refresh"]
    prompt = webui.prompt("txt2img")
    prompt.fill("a cat")
    prompt.fill("a cat <clipskip:2>")
    expect(panel.status).to_have_count(2)
    expect(panel.head).to_contain_text("L 2, G 2")
    panel.rests()
    assert asked.since() == ["txt2img_refresh"]
    prompt.fill("a dog <clipskip:2>")
    prompt.fill("a dog")
    expect(panel.head).to_contain_text("L 1, G 1")
    panel.rests()
    assert asked.since() == ["txt2img_refresh"]
    webui.go("img2img")
    expect(webui.img2img.part("enabled")).to_be_visible()
    webui.img2img.rests()
    assert asked.since() == ["img2img_refresh"]
    webui.go("Settings")
    webui.go("txt2img")
    expect(panel.status.first).to_be_visible()
    panel.rests()
    assert asked.since() == ["txt2img_refresh"]
