"""Wiring: the WebUI's events on one side, the library on the other. The entry script only dispatches to this."""

from __future__ import annotations

from typing import Any

from . import hosts
from .advice import report
from .advice.advisor import Advisor
from .advice.rules import Advice
from .hosts.base import JOB_ATTRIBUTE, Host
from .interfaces import extra_network, grid
from .interfaces.rest import routes
from .interfaces.settings import ENABLED, INFOTEXT, defaults, shown_at
from .interfaces.ui import panel, paste, presets_tab, settings_page
from .jobs.job import Job
from .models.library import Library
from .paths import data_folder
from .skip import infotext, plan
from .skip.prompt_tags import Tags
from .skip.request import parse
from .text import log
from .text.log import logger

host = Host()
library: Library | None = None
advisor: Advisor | None = None
fields: paste.Fields = {}


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
    script_callbacks.on_before_ui(before_ui)
    script_callbacks.on_after_component(lambda component, **how: panel.meet(host, component, **how))
    script_callbacks.on_ui_tabs(lambda: presets_tab.build(host, known))
    script_callbacks.on_app_started(lambda _demo, app: routes.mount(app, host, known, judge, switched_on))
    script_callbacks.on_script_unloaded(unload)
    if not host.flag("disable"):
        host.install()


def before_ui() -> None:
    panel.new_page()
    if not host.flag("disable"):
        grid.register(host.scripts)
        extra_network.register(host.extra_networks, tagged)


def unload() -> None:
    extra_network.unregister(host.extra_networks)
    host.uninstall()


def switched_on() -> bool:
    return host.known and not host.flag("disable") and ENABLED.value(host.opts)


def process(p: Any, *args: Any) -> None:
    """The job `p` is about to run, with its model loaded and its overrides in place. Never raises."""
    try:
        if not host.runs(p):
            return
        infotext.clear(p.extra_generation_params)
        if library is None or not switched_on():
            host.begin(p, None)
            return
        asked = parse(*args, axes=grid.asked(p))
        host.begin(p, Job(asked, p.extra_generation_params, INFOTEXT.value(host.opts), library.stands_for))
    except Exception:
        logger.exception("this image is made without CLIP Skip")


def tagged(p: Any, tags: Tags) -> None:
    """The prompts that the job `p` encodes next have these tags. Never raises."""
    try:
        host.tagged(p, tags)
    except Exception:
        logger.exception("the tag in the prompt is ignored")


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
        job: Job | None = getattr(p, JOB_ATTRIBUTE, None)
        if job is None or advisor is None or not host.runs(p):
            return
        judged: list[Advice] = []
        # What a failed plan would have read says nothing of how the model was read.
        if not job.failure:
            architecture = job.checkpoint.architecture
            read = plan.reading(job.request, job.plan) if job.plan else host.reading(architecture, p=p)
            judged = advisor.on_reading(job.checkpoint, read, p.all_prompts or [])
        report.report(processed, job.advice, judged, lambda place, severity: shown_at(place, severity, host.opts))
    except Exception:
        logger.exception("what there is to say of this image is lost")
