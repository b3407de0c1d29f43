"""Drift the long way: one full encode by a plain transformers CLIPTextModel for each depth, cut off there."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from minihost import encoders

# docs/architecture.md, "The number": architecture -> encoder -> (trained depth, whether the final norm is applied).
TRAINED = {
    "sd1": {"l": (12, True)},
    "sd2": {"h": (23, True)},
    "sdxl": {"l": (11, False), "g": (31, False)},
    "sdxl-refiner": {"g": (31, False)},
    "sd3": {"l": (11, False), "g": (31, False)},
    "cascade": {"g": (32, False)},
}
CASES = [(architecture, encoder) for architecture, rows in TRAINED.items() for encoder in rows]


def read_at(state, architecture, encoder, depth, ids, mask=None):
    """What the diffusion model reads at a whole depth: float64, shape (tokens, width)."""
    model = encoders.clip_model(encoder, state, layers=depth)
    if not TRAINED[architecture][encoder][1]:
        getattr(model, "text_model", model).final_layer_norm = nn.Identity()
    with torch.no_grad():
        read = model(input_ids=ids, attention_mask=mask).last_hidden_state
    return read.double().flatten(0, 1).numpy()


def measures(read, trained):
    """Cosine, relative norm, and each token's own relative norm."""
    cosine = (read * trained).sum() / np.sqrt((read**2).sum() * (trained**2).sum())
    relative = np.sqrt(((read - trained) ** 2).sum() / (trained**2).sum())
    tokens = [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(read, trained, strict=True)]
    return cosine, relative, tokens


def whole_skips(state, architecture, encoder, ids, mask=None):
    """The measures at every whole skip, from 1."""
    deepest = TRAINED[architecture][encoder][0]
    trained = read_at(state, architecture, encoder, deepest, ids, mask)
    return [
        measures(read_at(state, architecture, encoder, depth, ids, mask), trained) for depth in range(deepest, 0, -1)
    ]
