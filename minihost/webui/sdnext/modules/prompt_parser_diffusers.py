"""SD.Next's prompt encoder, with its cache and its arithmetic of CLIP skip (fractions, zero and negatives included)."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from modules import shared
from torch import Tensor

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing


cache: OrderedDict[str, dict[str, Any]] = OrderedDict()
last_attention: str | None = None
embedder: PromptEmbedder | None = None
_KEYS = ("prompt_embeds", "positive_pooleds", "negative_prompt_embeds", "negative_pooleds")


class EmbeddingsProvider:
    """Encodes with one encoder (compel's class; SD.Next replaces its method at every model load)."""

    def __init__(self, tokenizer: Any, text_encoder: Any, returned_embeddings_type: float) -> None:
        self.tokenizer, self.text_encoder = tokenizer, text_encoder
        self.returned_embeddings_type = returned_embeddings_type

    def _encode_token_ids_to_embeddings(self, token_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
        raise NotImplementedError

    def get_embeddings(self, text: str) -> Tensor:
        chunks = self.tokenizer.chunks(text)
        return torch.cat([self._encode_token_ids_to_embeddings(torch.tensor([chunk])) for chunk in chunks], 1)

    device = "cpu"

    def get_embeddings_for_weighted_prompt_fragments(
        self,
        text_batch: list[list[str]],
        fragment_weights_batch: list[list[float]],
        should_return_tokens: bool = False,
        device: Any = "cpu",
    ) -> Tensor:
        """Encode one list of fragments; weights other than 1 are not known here."""
        assert {weight for weights in fragment_weights_batch for weight in weights} == {1.0}
        return self.get_embeddings(" ".join(text_batch[0]))

    def get_pooled_embeddings(self, text: str) -> Tensor:
        pooled: Tensor = self.text_encoder(self.tokenizer(text)).text_embeds
        return pooled


def compel_hijack(self: EmbeddingsProvider, token_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
    """A type above 0 gets the last norm, below 0 none; 1 is the encoder's own output; fractions blend two states."""
    kind = self.returned_embeddings_type
    out = self.text_encoder(token_ids, attention_mask, output_hidden_states=kind != 1, return_dict=True)
    if kind == 1:
        return out.last_hidden_state
    whole = math.floor(abs(kind))
    part = abs(kind) - whole
    state = out.hidden_states[-whole]
    if part:
        state = (1 - part) * state + part * out.hidden_states[-(whole + 1)]
    if kind > 0:
        state = getattr(self.text_encoder, "text_model", self.text_encoder).final_layer_norm(state)
    return state


def sd3_compel_hijack(self: EmbeddingsProvider, token_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
    """SD3: whole numbers only (what is behind the point is dropped), never a norm."""
    out = self.text_encoder(token_ids, attention_mask, output_hidden_states=True, return_dict=True)
    return out.hidden_states[-(int(self.returned_embeddings_type) + 1)]


def insert_parser_highjack(pipename: str) -> None:
    hijack = sd3_compel_hijack if "StableDiffusion3" in pipename else compel_hijack
    setattr(EmbeddingsProvider, "_encode_token_ids_to_embeddings", hijack)  # noqa: B010 (the type knows no such thing)


insert_parser_highjack("Initialize")


def prepare_model(pipe: Any = None) -> Any:
    """Give the pipeline that has the text encoder."""
    return pipe or shared.sd_model


def get_prompt_schedule(prompt: str, steps: int) -> tuple[list[str], bool]:
    """Give the prompt's texts, and whether it changes with the steps."""
    return [prompt], False


def split_prompts(pipe: Any, prompt: str, SD3: bool = False) -> tuple[str, ...]:
    """Give the prompt of each text encoder."""
    return prompt, prompt, prompt, prompt


def get_prompts_with_weights(pipe: Any, prompt: str) -> tuple[Sequence[str], Sequence[float]]:
    """Give the prompt's fragments, and the weight of each."""
    return (prompt,), (1.0,)


def prepare_embedding_providers(pipe: Any, clip_skip: float) -> list[EmbeddingsProvider]:
    kind = -(clip_skip + 1) if "XL" in type(pipe).__name__ else clip_skip
    pairs = [("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2")]
    found = [(getattr(pipe, tokenizer, None), getattr(pipe, encoder, None)) for tokenizer, encoder in pairs]
    return [EmbeddingsProvider(t, e, kind) for t, e in found if t is not None and e is not None]


def get_weighted_text_embeddings(pipe: Any, prompt: str, negative: str, clip_skip: float) -> tuple[Any, ...]:
    """Encode a pair of prompts: embeds, pooled, negative embeds, negative pooled."""
    if "Flux" in type(pipe).__name__:
        embeds, _, pooled, _ = pipe.encode_prompt(prompt)
        return embeds, pooled, None, None
    providers = prepare_embedding_providers(pipe, clip_skip)
    result = []
    for text, is_negative in ((prompt, False), (negative, True)):
        embeds = torch.cat([provider.get_embeddings(text) for provider in providers], -1)
        pooled = None
        if "StableDiffusion3" in type(pipe).__name__:
            pooled = torch.cat([provider.get_pooled_embeddings(text) for provider in providers], -1)
            embeds = pipe.with_t5(embeds, text)
        elif "XL" in type(pipe).__name__:
            pooled = providers[-1].get_pooled_embeddings(text)
        if is_negative and not text.strip() and shared.opts.diffusers_zeros_prompt_pad:
            embeds, pooled = torch.zeros_like(embeds), None if pooled is None else torch.zeros_like(pooled)
        result += [embeds, pooled]
    return tuple(result)


def get_xhinker_text_embeddings(pipe: Any, prompt: str, negative: str, clip_skip: Any) -> tuple[Any, ...]:
    """The other parser: on SD 1 and 2 it takes ``clip_skip`` blocks away meanwhile; elsewhere it has no skip."""
    if type(pipe).__name__ != "StableDiffusionPipeline":
        return get_weighted_text_embeddings(pipe, prompt, negative, 1)
    encoder = getattr(pipe.text_encoder, "text_model", pipe.text_encoder).encoder
    layers = encoder.layers
    if clip_skip > 0:
        encoder.layers = layers[:-clip_skip]
    try:
        texts = [pipe.tokenizer.chunks(text)[0] for text in (prompt, negative)]
        length = max(chunk.index(pipe.tokenizer.eos_token_id) for chunk in texts) + 1
        embeds = [pipe.text_encoder(torch.tensor([chunk[:length]])).last_hidden_state for chunk in texts]
    finally:
        encoder.layers = layers
    return embeds[0], None, embeds[1], None


class PromptEmbedder:
    """Encodes a batch, or finds it in the cache: the key holds neither the model nor anything of an extension."""

    prompt_embeds: list[Tensor]

    def __init__(
        self,
        prompts: list[str],
        negative_prompts: list[str],
        steps: int,
        clip_skip: float,
        p: StableDiffusionProcessing,
        prompt_attention: str | None = None,
    ) -> None:
        global last_attention
        self.prompt_attention_value = prompt_attention or shared.opts.prompt_attention
        self.attention = last_attention
        self.prompts, self.negative_prompts, self.batchsize = prompts, negative_prompts, len(prompts)
        self.steps, self.clip_skip = steps, clip_skip
        for key in _KEYS:
            setattr(self, key, [])
        if self.checkcache(p):
            return
        xhinker = self.prompt_attention_value == "xhinker"
        encode = get_xhinker_text_embeddings if xhinker else get_weighted_text_embeddings
        self.attention = last_attention = self.prompt_attention_value
        pairs = zip(prompts, negative_prompts, strict=True)
        encoded = [encode(shared.sd_model, prompt, negative, clip_skip) for prompt, negative in pairs]
        for key, parts in zip(_KEYS, zip(*encoded, strict=True), strict=True):
            setattr(self, key, list(parts))
        self.checkcache(p)

    def checkcache(self, p: StableDiffusionProcessing) -> bool:
        if shared.opts.sd_textencoder_cache_size == 0:
            return False
        if self.attention != self.prompt_attention_value:
            cache.clear()
            return False
        networks = [item.items for items in (p.network_data or {}).values() for item in items]
        key = str([self.prompts, self.negative_prompts, self.batchsize, self.clip_skip, self.steps, networks])
        if key in cache:
            self.__dict__.update(cache[key])
            cache.move_to_end(key)
            return True
        if self.prompt_embeds:
            cache[key] = {name: getattr(self, name) for name in _KEYS}
            while len(cache) > shared.opts.sd_textencoder_cache_size:
                cache.popitem(last=False)
        return False

    def __call__(self, key: str, step: int = 0) -> Tensor | None:
        parts = getattr(self, key)
        if not parts or parts[0] is None:
            return None
        if parts[0].ndim == 3:
            longest = max(part.shape[1] for part in parts)  # shorter ones are repeated to the length of the longest
            parts = [part.repeat(1, -(-longest // part.shape[1]), 1)[:, :longest] for part in parts]
        return torch.cat(parts)
