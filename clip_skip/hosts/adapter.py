"""What the adapters have in common: where both kinds of WebUI keep the same things in the same way."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from ..conditioning.loaded_model import LoadedModel
from ..jobs.sheet import Font, Sheet
from ..models.checkpoint import Checkpoint
from ..models.inspect.identity.identify import identify
from ..skip import host_sliders, prompt_tags
from ..skip.architectures import Architecture
from ..skip.prompt_tags import Tags
from .idle import is_busy
from .protocols import (
    CheckpointInfo,
    Checkpoints,
    ExtraNetworks,
    Hashes,
    NetworkOnDisk,
    Options,
    Processed,
    Processing,
    ScriptData,
    Shared,
)

# Where the host keeps the hashes of its models.
_STORE = "hashes"

Info = TypeVar("Info", bound=CheckpointInfo)


class Adapter(ABC, Generic[Info]):
    """`shared` is the host's module of that name, `checkpoints` the one that lists these."""

    known = True

    def __init__(self, shared: Shared, checkpoints: Checkpoints[Info]) -> None:
        self._shared = shared
        self._checkpoints = checkpoints

    @property
    def opts(self) -> Options:
        return self._shared.opts

    def flag(self, name: str) -> Any:
        return getattr(self._shared.cmd_opts, f"clip_skip_{name}", None)

    @property
    def data_path(self) -> str | None:
        return getattr(sys.modules.get("modules.paths"), "data_path", None)

    @property
    def scripts(self) -> Iterable[ScriptData]:
        return getattr(sys.modules.get("modules.scripts"), "scripts_data", ())

    @property
    def extra_networks(self) -> ExtraNetworks | None:
        return cast("ExtraNetworks | None", sys.modules.get("modules.extra_networks"))

    def loaded(self) -> Checkpoint:
        return self._loaded().checkpoint

    def selected(self, name: str | None = None) -> Checkpoint:
        name = name or getattr(self.opts, "sd_model_checkpoint", None) or ""
        return self._described(self._match(name) if name else None)

    def checkpoint(self, name: str) -> Checkpoint | None:
        # The name is from outside: the host's own search takes parts of names, and SD.Next's also paths and addresses.
        models = self._checkpoints
        listed = models.checkpoints_list.values()
        info = models.checkpoint_aliases.get(name) or next((each for each in listed if each.model_name == name), None)
        return None if info is None else self._described(info)

    def checkpoints(self) -> list[str]:
        return sorted(self._checkpoints.checkpoints_list, key=str.casefold)

    def font(self, size: int) -> Font | None:
        get_font = getattr(sys.modules.get("modules.images"), "get_font", None)
        return None if get_font is None else get_font(size)

    def save_grid(self, p: Processing, grid: Sheet, processed: Processed) -> None:
        opts = self.opts
        if not getattr(opts, "grid_save", False):
            return
        images: Any = sys.modules["modules.images"]
        images.save_image(
            grid,
            p.outpath_grids,
            "grid",
            processed.all_seeds[0],
            processed.all_prompts[0],
            getattr(opts, "grid_format", "png"),
            info=processed.infotexts[processed.index_of_first_image],
            p=p,
            grid=True,
            **self._grid_name(),
        )

    @property
    def busy(self) -> bool:
        return is_busy(self._shared.state)

    @property
    def hashes(self) -> bool:
        return self._hashes is not None and not getattr(self._shared.cmd_opts, "no_hashing", False)

    def hash_of(self, path: str) -> str | None:
        info = self._at(path)
        return None if info is None else self._sha256(info)

    def keep_hash(self, path: str, sha256: str, modified: float) -> None:
        info = self._at(path)
        if self._hashes is None or info is None:
            return
        self._hashes.cache(_STORE)[_hash_title(info)] = {"mtime": modified, "sha256": sha256}
        for save in ("dump_cache", "save_cache"):  # of the A1111 line, of SD.Next
            getattr(self._hashes, save, lambda: None)()

    def slider_for(self, architecture: Architecture, skips: Mapping[str, float]) -> float | None:
        return host_sliders.slider_for(self._line(), architecture, skips)

    def _described(self, info: Info | None) -> Checkpoint:
        """The checkpoint of this CheckpointInfo, as it is loaded if it is; None is the loaded one."""
        loaded = self._loaded().checkpoint
        if info is None or self._file(info) == loaded.path:
            return loaded
        return self._checkpoint(info, identify(self._file(info)))

    @property
    def _hashes(self) -> Hashes | None:
        return cast("Hashes | None", sys.modules.get("modules.hashes"))

    def _sha256(self, info: Info) -> str | None:
        """What the host has, also where it was worked out after it has listed the checkpoint."""
        if info.sha256 is not None or self._hashes is None:
            return info.sha256
        return self._hashes.sha256_from_cache(self._file(info), _hash_title(info))

    def _at(self, path: str) -> Info | None:
        listed = list(self._checkpoints.checkpoints_list.values())
        return next((info for info in listed if self._file(info) == path), None)

    def _without_tags(self, prompt: str) -> str:
        """`prompt` without the tags of extra networks."""
        networks = self.extra_networks
        return prompt if networks is None else networks.parse_prompt(prompt)[0]

    @staticmethod
    def _scripted(p: Processing) -> bool:
        """Whether a script that the user chose makes the images of `p`."""
        return bool(p.script_args and p.script_args[0]) or bool(getattr(p, "xyz", False))

    @abstractmethod
    def _grid_name(self) -> Mapping[str, object]:
        """What else the host says of a grid's name when it saves one."""

    @abstractmethod
    def _line(self, p: Processing | None = None) -> str:
        """Which way the job `p`, or the next one, reads its slider's number: see `host_sliders`."""

    @abstractmethod
    def _loaded(self) -> LoadedModel:
        """The model that is loaded now; loads nothing."""

    @abstractmethod
    def _match(self, name: str) -> Info | None:
        """The host's own search, which takes any name, and parts of them."""

    @staticmethod
    @abstractmethod
    def _file(info: Info) -> str:
        """The file, or the folder, of a checkpoint."""

    @abstractmethod
    def _checkpoint(self, info: Info, architecture: Architecture) -> Checkpoint:
        """The checkpoint that a CheckpointInfo stands for."""


def listed_loras(module: str) -> dict[str, str]:
    """The path of each LoRA that the host's module of this name lists, by its name."""
    networks: Mapping[str, NetworkOnDisk] = getattr(sys.modules.get(module), "available_networks", {})
    return {name: str(network.filename) for name, network in dict(networks).items()}


def tags_of_batch(p: Processing, prompts: Sequence[str] | None) -> set[Tags]:
    """The tags of the prompts of the batch that `p` is at, each once; `prompts` are those of all its batches."""
    first = p.iteration * p.batch_size
    return {prompt_tags.find(prompt) for prompt in (prompts or ())[first : first + p.batch_size]}


def _hash_title(info: CheckpointInfo) -> str:
    """The key under which the host keeps the hash of a checkpoint."""
    return f"checkpoint/{info.name}"
