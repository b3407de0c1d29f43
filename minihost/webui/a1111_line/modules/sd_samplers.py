"""Sampling: it draws what it is given. A refiner takes over in the middle of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modules import prompt_parser, script_callbacks, sd_models, shared

from minihost.picture import Cond, Stage, draw, ledger, stack

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing


class InterruptedException(BaseException):
    """Leaves the sampling loop."""


class CFGDenoiser:
    """Takes the steps one by one."""

    def __init__(self, p: StableDiffusionProcessing, steps: int) -> None:
        self.p, self.step, self.total_steps = p, 0, steps
        self.stages: list[Stage] = []
        self.conds: tuple[Cond, Cond | None]
        self.edits: set[int] = set()

    def update(self) -> None:
        """Take the job's conditionings, at the start, after a refiner came in, and where the prompt is edited."""
        c, uc = self.p.get_conds()
        cond = stack(prompt_parser.reconstruct_multicond_batch(c, self.step))
        uncond = None if uc is None else stack(prompt_parser.reconstruct_cond_batch(uc, self.step))
        self.edits = prompt_parser.edits(c, uc)
        self.conds = cond, uncond
        prefix, model = ("hr_" if self.p.is_hr_pass else ""), shared.sd_model.sd_checkpoint_info.name_for_extra
        ledger.note(prefix + "c", model, cond)
        ledger.note(prefix + "uc", model, uncond)
        self.stages.append(Stage(0.0, cond, uncond))

    def forward(self) -> None:
        if shared.state.interrupted or shared.state.skipped:
            raise InterruptedException
        if apply_refiner(self) or self.step in self.edits:
            self.update()
        params = script_callbacks.CFGDenoiserParams(
            None, self.step, self.total_steps, self.conds[0]["crossattn"], (self.conds[1] or {}).get("crossattn"), self
        )
        script_callbacks.call("cfg_denoiser", params)
        self.stages[-1].share += 1 / self.total_steps
        self.step += 1
        shared.state.sampling_step = self.step
        if "__interrupt__" in self.p.prompts[0]:
            shared.state.interrupt()
        if "__raise__" in self.p.prompts[0]:
            raise RuntimeError("sampling failed, as __raise__ in the prompt asked")


def apply_refiner(denoiser: CFGDenoiser) -> bool:
    """Switch to the refiner once its share of the steps is reached; no Script method hears of it."""
    p, info = denoiser.p, denoiser.p.refiner_checkpoint_info
    if info is None or shared.sd_model.sd_checkpoint_info is info:
        return False
    if p.refiner_switch_at is not None and denoiser.step / denoiser.total_steps < p.refiner_switch_at:
        return False
    if getattr(p, "enable_hr", False):
        passes = shared.opts.hires_fix_refiner_pass
        if (passes == "first pass" and p.is_hr_pass) or (passes == "second pass" and not p.is_hr_pass):
            return False
    p.extra_generation_params["Refiner"] = info.short_title
    p.extra_generation_params["Refiner switch at"] = p.refiner_switch_at
    sd_models.switch_within_job(info)
    p.setup_conds()
    return True


def sample(p: StableDiffusionProcessing, steps: int, width: int, height: int, insets: list[Any]) -> list[Any]:
    """Run the steps and give one picture for each image of the batch."""
    denoiser = CFGDenoiser(p, steps)
    shared.state.sampling_steps = steps
    denoiser.update()
    try:
        for _ in range(steps):
            denoiser.forward()
    except InterruptedException:
        pass
    done = sum(stage.share for stage in denoiser.stages) or 1.0
    for stage in denoiser.stages:
        stage.share /= done
    stages = [stage for stage in denoiser.stages if stage.share] or [Stage(1.0, *denoiser.conds)]
    return [draw(stages, i, width, height, insets[i] if insets else None) for i in range(len(p.prompts))]
