"""What the extension touches of a WebUI, as types: no class of a host's is imported anywhere.

Everything that is asked for here, and all that is looked up by its name besides, is in `attributes`, with the reasons.
`Any` stands where hosts differ in what they keep and the extension only hands it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from types import ModuleType
from typing import Any, Protocol, TypeVar

# --- what every host has ---------------------------------------------------------------------------------------------


class Processing(Protocol):
    """A job: one StableDiffusionProcessing. Copies of it share what it holds."""

    extra_generation_params: dict[str, Any]
    do_not_save_grid: bool
    n_iter: int

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> object: ...

    @property
    def all_prompts(self) -> list[str] | None: ...

    @property
    def all_negative_prompts(self) -> list[str] | None: ...

    @property
    def all_seeds(self) -> list[int]: ...

    @property
    def all_subseeds(self) -> list[int]: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def iteration(self) -> int: ...

    @property
    def outpath_grids(self) -> str | None: ...

    @property
    def script_args(self) -> Sequence[object]: ...


class Processed(Protocol):
    """What a job made."""

    comments: Any
    extra_generation_params: dict[str, Any]
    images: list[Any]
    infotexts: list[str]
    index_of_first_image: int

    @property
    def all_prompts(self) -> list[str]: ...

    @property
    def all_seeds(self) -> list[int]: ...


class Options(Protocol):
    """The host's options: what is set, and saved, is an attribute too."""

    def set(self, key: str, value: Any, /) -> bool: ...

    def save(self, filename: str, /) -> None: ...

    def add_option(self, key: str, info: Any, /) -> None: ...


class State(Protocol):
    """What the host tells of its jobs."""

    @property
    def job(self) -> str: ...

    @property
    def job_count(self) -> int: ...

    @property
    def interrupted(self) -> bool: ...


class Shared(Protocol):
    """The host's module `shared`."""

    @property
    def opts(self) -> Options: ...

    @property
    def cmd_opts(self) -> object: ...

    @property
    def state(self) -> State: ...

    @property
    def config_filename(self) -> str: ...


class CheckpointInfo(Protocol):
    """A checkpoint on disk, `name` below its folder. `sha256` is None until the host has computed it."""

    @property
    def name(self) -> str: ...

    @property
    def model_name(self) -> str: ...

    @property
    def sha256(self) -> str | None: ...


Info = TypeVar("Info", bound=CheckpointInfo, covariant=True)


class Checkpoints(Protocol[Info]):
    """The host's module that lists the checkpoints: by title, and by every name, title and hash."""

    @property
    def checkpoints_list(self) -> Mapping[str, Info]: ...

    @property
    def checkpoint_aliases(self) -> Mapping[str, Info]: ...


class Hashes(Protocol):
    """The host's module `hashes`: what it keeps by title, each with the time of the file that it is of."""

    def sha256_from_cache(self, filename: str, title: str, /) -> str | None: ...

    def cache(self, store: str, /) -> MutableMapping[str, Any]: ...


class NetworkOnDisk(Protocol):
    """A LoRA on disk."""

    @property
    def filename(self) -> str: ...


class ScriptData(Protocol):
    """What the host has loaded of a script: its class, and the module of its file."""

    @property
    def script_class(self) -> type: ...

    @property
    def module(self) -> ModuleType: ...


class AxisOption(Protocol):
    """An axis of an X/Y/Z grid."""

    @property
    def label(self) -> str: ...


class ExtraNetworkParams(Protocol):
    """One tag in a prompt: what stands between its colons, without its name."""

    @property
    def items(self) -> Sequence[str]: ...


class ExtraNetwork(Protocol):
    """What the host calls for the tags of one name, before it encodes prompts and after."""

    def activate(self, p: Any, params_list: Any, /) -> None: ...

    def deactivate(self, p: Any, /) -> None: ...


