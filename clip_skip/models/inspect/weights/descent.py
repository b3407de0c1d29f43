"""How much of NovelAI's training lies in an SD 1.x UNet, from a sketch of its attention weights.

A model's delta is its weights minus the origin's, SD 1.4's. Least squares on the deltas of NAI and of other models
that anime models are made of tells how much of NAI's delta it holds: 1 in NAI itself, the share in a merge, 0 in a
model that never met NAI. Deltas need no whole models: a linear sketch keeps their inner products, so a reference is
a quarter of a MB.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..evidence.evidence import HINT, STRONG, Evidence, Verdict
from ..formats.contents import Contents, ContentsError, Numbers, Tensor
from .references import References, Sketch

# The models that can be references, and how they are called in a sentence.
NAMES = {"sd1.4": "SD 1.4", "sd1.5": "SD 1.5", "nai": "NovelAI's model", "wd1.3": "Waifu Diffusion 1.3"}
# NovelAI's own file is on few disks. Anything V3 is nearly all NovelAI's: by the published distances its coefficient is
# 0.93 and the fit explains 0.95 of it, and in NovelAI's place it gives 20 of 21 published models the same coefficient
# within 0.07 (momoko-e 1.02 for 0.85, which is derived either way).
STAND_INS = {"nai-like": "Anything V3"}
NAI_OR_LIKE = ("nai", *STAND_INS)  # the first one known
ORIGINS = ("sd1.4", "sd1.5")  # the first one known; NAI V1 was trained from SD 1.4

# ---------------------------------------------------------------------------------------------------------------------
# The sketch

VERSION = "1"  # of all that decides what a sketch holds: the tensors, the runs, the signs, the folding

# A prime, so that no column of a matrix (all widths are multiples of 64) meets only few of the buckets.
BUCKETS = 4093

# The UNet's 16 attention blocks: name in a single file, name in diffusers, width. All of them, because block-weighted
# merges cut NAI out of some; and equally many numbers of each, because the error is least where the blocks weigh alike.
BLOCKS = (
    ("input_blocks.1.1", "down_blocks.0.attentions.0", 320),
    ("input_blocks.2.1", "down_blocks.0.attentions.1", 320),
    ("input_blocks.4.1", "down_blocks.1.attentions.0", 640),
    ("input_blocks.5.1", "down_blocks.1.attentions.1", 640),
    ("input_blocks.7.1", "down_blocks.2.attentions.0", 1280),
    ("input_blocks.8.1", "down_blocks.2.attentions.1", 1280),
    ("middle_block.1", "mid_block.attentions.0", 1280),
    ("output_blocks.3.1", "up_blocks.1.attentions.0", 1280),
    ("output_blocks.4.1", "up_blocks.1.attentions.1", 1280),
    ("output_blocks.5.1", "up_blocks.1.attentions.2", 1280),
    ("output_blocks.6.1", "up_blocks.2.attentions.0", 640),
    ("output_blocks.7.1", "up_blocks.2.attentions.1", 640),
    ("output_blocks.8.1", "up_blocks.2.attentions.2", 640),
    ("output_blocks.9.1", "up_blocks.3.attentions.0", 320),
    ("output_blocks.10.1", "up_blocks.3.attentions.1", 320),
    ("output_blocks.11.1", "up_blocks.3.attentions.2", 320),
)
_TEXT_WIDTH = 768
_TENSORS = tuple(f"transformer_blocks.0.{attn}.to_{part}.weight" for attn in ("attn1", "attn2") for part in "qkv")
_READ_TEXT = _TENSORS[4:]  # attn2's keys and values
# Where a UNet lies in a file, and which of a block's two names it goes by there.
_PLACES = (("model.diffusion_model.", 0), ("unet/", 1), ("", 0), ("", 1))

# Of each tensor at most so many numbers, in so many runs evenly spaced: reads stay large and the file's pages few.
RUNS = 8
_RUN = 8192


def sketch(contents: Contents) -> Sketch:
    """The sketch of an SD 1.x UNet: float32, shape (16 blocks, 4093).

    sketch(a * x + b * y) = a * sketch(x) + b * sketch(y). The inner product of two models' sketches, summed over blocks
    and buckets, estimates that of the numbers read, unbiased, with a standard deviation of
    0.4 to 0.55 % of the product of their norms, sqrt((1 + cos^2) / (16 * 4093)), where the blocks weigh alike.

    Reads 25 MB of a float32 file. Raises ContentsError, which says why, if this is no SD 1.x UNet that can be read.
    """
    blocks = _blocks(contents)
    with Numbers() as numbers:
        folded = (sum(fold(numbers, tensor, name, _RUN, BUCKETS) for name, tensor in block) for block in blocks)
        return finite(np.stack(list(folded)))


def fold(numbers: Numbers, tensor: Tensor, name: str, run: int, buckets: int) -> npt.NDArray[np.float64]:
    """The numbers of `RUNS` runs of `run` numbers, with random signs, summed into buckets: float64, shape (buckets,).

    The signs come from `name`, the tensor's name whatever its file calls it, and are the same for ever: numpy
    guarantees a bit generator's raw stream (not what Generator makes of it).
    """
    size = math.prod(tensor.shape)
    if size <= RUNS * run:
        sample = numbers.read(tensor, 0, size)
    else:
        starts = [i * (size - run) // (RUNS - 1) for i in range(RUNS)]
        sample = np.concatenate([numbers.read(tensor, start, run) for start in starts])
    padded = np.zeros(-(-sample.size // buckets) * buckets, np.uint32)
    # A sign is the float's first bit.
    np.bitwise_xor(sample.view(np.uint32), _signs(name, sample.size) << np.uint32(31), out=padded[: sample.size])
    with np.errstate(invalid="ignore"):  # infinities: `finite` finds them
        folded: npt.NDArray[np.float64] = padded.view(np.float32).reshape(-1, buckets).sum(axis=0, dtype=np.float64)
    return folded


def finite(rows: npt.NDArray[np.floating]) -> Sketch:
    """The rows as a float32 array. Raises ContentsError where there is an infinity or a NaN: the model is broken."""
    with np.errstate(over="ignore"):
        array: Sketch = rows.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        raise ContentsError("its weights are not finite")
    return array


def _signs(name: str, count: int) -> npt.NDArray[np.uint32]:
    """`count` random bits, uint32."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    raw = np.random.PCG64(seed).random_raw(-(-count // 64)).astype("<u8")
    bits: npt.NDArray[np.uint32] = np.unpackbits(raw.view(np.uint8), count=count).astype(np.uint32)
    return bits


