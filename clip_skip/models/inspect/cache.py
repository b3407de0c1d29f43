"""The facts that were already read, by path, in one SQLite file that several processes may use at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ...text.log import logger

_WAIT_SECONDS = 2
# What SQLite says where the file itself is good: another process holds it, the disk is full, the folder read-only.
_NO_DAMAGE = ("locked", "readonly", "full", "unable to open", "disk i/o")


class Cache:
    """Texts by path, each good only under the key that it was kept with.

    A cache never fails: what can't be read is not there, what can't be written is not kept, and a damaged file is
    replaced by an empty one.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, path: str, key: str) -> str | None:
        """The text kept for `path` under `key`, or None."""
        rows = self._run("SELECT text FROM facts WHERE path = ? AND key = ?", (path, key))
        return rows[0][0] if rows and isinstance(rows[0][0], str) else None

    def put(self, path: str, key: str, text: str) -> None:
        """Keep `text` for `path` under `key`, in place of what was kept for it."""
        self._run("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (path, key, text))

    def _run(self, statement: str, values: tuple[str, ...]) -> list[tuple[object, ...]]:
        try:
            return self._once(statement, values)
        except sqlite3.DatabaseError as error:
            if any(word in str(error).lower() for word in _NO_DAMAGE):
                logger.debug("the cache %s is not used: %s", self._file, error)
                return []
            logger.info("the cache %s is damaged (%s) and made anew", self._file, error)
        except OSError as error:
            logger.debug("the cache %s is not used: %s", self._file, error)
            return []
        try:
            self._file.unlink(missing_ok=True)
            return self._once(statement, values)
        except (sqlite3.Error, OSError) as error:
            logger.debug("the cache %s is not used: %s", self._file, error)
            return []

    def _once(self, statement: str, values: tuple[str, ...]) -> list[tuple[object, ...]]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=_WAIT_SECONDS)) as connection, connection:
            # What a crash loses is read from the model again.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("CREATE TABLE IF NOT EXISTS facts (path TEXT PRIMARY KEY, key TEXT, text TEXT)")
            # A file name that is no Unicode comes from the system with lone surrogates, which SQLite does not take.
            texts = [value.encode("utf-8", "backslashreplace").decode() for value in values]
            return connection.execute(statement, texts).fetchall()
