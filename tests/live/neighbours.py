"""Other extensions that can run beside ours: what makes each act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Neighbour:
    """An extension by the beginning of its script's title, as the API gives it. Its first control switches it on."""

    title: str
    prompt: str
    controls: Mapping[str, Any] = field(default_factory=dict)  # by their labels, where the defaults do not act
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the job


NEIGHBOURS = (
    Neighbour("negpip", "a photo of a cat, (blue sky:-1.2)"),
    Neighbour("regional prompter", "a photo of a cat BREAK blue sky"),
    Neighbour(
        "tiled diffusion",
        "a photo of a cat",
        {"Latent tile width": 16, "Latent tile height": 16, "Latent tile overlap": 4},
        {"width": 256},
    ),
)
# These encode again at a clip skip of their own, inside the WebUI's encode: they win, and that is said.
OVERRULERS = (Neighbour("tripclipskip", "a photo of a cat", {"Clip skip": 4.5}),)
