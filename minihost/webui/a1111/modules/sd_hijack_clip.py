"""A1111's wrappers around the text encoders: what each reads, and which settings it obeys."""

from __future__ import annotations

from typing import Any

import torch
from modules.shared import opts
from torch import Tensor, nn

from minihost.encoders import OpenClipText, Tokenizer, clip_model
from minihost.weights import SPECS, State


class FrozenCLIPEmbedder(nn.Module):
    """ldm's holder of transformers' CLIPTextModel."""

    layer = "last"
    layer_idx: int | None = None

    def __init__(self, state: State) -> None:
        super().__init__()
        self.tokenizer, self.transformer = Tokenizer(SPECS["l"].pad), clip_model("l", state)


class FrozenCLIPEmbedderXL(FrozenCLIPEmbedder):
    """sgm's, which reads hidden state 11."""

    layer, layer_idx = "hidden", 11


class FrozenOpenCLIPEmbedder(nn.Module):
    """ldm's holder of OpenCLIP: stops ``layer_idx`` blocks before the end, then the last norm."""

    layer, layer_idx = "penultimate", 1

    def __init__(self, encoder: str, state: State) -> None:
        super().__init__()
        self.tokenizer, self.model = Tokenizer(SPECS[encoder].pad), OpenClipText(SPECS[encoder], state)

    def embed(self, tokens: Tensor) -> Tensor:
        embedded: Tensor = self.model.token_embedding(tokens) + self.model.positional_embedding
        return embedded.permute(1, 0, 2)

    def encode_with_transformer(self, tokens: Tensor) -> Any:
        x, blocks = self.embed(tokens), self.model.transformer.resblocks
        for block in blocks[: len(blocks) - self.layer_idx]:
            x = block(x, attn_mask=self.model.attn_mask)
        return self.model.ln_final(x.permute(1, 0, 2))


class FrozenOpenCLIPEmbedder2(FrozenOpenCLIPEmbedder):
    """sgm's: keeps the penultimate and the last state, and pools the last."""

    def encode_with_transformer(self, tokens: Tensor) -> dict[str, Tensor]:
        x, blocks, outputs = self.embed(tokens), self.model.transformer.resblocks, {}
        for i, block in enumerate(blocks):
            if i == len(blocks) - 1:
                outputs["penultimate"] = x.permute(1, 0, 2)
            x = block(x, attn_mask=self.model.attn_mask)
        outputs["last"] = x.permute(1, 0, 2)
        end = self.model.ln_final(outputs["last"])[torch.arange(len(tokens)), tokens.argmax(-1)]
        outputs["pooled"] = end @ self.model.text_projection
        return outputs


class TextConditionalModel(nn.Module):
    """Cuts prompts into chunks, encodes chunk by chunk, and sets the results side by side."""

    wrapped: Any

    def __init__(self, wrapped: nn.Module) -> None:
        super().__init__()
        self.wrapped = wrapped

    def encode_with_transformers(self, tokens: Tensor) -> Any:
        raise NotImplementedError

    def forward(self, texts: list[str]) -> Tensor:
        chunks = [self.wrapped.tokenizer.chunks(text) for text in texts]
        zs = [self.encode_with_transformers(torch.tensor(list(part))) for part in zip(*chunks, strict=True)]
        z = torch.hstack(zs)
        if hasattr(zs[0], "pooled"):
            z.pooled = zs[0].pooled  # type: ignore[attr-defined]
        return z


class FrozenCLIPEmbedderWithCustomWords(TextConditionalModel):
    """SD1: Clip skip counts from the last block; the final norm comes after."""

    def encode_with_transformers(self, tokens: Tensor) -> Any:
        transformer, skip = self.wrapped.transformer, opts.CLIP_stop_at_last_layers
        outputs = transformer(input_ids=tokens, output_hidden_states=-skip)
        if skip > 1:
            return getattr(transformer, "text_model", transformer).final_layer_norm(outputs.hidden_states[-skip])
        return outputs.last_hidden_state


class FrozenCLIPEmbedderForSDXLWithCustomWords(TextConditionalModel):
    """SDXL's CLIP-L: hidden state 11 unless ``sdxl_clip_l_skip``; never a norm."""

    def encode_with_transformers(self, tokens: Tensor) -> Any:
        skip = opts.CLIP_stop_at_last_layers if opts.sdxl_clip_l_skip is True else None
        outputs = self.wrapped.transformer(input_ids=tokens, output_hidden_states=True)
        return outputs.hidden_states[self.wrapped.layer_idx if skip is None else -skip]


class FrozenOpenCLIPEmbedderWithCustomWords(TextConditionalModel):
    """SD2: there is no clip skip."""

    def encode_with_transformers(self, tokens: Tensor) -> Any:
        return self.wrapped.encode_with_transformer(tokens)


class FrozenOpenCLIPEmbedder2WithCustomWords(TextConditionalModel):
    """SDXL's bigG: there is no clip skip."""

    def encode_with_transformers(self, tokens: Tensor) -> Any:
        outputs = self.wrapped.encode_with_transformer(tokens)
        z = outputs[self.wrapped.layer].clone()
        z.pooled = outputs["pooled"]
        return z


WRAPPERS = {
    FrozenCLIPEmbedder: FrozenCLIPEmbedderWithCustomWords,
    FrozenCLIPEmbedderXL: FrozenCLIPEmbedderForSDXLWithCustomWords,
    FrozenOpenCLIPEmbedder: FrozenOpenCLIPEmbedderWithCustomWords,
    FrozenOpenCLIPEmbedder2: FrozenOpenCLIPEmbedder2WithCustomWords,
}


def wrap(embedder: nn.Module) -> nn.Module:
    """Wrap an embedder of a known type, by its exact type."""
    return WRAPPERS[type(embedder)](embedder) if type(embedder) in WRAPPERS else embedder


def unwrap(embedder: nn.Module) -> nn.Module:
    return embedder.wrapped if isinstance(embedder, TextConditionalModel) else embedder
