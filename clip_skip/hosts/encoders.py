"""Where a loaded model of each WebUI keeps its text encoders, and which architecture they make it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..conditioning.loaded_model import LoadedModel, Tokenizer
from ..conditioning.stacks import Stack, attribute_at, find_stack
from ..skip.architectures import ARCHITECTURES, Architecture, by_encoders, by_pipeline


def read_webui_model(model: object) -> LoadedModel:
    """A model of the A1111 line. Its flags are not asked: reForge and Classic set `is_sd1` on SD 2.x too."""
    stacks = _stacks(_webui_encoders(model))
    has_t5 = hasattr(model, "text_processing_engine_t5") or hasattr(model, "text_encoders")
    architecture = by_encoders([stack.encoder_id for stack in stacks], has_t5)
    return LoadedModel(architecture, stacks, tokenizer=_tokenizer(_webui_tokenizers(model)))


# Forge Neo's classes of models that read no CLIP.
_WITHOUT_CLIP = {
    "Anima": "Anima",
    "ErnieImage": "Ernie-Image",
    "Flux2": "Flux.2",
    "Krea2": "Krea 2",
    "Lumina2": "Lumina 2",
    "PiD": "PiD",
    "QwenImage": "Qwen-Image",
    "Wan": "Wan",
    "ZImage": "Z-Image",
}


def without_clip(model: object) -> Architecture | None:
    """The architecture of a model of the A1111 line whose class alone says that it reads no CLIP."""
    name = _WITHOUT_CLIP.get(type(model).__name__)
    return None if name is None else replace(ARCHITECTURES["none"], name=name)


def webui_readers(model: object) -> list[object]:
    """What reads the text encoders of a model of the A1111 line, one each but for A1111's SD3; None among them, too."""
    engines = [
        getattr(model, name, None)
        for name in ("text_processing_engine", "text_processing_engine_l", "text_processing_engine_g")
    ]
    if any(engine is not None for engine in engines):  # Forge
        return engines
    if hasattr(model, "text_encoders"):  # A1111's SD3
        return [getattr(model.text_encoders, "model_lg", None)]
    if hasattr(model, "conditioner"):  # SDXL and its refiner
        return list(model.conditioner.embedders)
    return [getattr(model, "cond_stage_model", None)]


def _webui_encoders(model: object) -> Iterator[object]:
    for reader in webui_readers(model):
        yield getattr(reader, "text_encoder", None)  # Forge
        yield getattr(reader, "wrapped", None)
    for name in ("clip_l", "clip_g"):  # A1111's SD3
        yield attribute_at(model, f"text_encoders.{name}")


def _webui_tokenizers(model: object) -> Iterator[object]:
    for name in ("text_processing_engine", "text_processing_engine_l", "text_processing_engine_g"):  # Forge
        yield attribute_at(model, f"{name}.tokenizer")
    for name in ("text_encoders.model_lg", "conditioner.embedders.0.wrapped", "cond_stage_model.wrapped"):
        yield attribute_at(model, f"{name}.tokenizer")
    yield getattr(sys.modules.get("modules.sd_hijack_open_clip"), "tokenizer", None)


def read_pipeline(pipeline: object) -> LoadedModel:
    """A diffusers pipeline. SD.Next's `is_sd1` and the like are not asked: they say SD 1.x for every model."""
    prior = getattr(pipeline, "prior_pipe", None)  # Stable Cascade conditions in its prior
    reader = pipeline if prior is None else prior
    stacks = _stacks(getattr(reader, name, None) for name in ("text_encoder", "text_encoder_2"))
    tokenizer = _tokenizer(getattr(reader, name, None) for name in ("tokenizer", "tokenizer_2"))
    width = attribute_at(reader, "unet.config.cross_attention_dim")
    architecture = by_pipeline(type(pipeline).__name__, [stack.encoder_id for stack in stacks], width)
    return LoadedModel(architecture, stacks, tokenizer=tokenizer)


def _stacks(encoders: Iterable[object]) -> tuple[Stack, ...]:
    found = (find_stack(encoder) for encoder in encoders if encoder is not None)
    return tuple(stack for stack in found if stack is not None)


def _tokenizer(tokenizers: Iterable[Any]) -> Tokenizer | None:
    return next((each for each in tokenizers if hasattr(each, "decode")), None)
