"""Text encoders from files in every layout, against the transformers model whose weights were written there."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from clip_skip.drift.stored_encoders import load_encoder, stored_encoders
from clip_skip.models.inspect.formats.contents import ContentsError, Numbers
from clip_skip.models.inspect.formats.reader import read_contents
from minihost import encoders, weights
from tests.inspect.files import write_gguf, write_safetensors

from .conftest import ids_for

LAYOUTS = [name for name in weights.ARCHITECTURES if name != "flux"]
CASES = [(name, id) for name in LAYOUTS for id in weights.ARCHITECTURES[name].prefixes if id != "t5"]


def hidden(model, ids):
    with torch.no_grad():
        return torch.stack(model(input_ids=ids, output_hidden_states=True).hidden_states)


def loaded(path, encoder):
    contents = read_contents(path)
    return load_encoder(contents, stored_encoders(contents)[encoder])


def state_of(encoder, name="some"):
    return {key: value.contiguous() for key, value in weights.encoder_state(name, encoder).items()}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    for name in LAYOUTS:
        weights.write_file(folder / f"{name}.safetensors", weights.ARCHITECTURES[name])
        weights.write_folder(folder / name, weights.ARCHITECTURES[name])
    return folder


@pytest.mark.parametrize("suffix", [".safetensors", ""])
@pytest.mark.parametrize("architecture, encoder", CASES)
def test_every_layout(checkpoints, architecture, encoder, suffix):
    """A single file has Hugging Face's names for CLIP-L and SD 3, OpenCLIP's for the others; a folder has its own."""
    path = checkpoints / f"{architecture}{suffix}"
    contents = read_contents(path)
    assert set(stored_encoders(contents)) == {id for id in weights.ARCHITECTURES[architecture].prefixes if id != "t5"}
    blocks = 23 if (encoder, suffix) == ("h", "") else weights.SPECS[encoder].layers
    expected = encoders.clip_model(encoder, weights.encoder_state(architecture, encoder), layers=blocks)
    ids, _ = ids_for(architecture, encoder)
    model = loaded(path, encoder)
    assert torch.equal(hidden(model, ids), hidden(expected, ids))
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).last_hidden_state, expected(input_ids=ids).last_hidden_state)


def test_open_clip_names_run_as_open_clip_runs(checkpoints):
    """Against OpenCLIP's own way to compute: one joined matrix for q, k and v in torch's attention."""
    state = weights.to_openclip(weights.encoder_state("sdxl-refiner", "g"), 32)
    model = encoders.OpenClipText(weights.SPECS["g"], state)
    ids, _ = ids_for("sdxl-refiner", "g")
    with torch.no_grad():
        x = (model.token_embedding(ids) + model.positional_embedding).permute(1, 0, 2)
        states = [x]
        for block in model.transformer.resblocks:
            states.append(block(states[-1], attn_mask=model.attn_mask))
        expected = torch.stack(states).permute(0, 2, 1, 3)
    got = hidden(loaded(checkpoints / "sdxl-refiner.safetensors", "g"), ids)
    assert (got - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize(
    "prefix", ["", "text_model.", "cond_stage_model.transformer.", "clip_l.transformer.text_model."]
)
def test_names_with_and_without_text_model(tmp_path, prefix):
    """NovelAI's file and what transformers 5 saves lack it."""
    state = {prefix + key.removeprefix("text_model."): value for key, value in state_of("l").items()}
    save_file(state, tmp_path / "x.safetensors")
    ids, _ = ids_for("sd1", "l")
    expected = encoders.clip_model("l", state_of("l"))
    assert torch.equal(hidden(loaded(tmp_path / "x.safetensors", "l"), ids), hidden(expected, ids))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_and_double_weights(tmp_path, dtype):
    state = {key: value.to(dtype) for key, value in state_of("l").items()}
    save_file(state, tmp_path / "x.safetensors")
    expected = encoders.clip_model("l", {key: value.float() for key, value in state.items()})
    ids, _ = ids_for("sd1", "l")
    assert torch.equal(hidden(loaded(tmp_path / "x.safetensors", "l"), ids), hidden(expected, ids))


def test_a_folder_says_how_many_heads_and_which_activation(tmp_path):
    weights.write_folder(tmp_path / "sd1", weights.ARCHITECTURES["sd1"])
    file = tmp_path / "sd1" / "text_encoder" / "config.json"
    config = {**json.loads(file.read_text()), "num_attention_heads": 8, "hidden_act": "gelu"}
    file.write_text(json.dumps(config))
    told = loaded(tmp_path / "sd1", "l").config
    assert (told.num_attention_heads, told.hidden_act) == (8, "gelu")
    for broken in ({"num_attention_heads": 7}, {"num_attention_heads": "8"}, {"num_attention_heads": 0}):
        file.write_text(json.dumps({**config, **broken}))
        with pytest.raises(ContentsError, match=r"among .* heads"):
            loaded(tmp_path / "sd1", "l")
    file.write_text(json.dumps({**config, "hidden_act": "__import__"}))
    with pytest.raises(ContentsError, match="activation"):
        loaded(tmp_path / "sd1", "l")


