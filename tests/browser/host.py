"""A minihost that reads a model's file when a test lets it: `python -m tests.browser.host DATA FLAVOUR PORT`.

After `POST /test/hold` every inspection waits, until `POST /test/release`; `GET /test/waiting` counts those that do.
`GET /test/saved` gives the settings as they are in their file.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading

from minihost import boot


class Gate:
    """Open at first."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._waiting = 0

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def waiting(self) -> int:
        return self._waiting

    def guard(self, function):
        """`function`, which begins when the gate is open."""

        def guarded(*args, **kwargs):
            self._waiting += 1
            try:
                self._open.wait()
            finally:
                self._waiting -= 1
            return function(*args, **kwargs)

        return guarded


if __name__ == "__main__":
    data, flavour, port = sys.argv[1:]
    with boot(flavour, "sdxl", data=data, port=int(port)) as host:
        gate = Gate()
        inspector = importlib.import_module("clip_skip.models.inspect.inspector")
        inspector.inspect = gate.guard(inspector.inspect)
        host.app.add_api_route("/test/hold", gate.hold, methods=["POST"])
        host.app.add_api_route("/test/release", gate.release, methods=["POST"])
        host.app.add_api_route("/test/waiting", gate.waiting)
        host.app.add_api_route("/test/saved", lambda: json.loads((host.data / "config.json").read_text()))
        print("ready", flush=True)
        threading.Event().wait()
