"""From prompts to conditionings, in the shapes that samplers of the A1111 line take (no prompt editing, no AND)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class SdConditioning(list):
    """Prompts, with what SDXL also looks at; two are equal if the texts are."""

    def __init__(self, prompts, is_negative_prompt=False, width=None, height=None, distilled_cfg_scale=None):
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
    shape: tuple
    batch: list[list[ComposableScheduledPromptConditioning]]


def get_learned_conditioning(model, prompts: SdConditioning, steps, hires_steps=None, use_old_scheduling=False):
    """Encode each distinct prompt once."""
    known, result = {}, []
    for prompt in prompts:
        if prompt not in known:
            texts = SdConditioning([prompt], prompts.is_negative_prompt, prompts.width, prompts.height)
            conds = model.get_learned_conditioning(texts)
            first = {key: value[0] for key, value in conds.items()} if isinstance(conds, dict) else conds[0]
            known[prompt] = [ScheduledPromptConditioning(hires_steps or steps, first)]
        result.append(known[prompt])
    return result


def get_multicond_learned_conditioning(model, prompts, steps, hires_steps=None, use_old_scheduling=False):
    """As above, in the nested form that positive prompts have."""
    learned = get_learned_conditioning(model, prompts, steps, hires_steps, use_old_scheduling)
    batch = [[ComposableScheduledPromptConditioning(schedule)] for schedule in learned]
    return MulticondLearnedConditioning((len(prompts),), batch)


def reconstruct_cond_batch(c, current_step) -> list:
    """Give what each image is sampled with at a step (tensors of their own length, not yet joined)."""
    return [schedules[0].cond for schedules in c]


def reconstruct_multicond_batch(c: MulticondLearnedConditioning, current_step) -> list:
    return [parts[0].schedules[0].cond for parts in c.batch]
