"""What a model file is: its kind, architecture and variant, told from the names and shapes of its tensors.

The file's name is never asked, and metadata only where the tensors can't tell. A checkpoint is told by a few names that
are looked up, not by going over all of them; only a LoRA's names are gone over, since each LoRA has other ones.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ....skip.architectures import ARCHITECTURES, UNKNOWN, Architecture, by_pipeline, encoder_id_of
from ..formats.contents import READABLE, Contents, Tensor, width
from ..formats.reader import read_contents
from .declared import Told, declared
from .lora import FLUX_OR_CHROMA, lora_told


@dataclass(frozen=True)
class Identity:
    """What a file is.

    `kind` is "checkpoint", "diffusion-model" (a UNet or transformer alone), "text-encoder", "vae", "lora", "embedding",
    "controlnet" or "unknown". `variant` is a word for what the architecture alone doesn't say ("inpainting", "768-v",
    "dev"), or the name of a model that has no architecture of its own here ("PixArt"); "" if there is nothing to say.
    `quantised` is how its weights are packed ("fp8", "nf4", "gguf Q4_0"), "" if they are not.
    """

    kind: str
    architecture: Architecture = UNKNOWN
    variant: str = ""
    quantised: str = ""


# The shape of the tensor that has this name after the file's prefix, or None.
Shapes: TypeAlias = Callable[[str], tuple[int, ...] | None]


def identify(path: str | os.PathLike[str]) -> Architecture:
    """The architecture of the model file or diffusers folder at `path`, or `UNKNOWN`.

    Never raises. The answer is kept while the file's size and time stay the same.
    """
    try:
        stat = os.stat(path)
        return _identify(os.fspath(path), stat.st_size, stat.st_mtime_ns)
    except Exception:  # a host lists its models through this: no file may stop it
        return UNKNOWN


@lru_cache(maxsize=256)
def _identify(path: str, size: int, mtime_ns: int) -> Architecture:
    return identify_contents(read_contents(path)).architecture


def identify_contents(contents: Contents) -> Identity:
    """What these contents are; kind "unknown" where nothing is recognised. Never raises."""
    if contents.format == "diffusers":
        return _identify_folder(contents)
    found = _find_model(contents)
    if found is not None:
        return found
    for kind, told, name in _PARTS:
        if name in contents.tensors:
            id, variant = told
            if variant == "CLIP":
                variant = _CLIP_BY_WIDTH.get(width(contents.tensors[name].shape, 0) or 0, variant)
            return Identity(kind, ARCHITECTURES[id], variant, _packing(contents, name))
    return _find_lora(contents) or _find_embedding(contents) or Identity("unknown")


# ---------------------------------------------------------------------------------------------------------------------
# Variants, each told by the same numbers whether they come from shapes or from a diffusers config.

# A UNet: the width of the text that its cross-attention reads, and of the vector that is added to its time embedding.
_UNETS: dict[tuple[int | None, int | None], Told] = {
    (768, None): ("sd1", ""),
    (1024, None): ("sd2", ""),
    (1024, 2048): ("sd2", "unclip-h"),
    (1024, 1536): ("sd2", "unclip-l"),
    (1280, 2560): ("sdxl-refiner", ""),
    (2048, 2816): ("sdxl", ""),
    (2048, None): ("sdxl", ""),
    (2048, 5632): ("none", "Kolors"),
}
# What a UNet is that takes more channels than the latent's four.
_BY_CHANNELS = {
    "sd1": {8: "instruct-pix2pix", 9: "inpainting"},
    "sd2": {5: "depth", 7: "x4-upscaler", 9: "inpainting"},
    "sdxl": {8: "edit", 9: "inpainting"},
}
# SDXL's lowest level has ten transformer blocks in each attention; its distilled kin have fewer.
_SDXL_BY_DEPTH = {2: "vega", 4: "ssd-1b", 5: "koala-700m", 6: "koala-1b"}


def _unet(width: int | None, added: int | None, channels: int | None, depth: int | None) -> Told:
    id, variant = _UNETS.get((width, added), ("unknown", ""))
    by_depth = _SDXL_BY_DEPTH.get(depth or 0, "") if id == "sdxl" else ""
    return id, variant or _BY_CHANNELS.get(id, {}).get(channels or 0, "") or by_depth


def _sd3(depth: int | None, dual_attention: bool, qk_norm: bool) -> Told:
    known = {(24, False, False): "3-medium", (24, True, True): "3.5-medium", (38, False, True): "3.5-large"}
    return "sd3", known.get((depth or 0, dual_attention, qk_norm), "")


def _flux(guidance: bool, channels: int | None) -> Told:
    """`channels` of a patch of 2 x 2: 64 for the latent; a mask and the masked image, or a control image, follow it."""
    return "flux", {384: "fill", 128: "control"}.get(channels or 0, "dev" if guidance else "schnell")


# ---------------------------------------------------------------------------------------------------------------------
# The same from names and shapes.


class _UnetNames(NamedTuple):
    """Where one naming of the UNet keeps what tells them apart; `{}` counts transformer blocks."""

    input: str
    added: str
    time: str
    lowest: tuple[str, ...]


_LDM = _UnetNames(
    input="input_blocks.0.0.weight",
    added="label_emb.0.0.weight",
    time="time_embed.2.bias",
    lowest=(
        "input_blocks.7.1.transformer_blocks.{}.norm1.weight",
        "input_blocks.5.1.transformer_blocks.{}.norm1.weight",
    ),
)
_DIFFUSERS = _UnetNames(
    input="conv_in.weight",
    added="add_embedding.linear_1.weight",
    time="time_embedding.linear_2.bias",
    lowest=("down_blocks.2.attentions.0.transformer_blocks.{}.norm1.weight",),
)
_CROSS = "transformer_blocks.0.attn2.to_k.weight"


def _unet_by_shapes(shapes: Shapes, cross: str) -> Told:
    """`cross` is the name of the cross-attention that was found."""
    names = _LDM if shapes(_LDM.input) else _DIFFUSERS
    shape = shapes(cross)
    if shape is None or len(shape) != 2 or shape[1] == 1:  # packed: nothing can be read off it
        return _unet_by_names(shapes, cross, names)
    added = width(shapes(names.added) or shapes("class_embedding.linear_1.weight"))
    return _unet(shape[1], added, width(shapes(names.input)), _sdxl_depth(shapes, names))


def _unet_by_names(shapes: Shapes, cross: str, names: _UnetNames) -> Told:
    """A UNet whose matrices are packed: which levels have attention, and what isn't packed (convolutions, biases)."""
    channels, depth = width(shapes(names.input)), _sdxl_depth(shapes, names)
    if not cross.startswith(("input_blocks.1.", "down_blocks.0.")):  # SDXL's first level has none
        is_refiner = width(shapes(names.time), 0) == 1536
        return _unet(1280, 2560, channels, depth) if is_refiner else _unet(2048, 2816, channels, depth)
    if shapes(names.added.replace("weight", "bias")) or shapes("class_embedding.linear_1.bias"):
        return "sd2", ""  # unCLIP; which one can't be told
    proj_in = shapes(cross.replace(_CROSS, "proj_in.weight"))
    return _unet(768 if proj_in and len(proj_in) == 4 else 1024, None, channels, depth)


