"""Inspecting with a memory: facts that were read before, and reference models that were met on the way."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import __version__
from ...text.log import logger
from .cache import Cache
from .evidence import known
from .evidence.sidecars import sidecar_files
from .facts import ModelFacts, inspect, unread
from .formats.contents import ContentsError
from .formats.reader import read_contents
from .weights import reference_files
from .weights.references import References

_CHUNK = 1 << 20


class Inspector:
    """Inspects models and keeps what it learned in the data folder `folder`.

    Any number of threads and processes may use the same folder at once.
    """

    def __init__(self, folder: Path) -> None:
        self._references_folder = folder / "references"
        self._cache = Cache(folder / "inspected.sqlite")

    def inspect(
        self,
        path: str | os.PathLike[str],
        *,
        sha256: str | None = None,
        mark: str | None = None,
        weights: bool = True,
        thorough: bool = False,
    ) -> ModelFacts:
        """`facts.inspect` with the learned references; what was kept of it, while nothing that it reads has changed.

        A file that `sha256` shows to be a reference model becomes one.
        """
        name = os.fspath(path)
        if sha256 and weights:
            self._learn_if_known(name, sha256)
        learned = self.references
        options: dict[str, Any] = {"sha256": sha256, "mark": mark, "weights": weights, "thorough": thorough}
        try:
            key = _key(name, learned, options)
        except OSError as error:
            return unread(name, error)
        facts = self._kept(name, key)
        if facts is None:
            facts = inspect(name, references=learned, **options)
            if facts.error is None:
                self._cache.put(os.path.abspath(name), key, facts.to_text())
        return facts

    def recall(
        self, path: str | os.PathLike[str], *, sha256: str | None = None, mark: str | None = None
    ) -> ModelFacts | None:
        """What `inspect` would answer without reading the model, None where it would have to read it."""
        name = os.fspath(path)
        options = {"sha256": sha256, "mark": mark, "weights": True, "thorough": False}
        try:
            key = _key(name, self.references, options)
        except OSError as error:
            return unread(name, error)
        return self._kept(name, key)

    def _kept(self, name: str, key: str) -> ModelFacts | None:
        """The facts that were read before, where nothing that they were read from has changed since."""
        text = self._cache.get(os.path.abspath(name), key)
        if text is None:
            return None
        try:
            return replace(ModelFacts.from_text(text), file=name)  # which may have been reached another way
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.debug("the facts kept for %r are broken and read again", name)
            return None

    @property
    def references(self) -> References:
        """The models that were learned."""
        return reference_files.load(self._references_folder)

    def learn(self, path: str | os.PathLike[str], label: str, sha256: str | None = None) -> None:
        """Make the SD 1.x model at `path` the reference `label`. Raises ContentsError or OSError, and says why."""
        contents = read_contents(path)
        reference_files.learn(contents, label, self._references_folder, source=Path(path).name, sha256=sha256)

    def _learn_if_known(self, path: str, sha256: str) -> None:
        model = known.lookup(sha256)
        label = model.reference_label if model else None
        if label is None:
            return
        if label in self.references.labels:
            return
        try:
            self.learn(path, label, sha256)
            logger.info("%s is now the reference %r for telling a model's lineage", Path(path).name, label)
        except (ContentsError, OSError) as error:
            logger.warning("%s could not become a reference: %s", Path(path).name, error)


def file_sha256(path: str | os.PathLike[str], read: Callable[[int], object] = lambda count: None) -> str:
    """The SHA-256 of the file's bytes, in hex. Reads all of it: seconds per GB. Raises OSError.

    `read` is called with the number of bytes that were read since the last time.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            read(len(chunk))
    return digest.hexdigest()


def _key(name: str, learned: References, options: Mapping[str, object]) -> str:
    """What the facts depend on. Raises OSError where there is no such file."""
    return json.dumps([__version__, list(_stamps(Path(name))), *options.values(), learned.fingerprint])


def _stamps(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of every file that inspecting `path` reads."""
    read = {path: path.stat(), **sidecar_files(path)}
    if stat.S_ISDIR(read[path].st_mode):
        inside = sorted(file for part in ("*", "*/*.json", "*/*.safetensors") for file in path.glob(part))
        read.update((file, file.stat()) for file in inside if os.path.exists(file))  # a link may lead nowhere
    for file, status in read.items():
        yield (file.name, status.st_size, status.st_mtime_ns)
