"""The extension as the host that runs has loaded it."""

from __future__ import annotations

import sys
from typing import Any


def extension() -> Any:
    """The `Extension` of the entry script, which Reload UI executes anew."""
    scripts = sys.modules["modules.scripts"].scripts_data
    return next(script.module for script in scripts if script.script_class.__name__ == "ClipSkip").extension
