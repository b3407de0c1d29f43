"""What a host must hand to the diffusion model, from plain text encoders with the same weights."""

from __future__ import annotations

from functools import cache

import torch

from minihost import encoders, weights

PROMPT, NEGATIVE = "a photo of a cat, blue sky", "ugly, bad hands"
SMALL = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "steps": 2, "width": 64, "height": 64, "seed": 1}

# docs/architecture.md, "The number": encoder -> trained depth; and where the final layer norm is applied to the cond.
TRAINED = {
    "sd1": {"l": 12},
    "sd2": {"h": 23},
    "sdxl": {"l": 11, "g": 31},
    "sdxl-refiner": {"g": 31},
    "sd3": {"l": 11, "g": 31},
}
NORMED = ("sd1", "sd2")
CHECKPOINTS = {name: architecture for name, architecture in weights.CHECKPOINTS.items() if architecture in TRAINED}


def cond(like, checkpoint, skips, text, blend=None):
    """The text states, shape (1, 77, width), that `skips` (encoder -> skip; 1 where absent) stand for."""
    architecture = CHECKPOINTS[checkpoint]
    parts = []
    for encoder, trained in TRAINED[architecture].items():
        states, norm = _states(_shape(like, architecture, encoder), checkpoint, encoder, text)
        skip = skips.get(encoder, 1)
        depth, fraction = trained + 1 - int(skip), skip - int(skip)
        state = states[depth]
        if fraction:
            mix = blend or (lambda a, b, f: (1 - f) * a + f * b)
            state = mix(states[depth], states[depth - 1], fraction)
        parts.append(norm(state) if architecture in NORMED else state)
    return torch.cat(parts, -1)


def _shape(like, architecture, encoder):
    """Which program's blocks the host runs: their sums are added up in another order, so bits differ in between."""
    if like == "a1111" and architecture == "sd3":
        return "sd3"
    return "openclip" if like == "a1111" and encoder != "l" else "transformers"


@cache
@torch.no_grad()
def _states(shape, checkpoint, encoder, text):
    """All hidden states of an untouched encoder of its own (0: the embeddings), and its final layer norm."""
    state = weights.encoder_state(checkpoint, encoder)
    tokens = encoders.Tokenizer(weights.SPECS[encoder].pad)(text)
    if shape == "transformers":
        model = encoders.clip_model(encoder, state, projection=encoder != "l")
        out = model(tokens, output_hidden_states=True)
        return out.hidden_states, getattr(model, "text_model", model).final_layer_norm
    if shape == "openclip":
        model = encoders.OpenClipText(weights.SPECS[encoder], weights.to_openclip(state, weights.SPECS[encoder].layers))
        states = [(model.token_embedding(tokens) + model.positional_embedding).permute(1, 0, 2)]
        for block in model.transformer.resblocks:
            states.append(block(states[-1], attn_mask=model.attn_mask))
        return [x.permute(1, 0, 2) for x in states], model.ln_final
    model = encoders.Sd3Clip(encoder, state).transformer.text_model
    states = [model.embeddings.token_embedding(tokens) + model.embeddings.position_embedding.weight]
    for block in model.encoder.layers:
        states.append(block(states[-1].clone()))  # it adds in place
    return states, model.final_layer_norm


def request(host, checkpoint, args=None, **fields):
    """An API request for a small picture by this checkpoint, with the extension's arguments."""
    body = {**SMALL, **fields}
    body["override_settings"] = {**fields.get("override_settings", {}), "sd_model_checkpoint": host.title(checkpoint)}
    if args is not None:
        body["alwayson_scripts"] = {"clip skip": {"args": args}}
    return body


def assert_cond(host, used, checkpoint, skips, text, blend=None):
    expected = cond(host.like, checkpoint, skips, text, blend)
    got = used["crossattn"][:, : expected.shape[1], : expected.shape[2]]
    assert (got - expected).abs().max() <= 1e-6, (checkpoint, skips, text)


def used_conds(host, checkpoint, skips):
    """Every cond of the host's last job, on one checkpoint, stands for `skips`."""
    assert host.last_conds
    for kind, name, used in host.last_conds:
        assert name == checkpoint
        assert_cond(host, used, checkpoint, skips, NEGATIVE if kind.endswith("uc") else PROMPT)
