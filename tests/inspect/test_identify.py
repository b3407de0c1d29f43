"""A model's kind, architecture and variant, from the names and shapes that real model code makes (keys/README.md)."""

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.models.inspect.formats.contents import Contents, Tensor
from clip_skip.models.inspect.identity.identify import Identity, identify, identify_contents
from clip_skip.skip.architectures import UNKNOWN

from . import files

KEYS = Path(__file__).parent / "keys"
UNET = "model.diffusion_model."
CONV_IN = f"{UNET}input_blocks.0.0.weight"


def load(name):
    """The shapes of a real model's tensors, by name."""
    return json.loads(gzip.decompress((KEYS / f"{name}.json.gz").read_bytes()))


def contents(shapes, metadata=None, format="safetensors", dtype="F16", configs=None):
    tensors = {name: Tensor(dtype, tuple(shape), 0, "model") for name, shape in shapes.items()}
    return Contents(format, tensors, metadata or {}, configs or {})


def told(shapes, metadata=None, **more):
    found = identify_contents(contents(shapes, metadata, **more))
    return found.kind, found.architecture.id, found.variant


def prefixed(prefix, shapes):
    return {prefix + name: shape for name, shape in shapes.items()}


def only(start, shapes):
    return {name: shape for name, shape in shapes.items() if name.startswith(start)}


def with_channels(name, channels):
    """The model with another number of input channels."""
    shapes = load(name)
    shapes[CONV_IN][1] = channels
    return shapes


WHOLE_FILES = {
    "sd1": ("checkpoint", "sd1", ""),
    "sd2": ("checkpoint", "sd2", ""),
    "sd2-unclip-h": ("checkpoint", "sd2", "unclip-h"),
    "sd2-unclip-l": ("checkpoint", "sd2", "unclip-l"),
    "sd2-x4": ("checkpoint", "sd2", "x4-upscaler"),
    "sdxl": ("checkpoint", "sdxl", ""),
    "refiner": ("checkpoint", "sdxl-refiner", ""),
    "alt": ("checkpoint", "none", "Alt-Diffusion"),
    "alt-m18": ("checkpoint", "none", "Alt-Diffusion"),
    "sd1.unet": ("diffusion-model", "sd1", ""),
    "tiny-sd.unet": ("diffusion-model", "sd1", ""),
    "sd2.unet": ("diffusion-model", "sd2", ""),
    "sdxl.unet": ("diffusion-model", "sdxl", ""),
    "kolors.unet": ("diffusion-model", "none", "Kolors"),
    "ssd-1b.orig": ("diffusion-model", "sdxl", "ssd-1b"),
    "vega.orig": ("diffusion-model", "sdxl", "vega"),
    "koala-700m.orig": ("diffusion-model", "sdxl", "koala-700m"),
    "svd.orig": ("diffusion-model", "none", "Stable Video Diffusion"),
    "sd3-medium.orig": ("diffusion-model", "sd3", "3-medium"),
    "sd3-medium.transformer": ("diffusion-model", "sd3", "3-medium"),
    "sd3.5-medium.orig": ("diffusion-model", "sd3", "3.5-medium"),
    "sd3.5-large.orig": ("diffusion-model", "sd3", "3.5-large"),
    "flux-dev.orig": ("diffusion-model", "flux", "dev"),
    "flux-dev.transformer": ("diffusion-model", "flux", "dev"),
    "flux-schnell.orig": ("diffusion-model", "flux", "schnell"),
    "chroma.orig": ("diffusion-model", "chroma", ""),
    "chroma.transformer": ("diffusion-model", "chroma", ""),
    "cascade-c.orig": ("diffusion-model", "cascade", "stage-c"),
    "cascade-b.orig": ("diffusion-model", "cascade", "stage-b"),
    "hidream.orig": ("diffusion-model", "hidream", ""),
    "pixart-sigma.orig": ("diffusion-model", "none", "PixArt"),
    "pixart-sigma.transformer": ("diffusion-model", "none", "PixArt"),
    "auraflow.orig": ("diffusion-model", "none", "AuraFlow"),
    "auraflow.transformer": ("diffusion-model", "none", "AuraFlow"),
    "lumina2.orig": ("diffusion-model", "none", "Lumina 2"),
    "lumina2.transformer": ("diffusion-model", "none", "Lumina 2"),
    "omnigen2.orig": ("diffusion-model", "none", "OmniGen 2"),
    "z-image.transformer": ("diffusion-model", "none", "Z-Image"),
    "qwen-image.transformer": ("diffusion-model", "none", "Qwen-Image"),
    "hunyuandit.orig": ("diffusion-model", "none", "HunyuanDiT"),
    "hunyuandit.transformer": ("diffusion-model", "none", "HunyuanDiT"),
    "flux2.transformer": ("diffusion-model", "none", "Flux.2"),
    "wan.orig": ("diffusion-model", "none", "Wan"),
    "wan.transformer": ("diffusion-model", "none", "Wan"),
    "ltx.orig": ("diffusion-model", "none", "LTX"),
    "ltx.transformer": ("diffusion-model", "none", "LTX"),
    "cosmos.orig": ("diffusion-model", "none", "Cosmos"),
    "cosmos.transformer": ("diffusion-model", "none", "Cosmos"),
    "mochi.orig": ("diffusion-model", "none", "Mochi"),
    "sana.transformer": ("diffusion-model", "none", "Sana"),
    "cogview4.transformer": ("diffusion-model", "none", "CogView"),
    # It reads CLIP's pooled vector beside LLaMA, so "no CLIP" would be wrong.
    "hunyuan-video.orig": ("diffusion-model", "unknown", "HunyuanVideo"),
    "hunyuan-video.transformer": ("diffusion-model", "unknown", "HunyuanVideo"),
    "sd1.controlnet": ("controlnet", "sd1", ""),
    "sd1.controlnet.orig": ("controlnet", "sd1", ""),
    "sdxl.controlnet": ("controlnet", "sdxl", ""),
    "sd3.controlnet": ("controlnet", "sd3", ""),
    "flux.controlnet": ("controlnet", "flux", ""),
    "motion": ("unknown", "unknown", "AnimateDiff"),
    "sd1.vae": ("vae", "unknown", ""),
    "clip-l.te": ("text-encoder", "unknown", "CLIP-L"),
    "clip-h.te": ("text-encoder", "unknown", "CLIP-H"),
    "clip-g.te": ("text-encoder", "unknown", "CLIP-G"),
    "t5.te": ("text-encoder", "unknown", "T5"),
}


