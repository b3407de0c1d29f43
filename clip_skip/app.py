"""Wiring: the WebUI's events on one side, the library on the other. The entry script only dispatches to this."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from . import hosts
from .advice import report
from .advice.advisor import Advisor
from .advice.rules import Advice, not_a_tag
from .hosts import comparison
from .hosts.attributes import COMPARISON_ATTRIBUTE, JOB_ATTRIBUTE
from .hosts.base import Host
from .hosts.comparison import Comparison
from .hosts.protocols import Processed, Processing
from .hosts.running import part_from_outer
from .interfaces import extra_network, grid
from .interfaces.rest import routes
from .interfaces.settings import ENABLED, INFOTEXT, defaults, shown_at
from .interfaces.ui import paste, presets_tab, settings_page
from .interfaces.ui.answers import Answers
from .interfaces.ui.page import TABS, Built, Page
from .jobs.job import Job
from .models.hashing import Hashing
from .models.library import Library
from .models.survey import Survey
from .paths import data_folder
from .skip import infotext, plan, prompt_tags
from .skip.plan import Plan
from .skip.prompt_tags import Tags
from .skip.request import Request, parse
from .text import log
from .text.log import logger


def start(script_callbacks: Any) -> Extension:
    """Hook into the WebUI. Called each time the entry script is executed: at start, and after every Reload UI."""
    host = hosts.detect()
    log.set_up(host.flag("loglevel"))
    extension = Extension(host)
    if host.known:
        extension.register(script_callbacks)
    else:
        logger.warning("this WebUI is not known: nothing is changed in it")
    return extension


class Extension:
    """This extension in one WebUI, from one execution of the entry script to the next."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.library = Library(data_folder(host.flag("data_dir"), host.data_path), lambda: defaults(host.opts))
        self.advisor = Advisor(host, self.library)
        self._hashing = Hashing(host)
        self._survey = Survey(host, self.library)
        self.answers = Answers(host, self.library, self.advisor, self.switched_on, self._hashing)
        self.fields = paste.fields(self._reads_as_trained)
        self._page = Page(host, self.answers)

    def register(self, script_callbacks: Any) -> None:
        """Have the WebUI call what follows, and hook into its conditioning stage."""
        script_callbacks.on_ui_settings(lambda: settings_page.register(self.host.opts))
        script_callbacks.on_before_ui(self.before_ui)
        script_callbacks.on_after_component(lambda component, **how: self._page.meet(component, **how))
        script_callbacks.on_ui_tabs(lambda: presets_tab.build(self.host, self.library, self._survey))
        script_callbacks.on_app_started(lambda _demo, app: self.mount(app))
        script_callbacks.on_infotext_pasted(self.pasted)
        script_callbacks.on_script_unloaded(self.unload)
        if not self.host.flag("disable"):
            self.host.install(self.process_unasked)

    def before_ui(self) -> None:
        self._page = Page(self.host, self.answers)
        if not self.host.flag("disable"):
            grid.register(self.host.scripts, self.switched_on)
            extra_network.register(self.host.extra_networks, self.tagged)

    def mount(self, app: object) -> None:
        self._page.finished()
        routes.mount(app, self.host, self.library, self.advisor, self.switched_on)

    def unload(self) -> None:
        extra_network.unregister(self.host.extra_networks)
        self.host.uninstall()
        self._hashing.stop()
        self._survey.stop()

    def switched_on(self) -> bool:
        return self.host.known and not self.host.flag("disable") and ENABLED.value(self.host.opts)

    def build_panel(self, is_img2img: bool, tab: str | None = None) -> Built:
        """`tab` is the name of the panel's tab, where the host tells it: SD.Next has one more than these two."""
        return self._page.build(tab if tab in TABS else TABS[is_img2img], self.fields)

    def process(self, p: Processing, *args: object) -> None:
        """The job `p` is about to run, with its model loaded and its overrides in place. Never raises."""
        try:
            if not self.host.runs(p):
                return
            part_from_outer(p)
            comparison.forget(p)
            infotext.clear(p.extra_generation_params)
            job = self._job(p, args) if self.switched_on() else None
            self.host.begin(p, job)
            if job is not None:
                self.library.learn_hash(job.checkpoint)
                if job.asked.compare:
                    self._compare(p, job)
        except Exception:
            logger.exception("this image is made without CLIP Skip")
            self._leave(p)

    def process_unasked(self, p: Processing) -> None:
        """The same, where no script of ours runs: the prompt's tags alone ask for anything. Never raises."""
        self.process(p, False)

    def _compare(self, p: Processing, job: Job) -> None:
        """Let the job make its images once for each of the requests that it is to compare. Never raises."""
        compared = Comparison(p, job, self.host.batches)
        try:
            if grid.asked(p) or not self.host.repeats(p):
                compared.refuse()
                return
            compared.wait()
            setattr(p, COMPARISON_ATTRIBUTE, compared)
        except Exception as error:
            compared.failed(error)

    def batch(self, p: Processing, number: int) -> None:
        """The batch of this number of the job `p` begins, from 0. Never raises."""
        compared: Comparison | None = getattr(p, COMPARISON_ATTRIBUTE, None)
        if compared is None:
            return
        try:
            if self.host.runs(p) and compared.begins(number):
                self.host.asks_anew(p)
        except Exception as error:
            compared.failed(error)

    def _job(self, p: Processing, args: tuple[object, ...]) -> Job:
        profile = cache(self.library.profile)
        return Job(
            parse(*args, axes=grid.asked(p)),
            p.extra_generation_params,
            INFOTEXT.value(self.host.opts),
            lambda checkpoint, word: profile(checkpoint).stands_for(word),
        )

    def _leave(self, p: Processing) -> None:
        """The job `p` runs as if we were not there, and its texts say nothing of us. Never raises."""
        try:
            self.host.begin(p, None)
            infotext.clear(p.extra_generation_params)
        except Exception:
            logger.exception("CLIP Skip could not be taken out of this image")

    def tagged(self, p: Processing, tags: Tags) -> None:
        """The prompts that the job `p` encodes next have these tags. Never raises."""
        try:
            self.host.tagged(p, tags)
        except Exception:
            logger.exception("the tag in the prompt is ignored")

    def pasted(self, text: str | None, params: dict[str, object]) -> None:
        """The text of an image was pasted, of which the WebUI has read `params`. Never raises."""
        try:
            found = infotext.left_over(text or "", params, not self.host.restores_skip)
            if found and self.host.selected(str(params.get("Model") or "")).architecture.id == "sd1":
                params.update(found)
        except Exception:
            logger.exception("the number in the pasted text is lost")

    def encoded(self, p: Processing, number: int) -> None:
        """The batch of this number of the job `p` was sampled."""
        self.host.encoded(p)
        compared: Comparison | None = getattr(p, COMPARISON_ATTRIBUTE, None)
        if compared is not None and self.host.runs(p):
            compared.sampled(number)

    def postprocess(self, p: Processing, processed: Processed) -> None:
        """Say what there is to say of the job `p`, which made `processed`. Never raises."""
        try:
            job: Job | None = getattr(p, JOB_ATTRIBUTE, None)
            if job is None or not self.host.runs(p):
                return
            compared: Comparison | None = getattr(p, COMPARISON_ATTRIBUTE, None)
            judged = self._judged(job, p, [] if compared is None else compared.plans)
            if compared is not None:
                self._show(compared, p, processed)
            opts = self.host.opts
            report.report(
                processed,
                [*job.advice, *self._mistaken(p)],
                judged,
                lambda place, severity: shown_at(place, severity, opts),
            )
        except Exception:
            logger.exception("what there is to say of this image is lost")

    @staticmethod
    def _mistaken(p: Processing) -> list[Advice]:
        """The hint on what looks like our tags in the prompts of `p`, which is also in the log then."""
        found = prompt_tags.mistaken("\n".join(p.all_prompts or []), "\n".join(p.all_negative_prompts or []))
        if not found:
            return []
        hint = not_a_tag(found)
        logger.warning("%s", hint)
        return [hint]

    def _show(self, compared: Comparison, p: Processing, processed: Processed) -> None:
        """Put the images that are compared side by side, before all of them. Never raises."""
        try:
            sheet = compared.sheet(processed, self.host.font)
            if sheet is None:
                return
            if compared.saves_grids():
                self.host.save_grid(p, sheet, processed)
            text = processed.infotexts[processed.index_of_first_image]
            sheet.info["parameters"] = text
            processed.images.insert(0, sheet)
            processed.infotexts.insert(0, text)
            processed.index_of_first_image += 1
        except Exception as error:
            compared.failed(error)
        finally:
            compared.end()

    def _judged(self, job: Job, p: Processing, compared: Sequence[tuple[Request, Plan]]) -> list[Advice]:
        """What the rules say of how the first model of `job` was read, of several plans that are compared once."""
        # What a failed plan would have read says nothing of that.
        if job.failure:
            return []
        architecture = job.checkpoint.architecture
        read = [plan.reading(*each) for each in compared]
        if not read:
            read = [plan.reading(job.request, job.plan) if job.plan else self.host.reading(architecture, p=p)]
        model, prompts = self.library.profile(job.checkpoint), p.all_prompts or []
        said = [advice for each in read for advice in self.advisor.on_reading(model, each, prompts)]
        return list({advice.id: advice for advice in reversed(said)}.values())[::-1]

    def _reads_as_trained(self, name: str) -> bool:
        """Whether Auto reads the model of this name as it was trained. Never raises."""
        try:
            return self.library.profile(self.host.selected(name)).auto.as_trained
        except Exception:
            logger.exception("the model %r can't be told", name)
            return True
