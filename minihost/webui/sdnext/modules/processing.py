"""SD.Next's jobs: ``p.clip_skip`` is a field of them, there are no conds on them, and the hooks are fewer."""

from __future__ import annotations

import copy
import inspect
import json
from typing import Any

import numpy as np
import torch
from modules import (
    errors,
    extra_networks,
    prompt_parser_diffusers,
    script_callbacks,
    scripts,
    sd_checkpoint,
    sd_models,
    shared,
)
from modules.generation_parameters_copypaste import quote
from modules.scripts import ScriptRunner
from PIL import Image


class StableDiffusionProcessing:
    """One job. Unlike the host's class it takes keywords only."""

    defaults: dict[str, Any] = {
        "outpath_samples": None, "outpath_grids": None, "prompt": "", "negative_prompt": "", "styles": [], "seed": -1,
        "subseed": -1, "subseed_strength": 0, "sampler_name": "Default", "batch_size": 1, "n_iter": 1, "steps": 20,
        "cfg_scale": 6.0, "clip_skip": 1, "width": 512, "height": 512, "do_not_save_samples": True,
        "do_not_save_grid": True, "extra_generation_params": {}, "denoising_strength": 0.3, "eta": None,
        "override_settings": {}, "override_settings_restore_afterwards": True, "disable_extra_networks": False,
        "prompt_attention": None, "enable_hr": False, "hr_scale": 2.0, "hr_second_pass_steps": 0, "refiner_start": 0.8,
        "refiner_steps": 5, "refiner_prompt": "", "refiner_negative": "", "init_images": None, "resize_mode": 0,
        "mask": None, "inner_pass": False,
    }  # fmt: skip
    # What `defaults` gives each job.
    prompt: Any  # a text, or one for each image
    negative_prompt: Any
    styles: list[str]
    seed: Any  # a number, or one for each image
    subseed: int
    batch_size: int
    n_iter: int
    do_not_save_grid: bool
    outpath_grids: str | None
    steps: int
    cfg_scale: float
    width: int
    height: int
    extra_generation_params: dict[str, Any]
    denoising_strength: float
    override_settings: dict[str, Any]
    override_settings_restore_afterwards: bool
    disable_extra_networks: bool
    inner_pass: bool | str
    init_images: list[Image.Image]
    sampler_name: str
    hr_scale: float
    hr_second_pass_steps: int
    clip_skip: float
    prompt_attention: str | None
    enable_hr: bool
    refiner_start: float
    refiner_steps: int
    refiner_prompt: str
    refiner_negative: str

    unset = ("all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds", "main_prompt")
    """What is None until the job is set up."""
    is_hr_pass = is_refiner_pass = is_api = abort = False
    xyz = False
    """Whether one of the grids makes the pictures."""
    scripts: ScriptRunner | None = None
    script_args: tuple[Any, ...] = ()
    all_prompts: list[str]
    all_negative_prompts: list[str]
    all_seeds: list[int]
    all_subseeds: list[int]
    main_prompt: Any
    network_data: extra_networks.NetworkData | None = None
    iteration = batch_index = 0

    def __init__(self, sd_model: Any = None, **fields: Any) -> None:
        unknown = fields.keys() - self.defaults.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} got unexpected keyword arguments {sorted(unknown)}")
        for name, default in self.defaults.items():
            value = fields.get(name)
            setattr(self, name, copy.copy(default) if value is None else value)
        for name in self.unset:
            setattr(self, name, None)
        self.prompts: list[str] = []
        self.negative_prompts: list[str] = []
        self.seeds: list[int] = []
        self.subseeds: list[int] = []
        self.per_script_args: dict[str, Any] = {}
        self.task_args: dict[str, Any] = {}
        self.ops: list[Any] = []
        self.comments: dict[str, Any] = {}

    @property
    def sd_model(self) -> Any:
        return shared.sd_model

    def comment(self, text: str) -> None:
        self.comments[text] = 1

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        self.all_prompts, self.all_seeds, self.all_subseeds = all_prompts, all_seeds, all_subseeds

    def close(self) -> None:
        pass


class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    """A picture from a prompt."""


class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    """A picture from a picture and a prompt."""


class StableDiffusionProcessingControl(StableDiffusionProcessing):
    """A picture from the tab "Control", which can do both."""


class Processed:
    """What a job gives."""

    def __init__(
        self,
        p: StableDiffusionProcessing,
        images_list: list[Image.Image],
        seed: int = -1,
        info: str | None = None,
        infotexts: list[str] | None = None,
        comments: str = "",
        **_: Any,
    ) -> None:
        self.images, self.seed, self.info, self.comments = images_list, seed, info or "", comments
        self.prompt, self.negative_prompt, self.width, self.height = p.prompt, p.negative_prompt, p.width, p.height
        self.steps, self.clip_skip, self.extra_generation_params = p.steps, p.clip_skip, p.extra_generation_params
        self.all_prompts, self.all_seeds = p.all_prompts, p.all_seeds
        self.infotexts, self.index_of_first_image = infotexts or [self.info], 0

    def js(self) -> str:
        plain = {key: value for key, value in vars(self).items() if key not in ("images", "info")}
        return json.dumps(plain, default=lambda value: None)


