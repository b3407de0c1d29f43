"""The page as a user meets it: its tabs, the CLIP Skip panel in them, and what a press on Generate gives."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, Request, Route, expect

SWITCHED_BY_ITS_HEAD = not version("gradio").startswith("3.43")
"""The accordion being open is what "on" means, but for SD.Next: there it has a checkbox inside."""
SAVES_WHEN_RELEASED = version("gradio").startswith("3.41")
"""A1111 saves its slider's number then, and tells the page; Gradio 3 drops a release before that."""
LOCALLY = re.compile("127.0.0.1")
QUESTION = re.compile("/run/predict")
AFTER_ITS_EVENTS = """() => new Promise(done => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
})"""
"""What a page does of its own after an event: Gradio 4 tells of a change in the frame after it."""


@dataclass(frozen=True)
class Made:
    """What one press on Generate left on the page."""

    info: str
    log: str
    picture: Image.Image

    def __getitem__(self, key: str) -> str | None:
        """The value of an infotext key, None without it."""
        found = re.search(rf"(?:^|, ){re.escape(key)}: ([^,]*)", self.info.splitlines()[-1])
        return found and found[1]

    @property
    def ours(self) -> dict[str, str]:
        """All that CLIP Skip wrote into the infotext, but for its version."""
        found = dict(re.findall(r"(CLIP skip [^:,]+): ([^,]*)", self.info))
        found.pop("CLIP skip version", None)
        return found

    @property
    def pixels(self) -> tuple[tuple[int, int], bytes]:
        return self.picture.size, self.picture.tobytes()


def contrast(text: Locator, colour: str = "color") -> float:
    """The contrast ratio, as WCAG has it, between one of the element's colours and what lies behind it."""
    return text.evaluate(
        """(text, colour) => {
            const luminance = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255)
                .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            let under = text;
            const background = () => getComputedStyle(under).backgroundColor;
            const clear = /^rgba\\(.*, 0\\)$|transparent/;
            while (under.parentElement && clear.test(background())) under = under.parentElement;
            const [a, b] = [luminance(getComputedStyle(text)[colour]), luminance(background())];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }""",
        colour,
    )


@contextmanager
def unanswered(page: Page, of: str = "") -> Iterator[list[Route]]:
    """Until the end of this Gradio's questions do not reach the host; yields them.

    `of`: those alone that have this text among their values, while others are answered.
    """
    asked: list[Route] = []

    def meet(route: Route) -> None:
        asked.append(route) if of in (route.request.post_data or "") else route.fallback()

    page.route(QUESTION, meet)
    yield asked
    for route in asked:  # and what is asked in answer to that
        route.continue_()
    page.unroute(QUESTION)


def asks(of: str) -> Callable[[Request], bool]:
    """Whether a request is one of Gradio's questions with this text among its values."""
    return lambda request: bool(QUESTION.search(request.url)) and of in (request.post_data or "")


class Advice:
    """Messages in one place: in a panel, or in the window that a badge opens."""

    def __init__(self, place: Locator) -> None:
        self.place = place
        self.items = place.locator(".clip-skip-item").filter(visible=True)

    def says(self, *messages: str) -> None:
        """Expect exactly these messages, by their words."""
        expect(self.items.locator("p:first-child")).to_have_text(list(messages))

    def says_nothing(self) -> None:
        expect(self.items).to_have_count(0)

    def reasons(self, *reasons: str) -> None:
        expect(self.items.locator("> p:nth-child(2)")).to_have_text(list(reasons))

    def offers(self, *labels: str) -> None:
        expect(self.items.locator("button")).to_have_text(list(labels))

    def press(self, label: str) -> None:
        self.items.get_by_role("button", name=label, exact=True).click()

    @property
    def why(self) -> Locator:
        return self.items.locator("details")


