"""What a LoRA, or one of its kin, was trained on: told from the names of its layers, and how wide they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ....text.regex import regex
from ..formats.contents import Tensor, width
from .declared import Told

# What a trained layer's tensors are called after the layer's own name: LoRA (kohya, PEFT, diffusers), LoHa, LoKr, OFT,
# IA3, GLoRA, full differences.
_FACTORS = {
    *("lora_down", "lora_up", "lora_A", "lora_B", "down", "up", "diff", "dora_scale", "oft_blocks", "oft_diag"),
    *("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "on_input"),
    *("a1", "a2", "b1", "b2", "w_norm", "b_norm"),
    *("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"),
}
_UNET_LAYER = (
    r"(?:(?:in|out)put_blocks_\d+_\d+|middle_block_1|(?:down|up)_blocks_\d+_attentions_\d+|mid_block_attentions_\d+)"
    r"_transformer_blocks_"
)


# What may stand before the name of a transformer's layer.
_TOP = r"^(?:(?:lora_unet|lora_transformer|lycoris|transformer|diffusion_model|base_model_model|unet)_)*"
_TOKENS = _TOP + r"transformer_blocks_{}_attn_(?:to|add)_[qkv](?:_proj)?$"
_CLIP_LAYER = r"_text_model_encoder_layers_\d+_(?:self_attn_(?:[qkv]|out)_proj|mlp_fc1)$"
# PEFT's names of an adapter, between the factor's and the end: "lora_A.default.weight".
_ADAPTER = regex(r"(?<=\.lora_[AB])\.[^.]{1,100}$")
FLUX_OR_CHROMA: Told = ("flux or chroma", "")

# How a LoRA's model is known: a pattern in a layer's name, and what it means, if need be by the width of what the layer
# takes. In order, on names with underscores for dots.
_LORAS: tuple[tuple[str, Told | dict[int, Told]], ...] = (
    (
        _UNET_LAYER + r"\d+_attn2_(?:processor_)?to_[kv]$",
        {768: ("sd1", ""), 1024: ("sd2", ""), 1280: ("sdxl-refiner", ""), 2048: ("sdxl", "")},
    ),
    (_UNET_LAYER + r"[4-9]_", ("sdxl", "")),  # no other UNet is as deep
    (r"^lora_prior_(?:unet|te)_", ("cascade", "")),
    (_TOP + r"(?:double|single)_stream_blocks_\d+_block_", ("hidream", "")),
    (_TOP + r"(?:joint_transformer_blocks|double_layers)_\d+_attn_", ("none", "AuraFlow")),
    (_TOP + r"joint_blocks_\d+_(?:context|x)_block_", ("sd3", "")),
    (_TOP + r"transformer_blocks_\d+_(?:img|txt)_(?:mod|mlp)_", ("none", "Qwen-Image")),
    (_TOKENS.format(r"(?:19|[2-5]\d)"), {3072: ("none", "Qwen-Image")}),  # has 60 blocks, where Flux has 19
    (_TOP + r"double_blocks_(?:\d+_(?:img|txt)_(?:mlp_fc|mod_linear)|19_)", ("unknown", "HunyuanVideo")),
    (_TOP + r"(?:double|single)_stream_modulation_", ("none", "Flux.2")),
    # Chroma has Flux's layers, but not their modulation.
    (_TOP + r"(?:double_blocks_\d+_(?:img|txt)_mod|single_blocks_\d+_modulation)_lin$", {3072: ("flux", "")}),
    (_TOP + r"single_transformer_blocks_\d+_norm_linear$", {3072: ("flux", "")}),
    (_TOP + r"(?:double_blocks_\d+_(?:img|txt)_attn_|single_blocks_\d+_linear1$)", {3072: FLUX_OR_CHROMA}),
    (_TOP + r"single_transformer_blocks_\d+_(?:attn_|proj_mlp)", {3072: FLUX_OR_CHROMA}),
    (_TOKENS.format(r"\d+"), {1536: ("sd3", ""), 2432: ("sd3", ""), 3072: FLUX_OR_CHROMA}),
    (_TOP + r"transformer_blocks_\d+_attn[12]_to_[qkv]$", {1152: ("none", "PixArt")}),
    (_TOP + r"blocks_\d+_(?:cross|self)_attn_[qkvo]$", ("none", "Wan")),
    (_TOP + r"layers_\d+_attention_qkv$", {2304: ("none", "Lumina 2"), 3840: ("none", "Z-Image")}),
    (_TOP + r"layers_\d+_attention_to_[qkv]$", {3840: ("none", "Z-Image")}),
    # Text encoders alone. kohya's "te" is SD 1.x's or 2.x's only encoder; "te1" and "te2" belong to models with more.
    (r"^(?:lora_te3|text_encoder_3)_", ("sd3", "")),
    (r"^(?:lora_te2|text_encoder_2)" + _CLIP_LAYER, {1280: ("sdxl", "")}),
    (r"^lora_te" + _CLIP_LAYER, {768: ("sd1", ""), 1024: ("sd2", "")}),
    (r"^text_encoder" + _CLIP_LAYER, {1024: ("sd2", "")}),
)


def _layers(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, tuple[int, ...]]]:
    """The shapes of each trained layer's factors, by the layer's name with underscores for dots."""
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, tensor in tensors.items():
        layer, _, factor = _ADAPTER.sub("", name.removesuffix(".weight")).removesuffix(".default").rpartition(".")
        if factor in _FACTORS:
            if factor in ("down", "up"):  # diffusers' own, before PEFT: "to_k_lora.down", "to_k.lora.down"
                layer = layer.removesuffix("_linear_layer").removesuffix("lora")[:-1]
            layers.setdefault(layer.replace(".", "_"), {})[factor] = tensor.shape
    return layers


def lora_told(tensors: Mapping[str, Tensor]) -> Told | None:
    """The architecture and variant of the LoRA that has these tensors; None if they are no LoRA's.

    `FLUX_OR_CHROMA` where it has only layers that both have.
    """
    layers = _layers(tensors)
    if not layers:
        return None
    text = "\n".join(layers)
    for pattern, told in _LORAS:
        for layer in _lines(pattern, text):
            if not isinstance(told, dict):
                return told
            taken = _input_width(layers.get(layer, {}))
            if taken in told:
                return told[taken]
    return "unknown", ""


def _lines(pattern: str, text: str) -> Iterator[str]:
    """The lines in which the pattern is found."""
    for match in re.finditer(pattern, text, re.MULTILINE):
        end = text.find("\n", match.end())
        yield text[text.rfind("\n", 0, match.start()) + 1 : end if end >= 0 else len(text)]


def _input_width(factors: Mapping[str, tuple[int, ...]]) -> int | None:
    """How many numbers the layer takes, where its factors tell."""
    for name in ("lora_down", "lora_A", "down", "hada_w1_b", "diff", "a1"):
        if name in factors:
            return width(factors[name])
    first = width(factors.get("lokr_w1") or factors.get("lokr_w1_b"))
    second = width(factors.get("lokr_w2") or factors.get("lokr_w2_b"))
    return first * second if first is not None and second is not None else None
