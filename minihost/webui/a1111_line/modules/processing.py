"""Jobs of the A1111 line: their fields, the cache of conditionings, the passes, and the text of a picture."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from modules import errors, extra_networks, infotext_utils, prompt_parser, scripts, sd_models, sd_samplers, shared
from modules.shared import opts, state
from PIL import Image

from minihost import context

FORGE = context.get().flavour.is_forge
NEO = context.get().flavour.name == "neo"
if NEO:
    dynamic_args = import_module("backend.args").dynamic_args
    forge_version = import_module("modules_forge.forge_version")


class StableDiffusionProcessing:
    """One job. Unlike the hosts' dataclasses it takes keywords only."""

    cached_uc: list[Any] = [None, None, None] if FORGE else [None, None]
    cached_c: list[Any] = [None, None, None] if FORGE else [None, None]

    defaults: dict[str, Any] = {
        "outpath_samples": None, "outpath_grids": None, "prompt": "", "prompt_for_display": None, "negative_prompt": "",
        "styles": [], "seed": -1, "subseed": -1, "subseed_strength": 0, "seed_resize_from_h": -1,
        "seed_resize_from_w": -1, "sampler_name": "Euler", "scheduler": "Automatic", "batch_size": 1, "n_iter": 1,
        "steps": 20, "cfg_scale": 7.0, "distilled_cfg_scale": 3.5, "width": 512, "height": 512,
        "restore_faces": None, "tiling": None, "do_not_save_samples": True, "do_not_save_grid": True,
        "extra_generation_params": {}, "overlay_images": None, "eta": None, "denoising_strength": None,
        "override_settings": {}, "override_settings_restore_afterwards": True, "refiner_checkpoint": None,
        "refiner_switch_at": None, "disable_extra_networks": False, "inner_pass": False,
        "own_encode": [], "detail": False,
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
    own_encode: list[str]
    detail: bool | str
    init_images: list[Image.Image]
    sampler_name: str
    hr_scale: float
    hr_second_pass_steps: int
    scheduler: str
    distilled_cfg_scale: float
    refiner_checkpoint: str | None
    refiner_switch_at: float | None
    per_script_args: dict[str, Any]

    unset: tuple[str, ...] = (
        "prompts", "negative_prompts", "seeds", "subseeds", "all_prompts", "all_negative_prompts", "all_seeds",
        "all_subseeds", "main_prompt", "main_negative_prompt", "sd_model_name", "sd_model_hash",
    )  # fmt: skip
    """What is None until the job is set up."""
    is_hr_pass = is_api = False
    enable_hr = False
    hr_distilled_cfg = 3.5
    user: str | None = None
    refiner_checkpoint_info: sd_models.CheckpointInfo | None = None
    extra_network_data: extra_networks.NetworkData | None = None
    c: Any = None
    uc: Any = None
    prompts: list[str]
    negative_prompts: list[str]
    seeds: list[int]
    subseeds: list[int]
    all_prompts: list[str]
    all_negative_prompts: list[str]
    all_seeds: list[int]
    all_subseeds: list[int]
    main_prompt: str
    main_negative_prompt: str
    sd_model_name: str
    sd_model_hash: str | None
    iteration = batch_index = firstpass_steps = 0
    _scripts: scripts.ScriptRunner | None = None
    _script_args: Any = None
    _setup_done = False

    def __init__(self, sd_model: Any = None, **fields: Any) -> None:
        unknown = fields.keys() - self.defaults.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} got unexpected keyword arguments {sorted(unknown)}")
        for name, default in self.defaults.items():
            value = fields.get(name)
            setattr(self, name, copy.copy(default) if value is None else value)
        for name in self.unset:
            setattr(self, name, None)
        self.comments: dict[str, int] = {}

    @property
    def sd_model(self) -> Any:
        return shared.sd_model

    @sd_model.setter
    def sd_model(self, value: Any) -> None:
        pass

    @property
    def scripts(self) -> Any:
        return self._scripts

    @scripts.setter
    def scripts(self, value: Any) -> None:
        self._scripts = value
        self._setup_scripts()

    @property
    def script_args(self) -> Any:
        return self._script_args

    @script_args.setter
    def script_args(self, value: Any) -> None:
        self._script_args = value
        self._setup_scripts()

    def _setup_scripts(self) -> None:
        if self._scripts and self._script_args and not self._setup_done:
            self._setup_done = True
            self._scripts.setup(self)

    def comment(self, text: str) -> None:
        """Add a line to what is said under the picture."""
        self.comments[text] = 1

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        pass

    def sample(self) -> list[Image.Image]:
        raise NotImplementedError

    def close(self) -> None:
        self.c = self.uc = None
        if not opts.persistent_cond_cache:
            StableDiffusionProcessing.cached_c = [None, None]
            StableDiffusionProcessing.cached_uc = [None, None]

    def clear_prompt_cache(self) -> None:
        """Forget the first pass's conditionings; the job and the class get lists of their own (Forge)."""
        self.cached_c, self.cached_uc = [None, None, None], [None, None, None]
        StableDiffusionProcessing.cached_c = [None, None, None]
        StableDiffusionProcessing.cached_uc = [None, None, None]

    def setup_prompts(self) -> None:
        count = self.batch_size * self.n_iter
        self.all_prompts = list(self.prompt) if isinstance(self.prompt, list) else [self.prompt] * count
        negative = self.negative_prompt
        self.all_negative_prompts = list(negative) if isinstance(negative, list) else [negative] * len(self.all_prompts)
        styles = shared.prompt_styles
        self.all_prompts = [styles.apply_styles_to_prompt(text, self.styles) for text in self.all_prompts]
        self.all_negative_prompts = [
            styles.apply_negative_styles_to_prompt(text, self.styles) for text in self.all_negative_prompts
        ]
        self.main_prompt, self.main_negative_prompt = self.all_prompts[0], self.all_negative_prompts[0]

    def cached_params(
        self,
        required_prompts: list[str],
        steps: int,
        extra_network_data: Any,
        hires_steps: int | None = None,
        use_old_scheduling: bool = False,
    ) -> tuple[Any, ...]:
        """Give everything by which the cache tells one conditioning from another, and nothing else."""
        distilled = (self.distilled_cfg_scale, self.hr_distilled_cfg) if FORGE else ()
        # Neo's names the model of the job, also where another one was loaded in the middle of it.
        wanted = vars(sd_models.model_data).get("forge_loading_parameters")
        model = str(wanted) if NEO else shared.sd_model.sd_checkpoint_info
        return (
            required_prompts, *distilled, steps, hires_steps, use_old_scheduling, opts.CLIP_stop_at_last_layers,
            model, extra_network_data, opts.sdxl_crop_left, opts.sdxl_crop_top,
            self.width, self.height, opts.fp8_storage, opts.cache_fp16_weight, opts.emphasis,
        )  # fmt: skip

    def get_conds_with_caching(
        self,
        function: Callable[..., Any],
        required_prompts: list[str],
        steps: int,
        caches: Sequence[list[Any]],
        extra_network_data: Any,
        hires_steps: int | None = None,
    ) -> Any:
        """Give the conditionings, from any of the caches or else encoded and kept in the first."""
        key = self.cached_params(required_prompts, steps, extra_network_data, hires_steps, opts.use_old_scheduling)
        for cache in caches:
            if cache[0] is not None and cache[0] == key:
                return cache[1]
        if FORGE:
            shared.sd_model.set_clip_skip(int(opts.CLIP_stop_at_last_layers))
        cache = caches[0]
        cache[1] = function(shared.sd_model, required_prompts, steps, hires_steps, opts.use_old_scheduling)
        cache[0] = key
        if NEO:
            self.extra_generation_params.update(dynamic_args.last_extra_generation_params)
            dynamic_args.last_extra_generation_params.clear()
        return cache[1]

    def _conds(
        self,
        prompts: list[str],
        negatives: list[str],
        steps: int,
        caches: tuple[Sequence[list[Any]], Sequence[list[Any]]],
        networks: Any,
        hires_steps: int | None = None,
        width: int = 0,
        height: int = 0,
    ) -> tuple[Any, Any]:
        """Encode the negative prompts, then the positive; Forge leaves out the negative at a CFG scale of 1."""
        uc = None
        if not (FORGE and self.cfg_scale == 1):
            texts = prompt_parser.SdConditioning(negatives, True, width, height)
            function = prompt_parser.get_learned_conditioning
            uc = self.get_conds_with_caching(function, texts, steps, caches[0], networks, hires_steps)
        texts = prompt_parser.SdConditioning(prompts, False, width, height)
        function = prompt_parser.get_multicond_learned_conditioning
        return self.get_conds_with_caching(function, texts, steps, caches[1], networks, hires_steps), uc

    def setup_conds(self) -> None:
        self.firstpass_steps = self.steps
        caches = [self.cached_uc], [self.cached_c]
        texts, size = (self.prompts, self.negative_prompts), (self.width, self.height)
        self.c, self.uc = self._conds(*texts, self.steps, caches, self.extra_network_data, None, *size)

    def get_conds(self) -> tuple[Any, Any]:
        return self.c, self.uc

    def parse_extra_network_prompts(self) -> None:
        self.prompts, self.extra_network_data = extra_networks.parse_prompts(self.prompts)

    def _announce_sampling(self, c: Any, uc: Any, times: int = 1) -> None:
        for _ in range(times if self.scripts is not None else 0):
            self.scripts.process_before_every_sampling(self, x=None, noise=None, c=c, uc=uc)