class Panel:
    """The CLIP Skip panel of one tab."""

    def __init__(self, page: Page, tab: str) -> None:
        self.page, self.tab = page, tab
        self.accordion = self.part("enabled")
        self.head = self.accordion.locator(".label-wrap").first
        self.enabled = self.part("enabled-checkbox").locator("input")
        self.status = self.part("status").locator(".clip-skip-words")
        self.sliders = self.part("sliders")
        # In the panel, or below it while it is off.
        self.advice = Advice(page.locator(f"#clip_skip_{tab}_advice, #clip_skip_{tab}_advice_off"))
        self.ended = page.locator(f"#clip_skip_{tab}_ended, #clip_skip_{tab}_ended_off").locator(".clip-skip-done")

    @property
    def same(self) -> Locator:
        """The box, where it can be pressed."""
        self.unfold()
        return self.part("same").locator("input")

    def part(self, name: str) -> Locator:
        # gradio 3 gives an HTML block and its content the same id: the first is the block
        return self.page.locator(f"#clip_skip_{self.tab}_{name}").first

    def open(self) -> None:
        if "open" not in self.head.get_attribute("class").split():
            self.head.click()
        expect(self.part("status")).to_be_visible()

    def switch(self, on: bool) -> None:
        if not SWITCHED_BY_ITS_HEAD:
            self.open()
            self.enabled.set_checked(on)
        elif self.enabled.is_checked() != on:
            self.head.click()
        expect(self.enabled).to_be_checked(checked=on)

    def is_on(self) -> None:
        """Expect the panel to be switched on, and open where that is the same."""
        expect(self.enabled).to_be_checked()
        if SWITCHED_BY_ITS_HEAD:
            expect(self.part("status")).to_be_visible()
        else:
            self.open()

    def rests(self) -> None:
        """Wait until every question is answered, also the one that what was just done is about to put."""
        self.page.evaluate(AFTER_ITS_EVENTS)
        expect(self.part("advice")).to_have_attribute("aria-busy", "false")

    def choose(self, what: str, word: str) -> None:
        """Pick a word of the radio "blend", or go over to a mode: "Manual" by a hand on a slider, which stays."""
        if what == "blend":
            self.unfold()
            self.part(what).get_by_label(word, exact=True).check()
        elif word == "Auto":
            self.part("back").click()
        else:
            self.rests()  # in Auto the sliders go where that is
            self.touch()

    def touch(self) -> None:
        """Type into a slider's box the number that it has."""
        number = self.sliders.locator("input[type=number]").filter(visible=True).first
        number.fill(number.input_value())

    def unfold(self) -> None:
        """Open what is folded under "More"."""
        head = self.part("more").locator(".label-wrap")
        if "open" not in head.get_attribute("class").split():
            head.click()

    def chosen(self, what: str, word: str) -> None:
        expect(self.part(what).get_by_label(word, exact=True)).to_be_checked()

    def slider(self, name: str) -> Locator:
        return self.part(name)

    def number(self, name: str) -> Locator:
        return self.part(name).locator("input[type=number]")

    def words(self, name: str) -> Locator:
        return self.part(f"{name}_words").locator(".clip-skip-words")

    def set(self, name: str, value: str) -> None:
        self.number(name).fill(value)
        self.number(name).blur()
        expect(self.number(name)).to_have_value(value)

    def open_manual(self) -> None:
        self.switch(True)
        self.choose("mode", "Manual")
        self.chosen("mode", "Manual")

    def shows_sliders(self, *names: str) -> None:
        for name in ("skip", "l", "g", "h"):
            expect(self.slider(name)).to_be_visible(visible=name in names)


