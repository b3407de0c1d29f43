"""The conditioning itself, drawn as the picture, and the record of what sampling used.

Each token is a row, its channels run across in a palette from blue over dark to orange. Beside it, narrower, stands
the negative prompt's; below, the pooled vectors. The last line holds a checksum of all numbers in coloured cells, so
that two pictures are the same exactly when their conditionings are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

Cond = dict[str, Tensor]
"""``crossattn`` (images, tokens, channels) and, where the model reads one, ``vector`` (images, channels)."""

_PALETTE = np.array([[96, 222, 255], [38, 104, 214], [16, 22, 44], [222, 92, 40], [255, 216, 140]], float)
_PAPER = (10, 12, 24)


@dataclass
class Stage:
    """A share of sampling done with one pair of conditionings."""

    share: float
    c: Cond
    uc: Cond | None = None


@dataclass
class Ledger:
    """What sampling really used in the last job: (kind, model name, tensors)."""

    used: list[tuple[str, str, Cond]] = field(default_factory=list)

    def note(self, kind: str, model: str, cond: Cond | None) -> None:
        if cond is not None:
            self.used.append((kind, model, {key: value.detach().clone() for key, value in cond.items()}))


ledger = Ledger()


def as_cond(raw: Tensor | Cond) -> Cond:
    """Bring a host's conditioning to one shape."""
    return dict(raw) if isinstance(raw, dict) else {"crossattn": raw}


def stack(conds: list[Tensor | Cond]) -> Cond:
    """Join the conditionings of a batch; shorter ones are padded with their last chunk, as the samplers do."""
    parts = [as_cond(c) for c in conds]
    longest = max(p["crossattn"].shape[0] for p in parts)
    for part in parts:
        rows = part["crossattn"]
        while rows.shape[0] < longest:
            rows = torch.cat([rows, rows[-77:]])
        part["crossattn"] = rows
    return {key: torch.stack([p[key] for p in parts]) for key in parts[0]}


def _colours(values: Tensor) -> npt.NDArray[np.uint8]:
    """Colour a matrix by rank-preserving squashing: a number's sign is its hue, its size the brightness."""
    x = values.detach().float().cpu().numpy()
    scale = np.abs(x).mean(axis=-1, keepdims=True) * 1.6 + 1e-9
    at = (np.tanh(x / scale) + 1) / 2 * (len(_PALETTE) - 1)
    low = np.clip(np.floor(at).astype(int), 0, len(_PALETTE) - 2)
    part = (at - low)[..., None]
    coloured: npt.NDArray[np.float64] = _PALETTE[low] * (1 - part) + _PALETTE[low + 1] * part
    return coloured.round().astype(np.uint8)


def _paste(canvas: Image.Image, values: Tensor, box: tuple[int, int, int, int]) -> None:
    size = (max(1, box[2] - box[0]), max(1, box[3] - box[1]))
    picture = Image.fromarray(_colours(values))
    how = Image.Resampling.BOX if size[0] < picture.width else Image.Resampling.NEAREST
    canvas.paste(picture.resize(size, how), box[:2])


def draw(stages: list[Stage], index: int, width: int, height: int, inset: Image.Image | None = None) -> Image.Image:
    """Draw image ``index`` of a batch; stages stand side by side, what was sampled from is set in at the corner."""
    canvas = Image.new("RGB", (width, height), _PAPER)
    gap, foot = max(1, width // 96), max(2, height // 32)
    digest, left = hashlib.sha256(), 0.0
    for stage in stages:
        right = left + stage.share
        x0, x1 = round(left * width), round(right * width) - (gap if right < 0.999 else 0)
        split = x0 + round((x1 - x0) * (0.72 if stage.uc else 1))
        for cond, a, b in ((stage.c, x0, split), (stage.uc, split + gap, x1)):
            if cond is None:
                continue
            bottom = height - foot - gap
            if "vector" in cond:
                bottom -= 2 * foot
                _paste(canvas, cond["vector"][index : index + 1], (a, bottom + gap, b, height - foot - gap))
            _paste(canvas, cond["crossattn"][index], (a, 0, b, bottom))
            for key in sorted(cond):
                digest.update(cond[key][index].detach().float().cpu().contiguous().numpy().tobytes())
        left = right
    if inset is not None:
        small = inset.convert("RGB").resize((max(1, width // 5), max(1, height // 5)), Image.Resampling.LANCZOS)
        left, top = width - small.width - gap, height - foot - small.height - 2 * gap
        canvas.paste(_PAPER, (int(left) - gap, top - gap, width, height - foot))
        canvas.paste(small, (int(left), top))
        digest.update(inset.convert("RGB").tobytes())
    cells = np.frombuffer(digest.digest() * 3, np.uint8).reshape(1, 32, 3)
    canvas.paste(Image.fromarray(cells).resize((width, foot), Image.Resampling.NEAREST), (0, height - foot))
    return canvas