class ExtraNetworks(Protocol):
    """The host's module `extra_networks`."""

    @property
    def ExtraNetwork(self) -> Callable[[str], ExtraNetwork]: ...

    @property
    def extra_network_registry(self) -> MutableMapping[str, Any]: ...

    @property
    def register_extra_network(self) -> Callable[[Any], None]: ...

    def parse_prompt(self, prompt: str, /) -> tuple[str, Mapping[str, Sequence[ExtraNetworkParams]]]: ...


class Component(Protocol):
    """A component of the host's page."""

    def get_block_name(self) -> str: ...


# --- the A1111 line --------------------------------------------------------------------------------------------------


class LineProcessing(Processing, Protocol):
    def cached_params(self, *args: Any, **kwargs: Any) -> tuple[object, ...]: ...


class LineCheckpointInfo(CheckpointInfo, Protocol):
    @property
    def filename(self) -> str: ...

    @property
    def name_for_extra(self) -> str: ...


class LineModel(Protocol):
    """A loaded model; where its text encoders are, `encoders` finds out."""

    def get_learned_conditioning(self, texts: Any, /) -> object: ...


class LineModelData(Protocol):
    @property
    def sd_model(self) -> object: ...


class LineModels(Checkpoints[LineCheckpointInfo], Protocol):
    """The module `sd_models`."""

    @property
    def model_data(self) -> LineModelData: ...

    def get_closet_checkpoint_match(self, search: str, /) -> LineCheckpointInfo | None: ...


# --- SD.Next ---------------------------------------------------------------------------------------------------------


class NextProcessing(Processing, Protocol):
    clip_skip: float
    scripts: Any  # that it runs, None if none

    @property
    def prompt_attention(self) -> str | None: ...


class NextCheckpointInfo(CheckpointInfo, Protocol):
    @property
    def path(self) -> str: ...

    @property
    def type(self) -> str: ...


class NextCheckpoints(Checkpoints[NextCheckpointInfo], Protocol):
    """The module `sd_checkpoint`."""

    def get_closest_checkpoint_match(self, search: str, /) -> NextCheckpointInfo | None: ...


class NextModelData(Protocol):
    """The loaded pipelines, None where none is."""

    @property
    def sd_model(self) -> object: ...

    @property
    def sd_refiner(self) -> object: ...


class NextModels(Protocol):
    """The module `sd_models`."""

    @property
    def model_data(self) -> NextModelData: ...


class NextCallbacks(Protocol):
    """The module `script_callbacks`."""

    def on_before_process(self, callback: Callable[[Any], None], /) -> None: ...

    def on_after_process(self, callback: Callable[[Any], None], /) -> None: ...

    def on_model_loaded(self, callback: Callable[[Any], None], /) -> None: ...


class Cache(Protocol):
    def clear(self) -> None: ...


class PromptCache(Protocol):
    @property
    def cache(self) -> Cache: ...


class NextEncoderHijack(Protocol):
    """The module `sd_hijack_te`."""

    @property
    def prompt_cache(self) -> PromptCache: ...


class EmbeddingsProvider(Protocol):
    @property
    def device(self) -> object: ...

    def get_embeddings_for_weighted_prompt_fragments(
        self, text_batch: list[list[str]], fragment_weights_batch: list[list[float]], *, device: Any
    ) -> object: ...


class NextParser(Protocol):
    """The module `prompt_parser_diffusers`."""

    @property
    def cache(self) -> Cache: ...

    def prepare_model(self, pipe: Any, /) -> object: ...

    def get_prompt_schedule(self, prompt: str, steps: int, /) -> tuple[Sequence[str], object]: ...

    def prepare_embedding_providers(self, pipe: Any, clip_skip: float, /) -> Sequence[EmbeddingsProvider]: ...

    def split_prompts(self, pipe: Any, prompt: str, /) -> Iterable[str]: ...

    def get_prompts_with_weights(self, pipe: Any, prompt: str, /) -> Sequence[Any]: ...
