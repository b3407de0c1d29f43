"""The CLIP text encoders of a model file or diffusers folder, loaded alone: without the rest of the model or a WebUI.

Only .safetensors is loaded, and of it only the text encoders' bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from ..models.inspect.formats.contents import Contents, ContentsError, Numbers, Tensor
from ..models.inspect.formats.reader import read_contents
from ..skip.architectures import encoder_id_of
from .clip_tokens import LENGTH

# OpenCLIP's names for the parts of transformers' names below `text_model`, the longer ones first. q, k and v are the
# three thirds of one matrix there.
_OPEN_CLIP = (
    ("embeddings.position_embedding.weight", "positional_embedding"),
    ("embeddings.token_embedding", "token_embedding"),
    ("encoder.layers", "transformer.resblocks"),
    ("final_layer_norm", "ln_final"),
    ("layer_norm1", "ln_1"),
    ("layer_norm2", "ln_2"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
    ("self_attn.q_proj.", "attn.in_proj_"),
    ("self_attn.k_proj.", "attn.in_proj_"),
    ("self_attn.v_proj.", "attn.in_proj_"),
    ("self_attn.out_proj", "attn.out_proj"),
)
_THIRDS = {"self_attn.q_proj.": 0, "self_attn.k_proj.": 1, "self_attn.v_proj.": 2}

_TOKENS = "embeddings.token_embedding.weight"
_POSITIONS = "embeddings.position_embedding.weight"
_BLOCK = "encoder.layers.{}.layer_norm1.weight"
_INNER = "encoder.layers.0.mlp.fc1.weight"

# What a file doesn't tell; a diffusers folder's config.json does.
_HEAD_WIDTH = 64
_ACTIVATIONS = {"l": "quick_gelu", "h": "gelu", "g": "gelu"}

_REFUSED = {
    "pickle": "a torch checkpoint (.ckpt, .pt, .bin) is a pickle, which can run any code when it is loaded, so it "
    "never is; convert it to .safetensors",
    "gguf": "the packed weights of a GGUF file are not read; take the .safetensors that it was made from",
}


class StoredEncoder(NamedTuple):
    """Where a file keeps one CLIP text encoder: `prefix` is what stands before the names of its tensors."""

    id: str
    prefix: str
    open_clip: bool
    blocks: int

    def stored_name(self, name: str) -> str:
        """The file's name for the tensor that holds what transformers calls `name`, below `text_model`."""
        return self.prefix + _named(name, self.open_clip)

    def tensor(self, contents: Contents, name: str) -> Tensor:
        """The tensor of that name. Raises ContentsError."""
        stored = self.stored_name(name)
        if stored not in contents.tensors:
            raise ContentsError(f"its text encoder has no tensor {stored}")
        return contents.tensors[stored]


def stored_encoders(contents: Contents) -> dict[str, StoredEncoder]:
    """The CLIP text encoders in `contents`, by id, whatever prefix they are kept under."""
    found: dict[str, StoredEncoder] = {}
    for open_clip in (False, True):
        block, tokens = _named(_BLOCK, open_clip), _named(_TOKENS, open_clip)
        for name in contents.tensors:
            prefix = name.removesuffix(block.format(0))
            if prefix == name or prefix + tokens not in contents.tensors:  # without tokens: CLIP's image encoder
                continue
            blocks = next(index for index in count() if prefix + block.format(index) not in contents.tensors)
            id = encoder_id_of(blocks)
            if id is not None:
                found.setdefault(id, StoredEncoder(id, prefix, open_clip, blocks))
    return found


def load_encoder(contents: Contents, stored: StoredEncoder) -> CLIPTextModel:
    """The encoder as transformers' model, in float32 on the CPU, ready to run. The text projection is not read.

    Raises ContentsError where it can't be loaded or is refused, OSError where the file can't be read.
    """
    format = read_contents(stored.tensor(contents, _TOKENS).file).format
    if format in _REFUSED:
        raise ContentsError(_REFUSED[format])
    with torch.device("meta"):  # no memory, and no random numbers, for what is replaced at once
        model = CLIPTextModel(_config(contents, stored))
    model.eval().requires_grad_(False)
    # transformers 5.6 took `text_model` out of CLIPTextModel.
    text_model: nn.Module = getattr(model, "text_model", model)
    with Numbers() as numbers:
        state = {
            name: _read(numbers, contents, stored, name, tuple(value.shape))
            for name, value in text_model.state_dict().items()
            if name != "embeddings.position_ids"  # transformers < 4.31
        }
    text_model.load_state_dict(state, strict=False, assign=True)
    positions = len(state[_POSITIONS])
    text_model.get_submodule("embeddings").position_ids = torch.arange(positions).expand(1, -1)
    return model


def _config(contents: Contents, stored: StoredEncoder) -> CLIPTextConfig:
    """The encoder's numbers, read off its shapes where they tell."""
    tokens, positions, inner = (_matrix(contents, stored, name) for name in (_TOKENS, _POSITIONS, _INNER))
    if positions[0] < LENGTH:
        raise ContentsError(f"its text encoder reads {positions[0]} tokens; CLIP's read {LENGTH}")
    width = tokens[1]
    component = stored.prefix.partition("/")[0] if contents.format == "diffusers" else ""
    told: Mapping[str, object] = contents.configs.get(component, {})
    heads = told.get("num_attention_heads", width // _HEAD_WIDTH)
    activation = told.get("hidden_act", _ACTIVATIONS[stored.id])
    if type(heads) is not int or heads < 1 or width % heads:
        raise ContentsError(f"its text encoder's width, {width}, can't be divided among {str(heads)[:20]} heads")
    if activation not in _ACTIVATIONS.values():
        raise ContentsError(f"its text encoder has an activation unknown to CLIP: {str(activation)[:40]}")
    return CLIPTextConfig(
        vocab_size=tokens[0],
        hidden_size=width,
        intermediate_size=inner[0],
        num_hidden_layers=stored.blocks,
        num_attention_heads=heads,
        max_position_embeddings=positions[0],
        hidden_act=activation,
        bos_token_id=tokens[0] - 2,
        eos_token_id=tokens[0] - 1,
    )


def _matrix(contents: Contents, stored: StoredEncoder, name: str) -> tuple[int, ...]:
    shape = stored.tensor(contents, name).shape
    if len(shape) != 2:
        raise ContentsError(f"{stored.stored_name(name)} is no matrix")
    return shape


def _read(
    numbers: Numbers, contents: Contents, stored: StoredEncoder, name: str, shape: tuple[int, ...]
) -> torch.Tensor:
    """The numbers of what transformers calls `name`, which must have this shape: float32."""
    tensor = stored.tensor(contents, name)
    third = next((third for part, third in _THIRDS.items() if part in name), None) if stored.open_clip else None
    expected = shape if third is None else (3 * shape[0], *shape[1:])
    if tensor.shape != expected:
        raise ContentsError(f"{stored.stored_name(name)} has the shape {tensor.shape}, not {expected}")
    size = math.prod(shape)
    return torch.from_numpy(numbers.read(tensor, size * (third or 0), size)).reshape(shape)


def _named(name: str, open_clip: bool) -> str:
    """What is called `name` in transformers, under the name that it has in the file."""
    for theirs, ours in _OPEN_CLIP if open_clip else ():
        name = name.replace(theirs, ours)
    return name
