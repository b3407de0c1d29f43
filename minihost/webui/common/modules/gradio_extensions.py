"""Gradio as the hosts bend it: callbacks around each new component, and gradio 3 spellings accepted by gradio 4."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
import warnings
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import gradio as gr
from modules import script_callbacks, scripts

GRADIO_4 = int(gr.__version__.split(".")[0]) >= 4
_undo: list[tuple[object, str, object]] = []


def replace(owner: Any, name: str, value: Any) -> None:
    """Set an attribute until :func:`restore`."""
    _undo.append((owner, name, owner.__dict__.get(name, _undo)))
    setattr(owner, name, value)


def restore() -> None:
    """Put gradio back as it was."""
    while _undo:
        owner, name, value = _undo.pop()
        if value is _undo:
            delattr(owner, name)
        else:
            setattr(owner, name, value)


def _announced(original: Callable[..., Any]) -> Callable[..., None]:
    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("tooltip", None)
        runner = scripts.scripts_current
        if runner is not None:
            runner.before_component(self, **kwargs)
        script_callbacks.before_component_callback(self, **kwargs)
        original(self, *args, **kwargs)
        script_callbacks.after_component_callback(self, **kwargs)
        if runner is not None:
            runner.after_component(self, **kwargs)

    return init


def _forgiving(original: Callable[..., Any]) -> Callable[..., None]:
    known = inspect.signature(original).parameters

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in [name for name in kwargs if name not in known]:
            if name != "tooltip":
                warnings.warn(f"unexpected argument for {type(self).__name__}: {name}", stacklevel=2)
            del kwargs[name]
        original(self, *args, **kwargs)

    return init


def _js_spelled_both_ways(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def listen(*args: Any, _js: str | None = None, **kwargs: Any) -> Any:
        if _js is not None:
            kwargs["js"] = _js
        return original(*args, **kwargs)

    return listen


def _run_in_thread(server: Any) -> None:
    """Gradio gives a server up that is not there within five seconds, which a busy machine may need."""
    server.thread = threading.Thread(target=server.run, daemon=True)
    server.thread.start()
    while not server.started:
        if not server.thread.is_alive():
            raise OSError("the server did not start")
        time.sleep(1e-3)


class _Unhurried:
    """asyncio for gradio 3's queue, which drops a press, unsaid, where the page is slower than it demands."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def wait_for(awaited: Awaitable[Any], timeout: float) -> Any:
        return await awaited


def install() -> None:
    """Change gradio's classes until :func:`restore`."""
    base = gr.components.Component if GRADIO_4 else gr.components.IOComponent
    for owner in (base, gr.blocks.BlockContext):
        replace(owner, "__init__", _announced(owner.__init__))
    serving = import_module("gradio.http_server" if GRADIO_4 else "gradio.networking")
    replace(serving.Server, "run_in_thread", _run_in_thread)
    # It listens by then; Gradio asks it once more, and gives it three seconds to answer.
    replace(import_module("gradio.networking"), "url_ok", lambda url: True)
    if not GRADIO_4:
        for name in ("gradio.queueing", "gradio.routes"):
            replace(import_module(name), "asyncio", _Unhurried())
        return
    import gradio.component_meta
    from gradio.events import Dependency

    replace(gradio.component_meta, "create_or_modify_pyi", lambda *args: None)  # it would write beside our sources
    replace(gr, "Box", gr.Group)
    for name in set(gr.components.__all__ + gr.layouts.__all__):
        owner = getattr(gr, name, None)
        if isinstance(owner, type) and "__init__" in owner.__dict__:
            replace(owner, "__init__", _forgiving(owner.__dict__["__init__"]))
            for event in getattr(owner, "EVENTS", []):
                if str(event) in owner.__dict__:
                    replace(owner, str(event), _js_spelled_both_ways(owner.__dict__[str(event)]))
    original = Dependency.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        for name in ("then", "success"):
            setattr(self, name, _js_spelled_both_ways(getattr(self, name)))

    replace(Dependency, "__init__", init)