def create_infotext(
    p: StableDiffusionProcessing,
    all_prompts: list[str] | None = None,
    all_seeds: list[int] | None = None,
    all_subseeds: list[int] | None = None,
    comments: Any = None,
    iteration: int = 0,
    position_in_batch: int = 0,
    index: int | None = None,
    all_negative_prompts: list[str] | None = None,
    grid: Any = None,
) -> str:
    """Write the text that tells how a picture was made; empty texts and numbers from -1 down are left out."""
    index = position_in_batch + iteration * p.batch_size if index is None else index
    prompts, negatives = all_prompts or p.all_prompts, all_negative_prompts or p.all_negative_prompts
    info = shared.sd_model.sd_checkpoint_info
    params = {
        "Steps": p.steps,
        "Size": f"{p.width}x{p.height}",
        "Seed": (all_seeds or p.all_seeds)[index],
        "CFG scale": p.cfg_scale,
        "CLiP-skip": p.clip_skip if p.clip_skip > 1 else None,
        "Parser": p.prompt_attention or shared.opts.prompt_attention,
        "Model": info.name_for_extra,
        "Batch": f"{p.n_iter}x{p.batch_size}" if p.n_iter * p.batch_size > 1 else None,
        "App": "minihost",
        **p.extra_generation_params,
    }
    params = {k: ", ".join(map(str, v)) if isinstance(v, (list, tuple)) else v for k, v in params.items()}
    kept = {
        k: v
        for k, v in params.items()
        if v is not None and v != "" and not (isinstance(v, (int, float)) and not isinstance(v, bool) and v <= -1)
    }
    text = ", ".join(f"{key}: {quote(value)}" for key, value in kept.items())
    negative = f"\nNegative prompt: {negatives[index]}" if negatives[index] else ""
    return f"{prompts[index]}{negative}\n{text}".strip()


def process_images(p: StableDiffusionProcessing) -> Processed | None:
    """Apply the job's settings, run it, call on_after_process in every case, put **all** settings back."""
    if shared.sd_model is None:
        return None
    if p.scripts is not None:
        p.scripts.before_process(p)
    for key, value in list(p.override_settings.items()):
        if getattr(shared.opts, key, None) == value:
            p.override_settings.pop(key)
    stored = {key: getattr(shared.opts, key, None) for key in p.override_settings}
    try:
        wanted = p.override_settings.get("sd_model_checkpoint")
        if wanted is not None and sd_checkpoint.checkpoint_aliases.get(wanted) is None:
            errors.report(f"Override not found: checkpoint={wanted}")
            p.override_settings.pop("sd_model_checkpoint")
        for key, value in p.override_settings.items():
            setattr(shared.opts, key, value)
            if key == "sd_model_checkpoint":
                sd_models.reload_model_weights()
        script_callbacks.call("before_process", p)
        return process_images_inner(p)
    finally:
        script_callbacks.call("after_process", p)
        if p.override_settings_restore_afterwards:
            for key, value in stored.items():
                setattr(shared.opts, key, value)
                if key == "sd_model_checkpoint":
                    sd_models.reload_model_weights()


