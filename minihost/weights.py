"""Seeded text encoder weights, and the checkpoint files that hold them.

The numbers of an encoder follow from the checkpoint's name alone, so every flavour holds the same ones: in one
.safetensors file with the original key names (A1111, Forge), or in a diffusers folder (SD.Next).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

VOCAB, BOS, EOS, LENGTH = 1000, 998, 999, 77

State = dict[str, Tensor]


@dataclass(frozen=True)
class EncoderSpec:
    """A CLIP text encoder: the real number of blocks, a small width."""

    width: int
    layers: int
    act: str
    pad: int
    heads: int = 4

    @property
    def inner(self) -> int:
        return 2 * self.width


SPECS = {
    "l": EncoderSpec(64, 12, "quick_gelu", EOS),
    "h": EncoderSpec(72, 24, "gelu", 0),
    "g": EncoderSpec(80, 32, "gelu", 0),
}
T5_WIDTH = 160
"""Wide enough for CLIP-L and CLIP-G side by side, as 4096 is in the real SD3."""


@dataclass(frozen=True)
class Architecture:
    """Where an architecture keeps its encoders, and the keys by which a reader of headers knows it."""

    name: str
    prefixes: dict[str, str]
    """encoder -> key prefix in the single file; a prefix ending in ``.model.`` holds OpenCLIP's names, others HF's."""
    markers: dict[str, tuple[int, ...]]
    """Keys of the diffusion model that tell it, in their real shapes; large matrices keep one column."""
    slots: dict[str, str]
    """diffusers folder -> encoder."""
    pipeline: str
    backbone: dict[str, object] = field(default_factory=dict)
    """What the config.json of the diffusers unet or transformer says."""


_UNET = "model.diffusion_model."
ARCHITECTURES = {
    a.name: a
    for a in (
        Architecture(
            "sd1",
            {"l": "cond_stage_model.transformer."},
            {
                _UNET + "input_blocks.0.0.weight": (320, 4, 3, 3),
                _UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
            },
            {"text_encoder": "l"},
            "StableDiffusionPipeline",
            {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 768},
        ),
        Architecture(
            "sd2",
            {"h": "cond_stage_model.model."},
            {
                _UNET + "input_blocks.0.0.weight": (320, 4, 3, 3),
                _UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 1024),
            },
            {"text_encoder": "h"},
            "StableDiffusionPipeline",
            {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 1024},
        ),
        Architecture(
            "sdxl",
            {"l": "conditioner.embedders.0.transformer.", "g": "conditioner.embedders.1.model."},
            {
                _UNET + "input_blocks.0.0.weight": (320, 4, 3, 3),
                _UNET + "label_emb.0.0.weight": (1280, 2816),
                _UNET + "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": (640, 2048),
            },
            {"text_encoder": "l", "text_encoder_2": "g"},
            "StableDiffusionXLPipeline",
            {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 2048},
        ),
        Architecture(
            "sdxl-refiner",
            {"g": "conditioner.embedders.0.model."},
            {
                _UNET + "input_blocks.0.0.weight": (384, 4, 3, 3),
                _UNET + "label_emb.0.0.weight": (1536, 2560),
                _UNET + "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": (768, 1280),
            },
            {"text_encoder_2": "g"},
            "StableDiffusionXLImg2ImgPipeline",
            {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 1280},
        ),
        Architecture(
            "sd3",
            {
                "l": "text_encoders.clip_l.transformer.",
                "g": "text_encoders.clip_g.transformer.",
                "t5": "text_encoders.t5xxl.transformer.",
            },
            {
                _UNET + "joint_blocks.0.context_block.attn.qkv.weight": (4608, 1),
                _UNET + "x_embedder.proj.weight": (1536, 16, 2, 2),
            },
            {"text_encoder": "l", "text_encoder_2": "g", "text_encoder_3": "t5"},
            "StableDiffusion3Pipeline",
            {"_class_name": "SD3Transformer2DModel", "joint_attention_dim": 4096},
        ),
        Architecture(
            "flux",
            {"l": "text_encoders.clip_l.transformer.", "t5": "text_encoders.t5xxl.transformer."},
            {
                _UNET + "double_blocks.0.img_attn.qkv.weight": (9216, 1),
                _UNET + "vector_in.in_layer.bias": (3072,),
                _UNET + "img_in.weight": (3072, 64),
            },
            {"text_encoder": "l", "text_encoder_2": "t5"},
            "FluxPipeline",
            {"_class_name": "FluxTransformer2DModel", "joint_attention_dim": 4096},
        ),
    )
}
CHECKPOINTS = {
    "sd1-a": "sd1",
    "sd1-b": "sd1",
    "sd2": "sd2",
    "sdxl-a": "sdxl",
    "sdxl-b": "sdxl",
    "sdxl-refiner": "sdxl-refiner",
    "sd3": "sd3",
    "flux": "flux",
}


def encoder_state(checkpoint: str, encoder: str) -> State:
    """Make the encoder's weights under Hugging Face names; every block moves the hidden state by about its size."""
    rng = torch.Generator().manual_seed(zlib.crc32(f"{checkpoint}/{encoder}".encode()))

    def rand(*shape: int, scale: float) -> Tensor:
        return torch.randn(*shape, generator=rng) * scale

    if encoder == "t5":
        return {
            "shared.weight": rand(VOCAB, T5_WIDTH, scale=1.0),
            "mix.weight": rand(T5_WIDTH, T5_WIDTH, scale=T5_WIDTH**-0.5),
        }
    spec, state = SPECS[encoder], {}
    width, inner = spec.width, spec.inner

    def linear(name: str, out: int, into: int, gain: float = 1.0) -> None:
        state[name + ".weight"] = rand(out, into, scale=gain * into**-0.5)
        state[name + ".bias"] = rand(out, scale=0.02)

    def norm(name: str) -> None:
        state[name + ".weight"] = 1 + rand(width, scale=0.1)
        state[name + ".bias"] = rand(width, scale=0.05)

    state["text_model.embeddings.token_embedding.weight"] = rand(VOCAB, width, scale=0.7)
    state["text_model.embeddings.position_embedding.weight"] = rand(LENGTH, width, scale=0.3)
    for i in range(spec.layers):
        block = f"text_model.encoder.layers.{i}."
        norm(block + "layer_norm1")
        for part in "qkv":
            linear(f"{block}self_attn.{part}_proj", width, width)
        linear(block + "self_attn.out_proj", width, width, 0.8)
        norm(block + "layer_norm2")
        linear(block + "mlp.fc1", inner, width)
        linear(block + "mlp.fc2", width, inner, 0.8)
    norm("text_model.final_layer_norm")
    if encoder != "l":
        state["text_projection.weight"] = rand(width, width, scale=width**-0.5)
    return state


