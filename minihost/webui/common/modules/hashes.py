"""The SHA-256 of models: each is kept under a title, with the time of the file that it is of.

A WebUI keeps them in a file; here they are forgotten when it ends, so that each begins as one that was just set up.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from modules.shared_cmd_options import cmd_opts

_stores: dict[str, dict[str, Any]] = {}


def cache(store: str) -> dict[str, Any]:
    return _stores.setdefault(store, {})


def dump_cache() -> None:
    pass


save_cache = dump_cache  # SD.Next's name


def sha256_from_cache(filename: str, title: str) -> str | None:
    kept = cache("hashes").get(title)
    if kept is None or not os.path.isfile(filename) or os.path.getmtime(filename) > kept["mtime"]:
        return None
    return str(kept["sha256"])


def sha256(filename: str, title: str) -> str | None:
    """Work it out where it is not kept, unless the user has switched that off."""
    kept = sha256_from_cache(filename, title)
    if kept is not None or cmd_opts.no_hashing or not os.path.isfile(filename):
        return kept
    digest = hashlib.sha256(Path(filename).read_bytes()).hexdigest()
    cache("hashes")[title] = {"mtime": os.path.getmtime(filename), "sha256": digest}
    dump_cache()
    return digest
