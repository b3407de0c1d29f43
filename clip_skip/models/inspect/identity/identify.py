"""What a model file is: its kind, architecture and variant, told from the names and shapes of its tensors.

The file's name is never asked, and metadata only where the tensors can't tell. A checkpoint is told by a few names that
are looked up, not by going over all of them; only a LoRA's names are gone over, since each LoRA has other ones.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from ....skip.architectures import ARCHITECTURES, UNKNOWN, Architecture, by_pipeline, encoder_id_of
from ..formats.contents import READABLE, Contents, Tensor, width
from ..formats.reader import read_contents
from .declared import declared
from .lora import FLUX_OR_CHROMA, lora_told
from .model_table import BY_CLASS, BY_COMPANION, CLIP_BY_WIDTH, COMPANIONS, PARTS, clues, full_name
from .variants import Shapes, whole_number


class Identity(NamedTuple):
    """What a file is.

    `kind` is "checkpoint", "diffusion-model" (a UNet or transformer alone), "text-encoder", "vae", "lora", "embedding",
    "controlnet" or "unknown". `variant` is a word for what the architecture alone doesn't say ("inpainting", "768-v",
    "dev"), or the name of a model that has no architecture of its own here ("PixArt"); "" if there is nothing to say.
    `quantised` is how its weights are packed ("fp8", "nf4", "gguf Q4_0"), "" if they are not.
    """

    kind: str
    architecture: Architecture = UNKNOWN
    variant: str = ""
    quantised: str = ""


def identify(path: str | os.PathLike[str]) -> Architecture:
    """The architecture of the model file or diffusers folder at `path`, or `UNKNOWN`.

    Never raises. The answer is kept while the file's size and time stay the same.
    """
    try:
        stat = os.stat(path)
        return _identify(os.fspath(path), stat.st_size, stat.st_mtime_ns)
    except Exception:  # a host lists its models through this: no file may stop it
        return UNKNOWN


@lru_cache(maxsize=10_000)
def _identify(path: str, size: int, mtime_ns: int) -> Architecture:
    return identify_contents(read_contents(path)).architecture


# What a program that saved the whole of something around the model left before every name.
_WRAPPERS = ("module.", "_orig_mod.", "state_dict.", "model.")


def identify_contents(contents: Contents) -> Identity:
    """What these contents are; kind "unknown" where nothing is recognised. Never raises."""
    if contents.format == "diffusers":
        return _identify_folder(contents)
    found = _identify_names(contents)
    for _ in range(len(_WRAPPERS)):
        if found.kind != "unknown" or found.variant or not (wrapper := _wrapper(contents.tensors)):
            break
        names = {name[len(wrapper) :]: tensor for name, tensor in contents.tensors.items()}
        found = _identify_names(contents := replace(contents, tensors=names))
    return found


def _wrapper(names: Collection[str]) -> str:
    """What all the names begin with that is none of the model's own; "" where there is no such thing."""
    first = next(iter(names), "")
    wrapper = next((each for each in _WRAPPERS if first.startswith(each)), "")
    return wrapper if all(name.startswith(wrapper) for name in names) else ""


def _identify_names(contents: Contents) -> Identity:
    found = _find_model(contents)
    if found is not None:
        return found
    for kind, told, name in PARTS:
        if name in contents.tensors:
            id, variant = told
            if variant == "CLIP":
                variant = CLIP_BY_WIDTH.get(width(contents.tensors[name].shape, 0) or 0, variant)
            return Identity(kind, ARCHITECTURES[id], variant, _packing(contents, name))
    return _find_lora(contents) or _find_embedding(contents) or Identity("unknown")


def _find_model(contents: Contents) -> Identity | None:
    """The diffusion model in the file, alone or in a checkpoint."""
    tensors = contents.tensors
    for clue in clues():
        if clue.name not in tensors or any(other not in tensors for other in clue.others):
            continue
        told = clue.model.told
        if clue.model.by_shapes is not None:
            told = clue.model.by_shapes(_shapes(tensors, clue.prefix), clue.short)
        told = next((other for other, name in BY_COMPANION if name in tensors), told)
        whole = any(name in tensors for name in COMPANIONS)
        kind = clue.model.kind or ("checkpoint" if whole else "diffusion-model")
        id, variant = told
        if not clue.model.kind:
            variant = variant or _untold_variant(id, contents.metadata)
        return Identity(kind, ARCHITECTURES[id], variant, _packing(contents, clue.name))
    return None


def _shapes(tensors: Mapping[str, Tensor], prefix: str) -> Shapes:
    def shape(name: str) -> tuple[int, ...] | None:
        tensor = tensors.get(full_name(prefix, name))
        return None if tensor is None else tensor.shape

    return shape


# Packed types by the start of safetensors' names for them.
_PACKED = {"F8": "fp8", "I8": "int8", "U8": "uint8", "F4": "fp4", "I4": "int4", "U4": "int4"}


def _packing(contents: Contents, name: str) -> str:
    """How the weights are quantised, by the matrix of this name; "" if they are not."""
    tensors = contents.tensors
    if contents.format == "gguf":  # mixes types: the one that most tensors have, of those that are packed
        packed = Counter(tensor.dtype for tensor in tensors.values() if tensor.dtype not in READABLE)
        return f"gguf {packed.most_common(1)[0][0]}" if packed else "gguf"
    for kind in ("nf4", "fp4"):
        if f"{name}.quant_state.bitsandbytes__{kind}" in tensors:
            return kind
    return _PACKED.get(tensors[name].dtype[:2], "")