class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    """A picture from a prompt, with or without a second, larger pass."""

    cached_hr_uc: list[Any] = [None, None, None] if FORGE else [None, None]
    cached_hr_c: list[Any] = [None, None, None] if FORGE else [None, None]

    defaults = {
        **StableDiffusionProcessing.defaults,
        "enable_hr": False, "denoising_strength": 0.75, "hr_scale": 2.0, "hr_upscaler": None,
        "hr_second_pass_steps": 0, "hr_resize_x": 0, "hr_resize_y": 0, "hr_checkpoint_name": None,
        "hr_sampler_name": None, "hr_prompt": "", "hr_negative_prompt": "",
    }  # fmt: skip
    unset = (
        *StableDiffusionProcessing.unset,
        "hr_prompts", "hr_negative_prompts", "all_hr_prompts", "all_hr_negative_prompts",
    )  # fmt: skip
    hr_upscaler: str | None
    hr_resize_x: int
    hr_resize_y: int
    hr_checkpoint_name: str | None
    hr_sampler_name: str | None
    hr_prompt: str
    hr_negative_prompt: str

    hr_c: Any = None
    hr_uc: Any = None
    hr_checkpoint_info: sd_models.CheckpointInfo | None = None
    hr_prompts: list[str]
    hr_negative_prompts: list[str]
    hr_extra_network_data: extra_networks.NetworkData | None = None
    all_hr_prompts: list[str]
    all_hr_negative_prompts: list[str]
    hr_upscale_to_x = hr_upscale_to_y = 0

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        if not self.enable_hr:
            return
        self.extra_generation_params["Denoising strength"] = self.denoising_strength
        if self.hr_checkpoint_name and self.hr_checkpoint_name != "Use same checkpoint":
            self.hr_checkpoint_info = sd_models.get_closet_checkpoint_match(self.hr_checkpoint_name)
            if self.hr_checkpoint_info is None:
                raise RuntimeError(f"Could not find checkpoint with name {self.hr_checkpoint_name}")
            self.extra_generation_params["Hires checkpoint"] = self.hr_checkpoint_info.short_title
        for key, mine, first in (
            ("Hires prompt", self.hr_prompt, self.prompt),
            ("Hires negative prompt", self.hr_negative_prompt, self.negative_prompt),
        ):
            if mine != first:
                self.extra_generation_params[key] = mine
        self.hr_upscale_to_x = self.hr_resize_x or int(self.width * self.hr_scale)
        self.hr_upscale_to_y = self.hr_resize_y or int(self.height * self.hr_scale)
        self.extra_generation_params["Hires upscale"] = self.hr_scale

    def setup_prompts(self) -> None:
        super().setup_prompts()
        if self.enable_hr:
            self.hr_prompt = self.hr_prompt or self.prompt
            self.hr_negative_prompt = self.hr_negative_prompt or self.negative_prompt
            count = len(self.all_prompts)
            styles = shared.prompt_styles
            negative = styles.apply_negative_styles_to_prompt(self.hr_negative_prompt, self.styles)
            self.all_hr_prompts = [styles.apply_styles_to_prompt(self.hr_prompt, self.styles)] * count
            self.all_hr_negative_prompts = [negative] * count

    def parse_extra_network_prompts(self) -> None:
        super().parse_extra_network_prompts()
        if self.enable_hr:
            part = slice(self.iteration * self.batch_size, (self.iteration + 1) * self.batch_size)
            self.hr_negative_prompts = self.all_hr_negative_prompts[part]
            self.hr_prompts, self.hr_extra_network_data = extra_networks.parse_prompts(self.all_hr_prompts[part])

    def setup_conds(self) -> None:
        if self.is_hr_pass:  # the refiner came in during the second pass
            self.hr_c = None
            self.calculate_hr_conds()
            return
        super().setup_conds()
        self.hr_c = self.hr_uc = None
        early = FORGE or opts.hires_fix_use_firstpass_conds
        if self.enable_hr and self.hr_checkpoint_info is None and early:
            if not opts.hires_fix_use_firstpass_conds:
                extra_networks.activate(self, self.hr_extra_network_data)
            self.calculate_hr_conds()
            if not opts.hires_fix_use_firstpass_conds:
                extra_networks.activate(self, self.extra_network_data)

    def calculate_hr_conds(self) -> None:
        """Encode for the second pass; the first pass's conditionings are looked at too."""
        if self.hr_c is not None:
            return
        caches = [self.cached_hr_uc, self.cached_uc], [self.cached_hr_c, self.cached_c]
        self.hr_c, self.hr_uc = self._conds(
            self.hr_prompts, self.hr_negative_prompts, self.firstpass_steps, caches, self.hr_extra_network_data,
            self.hr_second_pass_steps or self.steps, self.hr_upscale_to_x, self.hr_upscale_to_y,
        )  # fmt: skip

    def get_conds(self) -> tuple[Any, Any]:
        return (self.hr_c, self.hr_uc) if self.is_hr_pass else super().get_conds()

    def sample(self) -> list[Image.Image]:
        self._announce_sampling(self.c, self.uc)
        images = sd_samplers.sample(self, self.steps, self.width, self.height, [])
        if not self.enable_hr or state.interrupted:
            return images
        if self.hr_checkpoint_info is not None:
            sd_models.switch_within_job(self.hr_checkpoint_info)
        elif not FORGE:
            sd_models.reload_model_weights()  # back from a refiner
        return self.sample_hr_pass(images)

    def sample_hr_pass(self, images: list[Image.Image]) -> list[Image.Image]:
        self.is_hr_pass = True
        if not self.disable_extra_networks:
            extra_networks.activate(self, self.hr_extra_network_data)
        self.calculate_hr_conds()
        if self.scripts is not None:
            self.scripts.before_hr(self)
        self._announce_sampling(self.hr_c, self.hr_uc, times=2 if FORGE else 1)
        steps = self.hr_second_pass_steps or self.steps
        images = sd_samplers.sample(self, steps, self.hr_upscale_to_x, self.hr_upscale_to_y, images)
        self.is_hr_pass = False
        return images

    def close(self) -> None:
        super().close()
        self.hr_c = self.hr_uc = None
        if not opts.persistent_cond_cache:
            StableDiffusionProcessingTxt2Img.cached_hr_uc = [None, None]
            StableDiffusionProcessingTxt2Img.cached_hr_c = [None, None]


