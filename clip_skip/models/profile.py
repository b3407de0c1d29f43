"""What is kept and known of one model, through one answer or one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..skip.auto import Auto, Defaults, automatic
from ..text.log import logger
from .checkpoint import Checkpoint
from .presets.preset import Mark, Preset, key_of
from .presets.store import Store

if TYPE_CHECKING:
    from .inspect.facts import ModelFacts
    from .inspect.inspector import Inspector


T = TypeVar("T")


class _once(Generic[T]):
    """A property that is looked up when it is first asked for.

    Not `functools.cached_property`: up to Python 3.11 that holds one lock for all instances, and while the file of one
    model is read nobody would get an answer for another.
    """

    def __init__(self, look_up: Callable[[Any], T]) -> None:
        self._look_up = look_up
        self.__doc__ = look_up.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> T:
        if instance is None:  # asked of the class
            return self  # type: ignore[return-value]
        value = vars(instance)[self._name] = self._look_up(instance)
        return value


class Profile:
    """A checkpoint, its preset, what its file says, and what follows: each is looked up when it is first asked for.

    It lives for one answer or one job, and so all parts of that go by the same; what changes meanwhile is for the next.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        presets: Store,
        inspector: Callable[[], Inspector],
        defaults: Callable[[], Defaults],
    ) -> None:
        self.checkpoint = checkpoint
        self._presets = presets
        self._inspector = inspector
        self._defaults = defaults

    @_once
    def preset(self) -> Preset | None:
        """The preset, also one that was saved before the model's hash was known."""
        if not self.checkpoint.file_name:
            return None
        checkpoint = self.checkpoint
        return self._presets.get(checkpoint.sha256, checkpoint.place, checkpoint.architecture, checkpoint.has_namesake)

    @property
    def key(self) -> str:
        """The key that the preset is kept under, or would be."""
        origin = self.preset.origin if self.preset else None
        return origin[0] if origin else key_of(self.checkpoint.sha256, self.checkpoint.kept_name)

    @property
    def has_skips(self) -> bool:
        """Whether the user has kept skips for it, beside all else that a preset may hold."""
        return self.preset is not None and bool(self.preset.skip)

    @_once
    def facts(self) -> ModelFacts | None:
        """What the model's file says, None where it has none. Reads up to 64 MB when it is new.

        What descent recommends is what the user's setting says.
        """
        path = self.checkpoint.path
        if not path:
            return None
        facts = self._facts_at_hand or self._inspector().inspect(path, sha256=self.checkpoint.sha256, mark=self._mark)
        return facts.with_descent(self._defaults().nai)

    @property
    def is_read(self) -> bool:
        """Whether `facts` are there without reading the model's file."""
        return not self.checkpoint.path or self._facts_at_hand is not None

    @_once
    def _facts_at_hand(self) -> ModelFacts | None:
        return self._inspector().recall(self.checkpoint.path, sha256=self.checkpoint.sha256, mark=self._mark)

    @property
    def _mark(self) -> Mark | None:
        return self.preset.lineage if self.preset else None

    @_once
    def auto(self) -> Auto:
        """What Auto uses. Never raises: where all fails it is as trained."""
        auto = self._meaning("auto")
        assert auto is not None  # only a preset can be missing
        return auto

    def stands_for(self, word: str) -> Auto | None:
        """What one of `parameters.WORDS` means here, None for the preset of a model that has none.

        Never raises: where all fails it is as trained.
        """
        return self.auto if word == "auto" else self._meaning(word)

    def _meaning(self, word: str) -> Auto | None:
        architecture = self.checkpoint.architecture
        as_trained = automatic(architecture, None, None, Defaults())
        if word == "trained":
            return as_trained
        try:
            preset = None if word == "recommended" else self.preset
            facts = None if word == "preset" else self.facts
            auto = automatic(architecture, preset, facts, self._defaults())
        except Exception:
            logger.exception("what %s was made for can't be told", self.checkpoint.name)
            return as_trained
        return auto if word != "preset" or auto.source == "preset" else None
