"""X/Y/Z plot: a picture for each combination of up to three axes' values, and all of them on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import product
from typing import TYPE_CHECKING, Any

import gradio as gr
from modules import errors, processing, scripts, shared, xyz_axes
from modules.ui_components import FormRow
from PIL import Image, ImageDraw

from minihost import context

if TYPE_CHECKING:
    from modules.processing import Processed, StableDiffusionProcessing

    Axis = tuple[xyz_axes.AxisOption, list[Any]]


LINE = 16
"""The height of a line of the legend."""


def loops(costs: list[float]) -> list[int]:
    """Give the axes from the outermost loop to the innermost: Z, Y, X, but the costliest first where one is."""
    default = [2, 1, 0]
    return default if costs.count(max(costs)) > 1 else sorted(default, key=lambda axis: -costs[axis])


class Plot(scripts.Script):
    """The widgets and the loops of a plot; ``axis_options`` is the list that extensions add theirs to."""

    axis_options: list[Any]

    def title(self) -> str:
        return xyz_axes.TITLE

    def ui(self, is_img2img: bool) -> Any:
        own = [o for o in self.axis_options if type(o) is xyz_axes.AxisOption or o.is_img2img == is_img2img]
        self.current_axis_options = own
        controls = []
        for axis in "XYZ":
            with FormRow():
                kind = gr.Dropdown(
                    [option.label for option in own], value=own[0].label, type="index", label=f"{axis} type",
                    elem_id=self.elem_id(f"{axis.lower()}_type"),
                )  # fmt: skip
                text = gr.Textbox("", label=f"{axis} values", elem_id=self.elem_id(f"{axis.lower()}_values"))
                picked = gr.Dropdown(
                    [], value=[], label=f"{axis} values", multiselect=True, visible=False, interactive=True,
                    elem_id=self.elem_id(f"{axis.lower()}_values_dropdown"),
                )  # fmt: skip
            kind.change(self._select_axis, inputs=[kind], outputs=[text, picked], show_progress="hidden")
            controls += [kind, text, picked]
        return controls

    def _select_axis(self, index: int | None) -> Any:
        """An axis with choices has a dropdown in place of the text."""
        choices = self.current_axis_options[index or 0].choices
        listed = [] if choices is None else choices()
        return gr.update(visible=choices is None), gr.update(choices=listed, value=[], visible=choices is not None)

    def run(self, p: StableDiffusionProcessing, *args: Any) -> Any:
        """Plot; ``args`` are for each axis its number or label, its values as text, and those picked."""
        try:
            axes = [self._axis(p, *args[i : i + 3]) for i in range(0, len(args), 3)]
        except Exception as e:
            if context.get().flavour.a1111_line:
                raise
            errors.display(e, "xyz")  # and the job goes on as if there was no plot
            return None
        axes += [self._axis(p)] * (3 - len(axes))
        order = loops([option.cost for option, _ in axes])
        cells, sheet_text = {}, None
        with xyz_axes.settings_kept():
            for turn in product(*(range(len(axes[axis][1])) for axis in order)):
                at = tuple(index for _, index in sorted(zip(order, turn, strict=True)))
                cell = copy(p)
                cell.styles = list(p.styles)
                if not context.get().flavour.a1111_line:
                    p.__dict__["xyz"] = cell.__dict__["xyz"] = True
                    cell.override_settings_restore_afterwards = False
                for (option, values), index in zip(axes, at, strict=True):
                    option.apply(cell, values[index], values)
                cells[at] = self._process(cell)
                if at == (0, 0, 0) and cells[at] is not None:
                    sheet_text = self._text_of_sheet(cell, axes, args)
        return self._result(p, axes, cells, sheet_text)

    def _axis(
        self, p: StableDiffusionProcessing, which: int | str = 0, text: str = "", picked: list[str] | None = None
    ) -> Axis:
        options = self.current_axis_options
        option = next(o for o in options if o.label == which) if isinstance(which, str) else options[which or 0]
        return option, xyz_axes.read(option, text, picked or [], csv_mode=not picked, p=p)

    def _process(self, cell: StableDiffusionProcessing) -> Processed | None:
        if shared.state.interrupted:
            return None
        try:
            return processing.process_images(cell)
        except Exception as e:
            errors.display(e, "generating image for xyz plot")
            return None

    def _text_of_sheet(self, cell: StableDiffusionProcessing, axes: list[Axis], args: Sequence[Any]) -> str:
        """The first cell's text, with what varies."""
        cell.extra_generation_params = {**cell.extra_generation_params, "Script": self.title()}
        for axis, (option, _), text, picked in zip("XYZ", axes, args[1::3], args[2::3], strict=False):
            if option.label != "Nothing":
                values = text or ",".join(picked)
                cell.extra_generation_params |= {f"{axis} Type": option.label, f"{axis} Values": values}
        return processing.create_infotext(cell, cell.all_prompts or [], cell.all_seeds, cell.all_subseeds)

    def _result(
        self,
        p: StableDiffusionProcessing,
        axes: list[Axis],
        cells: dict[tuple[int, ...], Processed | None],
        sheet_text: str | None,
    ) -> Processed:
        """The sheet, then each cell. What else there is to say is that of the cell that was made first."""
        first = next((processed for processed in cells.values() if processed is not None), None)
        if first is None:
            return processing.Processed(p, [])
        result = copy(first)
        blank = Image.new("RGB", first.images[0].size if first.images else (p.width, p.height))
        ordered = [cells[at] for at in sorted(cells, key=lambda at: at[::-1])]
        images = [processed.images[0] if processed and processed.images else blank for processed in ordered]
        texts = [processed.infotexts[0] if processed and processed.images else "" for processed in ordered]
        labels = [[option.format_value(p, option, x) for x in values] for option, values in axes]
        result.images, result.infotexts = [_sheet(images, labels), *images], [sheet_text or texts[0], *texts]
        vars(result)["index_of_first_image"] = 1
        return result


def _sheet(images: list[Image.Image], labels: list[list[str]]) -> Image.Image:
    """Lay the cells out, X to the right and Y downwards, one such table for each Z beside the other."""
    columns, rows, tables = map(len, labels)
    width, height = (max(sizes) for sizes in zip(*(image.size for image in images), strict=True))
    cell, table = height + LINE, columns * width
    sheet = Image.new("RGB", (tables * table, LINE + rows * cell), "white")
    draw = ImageDraw.Draw(sheet)
    for z, title in enumerate(labels[2]):
        _write(draw, (z * table, 0), title)
        for y, down in enumerate(labels[1]):
            for x, right in enumerate(labels[0]):
                left, top = z * table + x * width, LINE + y * cell
                _write(draw, (left, top), ", ".join(filter(None, (str(right), str(down)))))
                sheet.paste(images[x + columns * (y + rows * z)], (left, top + LINE))
    return sheet


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str) -> None:
    draw.text((at[0] + 2, at[1] + 2), str(text).encode("ascii", "replace").decode(), fill="black")