class WebUI:
    """One open page of the host."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.txt2img, self.img2img = Panel(page, "txt2img"), Panel(page, "img2img")

    def open(self, query: str = "") -> None:
        self.page.goto(self.address + query)
        self._ready()

    def reload(self) -> None:
        self.page.reload()
        self._ready()

    def _ready(self) -> None:
        """Wait until Gradio has drawn the page and listens to it, so that the panel has its first answers."""
        expect(self.prompt("txt2img")).to_be_visible()
        self.txt2img.rests()
        # And until the host's own controls have what it gives each new page, which takes back what was set before.
        waiting = self.page.locator("#quicksettings [data-testid=status-tracker]:not(.hide)")
        expect(waiting).to_have_count(0)

    def prompt(self, tab: str) -> Locator:
        return self.page.locator(f"#{tab}_prompt textarea")

    def go(self, tab: str) -> None:
        self.page.locator("#tabs button").filter(has_text=re.compile(rf"^\s*{tab}\s*$")).click()
        expect(self.page.locator(f"#tab_{tab.lower().replace(' ', '')}")).to_be_visible()

    def select_model(self, name: str, seen: str | None = None) -> None:
        """Choose a checkpoint in the host's dropdown, and wait until the panel on show says so, and the host does it.

        That of another tab asks again when it is shown: Gradio 3 drops what it is told while an answer is under way.
        """
        dropdown = self.page.locator("#setting_sd_model_checkpoint input, .model_selection input").first
        dropdown.click()
        option = re.compile(rf"(^|[\s/]){re.escape(name)}(\.safetensors)?(\s|$)")
        self.page.get_by_test_id("dropdown-option").filter(has_text=option).click()
        panel = self.img2img if self.page.locator("#tab_img2img").is_visible() else self.txt2img
        expect(panel.status.first).to_have_text(re.compile(rf"(^|, ){re.escape(seen or name)}($|: )"))
        # The host takes it over in its queue, and that may be after the panel.
        self.page.wait_for_function("name => opts.sd_model_checkpoint.includes(name)", arg=name)

    def slider(self, tab: str = "txt2img") -> Locator:
        """The host's own CLIP skip slider."""
        ids = f"#setting_CLIP_stop_at_last_layers, #{tab}_clip_skip"
        return self.page.locator(ids).or_(self.page.locator("#quicksettings .block").filter(has_text="Clip skip")).first

    def skip(self, tab: str = "txt2img") -> Locator:
        """The box with its number."""
        return self.slider(tab).locator("input[type=number]")

    def set_skip(self, value: str, tab: str = "txt2img") -> None:
        self.skip(tab).fill(value)
        self.skip(tab).blur()
        expect(self.skip(tab)).to_have_value(value)
        if SAVES_WHEN_RELEASED:
            self.page.wait_for_function("value => opts.CLIP_stop_at_last_layers == value", arg=value)

    def badge(self, tab: str = "txt2img") -> Locator:
        return self.slider(tab).locator(".clip-skip-badge")

    def window(self, tab: str = "txt2img") -> Advice:
        """What a press on the badge opens."""
        return Advice(self.slider(tab).locator(".clip-skip-window"))

    def seed(self, value: int, tab: str = "txt2img") -> None:
        box = self.page.locator(f"#{tab}_seed input")
        box.fill(str(value))
        box.blur()

    def generate(self, tab: str = "txt2img", press=None) -> Made:
        """Press Generate, and wait until the gallery has been busy and is not any more."""
        self.page.evaluate(
            """selector => {
                const busy = document.querySelector(selector);
                window.generated = null;
                new MutationObserver((_, observer) => {
                    if (!busy.classList.contains("hide")) window.generated = "busy";
                    else if (window.generated) { window.generated = "done"; observer.disconnect(); }
                }).observe(busy, {attributes: true, attributeFilter: ["class"]});
            }""",
            f"#{tab}_gallery > .wrap",
        )
        press() if press else self.page.locator(f"#{tab}_generate").click()
        self.page.wait_for_function("window.generated === 'done'")
        shown = self.page.locator(f"#{tab}_gallery img").first
        expect(shown).to_have_attribute("src", LOCALLY)
        info = self.page.locator(f"#html_info_{tab}").first
        expect(info).to_contain_text("Steps: ")
        return Made(
            info.inner_text().strip(),
            self.page.locator(f"#html_log_{tab}").first.inner_text().strip(),
            self._fetch(shown.get_attribute("src")),
        )

    def _fetch(self, address: str) -> Image.Image:
        response = self.page.request.get(address, max_retries=3)
        assert response.ok
        return Image.open(io.BytesIO(response.body())).convert("RGB")

    def paste(self, text: str, tab: str = "txt2img") -> None:
        self.prompt(tab).fill(text)
        self.page.locator("#paste" if tab == "txt2img" else "#img2img_paste").click()
        # the host leaves the prompt alone in the field
        expect(self.prompt(tab)).to_have_value(text.split("\n")[0])

    def upload(self, block: str, file: Path) -> None:
        self.page.locator(f"#{block} input[type=file]").first.set_input_files(file)
        expect(self.page.locator(f"#{block} img").first).to_be_visible()

    def apply_settings(self, **values: bool | str) -> None:
        """Set options of the section "CLIP Skip" and press "Apply settings"; ends on the tab txt2img."""
        self.go("Settings")
        for name, value in values.items():
            option = self.page.locator(f"#setting_clip_skip_ext_{name}").first
            if isinstance(value, bool):
                option.locator("input").set_checked(value)
            elif option.locator("input[type=radio]").count():
                option.get_by_label(value, exact=True).check()
            else:
                option.locator("input[type=number]").fill(value)
                option.locator("input[type=number]").blur()
        self.page.locator("#settings_submit").click()
        for name, value in values.items():
            expect(self.page.locator("#settings_result").first).to_contain_text(f"clip_skip_ext_{name}")
            if isinstance(value, str) and value.isdecimal():  # the same words as the time before say nothing
                self.page.wait_for_function(
                    "([name, value]) => opts[name] == value", arg=[f"clip_skip_ext_{name}", value]
                )
        self.go("txt2img")
