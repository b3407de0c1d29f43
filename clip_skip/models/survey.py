"""What all models say that a WebUI lists, read in the background: one after the other, and never while a job runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..skip.architectures import UNKNOWN
from ..text.log import logger
from .background import Background
from .checkpoint import Checkpoint
from .library import Library

if TYPE_CHECKING:
    from .inspect.facts import ModelFacts

CHECKPOINT, LORA = "checkpoint", "lora"


class _Host(Protocol):
    """What a survey asks of a WebUI; `hosts.base.Host` says what each answers."""

    @property
    def busy(self) -> bool: ...
    def checkpoint(self, name: str) -> Checkpoint | None: ...
    def checkpoints(self) -> list[str]: ...
    def loras(self) -> dict[str, str]: ...


# No tuples, of which the state of a page would make lists (Gradio 4).
@dataclass(frozen=True)
class Listed:
    """A model in the WebUI's lists: CHECKPOINT or LORA, and its name there."""

    kind: str
    name: str


@dataclass(frozen=True)
class Found:
    """What was read of a model: None where it has no file, and `error` where that could not be read."""

    checkpoint: Checkpoint
    facts: ModelFacts | None = None
    error: str = ""


class Progress(NamedTuple):
    """How many of the models that are to be read are read; `rests` while a job runs."""

    done: int = 0
    total: int = 0
    rests: bool = False


class Survey:
    """Reads the models that `host` lists, until all are read or that is given up; `rest` as `Background` has it.

    It keeps what it read for as long as the WebUI runs, by itself nothing on disk; facts have their own cache.
    """

    def __init__(self, host: _Host, library: Library, rest: Callable[[threading.Event], object] | None = None) -> None:
        self._host = host
        self._library = library
        self._background = Background("clip-skip-survey", host, self._work, rest)
        self._lock = threading.Lock()
        self._loras: Mapping[str, str] = {}  # the paths of those that are listed, by name
        self._left: list[Listed] = []  # what is to be read, the next one first; the one that is being read is its first
        self._total = 0
        self._given_up = False
        self._found: dict[Listed, Found] = {}

    def listed(self) -> list[Listed]:
        """All that the WebUI lists: its checkpoints, then its LoRAs."""
        return self._listed(self._host.loras())

    def _listed(self, loras: Mapping[str, str]) -> list[Listed]:
        checkpoints = [Listed(CHECKPOINT, title) for title in self._host.checkpoints()]
        return checkpoints + [Listed(LORA, name) for name in loras]

    @property
    def found(self) -> Mapping[Listed, Found]:
        """What was read so far."""
        with self._lock:
            return dict(self._found)

    @property
    def progress(self) -> Progress | None:
        """How far it is, None where nothing is being read."""
        with self._lock:
            if not self._left:
                return None
            return Progress(self._total - len(self._left), self._total, self._background.resting)

    def look(self) -> None:
        """Somebody looks at the models: read them, unless that was given up."""
        if not self._given_up and self.progress is None:
            self.start()

    def start(self) -> None:
        """Read all models from the first on; those that were never read before the others."""
        loras = self._host.loras()
        models = self._listed(loras)
        with self._lock:
            if self._background.stopped:
                return
            self._given_up = False
            self._loras = loras
            self._found = {model: self._found[model] for model in models if model in self._found}
            self._left = sorted(models, key=self._found.__contains__)
            self._total = len(models)
        self._background.wake()

    def give_up(self) -> None:
        """Read no more until `start`. What was read stays."""
        with self._lock:
            self._given_up = True
            self._left = []

    def stop(self) -> None:
        """Read nothing any more."""
        self.give_up()
        self._background.stop()

    def _work(self) -> None:
        while left := self._wanted():
            model = left[0]
            try:
                found = self._read(model)
            except Exception as error:
                logger.exception("%r could not be read", model.name)
                found = Found(Checkpoint(model.name, UNKNOWN), error=f"{type(error).__name__}: {error}")
            with self._lock:
                if self._left is left:  # neither given up nor begun anew meanwhile
                    left.pop(0)
                    self._found[model] = found

    def _wanted(self) -> list[Listed]:
        """What is left when no job runs, which may be given up while one is waited for."""
        if self._left:
            self._background.wait_for_jobs()
        with self._lock:
            return self._left

    def _read(self, model: Listed) -> Found:
        if model.kind == LORA:
            path = self._loras.get(model.name)
            if path is None:
                return Found(Checkpoint(model.name, UNKNOWN))
            facts = self._library.lora(path)
            return Found(Checkpoint(model.name, facts.architecture, path), facts, facts.error or "")
        checkpoint = self._host.checkpoint(model.name)
        if checkpoint is None:
            return Found(Checkpoint(model.name, UNKNOWN))
        read = self._library.profile(checkpoint).facts
        return Found(checkpoint, read, read.error or "" if read else "")
