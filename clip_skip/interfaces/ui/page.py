"""The page that is being built: the panels on it, and which of the host's components they answer to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import gradio as gr

from ...hosts.base import Host
from ...text.log import logger
from .answers import Answers
from .events import in_page
from .markup import line
from .panel import Panel
from .paste import SAID, Fields
from .words import UNKNOWN_HOST

if TYPE_CHECKING:
    from .events import Control

# Those that a panel can be in, by their names in the host's element ids.
TABS = ("txt2img", "img2img", "control")
_PROMPTS = tuple(f"{tab}_prompt" for tab in TABS)
_NEGATIVE_PROMPTS = tuple(f"{tab}_neg_prompt" for tab in TABS)


class Built(NamedTuple):
    """What the host's Script needs of a panel: its arguments in order, and its infotext fields."""

    arguments: list[object]
    infotext_fields: list[tuple[object, Callable[..., object]]]
    paste_field_names: list[Callable[..., object]]


class Page:
    """The panels and the host's checkpoint dropdown, prompts and sliders, whichever comes first."""

    def __init__(self, host: Host, answers: Answers) -> None:
        self._host = host
        self._answers = answers
        self._panels: list[Panel] = []
        self._follows = False
        self._heard: set[str | None] = set()
        self._prompts: dict[str, object] = {}
        self._finished = False

    def build(self, tab: str, fields: Fields) -> Built:
        """Create the panel of `tab` in the current Gradio context. Called several times for each tab."""
        if not self._host.known:
            with gr.Accordion("CLIP Skip", open=False):
                gr.HTML(line(UNKNOWN_HOST))
                return Built([gr.Checkbox(False, visible=False)], [], [])
        panel = Panel(self._host, self._answers, tab)
        if not self._finished:
            panel.listen()
            self._panels.append(panel)
            self._read(panel)
        filled = [(getattr(panel, name), read) for name, read in fields.items()]
        return Built(panel.arguments, filled, [read for name, read in fields.items() if name not in SAID])

    def finished(self) -> None:
        """The page is built. Panels that are built later are asked for their values and dropped, some for each job."""
        self._finished = True
        self._panels.clear()

    def meet(self, component: Control, elem_id: str | None = None, **_: object) -> None:
        """A component of the host's page was made.

        The page's script hears of those that count: what selects the checkpoint, the host's own sliders, its prompts.
        """
        classes = getattr(component, "elem_classes", None) or []
        if elem_id == "setting_sd_model_checkpoint" or "model_selection" in classes:
            self._follow(component)
        if self._host.is_slider(component, elem_id):
            component.elem_classes = [*classes, "clip-skip-slider"]  # where the page's script puts the badge
            self._hear(component, elem_id)
        elif elem_id in _PROMPTS:
            self._hear(component, elem_id)
            self._prompt(component, elem_id)
        elif elem_id in _NEGATIVE_PROMPTS:
            self._hear(component, elem_id)

    def _follow(self, dropdown: Control) -> None:
        if self._follows:  # Gradio 4 makes components again when they change
            return
        self._follows = True
        try:
            in_page(dropdown.change, "(name) => clipSkip.chose(name)", dropdown)
        except Exception:
            logger.exception("the panel can't follow the checkpoint dropdown")

    def _hear(self, component: Control, elem_id: str | None) -> None:
        """Let the page's script know what this control of the host's holds, whenever that changes."""
        if elem_id in self._heard:  # Gradio 4 makes components again when they change
            return
        self._heard.add(elem_id)
        try:
            in_page(component.change, f"(value) => clipSkip.holds({json.dumps(elem_id)}, value)", component)
        except Exception:
            logger.exception("the panel can't follow the WebUI's control %s", elem_id)

    def _prompt(self, component: object, elem_id: str) -> None:
        if elem_id not in self._prompts:
            self._prompts[elem_id] = component
            for panel in self._panels:
                if panel.prompt_id == elem_id:
                    self._read(panel)

    def _read(self, panel: Panel) -> None:
        prompt = self._prompts.get(panel.prompt_id)
        try:
            if prompt is not None:
                panel.draw_drift_of(prompt)
        except Exception:
            logger.exception("the panel can't read the prompt")