def test_every_list_of_keys_is_in_the_table():
    assert {path.name.removesuffix(".json.gz") for path in KEYS.glob("*.gz")} == set(WHOLE_FILES)


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_model_is_known_by_its_keys(name):
    assert told(load(name)) == WHOLE_FILES[name]


DIFFUSION_MODELS = sorted(name for name, (kind, *_) in WHOLE_FILES.items() if kind == "diffusion-model")


@pytest.mark.parametrize("prefix", [UNET, "diffusion_model.", "model.", "net.", "transformer.", "unet."])
@pytest.mark.parametrize("name", DIFFUSION_MODELS)
def test_the_prefix_makes_no_difference(name, prefix):
    assert told(prefixed(prefix, load(name))) == WHOLE_FILES[name]


@pytest.mark.parametrize("name", DIFFUSION_MODELS)
def test_with_a_text_encoder_it_is_a_checkpoint(name):
    encoder = prefixed("text_encoders.clip_l.transformer.", load("clip-l.te"))
    assert told({**encoder, **prefixed(UNET, load(name))}) == ("checkpoint", *WHOLE_FILES[name][1:])


@pytest.mark.parametrize(
    "name, channels, variant",
    [
        *(("sd1", 9, "inpainting"), ("sd1", 8, "instruct-pix2pix")),
        *(("sd2", 9, "inpainting"), ("sd2", 5, "depth")),
        *(("sdxl", 9, "inpainting"), ("sdxl", 8, "edit")),
    ],
)
def test_input_channels_tell_the_variant(name, channels, variant):
    assert told(with_channels(name, channels)) == ("checkpoint", name, variant)


def test_flux_fill():
    shapes = load("flux-dev.orig")
    shapes["img_in.weight"][1] = 384
    assert told(shapes)[1:] == ("flux", "fill")


@pytest.mark.parametrize(
    "name, start, expected",
    [
        ("sd1", "cond_stage_model.", ("text-encoder", "sd1", "")),
        ("sd2", "cond_stage_model.", ("text-encoder", "sd2", "")),
        ("sdxl", "conditioner.", ("text-encoder", "sdxl", "")),
        ("sdxl", "conditioner.embedders.0.", ("text-encoder", "sdxl", "")),
        ("refiner", "conditioner.", ("text-encoder", "sdxl-refiner", "")),
        ("alt", "cond_stage_model.", ("text-encoder", "none", "Alt-Diffusion")),
        ("sd1", "first_stage_model.", ("vae", "unknown", "")),
        ("sd1", UNET, ("diffusion-model", "sd1", "")),
        ("sd2", UNET, ("diffusion-model", "sd2", "")),
        ("sdxl", UNET, ("diffusion-model", "sdxl", "")),
        ("refiner", UNET, ("diffusion-model", "sdxl-refiner", "")),
        ("sd1", UNET + "middle_block.", ("diffusion-model", "sd1", "")),
        ("sd1", UNET + "time_embed.", ("unknown", "unknown", "")),
    ],
)
def test_part_of_a_checkpoint(name, start, expected):
    assert told(only(start, load(name))) == expected


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "state_dict.", "model.", "module._orig_mod."])
@pytest.mark.parametrize("name", ["sd1", "sdxl", "sdxl.unet", "flux-dev.orig"])
def test_what_is_wrapped_as_a_whole(name, wrapper):
    assert told(prefixed(wrapper, load(name))) == WHOLE_FILES[name]
    assert told({**prefixed(wrapper, load(name)), "other": [1]})[1] in ("unknown", WHOLE_FILES[name][1])


