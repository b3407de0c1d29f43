"""Pipelines shaped like those of diffusers: the same class names, encoders, and ways of encoding a prompt."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from modules import shared
from modules.sd_checkpoint import CheckpointInfo
from torch import Tensor, nn

from minihost import encoders, weights
from minihost.picture import Cond, Stage, draw, ledger


class DiffusionPipeline:
    """Holds the encoders under diffusers' names; a call draws."""

    text_encoder: Any
    text_encoder_2: Any
    text_encoder_3: Any
    tokenizer: Any
    tokenizer_2: Any
    tokenizer_3: Any
    sd_checkpoint_info: CheckpointInfo
    sd_model_checkpoint: str
    sd_model_hash: str | None
    is_sd1: bool
    is_sd2: bool
    is_sdxl: bool

    def __init__(self, path: Path, arch: weights.Architecture) -> None:
        for slot in ("text_encoder", "text_encoder_2"):
            setattr(self, slot, None)
            setattr(self, slot.replace("text_encoder", "tokenizer"), None)
        for slot, state in weights.read_folder(path).items():
            encoder = arch.slots[slot]
            if encoder == "t5":
                model: nn.Module = encoders.T5(state)
            else:
                class_name, config = weights.folder_config(arch, encoder)
                projection = class_name.endswith("WithProjection")
                model = encoders.clip_model(encoder, state, layers=config["num_hidden_layers"], projection=projection)
            setattr(self, slot, model)
            pad = 0 if encoder == "t5" else weights.SPECS[encoder].pad
            setattr(self, slot.replace("text_encoder", "tokenizer"), encoders.Tokenizer(pad))

    def encode_prompt(
        self, prompt: str, negative_prompt: str = "", clip_skip: int | None = None
    ) -> tuple[Tensor | None, ...]:
        """Give (positive, negative, pooled, negative pooled) as this pipeline does without SD.Next's parser."""
        raise NotImplementedError

    def _out(self, slot: str, text: str) -> Any:
        tokens = getattr(self, slot.replace("text_encoder", "tokenizer"))(text)
        return getattr(self, slot)(tokens, output_hidden_states=True)

    def __call__(
        self,
        prompt: list[str] | None = None,
        negative_prompt: list[str] | None = None,
        prompt_embeds: Tensor | None = None,
        negative_prompt_embeds: Tensor | None = None,
        pooled_prompt_embeds: Tensor | None = None,
        negative_pooled_prompt_embeds: Tensor | None = None,
        clip_skip: int | None = None,
        *,
        kind: str = "",
        steps: int = 1,
        size: tuple[int, int] = (512, 512),
        image: list[Any] | None = None,
    ) -> SimpleNamespace:
        """Draw; where no embeds are given the prompts are encoded here."""
        if prompt_embeds is None:
            pairs = zip(prompt or [], negative_prompt or [], strict=True)
            encoded = [self.encode_prompt(p, n, clip_skip=clip_skip) for p, n in pairs]
            joined = [None if part[0] is None else torch.cat(part) for part in zip(*encoded, strict=True)]
            prompt_embeds, negative_prompt_embeds, pooled_prompt_embeds, negative_pooled_prompt_embeds = joined
        c, uc = _cond(prompt_embeds, pooled_prompt_embeds), _cond(negative_prompt_embeds, negative_pooled_prompt_embeds)
        assert prompt_embeds is not None and c is not None
        model = self.sd_checkpoint_info.name_for_extra
        ledger.note(f"{kind}c", model, c)
        ledger.note(f"{kind}uc", model, uc)
        for step in range(steps):
            shared.state.sampling_step = step
            if shared.state.interrupted:
                raise AssertionError("Interrupted...")
            shared.state.after_step()
        stages = [Stage(1.0, c, uc)]
        insets = image or [None] * len(prompt_embeds)
        images = [draw(stages, i, *size, insets[i % len(insets)]) for i in range(len(prompt_embeds))]
        return SimpleNamespace(images=images)


