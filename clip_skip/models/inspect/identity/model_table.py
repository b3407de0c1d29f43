"""The table of diffusion models: the tensors and the classes that each is known by, and the parts beside one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from .declared import Told
from .variants import (
    CLIP_POOLED,
    CROSS_ATTENTIONS,
    Shapes,
    cascade_by_config,
    control_by_shapes,
    flux_by_config,
    flux_by_shapes,
    sd3_by_config,
    sd3_by_shapes,
    unet_by_config,
    unet_by_shapes,
)


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
    by_config: Callable[[Mapping[str, object]], Told] | None = None
    kind: str = ""


def _none(name: str, *keys: str, classes: str = "") -> _Model:
    """A model without a CLIP text encoder."""
    return _Model(("none", name), keys, tuple(classes.split()))


def _other(name: str, *keys: str, classes: str = "", kind: str = "") -> _Model:
    """A model that has a name, but no architecture here: it reads CLIP in a way of its own, or it is no whole model."""
    return _Model(("unknown", name), keys, tuple(classes.split()), kind=kind)


_DUAL = "transformer_blocks.0.attn.add_q_proj.weight "  # diffusers: text and image tokens in one attention

# The first row that fits counts, so a row stands before the ones whose keys it has too.
_MODELS = (
    _Model(
        ("unknown", ""),
        (
            *("input_hint_block.0.weight", "controlnet_cond_embedding.conv_in.weight", "lora_controlnet"),
            *("controlnet_x_embedder.weight", "controlnet_blocks.0.weight", "controlnet_down_blocks.0.weight"),
        ),
        ("ControlNetModel",),
        control_by_shapes,
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
        ("joint_blocks.0.context_block.attn.qkv.weight", f"{_DUAL}pos_embed.proj.weight {CLIP_POOLED}"),
        ("SD3Transformer2DModel",),
        sd3_by_shapes,
        sd3_by_config,
    ),
    _other(
        "HunyuanVideo",
        "img_in.proj.weight txt_in.individual_token_refiner.blocks.0.norm1.weight vector_in.in_layer.bias",
        f"{_DUAL}context_embedder.token_refiner.refiner_blocks.0.norm1.weight {CLIP_POOLED}",
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
            f"{_DUAL}single_transformer_blocks.0.attn.to_q.weight {CLIP_POOLED}",
        ),
        ("FluxTransformer2DModel",),
        flux_by_shapes,
        flux_by_config,
    ),
    _Model(("hidream", ""), ("double_stream_blocks.0.block.attn1.to_q.weight",), ("HiDreamImageTransformer2DModel",)),
    _Model(("cascade", "stage-c"), ("clip_txt_mapper.weight",), ("StableCascadeUNet",), by_config=cascade_by_config),
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
    _Model(("unknown", ""), CROSS_ATTENTIONS, ("UNet2DConditionModel",), unet_by_shapes, unet_by_config),
)
BY_CLASS = {name: model for model in _MODELS for name in model.classes}

# Where a file keeps its diffusion model; the last of them is a copy (EMA) whose names have lost their dots.
_EMA = "model_ema.diffusion_model"
_PREFIXES = (
    *("model.diffusion_model.", "", "diffusion_model.", "model.", "net.", "model.model.", "transformer.", "unet."),
    *("control_model.", "controlnet."),
    *("unet/", "transformer/", "prior/", "decoder/", "controlnet/"),  # a diffusers folder's components
    _EMA,
)


def full_name(prefix: str, name: str) -> str:
    return prefix + (name.replace(".", "") if prefix == _EMA else name)


class _Clue(NamedTuple):
    """One way to find one model: a name in full, the others that must be there too, and the prefix of them all."""

    name: str
    others: tuple[str, ...]
    prefix: str
    short: str
    model: _Model


@cache
def clues() -> tuple[_Clue, ...]:
    """Each name of each model under each prefix, in the order in which they count."""
    return tuple(
        _Clue(full_name(prefix, short), tuple(full_name(prefix, other) for other in others), prefix, short, model)
        for model in _MODELS
        for prefix in _PREFIXES
        for short, *others in map(str.split, model.keys)
    )


# Models that a part beside the diffusion model tells: the UNet of these is SD's own.
BY_COMPANION: tuple[tuple[Told, str], ...] = (
    (("none", "Alt-Diffusion"), "cond_stage_model.roberta.embeddings.word_embeddings.weight"),
    (("none", "Zero123"), "cc_projection.weight"),
)

_HF, _OPEN_CLIP = "encoder.layers.0.layer_norm1.weight", "transformer.resblocks.0.ln_1.weight"
_T5 = "encoder.block.0.layer.0.SelfAttention.q.weight"

# Parts of a checkpoint that may also be all that a file holds. The bare names come last: others end like them.
PARTS: tuple[tuple[str, Told, str], ...] = (
    ("text-encoder", ("sd1", ""), f"cond_stage_model.transformer.text_model.{_HF}"),
    ("text-encoder", ("sd1", ""), f"cond_stage_model.transformer.{_HF}"),  # NovelAI's, and transformers >= 5
    ("text-encoder", ("sd2", ""), f"cond_stage_model.model.{_OPEN_CLIP}"),
    ("text-encoder", ("sdxl", ""), f"conditioner.embedders.1.model.{_OPEN_CLIP}"),
    ("text-encoder", ("sdxl", ""), f"conditioner.embedders.0.transformer.text_model.{_HF}"),
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
COMPANIONS = tuple(name for _, _, name in PARTS)
CLIP_BY_WIDTH = {768: "CLIP-L", 1024: "CLIP-H", 1280: "CLIP-G"}
PARTS += (
    ("text-encoder", ("unknown", "CLIP"), f"text_model.{_HF}"),
    ("text-encoder", ("unknown", "CLIP"), f"text_encoder.text_model.{_HF}"),
    ("text-encoder", ("unknown", "CLIP"), _HF),
    ("text-encoder", ("unknown", "CLIP"), _OPEN_CLIP),
    ("text-encoder", ("unknown", "T5"), _T5),
    ("text-encoder", ("unknown", "T5"), "enc.blk.0.attn_q.weight"),  # llama.cpp's names
    ("text-encoder", ("unknown", ""), "blk.0.attn_q.weight"),
    ("text-encoder", ("unknown", ""), "model.layers.0.self_attn.q_proj.weight"),
    ("vae", ("unknown", ""), "decoder.conv_in.weight"),
    ("vae", ("unknown", ""), "decoder.middle.0.residual.0.gamma"),
)
