"""A model in diffusers' layout: a folder with model_index.json and one folder for each component."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ....text.regex import regex
from .contents import Contents, ContentsError, Tensor, load_object

MAX_CONFIG_BYTES = 4 << 20
MAX_COMPONENTS = 32
MAX_FILES = 1000  # looked at in one component's folder

_INDEX = "model_index"
_COMPONENT = regex(r"\w[\w.-]{0,99}")  # a plain name: neither a path nor ".."

# "model", "model.fp16", "diffusion_pytorch_model-00001-of-00003", "model.fp16-00001-of-00002", ...
_WEIGHTS = regex(
    r"(?:diffusion_pytorch_model|pytorch_model|model)"
    r"(?P<variant>\.\w+)??(?P<shard>-\d{5}-of-\d{5})?(?P<variant_after>\.\w+)?\.(?P<kind>safetensors|bin)"
)

# Components whose config goes by a name of its own.
_CONFIGS = {"scheduler": "scheduler_config.json"}


def read_folder(path: Path, read_contents: Callable[[Path], Contents]) -> Contents:
    """The contents of the diffusers folder at `path`, or of one component's folder, which has a config.json only.

    `read_contents` reads a file of weights.

    Of a component's weights one set is read: safetensors rather than torch's, no variant ("fp16") rather than one, one
    file rather than shards. A component whose config or weights are broken is left out: the others tell enough.
    Raises ContentsError where model_index.json is missing or broken, OSError where it can't be read.
    """
    configs: dict[str, Mapping[str, object]] = {}
    if (path / f"{_INDEX}.json").is_file():
        root = path
        configs[_INDEX] = _config(path / f"{_INDEX}.json")
        names = [name for name, value in configs[_INDEX].items() if type(value) is list and _COMPONENT.fullmatch(name)]
    elif (path / "config.json").is_file():
        root, names = path.absolute().parent, [path.absolute().name]
    else:
        raise ContentsError("a folder without model_index.json: no diffusers model")
    tensors: dict[str, Tensor] = {}
    for name in names[:MAX_COMPONENTS]:
        with suppress(ContentsError, OSError):
            configs[name] = _config(root / name / _CONFIGS.get(name, "config.json"))
        with suppress(ContentsError, OSError):
            tensors |= {f"{name}/{key}": tensor for key, tensor in _weights(root / name, read_contents).items()}
    return Contents("diffusers", tensors, configs=configs)


def _config(path: Path) -> Mapping[str, object]:
    if not path.is_file():  # whoever opens a pipe may wait for ever
        raise ContentsError(f"{path.name} is not a file")
    with open(path, "rb") as file:
        text = file.read(MAX_CONFIG_BYTES + 1)
    if len(text) > MAX_CONFIG_BYTES:
        raise ContentsError(f"{path.name} is over {MAX_CONFIG_BYTES} bytes long")
    return load_object(text)


def _weights(folder: Path, read_contents: Callable[[Path], Contents]) -> dict[str, Tensor]:
    """The tensors of the component in `folder`."""
    sets: dict[tuple[bool, str, bool], list[str]] = {}
    with os.scandir(folder) as entries:
        for entry, _ in zip(entries, range(MAX_FILES), strict=False):
            match = _WEIGHTS.fullmatch(entry.name)
            if match and entry.is_file():  # a folder could lead round in circles
                variant = (match["variant"] or "") + (match["variant_after"] or "")
                sets.setdefault((match["kind"] == "bin", variant, bool(match["shard"])), []).append(entry.name)
    tensors: dict[str, Tensor] = {}
    for file in sorted(sets[min(sets)]) if sets else []:
        tensors |= read_contents(folder / file).tensors
    return tensors