class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    """A picture from a picture and a prompt."""

    defaults = {
        **StableDiffusionProcessing.defaults,
        "init_images": [],
        "resize_mode": 0,
        "denoising_strength": 0.75,
        "mask": None,
    }

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        self.extra_generation_params["Denoising strength"] = self.denoising_strength

    def sample(self) -> list[Image.Image]:
        self._announce_sampling(self.c, self.uc)
        insets = [self.init_images[i % len(self.init_images)] for i in range(len(self.prompts))]
        return sd_samplers.sample(self, self.steps, self.width, self.height, insets)


class Processed:
    """What a job gives."""

    def __init__(
        self,
        p: StableDiffusionProcessing,
        images_list: list[Image.Image],
        seed: int = -1,
        info: str | None = "",
        infotexts: list[str] | None = None,
        comments: str = "",
        **_: Any,
    ) -> None:
        self.images, self.seed, self.info = images_list, seed, info or ""
        self.extra_images: list[Image.Image] = []
        self.prompt, self.negative_prompt, self.width, self.height = p.prompt, p.negative_prompt, p.width, p.height
        self.steps, self.sampler_name, self.cfg_scale = p.steps, p.sampler_name, p.cfg_scale
        self.all_prompts, self.all_negative_prompts = p.all_prompts, p.all_negative_prompts
        self.all_seeds, self.all_subseeds = p.all_seeds, p.all_subseeds
        self.comments = "".join(f"{comment}\n" for comment in p.comments)
        self.infotexts = infotexts or [self.info]
        self.extra_generation_params, self.index_of_first_image = p.extra_generation_params, 0
        self.sd_model_name, self.sd_model_hash = p.sd_model_name, p.sd_model_hash
        self.clip_skip = opts.CLIP_stop_at_last_layers

    def js(self) -> str:
        skipped = ("images", "extra_images", "comments", "info")
        plain = {key: value for key, value in vars(self).items() if key not in skipped}
        return json.dumps({**plain, "comments": self.comments}, default=lambda value: None)


