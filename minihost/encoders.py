"""The text encoders as the hosts hold them: transformers' own CLIP, and small OpenCLIP, SD3 and T5 look-alikes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional

from minihost.weights import BOS, EOS, LENGTH, SPECS, T5_WIDTH, VOCAB, EncoderSpec, State

_WORD = re.compile(r"\w+|[^\w\s]")


class Tokenizer:
    """Words to ids by their checksum: no vocabulary file, the same in every flavour."""

    bos_token_id, eos_token_id, model_max_length = BOS, EOS, LENGTH
    _seen: dict[int, str] = {}

    def __init__(self, pad_token_id: int = EOS) -> None:
        self.pad_token_id = pad_token_id

    def words(self, text: str) -> list[int]:
        words = _WORD.findall(text.lower())
        ids = [1 + zlib.crc32(word.encode()) % (BOS - 1) for word in words]
        self._seen.update(zip(ids, words, strict=True))
        return ids

    def decode(self, ids: list[int]) -> str:
        """Give the words that these ids stood for last."""
        return " ".join(self._seen[id] for id in ids)

    def chunks(self, text: str) -> list[list[int]]:
        """Split into pieces of 75, each with start, end and padding: 77 ids."""
        ids = self.words(text)
        pieces = [ids[i : i + LENGTH - 2] for i in range(0, len(ids), LENGTH - 2)] or [[]]
        return [([BOS, *p, EOS] + [self.pad_token_id] * LENGTH)[:LENGTH] for p in pieces]

    def __call__(self, text: str) -> Tensor:
        """Give the ids of the first chunk, as a batch of one."""
        return torch.tensor(self.chunks(text)[:1])


def clip_config(spec: EncoderSpec, layers: int | None = None) -> Any:
    """Give transformers' configuration of an encoder."""
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=VOCAB,
        hidden_size=spec.width,
        intermediate_size=spec.inner,
        projection_dim=spec.width,
        num_hidden_layers=layers or spec.layers,
        num_attention_heads=spec.heads,
        max_position_embeddings=LENGTH,
        hidden_act=spec.act,
        bos_token_id=BOS,
        eos_token_id=EOS,
        pad_token_id=1,
    )


def clip_model(encoder: str, state: State, *, layers: int | None = None, projection: bool = False) -> nn.Module:
    """Build transformers' CLIPTextModel[WithProjection] with these weights; blocks beyond ``layers`` are dropped."""
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    kind = CLIPTextModelWithProjection if projection else CLIPTextModel
    with _no_random_weights():
        model: nn.Module = kind(clip_config(SPECS[encoder], layers)).eval().requires_grad_(False)
    load_clip(model, state)
    return model


@contextmanager
def _no_random_weights() -> Iterator[None]:
    """Build models without drawing their first weights, which takes longer than all else; all are loaded next."""
    from transformers import PreTrainedModel

    with (
        mock.patch.object(PreTrainedModel, "init_weights", lambda self: None),
        mock.patch.object(nn.Linear, "reset_parameters", lambda self: None),
        mock.patch.object(nn.Embedding, "reset_parameters", lambda self: None),
    ):
        yield


def load_clip(model: nn.Module, state: State) -> None:
    """Load weights under the names of any transformers version (5.6 took ``text_model`` out of CLIPTextModel)."""
    if not hasattr(model, "text_model"):
        state = {key.removeprefix("text_model."): value for key, value in state.items()}
    missing, _ = model.load_state_dict(state, strict=False)
    assert not [key for key in missing if "position_ids" not in key], missing


class OpenClipBlock(nn.Module):
    """OpenCLIP's residual block: tensors are (tokens, batch, width)."""

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(spec.width), nn.LayerNorm(spec.width)
        self.attn = nn.MultiheadAttention(spec.width, spec.heads)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(spec.width, spec.inner))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(spec.inner, spec.width))

    def forward(self, x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=attn_mask)[0]
        x = x + self.mlp(self.ln_2(x))
        return x


class OpenClipTransformer(nn.Module):
    """The stack under ``transformer.resblocks``; the wrappers in A1111 walk it themselves."""

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(OpenClipBlock(spec) for _ in range(spec.layers))