def _blocks(contents: Contents) -> list[list[tuple[str, Tensor]]]:
    """The tensors that a sketch is made of, block by block, each with the name that its signs come from."""
    prefix, column = _place(contents)
    blocks = []
    for block in BLOCKS:
        width, tensors = block[2], []
        for name in _TENSORS:
            stored = f"{prefix}{block[column]}.{name}"
            tensor = contents.tensors.get(stored)
            if tensor is None:
                raise ContentsError(f"no SD 1.x UNet: it has no tensor {stored}")
            if tensor.shape != (width, _TEXT_WIDTH if name in _READ_TEXT else width):
                raise ContentsError(f"no SD 1.x UNet: {stored} has the wrong shape")
            tensors.append((f"{block[0]}.{name}", tensor))
        blocks.append(tensors)
    return blocks


def _place(contents: Contents) -> tuple[str, int]:
    for prefix, column in _PLACES:
        if f"{prefix}{BLOCKS[0][column]}.{_TENSORS[0]}" in contents.tensors:
            return prefix, column
    raise ContentsError("no SD 1.x UNet")


# ---------------------------------------------------------------------------------------------------------------------
# The algebra: all from inner products, so that published distances can be judged by the same code


class Fit(NamedTuple):
    """What least squares says of a model's delta. Norms are given as shares of the norm of NAI's own delta.

    `content` is the coefficient of each reference's delta, `error` the standard error of NAI's that the sketch brings,
    `alpha` the projection on NAI's delta alone, `size` the norm of the model's delta, `from_nai` its distance to NAI,
    and `explained` the share of its squared norm that the references make up.
    `blocks` has NAI's coefficient in each block fitted alone, with its error; empty where the blocks aren't known.
    """

    content: dict[str, float]
    error: float
    alpha: float
    size: float
    from_nai: float
    explained: float
    blocks: tuple[tuple[float, float], ...] = ()


