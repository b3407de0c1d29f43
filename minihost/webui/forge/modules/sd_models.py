"""Forge's models: text processing engines around transformers' encoders, loaded by the first job that needs them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from modules import script_callbacks, shared
from modules.sd_checkpoint import (
    CheckpointInfo as CheckpointInfo,
)
from modules.sd_checkpoint import (
    checkpoint_aliases as checkpoint_aliases,
)
from modules.sd_checkpoint import (
    checkpoints_list as checkpoints_list,
)
from modules.sd_checkpoint import (
    get_closet_checkpoint_match as get_closet_checkpoint_match,
)
from modules.sd_checkpoint import (
    list_models as list_models,
)
from modules.sd_checkpoint import (
    select_checkpoint as select_checkpoint,
)
from modules_forge import main_entry
from torch import Tensor, nn

from minihost import context, encoders, weights
from minihost.weights import State

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing


need_global_unload = False


class TextEncoder(nn.Module):
    """Holds the encoder under ``transformer``."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer: Any = transformer


class ClassicTextProcessingEngine:
    """Encodes prompts with one CLIP, ``clip_skip`` blocks from the end."""

    def __init__(
        self,
        encoder: str,
        state: dict[str, Any],
        *,
        layers: int | None = None,
        minimal_clip_skip: int = 1,
        final_layer_norm: bool = True,
        pooled: bool = False,
    ) -> None:
        projection = encoder == "g"
        transformer = encoders.clip_model(encoder, state, layers=layers, projection=projection)
        self.text_encoder = TextEncoder(transformer)
        self.tokenizer = encoders.Tokenizer(weights.SPECS[encoder].pad)
        self.embedding_key = "clip_" + encoder
        self.clip_skip = self.minimal_clip_skip = minimal_clip_skip
        self.final_layer_norm, self.return_pooled, self.text_projection = final_layer_norm, pooled, projection

    def encode_with_transformers(self, tokens: Tensor) -> Any:
        transformer = self.text_encoder.transformer
        outputs = transformer(tokens, output_hidden_states=True)
        z = outputs.hidden_states[-max(self.clip_skip, self.minimal_clip_skip)]
        if self.final_layer_norm:
            z = getattr(transformer, "text_model", transformer).final_layer_norm(z)
        if self.return_pooled:
            z.pooled = outputs.text_embeds if self.text_projection else outputs.pooler_output
        return z

    def __call__(self, texts: list[str]) -> Any:
        if context.get().flavour.name == "neo":
            dynamic_args = import_module("backend.args").dynamic_args
            dynamic_args.last_extra_generation_params["Emphasis"] = shared.opts.emphasis
        chunks = [self.tokenizer.chunks(text) for text in texts]
        zs = [self.encode_with_transformers(torch.tensor(list(part))) for part in zip(*chunks, strict=True)]
        return (torch.hstack(zs), zs[0].pooled) if self.return_pooled else torch.hstack(zs)


