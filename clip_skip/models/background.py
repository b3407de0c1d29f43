"""Work in the background: in one thread, which ends when nothing is left to do, and never while a job runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

_REST_SECONDS = 0.5
_STOP_SECONDS = 10


class _Host(Protocol):
    @property
    def busy(self) -> bool: ...


class Background:
    """Calls `work` in a thread of this name whenever it is woken.

    While a job of `host` runs it rests, `rest(stopped)` at a time, which is over at once when that event is set.
    """

    def __init__(
        self, name: str, host: _Host, work: Callable[[], None], rest: Callable[[threading.Event], object] | None = None
    ) -> None:
        self._name = name
        self._host = host
        self._work = work
        self._rest = rest or (lambda stopped: stopped.wait(_REST_SECONDS))
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._awake = False
        self._resting = False
        self.thread: threading.Thread | None = None

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def resting(self) -> bool:
        """Whether it waits for a job."""
        return self._resting

    def wake(self) -> None:
        """There is something to do: `work` is called, also where it is just about to return."""
        with self._lock:
            if self.stopped:
                return
            self._awake = True
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self.thread.start()

    def wait_for_jobs(self) -> bool:
        """Return when no job runs, or when it was stopped; whether there was one to wait for."""
        while self._host.busy and not self.stopped:
            self._resting = True
            self._rest(self._stopped)
        waited, self._resting = self._resting, False
        return waited

    def stop(self) -> None:
        """Call `work` no more, and wait until it has returned: it looks at `stopped` by itself."""
        with self._lock:
            self._stopped.set()
            thread = self.thread
        if thread is not None:
            thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while True:
            with self._lock:
                if self.stopped or not self._awake:
                    self.thread = None
                    return
                self._awake = False
            self._work()
