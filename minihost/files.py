"""Files that others may read at any time."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def save(path: Path, text: str) -> None:
    """Put ``text`` in place of the file in one step: who reads it meanwhile finds all of the old one or of the new."""
    beside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    beside.write_text(text)
    os.replace(beside, path)
