"""What the X/Y/Z plot of the A1111 line can vary, and how it reads the values of an axis."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from modules import sd_models, shared

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing

    Apply = Callable[[StableDiffusionProcessing, Any, list[Any]], None]


TITLE = "X/Y/Z plot"
_RANGE = {
    kind: re.compile(rf"\s*([+-]?{digits})\s*-\s*([+-]?{digits})(?:\s*\(([+-]{digits})\s*\)|\s*\[(\d+)\s*\])?\s*")
    for kind, digits in ((int, r"\d+"), (float, r"\d+(?:\.\d*)?"))
}


def _with_label(p: StableDiffusionProcessing, option: AxisOption, x: Any) -> str:
    return f"{option.label}: {round(x, 8) if type(x) is float else x}"


class AxisOption:
    """Something that can vary: ``apply(p, x, xs)`` gives the job ``p`` the value ``x`` out of ``xs``."""

    def __init__(
        self,
        label: str,
        type: type,
        apply: Apply,
        format_value: Callable[..., str] = _with_label,
        confirm: Callable[[Any, list[Any]], None] | None = None,
        cost: float = 0.0,
        choices: Callable[[], list[str]] | None = None,
        prepare: Callable[[str], list[str]] | None = None,
    ) -> None:
        self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
        self.confirm, self.cost, self.choices, self.prepare = confirm, cost, choices, prepare


class AxisOptionTxt2Img(AxisOption):
    is_img2img = False


def apply_field(field: str) -> Apply:
    """Make the function that varies a field of the job."""

    def apply(p: StableDiffusionProcessing, x: Any, xs: list[Any]) -> None:
        setattr(p, field, x)

    return apply


def apply_override(field: str) -> Apply:
    """Make the function that varies a setting; all cells share one dictionary of them."""

    def apply(p: StableDiffusionProcessing, x: Any, xs: list[Any]) -> None:
        p.override_settings[field] = x

    return apply


def _apply_prompt(p: StableDiffusionProcessing, x: Any, xs: list[Any]) -> None:
    if xs[0] not in p.prompt and xs[0] not in p.negative_prompt:
        raise RuntimeError(f"Prompt S/R did not find {xs[0]} in prompt or negative prompt.")
    p.prompt, p.negative_prompt = p.prompt.replace(xs[0], x), p.negative_prompt.replace(xs[0], x)


def _apply_checkpoint(p: StableDiffusionProcessing, x: Any, xs: list[Any]) -> None:
    info = sd_models.get_closet_checkpoint_match(x)
    assert info is not None  # `confirm` has seen to it
    p.override_settings["sd_model_checkpoint"] = info.name


def _confirm_checkpoints(p: StableDiffusionProcessing, xs: list[Any]) -> None:
    for x in xs:
        if x != "None" and sd_models.get_closet_checkpoint_match(x) is None:
            raise RuntimeError(f"Unknown checkpoint: {x}")


def _checkpoints() -> list[str]:
    return sorted(sd_models.checkpoints_list, key=str.casefold)


def axes() -> list[AxisOption]:
    """Give the plot's own axes, anew each time its script is loaded."""
    return [
        AxisOption("Nothing", str, lambda p, x, xs: None, format_value=lambda p, option, x: ""),
        AxisOption("Seed", int, apply_field("seed")),
        AxisOption("Steps", int, apply_field("steps")),
        AxisOptionTxt2Img("Hires steps", int, apply_field("hr_second_pass_steps")),
        AxisOption("CFG Scale", float, apply_field("cfg_scale")),
        AxisOption("Prompt S/R", str, _apply_prompt, format_value=lambda p, option, x: x),
        AxisOption("Checkpoint name", str, _apply_checkpoint, confirm=_confirm_checkpoints, cost=1.0,
                   choices=_checkpoints),
        AxisOption("Clip skip", int, apply_override("CLIP_stop_at_last_layers")),
        AxisOption("Styles", str, lambda p, x, xs: p.styles.extend(x.split(",")),
                   choices=lambda: list(shared.prompt_styles.styles)),
        AxisOption("Refiner checkpoint", str, apply_field("refiner_checkpoint"), confirm=_confirm_checkpoints, cost=1.0,
                   choices=lambda: ["None", *_checkpoints()]),
    ]  # fmt: skip


def _expanded(kind: type[int] | type[float], text: str) -> list[Any]:
    """Give the numbers of a range: "1-5", "1-5 (+2)" in steps, "1-5 [3]" so many; of any other text, itself."""
    found = _RANGE[kind].fullmatch(text)
    if found is None:
        return [text]
    start, end, step = kind(found[1]), kind(found[2]), kind(found[3] or 1)
    if found[4]:
        return [kind(x) for x in np.linspace(start, end, int(found[4])).tolist()]
    return (
        list(range(int(start), int(end) + 1, int(step))) if kind is int else np.arange(start, end + step, step).tolist()
    )


def read(option: AxisOption, text: str, picked: list[Any], csv_mode: bool, p: StableDiffusionProcessing) -> list[Any]:
    """Give an axis its values; ranges are for an axis whose type *is* int or float, but words go through it too."""
    if option.label == "Nothing":
        return [0]
    if option.choices is not None and not csv_mode:
        values = list(picked)
    elif option.prepare is not None:
        values = option.prepare(text)
    else:
        values = [value.strip() for row in csv.reader([text], skipinitialspace=True) for value in row]
    kinds: tuple[type[int], type[float]] = (int, float)
    for kind in kinds:
        if option.type == kind:
            values = [x for value in values if value.strip() for x in _expanded(kind, value)]
            break
    values = [option.type(value) for value in values]
    if option.confirm:
        option.confirm(p, values)
    return values


@contextmanager
def settings_kept() -> Iterator[None]:
    """Go back to the checkpoint of the settings after the plot."""
    try:
        yield
    finally:
        sd_models.reload_model_weights()
