"""A1111's models: objects that are used again for the next checkpoint of the same kind, or kept in memory."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from modules import script_callbacks, sd_hijack_clip, shared
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
from torch import Tensor, nn

from minihost import encoders, weights

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing


class GeneralConditioner(nn.Module):
    """sgm's: the text encoders of SDXL in a row, then the embedders of sizes."""

    def __init__(self, text: list[nn.Module], others: int) -> None:
        super().__init__()
        self.embedders = nn.ModuleList([*text, *(nn.Identity() for _ in range(others))])

    def forward(self, texts: list[str], zero: bool = False) -> dict[str, Tensor]:
        zs = [e(texts) for e in self.embedders if not isinstance(e, nn.Identity)]
        conds = {"crossattn": torch.cat(zs, -1), "vector": zs[-1].pooled}
        return {key: torch.zeros_like(value) for key, value in conds.items()} if zero else conds


class SD3Cond(nn.Module):
    """A1111's SD3 text encoders: CLIP-L and CLIP-G side by side, padded, then T5 or zeros."""

    def __init__(self, states: dict[str, Any]) -> None:
        super().__init__()
        self.clip_l, self.clip_g = (encoders.Sd3Clip(name, states[name]) for name in "lg")
        self.t5xxl = encoders.T5(states["t5"])
        self.model_lg = SimpleNamespace(tokenizer=self.clip_l.tokenizer)

    def forward(self, texts: list[str]) -> dict[str, Tensor]:
        parts, pooled = [], []
        for text in texts:
            chunks = zip(self.clip_l.tokenizer.chunks(text), self.clip_g.tokenizer.chunks(text), strict=True)
            encoded = [(self.clip_l(torch.tensor([a])), self.clip_g(torch.tensor([b]))) for a, b in chunks]
            lg = torch.hstack([torch.cat([l_[0], g[0]], -1) for l_, g in encoded])
            lg = nn.functional.pad(lg, (0, weights.T5_WIDTH - lg.shape[-1]))
            t5 = self.t5xxl(encoders.Tokenizer(0)(text))
            parts.append(torch.cat([lg, t5 if shared.opts.sd3_enable_t5 else torch.zeros_like(t5)], 1))
            pooled.append(torch.cat([encoded[0][0][1], encoded[0][1][1]], -1))
        return {"crossattn": torch.cat(parts), "vector": torch.cat(pooled)}


class SdModel(nn.Module):
    """A loaded checkpoint, with the attributes by which its architecture is told."""

    def __init__(self, arch: weights.Architecture, states: dict[str, Any]) -> None:
        super().__init__()
        self.used_config = arch.name
        self.cond_stage_model: Any
        self.is_sd1, self.is_sd2, self.is_sd3 = arch.name == "sd1", arch.name == "sd2", arch.name == "sd3"
        self.is_sdxl, self.is_ssd = arch.name.startswith("sdxl"), False
        if self.is_sd1:
            self.cond_stage_model = sd_hijack_clip.FrozenCLIPEmbedder(states["l"])
        elif self.is_sd2:
            self.cond_stage_model = sd_hijack_clip.FrozenOpenCLIPEmbedder("h", states["h"])
        elif self.is_sdxl:
            text: list[nn.Module] = [sd_hijack_clip.FrozenCLIPEmbedderXL(states["l"])] if "l" in states else []
            text.append(sd_hijack_clip.FrozenOpenCLIPEmbedder2("g", states["g"]))
            self.conditioner = GeneralConditioner(text, 3)
        elif self.is_sd3:
            self.text_encoders = self.cond_stage_model = SD3Cond(states)
        else:
            self.t5 = encoders.T5(states["t5"])
        self.describe(None)

    def describe(self, info: CheckpointInfo | None) -> None:
        """Say which checkpoint's weights are in."""
        self.sd_checkpoint_info = info
        self.sd_model_checkpoint = info and info.filename
        self.sd_model_hash = info and info.calculate_shorthash()

    def load_states(self, states: dict[str, Any]) -> None:
        """Take other weights into the modules that are there."""
        for module in self.modules():
            if isinstance(module, sd_hijack_clip.FrozenCLIPEmbedder):
                encoders.load_clip(module.transformer, states["l"])
            elif isinstance(module, sd_hijack_clip.FrozenOpenCLIPEmbedder):
                module.model.load_state_dict(states["g" if self.is_sdxl else "h"])
            elif isinstance(module, SD3Cond):
                module.clip_l.transformer.load_state_dict(states["l"])
                module.clip_g.transformer.load_state_dict(states["g"])
            elif isinstance(module, encoders.T5):
                module.load_state_dict(states["t5"])

    def hijack(self) -> None:
        if self.is_sdxl:
            wrapped = [sd_hijack_clip.wrap(e) for e in self.conditioner.embedders]
            self.conditioner.embedders = nn.ModuleList(wrapped)
            self.cond_stage_model = self.conditioner if len(wrapped) == 5 else wrapped[0]
        elif self.is_sd1 or self.is_sd2:
            self.cond_stage_model = sd_hijack_clip.wrap(self.cond_stage_model)

    def undo_hijack(self) -> None:
        if self.is_sdxl:
            self.conditioner.embedders = nn.ModuleList(sd_hijack_clip.unwrap(e) for e in self.conditioner.embedders)
        elif self.is_sd1 or self.is_sd2:
            self.cond_stage_model = sd_hijack_clip.unwrap(self.cond_stage_model)

    def get_learned_conditioning(self, texts: list[str]) -> Any:
        if self.is_sdxl:
            return self.conditioner(texts, getattr(texts, "is_negative_prompt", False) and not any(texts))
        if self.is_sd1 or self.is_sd2 or self.is_sd3:
            return self.cond_stage_model(texts)
        return torch.cat([self.t5(encoders.Tokenizer(0)(text)) for text in texts])


