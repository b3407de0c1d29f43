"""What the host modules need to know of the boot they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from minihost.flavours import Flavour


@dataclass
class Context:
    """One booted host: set before any host module is imported."""

    flavour: Flavour
    data: Path
    extension: Path | None
    argv: list[str] = field(default_factory=list)
    model: str = "sd1"


current: Context | None = None


def get() -> Context:
    """Give the booted host's context."""
    assert current is not None, "host modules can only be imported while a minihost is booted"
    return current
