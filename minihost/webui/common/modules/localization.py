"""The languages of the page: those of the extension's own files, by their names, as in the A1111 line."""

from __future__ import annotations

import json
from typing import Any

from minihost import context


def _files() -> dict[str, Any]:
    extension = context.get().extension
    return {path.stem: path for path in sorted(extension.glob("localizations/*.json"))} if extension else {}


def names() -> list[str]:
    """Give what can be chosen."""
    return ["None", *_files()]


def words(name: str) -> dict[str, str]:
    """Give the translations of the language ``name``, none where there is no such file."""
    path = _files().get(name)
    return dict(json.loads(path.read_text("utf-8"))) if path else {}