def _sdxl_depth(shapes: Shapes, names: _UnetNames) -> int | None:
    for name in names.lowest:
        if shapes(name.format(0)):
            return next((depth for depth in range(1, 11) if not shapes(name.format(depth))), 11)
    return None


def _sd3_by_shapes(shapes: Shapes, name: str) -> Told:
    if name.startswith("joint_blocks."):
        block, dual, norm = (
            "joint_blocks.{}.x_block.attn.qkv.weight",
            "x_block.attn2.qkv.weight",
            "x_block.attn.ln_q.weight",
        )
    else:
        block, dual, norm = "transformer_blocks.{}.attn.to_q.weight", "attn2.to_q.weight", "attn.norm_q.weight"
    depth = next((depth for depth in (38, 24) if shapes(block.format(depth - 1))), None)
    first = block.partition(".")[0] + ".0."
    return _sd3(depth, shapes(first + dual) is not None, shapes(first + norm) is not None)


def _flux_by_shapes(shapes: Shapes, name: str) -> Told:
    guidance = shapes("guidance_in.in_layer.bias") or shapes("time_text_embed.guidance_embedder.linear_1.bias")
    return _flux(guidance is not None, width(shapes("img_in.weight") or shapes("x_embedder.weight")))


def _control_by_shapes(shapes: Shapes, name: str) -> Told:
    for cross in _CROSS_ATTENTIONS:
        if shapes(cross):
            return _unet_by_shapes(shapes, cross)[0], ""
    if shapes(_CLIP_POOLED):
        return "sd3" if shapes("pos_embed.proj.weight") else "flux", ""
    return "unknown", ""


