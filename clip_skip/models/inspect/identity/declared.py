"""What a model's metadata declares it to be. Asked only where the tensors can't tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

# An architecture's id and a variant.
Told: TypeAlias = tuple[str, str]

# What `modelspec.architecture` and `ss_base_model_version` may begin with, in lower case; the first that fits counts.
_NAMED: tuple[tuple[str, Told], ...] = (
    ("stable-diffusion-v1-inpainting", ("sd1", "inpainting")),
    ("stable-diffusion-v1", ("sd1", "")),
    ("stable-diffusion-v2-512", ("sd2", "512")),
    ("stable-diffusion-v2-768-v", ("sd2", "768-v")),
    ("stable-diffusion-v2-depth", ("sd2", "depth")),
    ("stable-diffusion-v2-inpainting", ("sd2", "inpainting")),
    ("stable-diffusion-v2-unclip-h", ("sd2", "unclip-h")),
    ("stable-diffusion-v2-unclip-l", ("sd2", "unclip-l")),
    ("stable-diffusion-v2", ("sd2", "")),
    ("stable-diffusion-xl-v1-refiner", ("sdxl-refiner", "")),
    ("stable-diffusion-xl-v1-edit", ("sdxl", "edit")),
    ("stable-diffusion-xl-turbo", ("sdxl", "turbo")),
    ("stable-diffusion-xl", ("sdxl", "")),
    ("stable-diffusion-v3-medium", ("sd3", "3-medium")),
    ("stable-diffusion-3-medium", ("sd3", "3-medium")),
    ("stable-diffusion-3-5-medium", ("sd3", "3.5-medium")),
    ("stable-diffusion-3.5-medium", ("sd3", "3.5-medium")),
    ("stable-diffusion-3-5-large", ("sd3", "3.5-large")),
    ("stable-diffusion-3.5-large", ("sd3", "3.5-large")),
    ("stable-diffusion-v3", ("sd3", "")),
    ("stable-diffusion-3", ("sd3", "")),
    ("stable-cascade", ("cascade", "")),
    ("flux-1-dev", ("flux", "dev")),
    ("flux-1-schnell", ("flux", "schnell")),
    ("flux-1", ("flux", "")),
    ("flux1", ("flux", "")),
    ("chroma", ("chroma", "")),
    ("hidream", ("hidream", "")),
    ("lumina-2", ("none", "Lumina 2")),
    ("lumina2", ("none", "Lumina 2")),
    ("qwen-image", ("none", "Qwen-Image")),
    ("z-image", ("none", "Z-Image")),
    ("sd_v1", ("sd1", "")),
    ("sd_v2", ("sd2", "")),
    ("sdxl", ("sdxl", "")),
    ("sd3", ("sd3", "")),
)


def declared(metadata: Mapping[str, str]) -> Told:
    """What the metadata says that the model is, or was trained on."""
    for key in ("modelspec.architecture", "ss_base_model_version"):
        value = metadata.get(key)
        name = value[:80].lower() if isinstance(value, str) else ""
        for start, told in _NAMED:
            if name.startswith(start):
                return told
    return "unknown", ""
