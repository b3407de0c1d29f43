"""The WebUIs: one adapter each for the A1111 line (A1111, Forge, reForge, Forge Classic and Neo) and for SD.Next."""

from __future__ import annotations

from .base import Host


def detect() -> Host:
    """The adapter for the WebUI that this process is. Asks its modules what they can do, never for a version."""
    from .a1111 import WebUI
    from .sdnext import SDNext

    for adapter in (SDNext, WebUI):
        host = adapter.find()
        if host is not None:
            return host
    return Host()
