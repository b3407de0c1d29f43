"""What is kept and known about the user's models: their presets, and what their files say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from ..skip.auto import Defaults
from ..text.log import logger
from ..text.regex import regex
from .checkpoint import Checkpoint
from .presets.exchange import Identify, Model
from .presets.preset import Mark, Preset, folder_of, key_of, stem
from .presets.store import NOTHING_CHANGED, Changed, Store, StoreError
from .profile import Profile

if TYPE_CHECKING:
    from .inspect.facts import ModelFacts
    from .inspect.inspector import Inspector

_OLD_HASH = regex(r"[0-9a-fA-F]{8}")


class ReferencePlace(NamedTuple):
    """A model that others' descent can be told by, and the name of the file that was learned as it, "" if none was."""

    label: str
    name: str
    source: str


class Library:
    """The presets and facts in the data folder `folder`; `defaults` reads what the settings say."""

    def __init__(self, folder: Path, defaults: Callable[[], Defaults] = Defaults) -> None:
        self.presets = Store(folder)
        self._defaults = defaults
        self._folder = folder

    @cached_property
    def _inspector(self) -> Inspector:
        from .inspect.inspector import Inspector  # takes as long as the rest, and the WebUI's start can do without

        return Inspector(self._folder)

    def profile(self, checkpoint: Checkpoint) -> Profile:
        """What is kept and known of `checkpoint`, for one answer or one job."""
        return Profile(checkpoint, self.presets, lambda: self._inspector, self._defaults)

    def learn_hash(self, checkpoint: Checkpoint) -> None:
        """`checkpoint` is in use: what was saved for it before its hash was known moves to the hash. Never raises."""
        if checkpoint.sha256 and checkpoint.file_name:
            try:
                self.presets.learn_hash(
                    checkpoint.place, checkpoint.sha256, checkpoint.architecture, checkpoint.has_namesake
                )
            except StoreError as error:
                logger.warning("%s", error)

    def save(self, checkpoint: Checkpoint, skip: Mapping[str, float], blend: str | None = None) -> Changed:
        """Keep these skips for `checkpoint`, and this blend, None for the one that is kept.

        Raises StoreError, which says why they can't be kept.
        """
        return self._keep(checkpoint, lambda preset: replace(preset, skip=skip, blend=blend or preset.blend))

    def forget(self, checkpoint: Checkpoint) -> Changed:
        """Keep no skips for `checkpoint` any more; its mark, note and silenced advice stay. Raises StoreError."""
        preset = self.profile(checkpoint).preset
        if preset is None:
            return NOTHING_CHANGED
        changed = self._put(checkpoint, replace(preset, skip={}, blend="linear"))
        key = key_of(checkpoint.sha256, checkpoint.kept_name)
        return changed.then(self.presets.change(lambda presets: _drop_if_empty(presets, key)))

    def mark(self, checkpoint: Checkpoint, lineage: Mark) -> Changed:
        """Keep the user's word on the descent of `checkpoint`. Raises StoreError."""
        return self._keep(checkpoint, lambda preset: replace(preset, lineage=lineage))

    def silence(self, checkpoint: Checkpoint, advice_id: str) -> Changed:
        """Keep that the user does not want to hear this advice about `checkpoint` again. Raises StoreError."""
        return self._keep(checkpoint, lambda preset: replace(preset, silenced=preset.silenced | {advice_id}))

    def tell_again(self, key: str | None = None) -> None:
        """Silence no advice any more about the model whose preset has this key, None: about any. Raises StoreError."""

        def edit(presets: dict[str, object]) -> None:
            for each in [key] if key is not None else list(presets):
                if isinstance(raw := presets.get(each), Mapping) and "silenced" in raw:
                    presets[each] = {name: value for name, value in raw.items() if name != "silenced"}
                    _drop_if_empty(presets, each)

        self.presets.change(edit)

    def lora(self, path: str) -> ModelFacts:
        """What the file of the LoRA at `path` says. Reads up to 64 MB when it is new."""
        return self._inspector.inspect(path)

    def trained_skip(self, path: str) -> float | None:
        """The skip that the LoRA at `path` was trained with, None where nothing says so."""
        return self.lora(path).trained_skip

    def references(self) -> list[ReferencePlace]:
        """The models that others' descent can be told by, each with the file that was learned as it."""
        from .inspect.weights.descent import NAMES

        learned = self._inspector.references.by_label
        return [
            ReferencePlace(label, name, learned[label].source if label in learned else "")
            for label, name in NAMES.items()
        ]

    def learn(self, path: str, label: str) -> None:
        """Make the SD 1.x model at `path` the reference `label`. Raises ValueError or OSError, and says why."""
        self._inspector.learn(path, label)

    def _keep(self, checkpoint: Checkpoint, change: Callable[[Preset], Preset]) -> Changed:
        """Keep the model's preset as `change` makes it, or a new one."""
        preset = self.profile(checkpoint).preset or Preset()
        return self._put(checkpoint, replace(change(preset), name=checkpoint.kept_name))

    def _put(self, checkpoint: Checkpoint, preset: Preset) -> Changed:
        return self.presets.put(
            preset,
            checkpoint.sha256,
            checkpoint.kept_name,
            checkpoint.architecture,
            checkpoint.place,
            checkpoint.has_namesake,
        )


def _drop_if_empty(presets: dict[str, Any], key: str) -> None:
    """Keep nothing for a model of which nothing but what tells it is kept."""
    if set(presets.get(key, {})) <= {"name", "architecture"}:
        presets.pop(key, None)


def identify_by(find: Callable[[str], Checkpoint | None], titles: Callable[[], Iterable[str]]) -> Identify:
    """How an import finds models, where `find` is the host's look-up of a name, title or hash and `titles` its list.

    A host lists models of one name in several folders, but its look-up knows one of them; and it knows each by an old
    hash of eight digits, which others share.
    """
    titled: dict[str, list[str]] = {}

    def identify(word: str) -> list[Model]:
        if not titled:
            for title in titles():
                titled.setdefault(stem(title), []).append(title)
        found = [checkpoint for title in titled.get(stem(word), ()) if (checkpoint := find(title))]
        if not found and not _OLD_HASH.fullmatch(stem(word)):
            found = [checkpoint for checkpoint in (find(word) or find(stem(word)),) if checkpoint]
        folder = folder_of(word)
        there = [each for each in found if folder in (each.folder, PurePath(each.path).parent.name)] if folder else []
        return [Model(each.kept_name, each.sha256, each.architecture.id) for each in there or found]

    return identify