# ---------------------------------------------------------------------------------------------------------------------
# Metadata.


def _untold_variant(id: str, metadata: Mapping[str, str]) -> str:
    """The variant by metadata, where it is one of those that no tensor tells."""
    said = declared(metadata)
    if said in (("sd2", "512"), ("sd2", "768-v"), ("sdxl", "turbo")) and said[0] == id:
        return said[1]
    if id == "sd2":
        return {"v": "768-v", "epsilon": "512"}.get(_text(metadata, "modelspec.prediction_type"), "")
    return ""


# ---------------------------------------------------------------------------------------------------------------------
# Diffusers folders.


def _identify_folder(contents: Contents) -> Identity:
    configs = {name: config for name, config in contents.configs.items() if isinstance(config, Mapping)}
    index = configs.get("model_index", {})
    by_keys, by_configs = _find_model(contents), _by_configs(configs)
    found = next(
        (one for one in (by_keys, by_configs) if one and (one.variant or one.architecture is not UNKNOWN)), None
    )
    found = found or by_keys or by_configs or Identity("unknown")
    kind, id, variant = found.kind, found.architecture.id, found.variant
    if not variant and by_configs and by_configs.architecture.id == id:
        variant = by_configs.variant
    pipeline = _text(index, "_class_name")
    if pipeline:
        kind = "checkpoint"
        if pipeline.startswith("AltDiffusion"):
            id, variant = "none", "Alt-Diffusion"
        elif _has(index, "image_encoder") and not _has(index, "text_encoder"):
            id, variant = "none", variant if id == "none" else ""  # reads an image in place of a prompt
        elif id == "unknown" and not variant:
            id = _by_pipeline(pipeline, configs).id
    if id == "sd2" and variant in ("", "512", "768-v"):
        prediction = _text(configs.get("scheduler", {}), "prediction_type")
        variant = {"v_prediction": "768-v", "epsilon": "512"}.get(prediction, variant)
    return Identity(kind, ARCHITECTURES[id], variant, found.quantised or (by_configs.quantised if by_configs else ""))


def _has(index: Mapping[str, object], component: str) -> bool:
    """Whether the pipeline has the component: its entry is [library, class], both null where it was left out."""
    entry = index.get(component)
    return isinstance(entry, list) and entry[:1] != [None]


def _by_configs(configs: Mapping[str, Mapping[str, object]]) -> Identity | None:
    """By the class and the numbers of whichever component is the diffusion model."""
    for config in configs.values():
        model = BY_CLASS.get(_text(config, "_class_name"))
        if model is not None:
            id, variant = model.by_config(config) if model.by_config is not None else model.told
            return Identity(model.kind or "diffusion-model", ARCHITECTURES[id], variant, _config_packing(config))
    for config in configs.values():
        if _text(config, "_class_name").startswith("Autoencoder"):
            return Identity("vae")
        if encoder_id_of(whole_number(config, "num_hidden_layers") or 0):
            return Identity("text-encoder")
    return None


def _by_pipeline(class_name: str, configs: Mapping[str, Mapping[str, object]]) -> Architecture:
    """By the pipeline's class, where the diffusion model has told nothing."""
    blocks = (whole_number(configs.get(name, {}), "num_hidden_layers") for name in ("text_encoder", "text_encoder_2"))
    ids = {encoder_id_of(count) for count in blocks if count is not None} - {None}
    return by_pipeline(class_name, [id for id in ids if id is not None])


def _text(mapping: Mapping[str, object], name: str) -> str:
    """The string of this name; "" where there is none, or something else."""
    value = mapping.get(name)
    return value if isinstance(value, str) else ""


def _config_packing(config: Mapping[str, object]) -> str:
    quantisation = config.get("quantization_config")
    if not isinstance(quantisation, Mapping):
        return ""
    if quantisation.get("load_in_8bit") is True:
        return "int8"
    for name in ("bnb_4bit_quant_type", "quant_type", "quant_method"):
        if value := _text(quantisation, name):
            return value[:20]
    return ""


# ---------------------------------------------------------------------------------------------------------------------
# LoRAs and textual inversions.


def _find_lora(contents: Contents) -> Identity | None:
    told = lora_told(contents.tensors)
    if told is None:
        return None
    (id, variant), said = told, declared(contents.metadata)
    if told == FLUX_OR_CHROMA:
        id = "chroma" if said[0] == "chroma" else "flux"
    if id == "unknown" and not variant:
        id, variant = said
    elif not variant and said[0] == id:
        variant = said[1]
    return Identity("lora", ARCHITECTURES[id], variant)


# By the name of the embedding of one encoder, and its width.
_EMBEDDINGS: dict[str, dict[int, str]] = {
    "clip_g": {1280: "sdxl"},
    "clip_l": {},  # SDXL's, SD 3's or Flux's
    **{name: {768: "sd1", 1024: "sd2"} for name in ("emb_params", "string_to_param.*", "*")},
}


def _find_embedding(contents: Contents) -> Identity | None:
    tensors = contents.tensors
    name = next((name for name in _EMBEDDINGS if name in tensors), None)
    if name is None and len(tensors) == 1:  # diffusers: one tensor, by the name of the token
        name = next((name for name in tensors if name.startswith("<")), None)
    if name is None:
        return None
    id = _EMBEDDINGS.get(name, _EMBEDDINGS["*"]).get(width(tensors[name].shape, -1) or 0, "unknown")
    said = declared(contents.metadata)[0]
    return Identity("embedding", ARCHITECTURES["sd3" if (id, said) == ("sdxl", "sd3") else id])
