"""X/Y/Z plot, cut down to one axis: a picture for each value, and the list that extensions add their axes to."""

from copy import copy

import gradio as gr
from modules import processing, scripts

from minihost import context


class AxisOption:
    """Something that can vary. SD.Next's has ``fmt`` where the others have ``format_value``, and no ``prepare``."""

    def __init__(self, label, type, apply, format_value=None, confirm=None, cost=0.0, choices=None, prepare=None):
        self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
        self.confirm, self.cost, self.choices, self.prepare = confirm, cost, choices, prepare


if not context.get().flavour.a1111_line:

    class AxisOption(AxisOption):
        def __init__(self, label, tipe, apply, fmt=None, confirm=None, cost=0.0, choices=None):
            super().__init__(label, tipe, apply, fmt, confirm, cost, choices)


def apply_override(field):
    """Make the function that varies a setting."""

    def apply(p, x, xs):
        p.override_settings[field] = x

    return apply


def apply_field(field):
    """Make the function that varies a field of the job."""

    def apply(p, x, xs):
        setattr(p, field, x)

    return apply


axis_options = [
    AxisOption("Nothing", str, lambda p, x, xs: None),
    AxisOption("Steps", int, apply_field("steps")),
    AxisOption("Checkpoint name", str, apply_override("sd_model_checkpoint")),
    AxisOption("Clip skip", int, apply_override("CLIP_stop_at_last_layers"))
    if context.get().flavour.a1111_line
    else AxisOption("[Param] CLiP-skip", float, apply_field("clip_skip")),
]


class Script(scripts.Script):
    def title(self):
        return "X/Y/Z plot"

    def ui(self, is_img2img):
        return [gr.Textbox("Nothing", label="X type"), gr.Textbox("", label="X values")]

    def run(self, p, x_type, x_values):
        """Run a shallow copy of the job for each value, between commas."""
        axis = next(option for option in axis_options if option.label == x_type)
        xs = [axis.type(value.strip()) for value in x_values.split(",")]
        if axis.confirm:
            axis.confirm(p, xs)
        cells = []
        for x in xs:
            cell = copy(p)
            cell.override_settings = dict(p.override_settings)
            axis.apply(cell, x, xs)
            cells.append(processing.process_images(cell))
        result = cells[0]
        result.images = [image for cell in cells for image in cell.images]
        result.infotexts = [text for cell in cells for text in cell.infotexts]
        return result