# ---------------------------------------------------------------------------------------------------------------------
# The table of models.


class _Model(NamedTuple):
    """How one diffusion model is known.

    `keys` has one entry per naming: names that must all be there, apart by a space; the first one is a matrix, whose
    type tells whether the model is quantised. `classes` are diffusers' names for it. `by_shapes` and `by_config` tell
    more than `told` where that is needed.
    """

    told: Told
    keys: tuple[str, ...]
    classes: tuple[str, ...] = ()
    by_shapes: Callable[[Shapes, str], Told] | None = None
    by_config: Callable[[Mapping[str, Any]], Told] | None = None
    kind: str = ""


def _number(config: Mapping[str, Any], name: str) -> int | None:
    value = config.get(name)
    while isinstance(value, list) and value:  # one per level, or one per block of each level
        value = value[-1]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _unet_by_config(config: Mapping[str, Any]) -> Told:
    added = _number(config, "projection_class_embeddings_input_dim")
    if config.get("encoder_hid_dim_type") is not None and added != 5632:  # reads something else (Kandinsky, DeepFloyd)
        return "unknown", ""
    width, depth = _number(config, "cross_attention_dim"), _number(config, "transformer_layers_per_block")
    id, variant = _unet(width, added, _number(config, "in_channels"), depth)
    if id == "sd2" and not variant:
        variant = {64: "512", 96: "768-v"}.get(_number(config, "sample_size") or 0, "")
    return id, variant


def _sd3_by_config(config: Mapping[str, Any]) -> Told:
    return _sd3(_number(config, "num_layers"), bool(config.get("dual_attention_layers")), bool(config.get("qk_norm")))


def _flux_by_config(config: Mapping[str, Any]) -> Told:
    return _flux(config.get("guidance_embeds") is True, _number(config, "in_channels"))


def _cascade_by_config(config: Mapping[str, Any]) -> Told:
    return "cascade", "stage-c" if config.get("effnet_in_channels") is None else "stage-b"


def _none(name: str, *keys: str, classes: str = "") -> _Model:
    """A model without a CLIP text encoder."""
    return _Model(("none", name), keys, tuple(classes.split()))


def _other(name: str, *keys: str, classes: str = "", kind: str = "") -> _Model:
    """A model that has a name, but no architecture here: it reads CLIP in a way of its own, or it is no whole model."""
    return _Model(("unknown", name), keys, tuple(classes.split()), kind=kind)


_CROSS_ATTENTIONS = tuple(
    f"{block}.{_CROSS}"
    for block in (
        *("input_blocks.1.1", "input_blocks.4.1", "input_blocks.3.1", "input_blocks.2.1", "middle_block.1"),
        *("down_blocks.0.attentions.0", "down_blocks.1.attentions.0", "mid_block.attentions.0"),
    )
)
_DUAL = "transformer_blocks.0.attn.add_q_proj.weight "  # diffusers: text and image tokens in one attention
_CLIP_POOLED = "time_text_embed.text_embedder.linear_1.bias"

