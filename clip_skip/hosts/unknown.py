"""The host of nobody: a WebUI that no adapter knows. It is known to nothing and touches nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from ..conditioning.loaded_model import LoadedModel
from ..jobs.job import Job
from ..jobs.sheet import Font, Sheet
from ..models.checkpoint import NO_CHECKPOINT, Checkpoint
from ..skip.architectures import Architecture
from ..skip.prompt_tags import Tags
from ..skip.reading import Reading, as_trained
from .idle import no_model
from .protocols import Component, ExtraNetworks, Options, Processed, Processing, ScriptData

T = TypeVar("T")


class NoOptions:
    """Options that hold nothing, so that each setting has its default, and take nothing."""

    def set(self, key: str, value: object) -> bool:
        return False

    def save(self, filename: str) -> None:
        pass

    def add_option(self, key: str, info: object) -> None:
        pass


class UnknownHost:
    """See `Host` for what each of these answers."""

    known = False
    busy = False
    hashes = False
    input_accordion: None = None
    opts: Options = NoOptions()
    data_path: str | None = None
    scripts: Iterable[ScriptData] = ()
    extra_networks: ExtraNetworks | None = None

    def flag(self, name: str) -> None:
        return None

    @property
    def restores_skip(self) -> bool:
        return True

    def install(self, begun: Callable[[Processing], None]) -> None:
        pass

    def uninstall(self) -> None:
        pass

    def runs(self, p: Processing) -> bool:
        return True

    def begin(self, p: Processing, job: Job | None) -> None:
        pass

    def tagged(self, p: Processing, tags: Tags) -> None:
        pass

    def encoded(self, p: Processing) -> None:
        pass

    def asks_anew(self, p: Processing) -> None:
        pass

    def repeats(self, p: Processing) -> bool:
        return False

    def batches(self, count: int, size: int) -> Mapping[str, str | None]:
        return {}

    def font(self, size: int) -> Font | None:
        return None

    def save_grid(self, p: Processing, grid: Sheet, processed: Processed) -> None:
        pass

    def encode(self, prompt: str, work: Callable[[LoadedModel, Callable[[], object]], T]) -> T:
        raise no_model()

    def loaded(self) -> Checkpoint:
        return NO_CHECKPOINT

    def selected(self, name: str | None = None) -> Checkpoint:
        return NO_CHECKPOINT

    def checkpoint(self, name: str) -> Checkpoint | None:
        return None

    def checkpoints(self) -> list[str]:
        return []

    def hash_of(self, path: str) -> str | None:
        return None

    def keep_hash(self, path: str, sha256: str, modified: float) -> None:
        pass

    def reading(self, architecture: Architecture, number: float | None = None, p: Processing | None = None) -> Reading:
        return Reading(architecture, as_trained(architecture))

    def slider_for(self, architecture: Architecture, skips: Mapping[str, float]) -> float | None:
        return None

    def use(self, number: float) -> bool:
        return False

    def is_slider(self, component: Component, elem_id: str | None = None) -> bool:
        return False

    def lora_file(self, name: str) -> str | None:
        return None

    def loras(self) -> dict[str, str]:
        return {}