class T5TextProcessingEngine:
    """Encodes prompts with T5."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.text_encoder = TextEncoder(encoders.T5(state))
        self.tokenizer = encoders.Tokenizer(0)

    def __call__(self, texts: list[str]) -> Tensor:
        return torch.cat([self.text_encoder.transformer(self.tokenizer(text)) for text in texts])


class ForgeDiffusionEngine:
    """A loaded checkpoint."""

    is_sd1 = is_sd2 = is_sdxl = is_sd3 = is_inpaint = use_distilled_cfg_scale = False
    cond_stage_model = None
    engines: tuple[str, ...] = ()
    text_processing_engine: ClassicTextProcessingEngine
    text_processing_engine_l: ClassicTextProcessingEngine
    text_processing_engine_g: ClassicTextProcessingEngine
    sd_checkpoint_info: CheckpointInfo
    filename: str
    sd_model_hash: str | None
    extra_generation_params: dict[str, Any]
    comments: list[str]

    def __init__(self, states: dict[str, Any]) -> None:
        raise NotImplementedError

    def set_clip_skip(self, clip_skip: int) -> None:
        for name in self.engines:
            getattr(self, name).clip_skip = clip_skip

    def get_learned_conditioning(self, prompt: list[str]) -> Any:
        return self.text_processing_engine(prompt)


def _is_empty_negative(prompt: list[str]) -> bool:
    return getattr(prompt, "is_negative_prompt", False) and not any(prompt)


def _zeroed(cond: dict[str, Any], when: bool) -> dict[str, Any]:
    return {key: torch.zeros_like(value) for key, value in cond.items()} if when else cond


class StableDiffusion(ForgeDiffusionEngine):
    is_sd1 = True
    engines = ("text_processing_engine",)

    def __init__(self, states: dict[str, State]) -> None:
        self.text_processing_engine = ClassicTextProcessingEngine("l", states["l"])


class StableDiffusion2(ForgeDiffusionEngine):
    is_sd2 = True
    engines = ("text_processing_engine",)

    def __init__(self, states: dict[str, State]) -> None:
        state = weights.from_openclip(states["h"], 23)
        self.text_processing_engine = ClassicTextProcessingEngine("h", state, layers=23)


class StableDiffusionXL(ForgeDiffusionEngine):
    is_sdxl = True
    engines = ("text_processing_engine_l", "text_processing_engine_g")

    def __init__(self, states: dict[str, State]) -> None:
        self.text_processing_engine_l = ClassicTextProcessingEngine(
            "l", states["l"], minimal_clip_skip=2, final_layer_norm=False
        )
        self.text_processing_engine_g = _bigg(states)

    def get_learned_conditioning(self, prompt: list[str]) -> Any:
        cond_l, (cond_g, pooled) = self.text_processing_engine_l(prompt), self.text_processing_engine_g(prompt)
        cond = {"crossattn": torch.cat([cond_l, cond_g], 2), "vector": pooled}
        return _zeroed(cond, _is_empty_negative(prompt))


def _bigg(states: dict[str, Any]) -> ClassicTextProcessingEngine:
    state = weights.from_openclip(states["g"], 32)
    return ClassicTextProcessingEngine("g", state, minimal_clip_skip=2, final_layer_norm=False, pooled=True)


class StableDiffusionXLRefiner(ForgeDiffusionEngine):
    is_sdxl = True
    engines = ("text_processing_engine_g",)

    def __init__(self, states: dict[str, State]) -> None:
        self.text_processing_engine_g = _bigg(states)

    def get_learned_conditioning(self, prompt: list[str]) -> Any:
        cond, pooled = self.text_processing_engine_g(prompt)
        return _zeroed({"crossattn": cond, "vector": pooled}, _is_empty_negative(prompt))


class StableDiffusion3(ForgeDiffusionEngine):
    is_sd3 = True
    engines = ("text_processing_engine_l", "text_processing_engine_g")

    def __init__(self, states: dict[str, State]) -> None:
        for name in "lg":
            engine = ClassicTextProcessingEngine(name, states[name], final_layer_norm=False, pooled=True)
            setattr(self, f"text_processing_engine_{name}", engine)
        self.text_processing_engine_t5 = T5TextProcessingEngine(states["t5"])

    def get_learned_conditioning(self, prompt: list[str]) -> Any:
        cond_g, pooled_g = self.text_processing_engine_g(prompt)
        cond_l, pooled_l = self.text_processing_engine_l(prompt)
        lg = torch.cat([cond_l, cond_g], -1)
        t5 = self.text_processing_engine_t5(prompt)
        t5 = t5 if shared.opts.sd3_enable_t5 else torch.zeros_like(t5)
        padded = nn.functional.pad(lg, (0, weights.T5_WIDTH - lg.shape[-1]))
        cond = {"crossattn": torch.cat([padded, t5], 1), "vector": torch.cat([pooled_l, pooled_g], -1)}
        return _zeroed(cond, _is_empty_negative(prompt))


class Flux(ForgeDiffusionEngine):
    engines = ("text_processing_engine_l",)
    use_distilled_cfg_scale = True

    def __init__(self, states: dict[str, State]) -> None:
        self.text_processing_engine_l = ClassicTextProcessingEngine("l", states["l"], pooled=True)
        self.text_processing_engine_t5 = T5TextProcessingEngine(states["t5"])

    def get_learned_conditioning(self, prompt: list[str]) -> Any:
        _, pooled = self.text_processing_engine_l(prompt)
        return {"crossattn": self.text_processing_engine_t5(prompt), "vector": pooled}


ENGINES = {
    "sd1": StableDiffusion,
    "sd2": StableDiffusion2,
    "sdxl": StableDiffusionXL,
    "sdxl-refiner": StableDiffusionXLRefiner,
    "sd3": StableDiffusion3,
    "flux": Flux,
}


class FakeInitialModel:
    """Stands in until the first job has loaded a model."""

    cond_stage_model, chunk_length = None, 75


class SdModelData:
    """The model in use, and what the next job is to load."""

    def __init__(self) -> None:
        self.sd_model: Any = FakeInitialModel()
        self.forge_loading_parameters: dict[str, Any] = {}
        self.forge_hash = ""

    def get_sd_model(self) -> Any:
        return self.sd_model

    def set_sd_model(self, model: Any) -> None:
        self.sd_model = model


model_data = SdModelData()


def reload_model_weights(sd_model: Any = None, info: CheckpointInfo | None = None, forced_reload: bool = False) -> None:
    """Do nothing: it is there for old extensions."""


def forge_model_reload() -> tuple[ForgeDiffusionEngine, bool]:
    """Load what the loading parameters say, unless it is loaded; gives the model and whether it is new."""
    wanted = str(model_data.forge_loading_parameters)
    if model_data.forge_hash == wanted:
        return model_data.sd_model, False
    info: CheckpointInfo = model_data.forge_loading_parameters["checkpoint_info"]
    model_data.sd_model = None
    path = Path(info.filename)
    model = ENGINES[weights.recognise(path).name](weights.read_file(path))
    model.sd_checkpoint_info, model.filename, model.sd_model_hash = info, info.filename, info.calculate_shorthash()
    model.extra_generation_params, model.comments = {}, []
    model_data.set_sd_model(model)
    script_callbacks.model_loaded_callback(model)
    model_data.forge_hash = wanted
    return model, True


def apply_overrides(p: StableDiffusionProcessing) -> None:
    """Bring in a job's settings, then load its model; a changed choice of model empties the cond cache."""
    global need_global_unload
    if p.override_settings.get("sd_model_checkpoint") not in checkpoint_aliases:
        p.override_settings.pop("sd_model_checkpoint", None)
    main_entry.set_config(p.override_settings, is_api=True, run_callbacks=False, save_config=False)
    if not model_data.forge_loading_parameters:
        main_entry.refresh_model_loading_parameters()
    forge_model_reload()
    if need_global_unload:
        p.clear_prompt_cache()
    need_global_unload = False


def restore_options(stored: dict[str, Any]) -> None:
    """Put settings back; a checkpoint among them is loaded by the next job."""
    main_entry.set_config(stored, save_config=False)


def ready_for_batch() -> None:
    """Go back to the model of the settings."""
    forge_model_reload()


def switch_within_job(info: CheckpointInfo) -> None:
    """Change to a refiner or to the second pass's checkpoint; the settings are put back at once."""
    global need_global_unload
    before = shared.opts.sd_model_checkpoint
    if main_entry.checkpoint_change(info.short_title, save=False, refresh=False):
        try:
            main_entry.refresh_model_loading_parameters()
            forge_model_reload()
        finally:
            main_entry.checkpoint_change(before, save=False, refresh=False)
            main_entry.refresh_model_loading_parameters()
            need_global_unload = context.get().flavour.name != "neo"