def test_only_the_text_encoder_is_read(tmp_path, monkeypatch):
    state = {"cond_stage_model.transformer." + key: value.numpy() for key, value in state_of("l").items()}
    huge = {"model.diffusion_model.input_blocks.0.0.weight": ("F32", (320, 4, 3, 3, 100_000))}
    path = write_safetensors(tmp_path / "x.safetensors", {**huge, **state})
    read = []
    plain = Numbers.read

    def counted(self, tensor, first=0, count=None):
        read.append(plain(self, tensor, first, count))
        return read[-1]

    monkeypatch.setattr(Numbers, "read", counted)
    loaded(path, "l")
    assert sum(array.nbytes for array in read) == sum(array.nbytes for array in state.values())


def test_an_image_encoder_is_no_text_encoder(tmp_path):
    state = {key.replace("text_model", "vision_model"): value for key, value in state_of("l").items()}
    state.pop("vision_model.embeddings.token_embedding.weight")
    save_file(state, tmp_path / "x.safetensors")
    assert stored_encoders(read_contents(tmp_path / "x.safetensors")) == {}


def test_a_pickle_is_refused_and_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "went-off"), "w"))

    state = {"cond_stage_model.transformer." + key: value for key, value in state_of("l").items()}
    torch.save({"state_dict": state, "bomb": Bomb()}, tmp_path / "x.ckpt")
    with pytest.raises(ContentsError, match=r"pickle.*convert it to \.safetensors"):
        loaded(tmp_path / "x.ckpt", "l")
    weights.write_folder(tmp_path / "sd1", weights.ARCHITECTURES["sd1"])
    (tmp_path / "sd1" / "text_encoder" / "model.safetensors").unlink()
    torch.save({**state_of("l"), "bomb": Bomb()}, tmp_path / "sd1" / "text_encoder" / "pytorch_model.bin")
    with pytest.raises(ContentsError, match="pickle"):
        loaded(tmp_path / "sd1", "l")
    assert not (tmp_path / "went-off").exists()


def test_gguf_is_refused(tmp_path):
    path = write_gguf(tmp_path / "x.gguf", {key: value.numpy() for key, value in state_of("l").items()})
    with pytest.raises(ContentsError, match="GGUF"):
        loaded(path, "l")


FC1 = "text_model.encoder.layers.4.mlp.fc1.weight"
QUERY = "transformer.resblocks.4.attn.in_proj_weight"


@pytest.mark.parametrize(
    "open_clip, change, said",
    [
        (False, {FC1: None}, f"no tensor {FC1}"),
        (False, {FC1: (256, 127)}, "layers.4.mlp.fc1.weight has the shape"),
        (True, {QUERY: None}, f"no tensor {QUERY}"),
        (True, {QUERY: (383, 128)}, f"{QUERY} has the shape"),
        (True, {QUERY: (384,)}, f"{QUERY} has the shape"),
        (False, {"text_model.embeddings.token_embedding.weight": (5,)}, "is no matrix"),
        (False, {"text_model.embeddings.position_embedding.weight": (20, 128)}, "reads 20 tokens"),
        (False, {"text_model.embeddings.position_embedding.weight": (77, 64)}, "has the shape"),
        (False, {"text_model.embeddings.token_embedding.weight": (1000, 0)}, "can't be divided"),
    ],
)
def test_broken_encoders(tmp_path, open_clip, change, said):
    state = state_of("g" if open_clip else "l")
    state = weights.to_openclip(state, 32) if open_clip else state
    tensors = {key: value.numpy() for key, value in state.items()}
    for name, shape in change.items():
        if shape is None:
            del tensors[name]
        else:
            tensors[name] = np.zeros(shape, "f4")
    path = write_safetensors(tmp_path / "x.safetensors", tensors)
    with pytest.raises(ContentsError, match=said):
        loaded(path, "g" if open_clip else "l")


def test_packed_weights_are_refused(tmp_path):
    tensors = {key: value.numpy() for key, value in state_of("l").items()}
    tensors[FC1] = ("F8_E4M3", tensors[FC1].shape)
    path = write_safetensors(tmp_path / "x.safetensors", tensors)
    with pytest.raises(ContentsError, match="F8_E4M3"):
        loaded(path, "l")
