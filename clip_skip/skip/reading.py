"""Where each text encoder of a model is really read, whoever decides it: a plan of ours, or the host's own slider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .architectures import Architecture


class Reading(NamedTuple):
    """At which skip each text encoder of a model is read, in the user's number: 1 is the trained depth.

    Below 1 it is past the trained depth; at `trained_depth + 1` it is the token embeddings, with no block run.
    `skips` has every encoder of `architecture`, and is empty where that has none. `slider` is the number at the
    host's own control where that decides, None where a plan of ours does. `acts` is False where the host's control
    decides and does nothing on this architecture. `default` is the number at which that control is by itself.
    """

    architecture: Architecture
    skips: Mapping[str, float]
    slider: float | None = None
    acts: bool = True
    default: float = 1.0


def as_trained(architecture: Architecture) -> dict[str, float]:
    """The skip of each encoder of `architecture` at its trained depth."""
    return {encoder.id: 1.0 for encoder in architecture.encoders}