# The first row that fits counts, so a row stands before the ones whose keys it has too.
_MODELS = (
    _Model(
        ("unknown", ""),
        (
            *("input_hint_block.0.weight", "controlnet_cond_embedding.conv_in.weight", "lora_controlnet"),
            *("controlnet_x_embedder.weight", "controlnet_blocks.0.weight", "controlnet_down_blocks.0.weight"),
        ),
        ("ControlNetModel",),
        _control_by_shapes,
        kind="controlnet",
    ),
    _other(
        "AnimateDiff",
        "down_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight",
        "down_blocks.0.motion_modules.0.proj_in.weight",
        classes="MotionAdapter UNetMotionModel",
        kind="unknown",
    ),
    _other("IP-Adapter", "ip_adapter.1.to_k_ip.weight", "image_proj.proj.weight", kind="unknown"),
    _other("T2I-Adapter", "adapter.body.0.resnets.0.block1.weight", "body.0.block1.weight", kind="unknown"),
    _Model(
        ("sd3", ""),
        ("joint_blocks.0.context_block.attn.qkv.weight", f"{_DUAL}pos_embed.proj.weight {_CLIP_POOLED}"),
        ("SD3Transformer2DModel",),
        _sd3_by_shapes,
        _sd3_by_config,
    ),
    _other(
        "HunyuanVideo",
        "img_in.proj.weight txt_in.individual_token_refiner.blocks.0.norm1.weight vector_in.in_layer.bias",
        f"{_DUAL}context_embedder.token_refiner.refiner_blocks.0.norm1.weight {_CLIP_POOLED}",
        classes="HunyuanVideoTransformer3DModel HunyuanVideoFramepackTransformer3DModel",
    ),
    _none(
        "HunyuanImage",
        "double_blocks.0.img_attn.qkv.weight txt_in.individual_token_refiner.blocks.0.norm1.weight",
        f"{_DUAL}context_embedder.token_refiner.refiner_blocks.0.norm1.weight",
        classes="HunyuanImageTransformer2DModel",
    ),
    _none(
        "Flux.2",
        "double_stream_modulation_img.lin.weight",
        "double_stream_modulation_img.linear.weight",
        classes="Flux2Transformer2DModel",
    ),
    _Model(("chroma", ""), ("distilled_guidance_layer.in_proj.weight",), ("ChromaTransformer2DModel",)),
    _Model(
        ("flux", ""),
        (
            "double_blocks.0.img_attn.qkv.weight vector_in.in_layer.bias",
            f"{_DUAL}single_transformer_blocks.0.attn.to_q.weight {_CLIP_POOLED}",
        ),
        ("FluxTransformer2DModel",),
        _flux_by_shapes,
        _flux_by_config,
    ),
    _Model(("hidream", ""), ("double_stream_blocks.0.block.attn1.to_q.weight",), ("HiDreamImageTransformer2DModel",)),
    _Model(("cascade", "stage-c"), ("clip_txt_mapper.weight",), ("StableCascadeUNet",), by_config=_cascade_by_config),
    _Model(("cascade", "stage-b"), ("effnet_mapper.0.weight pixels_mapper.0.weight",)),
    _none(
        "AuraFlow",
        "double_layers.0.attn.w1q.weight",
        "joint_transformer_blocks.0.attn.add_q_proj.weight",
        classes="AuraFlowTransformer2DModel",
    ),
    _none(
        "HunyuanDiT",
        "blocks.0.attn1.Wqkv.weight mlp_t5.0.weight",
        "blocks.0.attn1.to_q.weight text_embedding_padding",
        classes="HunyuanDiT2DModel",
    ),
    _none(
        "PixArt",
        "blocks.0.attn.qkv.weight t_block.1.weight",
        "transformer_blocks.0.attn1.to_q.weight adaln_single.linear.weight pos_embed.proj.weight",
        classes="PixArtTransformer2DModel",
    ),
    _none(
        "OmniGen 2",
        "layers.0.attn.to_q.weight time_caption_embed.caption_embedder.1.weight ref_image_refiner.0.attn.to_q.weight",
        classes="OmniGen2Transformer2DModel",
    ),
    _none(
        "Lumina 2",
        "layers.0.attention.qkv.weight cap_embedder.1.weight noise_refiner.0.attention.qkv.weight",
        "layers.0.attn.to_q.weight time_caption_embed.caption_embedder.1.weight noise_refiner.0.attn.to_q.weight",
        classes="Lumina2Transformer2DModel",
    ),
    _none("Z-Image", "layers.0.attention.to_q.weight x_pad_token cap_pad_token", classes="ZImageTransformer2DModel"),
    _none("Qwen-Image", f"{_DUAL}transformer_blocks.0.img_mod.1.weight", classes="QwenImageTransformer2DModel"),
    _none(
        "Wan",
        "blocks.0.self_attn.q.weight head.modulation",
        "blocks.0.attn1.to_q.weight condition_embedder.time_proj.weight",
        classes="WanTransformer3DModel WanVACETransformer3DModel WanAnimateTransformer3DModel",
    ),
    _none(
        "LTX",
        "transformer_blocks.0.attn1.to_q.weight patchify_proj.weight",
        "transformer_blocks.0.attn1.to_q.weight caption_projection.linear_1.weight proj_in.weight scale_shift_table",
        classes="LTXVideoTransformer3DModel LTX2VideoTransformer3DModel",
    ),
    _none(
        "Cosmos",
        "blocks.block0.blocks.0.block.attn.to_q.0.weight",
        "blocks.0.self_attn.q_proj.weight blocks.0.adaln_modulation_self_attn.1.weight",
        "transformer_blocks.0.attn1.to_q.weight time_embed.t_embedder.linear_1.weight",
        classes="CosmosTransformer3DModel",
    ),
    _none(
        "Mochi",
        "blocks.0.attn.qkv_x.weight",
        "transformer_blocks.0.attn1.to_q.weight pos_frequencies",
        classes="MochiTransformer3DModel",
    ),
    _none(
        "Sana",
        "blocks.0.cross_attn.q_linear.weight blocks.0.mlp.inverted_conv.conv.weight",
        "transformer_blocks.0.attn1.to_q.weight transformer_blocks.0.ff.conv_inverted.weight",
        classes="SanaTransformer2DModel",
    ),
    _none(
        "CogView",
        "transformer_blocks.0.attn1.to_q.weight time_condition_embed.condition_embedder.linear_1.weight",
        classes="CogView3PlusTransformer2DModel CogView4Transformer2DModel",
    ),
    _none(
        "CogVideoX",
        "transformer_blocks.0.attn1.to_q.weight patch_embed.text_proj.weight time_embedding.linear_1.weight",
        classes="CogVideoXTransformer3DModel",
    ),
    _none("Kandinsky 3", "add_time_condition.attention.to_k.weight", classes="Kandinsky3UNet"),
    _other(
        "Kandinsky 5",
        "visual_transformer_blocks.0.self_attention.to_query.weight",
        classes="Kandinsky5Transformer3DModel",
    ),
    _none(
        "Stable Video Diffusion",
        "input_blocks.1.1.time_stack.0.attn1.to_q.weight",
        "down_blocks.0.attentions.0.temporal_transformer_blocks.0.attn1.to_q.weight",
        classes="UNetSpatioTemporalConditionModel",
    ),
    _other("ModelScope", "down_blocks.0.temp_attentions.0.proj_in.weight", classes="UNet3DConditionModel"),
    _Model(("unknown", ""), _CROSS_ATTENTIONS, ("UNet2DConditionModel",), _unet_by_shapes, _unet_by_config),
)
_BY_CLASS = {name: model for model in _MODELS for name in model.classes}

