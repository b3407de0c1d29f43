"""The tab "CLIP Skip": a table of all presets, import and export."""

from __future__ import annotations

from typing import Any

from ..hosts.base import Host
from ..library import Library


def build(host: Host, library: Library) -> list[tuple[Any, str, str]]:
    """The tab, as the host's `on_ui_tabs` takes it: (blocks, title, element id)."""
    return []
