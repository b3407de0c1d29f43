"""The presets file: found, locked, read, and written so that nothing saved is lost, whatever happens meanwhile."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from ...files.durable import keep_copy, replace_file, sweep, sync_folder
from ...skip.architectures import UNKNOWN, Architecture
from ...text.log import logger
from ...text.phrase import Problem
from .document import Document, Unreadable, dump, parse
from .preset import (
    NAME_PREFIX,
    Preset,
    copied,
    fits,
    is_key,
    join,
    key_of,
    keys_of,
    merge,
    parse_preset,
    write,
)

FILE = "presets.json"
_LOCK_SECONDS = 10.0
_LOCK_POLL_SECONDS = 0.01
# File systems tell the time of a change in steps, FAT's of two seconds: within one, a second change may look like none.
_CLOCK_STEP_NS = 2_000_000_000


class StoreError(Exception):
    """The presets could not be saved; what was saved before is as it was. The message says why, for the user."""


@dataclass(frozen=True)
class Changed:
    """What a save changed: the JSON values of these keys before and since, None where there was, or is, none.

    No tuple, of which the state of a page would make a list (Gradio 4).
    """

    before: Mapping[str, object]
    now: Mapping[str, object]

    def then(self, later: Changed) -> Changed:
        """What this save and a later one changed together."""
        return Changed({**later.before, **self.before}, {**self.now, **later.now})


NOTHING_CHANGED = Changed({}, {})


@dataclass(frozen=True)
class _Snapshot:
    """The file as it was read. `broken` says why `data` could not be read; `document` is then what was read before."""

    document: Document = field(default_factory=Document)
    data: bytes | None = None  # None: there is no file
    signature: tuple[int, int, int] | None = None  # None: what is there now has to be read to be known
    broken: str = ""


class Store:
    """The presets in `folder`, shared with every other process and machine that uses this folder.

    Reading never writes, locks or raises: each look-up notices when the file was changed, and what is wrong with it is
    in `problems`. Saving locks, reads what is there now, changes the one preset, and replaces the file; it raises
    StoreError where that fails. A file that can't be read is copied under a dated name before it is replaced.

    The lock is the operating system's and ends with the process that holds it. On a network share it works as far as
    the share's own locks do; where the share refuses to lock, nothing is saved, and StoreError says so.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE
        self._snapshot = _Snapshot()
        self._lines: dict[str, tuple[object, str]] = {}
        self._set_aside: tuple[str, ...] = ()
        self._unreachable = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file as a whole, and what was set aside since the start; one sentence each."""
        snapshot = self._look()
        problems = [*self._set_aside, self._unreachable]
        if snapshot.broken:
            problems.append(
                f"{self.path} can't be read: {snapshot.broken}. Put it right, or the next save sets it aside. "
                f"Until then {len(snapshot.document.presets)} presets that were read before go on."
            )
        if snapshot.document.newer:
            problems.append(f"{self.path} was written by a newer version of CLIP Skip: it is read, but not changed.")
        return tuple(filter(None, problems))

    def check(self) -> tuple[str, ...]:
        """As `problems`, and every single value in the file that can't be used."""
        return (*self.problems, *self._look().document.refusals())

    # reading

    def get(
        self,
        sha256: str | None = None,
        name: str | None = None,
        architecture: Architecture = UNKNOWN,
        has_namesake: Callable[[], bool] = bool,
    ) -> Preset | None:
        """The preset of the model with this SHA-256, else the one kept under this name, else None.

        A name may tell the folder; what is kept under it is another model's where `model.fits` says so, and under the
        name without that folder also where `has_namesake` says that a model is in none. Where there are both it is what
        `learn_hash` would make of them.
        """
        presets = self._look().document.presets
        key, name_key = sha256.lower() if sha256 else "", _named(presets, name, architecture, has_namesake)
        if key in presets and name_key is not None:
            return parse_preset(join(presets[key], _told_by_hash(presets[name_key]), name_key), key)
        found = key if key in presets else name_key
        return None if found is None else parse_preset(presets[found], found)

    def all(self) -> Mapping[str, Preset]:
        """Every preset by its key."""
        return {key: parse_preset(raw, key) for key, raw in self._look().document.presets.items() if is_key(key)}

    def raw(self) -> Mapping[str, object]:
        """The JSON value of every preset by its key, with the fields that this version does not know. Not to change."""
        return self._look().document.presets

    # saving

    def put(
        self,
        preset: Preset,
        sha256: str | None = None,
        name: str | None = None,
        architecture: Architecture = UNKNOWN,
        path: str = "",
        has_namesake: Callable[[], bool] = bool,
    ) -> Changed:
        """Save `preset` for the model with this SHA-256, or under this name where the hash is not known yet.

        See `preset.merge` for a preset that another process changed meanwhile. With both given, what was kept under the
        name, or under one that `path` ends with, moves over first; with the name alone, the architecture is kept too.
        Returns what was changed. Raises ValueError where a value is refused, StoreError where it can't be saved.
        """
        key = key_of(sha256, name)
        preset = replace(preset, name=name or preset.name)
        write(preset)

        def edit(presets: dict[str, object]) -> None:
            former = _move_named(presets, path or name, architecture, key, has_namesake)
            kept = presets[key] = merge(presets.get(key), preset, (key, former or key))
            _tell_architecture(kept, sha256, architecture)

        return self.change(edit)

    def forget(self, sha256: str | None = None, name: str | None = None) -> None:
        """Keep nothing for this model any more, neither under its SHA-256 nor under its name."""
        keys = [key_of(sha256)] if sha256 else []
        keys += [key_of(name=name)] if name else []

        def edit(presets: dict[str, object]) -> None:
            for key in keys:
                presets.pop(key, None)

        self.change(edit)

    def copy(
        self,
        from_key: str,
        sha256: str | None = None,
        name: str | None = None,
        architecture: Architecture = UNKNOWN,
        path: str = "",
        has_namesake: Callable[[], bool] = bool,
    ) -> Changed:
        """Save the preset under `from_key` for the model with this SHA-256, or of this name, as well.

        What was kept for that model is replaced; for the name, the path and the architecture see `put`. Returns what
        was changed. Raises ValueError where the preset is not there.
        """
        key = key_of(sha256, name)

        def edit(presets: dict[str, object]) -> None:
            if from_key not in presets:
                raise Problem("the preset is not there any more")
            source = presets[from_key]
            _move_named(presets, path or name, architecture, key, has_namesake)
            kept = presets[key] = copied(source, presets.get(key), name)
            _tell_architecture(kept, sha256, architecture)

        return self.change(edit)

    def learn_hash(
        self, name: str, sha256: str, architecture: Architecture = UNKNOWN, has_namesake: Callable[[], bool] = bool
    ) -> None:
        """The file of this name has this SHA-256: what was kept under the name moves over; see `preset.join`."""
        key, name_key = key_of(sha256), _named(self._look().document.presets, name, architecture, has_namesake)
        if name_key is not None:
            self.change(lambda presets: _move(presets, name_key, key))

    def change(self, edit: Callable[[dict[str, object]], object]) -> Changed:
        """Let `edit` change the JSON values by key, as they are now, and save them. What it raises changes nothing.

        `edit` puts new values in place of old ones, which it must not change. Returns what it changed. Raises
        StoreError.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # A link stays a link: the file that it leads to is locked and replaced.
            path = Path(os.path.realpath(self.path))
            with FileLock(f"{path}.lock").acquire(timeout=_LOCK_SECONDS, poll_interval=_LOCK_POLL_SECONDS):
                return self._save(path, edit)
        except Timeout as error:
            raise StoreError(
                f"{self.path} has been locked by another process for {_LOCK_SECONDS:.0f} seconds"
            ) from error
        except (OSError, NotImplementedError) as error:
            raise StoreError(f"{self.path} could not be saved: {_reason(error)}") from error

    def restore(self, changed: Changed) -> None:
        """Keep what was kept before. Raises StoreError where what was kept since is not there any more."""

        def edit(presets: dict[str, object]) -> None:
            if any(presets.get(key) != raw for key, raw in changed.now.items()):
                raise StoreError("it was changed meanwhile")
            for key, raw in changed.before.items():
                if raw is None:
                    presets.pop(key, None)
                else:
                    presets[key] = raw

        self.change(edit)

    def _save(self, path: Path, edit: Callable[[dict[str, object]], object]) -> Changed:
        snapshot = self._snapshot = self._load()
        document = snapshot.document
        if document.newer:
            raise StoreError(f"{self.path} was written by a newer version of CLIP Skip and is not changed by this one")
        presets = dict(document.presets)
        edit(presets)
        changed = _changed(document.presets, presets)
        try:
            data = dump(presets, document.rest, self._lines)
        except RecursionError as error:
            raise StoreError(f"{self.path} could not be saved: a preset is nested too deep") from error
        if data == snapshot.data:
            return changed
        sweep(path)
        aside = keep_copy(path, snapshot.data) if snapshot.data and (snapshot.broken or document.doubled) else None
        try:
            replace_file(path, data)
        except BaseException:
            if aside:
                with suppress(OSError):
                    aside.unlink()
            raise
        if aside:
            why = snapshot.broken or f"{', '.join(document.doubled)[:80]} was there twice"
            message = f"{self.path} was set aside as {aside.name} when presets were saved: {why}"
            self._set_aside += (message,)
            logger.warning("%s", message)
        self._snapshot = _Snapshot(Document(presets=presets, rest=document.rest), data)
        sync_folder(path.parent)
        return changed

    # the file

    def _look(self) -> _Snapshot:
        """The file as it is now, read only if it may have changed."""
        try:
            if self._snapshot.signature is None or self._snapshot.signature != _signature(os.stat(self.path)):
                self._snapshot = self._load()
            self._unreachable = ""
        except FileNotFoundError:
            self._snapshot = _Snapshot()
            self._unreachable = ""
        except OSError as error:
            message = f"{self.path} can't be read: {_reason(error)}"
            if message != self._unreachable:
                logger.warning("%s", message)
            self._unreachable = message
        return self._snapshot

    def _load(self) -> _Snapshot:
        before = self._snapshot
        now = time.time_ns()
        try:
            if stat.S_ISFIFO(os.stat(self.path).st_mode):  # nobody may ever write into it
                raise OSError("it is a pipe, not a file")
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                data = file.read()
        except FileNotFoundError:
            return _Snapshot()
        settled = now - status.st_mtime_ns > _CLOCK_STEP_NS
        signature = _signature(status) if settled else None
        if data == before.data:
            return replace(before, signature=signature)
        try:
            return _Snapshot(parse(data), data, signature)
        except Unreadable as error:
            logger.warning("%s can't be read: %s", self.path, error)
            return _Snapshot(before.document, data, signature, str(error))


def _signature(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> Changed:
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    return Changed({key: before.get(key) for key in keys}, {key: now.get(key) for key in keys})


def _tell_architecture(preset: dict[str, object], sha256: str | None, architecture: Architecture) -> None:
    """A name alone does not tell a model from another of that name: its architecture is kept with it."""
    if not sha256 and architecture.id != UNKNOWN.id:
        preset["architecture"] = architecture.id


def _named(
    presets: Mapping[str, object], name: str | None, architecture: Architecture, has_namesake: Callable[[], bool]
) -> str | None:
    """The key under which the model of this name is kept, None where it is not."""
    keys = keys_of(name) if name else ()
    for key in keys:
        if key in presets and fits(presets[key], architecture):
            return None if key != keys[0] and has_namesake() else key
    return None


def _move_named(
    presets: dict[str, object], name: str | None, architecture: Architecture, key: str, has_namesake: Callable[[], bool]
) -> str | None:
    """Keep under `key` what is kept for the model of this name; the key that it was under, None where it was not."""
    former = _named(presets, name, architecture, has_namesake)
    if former is not None and former != key:
        _move(presets, former, key)
    return former


def _move(presets: dict[str, object], name_key: str, key: str) -> None:
    if name_key in presets:
        moved = presets.pop(name_key)
        moved = moved if key.startswith(NAME_PREFIX) else _told_by_hash(moved)
        presets[key] = join(presets[key], moved, name_key) if key in presets else moved


def _told_by_hash(raw: object) -> object:
    """What is kept under a name, without what told its model from others of that name."""
    return {name: value for name, value in raw.items() if name != "architecture"} if isinstance(raw, Mapping) else raw


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