def create_infotext(
    p: StableDiffusionProcessing,
    all_prompts: list[str],
    all_seeds: list[int],
    all_subseeds: list[int],
    comments: Any = None,
    iteration: int = 0,
    position_in_batch: int = 0,
    use_main_prompt: bool = False,
    index: int | None = None,
    all_negative_prompts: list[str] | None = None,
) -> str:
    """Write the text that tells how a picture was made; None is left out, lists go by image, functions are called."""
    if use_main_prompt:
        index = 0
    elif index is None:
        index = position_in_batch + iteration * p.batch_size
    negatives = p.all_negative_prompts if all_negative_prompts is None else all_negative_prompts
    clip_skip = getattr(p, "clip_skip", opts.CLIP_stop_at_last_layers)
    params = {
        "Steps": p.steps,
        "Sampler": p.sampler_name,
        "Schedule type": p.scheduler,
        "CFG scale": p.cfg_scale,
        "Seed": all_seeds[index],
        "Size": f"{p.width}x{p.height}",
        "Model hash": p.sd_model_hash,
        "Model": p.sd_model_name,
        "Denoising strength": None,
        "Clip skip": _written_skip(p, clip_skip),
        **p.extra_generation_params,
        "Version": f"{forge_version.version}-{forge_version.release}" if NEO else "minihost",
    }
    for key, value in params.items():
        try:
            if isinstance(value, list):
                params[key] = value[index]
            elif callable(value):
                params[key] = value(p=p, index=index, all_prompts=all_prompts, all_seeds=all_seeds)
        except Exception:
            errors.report(f'Error creating infotext for key "{key}"', exc_info=True)
            params[key] = None
    text = ", ".join(k if k == v else f"{k}: {infotext_utils.quote(v)}" for k, v in params.items() if v is not None)
    negative = f"\nNegative prompt: {negatives[index]}" if negatives[index] else ""
    return f"{all_prompts[index]}{negative}\n{text}".strip()


