"""How much advice matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


# From what must not be missed to what is only good to know.
SEVERITIES = ("error", "warning", "caution", "hint", "info")
