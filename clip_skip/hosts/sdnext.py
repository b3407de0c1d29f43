"""SD.Next: diffusers pipelines. Prompts are encoded in the middle of a job, with no call of ours around it, so the
taps stay in place for the whole job; `on_after_process`, which SD.Next calls whatever happens, ends it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import torch

from .. import TITLE
from ..advice.rules import different_tags
from ..conditioning.loaded_model import NOT_LOADED, LoadedModel
from ..conditioning.taps import Taps
from ..jobs.job import Job
from ..models.checkpoint import Checkpoint
from ..skip import host_sliders
from ..skip.architectures import UNKNOWN, Architecture
from ..skip.prompt_tags import Tags
from ..skip.reading import Reading, as_trained
from ..text.log import logger
from .adapter import Adapter, listed_loras, tags_of_batch
from .attributes import COMPARISON_ATTRIBUTE
from .encoders import read_pipeline
from .idle import STEPS, idle, kept, no_model
from .protocols import (
    Component,
    NextCallbacks,
    NextCheckpointInfo,
    NextCheckpoints,
    NextEncoderHijack,
    NextModels,
    NextParser,
    NextProcessing,
    Processing,
    Shared,
)
from .running import begin, told_by_host

_SLIDERS = ("txt2img_clip_skip", "img2img_clip_skip", "control_clip_skip")

T = TypeVar("T")


class SDNext(Adapter[NextCheckpointInfo]):
    input_accordion: None = None

    def __init__(
        self,
        shared: Shared,
        script_callbacks: NextCallbacks,
        parser: NextParser,
        te_hijack: NextEncoderHijack,
        sd_checkpoint: NextCheckpoints,
        sd_models: NextModels,
    ) -> None:
        super().__init__(shared, sd_checkpoint)
        self._callbacks = script_callbacks
        self._parser = parser
        self._te_hijack = te_hijack
        self._sd_checkpoint = sd_checkpoint
        self._sd_models = sd_models
        self._running: list[_Running] = []  # the innermost pass is last

    @classmethod
    def find(cls) -> SDNext | None:
        try:
            from modules import prompt_parser_diffusers as parser
            from modules import script_callbacks, sd_checkpoint, sd_hijack_te, sd_models, shared
        except ImportError:
            return None
        if not hasattr(parser, "PromptEmbedder") or not hasattr(script_callbacks, "on_after_process"):
            return None
        return cls(shared, script_callbacks, parser, sd_hijack_te, sd_checkpoint, sd_models)

    @property
    def restores_skip(self) -> bool:
        return bool(getattr(self.opts, "clip_skip_enabled", True))  # the slider is locked otherwise

    def install(self, begun: Callable[[Processing], None]) -> None:
        self._callbacks.on_before_process(lambda p: self._begins(p, begun))
        self._callbacks.on_after_process(self.end)
        self._callbacks.on_model_loaded(self._model_loaded)
        if TITLE not in _control_extensions():
            _control_extensions().append(TITLE)

    def uninstall(self) -> None:
        if TITLE in _control_extensions():
            _control_extensions().remove(TITLE)
        while self._running:
            self._running.pop().stop()

    def runs(self, p: Processing) -> bool:
        return told_by_host(p)

    def begin(self, p: Processing, job: Job | None) -> None:
        begin(p, job)
        if self._running and self._running[-1].p is p:
            self._running.pop().stop()
        if job is None and not self._running:
            return
        if self._running:
            self._running[-1].stop()
        running = _Running(self, cast(NextProcessing, p), job)
        self._running.append(running)
        if job is not None:
            job.start(self._loaded().checkpoint)
            running.start()

    def _begins(self, p: Processing, begun: Callable[[Processing], None]) -> None:
        """Any job begins. An inner pass without our script is the outer one's."""
        if not self._running and not _runs_ours(p):
            begun(p)

    def tagged(self, p: Processing, tags: Tags) -> None:
        self._back_to(p)
        if self._running:
            self._running[-1].tagged(p, tags)

    def encoded(self, p: Processing) -> None:
        """A batch of `p` is sampled: its prompts went through the taps, or never will."""
        if self._running and self._running[-1].p is p:
            self._running[-1].prove()

    def asks_anew(self, p: Processing) -> None:
        if self._running and self._running[-1].p is p:
            self._running[-1].stop()
            self._running[-1].start()

    def repeats(self, p: Processing) -> bool:
        return not self._scripted(p) and len(self._running) == 1

    def batches(self, count: int, size: int) -> Mapping[str, str | None]:
        return {"Batch": None, "Index": None} if count * size == 1 else {"Batch": f"{count}x{size}"}

    def end(self, p: Processing) -> None:
        """`p` is over, however it ended."""
        comparison = getattr(p, COMPARISON_ATTRIBUTE, None)
        if comparison is not None:
            comparison.end()
        self._back_to(p)
        if self._running and self._running[-1].p is p:
            self._leave()
            if self._running:
                self._running[-1].resume()

    def _back_to(self, p: Processing) -> None:
        """`p` goes on, so that what has begun inside it is over, whether the host told so or not."""
        if any(running.p is p for running in self._running[:-1]):
            while self._running[-1].p is not p:
                self._leave()
            self._running[-1].resume()

    def _leave(self) -> None:
        running = self._running.pop()
        if not (_runs_ours(running.p) or self._shared.state.interrupted):
            running.prove()  # nobody says sooner that its prompts were encoded
        running.stop()

    def encode(self, prompt: str, work: Callable[[LoadedModel, Callable[[], object]], T]) -> T:
        with idle(self._shared.state):
            model = self._loaded()
            if model is NOT_LOADED:
                raise no_model()
            pipeline = self._pipelines()[0]
            with torch.no_grad(), kept(getattr(pipeline, "embedding_db", None), "embeddings_used"):
                return work(model, lambda: self._read(model, pipeline, prompt))

    def _read(self, model: LoadedModel, pipeline: object, prompt: str) -> None:
        """One pass of each part of the prompt, whichever parser the jobs use: SD.Next's own makes several of each."""
        parser = self._parser
        pipeline = parser.prepare_model(pipeline)
        texts, _ = parser.get_prompt_schedule(self._without_tags(prompt), STEPS)
        providers = parser.prepare_embedding_providers(pipeline, 1)[: len(model.stacks)]
        for text in dict.fromkeys(texts):
            for provider, part in zip(providers, parser.split_prompts(pipeline, text), strict=False):
                for section in _sections(parser.get_prompts_with_weights(pipeline, part)[0]):
                    weights = [1.0] * len(section)
                    provider.get_embeddings_for_weighted_prompt_fragments([section], [weights], device=provider.device)

    def reading(self, architecture: Architecture, number: float | None = None, p: Processing | None = None) -> Reading:
        # No option of SD.Next's has the number: each job does.
        return host_sliders.reading_at(
            self._line(p), architecture, getattr(p, "clip_skip", 1) if number is None else number
        )

    def use(self, number: float) -> bool:
        return False  # no option of SD.Next's has it

    def is_slider(self, component: Component, elem_id: str | None = None) -> bool:
        return elem_id in _SLIDERS

    def lora_file(self, name: str) -> str | None:
        found = getattr(sys.modules.get("modules.lora.lora_load"), "available_network_aliases", {}).get(name)
        return None if found is None else str(found.filename)

    def loras(self) -> dict[str, str]:
        return listed_loras("modules.lora.lora_load")

    def models(self) -> list[LoadedModel]:
        """Every loaded pipeline: the base, then the refiner."""
        return [self._model(pipeline) for pipeline in self._pipelines()]

    def clear_embeds(self) -> None:
        """Empty the host's prompt caches: their keys know nothing of a plan."""
        self._parser.cache.clear()
        self._te_hijack.prompt_cache.cache.clear()

    def _model(self, pipeline: object) -> LoadedModel:
        model, info = read_pipeline(pipeline), getattr(pipeline, "sd_checkpoint_info", None)
        checkpoint = Checkpoint("", model.architecture) if info is None else self._checkpoint(info, model.architecture)
        return replace(model, checkpoint=checkpoint)

    def _pipelines(self) -> list[object]:
        # Not `shared.sd_model` and `shared.sd_refiner`: reading those loads what is not there yet.
        data = self._sd_models.model_data
        return [pipeline for pipeline in (data.sd_model, data.sd_refiner) if pipeline is not None]

    def _loaded(self) -> LoadedModel:
        return next(iter(self.models()), NOT_LOADED)

    def _match(self, name: str) -> NextCheckpointInfo | None:
        return self._sd_checkpoint.get_closest_checkpoint_match(name)

    @staticmethod
    def _file(info: NextCheckpointInfo) -> str:
        return info.path

    def _checkpoint(self, info: NextCheckpointInfo, architecture: Architecture) -> Checkpoint:
        listed_as = "" if info.type == "diffusers" else info.name  # all of those lie in one folder
        return Checkpoint.of(info.model_name, architecture, info.path, self._sha256(info), listed_as)

    def _grid_name(self) -> Mapping[str, object]:
        return {}

    def _line(self, p: Processing | None = None) -> str:
        parser = getattr(p, "prompt_attention", None) or getattr(self.opts, "prompt_attention", "native")
        return "sdnext-xhinker" if parser == "xhinker" else "sdnext"

    def neutral(self, p: NextProcessing, architecture: Architecture) -> int:
        """The number at which this job reads the trained depth."""
        number = host_sliders.slider_for(self._line(p), architecture, as_trained(architecture))
        return 1 if number is None else int(number)

    def _model_loaded(self, _model: object) -> None:
        if self._running:
            self._running[-1].stop()
            self._running[-1].start()