def deltas_gram(model: Sketch, origin: Sketch, references: Sequence[Sketch]) -> npt.NDArray[np.float64]:
    """Inner products of the deltas of model and references, per block: shape (blocks, 1 + references, 1 + references).

    From sketches of shape (blocks, buckets).
    """
    deltas = np.stack([model, *references], axis=1).astype(np.float64) - origin[:, None]
    gram: npt.NDArray[np.float64] = deltas @ deltas.transpose(0, 2, 1)
    return gram


def fit(gram: npt.NDArray[np.float64], labels: Sequence[str], buckets: float = math.inf) -> Fit:
    """Least squares of a model's delta on the references', from their inner products.

    `gram` has shape (n, n) or (blocks, n, n), the model first and then the references in the order of `labels`, of
    which the first is one of `NAI_OR_LIKE`. `buckets` is the size of the sketch per block that the products come from.
    Raises ValueError where the references are too much alike to tell their parts apart.
    """
    parts = gram.reshape(-1, *gram.shape[-2:])
    whole = parts.sum(axis=0)
    nai = whole[1, 1]
    inverse = _inverse(whole[1:, 1:])
    if inverse is None:
        raise ValueError("the references are too much alike")
    content = inverse @ whole[1:, 0]
    # With r what the fit leaves over, the sketch's error in <r, reference i> has the covariance |r|^2 G_ij / buckets
    # in each block; the coefficients are the inverse of G times that.
    noise = sum(_left(part, content) * part[1:, 1:] for part in parts) / buckets
    size = max(whole[0, 0], 0.0)
    left = max(_left(whole, content), 0.0)
    return Fit(
        content=dict(zip(labels, map(float, content), strict=True)),
        error=float(np.sqrt((inverse @ noise @ inverse)[0, 0])),
        alpha=float(whole[0, 1] / nai),
        size=float(np.sqrt(size / nai)),
        from_nai=float(np.sqrt(max(size + nai - 2 * whole[0, 1], 0.0) / nai)),
        explained=float(1 - left / size) if size else 1.0,
        blocks=tuple(_block(part, buckets) for part in parts) if len(parts) > 1 else (),
    )


def _block(part: npt.NDArray[np.float64], buckets: float) -> tuple[float, float]:
    """NAI's coefficient in one block, and its error; nothing is known of a block where references are alike."""
    inverse = _inverse(part[1:, 1:])
    if inverse is None:
        return 0.0, math.inf
    content = inverse @ part[1:, 0]
    return float(content[0]), float(np.sqrt(max(_left(part, content), 0.0) * inverse[0, 0] / buckets))


def _left(gram: npt.NDArray[np.float64], content: npt.NDArray[np.float64]) -> float:
    """The squared norm of what the references leave over of the model's delta."""
    rest = np.concatenate([[1.0], -content])
    return max(float(rest @ gram @ rest), 0.0)


