"""The extension's log: the package's own logger with one handler, whatever the host does with its own."""

from __future__ import annotations

import logging

logger = logging.getLogger("clip_skip")


def set_up(level: str | None = None) -> None:
    """Give the logger its handler, once, and its level: a name such as "DEBUG", by default INFO."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("[CLIP Skip] %(levelname)s: %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
    try:
        logger.setLevel((level or "INFO").upper())
    except ValueError:
        logger.setLevel("INFO")
        logger.warning("log level %r is not known, INFO is used", level)