class OpenClipText(nn.Module):
    """OpenCLIP's text tower, as ldm and sgm hold it under ``.model``."""

    def __init__(self, spec: EncoderSpec, state: State) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(VOCAB, spec.width)
        self.positional_embedding = nn.Parameter(torch.empty(LENGTH, spec.width))
        self.transformer = OpenClipTransformer(spec)
        self.ln_final = nn.LayerNorm(spec.width)
        self.text_projection = nn.Parameter(torch.empty(spec.width, spec.width))
        self.register_buffer("attn_mask", torch.full((LENGTH, LENGTH), float("-inf")).triu(1), persistent=False)
        self.load_state_dict(state)
        self.eval().requires_grad_(False)


class Sd3Attention(nn.Module):
    """Causal self-attention under Hugging Face names."""

    q_proj: nn.Linear
    k_proj: nn.Linear
    v_proj: nn.Linear
    out_proj: nn.Linear

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, part, nn.Linear(spec.width, spec.width))

    def forward(self, x: Tensor) -> Tensor:
        parts = (self.q_proj, self.k_proj, self.v_proj)
        q, k, v = (part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.out_proj(y.transpose(1, 2).flatten(2))
        return out


class Sd3Mlp(nn.Module):
    """Feed-forward part under Hugging Face names."""

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(spec.width, spec.inner), nn.Linear(spec.inner, spec.width)
        self.quick = spec.act == "quick_gelu"

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc1(x)
        out: Tensor = self.fc2(y * torch.sigmoid(1.702 * y) if self.quick else functional.gelu(y))
        return out


class Sd3Block(nn.Module):
    """A1111's own SD3 block: it adds **in place**, so an output kept without a clone goes stale."""

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(spec.width), nn.LayerNorm(spec.width)
        self.self_attn, self.mlp = Sd3Attention(spec), Sd3Mlp(spec)

    def forward(self, x: Tensor, mask: Tensor | None = None, optimized_attention: object = None) -> Tensor:
        x += self.self_attn(self.layer_norm1(x))
        x += self.mlp(self.layer_norm2(x))
        return x


class _Namespace(nn.Module):
    """A module that only holds others, for the sake of their key names."""

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


class Sd3Clip(nn.Module):
    """A1111's SDClipModel: reads block ``layer_idx`` without a norm, the pooled vector from the end."""

    def __init__(self, encoder: str, state: State) -> None:
        super().__init__()
        spec = SPECS[encoder]
        embeddings = _Namespace(
            token_embedding=nn.Embedding(VOCAB, spec.width), position_embedding=nn.Embedding(LENGTH, spec.width)
        )
        layers = nn.ModuleList(Sd3Block(spec) for _ in range(spec.layers))
        text_model = _Namespace(
            embeddings=embeddings, encoder=_Namespace(layers=layers), final_layer_norm=nn.LayerNorm(spec.width)
        )
        self.transformer = _Namespace(text_model=text_model)
        if encoder != "l":
            self.transformer.text_projection = nn.Linear(spec.width, spec.width, bias=False)
        self.layer_idx = -2
        self.tokenizer = Tokenizer(spec.pad)
        self.transformer.load_state_dict(state)
        self.eval().requires_grad_(False)

    def set_clip_options(self, options: dict[str, Any]) -> None:
        self.layer_idx = options.get("layer", self.layer_idx)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Give the intermediate state and the (projected) pooled vector."""
        text: Any = self.transformer.text_model
        x = text.embeddings.token_embedding(tokens) + text.embeddings.position_embedding.weight
        layers, kept = text.encoder.layers, x
        for i, layer in enumerate(layers):
            x = layer(x, None, None)
            if i == len(layers) + self.layer_idx:
                kept = x.clone()
        pooled = text.final_layer_norm(x)[torch.arange(len(x)), (tokens == EOS).int().argmax(-1)]
        projection = getattr(self.transformer, "text_projection", None)
        return kept, pooled if projection is None else projection(pooled)


class T5(nn.Module):
    """Stands in for T5: an embedding, mixed along the tokens; there is nothing in it to skip."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.shared = nn.Embedding(VOCAB, T5_WIDTH)
        self.mix = nn.Linear(T5_WIDTH, T5_WIDTH, bias=False)
        self.load_state_dict(state)
        self.eval().requires_grad_(False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.shared(tokens)
        mixed: Tensor = self.mix(x + x.cumsum(1) / torch.arange(1, x.shape[1] + 1)[:, None])
        return mixed