def _inverse(gram: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """The inverse of the references' Gram matrix; None where less than a tenth of some delta is its own."""
    norms = np.sqrt(np.diag(gram))
    if not (norms > 0).all():
        return None
    cosines = gram / np.outer(norms, norms)
    try:
        inverse = np.linalg.inv(cosines)
    except np.linalg.LinAlgError:
        return None
    own = np.diag(inverse)  # 1 / the squared sine of the angle between a delta and all others
    return inverse / np.outer(norms, norms) if ((own > 0) & (own < 100)).all() else None


# ---------------------------------------------------------------------------------------------------------------------
# The verdict

DERIVED, CONTAINS, TRACE = 0.80, 0.35, 0.15  # NAI's coefficient
ALPHA = 0.30  # for no trace the plain projection must agree ...
EXPLAINED = 0.90  # ... unless the references make up the delta: then what projects on NAI's is known to be another's
SURE = 3.0  # standard errors that a block's coefficient must be above CONTAINS

# As shares of NAI's delta, rounding to float16 moves a model by 0.003 and to bfloat16 by 0.026. The nearest of the
# published models that isn't NAI (disco) is 0.053 away.
ROUNDING = 0.04


def verdict(fit: Fit, origin: str = "sd1.4", nai_label: str = "nai") -> Verdict:
    """The verdict that a fit with the reference `origin` as origin, and `nai_label` for NovelAI's model, means."""
    nai = fit.content[nai_label]
    # Seen from SD 1.5 a share of NAI's delta is another length, and all that comes from SD 1.4 moves the same way, in
    # some blocks as if it held a part of NAI.
    exact = origin == "sd1.4"
    if exact and fit.from_nai <= ROUNDING and nai_label == "nai":
        return Verdict.NAI
    if fit.size <= ROUNDING:
        return Verdict.NOT_NAI
    if nai >= DERIVED:
        return Verdict.NAI_DERIVED
    # What anime training in general has in common with NAI's is told apart by Waifu Diffusion's alone.
    if (
        exact
        and "wd1.3" in fit.content
        and (nai >= CONTAINS or any(c - SURE * error >= CONTAINS for c, error in fit.blocks))
    ):
        return Verdict.CONTAINS_NAI
    no_block = all(c < CONTAINS for c, _ in fit.blocks)
    if nai < TRACE and no_block and (fit.alpha < ALPHA or fit.explained >= EXPLAINED):
        return Verdict.NOT_NAI
    return Verdict.UNKNOWN


def weight_evidence(contents: Contents, references: References) -> Evidence | None:
    """What the UNet's weights say of the lineage; None if this is no SD 1.x UNet whose numbers can be read."""
    known = {label: reference.unet for label, reference in references.by_label.items()}
    origin = next((label for label in ORIGINS if label in known), ORIGINS[0])
    nai = next((label for label in NAI_OR_LIKE if label in known), NAI_OR_LIKE[0])
    # From SD 1.5 all that comes from SD 1.4 looks like NAI, unless Waifu Diffusion's delta takes its share.
    needed = (origin, nai) if origin == "sd1.4" else (origin, nai, "wd1.3")
    missing = [label for label in needed if label not in known]
    try:
        if missing:
            _blocks(contents)
            return _nothing_told(_ask_for(missing))
        model = sketch(contents)
    except (ContentsError, OSError):
        return None
    # SD 1.5 is a direction of its own from SD 1.4: models made from it share that, not NAI's.
    labels = [nai, *(label for label in known if label not in (*NAI_OR_LIKE, origin))]
    try:
        result = fit(deltas_gram(model, known[origin], [known[label] for label in labels]), labels, BUCKETS)
    except ValueError:
        return _nothing_told(
            f"The UNet's weights tell nothing: of the references {', '.join(known)} two are the same model."
        )
    decided = verdict(result, origin, nai)
    return Evidence("unet-weights", STRONG, _sentence(result, decided, NAMES[origin], nai), decided)


def _nothing_told(why: str) -> Evidence:
    return Evidence("unet-weights", HINT, why)


_LEARN = "python -m clip_skip learn FILE --as"


def _ask_for(missing: Sequence[str]) -> str:
    names = " and ".join(NAMES[label] for label in missing)
    return f"The UNet's weights were not compared: no reference of {names} was learned yet ({_LEARN} {missing[0]})."


def _sentence(fit: Fit, verdict: Verdict, origin: str, nai: str) -> str:
    if verdict is Verdict.NAI:
        return "The UNet's weights are NovelAI's, up to rounding."
    if fit.size <= ROUNDING:
        return f"The UNet's weights are all but {origin}'s own."
    share = f"{fit.content[nai]:.0%} (± {2 * fit.error:.0%})"
    share = f"The UNet holds {share} of the change that NovelAI's training made to {origin}"
    if nai in STAND_INS:
        share += f", for which {STAND_INS[nai]} stands here"
    if verdict is Verdict.CONTAINS_NAI and fit.content[nai] < CONTAINS:
        return f"{share}, and {max(c for c, error in fit.blocks if error < 1):.0%} of it in some blocks."
    if verdict is Verdict.UNKNOWN:
        more = "" if "wd1.3" in fit.content else f" {NAMES['wd1.3']} would tell more ({_LEARN} wd1.3)."
        return f"{share}, {fit.alpha:.0%} compared with that alone: too little to be sure, too much to exclude.{more}"
    return f"{share}."
