"""The SHA-256 of model files, worked out in the background: one file at a time, and never while a job runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Protocol

from ..text.log import logger
from .background import Background
from .checkpoint import Checkpoint


class _Host(Protocol):
    """What hashing asks of a WebUI; `hosts.base.Host` says what each answers."""

    @property
    def busy(self) -> bool: ...
    def hash_of(self, path: str) -> str | None: ...
    def keep_hash(self, path: str, sha256: str, modified: float) -> None: ...


def lacks_hash(checkpoint: Checkpoint) -> bool:
    """Whether more may be known of `checkpoint` by a SHA-256 that nobody has worked out: of SD 1.x files alone."""
    return checkpoint.architecture.id == "sd1" and checkpoint.sha256 is None and os.path.isfile(checkpoint.path)


class _GivenUp(Exception):
    """The hash of a file is no longer wanted."""


class Hashing:
    """Works out what is wanted and gives it to `host`; `rest` as `Background` has it."""

    def __init__(self, host: _Host, rest: Callable[[threading.Event], object] | None = None) -> None:
        self._host = host
        self._background = Background("clip-skip-hashing", host, self._work, rest)
        self._lock = threading.Lock()
        self._parts: dict[str, float] = {}  # of the files that are wanted: how much of each is read, from 0 to 1
        self._failed: set[str] = set()

    def want(self, path: str, again: bool = False) -> None:
        """Work out the hash of the file at `path` next. What failed before is tried only `again`."""
        with self._lock:
            if self._background.stopped or path in self._parts or (path in self._failed and not again):
                return
            self._failed.discard(path)
            self._parts[path] = 0.0
        self._background.wake()

    def part(self, path: str) -> float | None:
        """How much of a file that is wanted is read, from 0 to 1; None of others."""
        return self._parts.get(path)

    def failed(self, path: str) -> bool:
        """Whether its hash could not be worked out or kept. The log says why."""
        return path in self._failed

    def stop(self) -> None:
        """Work out nothing any more. What was begun is given up."""
        self._background.stop()

    def _work(self) -> None:
        while (path := self._next()) is not None:
            failed = False
            try:
                self._hash(path)
            except Exception as error:
                failed = True
                logger.warning("the SHA-256 of %s can't be worked out: %s", path, error)
            with self._lock:
                del self._parts[path]
                if failed:
                    self._failed.add(path)

    def _next(self) -> str | None:
        """The file that was wanted last: the one that the user looks at. None when there is nothing to do."""
        with self._lock:
            return next(reversed(self._parts), None) if not self._background.stopped else None

    def _hash(self, path: str) -> None:
        from .inspect.inspector import file_sha256  # takes as long as the rest, and the WebUI's start can do without

        before, done = os.stat(path), 0

        def read(count: int) -> None:
            nonlocal done
            done += count
            self._parts[path] = min(done / max(before.st_size, 1), 1.0)
            self._wait_for_jobs(path)

        if self._host.hash_of(path) is not None:
            return
        try:
            self._wait_for_jobs(path)
            sha256 = file_sha256(path, read)
        except _GivenUp:
            return
        after = os.stat(path)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise OSError("the file changed meanwhile")
        self._host.keep_hash(path, sha256, before.st_mtime)

    def _wait_for_jobs(self, path: str) -> None:
        """Return when no job runs. Raises _GivenUp where the hash is not wanted by then."""
        waited = self._background.wait_for_jobs()
        # A job that loaded the model has worked it out by itself.
        if self._background.stopped or (waited and self._host.hash_of(path) is not None):
            raise _GivenUp
