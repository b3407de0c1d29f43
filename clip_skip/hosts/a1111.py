"""The A1111 line: AUTOMATIC1111, Forge, reForge, Forge Classic and Neo.

All of them encode through `StableDiffusionProcessing.get_conds_with_caching`, in the first pass, the hires pass, after
a refiner switch and in the inner passes of other extensions. Some extensions, and a script of A1111's own, encode in a
job by themselves, through `prompt_parser`, the model's own `get_learned_conditioning`, or what reads its encoders. On
Forge neither is a torch module. Around these methods, and only there, the host's own skip is neutral and the taps are
in place on the model that is loaded right then; around the first, the cache key carries the plan.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from types import FrameType
from typing import Any, TypeVar

import torch

from ..advice.rules import different_tags
from ..conditioning.loaded_model import NOT_LOADED, LoadedModel
from ..conditioning.taps import Taps
from ..jobs.job import Job
from ..models.checkpoint import Checkpoint
from ..models.inspect.identity.identify import identify
from ..skip import host_sliders, prompt_tags
from ..skip.architectures import Architecture
from ..skip.plan import Plan
from ..skip.prompt_tags import Tags
from ..skip.reading import Reading
from ..text.log import logger
from .adapter import Adapter, listed_loras, tags_of_batch
from .attributes import JOB_ATTRIBUTE
from .encoders import read_webui_model, webui_readers, without_clip
from .idle import STEPS, idle, kept, no_model, on_jobs_thread
from .protocols import Component, LineCheckpointInfo, LineModel, LineModels, LineProcessing, Options, Processing, Shared
from .running import begin, has_begun, running, told_by_host
from .wrapped import Args, Kwargs, Original, Wrapped

# The host's conditioning stage, of its job class; and the method of its model classes that encodes.
_STAGE = "get_conds_with_caching"
_ENCODE = "get_learned_conditioning"
# The method, of what reads one of its encoders, that reads the host's own skip.
_READ = "encode_with_transformers"
# The host's own functions that load a model: what they, and who is told of it, encode is kept with that model.
_LOADERS = ("load_model", "reload_model_weights", "forge_model_reload")
_OPTION = "CLIP_stop_at_last_layers"

T = TypeVar("T")


class WebUI(Adapter[LineCheckpointInfo]):
    def __init__(self, shared: Shared, processing_class: type, sd_models: LineModels) -> None:
        super().__init__(shared, sd_models)
        self._class = processing_class
        self._sd_models = sd_models
        self._stage: Wrapped | None = None
        self._encoders: dict[tuple[type, str], Wrapped] = {}  # by the class that has the method

    @classmethod
    def find(cls) -> WebUI | None:
        try:
            from modules import processing, sd_models, shared
        except ImportError:
            return None
        processing_class = getattr(processing, "StableDiffusionProcessing", object)
        if not hasattr(processing_class, _STAGE) or not hasattr(processing_class, "cached_params"):
            return None
        return cls(shared, processing_class, sd_models)

    @property
    def input_accordion(self) -> Any:
        from modules.ui_components import InputAccordion

        return InputAccordion

    @property
    def restores_skip(self) -> bool:
        return not _is_neo()  # which drops it

    def install(self, begun: Callable[[Processing], None]) -> None:
        self._stage = Wrapped(self._class, _STAGE, self._condition)

    def uninstall(self) -> None:
        for wrapped in (self._stage, *self._encoders.values()):
            if wrapped is not None:
                wrapped.remove()
        self._stage = None
        self._encoders.clear()
        _NEUTRAL.leave(type(self.opts))

    def runs(self, p: Processing) -> bool:
        return told_by_host(p)

    def begin(self, p: Processing, job: Job | None) -> None:
        begin(p, job)
        if job is not None:
            if self._stage is not None:
                self._stage.renew()
            self._meet(self._loaded_model())
            job.start(self._loaded().checkpoint)

    def tagged(self, p: Any, tags: Tags) -> None:
        # Each encode is told its own tags; what is recorded is the first pass, of the job itself.
        job = _own(p) if has_begun(p) else None
        if job is None or getattr(p, "is_hr_pass", False):
            return
        own = prompt_tags.given(p.extra_network_data)
        if tags != own:
            # Another extension, as Tiled Diffusion for each of its regions, or Forge for the hires pass to come.
            job.tags = tags or own
            return
        job.tagged(tags)
        # Those of the hires pass are parsed likewise.
        if any(len(tags_of_batch(p, getattr(p, name, None))) > 1 for name in ("all_prompts", "all_hr_prompts")):
            job.say(different_tags())

    def encoded(self, p: Processing) -> None:
        pass  # each encode was proven as it ended

    def asks_anew(self, p: Processing) -> None:
        pass  # each encode asks the job

    def repeats(self, p: Processing) -> bool:
        return not self._scripted(p) and all(each is p for each in running())

    def batches(self, count: int, size: int) -> Mapping[str, str | None]:
        return {}

    def encode(self, prompt: str, work: Callable[[LoadedModel, Callable[[], object]], T]) -> T:
        with idle(self._shared.state):
            model, loaded = self._loaded(), self._loaded_model()
            if model is NOT_LOADED:
                raise no_model()
            return on_jobs_thread(lambda: self._between_jobs(model, loaded, prompt, work))

    def _between_jobs(
        self, model: LoadedModel, loaded: LineModel, prompt: str, work: Callable[[LoadedModel, Callable[[], object]], T]
    ) -> T:
        from modules import devices, prompt_parser

        def encode() -> None:
            _, parts, _ = prompt_parser.get_multicond_prompt_list([self._without_tags(prompt)])
            schedules = prompt_parser.get_learned_conditioning_prompt_schedules(parts, STEPS)
            texts = dict.fromkeys(text for schedule in schedules for _, text in schedule)
            with _option(self.opts, _neutral(model)), _notes_kept():
                loaded.get_learned_conditioning(prompt_parser.SdConditioning(texts))

        with torch.no_grad(), devices.autocast():
            return work(model, encode)

    def reading(self, architecture: Architecture, number: float | None = None, p: Processing | None = None) -> Reading:
        # A job's own number is in the options while it runs.
        return host_sliders.reading_at(
            self._line(), architecture, getattr(self.opts, _OPTION, 1) if number is None else number
        )

    def use(self, number: float) -> bool:
        value = int(number)  # A1111 can't count with 2.0
        if self.opts.set(_OPTION, value):
            self.opts.save(self._shared.config_filename)
        return bool(getattr(self.opts, _OPTION, None) == value)

    def is_slider(self, component: Component, elem_id: str | None = None) -> bool:
        # Forge's has no id, and its Settings hold a State with the other hosts' one.
        label = getattr(component, "label", None)
        named = elem_id == f"setting_{_OPTION}" or (_is_forge() and not elem_id and label == "Clip skip")
        return named and component.get_block_name() == "slider"

    def lora_file(self, name: str) -> str | None:
        networks = sys.modules.get("networks")  # the host's own Lora extension
        # As that looks them up: where several go by one alias, it is none of them.
        ambiguous = name.lower() in getattr(networks, "forbidden_network_aliases", ())
        found = getattr(networks, "available_networks" if ambiguous else "available_network_aliases", {}).get(name)
        return None if found is None else str(found.filename)

    def loras(self) -> dict[str, str]:
        return listed_loras("networks")

    def _grid_name(self) -> Mapping[str, object]:
        return {"short_filename": not getattr(self.opts, "grid_extended_filename", False)}

    def _line(self, p: Processing | None = None) -> str:
        if _is_forge():
            return "neo" if _is_neo() else "forge"
        # reForge and Forge Classic wrap SDXL's CLIP-G in a class of the same name. Only reForge's looks at the option.
        wrapper = getattr(sys.modules.get("modules_forge.forge_clip"), "CLIP_SD_XL_G", None)
        if wrapper is not None:
            read = inspect.unwrap(wrapper.encode_with_transformers).__code__.co_names
            return "reforge" if _OPTION in read else "a1111"
        return "a1111-sdxl-l" if getattr(self.opts, "sdxl_clip_l_skip", False) is True else "a1111"

    def _loaded_model(self) -> Any:
        # Not `shared.sd_model`: on A1111 reading that loads a model if none is there.
        return getattr(self._sd_models.model_data, "sd_model", None)

    def _loaded(self) -> LoadedModel:
        model = self._loaded_model()
        info = getattr(model, "sd_checkpoint_info", None)
        if info is None or getattr(info, "filename", None) is None:
            return NOT_LOADED  # nothing, or Forge's stand-in before its first job
        known = read_webui_model(model)
        # Encoders in a place that nobody knew: the file says what should be there, and the proof will fail.
        architecture = known.architecture if known.stacks else without_clip(model) or identify(info.filename)
        return replace(known, architecture=architecture, checkpoint=self._checkpoint(info, architecture))

    def _match(self, name: str) -> LineCheckpointInfo | None:
        return self._sd_models.get_closet_checkpoint_match(name)

    @staticmethod
    def _file(info: LineCheckpointInfo) -> str:
        return info.filename

    def _checkpoint(self, info: LineCheckpointInfo, architecture: Architecture) -> Checkpoint:
        return Checkpoint.of(info.name_for_extra, architecture, info.filename, self._sha256(info), info.name)

    def _meet(self, model: object) -> None:
        """Have the classes of this model, and of what reads its encoders, tell us of every encode from now on."""
        for part, name, around in (
            (model, _ENCODE, self._learn),
            *((r, _READ, self._read) for r in webui_readers(model)),
        ):
            owner = next((each for each in type(part).__mro__ if name in vars(each)), None)
            if self._stage is None or owner is None:
                continue
            if (owner, name) in self._encoders:
                self._encoders[owner, name].renew()
            else:
                self._encoders[owner, name] = Wrapped(owner, name, around)

    def _condition(self, original: Original, p: LineProcessing, args: Args, kwargs: Kwargs) -> object:
        """The host's conditioning stage, of the job `p`."""
        job = _job_of(p)
        return original(p, *args, **kwargs) if job is None else self._encode(job, original, p, args, kwargs)

    def _learn(self, original: Original, model: object, args: Args, kwargs: Kwargs) -> object:
        """An encode of the model by whoever asks for it."""
        p = _begun_around(_is_no_jobs_encode)
        if p is None or model is not self._loaded_model():
            return original(model, *args, **kwargs)
        return self._encode_alone(p, original, model, args, kwargs)

    def _read(self, original: Original, reader: object, args: Args, kwargs: Kwargs) -> object:
        """The same with one of the model's encoders."""
        p = _begun_around(_is_no_jobs_encode)
        if p is None or all(reader is not each for each in webui_readers(self._loaded_model())):
            return original(reader, *args, **kwargs)
        return self._encode_alone(p, original, reader, args, kwargs, whole=False)

    def _encode(self, job: Job, original: Original, p: LineProcessing, args: Args, kwargs: Kwargs) -> object:
        """The host's own encode (or cache look-up), under this job's plan for the model that is loaded now."""
        with ExitStack() as scope:
            encode = _tried(job, scope, lambda: self._prepare(scope, job, p, args, kwargs))
            if encode is None:
                return original(p, *args, **kwargs)
            conds = original(p, *encode.args, **encode.kwargs)
            if encode.ran and not job.prove(encode.taps):
                encode.caches[0][0] = None  # the cond is not what its cache key says
            return conds

    def _encode_alone(
        self, p: Processing, original: Original, part: object, args: Args, kwargs: Kwargs, whole: bool = True
    ) -> object:
        """The same outside of the stage, in the job of `p`, with the `whole` model or a part of it.

        Whose prompts these are nobody knows, and they follow the tags of the pass that `p` is at.
        """
        job = _own(p)
        if job is None:
            return original(part, *args, **kwargs)
        with ExitStack() as scope:
            taps = _tried(job, scope, lambda: self._place(scope, job, _tags_of_pass(job, p)))
            conds = original(part, *args, **kwargs)
            if taps is not None:
                job.prove(taps, whole)
            return conds

    def _prepare(self, scope: ExitStack, job: Job, p: LineProcessing, args: Args, kwargs: Kwargs) -> _Encode | None:
        model = self._loaded().checkpoint.path
        taps = self._place(scope, job, _tags(job, p, args, kwargs), lambda plan: _cache_key(p, plan, model))
        return None if taps is None else _Encode(args, kwargs, taps)

    def _place(
        self,
        scope: ExitStack,
        job: Job,
        tags: Tags,
        also: Callable[[Plan], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> Taps | None:
        """Have the loaded model read as these tags of the job ask, until `scope` ends. None where they ask nothing."""
        if not job.asks(tags):
            return None
        model, loaded = self._loaded(), self._loaded_model()
        plan = job.plan_for(model.checkpoint, tags)
        if plan is None or not plan.skips:
            return None
        self._meet(loaded)
        taps = Taps(plan, model.stacks)
        scope.enter_context(_number(self.opts, loaded, _neutral(model), taps))
        scope.enter_context(also(plan))
        return scope.enter_context(taps)


class _Encode:
    """One call of the host's conditioning stage under taps; `ran` tells an encode from a cache hit.

    The stage's arguments are `function, required_prompts, steps, caches, extra_network_data, ...`, by position or name.
    """

    def __init__(self, args: Args, kwargs: Kwargs, taps: Taps) -> None:
        self.taps = taps
        self.ran = False
        self.caches = kwargs["caches"] if "caches" in kwargs else args[3]
        if "function" in kwargs:
            self.args, self.kwargs = args, {**kwargs, "function": self._counted(kwargs["function"])}
        else:
            self.args, self.kwargs = (self._counted(args[0]), *args[1:]), kwargs

    def _counted(self, function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def counted(*args: object, **kwargs: object) -> object:
            self.ran = True
            return function(*args, **kwargs)

        return counted


def _is_neo() -> bool:
    return getattr(sys.modules.get("modules_forge.forge_version"), "version", None) == "neo"


def _tried(job: Job, scope: ExitStack, place: Callable[[], T | None]) -> T | None:
    """What `place` gives. If it fails, that is said, what it had placed is gone, and the host goes on without us."""
    try:
        return place()
    except Exception as error:
        logger.exception("could not be applied")
        scope.close()
        job.failed([], f"{type(error).__name__}: {error}")
        return None


def _is_forge() -> bool:
    """Forge or Neo: their top bar, which is there before the first model is loaded."""
    return "modules_forge.main_entry" in sys.modules


def _job_of(p: LineProcessing) -> Job | None:
    """The job that `p` belongs to: its own, or, for an inner pass of another extension, that of the job around it."""
    begun = p if has_begun(p) else _begun_around()
    return None if begun is None else _own(begun)


def _own(p: object) -> Job | None:
    """The job of `p`, which has begun; None where it runs without us."""
    job: Job | None = vars(p)[JOB_ATTRIBUTE]
    return job


def _begun_around(ends: Callable[[FrameType], bool] = lambda _: False) -> Any:
    """The innermost job object around the caller that has begun, looked for no further out than where `ends` says."""
    return next((p for p in running(ends) if has_begun(p)), None)


def _is_no_jobs_encode(frame: FrameType) -> bool:
    """Whether what is encoded below this frame is decided in it, or kept with the model for longer than a job."""
    decided = WebUI._encode.__code__, WebUI._encode_alone.__code__
    loads = frame.f_globals.get("__name__") == "modules.sd_models" and frame.f_code.co_name in _LOADERS
    return frame.f_code in decided or loads


def _tags(job: Job, p: LineProcessing, args: Args, kwargs: Kwargs) -> Tags:
    """Those of the prompts in this call of the conditioning stage."""
    tags = _given(p, kwargs["extra_network_data"] if "extra_network_data" in kwargs else args[4])
    # The prompt of an inner pass without a word of its own follows the outer one.
    return tags if tags or has_begun(p) else job.tags


def _tags_of_pass(job: Job, p: Any) -> Tags:
    """Those of the prompts of the pass that `p`, whose job this is, is at: its first one, or its hires pass."""
    return _given(p, p.hr_extra_network_data) if getattr(p, "is_hr_pass", False) else job.tags


def _given(p: Any, found: Any) -> Tags:
    """The tags in what the host has found in prompts of `p`."""
    return () if getattr(p, "disable_extra_networks", False) else prompt_tags.given(found)


def _neutral(model: LoadedModel) -> int:
    """The host's skip at which it reads the trained depth; it counts from the last block that it has.

    Where the host's own skip does nothing the value does not matter, so one rule serves every host of the line.
    """
    encoder = model.architecture.encoders[0]
    blocks = next((len(stack.blocks) for stack in model.stacks if stack.encoder_id == encoder.id), encoder.blocks)
    return blocks - encoder.trained_depth + 1


@contextmanager
def _notes_kept() -> Iterator[None]:
    """What an encode notes down for the infotext of its job is no job's."""
    hijack = getattr(sys.modules.get("modules.sd_hijack"), "model_hijack", None)
    forge = sys.modules.get("backend.text_processing.classic_engine")
    neo = getattr(sys.modules.get("backend.args"), "dynamic_args", None)
    with (
        kept(hijack, "comments", "extra_generation_params"),
        kept(forge, "last_extra_generation_params"),
        kept(neo, "last_extra_generation_params"),
    ):
        yield


class _Neutral(threading.local):
    """The number that this thread reads at the host's option while it encodes; any other time and thread, the user's.

    It lies on the class of the host's options, which look a setting up in `data` only where nothing else has its name.
    So `data` has the user's number all the time: the one that is saved, shown and set meanwhile. What this thread sets
    while it encodes, as Trip Clip Skip does to encode again, is for this encode too, and `taps` give way to it.
    """

    number: int | None = None
    taps: Taps | None = None

    def __get__(self, opts: object, owner: type) -> int:
        if self.number is None:
            raise AttributeError(_OPTION)
        return self.number

    def enter(self, options: type) -> None:
        """Lie on this class of options."""
        if vars(options).get(_OPTION) is not self:
            setattr(options, _OPTION, self)
            _SETTERS[options] = Wrapped(options, "__setattr__", self._set)

    def leave(self, options: type) -> None:
        if vars(options).get(_OPTION) is self:
            delattr(options, _OPTION)
            _SETTERS.pop(options).remove()

    def _set(self, original: Original, opts: object, args: Args, kwargs: Kwargs) -> None:
        name, value = args
        if name != _OPTION or self.number is None:
            original(opts, name, value)
            return
        self.number = value
        if self.taps is not None:
            self.taps.give_way(f"another extension set the WebUI's clip skip to {value} while the prompt was encoded")


_NEUTRAL = _Neutral()
_SETTERS: dict[type, Wrapped] = {}  # for every thread: by the class of the options


@contextmanager
def _option(opts: Options, value: int | None, taps: Taps | None = None) -> Iterator[None]:
    _NEUTRAL.enter(type(opts))
    before = _NEUTRAL.number, _NEUTRAL.taps
    _NEUTRAL.number, _NEUTRAL.taps = value, taps
    try:
        yield
    finally:
        _NEUTRAL.number, _NEUTRAL.taps = before


@contextmanager
def _number(opts: Options, model: object, value: int, taps: Taps) -> Iterator[None]:
    """The number at which the host reads this model meanwhile; who sets another has these taps give way."""
    with _option(opts, value, taps):
        set_number = getattr(model, "set_clip_skip", None)
        if set_number is None:
            yield
            return
        # Forge's and Neo's stage hands it on to the model, which has the last one in between.
        set_number(value)
        try:
            yield
        finally:
            with _option(opts, None):
                set_number(int(getattr(opts, _OPTION, 1)))


@contextmanager
def _cache_key(p: LineProcessing, plan: Plan, model: str) -> Iterator[None]:
    """`p.cached_params` with the plan at its end, so that no cond made under another plan is served, either way.

    And the model's file: after a switch in the job, Neo's own key names the model before it.
    """
    before = vars(p).get("cached_params")
    cached_params = p.cached_params

    def with_plan(*args: object, **kwargs: object) -> tuple[object, ...]:
        return (*cached_params(*args, **kwargs), *plan.key, model)

    p.cached_params = with_plan  # type: ignore[method-assign]
    try:
        yield
    finally:
        if before is None:
            del p.cached_params
        else:
            p.cached_params = before  # type: ignore[method-assign]
