"""A checkpoint's architecture, from a header written here with the names and shapes of the real files."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.inspect.header import read_shapes
from clip_skip.inspect.identify import identify

L = "text_model.encoder.layers.0.layer_norm1.weight"
UNET = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


def safetensors(path, shapes):
    header = {name: {"dtype": "F16", "shape": list(shape), "data_offsets": [0, 0]} for name, shape in shapes.items()}
    text = json.dumps({"__metadata__": {"title": "x"}, **header}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    return path


@pytest.mark.parametrize(
    "shapes, expected",
    [
        ({f"cond_stage_model.transformer.{L}": (768,), UNET: (320, 768)}, "sd1"),
        ({"cond_stage_model.model.transformer.resblocks.0.ln_1.weight": (1024,), UNET: (320, 1024)}, "sd2"),
        (
            {
                f"conditioner.embedders.0.transformer.{L}": (768,),
                "conditioner.embedders.1.model.transformer.resblocks.0.ln_1.weight": (1280,),
                UNET: (640, 2048),
            },
            "sdxl",
        ),
        ({"conditioner.embedders.0.model.transformer.resblocks.0.ln_1.weight": (1280,)}, "sdxl-refiner"),
        (
            {
                f"text_encoders.clip_l.transformer.{L}": (768,),
                "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": (1, 1),
            },
            "sd3",
        ),
        (
            {"model.diffusion_model.double_blocks.0.img_attn.qkv.weight": (1, 1), f"text_encoders.clip_l.{L}": (1,)},
            "flux",
        ),
        ({"double_blocks.0.img_attn.qkv.weight": (1, 1)}, "flux"),
        ({"double_blocks.0.img_attn.qkv.weight": (1, 1), "distilled_guidance_layer.in_proj.weight": (1, 1)}, "chroma"),
        ({"cond_stage_model.roberta.embeddings.word_embeddings.weight": (1, 1)}, "none"),
        ({UNET: (320, 768)}, "sd1"),
        ({UNET: (640, 2048)}, "sdxl"),
        ({UNET: (640, 4096)}, "unknown"),
        ({"vae.weight": (1,)}, "unknown"),
    ],
)
def test_single_files(tmp_path, shapes, expected):
    assert identify(safetensors(tmp_path / "model.safetensors", shapes)).id == expected


@pytest.mark.parametrize(
    "class_name, encoders, expected",
    [
        ("StableDiffusionPipeline", {"text_encoder": 12}, "sd1"),
        ("StableDiffusionPipeline", {"text_encoder": 23}, "sd2"),
        ("StableDiffusionXLPipeline", {"text_encoder": 12, "text_encoder_2": 32}, "sdxl"),
        ("StableDiffusion3Pipeline", {"text_encoder": 12, "text_encoder_2": 32}, "sd3"),
        ("FluxPipeline", {"text_encoder": 12}, "flux"),
    ],
)
def test_diffusers_folders(tmp_path, class_name, encoders, expected):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": class_name}))
    for name, blocks in encoders.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({"num_hidden_layers": blocks}))
    assert identify(tmp_path).id == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 8,
        (10**18).to_bytes(8, "little"),
        (2).to_bytes(8, "little") + b"{",
        b"PK\3\4rest of a zip",
    ],
)
def test_a_hostile_header_is_unknown(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert identify(path).id == "unknown"
    with pytest.raises(ValueError):
        read_shapes(path)


@given(text=st.recursive(st.none() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))
def test_any_json_is_no_crash(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("fuzz") / "model.safetensors"
    body = json.dumps(text).encode()
    path.write_bytes(len(body).to_bytes(8, "little") + body)
    assert identify(path).id == "unknown"


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "model.ckpt"
    path.write_bytes(b"\x80\x02cos\nsystem\n")
    assert identify(path).id == "unknown"


def test_a_changed_file_is_read_again(tmp_path):
    path = safetensors(tmp_path / "model.safetensors", {UNET: (320, 768)})
    assert identify(path).id == "sd1"
    safetensors(path, {UNET: (640, 2048)})
    os.utime(path, ns=(1, 1))
    assert identify(path).id == "sdxl"
    assert identify(tmp_path / "missing.safetensors").id == "unknown"
