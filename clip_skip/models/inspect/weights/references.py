"""The models that others' weights are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Sketch: TypeAlias = "npt.NDArray[np.float32]"


class Reference(NamedTuple):
    """One learned model: sketches of its UNet (16, 4093) and, if it has one, of its text encoder (12, 1021), float32.

    `source` is the name of the file it was learned from, `sha256` that file's if it was known, and `num_updates` its
    count of EMA updates if it had one.
    """

    source: str
    unet: Sketch
    text: Sketch | None = None
    num_updates: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class References:
    """All learned models by label. `fingerprint` changes with any of them."""

    by_label: Mapping[str, Reference] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.by_label)

    def num_updates(self, label: str) -> int | None:
        reference = self.by_label.get(label)
        return reference.num_updates if reference else None


NO_REFERENCES = References()
