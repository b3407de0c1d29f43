"""How much advice matters."""

from __future__ import annotations

# From what must not be missed to what is only good to know.
SEVERITIES = ("error", "warning", "caution", "hint", "info")