# Where a file keeps its diffusion model; the last of them is a copy (EMA) whose names have lost their dots.
_EMA = "model_ema.diffusion_model"
_PREFIXES = (
    *("model.diffusion_model.", "", "diffusion_model.", "model.", "net.", "model.model.", "transformer.", "unet."),
    *("control_model.", "controlnet."),
    *("unet/", "transformer/", "prior/", "decoder/", "controlnet/"),  # a diffusers folder's components
    _EMA,
)


def _full(prefix: str, name: str) -> str:
    return prefix + (name.replace(".", "") if prefix == _EMA else name)


class _Clue(NamedTuple):
    """One way to find one model: a name in full, the others that must be there too, and the prefix of them all."""

    name: str
    others: tuple[str, ...]
    prefix: str
    short: str
    model: _Model


_CLUES = tuple(
    _Clue(_full(prefix, short), tuple(_full(prefix, other) for other in others), prefix, short, model)
    for model in _MODELS
    for prefix in _PREFIXES
    for short, *others in map(str.split, model.keys)
)

# Models that a part beside the diffusion model tells: the UNet of these is SD's own.
_BY_COMPANION: tuple[tuple[Told, str], ...] = (
    (("none", "Alt-Diffusion"), "cond_stage_model.roberta.embeddings.word_embeddings.weight"),
    (("none", "Zero123"), "cc_projection.weight"),
)

