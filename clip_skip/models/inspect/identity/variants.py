"""The variants of one architecture, each told by the same numbers, from tensors' shapes or from a diffusers config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from ..formats.contents import width
from .declared import Told

# The shape of the tensor that has this name after the file's prefix, or None.
Shapes: TypeAlias = Callable[[str], tuple[int, ...] | None]

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
CROSS_ATTENTIONS = tuple(
    f"{block}.{_CROSS}"
    for block in (
        *("input_blocks.1.1", "input_blocks.4.1", "input_blocks.3.1", "input_blocks.2.1", "middle_block.1"),
        *("down_blocks.0.attentions.0", "down_blocks.1.attentions.0", "mid_block.attentions.0"),
    )
)
CLIP_POOLED = "time_text_embed.text_embedder.linear_1.bias"


def unet_by_shapes(shapes: Shapes, cross: str) -> Told:
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


def sd3_by_shapes(shapes: Shapes, name: str) -> Told:
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


def flux_by_shapes(shapes: Shapes, name: str) -> Told:
    guidance = shapes("guidance_in.in_layer.bias") or shapes("time_text_embed.guidance_embedder.linear_1.bias")
    return _flux(guidance is not None, width(shapes("img_in.weight") or shapes("x_embedder.weight")))


def control_by_shapes(shapes: Shapes, name: str) -> Told:
    for cross in CROSS_ATTENTIONS:
        if shapes(cross):
            return unet_by_shapes(shapes, cross)[0], ""
    if shapes(CLIP_POOLED):
        return "sd3" if shapes("pos_embed.proj.weight") else "flux", ""
    return "unknown", ""


# ---------------------------------------------------------------------------------------------------------------------
# The same from a config.


def whole_number(config: Mapping[str, object], name: str) -> int | None:
    value = config.get(name)
    while isinstance(value, list) and value:  # one per level, or one per block of each level
        value = value[-1]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def unet_by_config(config: Mapping[str, object]) -> Told:
    added = whole_number(config, "projection_class_embeddings_input_dim")
    if config.get("encoder_hid_dim_type") is not None and added != 5632:  # reads something else (Kandinsky, DeepFloyd)
        return "unknown", ""
    width, depth = whole_number(config, "cross_attention_dim"), whole_number(config, "transformer_layers_per_block")
    id, variant = _unet(width, added, whole_number(config, "in_channels"), depth)
    if id == "sd2" and not variant:
        variant = {64: "512", 96: "768-v"}.get(whole_number(config, "sample_size") or 0, "")
    return id, variant


def sd3_by_config(config: Mapping[str, object]) -> Told:
    return _sd3(
        whole_number(config, "num_layers"), bool(config.get("dual_attention_layers")), bool(config.get("qk_norm"))
    )


def flux_by_config(config: Mapping[str, object]) -> Told:
    return _flux(config.get("guidance_embeds") is True, whole_number(config, "in_channels"))


def cascade_by_config(config: Mapping[str, object]) -> Told:
    return "cascade", "stage-c" if config.get("effnet_in_channels") is None else "stage-b"
