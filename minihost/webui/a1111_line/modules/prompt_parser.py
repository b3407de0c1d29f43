"""From prompts to conditionings, in the shapes that samplers of the A1111 line take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

_EDIT = re.compile(r"\[([^:\[\]]*):([^:\[\]]*):\s*(\d*\.?\d+)\s*\]")


class SdConditioning(list[str]):
    """Prompts, with what SDXL also looks at; two are equal if the texts are."""

    def __init__(
        self,
        prompts: Iterable[str],
        is_negative_prompt: bool = False,
        width: int | None = None,
        height: int | None = None,
        distilled_cfg_scale: float | None = None,
    ) -> None:
        super().__init__(prompts)
        self.is_negative_prompt, self.width, self.height = is_negative_prompt, width, height
        self.distilled_cfg_scale = distilled_cfg_scale


@dataclass
class ScheduledPromptConditioning:
    end_at_step: int
    cond: Any


@dataclass
class ComposableScheduledPromptConditioning:
    schedules: list[ScheduledPromptConditioning]
    weight: float = 1.0


@dataclass
class MulticondLearnedConditioning:
    shape: tuple[Any, ...]
    batch: list[list[ComposableScheduledPromptConditioning]]


def schedule(prompt: str, steps: int) -> list[tuple[int, str]]:
    """Give (last step, text) for each stretch of steps; ``[a:b:0.5]`` changes from a to b half way (not nested)."""

    def switch(when: str) -> int:
        return min(steps, int(float(when) * steps) if float(when) < 1 else int(float(when)))

    def text_until(end: int) -> str:
        return _EDIT.sub(lambda edit: edit[1] if end <= switch(edit[3]) else edit[2], prompt)

    ends = sorted({switch(edit[3]) for edit in _EDIT.finditer(prompt)} - {0} | {steps})
    return [(end, text_until(end)) for end in ends]


def get_multicond_prompt_list(
    prompts: list[str],
) -> tuple[list[list[tuple[int, float]]], SdConditioning, dict[str, int]]:
    """Split at AND: give the place and weight of each prompt's parts, the parts, and the place of each."""
    parts = [prompt.split(" AND ") for prompt in prompts]
    flat = SdConditioning(dict.fromkeys(part for part_list in parts for part in part_list))
    places = {part: place for place, part in enumerate(flat)}
    return [[(places[part], 1.0) for part in part_list] for part_list in parts], flat, places


def get_learned_conditioning_prompt_schedules(
    prompts: list[str], base_steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False
) -> list[list[tuple[int, str]]]:
    """Give the texts of each prompt, with the step at which each ends."""
    return [[(end, text) for end, text in schedule(prompt, hires_steps or base_steps)] for prompt in prompts]


def get_learned_conditioning(
    model: Any, prompts: SdConditioning, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False
) -> Any:
    """Encode each distinct prompt once, all its texts in one call."""
    known, result = {}, []
    for prompt in prompts:
        if prompt not in known:
            ends, found = zip(*schedule(prompt, hires_steps or steps), strict=True)
            texts = SdConditioning(found, prompts.is_negative_prompt, prompts.width, prompts.height)
            conds = model.get_learned_conditioning(texts)
            each = [
                {key: value[i] for key, value in conds.items()} if isinstance(conds, dict) else conds[i]
                for i in range(len(texts))
            ]
            known[prompt] = [ScheduledPromptConditioning(end, cond) for end, cond in zip(ends, each, strict=True)]
        result.append(known[prompt])
    return result


def get_multicond_learned_conditioning(
    model: Any, prompts: SdConditioning, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False
) -> MulticondLearnedConditioning:
    """As above, in the nested form that positive prompts have: AND stands between prompts of their own."""
    indexes, flat, _ = get_multicond_prompt_list(prompts)
    flat = SdConditioning(flat, prompts.is_negative_prompt, prompts.width, prompts.height)
    learned = get_learned_conditioning(model, flat, steps, hires_steps, use_old_scheduling)
    batch = [[ComposableScheduledPromptConditioning(learned[i], weight) for i, weight in of] for of in indexes]
    return MulticondLearnedConditioning((len(prompts),), batch)


def _at(schedules: list[ScheduledPromptConditioning], step: int) -> Any:
    return next((s.cond for s in schedules if step < s.end_at_step), schedules[-1].cond)


def reconstruct_cond_batch(c: Any, current_step: int) -> list[Any]:
    """Give what each image is sampled with at a step (tensors of their own length, not yet joined)."""
    return [_at(schedules, current_step) for schedules in c]


def reconstruct_multicond_batch(c: MulticondLearnedConditioning, current_step: int) -> list[Any]:
    """The same; prompts joined by AND stand below each other, in place of being sampled apart and added up."""
    return [_joined([_at(part.schedules, current_step) for part in parts]) for parts in c.batch]


def edits(c: MulticondLearnedConditioning, uc: Any) -> set[int]:
    """Give the steps with which a text takes the place of another."""
    schedules = [part.schedules for parts in c.batch for part in parts] + (uc or [])
    return {entry.end_at_step for entries in schedules for entry in entries[:-1]}


def _joined(conds: list[Any]) -> Any:
    if len(conds) == 1 or not isinstance(conds[0], dict):
        return conds[0] if len(conds) == 1 else torch.cat(conds)
    mean = torch.stack([cond["vector"] for cond in conds]).mean(0)
    return {"crossattn": torch.cat([cond["crossattn"] for cond in conds]), "vector": mean}
