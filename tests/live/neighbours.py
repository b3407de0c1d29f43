"""Other extensions that can run beside ours: what makes each act, and what keeps it from acting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .webui import WebUI, picture

# A control of a script by its label, or by its place where it has none, and its value.
Controls = Mapping[str | int, Any]

LORA = "tiny"
"""A LoRA that changes the text encoder of SD 1.x, among the WebUI's own."""
DETECTOR = "random.pt"
"""A detector of ADetailer's that finds something in any image."""


def _has_lora(webui: WebUI) -> bool:
    return LORA in {each["name"] for each in webui.get("/sdapi/v1/loras")}


def _has_detector(webui: WebUI) -> bool:
    models = "/adetailer/v1/ad_model"
    return webui.offers(models) and DETECTOR in webui.get(models)["ad_model"]


@dataclass(frozen=True)
class Neighbour:
    """An extension, by the beginning of its script's title, as the API gives it.

    `option` is the WebUI's option that switches it, where no control of a script does; it is then known by its
    `repository`, for A1111's API lists no option that an extension adds. `acts` is False where it can be on without
    doing anything: Composable LoRA does nothing in A1111 from 1.5 on, which has LoRAs of another kind.
    """

    title: str
    prompt: str
    on: Controls = field(default_factory=lambda: {0: True})
    off: Controls = field(default_factory=lambda: {0: False})
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the job
    option: str = ""
    repository: str = ""
    can_act: Callable[[WebUI], bool] = lambda webui: True  # whether the WebUI has the file that it needs
    acts: bool = True
    hires: bool = False  # acts in a second pass alone
    goes_with_all: bool = True

    def is_in(self, webui: WebUI) -> bool:
        is_there = self.repository in webui.extensions if self.option else webui.script(self.title) is not None
        return is_there and self.can_act(webui)

    def scripts(self, webui: WebUI, on: bool) -> dict[str, Any]:
        """The `alwayson_scripts` of a job with it on or off."""
        title = None if self.option else webui.script(self.title)
        return {title: {"args": webui.values(title, self.on if on else self.off)}} if title else {}

    def options(self, on: bool) -> dict[str, Any]:
        """The `override_settings` of a job with it on or off."""
        return {self.option: on} if self.option else {}


NEIGHBOURS = (
    Neighbour(
        "adetailer",
        "a photo of a cat",
        {0: True, 2: {"ad_model": DETECTOR, "ad_confidence": 0.3, "ad_mask_k": 1, "ad_denoising_strength": 0.9}},
        can_act=_has_detector,
    ),
    Neighbour("composable lora", f"a photo of a cat <lora:{LORA}:1> AND blue sky", can_act=_has_lora, acts=False),
    Neighbour(
        "controlnet",
        "a photo of a cat",
        {0: {"enabled": True, "module": "reference_only", "image": picture()}},
        {0: {"enabled": False}},
        goes_with_all=False,  # its reference has one size, and a second pass another
    ),
    Neighbour("cutoff", "a red cat, blue sky", {0: True, "Target tokens (comma separated)": "red, blue"}),
    Neighbour("dynamic prompts", "a photo of a {red|blue|green|black} cat"),
    Neighbour("hires. fix tweaks", "a photo of a cat", {0: 3}, {0: 0}, hires=True),
    Neighbour(
        "lora block weight",
        f"a photo of a cat <lora:{LORA}:1:lbw=ALL0.5>",
        {1: True},
        {1: False},
        can_act=_has_lora,
    ),
    Neighbour("negpip", "a photo of a cat, (blue sky:-1.2)"),
    Neighbour(
        "neutral prompt",
        "a photo of a cat AND_PERP blue sky :0.8",
        option="neutral_prompt_enabled",
        repository="sd-webui-neutral-prompt",
    ),
    Neighbour(
        "prompt fusion",
        "a photo of a [cat:dog:0,4] sky",
        fields={"steps": 4},
        option="prompt_fusion_enabled",
        repository="prompt-fusion-extension",
    ),
    Neighbour("regional prompter", "a photo of a cat BREAK blue sky"),
    Neighbour(
        "tiled diffusion",
        "a photo of a cat",
        {0: True, "Latent tile width": 16, "Latent tile height": 16, "Latent tile overlap": 4},
        fields={"width": 256},
    ),
)
# What all of them make something of, on in one job.
TOGETHER = f"a {{red|blue}} [cat:dog:0,2], (green sky:-1.2) <lora:{LORA}:1:lbw=ALL0.5>"
# These encode again at a clip skip of their own, inside the WebUI's encode: they win, and that is said.
OVERRULERS = (Neighbour("tripclipskip", "a photo of a cat", {0: True, "Clip skip": 4.5}),)


def going_together(webui: WebUI) -> list[Neighbour]:
    """Those of the WebUI's that can be on in one job."""
    return [each for each in NEIGHBOURS if each.goes_with_all and each.is_in(webui)]
