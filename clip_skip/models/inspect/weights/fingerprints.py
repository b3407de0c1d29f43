"""Marks that a model carries along from the one it was made of, other than the weights of its UNet."""

from __future__ import annotations

import hashlib
import math
import os
import struct

import numpy as np

from ..evidence.evidence import HINT, STRONG, Evidence, Verdict
from ..formats.contents import READABLE, Contents, ContentsError, Numbers, Tensor
from .references import References

# ---------------------------------------------------------------------------------------------------------------------
# The count of updates of the moving average (EMA), a whole number that training left in files that were not pruned

# How far NAI's count is from SD 1.4's.
NAI_UPDATES_FROM_SD14 = 551_602
_COUNTS = {"I64": "<q", "I32": "<i", "F32": "<f", "F64": "<d"}


def num_updates(contents: Contents) -> int | None:
    """The count of EMA updates that the file keeps, None if it keeps none."""
    tensor = contents.tensors.get("model_ema.num_updates")
    if tensor is None or tensor.offset is None or tensor.dtype not in _COUNTS or tensor.shape not in ((), (1,)):
        return None
    layout = _COUNTS[tensor.dtype]
    try:
        with open(tensor.file, "rb") as file:
            file.seek(tensor.offset)
            (value,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
        return int(value)
    except (OSError, struct.error, ValueError, OverflowError):  # the file changed, or NaN or infinity
        return None


def ema_updates(contents: Contents, references: References) -> Evidence | None:
    """What the count of EMA updates says: it is NAI's, or nothing.

    A merge keeps the count of the model it began with. SD 1.4's therefore does not speak against NAI.
    """
    count = num_updates(contents)
    if count is None:
        return None
    nai, origin = (references.num_updates(label) for label in ("nai", "sd1.4"))
    if count == nai or (origin is not None and abs(count - origin) == NAI_UPDATES_FROM_SD14):
        text = f"The file counts {count} EMA updates, as NovelAI's model does."
        return Evidence("ema-updates", STRONG, text, Verdict.NAI_DERIVED)
    return None


# ---------------------------------------------------------------------------------------------------------------------
# Hints

_TEXT_MODEL = "cond_stage_model.transformer.text_model."
_PARTS = ("embeddings.", "encoder.", "final_layer_norm.")
_NO_TEXT_MODEL = tuple(f"cond_stage_model.transformer.{part}" for part in _PARTS)


def text_model_evidence(contents: Contents) -> Evidence | None:
    """Whether the text encoder's names lack "text_model.", as they did in NAI's first files.

    A hint: other converters lost it too, and mergers put it back.
    """
    lacking = any(name.startswith(_NO_TEXT_MODEL) for name in contents.tensors)
    if not lacking or any(name.startswith(_TEXT_MODEL) for name in contents.tensors):
        return None
    text = 'The names of its text encoder lack "text_model.", as in the first files of NovelAI\'s model.'
    return Evidence("no-text-model", HINT, text, Verdict.NAI_DERIVED)


# The metric of sd-webui-model-toolkit (arenasys, toolkit.py compute_metric), and what it gives for NAI's VAE.
NAI_VAE_METRIC = 2982
_SD_VAE_SUM = 17870.7051
_VAE_PARTS = tuple(f"{place}{part}." for place in ("first_stage_model.", "vae/", "") for part in ("encoder", "decoder"))
_MAX_NUMBERS = 100_000_000  # it has 84 million
_CHUNK = 1 << 20


def vae_metric(contents: Contents) -> int | None:
    """The toolkit's metric of the VAE: 0 for SD 1.x's own, 2982 for NAI's; None if there is no VAE that can be read.

    Reads the whole VAE, 160 to 330 MB.
    """
    tensors = [tensor for name, tensor in contents.tensors.items() if name.startswith(_VAE_PARTS)]
    size = sum(math.prod(tensor.shape) for tensor in tensors)
    if not 0 < size <= _MAX_NUMBERS or any(tensor.dtype not in READABLE for tensor in tensors):
        return None
    try:
        with Numbers() as numbers:
            total = math.fsum(_squashed(numbers, tensor) for tensor in tensors)
    except (ContentsError, OSError):
        return None
    if not math.isfinite(total):
        return None
    metric = int(abs(total / _SD_VAE_SUM - 1) * 10_000)
    # The toolkit takes 5,000 away for as long as there are more than four digits.
    return metric if metric < 10_000 else 5_000 + metric % 5_000


def vae_evidence(contents: Contents) -> Evidence | None:
    """Whether NAI's VAE is in the file: a hint, because a VAE is easily exchanged."""
    metric = vae_metric(contents)
    # The toolkit sums in float32, which may move a number at the edge to its neighbour.
    if metric is None or abs(metric - NAI_VAE_METRIC) > 1:
        return None
    return Evidence("vae-metric", HINT, f"Its VAE has the metric {metric}, as NovelAI's.", Verdict.CONTAINS_NAI)


def _squashed(numbers: Numbers, tensor: Tensor) -> float:
    """The sum of sigmoid(x) - 0.5 over the tensor, x rounded to float16."""
    size = math.prod(tensor.shape)
    total = 0.0
    for first in range(0, size, _CHUNK):
        with np.errstate(over="ignore"):  # beyond float16 is infinite, and squashed to 0.5
            half = numbers.read(tensor, first, min(_CHUNK, size - first)).astype(np.float16)
        total += float(np.tanh(half.astype(np.float32) / 2).sum(dtype=np.float64)) / 2
    return total


# ---------------------------------------------------------------------------------------------------------------------


def legacy_hash(path: str | os.PathLike[str]) -> str | None:
    """A1111's first kind of model hash: 8 hex digits of the SHA-256 of 64 KB at 1 MB; None if there is no such file.

    Many different models share one; that of a file shorter than 1 MB is the hash of nothing, "e3b0c442".
    """
    try:
        with open(path, "rb") as file:
            file.seek(0x100000)
            return hashlib.sha256(file.read(0x10000)).hexdigest()[:8]
    except (OSError, ValueError):
        return None