class SdModelData:
    """The model in use, and those kept in memory."""

    def __init__(self) -> None:
        self.sd_model: SdModel | None = None
        self.loaded_sd_models: list[SdModel] = []

    def get_sd_model(self) -> Any:
        if self.sd_model is None:
            load_model()
        return self.sd_model

    def set_sd_model(self, model: Any, already_loaded: bool = False) -> None:
        self.sd_model = model
        if model is None:
            return
        if model in self.loaded_sd_models:
            self.loaded_sd_models.remove(model)
        self.loaded_sd_models.insert(0, model)


model_data = SdModelData()


class SkipWritingToConfig:
    """While it is entered, a change of model does not touch the settings."""

    skip = previous = False

    def __enter__(self) -> None:
        self.previous, SkipWritingToConfig.skip = SkipWritingToConfig.skip, True

    def __exit__(self, *exc: Any) -> None:
        SkipWritingToConfig.skip = self.previous


def _loaded(model: SdModel, info: CheckpointInfo) -> None:
    model.describe(info)
    if not SkipWritingToConfig.skip:
        shared.opts.data["sd_model_checkpoint"] = info.title
    model.hijack()
    model.cond_stage_model_empty_prompt = model.get_learned_conditioning([""])  # pads shorter prompts from now on


def load_model(checkpoint_info: CheckpointInfo | None = None) -> SdModel:
    """Make a new model object."""
    info = checkpoint_info or select_checkpoint()
    path = Path(info.filename)
    model = SdModel(weights.recognise(path), weights.read_file(path))
    _loaded(model, info)
    model_data.set_sd_model(model)
    script_callbacks.model_loaded_callback(model)
    return model


def _reuse_model_from_already_loaded(info: CheckpointInfo) -> SdModel | None:
    """Take the wanted model out of memory, or give one to load into, or make a new one while there is room."""
    kept, limit = model_data.loaded_sd_models, shared.opts.sd_checkpoints_limit
    already = next((model for model in kept if model.sd_model_checkpoint == info.filename), None)
    for model in [m for m in reversed(kept) if m is not already]:
        if len(kept) > limit > 0:
            kept.remove(model)
    if already is not None:
        model_data.set_sd_model(already, already_loaded=True)
        if not SkipWritingToConfig.skip:
            shared.opts.data["sd_model_checkpoint"] = (already.sd_checkpoint_info or info).title
        return already
    if limit > 1 and len(kept) < limit:
        return load_model(info)
    return kept.pop() if kept else None


def reload_model_weights(sd_model: Any = None, info: CheckpointInfo | None = None, forced_reload: bool = False) -> Any:
    """Change to a checkpoint. A model found in memory is taken **without** the model_loaded callback."""
    info = info or select_checkpoint()
    model = sd_model or model_data.sd_model
    if model is not None and model.sd_model_checkpoint == info.filename and not forced_reload:
        return model
    model = _reuse_model_from_already_loaded(info)
    if model is not None and model.sd_model_checkpoint == info.filename:
        return model
    path = Path(info.filename)
    if model is None or weights.recognise(path).name != model.used_config:
        return load_model(info)
    model.undo_hijack()
    model.load_states(weights.read_file(path))
    _loaded(model, info)
    script_callbacks.model_loaded_callback(model)
    model_data.set_sd_model(model)
    return model


def apply_overrides(p: StableDiffusionProcessing) -> None:
    """Bring in a job's settings; an unknown checkpoint is dropped."""
    if p.override_settings.get("sd_model_checkpoint") not in checkpoint_aliases:
        p.override_settings.pop("sd_model_checkpoint", None)
        reload_model_weights()
    for key, value in p.override_settings.items():
        shared.opts.set(key, value, is_api=True, run_callbacks=False)
        if key == "sd_model_checkpoint":
            reload_model_weights()


def restore_options(stored: dict[str, Any]) -> None:
    """Put settings back; the model of an override stays loaded until the next job."""
    for key, value in stored.items():
        setattr(shared.opts, key, value)


def ready_for_batch() -> None:
    """Go back to the model of the settings."""
    reload_model_weights()


def switch_within_job(info: CheckpointInfo) -> None:
    """Change to a refiner or to the second pass's checkpoint."""
    with SkipWritingToConfig():
        reload_model_weights(info=info)