_HF, _OPEN_CLIP = "encoder.layers.0.layer_norm1.weight", "transformer.resblocks.0.ln_1.weight"
_T5 = "encoder.block.0.layer.0.SelfAttention.q.weight"

# Parts of a checkpoint that may also be all that a file holds. The bare names come last: others end like them.
_PARTS: tuple[tuple[str, Told, str], ...] = (
    ("text-encoder", ("sd1", ""), f"cond_stage_model.transformer.text_model.{_HF}"),
    ("text-encoder", ("sd1", ""), f"cond_stage_model.transformer.{_HF}"),  # NovelAI's, and transformers >= 5
    ("text-encoder", ("sd2", ""), f"cond_stage_model.model.{_OPEN_CLIP}"),
    ("text-encoder", ("sdxl", ""), f"conditioner.embedders.1.model.{_OPEN_CLIP}"),
    ("text-encoder", ("sdxl-refiner", ""), f"conditioner.embedders.0.model.{_OPEN_CLIP}"),
    ("text-encoder", ("none", "Alt-Diffusion"), "cond_stage_model.roberta.embeddings.word_embeddings.weight"),
    *(
        ("text-encoder", ("unknown", name), f"{prefix}{key}")
        for prefix in ("text_encoders.", "text_encoder.", "")
        for name, key in (
            ("CLIP-L", f"clip_l.transformer.text_model.{_HF}"),
            ("CLIP-G", f"clip_g.transformer.text_model.{_HF}"),
            ("T5", f"t5xxl.transformer.{_T5}"),
        )
    ),
    ("vae", ("unknown", ""), "first_stage_model.decoder.conv_in.weight"),
    ("vae", ("unknown", ""), "vae.decoder.conv_in.weight"),
)
_COMPANIONS = tuple(name for _, _, name in _PARTS)
_CLIP_BY_WIDTH = {768: "CLIP-L", 1024: "CLIP-H", 1280: "CLIP-G"}
_PARTS += (
    ("text-encoder", ("unknown", "CLIP"), f"text_model.{_HF}"),
    ("text-encoder", ("unknown", "CLIP"), _HF),
    ("text-encoder", ("unknown", "CLIP"), _OPEN_CLIP),
    ("text-encoder", ("unknown", "T5"), _T5),
    ("text-encoder", ("unknown", "T5"), "enc.blk.0.attn_q.weight"),  # llama.cpp's names
    ("text-encoder", ("unknown", ""), "blk.0.attn_q.weight"),
    ("text-encoder", ("unknown", ""), "model.layers.0.self_attn.q_proj.weight"),
    ("vae", ("unknown", ""), "decoder.conv_in.weight"),
    ("vae", ("unknown", ""), "decoder.middle.0.residual.0.gamma"),
)