def _cond(embeds: Tensor | None, pooled: Tensor | None) -> Cond | None:
    if embeds is None:
        return None
    return {"crossattn": embeds} if pooled is None else {"crossattn": embeds, "vector": pooled}


class StableDiffusionPipeline(DiffusionPipeline):
    """SD 1 and 2: ``clip_skip`` for the positive prompt only, through ``text_model`` (gone in transformers 5.6)."""

    def encode_prompt(
        self, prompt: str, negative_prompt: str = "", clip_skip: int | None = None
    ) -> tuple[Tensor | None, ...]:
        out = self._out("text_encoder", prompt)
        embeds = out.last_hidden_state
        if clip_skip is not None:
            embeds = self.text_encoder.text_model.final_layer_norm(out.hidden_states[-(clip_skip + 1)])
        return embeds, self._out("text_encoder", negative_prompt).last_hidden_state, None, None


class StableDiffusionXLPipeline(DiffusionPipeline):
    """SDXL: the penultimate state of both, one earlier for each ``clip_skip``, for the positive prompt only."""

    def _both(self, text: str, clip_skip: int | None) -> tuple[Tensor, Tensor]:
        slots = [slot for slot in ("text_encoder", "text_encoder_2") if getattr(self, slot) is not None]
        outs = [self._out(slot, text) for slot in slots]
        at = -2 if clip_skip is None else -(clip_skip + 2)
        return torch.cat([out.hidden_states[at] for out in outs], -1), self._pooled(outs)

    def _pooled(self, outs: list[Any]) -> Tensor:
        pooled: Tensor = outs[-1].text_embeds
        return pooled

    def encode_prompt(
        self, prompt: str, negative_prompt: str = "", clip_skip: int | None = None
    ) -> tuple[Tensor | None, ...]:
        embeds, pooled = self._both(prompt, clip_skip)
        negative, negative_pooled = self._both(negative_prompt, None)
        return embeds, negative, pooled, negative_pooled


class StableDiffusionXLImg2ImgPipeline(StableDiffusionXLPipeline):
    """The refiner's pipeline: only the second encoder."""


class StableDiffusion3Pipeline(StableDiffusionXLPipeline):
    """SD3: as SDXL, both pooled vectors, padded, with T5 behind."""

    def _pooled(self, outs: list[Any]) -> Tensor:
        return torch.cat([out.text_embeds for out in outs], -1)

    def with_t5(self, embeds: Tensor, text: str) -> Tensor:
        """Pad to T5's width and put T5's rows behind."""
        t5 = self.text_encoder_3(self.tokenizer_3(text))
        padded = nn.functional.pad(embeds, (0, weights.T5_WIDTH - embeds.shape[-1]))
        return torch.cat([padded, t5 if shared.opts.sd3_enable_t5 else torch.zeros_like(t5)], -2)

    def _both(self, text: str, clip_skip: int | None) -> tuple[Tensor, Tensor]:
        embeds, pooled = super()._both(text, clip_skip)
        return self.with_t5(embeds, text), pooled


class FluxPipeline(DiffusionPipeline):
    """Flux: CLIP-L for the pooled vector only; there is no negative prompt."""

    def encode_prompt(
        self, prompt: str, negative_prompt: str = "", clip_skip: int | None = None
    ) -> tuple[Tensor | None, ...]:
        t5 = self.text_encoder_2(self.tokenizer_2(prompt))
        return t5, None, self._out("text_encoder", prompt).pooler_output, None


PIPELINES: dict[str, type[DiffusionPipeline]] = {
    cls.__name__: cls
    for cls in (
        StableDiffusionPipeline, StableDiffusionXLPipeline, StableDiffusionXLImg2ImgPipeline,
        StableDiffusion3Pipeline, FluxPipeline,
    )
}  # fmt: skip
