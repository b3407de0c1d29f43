"""Say what went wrong and go on."""

import sys
import traceback

exception_records: list[str] = []
"""Everything reported, for a look after the job."""


def report(message: str, *, exc_info: bool = False) -> None:
    """Print a message, and the exception that is being handled."""
    text = f"*** {message}" + ("\n" + traceback.format_exc() if exc_info else "")
    exception_records.append(text)
    print(text, file=sys.stderr)


def display(e: Exception, task: str) -> None:
    """Print an exception that was caught (the older name)."""
    report(f"{task}: {e}", exc_info=True)
