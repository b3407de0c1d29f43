"""What SD.Next's XYZ grid can vary, and how it reads the values of an axis."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from modules import sd_checkpoint, sd_models, shared

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing

    Apply = Callable[[StableDiffusionProcessing, Any, list[Any]], None]


TITLE = "XYZ Grid Script"
_RANGE = re.compile(r"([-+]?\d*\.?\d+)-([-+]?\d*\.?\d+):?(\d+)?")


def _with_label(p: StableDiffusionProcessing, option: AxisOption, x: Any) -> str:
    return f"{option.label}: {x}"


class AxisOption:
    """Something that can vary: ``apply(p, x, xs)`` gives the job ``p`` the value ``x`` out of ``xs``."""

    def __init__(
        self,
        label: str,
        tipe: type,
        apply: Apply,
        fmt: Callable[..., str] = _with_label,
        confirm: Callable[[Any, list[Any]], None] | None = None,
        cost: float = 0.0,
        choices: Callable[[], list[str]] | None = None,
    ) -> None:
        self.label, self.type, self.apply, self.format_value = label, tipe, apply, fmt
        self.confirm, self.cost, self.choices = confirm, cost, choices


def apply_field(field: str) -> Apply:
    """Make the function that varies a field of the job."""

    def apply(p: StableDiffusionProcessing, x: Any, xs: list[Any]) -> None:
        setattr(p, field, x)

    return apply


def _apply_prompt(positive: str, negative: str) -> Apply:
    def apply(p: StableDiffusionProcessing, x: Any, xs: list[Any]) -> None:
        for field in (positive, negative):
            before = getattr(p, field)
            for searched in xs:
                if searched in before:
                    setattr(p, field, before.replace(searched, x))

    return apply


def _apply_checkpoint(p: StableDiffusionProcessing, x: Any, xs: list[Any]) -> None:
    info = sd_checkpoint.get_closest_checkpoint_match(x)
    if x != shared.opts.sd_model_checkpoint and info is not None:
        sd_models.reload_model_weights(shared.sd_model, info)
        p.override_settings["sd_model_checkpoint"] = info.name


_AXES = [
    AxisOption("Nothing", str, lambda p, x, xs: None, fmt=lambda p, option, x: ""),
    AxisOption("[Model] Model", str, _apply_checkpoint, cost=1.0, choices=lambda: sorted(sd_models.checkpoints_list)),
    AxisOption("[Prompt] Search & replace", str, _apply_prompt("prompt", "negative_prompt")),
    AxisOption("[Prompt] Search & replace refine", str, _apply_prompt("refiner_prompt", "refiner_negative")),
    AxisOption("[Network] Styles", str, lambda p, x, xs: p.styles.extend(x.split(",")),
               choices=lambda: list(shared.prompt_styles.styles)),
    AxisOption("[Param] Seed", int, apply_field("seed")),
    AxisOption("[Param] Steps", int, apply_field("steps")),
    AxisOption("[Param] CLiP-skip", float, apply_field("clip_skip")),
    AxisOption("[Refine] Hires steps", int, apply_field("hr_second_pass_steps")),
]  # fmt: skip


def axes() -> list[AxisOption]:
    """Give the one list that both grids have, and that outlives their scripts."""
    return _AXES


def _expanded(kind: type[int] | type[float], text: str) -> list[Any]:
    """Give the numbers of a range, "1-5" or "1-5:3", which is so many; what is no number is dropped with a word."""
    found = _RANGE.fullmatch(text)
    try:
        if found is None:
            return [kind(text)]
        start, end = kind(found[1]), kind(found[2])
    except ValueError as error:
        logging.getLogger("sd").error("XYZ grid: value=%s %s", text, error)
        return []
    count = max(2, int(found[3] or end - start))
    return [round(kind(x), 2) for x in np.linspace(start, end, count).tolist()]


def read(option: AxisOption, text: str, picked: list[Any], csv_mode: bool, p: StableDiffusionProcessing) -> list[Any]:
    """Give an axis its values; one whose type *is* int or float can have nothing else."""
    if option.label == "Nothing":
        return [0]
    if option.choices is not None and not csv_mode:
        values = list(picked)
    else:
        values = [part.strip().replace(r"\,", ",") for part in re.split(r"(?<!\\),", text) if part]
    kinds: tuple[type[int], type[float]] = (int, float)
    for kind in kinds:
        if option.type == kind:
            values = [x for value in values for x in _expanded(kind, value)]
            break
    values = [option.type(value) for value in values]
    if option.confirm:
        option.confirm(p, values)
    return values


@contextmanager
def settings_kept() -> Iterator[None]:
    """Go back to the checkpoint of before: a cell leaves its own in place."""
    before = shared.opts.sd_model_checkpoint
    try:
        yield
    finally:
        if shared.opts.sd_model_checkpoint != before:
            shared.opts.data["sd_model_checkpoint"] = before
            sd_models.reload_model_weights()
