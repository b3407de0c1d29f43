"""Using a WebUI's loaded model between its jobs: nothing is waited for, and nothing is left behind."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..text.phrase import Problem
from .protocols import State

# As many as a job has by default: of a prompt that changes with them, each text counts once.
STEPS = 20

T = TypeVar("T")


def is_busy(state: State) -> bool:
    """Whether a job runs, or is being set up, by what the WebUI tells of its jobs."""
    return bool(state.job or state.job_count)


def no_model() -> Problem:
    return Problem("No model is loaded yet. Make an image first.")


@contextmanager
def idle(state: State) -> Iterator[None]:
    """No job of the WebUI begins meanwhile; `state` is what it tells of its jobs. Raises Problem where one runs."""
    from modules.call_queue import queue_lock

    running = Problem("The WebUI is busy with a job. Please try again when it is done.")
    if not queue_lock.acquire(blocking=False):
        raise running
    try:
        # What is loaded or run without the lock.
        if is_busy(state):
            raise running
        yield
    finally:
        queue_lock.release()


def on_jobs_thread(work: Callable[[], T]) -> T:
    """The result of `work`, or what it raises: from the thread of the jobs, where a WebUI has one, as Forge has."""
    main_thread = sys.modules.get("modules_forge.main_thread")
    if main_thread is None:
        return work()
    done: list[T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # which that thread would only print
            failed.append(error)

    main_thread.run_and_wait_result(run)
    if failed:
        raise failed[0]
    return done[0]


@contextmanager
def kept(owner: object, *names: str) -> Iterator[None]:
    """Afterwards these attributes of `owner` are what they were, if it has them."""
    before = {name: copy.copy(getattr(owner, name)) for name in names if hasattr(owner, name)}
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)