def _find_model(contents: Contents) -> Identity | None:
    """The diffusion model in the file, alone or in a checkpoint."""
    tensors = contents.tensors
    for clue in _CLUES:
        if clue.name not in tensors or any(other not in tensors for other in clue.others):
            continue
        told = clue.model.told
        if clue.model.by_shapes is not None:
            told = clue.model.by_shapes(_shapes(tensors, clue.prefix), clue.short)
        told = next((other for other, name in _BY_COMPANION if name in tensors), told)
        whole = any(name in tensors for name in _COMPANIONS)
        kind = clue.model.kind or ("checkpoint" if whole else "diffusion-model")
        id, variant = told
        if not clue.model.kind:
            variant = variant or _untold_variant(id, contents.metadata)
        return Identity(kind, ARCHITECTURES[id], variant, _packing(contents, clue.name))
    return None


def _shapes(tensors: Mapping[str, Tensor], prefix: str) -> Shapes:
    def shape(name: str) -> tuple[int, ...] | None:
        tensor = tensors.get(_full(prefix, name))
        return None if tensor is None else tensor.shape

    return shape


# Packed types by the start of safetensors' names for them.
_PACKED = {"F8": "fp8", "I8": "int8", "U8": "uint8", "F4": "fp4", "I4": "int4", "U4": "int4"}


def _packing(contents: Contents, name: str) -> str:
    """How the weights are quantised, by the matrix of this name; "" if they are not."""
    tensors = contents.tensors
    if contents.format == "gguf":  # mixes types: the one that most tensors have, of those that are packed
        packed = Counter(tensor.dtype for tensor in tensors.values() if tensor.dtype not in READABLE)
        return f"gguf {packed.most_common(1)[0][0]}" if packed else "gguf"
    for kind in ("nf4", "fp4"):
        if f"{name}.quant_state.bitsandbytes__{kind}" in tensors:
            return kind
    return _PACKED.get(tensors[name].dtype[:2], "")


# ---------------------------------------------------------------------------------------------------------------------
# Metadata.


def _untold_variant(id: str, metadata: Mapping[str, str]) -> str:
    """The variant by metadata, where it is one of those that no tensor tells."""
    said = declared(metadata)
    if said in (("sd2", "512"), ("sd2", "768-v"), ("sdxl", "turbo")) and said[0] == id:
        return said[1]
    if id == "sd2":
        return {"v": "768-v", "epsilon": "512"}.get(_text(metadata, "modelspec.prediction_type"), "")
    return ""


# ---------------------------------------------------------------------------------------------------------------------
# Diffusers folders.


def _identify_folder(contents: Contents) -> Identity:
    configs = {name: config for name, config in contents.configs.items() if isinstance(config, Mapping)}
    index = configs.get("model_index", {})
    by_keys, by_configs = _find_model(contents), _by_configs(configs)
    found = next(
        (one for one in (by_keys, by_configs) if one and (one.variant or one.architecture is not UNKNOWN)), None
    )
    found = found or by_keys or by_configs or Identity("unknown")
    kind, id, variant = found.kind, found.architecture.id, found.variant
    if not variant and by_configs and by_configs.architecture.id == id:
        variant = by_configs.variant
    pipeline = _text(index, "_class_name")
    if pipeline:
        kind = "checkpoint"
        if pipeline.startswith("AltDiffusion"):
            id, variant = "none", "Alt-Diffusion"
        elif _has(index, "image_encoder") and not _has(index, "text_encoder"):
            id, variant = "none", variant if id == "none" else ""  # reads an image in place of a prompt
        elif id == "unknown" and not variant:
            id = _by_pipeline(pipeline, configs).id
    if id == "sd2" and variant in ("", "512", "768-v"):
        prediction = _text(configs.get("scheduler", {}), "prediction_type")
        variant = {"v_prediction": "768-v", "epsilon": "512"}.get(prediction, variant)
    return Identity(kind, ARCHITECTURES[id], variant, found.quantised or (by_configs.quantised if by_configs else ""))


