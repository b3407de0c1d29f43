"""The pictures of README and guide, from real pages, light and dark.

`python -m docs.pictures` makes those of the demo, `python -m docs.pictures URL NAME` that of a running WebUI (`a1111`,
`forge`, `neo` or `sdnext`), with the Python in `.venv` that has its Gradio. Nothing is generated or saved there.
Playwright and Chromium are those of the tests; the WebUIs' buttons need an emoji font (fonts-noto-color-emoji).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Locator, expect, sync_playwright

from minihost import boot
from tests.browser.conftest import ARGUMENTS, CHROMIUM, PATIENCE
from tests.browser.page import Panel, WebUI
from tests.ports import reserved

FOLDER = Path(__file__).parent
THEMES = ("light", "dark")
PROMPT = "a photo of a cat under a blue sky, soft light"
KEPT = {
    "name:counterfeit-v3.0": {
        "name": "counterfeit-v3.0.safetensors",
        "skip": {"l": 1.5},
        "architecture": "sd1",
        "lineage": "nai-derived",
        "note": "half way: less of the style, all of the prompt",
    },
    "89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8": {
        "name": "animefull-latest.ckpt",
        "skip": {"l": 2},
        "lineage": "nai-derived",
    },
    "67ab2fd8ec439a89b3fedb15cc65f54336af163c7eb5e4f2acc98f090a29b0b3": {
        "name": "ponyDiffusionV6XL.safetensors",
        "skip": {"l": 1, "g": 1},
        "note": "the card's 2 is counted as A1111 does",
    },
    "31e35c80fc4829d14f90153f4c74cd59c90b779f6afe05a74cd6120b893f7e5b": {
        "name": "sd_xl_base_1.0.safetensors",
        "skip": {"l": 1, "g": 1.5},
        "blend": "slerp",
    },
}


# --- the demo: each leaves on the page what it shows -----------------------------------------------------------------


def panel(webui: WebUI) -> Locator:
    """An SDXL model that is read too early, with the warning."""
    webui.txt2img.switch(True)
    webui.txt2img.set("l", "2")
    expect(webui.txt2img.advice.items).to_have_count(1)
    webui.txt2img.rests()
    return webui.txt2img.accordion


def drift(webui: WebUI) -> Locator:
    webui.prompt("txt2img").fill(PROMPT)
    webui.txt2img.switch(True)
    webui.txt2img.set("l", "2")
    webui.txt2img.unfold()
    webui.page.locator("#clip_skip_txt2img_draw").click()
    part = webui.txt2img.part("drift")
    expect(part.locator("svg.clip-skip-drift").filter(visible=True)).to_have_count(1)
    return part


def presets(webui: WebUI) -> Locator:
    tab = our_tab(webui)
    tab.locator("#clip_skip_presets_table button").filter(has_text="counterfeit").first.click()
    expect(tab.locator("#clip_skip_presets_form").first).to_be_visible()
    return tab


def models(webui: WebUI) -> Locator:
    tab = our_tab(webui)
    tab.locator("#clip_skip_views button").filter(has_text="Models").first.click()
    expect(tab.locator("#clip_skip_models_table tbody tr").first).to_be_visible()
    expect(tab.locator("#clip_skip_models_progress progress")).to_have_count(0)
    return tab


def our_tab(webui: WebUI) -> Locator:
    webui.page.locator("#tabs button").filter(has_text="CLIP Skip").first.click()
    return webui.page.locator("#tab_clip_skip")


def question(webui: WebUI) -> Locator:
    """An SD 1.x model that nobody knows, read at 2."""
    webui.select_model("sd1-a")
    return panel(webui)


def badge(webui: WebUI) -> Locator:
    """What the badge of the WebUI's own slider says, opened."""
    webui.select_model("sd1-a")
    webui.set_skip("2")
    webui.badge().click()
    return webui.page.locator("#quicksettings").or_(webui.window().place)


DEMO: tuple[Callable[[WebUI], Locator], ...] = (panel, drift, presets, models, question, badge)


def demo(browser: Browser) -> None:
    for theme in THEMES:
        with reserved() as port, boot("a1111", "sdxl", port=port) as host:
            file = host.data / "clip-skip" / "presets.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps({"schema": 1, "presets": KEPT}), encoding="utf-8")
            for picture in DEMO:
                page = browser.new_page(viewport={"width": 1500, "height": 1000}, color_scheme=theme)
                webui = WebUI(page, host.url)
                webui.open(f"?__theme={theme}")
                shown = picture(webui)
                page.evaluate("scrollTo(0, 0)")
                clip = around(shown)
                page.screenshot(path=FOLDER / f"{picture.__name__}-{theme}.png", clip=clip, full_page=True)
                page.close()


def around(parts: Locator) -> FloatRect:
    """The smallest part of the page that holds all these."""
    boxes = [box for part in parts.all() if (box := part.bounding_box())]
    left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
    right, bottom = max(box["x"] + box["width"] for box in boxes), max(box["y"] + box["height"] for box in boxes)
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


# --- a running WebUI -------------------------------------------------------------------------------------------------


def running(browser: Browser, address: str, name: str) -> None:
    """The page with the panel of the model that is chosen, at 2, dark: SD.Next's theme is a setting of its own."""
    tab = "control" if name == "sdnext" else "txt2img"
    page = browser.new_page(viewport={"width": 1500, "height": 1000}, color_scheme="dark")
    for _ in range(2):  # Neo loads its page again by itself, the first time
        page.goto(f"{address}?__theme=dark")
    expect(page.locator(f"#{tab}_prompt textarea")).to_be_visible()
    panel = Panel(page, tab)
    if tab == "control":
        page.evaluate("document.querySelector('#control_scripts').click()")
    panel.rests()
    panel.switch(True)
    panel.set("l", "2")
    expect(panel.advice.items).to_have_count(1)
    panel.rests()
    panel.accordion.evaluate("panel => panel.scrollIntoView({block: 'end'})")
    # Modern UI has the panel in a column of its own, which the whole page shows.
    page.screenshot(path=FOLDER / f"panel-{name}.png", clip=None if tab == "control" else around(panel.accordion))
    page.close()


def main() -> None:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        if sys.argv[1:]:
            running(browser, *sys.argv[1:])
        else:
            demo(browser)
        browser.close()


if __name__ == "__main__":
    main()
