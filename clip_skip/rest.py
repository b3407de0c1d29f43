"""The REST interface under /clip-skip/v1, behind the host's own API authentication."""

from __future__ import annotations

from typing import Any

from .hosts.base import Host
from .library import Library


def mount(app: Any, host: Host, library: Library) -> None:
    """Add the routes to the host's FastAPI application; called from its `on_app_started`."""