def _has(index: Mapping[str, Any], component: str) -> bool:
    """Whether the pipeline has the component: its entry is [library, class], both null where it was left out."""
    entry = index.get(component)
    return isinstance(entry, list) and entry[:1] != [None]


def _by_configs(configs: Mapping[str, Mapping[str, Any]]) -> Identity | None:
    """By the class and the numbers of whichever component is the diffusion model."""
    for config in configs.values():
        model = _BY_CLASS.get(_text(config, "_class_name"))
        if model is not None:
            id, variant = model.by_config(config) if model.by_config is not None else model.told
            return Identity(model.kind or "diffusion-model", ARCHITECTURES[id], variant, _config_packing(config))
    for config in configs.values():
        if _text(config, "_class_name").startswith("Autoencoder"):
            return Identity("vae")
        if encoder_id_of(_number(config, "num_hidden_layers") or 0):
            return Identity("text-encoder")
    return None


def _by_pipeline(class_name: str, configs: Mapping[str, Mapping[str, Any]]) -> Architecture:
    """By the pipeline's class, where the diffusion model has told nothing."""
    blocks = (_number(configs.get(name, {}), "num_hidden_layers") for name in ("text_encoder", "text_encoder_2"))
    ids = {encoder_id_of(count) for count in blocks if count is not None} - {None}
    return by_pipeline(class_name, [id for id in ids if id is not None])


def _text(mapping: Mapping[str, Any], name: str) -> str:
    """The string of this name; "" where there is none, or something else."""
    value = mapping.get(name)
    return value if isinstance(value, str) else ""


def _config_packing(config: Mapping[str, Any]) -> str:
    quantisation = config.get("quantization_config")
    if not isinstance(quantisation, Mapping):
        return ""
    if quantisation.get("load_in_8bit") is True:
        return "int8"
    for name in ("bnb_4bit_quant_type", "quant_type", "quant_method"):
        if value := _text(quantisation, name):
            return value[:20]
    return ""


# ---------------------------------------------------------------------------------------------------------------------
# LoRAs and textual inversions.


def _find_lora(contents: Contents) -> Identity | None:
    told = lora_told(contents.tensors)
    if told is None:
        return None
    (id, variant), said = told, declared(contents.metadata)
    if told == FLUX_OR_CHROMA:
        id = "chroma" if said[0] == "chroma" else "flux"
    if id == "unknown" and not variant:
        id, variant = said
    elif not variant and said[0] == id:
        variant = said[1]
    return Identity("lora", ARCHITECTURES[id], variant)


# By the name of the embedding of one encoder, and its width.
_EMBEDDINGS: dict[str, dict[int, str]] = {
    "clip_g": {1280: "sdxl"},
    "clip_l": {},  # SDXL's, SD 3's or Flux's
    **{name: {768: "sd1", 1024: "sd2"} for name in ("emb_params", "string_to_param.*", "*")},
}


def _find_embedding(contents: Contents) -> Identity | None:
    tensors = contents.tensors
    name = next((name for name in _EMBEDDINGS if name in tensors), None)
    if name is None and len(tensors) == 1:  # diffusers: one tensor, by the name of the token
        name = next((name for name in tensors if name.startswith("<")), None)
    if name is None:
        return None
    id = _EMBEDDINGS.get(name, _EMBEDDINGS["*"]).get(width(tensors[name].shape, -1) or 0, "unknown")
    said = declared(contents.metadata)[0]
    return Identity("embedding", ARCHITECTURES["sd3" if (id, said) == ("sdxl", "sd3") else id])
