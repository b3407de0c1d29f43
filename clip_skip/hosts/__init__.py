"""The WebUIs: one adapter each for the A1111 line (A1111, Forge, reForge, Forge Classic and Neo) and for SD.Next.

`base` says what the rest of the extension asks of one, `protocols` what an adapter asks of the WebUI itself, and
`attributes` lists every attribute that it touches there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # its types come with torch, which not all that knows the protocols needs
    from .base import Host


def detect() -> Host:
    """The adapter for the WebUI that this process is. Asks its modules what they can do, never for a version."""
    from .a1111 import WebUI
    from .sdnext import SDNext
    from .unknown import UnknownHost

    return SDNext.find() or WebUI.find() or UnknownHost()
