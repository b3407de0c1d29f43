"""Which skip a text encoder was trained with, told by the layers that training left as they were.

A loss on the output of the k-th layer from the end gives the k - 1 layers after it no gradient.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from ....text.regex import regex
from ..evidence.evidence import SkipStatement
from ..formats.contents import READABLE, Contents, ContentsError, Numbers, Tensor
from .descent import ORIGINS, finite, fold
from .references import References, Sketch

LAYERS = 12  # of CLIP ViT-L/14
WIDTH = 768

# ---------------------------------------------------------------------------------------------------------------------
# LoRA, LoHa, LoKr

# Names by kohya, LyCORIS, OneTrainer ("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight"), by PEFT and
# diffusers ("text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_B.weight"); transformers >= 5.6 has no text_model.
_FACTOR = regex(
    r"(?:lora_te1?_|lycoris_te1?_|text_encoder\.)(?:text_model[._])?encoder[._]layers[._](?P<layer>\d{1,3})[._]"
    r"(?P<module>[\w.]+?)[._]"
    r"(?:lora_(?:up|down|mid|[AB]|linear_layer\.(?:up|down))|lora\.(?:up|down)|hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2))"
    r"(?:\.default)?(?:\.weight)?"
)
# For each file; a factor is read on only as far as it is zero.
_MAX_NUMBERS = 16_000_000
_CHUNK = 1 << 16


def lora_statement(contents: Contents, architecture_id: str) -> SkipStatement | None:
    """The skip that a LoRA, LoHa or LoKr was trained with; None if its text encoder's layers don't say.

    They begin as nothing by one factor that is all zeros. Which one depends on the kind and on the trainer's options,
    but whichever it is, the product is nothing.
    """
    if architecture_id not in ("sd1", "sdxl"):
        return None
    layers: dict[int, dict[str, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
    for name, tensor in contents.tensors.items():
        if found := _FACTOR.fullmatch(name):
            layers[int(found["layer"])][found["module"]].append(tensor)
    if set(layers) != set(range(LAYERS)):
        return None  # the layers that are not there say nothing, nor then do the others
    try:
        with Numbers() as numbers:
            zeros = _Zeros(numbers)
            trained = next((n for n in reversed(range(LAYERS)) if not _untouched(layers[n], zeros)), None)
    except (ContentsError, OSError):
        return None
    if trained is None:
        return None
    left = LAYERS - 1 - trained
    if architecture_id != "sd1":
        # SDXL reads CLIP-L one layer before the last: that layer is never trained, whatever the trainer's clip skip.
        return SkipStatement("trained-layers", f"Training left CLIP-L's {_left_alone(left)}.", {}, True)
    text = f"Training left the text encoder's {_left_alone(left)}."
    if not left:
        text = "Training reached the text encoder's last layer."
    return SkipStatement("trained-layers", text, {"l": 1.0 + left}, True)


def _untouched(modules: dict[str, list[Tensor]], zeros: _Zeros) -> bool:
    return all(any(zeros.all_in(factor) for factor in factors) for factors in modules.values())


class _Zeros:
    """Tells tensors of zeros, within a budget of numbers to read. Raises ContentsError where it is spent."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._budget = _MAX_NUMBERS

    def all_in(self, tensor: Tensor) -> bool:
        size = int(np.prod(tensor.shape, dtype=object))
        for first in range(0, size, _CHUNK):
            count = min(_CHUNK, size - first)
            self._budget -= count
            if self._budget < 0:
                raise ContentsError("too many zeros")
            if self._numbers.read(tensor, first, count).any():
                return False
        return True


def _left_alone(count: int) -> str:
    return "last layer as it was" if count == 1 else f"last {count} layers as they were"


def contradicted(statement: SkipStatement, by_weights: SkipStatement | None) -> SkipStatement:
    """What a LoRA's metadata says it was trained with; no number any more where training reached a later layer.

    Metadata names the trainer's option, which is not always obeyed: kohya's scripts did not with weighted captions
    (kohya-ss/sd-scripts, pull request 580). A layer that training did not reach may have been held back otherwise.
    """
    trained = by_weights.skip.get("l") if by_weights is not None else None
    if not statement.trained or trained is None or statement.skip.get("l", trained) <= trained:
        return statement
    layer = LAYERS + 1 - int(trained)
    text = f"{statement.text[:-1]}, but its weights contradict it: training reached layer {layer} of {LAYERS}."
    return replace(statement, text=text, skip={})


