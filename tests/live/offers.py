"""What a test needs of the running WebUI, each under a name. What the WebUI does not offer is not run, and said."""

from __future__ import annotations

from collections.abc import Callable

from .neighbours import NEIGHBOURS, OVERRULERS, going_together
from .webui import OWN_OPTION, WebUI

STYLE = ("clip skip live test", "{prompt}, at night <clipskip:2.5>")
"""A style that no API can make: the row of the WebUI's styles.csv before it starts, in SD.Next a file in its folder of
styles."""

OFFERS: dict[str, Callable[[WebUI], object]] = {
    "sd1": lambda webui: webui.of("sd1"),
    "two of sd1": lambda webui: len(webui.of("sd1")) > 1,
    "sdxl": lambda webui: webui.of("sdxl"),
    "sdxl-refiner": lambda webui: webui.of("sdxl-refiner"),
    "a hires checkpoint": lambda webui: webui.takes("hr_checkpoint_name"),
    "a refiner in a job": lambda webui: webui.takes("refiner_checkpoint") and webui.name != "sdnext",
    "an option for clip skip": lambda webui: webui.name != "sdnext" and OWN_OPTION in webui.options,
    # Forge and reForge show it in their settings, and read it nowhere.
    "an option for CLIP-L alone": lambda webui: webui.name == "a1111" and "sdxl_clip_l_skip" in webui.options,
    "an infotext in a job": lambda webui: webui.name == "a1111",  # Forge's line takes one, and can't read it
    "parsers": lambda webui: webui.takes("prompt_attention"),
    "Control": lambda webui: "control" in webui.kinds,
    f"the style {STYLE}": lambda webui: STYLE[0] in {each["name"] for each in webui.get("/sdapi/v1/prompt-styles")},
    "several other extensions": lambda webui: len(going_together(webui)) > 1,
    **{each.title: each.is_in for each in (*NEIGHBOURS, *OVERRULERS)},
}
FIXTURES = ("sd1", "sdxl")
"""Those whose name is what they need."""
