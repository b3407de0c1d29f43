"""The one thread for the work of jobs."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_thread = ThreadPoolExecutor(1, "main_thread")


def run_and_wait_result(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Give what the function gave; what it raised is only printed."""
    try:
        return _thread.submit(func, *args, **kwargs).result()
    except Exception:
        traceback.print_exc()
