"""A checkpoint's architecture, from its file: tensor names and shapes, or a diffusers folder's config."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ..architectures import ARCHITECTURES, UNKNOWN, Architecture, by_pipeline, encoder_id_of
from .header import read_shapes

# The first prefix that some tensor's name starts with decides. Diffusion models of their own kind come first: they
# may carry the same text encoders.
_PREFIXES = (
    ("model.diffusion_model.joint_blocks.", "sd3"),
    ("model.diffusion_model.distilled_guidance_layer.", "chroma"),
    ("distilled_guidance_layer.", "chroma"),
    ("model.diffusion_model.double_blocks.", "flux"),
    ("double_blocks.", "flux"),
    ("model.diffusion_model.double_stream_blocks.", "hidream"),
    ("double_stream_blocks.", "hidream"),
    ("model.diffusion_model.clip_txt_mapper.", "cascade"),
    ("clip_txt_mapper.", "cascade"),
    ("conditioner.embedders.1.model.", "sdxl"),
    ("conditioner.embedders.0.model.", "sdxl-refiner"),
    ("cond_stage_model.model.transformer.", "sd2"),
    ("cond_stage_model.transformer.", "sd1"),
    ("cond_stage_model.roberta.", "none"),
)

# A UNet alone: the width of the text states that its cross-attention reads.
_CROSS_ATTENTION = ".attn2.to_k.weight"
_UNET_CONTEXT = {768: "sd1", 1024: "sd2", 1280: "sdxl-refiner", 2048: "sdxl"}


def identify(path: str | os.PathLike[str]) -> Architecture:
    """The architecture of the checkpoint at `path` (a .safetensors file or a diffusers folder), or `UNKNOWN`.

    Never raises. The answer is kept while the file's size and time stay the same.
    """
    try:
        stat = os.stat(path)
        return _identify(os.fspath(path), stat.st_size, stat.st_mtime_ns)
    except (OSError, ValueError):
        return UNKNOWN


@lru_cache(maxsize=256)
def _identify(path: str, size: int, mtime_ns: int) -> Architecture:
    if os.path.isdir(path):
        return _identify_folder(Path(path))
    return by_names(read_shapes(path)) if path.lower().endswith((".safetensors", ".sft")) else UNKNOWN


def by_names(shapes: Mapping[str, tuple[int, ...]]) -> Architecture:
    """The architecture that a single file's tensor names and shapes make it."""
    for prefix, id in _PREFIXES:
        if any(name.startswith(prefix) for name in shapes):
            return ARCHITECTURES[id]
    for name, shape in shapes.items():
        if name.endswith(_CROSS_ATTENTION) and len(shape) == 2:
            return ARCHITECTURES[_UNET_CONTEXT.get(shape[1], "unknown")]
    return UNKNOWN


def _identify_folder(folder: Path) -> Architecture:
    def config(*parts: str) -> Mapping[str, object]:
        path = folder.joinpath(*parts)
        loaded = json.loads(path.read_text(encoding="utf8")) if path.is_file() else {}
        return loaded if isinstance(loaded, dict) else {}

    encoder_ids = set()
    for name in ("text_encoder", "text_encoder_2"):
        blocks = config(name, "config.json").get("num_hidden_layers")
        encoder_id = encoder_id_of(blocks) if isinstance(blocks, int) else None
        if encoder_id:
            encoder_ids.add(encoder_id)
    class_name = config("model_index.json").get("_class_name")
    return by_pipeline(class_name, encoder_ids) if isinstance(class_name, str) else UNKNOWN