def test_an_ema_copy_alone():
    def ema(shapes):
        return {f"model_ema.diffusion_model{name[len(UNET) :].replace('.', '')}": s for name, s in shapes.items()}

    assert told(ema(only(UNET, load("sd1")))) == ("diffusion-model", "sd1", "")
    assert told(ema(only(UNET, load("sdxl")))) == ("diffusion-model", "sdxl", "")
    assert told(ema(only(UNET, with_channels("sd1", 9)))) == ("diffusion-model", "sd1", "inpainting")


def test_novelais_names_of_the_text_encoder():
    old = {name.replace("transformer.text_model.", "transformer."): shape for name, shape in load("sd1").items()}
    assert told(old) == ("checkpoint", "sd1", "")
    assert told(only("cond_stage_model.", old)) == ("text-encoder", "sd1", "")


def test_a_controlnet_with_its_checkpoint_is_a_controlnet():
    shapes = {**load("sd1"), **prefixed("control_model.", load("sd1.controlnet.orig"))}
    assert told(shapes) == ("controlnet", "sd1", "")


def test_a_unet_that_reads_images():
    assert told({**with_channels("sd1", 8), "cc_projection.weight": [768, 772]})[1:] == ("none", "Zero123")


def test_an_unknown_width_of_context_is_no_architecture():
    shapes = {name: [s[0], 4096] if "attn2.to_" in name else s for name, s in load("sd1.unet").items()}
    assert told(shapes) == ("diffusion-model", "unknown", "")


def test_what_is_no_diffusion_model():
    assert told({}) == ("unknown", "unknown", "")
    assert told({"model.weight": [1]}) == ("unknown", "unknown", "")
    assert told({"ip_adapter.1.to_k_ip.weight": [320, 768]}) == ("unknown", "unknown", "IP-Adapter")


# --- quantised


