"""SD.Next's second grid: always on, with a checkbox; it makes its cells inside the job that it replaces."""

import gradio as gr
from modules import scripts, xyz_axes, xyz_plot
from modules.xyz_axes import AxisOption  # noqa: F401 (part of this module for everybody else)

axis_options = xyz_axes.axes()


class Script(xyz_plot.Plot):
    axis_options = axis_options
    active = False
    made = None

    def title(self):
        return "XYZ Grid"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with gr.Accordion("XYZ Grid", open=False):
            enabled = gr.Checkbox(False, label="Enabled", elem_id=self.elem_id("enabled"))
            return [enabled, *super().ui(is_img2img)]

    def process(self, p, enabled=False, *args):
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

    def process_images(self, p, *args):
        return type(self).made