def _read_of(p: NextProcessing) -> list[NextProcessing]:
    """The jobs whose number may be read while `p` runs: "Reprocess refine" goes on with the last one in its place."""
    last: Any = getattr(sys.modules.get("modules.processing_diffusers"), "last_p", None)
    refines = getattr(p, "state", "") == "reprocess_refine" and last is not None and last is not p
    return [p, last] if refines else [p]


def _runs_ours(p: Any) -> bool:
    """Whether the job `p` runs our script, which tells of it."""
    return any(script.title() == TITLE for script in getattr(p.scripts, "alwayson_scripts", ()))


def _control_extensions() -> list[str]:
    """The titles of the extensions that SD.Next loads into its tab "Control", which none can ask for by itself."""
    titles: list[str] = getattr(sys.modules.get("installer"), "control_extensions", [])
    return titles


def _sections(fragments: Sequence[str]) -> Iterator[list[str]]:
    """The fragments of a prompt between its BREAKs."""
    section: list[str] = []
    for fragment in (*fragments, "BREAK"):
        if fragment != "BREAK":
            section.append(fragment)
        elif section:
            yield section
            section = []


class _Running:
    """One pass that is running: its job object, and the taps it has on each loaded model."""

    def __init__(self, host: SDNext, p: NextProcessing, job: Job | None) -> None:
        self.p = p
        self.job = job
        self._host = host
        self._tags: Tags = ()  # of the prompts that are encoded now
        # The numbers of the host's own slider, where this pass has taken them out of the way, and whose they are.
        self._numbers: list[tuple[NextProcessing, float]] = []
        self._architecture = UNKNOWN  # of the model that those are for
        self._taps: list[Taps] = []
        self._held_another = False

    def tagged(self, p: Processing, tags: Tags) -> None:
        """The prompts that are encoded next, by this pass or one inside it without a job, have these tags."""
        if self.job is None:
            return
        if p is not self.p:
            tags = tags or self.job.tags  # the prompt of an inner pass without a word of its own follows the outer one
        elif not getattr(p, "is_hr_pass", False):
            self.job.tagged(tags)
            if len(tags_of_batch(p, p.all_prompts)) > 1:
                self.job.say(different_tags(first=False))
        if tags != self._tags:
            self.stop()
            self._tags = tags
            self.start()
        if self._numbers:
            self._put_neutral(cast(NextProcessing, p))

    def _put_neutral(self, p: NextProcessing) -> None:
        """Take the number of the host's own slider out of the way, also where another extension has just set it."""
        if all(p is not each for each, _ in self._numbers):
            self._numbers.append((p, p.clip_skip))
        p.clip_skip = self._host.neutral(p, self._architecture)

    def start(self) -> None:
        if self.job is None or not self.job.asks(self._tags):
            return
        try:
            for model in self._host.models():
                plan = self.job.plan_for(model.checkpoint, self._tags)
                if plan is None:
                    continue
                if plan.skips and not self._numbers:
                    self._architecture = plan.architecture
                    for p in _read_of(self.p):
                        self._put_neutral(p)
                taps = Taps(plan, model.stacks, self.job.failed)
                taps.install()
                self._taps.append(taps)
        except Exception as error:
            logger.exception("could not be applied")
            self.stop()  # all or nothing: no half of a plan, and the host's own number is back
            self.job.failed([], f"{type(error).__name__}: {error}")
        self._forget_embeds()

    def stop(self) -> None:
        for taps in self._taps:
            taps.remove()
        self._forget_embeds()
        self._taps = []
        while self._numbers:
            p, number = self._numbers.pop()
            p.clip_skip = number

    def resume(self) -> None:
        """A pass inside this one is over."""
        self._held_another = True
        self.start()

    def prove(self) -> None:
        if any(taps.failures for taps in self._taps):
            self._host.clear_embeds()  # they are not what the next batch asks for
        # The base model's taps alone: a refiner's are passed later, if at all.
        taps = next(iter(self._taps), None)
        if self.job is None or taps is None or (self._held_another and not any(taps.calls.values())):
            return  # SD.Next's second grid makes its cells inside a job that then encodes nothing
        if getattr(self.p, "state", "") == "reprocess_detail" and not any(taps.calls.values()):
            return  # "Reprocess detail" goes on with what is there, and encodes nothing by itself
        self.job.prove(taps)

    def _forget_embeds(self) -> None:
        if any(taps.calls for taps in self._taps):
            self._host.clear_embeds()