def _written_skip(p: StableDiffusionProcessing, clip_skip: int) -> int | None:
    if NEO:
        return clip_skip if p.sd_model.is_sd1 else None
    return None if clip_skip <= 1 else clip_skip


def process_images(p: StableDiffusionProcessing) -> Processed:
    """Apply the job's settings, load its model, run it, put back the settings **that had been saved before**."""
    if p.scripts is not None:
        p.scripts.before_process(p)
    stored = {key: opts.data[key] for key in p.override_settings if key in opts.data}
    try:
        sd_models.apply_overrides(p)
        return process_images_inner(p)
    finally:
        if p.override_settings_restore_afterwards:
            sd_models.restore_options(stored)


def process_images_inner(p: StableDiffusionProcessing) -> Processed:
    seed = p.seed if isinstance(p.seed, list) or p.seed not in (None, -1) else int(np.random.randint(2**31))
    subseed = p.subseed if p.subseed not in (None, -1) else int(np.random.randint(2**31))
    if p.refiner_checkpoint not in (None, "", "None", "none"):
        p.refiner_checkpoint_info = sd_models.get_closet_checkpoint_match(p.refiner_checkpoint)
        if p.refiner_checkpoint_info is None:
            raise RuntimeError(f"Could not find checkpoint with name {p.refiner_checkpoint}")
    p.sd_model_name = shared.sd_model.sd_checkpoint_info.name_for_extra
    p.sd_model_hash = shared.sd_model.sd_model_hash
    p.setup_prompts()
    count = len(p.all_prompts)
    p.all_seeds = seed if isinstance(seed, list) else [int(seed) + i for i in range(count)]
    p.all_subseeds = [int(subseed) + i for i in range(count)]
    if p.scripts is not None:
        p.scripts.process(p)
    infotexts, output = [], []
    with torch.inference_mode() if FORGE else torch.no_grad():
        p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
        for n in range(p.n_iter):
            p.iteration = n
            state.skipped = False
            if state.interrupted or state.stopping_generation:
                break
            sd_models.ready_for_batch()  # a refiner or the second pass may have changed the model
            part = slice(n * p.batch_size, (n + 1) * p.batch_size)
            p.prompts, p.negative_prompts = p.all_prompts[part], p.all_negative_prompts[part]
            p.seeds, p.subseeds = p.all_seeds[part], p.all_subseeds[part]
            about = {"batch_number": n, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
            if p.scripts is not None:
                p.scripts.before_process_batch(p, **about)
            if not p.prompts:
                break
            p.parse_extra_network_prompts()
            if not p.disable_extra_networks:
                extra_networks.activate(p, p.extra_network_data)
            if p.scripts is not None:
                p.scripts.process_batch(p, **{**about, "prompts": p.prompts})
            p.setup_conds()
            images = p.sample()
            x = torch.stack([torch.from_numpy(np.asarray(i).copy()).movedim(-1, 0) / 255 for i in images])
            samples = list(x)
            if p.scripts is not None:
                held = scripts.PostSampleArgs(x)
                p.scripts.post_sample(p, held)
                p.scripts.postprocess_batch(p, held.samples, batch_number=n)
                p.prompts, p.negative_prompts = p.all_prompts[part], p.all_negative_prompts[part]
                batch = scripts.PostprocessBatchListArgs(list(held.samples))
                p.scripts.postprocess_batch_list(p, batch, batch_number=n)
                samples = batch.images
            state.nextjob()
            for i, sample in enumerate(samples):
                p.batch_index = i
                image = Image.fromarray((sample.movedim(0, -1).numpy() * 255).round().astype(np.uint8))
                if p.scripts is not None:
                    for hook in ("postprocess_image", "postprocess_image_after_composite"):
                        shown = scripts.PostprocessImageArgs(image)
                        getattr(p.scripts, hook)(p, shown)
                        image = shown.image
                text = create_infotext(
                    p, p.prompts, p.seeds, p.subseeds, index=i, all_negative_prompts=p.negative_prompts
                )
                image.info["parameters"] = text
                infotexts.append(text)
                output.append(image)
    if not p.disable_extra_networks and p.extra_network_data:
        extra_networks.deactivate(p, p.extra_network_data)
    result = Processed(p, output, p.all_seeds[0], infotexts[0] if infotexts else "", infotexts=infotexts)
    if p.scripts is not None:
        p.scripts.postprocess(p, result)
    return result
