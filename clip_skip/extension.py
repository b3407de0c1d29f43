"""Wiring: the WebUI's events on one side, the library on the other. The entry script only dispatches to this."""

from __future__ import annotations

from typing import Any

from . import hosts, log, outcome, resolve, rest
from .advice import Advice
from .advisor import Advisor
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
advisor: Advisor | None = None
fields: paste.Fields = {}

# The attribute of the host's job object that holds the model of the job, and how it is read.
_READ = "clip_skip_read"


def register(script_callbacks: Any) -> None:
    """Hook into the WebUI. Called each time the entry script is executed: at start, and after every Reload UI."""
    global host, library, advisor, fields
    host = hosts.detect()
    log.set_up(host.flag("loglevel"))
    if not host.known:
        logger.warning("this WebUI is not known: nothing is changed in it")
        return
    known = library = Library(data_folder(host.flag("data_dir"), host.data_path), lambda: defaults(host.opts))
    judge = advisor = Advisor(host, known)
    fields = paste.fields(_reads_as_trained)
    script_callbacks.on_ui_settings(lambda: settings_page.register(host.opts))
    script_callbacks.on_before_ui(panel.forget)
    script_callbacks.on_after_component(lambda component, **how: panel.meet(host, component, **how))
    script_callbacks.on_ui_tabs(lambda: presets_tab.build(host, known))
    script_callbacks.on_app_started(lambda _demo, app: rest.mount(app, host, known, judge, switched_on))
    script_callbacks.on_script_unloaded(host.uninstall)
    if not host.flag("disable"):
        host.install()


def switched_on() -> bool:
    return host.known and not host.flag("disable") and ENABLED.read(host.opts)


def process(p: Any, *args: Any) -> None:
    """The job `p` is about to run, with its model loaded and its overrides in place. Never raises."""
    try:
        setattr(p, _READ, None)
        forget(p.extra_generation_params)
        request = parse(*args)
        if library is None or not switched_on():
            host.begin(p, None)
        elif request.enabled:
            job = Job(request, p.extra_generation_params, INFOTEXT.read(host.opts), library.auto)
            host.begin(p, job)
            if job.plan is not None:
                setattr(p, _READ, (host.loaded(), resolve.reading(request, job.plan)))
        else:
            host.begin(p, None)
            loaded = host.loaded()
            setattr(p, _READ, (loaded, host.reading(loaded.architecture, p=p)))
    except Exception:
        logger.exception("this image is made without CLIP Skip")


def _reads_as_trained(name: str) -> bool:
    try:
        return library is None or library.reads_as_trained(host.selected(name))
    except Exception:
        logger.exception("the model %r can't be told", name)
        return True


def build_panel(is_img2img: bool) -> panel.Built:
    return panel.build(host, library, advisor, fields, switched_on, "img2img" if is_img2img else "txt2img")


def encoded(p: Any) -> None:
    host.encoded(p)


def postprocess(p: Any, processed: Any) -> None:
    """Say what there is to say of the job `p`, which made `processed`. Never raises."""
    try:
        job, read = getattr(p, JOB_ATTRIBUTE, None), getattr(p, _READ, None)
        judged: list[Advice] = []
        # What a failed plan would have read says nothing of how the model was read.
        if advisor is not None and read is not None and not (job and job.failure):
            judged = advisor.on_reading(read[0], read[1], p.all_prompts or [])
        outcome.report(processed, job.advice if job else (), judged, host.opts)
    except Exception:
        logger.exception("what there is to say of this image is lost")
