"""Wiring: the WebUI's events on one side, the library on the other. The entry script only dispatches to this."""

from __future__ import annotations

from typing import Any

from . import hosts, log, rest
from .data import data_folder
from .hosts.base import JOB_ATTRIBUTE, Host
from .job import Job, forget
from .library import Library
from .log import logger
from .request import parse
from .settings import ENABLED, INFOTEXT, defaults
from .ui import panel, paste, presets_tab, settings_page

host = Host()
library: Library | None = None
fields: paste.Fields = {}


def register(script_callbacks: Any) -> None:
    """Hook into the WebUI. Called each time the entry script is executed: at start, and after every Reload UI."""
    global host, library, fields
    host = hosts.detect()
    log.set_up(host.flag("loglevel"))
    if not host.known:
        logger.warning("this WebUI is not known: nothing is changed in it")
        return
    known = library = Library(data_folder(host.flag("data_dir"), host.data_path), lambda: defaults(host.opts))
    fields = paste.fields(_reads_as_trained)
    script_callbacks.on_ui_settings(lambda: settings_page.register(host.opts))
    script_callbacks.on_before_ui(panel.forget)
    script_callbacks.on_after_component(panel.meet)
    script_callbacks.on_ui_tabs(lambda: presets_tab.build(host, known))
    script_callbacks.on_app_started(lambda _demo, app: rest.mount(app, host, known, switched_on))
    script_callbacks.on_script_unloaded(host.uninstall)
    if not host.flag("disable"):
        host.install()


def switched_on() -> bool:
    return host.known and not host.flag("disable") and ENABLED.read(host.opts)


def process(p: Any, *args: Any) -> None:
    """The job `p` is about to run, with its model loaded and its overrides in place. Never raises."""
    try:
        forget(p.extra_generation_params)
        request = parse(*args)
        if library is not None and switched_on() and request.enabled:
            host.begin(p, Job(request, p.extra_generation_params, INFOTEXT.read(host.opts), library.auto))
        else:
            host.begin(p, None)
    except Exception:
        logger.exception("this image is made without CLIP Skip")


def _reads_as_trained(name: str) -> bool:
    try:
        return library is None or library.reads_as_trained(host.selected(name))
    except Exception:
        logger.exception("the model %r can't be told", name)
        return True


def build_panel(is_img2img: bool) -> panel.Built:
    return panel.build(host, library, fields, switched_on, "img2img" if is_img2img else "txt2img")


def encoded(p: Any) -> None:
    host.encoded(p)


def postprocess(p: Any, processed: Any) -> None:
    """Put what has to be said into the result's text, which the host escapes."""
    job = getattr(p, JOB_ATTRIBUTE, None)
    if job is not None and job.advice:
        lines = [advice.text for advice in job.advice]
        processed.comments = "\n".join([*filter(None, [str(processed.comments or "").rstrip("\n")]), *lines])
