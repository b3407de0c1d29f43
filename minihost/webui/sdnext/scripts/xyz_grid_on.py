"""SD.Next's second grid: always on, with a checkbox; it makes its cells inside the job that it replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from modules import scripts, xyz_axes, xyz_plot
from modules.xyz_axes import AxisOption as AxisOption

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing


axis_options = xyz_axes.axes()


class Script(xyz_plot.Plot):
    axis_options = axis_options
    active = False
    made = None

    def title(self) -> str:
        return "XYZ Grid"

    def show(self, is_img2img: bool) -> object:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> Any:
        with gr.Accordion("XYZ Grid", open=False):
            enabled = gr.Checkbox(False, label="Enabled", elem_id=self.elem_id("enabled"))
            return [enabled, *super().ui(is_img2img)]

    def process(self, p: StableDiffusionProcessing, enabled: bool = False, *args: Any) -> None:
        cls = type(self)
        cls.made = None
        if not enabled or cls.active:  # active: this is a cell
            return
        cls.active = True
        try:
            cls.made = self.run(p, *args)
        finally:
            cls.active = False
        p.disable_extra_networks = True

    def process_images(self, p: StableDiffusionProcessing, *args: Any) -> Any:
        return type(self).made