def nf4(shapes):
    """As bitsandbytes saves it: matrices as bytes in a column, each with its state beside it."""
    packed = {}
    for name, shape in shapes.items():
        if len(shape) == 2 and name.endswith(".weight"):
            packed[name] = [shape[0] * shape[1] // 2, 1]
            packed[f"{name}.quant_state.bitsandbytes__nf4"] = [90]
        else:
            packed[name] = shape
    return packed


@pytest.mark.parametrize(
    "name",
    [*("sd1", "sd2", "sdxl", "refiner", "flux-dev.orig", "flux-schnell.orig", "ssd-1b.orig", "sd2.unet", "sdxl.unet")],
)
def test_nf4(name):
    found = identify_contents(contents(nf4(load(name))))
    assert (found.kind, found.architecture.id, found.variant) == WHOLE_FILES[name]
    assert found.quantised == "nf4"


def test_nf4_inpainting():
    assert told(nf4(with_channels("sd1", 9))) == ("checkpoint", "sd1", "inpainting")


@pytest.mark.parametrize(
    "format, dtype, quantised",
    [
        *(("safetensors", "F16", ""), ("safetensors", "BF16", ""), ("pickle", "F32", "")),
        *(("safetensors", "F8_E4M3", "fp8"), ("safetensors", "F8_E5M2", "fp8"), ("safetensors", "I8", "int8")),
        *(("gguf", "Q4_0", "gguf Q4_0"), ("gguf", "Q8_0", "gguf Q8_0"), ("gguf", "F16", "gguf")),
    ],
)
def test_types(format, dtype, quantised):
    for name in ("sdxl.unet", "flux-dev.orig"):
        assert identify_contents(contents(load(name), format=format, dtype=dtype)).quantised == quantised


def test_a_gguf_of_mixed_types_is_named_by_the_commonest_packed_one():
    mixed = contents(load("flux-dev.orig"), format="gguf", dtype="F32")
    for number, name in enumerate(list(mixed.tensors)[:100]):
        mixed.tensors[name] = mixed.tensors[name]._replace(dtype="Q4_K" if number < 80 else "Q6_K")
    found = identify_contents(mixed)
    assert (found.architecture.id, found.variant, found.quantised) == ("flux", "dev", "gguf Q4_K")


# --- metadata


@pytest.mark.parametrize(
    "name, metadata, variant",
    [
        ("sd2", {"modelspec.architecture": "stable-diffusion-v2-512"}, "512"),
        ("sd2", {"modelspec.architecture": "stable-diffusion-v2-768-v"}, "768-v"),
        ("sd2", {"modelspec.prediction_type": "v"}, "768-v"),
        ("sd2", {"modelspec.prediction_type": "epsilon"}, "512"),
        ("sdxl", {"modelspec.architecture": "stable-diffusion-xl-turbo-v1"}, "turbo"),
        # What the tensors contradict is not believed.
        ("sd2", {"modelspec.architecture": "stable-diffusion-v2-depth"}, ""),
        ("sd1", {"modelspec.architecture": "stable-diffusion-v1-inpainting"}, ""),
        ("sd1", {"modelspec.architecture": "stable-diffusion-xl-turbo-v1", "modelspec.prediction_type": "v"}, ""),
        ("sdxl", {"modelspec.architecture": "stable-diffusion-v1", "ss_base_model_version": "sd_v1"}, ""),
        ("flux-dev.orig", {"modelspec.architecture": "flux-1-schnell"}, "dev"),
    ],
)
def test_metadata_adds_only_what_tensors_leave_open(name, metadata, variant):
    assert told(load(name), metadata) == (*WHOLE_FILES[name][:2], variant)


def test_a_text_encoder_below_its_name():
    assert told(prefixed("text_encoder.", load("clip-l.te"))) == ("text-encoder", "unknown", "CLIP-L")


TE, ATTENTION = "text_model_encoder_layers_0_", "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"


@pytest.mark.parametrize(
    "shapes, architecture",
    [
        ({f"lora_te_{TE}mlp_fc1.lora_down.weight": [8, 768]}, "sd1"),
        ({f"lora_te_{TE}self_attn_out_proj.lora_down.weight": [8, 1024]}, "sd2"),
        ({f"lora_te2_{TE}mlp_fc1.lora_down.weight": [8, 1280]}, "sdxl"),
        ({f"unet.{ATTENTION}.lora_A.default_0.weight": [8, 2048]}, "sdxl"),
        ({f"base_model.model.{ATTENTION}.lora_A.my-adapter.weight": [8, 768]}, "sd1"),
        ({f"lora_unet_{ATTENTION.replace('.', '_')}.{part}.weight": [8, 768] for part in ("a1", "a2")}, "sd1"),
        ({f"lora_unet_{ATTENTION.replace('.', '_')}.w_norm": [8]}, "unknown"),
    ],
)
def test_other_layers_and_names_of_a_lora(shapes, architecture):
    assert told(shapes) == ("lora", architecture, "")


def test_metadata_alone_makes_no_model():
    assert told({"x": [1]}, {"modelspec.architecture": "stable-diffusion-v1"}) == ("unknown", "unknown", "")


# --- LoRA


def lora(names, prefix, rank=8, dots=".", down="lora_down", up="lora_up", only=""):
    """A LoRA on a model's matrices, by kohya's rule: the prefix, and the module's name with other dots."""
    shapes = {}
    for name, shape in load(names).items():
        module = name.removesuffix(".weight")
        if name != module and len(shape) in (2, 4) and only in name:
            layer = prefix + module.removeprefix(UNET).removeprefix("text_model.").replace(".", dots)
            shapes[f"{layer}.{down}.weight"] = [rank, *shape[1:]]
            shapes[f"{layer}.{up}.weight"] = [shape[0], rank] + [1] * (len(shape) - 2)
            shapes[f"{layer}.alpha"] = []
    assert shapes
    return shapes


def kohya(names, prefix="lora_unet_", only=""):
    return lora(names, prefix, dots="_", only=only)


def peft(names, prefix, only=""):
    return lora(names, prefix, down="lora_A", up="lora_B", only=only)


def kohya_te(name, prefix):
    return kohya(name, f"{prefix}text_model_", "encoder.layers.")


def attention(names):
    """The transformers of SD's UNets, which is what kohya trains."""
    return kohya(names, only="transformer_blocks.")


def old_diffusers(layer, processor, separator):
    """As diffusers saved LoRAs itself: the attention processor's layers, with "down" and "up"."""
    return {
        name.replace(layer, processor)
        .replace(".lora_A", f"{separator}.down")
        .replace(".lora_B", f"{separator}.up"): shape
        for name, shape in peft("sd1.unet", "unet.", layer).items()
    }


LORAS = {
    "kohya sd1": (attention("sd1.unet"), "sd1"),
    "kohya sd1 with its text encoder": ({**attention("sd1.unet"), **kohya_te("clip-l.te", "lora_te_")}, "sd1"),
    "kohya sd2": (attention("sd2.unet"), "sd2"),
    "kohya sdxl": (kohya("sdxl", only=f"{UNET}"), "sdxl"),
    "kohya sdxl, diffusers' names": (attention("sdxl.unet"), "sdxl"),
    "kohya refiner": (kohya("refiner", only=UNET), "sdxl-refiner"),
    "kohya sd3 medium": (kohya("sd3-medium.orig", only="joint_blocks."), "sd3"),
    "kohya sd3.5 large": (kohya("sd3.5-large.orig", only="joint_blocks."), "sd3"),
    "kohya flux": (kohya("flux-dev.orig", only="_blocks."), "flux"),
    "kohya hidream": (kohya("hidream.orig", only="_stream_blocks."), "hidream"),
    "kohya cascade": (kohya("cascade-c.orig", "lora_prior_unet_", "attention"), "cascade"),
    "peft sd1": (peft("sd1.unet", "unet.", "attn"), "sd1"),
    "peft sd2": (peft("sd2.unet", "unet.", "attn"), "sd2"),
    "peft sdxl": (peft("sdxl.unet", "unet.", "attn"), "sdxl"),
    "peft sdxl with base_model": (peft("sdxl.unet", "base_model.model.", "attn"), "sdxl"),
    "peft sd3": (peft("sd3-medium.transformer", "transformer.", ".attn."), "sd3"),
    "peft flux": (peft("flux-dev.transformer", "transformer.", "transformer_blocks."), "flux"),
    "peft flux attention": (peft("flux-dev.transformer", "transformer.", ".attn."), "flux"),
    "onetrainer flux": (kohya("flux-dev.transformer", "lora_transformer_", "transformer_blocks."), "flux"),
    "simpletuner flux": (kohya("flux-dev.transformer", "lycoris_", "transformer_blocks."), "flux"),
    "comfyui flux": (peft("flux-dev.orig", "diffusion_model.", "_blocks."), "flux"),
    "lycoris sd1": (kohya("sd1.unet", "lycoris_", "attn"), "sd1"),
    "diffusers before PEFT": (old_diffusers("attn2.to_", "attn2.processor.to_", "_lora"), "sd1"),
    "diffusers on its way to PEFT": (old_diffusers("attn2.to_", "attn2.to_", ".lora"), "sd1"),
    "auraflow": (peft("auraflow.transformer", "transformer.", ".attn."), "none"),
    "pixart": (peft("pixart-sigma.transformer", "transformer.", ".attn"), "none"),
    "lumina 2": (kohya("lumina2.orig", only="layers."), "none"),
    "z-image": (peft("z-image.transformer", "diffusion_model.", "layers."), "none"),
    "qwen-image": (peft("qwen-image.transformer", "transformer.", ".attn."), "none"),
    "wan": (peft("wan.orig", "diffusion_model.", "blocks."), "none"),
    "flux.2": (peft("flux2.transformer", "transformer.", "modulation"), "none"),
    # LTX reads text of SDXL's width, in layers of nearly the same names.
    "ltx": (peft("ltx.transformer", "transformer.", "attn"), "unknown"),
    "hunyuan video": (kohya("hunyuan-video.orig", only="double_blocks."), "unknown"),
    "te of sd1 alone": (kohya_te("clip-l.te", "lora_te_"), "sd1"),
    "te of sd2 alone": (kohya_te("clip-h.te", "lora_te_"), "sd2"),
    "both te of sdxl": ({**kohya_te("clip-l.te", "lora_te1_"), **kohya_te("clip-g.te", "lora_te2_")}, "sdxl"),
    "all te of sd3": (
        {**kohya_te("clip-l.te", "lora_te1_"), **kohya_te("clip-g.te", "lora_te2_"), **kohya("t5.te", "lora_te3_")},
        "sd3",
    ),
    # CLIP-L of a model that has more than one encoder: SDXL, SD 3 or Flux.
    "te1 alone": (kohya_te("clip-l.te", "lora_te1_"), "unknown"),
    "peft text_encoder alone": (peft("clip-l.te", "text_encoder.text_model.", "encoder.layers."), "unknown"),
}


@pytest.mark.parametrize("name", LORAS)
def test_a_lora_is_known_by_its_layers(name):
    shapes, architecture = LORAS[name]
    assert told(shapes)[:2] == ("lora", architecture)


@pytest.mark.parametrize(
    "names, variant",
    [("qwen-image.transformer", "Qwen-Image"), ("pixart-sigma.transformer", "PixArt"), ("wan.transformer", "")],
)
def test_a_lora_names_a_model_without_clip(names, variant):
    assert told(peft(names, "transformer.", ".attn"))[2] == variant


def factored(kind, width, out=320):
    """The factors of one cross-attention layer, as LyCORIS names and shapes them."""
    return {
        "loha": {"hada_w1_a": [out, 4], "hada_w1_b": [4, width], "hada_w2_a": [out, 4], "hada_w2_b": [4, width]},
        "lokr": {"lokr_w1": [8, 8], "lokr_w2_a": [out // 8, 4], "lokr_w2_b": [4, width // 8]},
        "lokr of full matrices": {"lokr_w1": [8, 16], "lokr_w2": [out // 8, width // 16]},
        "lokr of factors": {
            **{"lokr_w1_a": [8, 2], "lokr_w1_b": [2, 16]},
            **{"lokr_w2_a": [out // 8, 4], "lokr_w2_b": [4, width // 16]},
        },
        "dora": {"lora_down.weight": [4, width], "lora_up.weight": [out, 4], "dora_scale": [out, 1]},
        "full": {"diff": [out, width]},
    }[kind]


@pytest.mark.parametrize("width, architecture", [(768, "sd1"), (1024, "sd2"), (2048, "sdxl"), (1152, "unknown")])
@pytest.mark.parametrize("kind", ["loha", "lokr", "lokr of full matrices", "lokr of factors", "dora", "full"])
def test_every_factorisation(kind, width, architecture):
    layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k."
    assert told(prefixed(layer, factored(kind, width)))[:2] == ("lora", architecture)


@pytest.mark.parametrize("factor", [{"oft_blocks": [4, 80, 80]}, {"weight": [640, 1], "on_input": []}])
def test_what_has_no_width_is_known_by_depth_or_metadata(factor):
    """OFT and IA3 keep nothing of a layer's input."""
    layer = "lora_unet_input_blocks_{}_1_transformer_blocks_{}_attn2_to_k."
    shallow, deep = (prefixed(layer.format(block, index), factor) for block, index in ((4, 0), (8, 9)))
    assert told(shallow)[:2] == ("lora", "unknown")
    assert told({**shallow, **deep})[:2] == ("lora", "sdxl")
    assert told(shallow, {"ss_base_model_version": "sd_v2_v"})[:2] == ("lora", "sd2")


@pytest.mark.parametrize(
    "name, metadata, expected",
    [
        ("te1 alone", {"ss_base_model_version": "sdxl_base_v1-0"}, ("sdxl", "")),
        ("te1 alone", {"modelspec.architecture": "flux-1-dev/lora"}, ("flux", "dev")),
        ("kohya flux", {"modelspec.architecture": "flux-1-dev/lora"}, ("flux", "dev")),
        ("kohya flux", {"modelspec.architecture": "flux-1-schnell/lora"}, ("flux", "schnell")),
        ("kohya sd2", {"modelspec.architecture": "stable-diffusion-v2-768-v/lora"}, ("sd2", "768-v")),
        ("kohya sd3 medium", {"modelspec.architecture": "stable-diffusion-3-medium/lora"}, ("sd3", "3-medium")),
        # The layers win.
        ("kohya sd1", {"ss_base_model_version": "sdxl_base_v1-0"}, ("sd1", "")),
        ("kohya sdxl", {"modelspec.architecture": "stable-diffusion-v1/lora"}, ("sdxl", "")),
        ("kohya flux", {"modelspec.architecture": "chroma/lora"}, ("flux", "")),
    ],
)
def test_metadata_of_a_lora(name, metadata, expected):
    assert told(LORAS[name][0], metadata)[1:] == expected


def test_only_metadata_tells_a_lora_of_chroma_from_one_of_flux():
    shapes = kohya("chroma.orig", only="_blocks.")
    assert told(shapes)[:2] == ("lora", "flux")
    assert told(shapes, {"modelspec.architecture": "chroma/lora"})[:2] == ("lora", "chroma")


# --- textual inversion


@pytest.mark.parametrize(
    "shapes, architecture",
    [
        ({"emb_params": [4, 768]}, "sd1"),
        ({"emb_params": [4, 1024]}, "sd2"),
        ({"string_to_param.*": [1, 768]}, "sd1"),
        ({"<cat>": [768]}, "sd1"),
        ({"clip_l": [4, 768], "clip_g": [4, 1280]}, "sdxl"),
        ({"clip_l": [4, 768]}, "unknown"),
        ({"emb_params": []}, "unknown"),
    ],
)
def test_an_embedding(shapes, architecture):
    assert told(shapes) == ("embedding", architecture, "")


# --- diffusers folders: what the published repositories' configs say

SD1 = {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 768, "in_channels": 4, "sample_size": 64}
SD2 = {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 1024, "in_channels": 4, "sample_size": 96}
SDXL = {
    **{"_class_name": "UNet2DConditionModel", "cross_attention_dim": 2048, "in_channels": 4},
    **{"projection_class_embeddings_input_dim": 2816, "transformer_layers_per_block": [1, 2, 10]},
}
REFINER = {
    **{"_class_name": "UNet2DConditionModel", "cross_attention_dim": 1280, "in_channels": 4},
    **{"projection_class_embeddings_input_dim": 2560, "transformer_layers_per_block": 4},
}
SD3 = {"_class_name": "SD3Transformer2DModel", "num_layers": 24}
FLUX = {"_class_name": "FluxTransformer2DModel", "guidance_embeds": True, "in_channels": 64}
L, G, H = ({"num_hidden_layers": blocks} for blocks in (12, 32, 23))

FOLDERS = {
    "sd1": ("StableDiffusionPipeline", {"unet": SD1, "text_encoder": L}, "sd1", ""),
    "sd1 without a UNet": ("StableDiffusionPipeline", {"text_encoder": L}, "sd1", ""),
    "sd1 without a text encoder": ("StableDiffusionPipeline", {"unet": SD1}, "sd1", ""),
    "sd1 inpainting": ("StableDiffusionInpaintPipeline", {"unet": {**SD1, "in_channels": 9}}, "sd1", "inpainting"),
    "instruct": (
        "StableDiffusionInstructPix2PixPipeline",
        {"unet": {**SD1, "in_channels": 8}},
        "sd1",
        "instruct-pix2pix",
    ),
    "sd2": ("StableDiffusionPipeline", {"unet": SD2, "text_encoder": H}, "sd2", "768-v"),
    "sd2 base": ("StableDiffusionPipeline", {"unet": {**SD2, "sample_size": 64}, "text_encoder": H}, "sd2", "512"),
    "sd2 depth": ("StableDiffusionDepth2ImgPipeline", {"unet": {**SD2, "in_channels": 5}}, "sd2", "depth"),
    "sd2 by its scheduler": (
        "StableDiffusionPipeline",
        {"unet": {**SD2, "sample_size": 64}, "scheduler": {"prediction_type": "v_prediction"}},
        *("sd2", "768-v"),
    ),
    "unclip": (
        "StableUnCLIPImg2ImgPipeline",
        {"unet": {**SD2, "projection_class_embeddings_input_dim": 2048}, "text_encoder": H, "image_encoder": {}},
        *("sd2", "unclip-h"),
    ),
    "sdxl": ("StableDiffusionXLPipeline", {"unet": SDXL, "text_encoder": L, "text_encoder_2": G}, "sdxl", ""),
    "sdxl without a UNet": ("StableDiffusionXLPipeline", {"text_encoder": L, "text_encoder_2": G}, "sdxl", ""),
    "sdxl inpainting": ("StableDiffusionXLInpaintPipeline", {"unet": {**SDXL, "in_channels": 9}}, "sdxl", "inpainting"),
    "refiner": ("StableDiffusionXLImg2ImgPipeline", {"unet": REFINER, "text_encoder_2": G}, "sdxl-refiner", ""),
    "ssd-1b": (
        "StableDiffusionXLPipeline",
        {"unet": {**SDXL, "transformer_layers_per_block": [[0], [2, 2], [4, 4]]}},
        *("sdxl", "ssd-1b"),
    ),
    "sd3": (
        "StableDiffusion3Pipeline",
        {"transformer": SD3, "text_encoder": L, "text_encoder_2": G},
        "sd3",
        "3-medium",
    ),
    "sd3.5 large": (
        "StableDiffusion3Pipeline",
        {"transformer": {**SD3, "num_layers": 38, "qk_norm": "rms_norm"}},
        *("sd3", "3.5-large"),
    ),
    "flux dev": ("FluxPipeline", {"transformer": FLUX, "text_encoder": L}, "flux", "dev"),
    "flux schnell": ("FluxPipeline", {"transformer": {**FLUX, "guidance_embeds": False}}, "flux", "schnell"),
    "flux fill": ("FluxFillPipeline", {"transformer": {**FLUX, "in_channels": 384}}, "flux", "fill"),
    "chroma": ("ChromaPipeline", {"transformer": {"_class_name": "ChromaTransformer2DModel"}}, "chroma", ""),
    "cascade": (
        "StableCascadePriorPipeline",
        {"prior": {"_class_name": "StableCascadeUNet", "effnet_in_channels": None}, "text_encoder": G},
        *("cascade", "stage-c"),
    ),
    "cascade's decoder": (
        "StableCascadeDecoderPipeline",
        {"decoder": {"_class_name": "StableCascadeUNet", "effnet_in_channels": 16}, "text_encoder": G},
        *("cascade", "stage-b"),
    ),
    "kolors": (
        "KolorsPipeline",
        {"unet": {**SDXL, "projection_class_embeddings_input_dim": 5632, "encoder_hid_dim_type": "text_proj"}},
        *("none", "Kolors"),
    ),
    "alt-diffusion": ("AltDiffusionPipeline", {"unet": SD1}, "none", "Alt-Diffusion"),
    "kandinsky": (
        "KandinskyV22Pipeline",
        {"unet": {**SD1, "encoder_hid_dim_type": "image_proj"}, "text_encoder": G},
        *("unknown", ""),
    ),
    # Made of SD 1.x's UNet, but there is no prompt.
    "paint by example": (
        "PaintByExamplePipeline",
        {"unet": {**SD1, "in_channels": 9}, "image_encoder": {}},
        "none",
        "",
    ),
    "pixart": ("PixArtSigmaPipeline", {"transformer": {"_class_name": "PixArtTransformer2DModel"}}, "none", "PixArt"),
    "wan": ("WanPipeline", {"transformer": {"_class_name": "WanTransformer3DModel"}}, "none", "Wan"),
    # Its name begins as Flux.1's, which reads CLIP.
    "flux.2": ("Flux2Pipeline", {"transformer": {"_class_name": "Flux2Transformer2DModel"}}, "none", "Flux.2"),
    "something new": ("BrandNewPipeline", {"text_encoder": L}, "unknown", ""),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_diffusers_folder(name):
    pipeline, configs, architecture, variant = FOLDERS[name]
    index = {"_class_name": pipeline, **{component: ["library", "Class"] for component in configs}}
    assert told({}, format="diffusers", configs={"model_index": index, **configs}) == (
        *("checkpoint", architecture),
        variant,
    )


@pytest.mark.parametrize(
    "component, name", [("unet", "sd1.unet"), ("unet", "sdxl.unet"), ("transformer", "flux-dev.transformer")]
)
def test_a_diffusers_folder_without_configs_is_known_by_its_tensors(component, name):
    index = {"_class_name": "CustomPipeline", component: ["library", "Class"]}
    found = told(prefixed(f"{component}/", load(name)), format="diffusers", configs={"model_index": index})
    assert found == ("checkpoint", *WHOLE_FILES[name][1:])


def test_a_component_alone():
    assert told({}, format="diffusers", configs={"unet": SD1}) == ("diffusion-model", "sd1", "")
    assert told({}, format="diffusers", configs={"text_encoder": L}) == ("text-encoder", "unknown", "")
    assert told({}, format="diffusers", configs={"vae": {"_class_name": "AutoencoderKL"}}) == ("vae", "unknown", "")


@pytest.mark.parametrize(
    "quantisation, expected",
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "nf4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True, "bnb_4bit_quant_type": "fp4"}, "int8"),
        ({"quant_method": "torchao"}, "torchao"),
        (["nf4"], ""),
    ],
)
def test_a_quantised_folder(quantisation, expected):
    configs = {"transformer": {**FLUX, "quantization_config": quantisation}}
    assert identify_contents(contents({}, format="diffusers", configs=configs)).quantised == expected


# --- hostile contents

NAMES = st.text() | st.sampled_from(
    [
        *(
            name
            for model in ("sd1", "sdxl.unet", "flux-dev.orig", "sd3-medium.orig")
            for name in list(load(model))[::40]
        ),
        *(f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", CONV_IN, "emb_params", "clip_g", "<x>"),
        *("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight", ".lora_A.weight"),
        *(
            "joint_blocks.0.context_block.attn.qkv.weight",
            "double_blocks.0.img_attn.qkv.weight",
            ".down.weight",
            "\n.diff",
        ),
    ]
)
SHAPES = st.lists(st.integers(0, 10**30) | st.sampled_from([768, 1024, 2048]), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("_class_name", "cross_attention_dim", "in_channels", "num_layers", "transformer_layers_per_block"),
        *("quantization_config", "encoder_hid_dim_type", "num_hidden_layers", "prediction_type", "image_encoder"),
    ]
)
CLASSES = st.sampled_from(
    ["UNet2DConditionModel", "SD3Transformer2DModel", "FluxTransformer2DModel", "StableCascadeUNet"]
)
CONFIGS = st.dictionaries(
    st.sampled_from(["model_index", "unet", "transformer", "scheduler", "text_encoder"]) | st.text(),
    JSON | st.dictionaries(FIELDS, JSON | CLASSES, max_size=5),
    max_size=4,
)


@given(
    shapes=st.dictionaries(NAMES, SHAPES, max_size=12),
    format=st.sampled_from(["safetensors", "pickle", "gguf", "diffusers"]),
    dtype=st.text(max_size=8),
    metadata=st.dictionaries(st.sampled_from(["modelspec.architecture", "ss_base_model_version"]), st.text() | JSON),
    configs=CONFIGS,
)
def test_no_contents_raise(shapes, format, dtype, metadata, configs):
    found = identify_contents(contents(shapes, metadata, format, dtype, configs))
    assert isinstance(found, Identity)
    assert found.kind in (
        "checkpoint",
        "diffusion-model",
        "text-encoder",
        "vae",
        "lora",
        "embedding",
        "controlnet",
        "unknown",
    )


# --- speed: a file is told from thousands of others while a host lists its models


class Walked(dict):
    """Counts the names that were gone over, in place of looked up."""

    names = 0

    def __iter__(self):
        for name in super().__iter__():
            self.names += 1
            yield name

    def items(self):
        return [(name, self[name]) for name in self]

    def values(self):
        return [self[name] for name in self]

    def keys(self):
        return list(self)


@pytest.mark.parametrize("name", ["sdxl", "sd1", "flux-dev.transformer"])
def test_a_checkpoint_is_not_gone_over(name):
    checkpoint = contents({**load(name), **{f"more.{number}": [1] for number in range(50_000)}})
    walked = Walked(checkpoint.tensors)
    assert identify_contents(replace(checkpoint, tensors=walked)) == identify_contents(checkpoint)
    assert walked.names == 0


# --- by path, as the hosts ask


SPARSE = {"sd1": "sd1", "sdxl": "sdxl", "sd3-medium.orig": "sd3", "chroma.orig": "chroma"}


@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.parametrize("file", ["model.safetensors", "nai-sdxl-flux-inpainting.safetensors", "x.ckpt"])
def test_the_file_name_never_matters(tmp_path, name, file):
    path = files.write_safetensors(tmp_path / file, {key: ("F16", shape) for key, shape in load(name).items()})
    assert identify(path).id == SPARSE[name]


def test_a_gguf_file(tmp_path):
    shapes = {key: ("Q4_0" if len(s) == 2 else "F32", tuple(s)) for key, s in load("sd1.unet").items()}
    assert identify(files.write_gguf(tmp_path / "model.gguf", shapes)).id == "sd1"


def test_a_folder(tmp_path):
    folder = files.write_diffusers(tmp_path / "model", "StableDiffusionXLPipeline", {"unet": SDXL, "text_encoder": L})
    assert identify(folder).id == "sdxl"


def test_a_collection_that_is_listed_again_is_not_read_again(tmp_path, monkeypatch):
    shapes = {name: ("F16", shape) for name, shape in load("sd1").items() if name.startswith(f"{UNET}input_blocks.1.1")}
    paths = [files.write_safetensors(tmp_path / f"{n}.safetensors", shapes) for n in range(600)]
    listed = [identify(path).id for path in paths]
    monkeypatch.setattr("clip_skip.models.inspect.identity.identify.read_contents", None)
    assert [identify(path).id for path in paths] == listed == ["sd1"] * 600


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "model.safetensors"
    files.write_safetensors(path, {key: ("F16", shape) for key, shape in load("sd1").items()})
    assert identify(path).id == "sd1"
    files.write_safetensors(path, {key: ("F16", shape) for key, shape in load("sdxl").items()})
    os.utime(path, ns=(1, 1))
    assert identify(path).id == "sdxl"
    path.unlink()
    assert identify(path) is UNKNOWN


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\xff" * 8, (2).to_bytes(8, "little") + b"{", b"PK\3\4rest"])
def test_a_broken_file_is_unknown(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert identify(path) is UNKNOWN
    assert identify(str(path) + "\0") is UNKNOWN
    assert identify(tmp_path) is UNKNOWN
