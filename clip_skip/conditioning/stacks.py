"""Where a CLIP text encoder keeps its blocks, whatever program's class it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from ..skip.architectures import encoder_id_of

# Where a text encoder keeps its blocks, its final layer norm and its token embedding: transformers (before and after
# 5.6, bare and under a host's wrapper; A1111's own SD3 encoder and ldm_patched copy its names), then OpenCLIP.
_HUGGING_FACE = ("encoder.layers", "final_layer_norm", "embeddings.token_embedding")


_OPEN_CLIP = ("transformer.resblocks", "ln_final", "token_embedding")


_LAYOUTS = (
    ("transformer.text_model.", _HUGGING_FACE),
    ("transformer.", _HUGGING_FACE),
    ("text_model.", _HUGGING_FACE),
    ("", _HUGGING_FACE),
    ("model.", _OPEN_CLIP),
    ("", _OPEN_CLIP),
)


@dataclass(frozen=True)
class Stack:
    """The blocks of one CLIP text encoder, the layer norm that follows them, and, if found, what the ids go into.

    `module` is the text encoder as its host calls it.
    """

    encoder_id: str
    blocks: nn.ModuleList
    final_norm: nn.Module
    tokens: nn.Module | None = None
    module: nn.Module | None = None


def callers(stack: Stack) -> list[nn.Module]:
    """The modules around the blocks, from the text encoder as its host calls it to the blocks' own holder."""
    if stack.module is None:
        return []
    path = next((name for name, part in stack.module.named_modules() if part is stack.blocks), None)
    names = [] if not path else path.split(".")
    return [stack.module.get_submodule(".".join(names[:count])) for count in range(len(names))]


def find_stack(module: object) -> Stack | None:
    """The stack inside `module` (a text encoder, or a host's wrapper around one); None if it is no CLIP encoder."""
    for place, names in _LAYOUTS:
        blocks, norm, tokens = (attribute_at(module, place + name) for name in names)
        if isinstance(blocks, nn.ModuleList) and isinstance(norm, nn.Module):
            encoder_id = encoder_id_of(len(blocks))
            tokens = tokens if isinstance(tokens, nn.Module) else None
            caller = module if isinstance(module, nn.Module) else None
            return Stack(encoder_id, blocks, norm, tokens, caller) if encoder_id else None
    return None


def attribute_at(module: object, path: str) -> Any:
    """What lies at `path` under `module`, None if nothing does."""
    for name in path.split("."):
        module = getattr(module, name, None)
    return module