# ---------------------------------------------------------------------------------------------------------------------
# Checkpoints

_PLACES = (
    "cond_stage_model.transformer.text_model.encoder.layers.",
    "cond_stage_model.transformer.encoder.layers.",
    "text_encoder/text_model.encoder.layers.",
    "text_encoder/encoder.layers.",
)
_TENSORS = {  # shape in widths
    **{f"self_attn.{part}_proj.weight": (1, 1) for part in ("q", "k", "v", "out")},
    "mlp.fc1.weight": (4, 1),
    "mlp.fc2.weight": (1, 4),
}
_RUN = 2048
TEXT_BUCKETS = 1021  # enough for norms

# A layer counts as left alone if it moved less than this share of what the layers before it moved on average ...
_LEFT_ALONE = 0.15
# ... and the last layer that moved as trained to its end, if it moved nearly as much as the one before it. Between the
# two lie merges of models trained with different skips.
_TRAINED = 0.90
# The spacing of a type's numbers, relative. Rounding a layer moves it by up to spacing / sqrt(12) of its norm. What is
# float32 now may have been float16 before.
_SPACING = {"F64": 2.0**-10, "F32": 2.0**-10, "F16": 2.0**-10, "BF16": 2.0**-7}
_ABOVE_ROUNDING = 2.0


def text_sketch(contents: Contents) -> Sketch:
    """The sketch (`weights.sketch`) of the text encoder of an SD 1.x model: float32, shape (12 layers, 1021).

    Reads 5 MB of a float32 file. Raises ContentsError, which says why, where that encoder isn't there or can't be read.
    """
    place = _place(contents)
    with Numbers() as numbers:
        rows = [
            sum(
                fold(numbers, _tensor(contents, place, layer, name), f"text.{layer}.{name}", _RUN, TEXT_BUCKETS)
                for name in _TENSORS
            )
            for layer in range(LAYERS)
        ]
    return finite(np.stack(rows))


def checkpoint_statement(contents: Contents, references: References) -> SkipStatement | None:
    """The skip that an SD 1.x checkpoint's text encoder was trained with.

    None where it was not trained (or moved no more than rounding does), or nothing is known to compare it with. The
    statement has no number where the model is a mixture.
    """
    known = (references.by_label[label].text for label in ORIGINS if label in references.by_label)
    base = next((text for text in known if text is not None), None)
    if base is None:
        return None
    try:
        moved = np.linalg.norm(text_sketch(contents).astype(np.float64) - base, axis=1)
        dtype = _tensor(contents, _place(contents), 0, next(iter(_TENSORS))).dtype
    except (ContentsError, OSError):
        return None
    rounding = _SPACING[dtype] / np.sqrt(12) * np.linalg.norm(base.astype(np.float64), axis=1)
    level = moved[:-1].mean()  # the last layer may not have been trained
    if level <= _ABOVE_ROUNDING * rounding[:-1].mean():
        return None
    last = max(int(layer) for layer in np.flatnonzero(moved >= _LEFT_ALONE * level))
    if (moved[:last] < _LEFT_ALONE * level).any():
        return None  # a loss reaches all layers before: these were changed in some other way
    left = LAYERS - 1 - last
    ratio = moved[last] / moved[last - 1] if last else 1.0
    if ratio < _TRAINED:
        text = (
            f"Training moved the text encoder's layer {last + 1} of {LAYERS} {ratio:.2f} times as far as the one "
            "before it: a mixture."
        )
        return SkipStatement("trained-layers", text, {}, True)
    if left:
        text = f"Training left the text encoder's {_left_alone(left)}."
    else:
        text = f"Training moved the text encoder's last layer {ratio:.2f} times as far as the one before it."
    return SkipStatement("trained-layers", text, {"l": 1.0 + left}, True)


def _place(contents: Contents) -> str:
    for place in _PLACES:
        if f"{place}0.{next(iter(_TENSORS))}" in contents.tensors:
            return place
    raise ContentsError("no SD 1.x text encoder")


def _tensor(contents: Contents, place: str, layer: int, name: str) -> Tensor:
    tensor = contents.tensors.get(f"{place}{layer}.{name}")
    if tensor is None or tensor.dtype not in READABLE or tensor.shape != tuple(n * WIDTH for n in _TENSORS[name]):
        raise ContentsError(f"no SD 1.x text encoder: layer {layer}'s {name} is missing or of another shape")
    return tensor