def process_images_inner(p: StableDiffusionProcessing) -> Processed:
    count = p.batch_size * p.n_iter
    first = int(np.random.randint(2**31)) if p.seed in (None, -1) else int(p.seed)
    prompts = p.prompt if isinstance(p.prompt, list) else [p.prompt] * count
    styles = shared.prompt_styles
    p.all_prompts = [styles.apply_styles_to_prompt(text, p.styles) for text in prompts]
    p.all_negative_prompts = [styles.apply_negative_styles_to_prompt(p.negative_prompt, p.styles)] * count
    p.all_seeds = p.all_subseeds = [first + i for i in range(count)]
    p.main_prompt = p.prompt
    if p.scripts is not None:
        p.scripts.process(p)
    infotexts, output = [], []
    with torch.inference_mode():
        p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
        for n in range(p.n_iter):
            p.iteration = n
            if shared.state.interrupted:
                break
            part = slice(n * p.batch_size, (n + 1) * p.batch_size)
            p.prompts, p.negative_prompts = p.all_prompts[part], p.all_negative_prompts[part]
            p.seeds, p.subseeds = p.all_seeds[part], p.all_subseeds[part]
            about = {"batch_number": n, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
            if p.scripts is not None:
                p.scripts.before_process_batch(p, **about)
            if not p.prompts:
                break
            p.prompts, p.network_data = extra_networks.parse_prompts(p.prompts)
            samples = None
            if p.scripts is not None:
                p.scripts.process_batch(p, **{**about, "prompts": p.prompts})
                replaced = p.scripts.process_images(p)
                if replaced is not None:
                    samples = replaced.images
                    output += replaced.images
                    infotexts += replaced.infotexts
            if samples is None:
                samples = process_diffusers(p)
            if shared.state.interrupted:
                break
            if p.scripts is not None:
                p.scripts.postprocess_batch(p, samples, batch_number=n)
                p.prompts, p.negative_prompts = p.all_prompts[part], p.all_negative_prompts[part]
                batch = scripts.PostprocessBatchListArgs(list(samples))
                p.scripts.postprocess_batch_list(p, batch, batch_number=n)
                samples = batch.images
            for i, image in enumerate(samples):
                p.batch_index = i
                if p.scripts is not None:
                    held = scripts.PostprocessImageArgs(image)
                    p.scripts.postprocess_image(p, held)
                    image = held.image
                negatives = p.negative_prompts
                index = min(i, len(p.seeds) - 1)  # a script that replaces the job may give more
                text = create_infotext(p, p.prompts, p.seeds, p.subseeds, index=index, all_negative_prompts=negatives)
                image.info["parameters"] = text
                if not any(image is known for known in output):
                    infotexts.append(text)
                    output.append(image)
    info = infotexts[0] if infotexts else ""
    results = Processed(p, output, p.all_seeds[0], info, infotexts=infotexts)  # without p.comments, as it is there
    if p.scripts is not None and not (shared.state.interrupted or shared.state.skipped):
        p.scripts.postprocess(p, results)
    return results


def set_pipeline_args(
    p: StableDiffusionProcessing,
    model: Any,
    prompts: list[str],
    negative_prompts: list[str],
    steps: int,
    prompt_attention: str | None,
) -> dict[str, Any]:
    """Encode the prompts, or hand them on as they are ('fixed', or where encoding failed)."""
    args: dict[str, Any] = {}
    attention = prompt_attention or p.prompt_attention or shared.opts.prompt_attention
    prompt_parser_diffusers.embedder = None
    if attention != "fixed":
        try:
            prompt_parser_diffusers.embedder = prompt_parser_diffusers.PromptEmbedder(
                prompts, negative_prompts, steps, p.clip_skip, p, attention
            )
        except Exception as e:
            errors.display(e, "Prompt parser encode")
    embedder = prompt_parser_diffusers.embedder
    if embedder is not None:
        names = "prompt_embeds", "pooled_prompt_embeds", "negative_prompt_embeds", "negative_pooled_prompt_embeds"
        keys = "prompt_embeds", "positive_pooleds", "negative_prompt_embeds", "negative_pooleds"
        args = {name: embedder(key) for name, key in zip(names, keys, strict=True)}
    else:
        args = {"prompt": prompts, "negative_prompt": negative_prompts}
    if "clip_skip" in inspect.signature(type(model).__call__).parameters and p.clip_skip != 1:
        args["clip_skip"] = p.clip_skip - 1
    return {**args, **p.task_args}


def process_diffusers(p: StableDiffusionProcessing) -> list[Any]:
    """Run the base pass, the hires pass and the refiner, each with an encoding of its own."""
    shared.state.after_step = lambda: _simulate(p.prompts[0])
    size, images = (p.width, p.height), p.init_images
    passes = [("", shared.sd_model, p.steps, p.prompt_attention, size)]
    if p.enable_hr:
        larger = (int(p.width * p.hr_scale), int(p.height * p.hr_scale))
        passes.append(("hr_", shared.sd_model, p.hr_second_pass_steps or p.steps, p.prompt_attention, larger))
    if shared.sd_refiner is not None and 0 < p.refiner_start < 1 and p.refiner_steps > 0:
        passes.append(("refiner_", shared.sd_refiner, p.refiner_steps, "fixed", passes[-1][4]))
    p.prompts, p.network_data = extra_networks.parse_prompts(p.prompts, p.network_data)
    if not p.disable_extra_networks:
        extra_networks.activate(p, p.network_data)
    try:
        for kind, model, steps, attention, size in passes:
            p.is_hr_pass, p.is_refiner_pass = kind == "hr_", kind == "refiner_"
            prompts = [p.refiner_prompt] * len(p.prompts) if kind and p.refiner_prompt else p.prompts
            if p.is_hr_pass and p.refiner_prompt:  # the refiner's pass leaves the tags in
                prompts, p.network_data = extra_networks.parse_prompts(prompts)
                if not p.disable_extra_networks:
                    extra_networks.activate(p, p.network_data)
            negatives = [p.refiner_negative] * len(prompts) if kind and p.refiner_negative else p.negative_prompts
            args = set_pipeline_args(p, model, prompts, negatives, steps, attention)
            images = model(**args, kind=kind, steps=steps, size=size, image=images).images
    except (AssertionError, RuntimeError, ValueError) as e:  # interrupted, or gone wrong: both end here
        if not shared.state.interrupted:
            errors.display(e, "Processing")
            shared.state.interrupt()
        return []
    finally:
        p.is_hr_pass = p.is_refiner_pass = False
    if not p.disable_extra_networks:
        extra_networks.deactivate(p, p.network_data)
    return images


class SamplingError(Exception):
    """An error of a kind that is not taken for an interruption."""


def _simulate(prompt: str) -> None:
    if "__interrupt__" in prompt:
        shared.state.interrupt()
    if "__raise__" in prompt:
        raise SamplingError("as __raise__ in the prompt asked")