_BLOCK_NAMES = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def to_openclip(state: State, layers: int) -> State:
    """Rename a Hugging Face CLIP state to OpenCLIP's names, q, k and v joined."""
    out = {
        "token_embedding.weight": state["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": state["text_model.embeddings.position_embedding.weight"],
        "text_projection": state["text_projection.weight"].T.contiguous(),
    }
    for kind in ("weight", "bias"):
        out[f"ln_final.{kind}"] = state[f"text_model.final_layer_norm.{kind}"]
        for i in range(layers):
            theirs, ours = f"text_model.encoder.layers.{i}.", f"transformer.resblocks.{i}."
            parts = [state[f"{theirs}self_attn.{p}_proj.{kind}"] for p in "qkv"]
            out[f"{ours}attn.in_proj_{kind}"] = torch.cat(parts)
            out.update({f"{ours}{a}.{kind}": state[f"{theirs}{b}.{kind}"] for a, b in _BLOCK_NAMES.items()})
    return out


def from_openclip(state: State, layers: int) -> State:
    """Undo :func:`to_openclip` for the first ``layers`` blocks."""
    out = {
        "text_model.embeddings.token_embedding.weight": state["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": state["positional_embedding"],
        "text_projection.weight": state["text_projection"].T.contiguous(),
    }
    for kind in ("weight", "bias"):
        out[f"text_model.final_layer_norm.{kind}"] = state[f"ln_final.{kind}"]
        for i in range(layers):
            theirs, ours = f"transformer.resblocks.{i}.", f"text_model.encoder.layers.{i}."
            parts = state[f"{theirs}attn.in_proj_{kind}"].chunk(3)
            out.update({f"{ours}self_attn.{p}_proj.{kind}": t for p, t in zip("qkv", parts, strict=True)})
            out.update({f"{ours}{b}.{kind}": state[f"{theirs}{a}.{kind}"] for a, b in _BLOCK_NAMES.items()})
    return out


def write_file(path: Path, arch: Architecture, metadata: dict[str, str] | None = None) -> None:
    """Write a single-file checkpoint; its encoders are those of the file's stem."""
    tensors = {key: torch.zeros(shape, dtype=torch.float16) for key, shape in arch.markers.items()}
    for encoder, prefix in arch.prefixes.items():
        state = encoder_state(path.stem, encoder)
        if prefix.endswith(".model."):
            state = to_openclip(state, SPECS[encoder].layers)
        tensors.update({prefix + key: value.contiguous() for key, value in state.items()})
    save_file(tensors, path, {"format": "pt", **(metadata or {})})


def write_folder(path: Path, arch: Architecture) -> None:
    """Write a diffusers folder; its encoders are those of the folder's name."""
    index: dict[str, object] = {"_class_name": arch.pipeline, "_diffusers_version": "0.39.0"}
    for slot, encoder in arch.slots.items():
        state, (class_name, config) = encoder_state(path.name, encoder), folder_config(arch, encoder)
        if encoder == "l" and arch.name == "sd3":  # diffusers loads CLIP-L with a projection here: an identity
            state["text_projection.weight"] = torch.eye(SPECS["l"].width)
        layers = config.get("num_hidden_layers", 0)
        keep = {k: v for k, v in state.items() if ".layers." not in k or int(k.split(".")[3]) < layers}
        (path / slot).mkdir(parents=True, exist_ok=True)
        (path / slot / "config.json").write_text(json.dumps({"architectures": [class_name], **config}, indent=1))
        save_file(keep, path / slot / "model.safetensors")
        index[slot] = ["transformers", class_name]
    part = "unet" if "UNet" in str(arch.backbone["_class_name"]) else "transformer"
    (path / part).mkdir(parents=True, exist_ok=True)
    (path / part / "config.json").write_text(json.dumps(arch.backbone, indent=1))
    index[part] = ["diffusers", arch.backbone["_class_name"]]
    (path / "model_index.json").write_text(json.dumps(index, indent=1))


def folder_config(arch: Architecture, encoder: str) -> tuple[str, dict[str, Any]]:
    """Give the transformers class and config.json of an encoder in a diffusers folder (CLIP-H has 23 blocks there)."""
    if encoder == "t5":
        return "T5EncoderModel", {"model_type": "t5", "d_model": T5_WIDTH, "vocab_size": VOCAB}
    projected = encoder == "g" or arch.name == "sd3"
    layers = 23 if encoder == "h" else SPECS[encoder].layers
    spec = SPECS[encoder]
    config = {"model_type": "clip_text_model", "hidden_size": spec.width, "num_hidden_layers": layers}
    return "CLIPTextModelWithProjection" if projected else "CLIPTextModel", config


def provide(folder: Path, diffusers: bool) -> None:
    """Write the checkpoints that ``folder`` does not have yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, arch in CHECKPOINTS.items():
        path = folder / name if diffusers else folder / f"{name}.safetensors"
        if not path.exists():
            (write_folder if diffusers else write_file)(path, ARCHITECTURES[arch])


def recognise(path: Path) -> Architecture:
    """Tell the architecture of a checkpoint that this module wrote."""
    if path.is_dir():
        pipeline = json.loads((path / "model_index.json").read_text())["_class_name"]
        fits = [a for a in ARCHITECTURES.values() if a.pipeline == pipeline]
        layers = json.loads((path / next(iter(fits[0].slots)) / "config.json").read_text()).get("num_hidden_layers")
        return next(a for a in fits if len(fits) == 1 or (a.name == "sd2") == (layers == 23))
    with safe_open(path, "pt") as file:
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 (not a dict)
    return next(a for a in ARCHITECTURES.values() if all(shapes.get(k) == s for k, s in a.markers.items()))


def read_file(path: Path) -> dict[str, State]:
    """Read the encoders of a single file, under the key names it has there."""
    tensors = load_file(path)
    prefixes = recognise(path).prefixes
    return {e: {k[len(p) :]: v for k, v in tensors.items() if k.startswith(p)} for e, p in prefixes.items()}


def read_folder(path: Path) -> dict[str, State]:
    """Read the encoders of a diffusers folder, by slot."""
    return {slot: load_file(path / slot / "model.safetensors") for slot in recognise(path).slots}
