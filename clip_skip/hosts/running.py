"""The jobs that a WebUI runs around the caller, as its own call stack tells of them.

An inner pass runs inside the outer job's call, so the outer job object is found in a frame of the host's own functions
that run a job. Nothing has to be remembered that an exception could leave behind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from ..jobs.job import Job
from .attributes import JOB_ATTRIBUTE, OWNER_ATTRIBUTE
from .protocols import Processing

# The host's own functions around a job, in its module of that name beside the job's class, and where it calls scripts.
_MODULE = "modules.processing"
_JOB_CLASS = "StableDiffusionProcessing"
_RUNNERS = ("process_images", "process_images_inner")
_CALLERS = ("modules.scripts", "modules.scripts_manager", "modules.script_callbacks")


def begin(p: object, job: Job | None) -> None:
    """The job object `p` begins, with this job of ours, or off."""
    setattr(p, JOB_ATTRIBUTE, job)
    setattr(p, OWNER_ATTRIBUTE, id(p))


def has_begun(p: object) -> bool:
    """Whether `p` has begun itself, and is no copy of a job object that has."""
    return bool(vars(p).get(OWNER_ATTRIBUTE) == id(p))


def part_from_outer(p: Processing) -> None:
    """Give `p` generation parameters of its own, where it is a copy of a job around it and has that one's."""
    if any(outer is not p and outer.extra_generation_params is p.extra_generation_params for outer in running()):
        p.extra_generation_params = dict(p.extra_generation_params)


def running(ends: Callable[[FrameType], bool] = lambda _: False) -> Iterator[Processing]:
    """The host's job objects that are run around the caller, the innermost first, no further out than `ends` says."""
    for frame in _frames():
        if ends(frame):
            return
        p = _run_in(frame)
        if p is not None:
            yield p


def told_by_host(p: object) -> bool:
    """Whether the host itself tells a script of the job `p`, which it runs, or of one that it runs in no known way.

    Another extension that calls the scripts' methods again, as ADetailer does with a copy of the job after each batch,
    does so from within such a call of its own.
    """
    calls = 0
    for frame in _frames():
        calls += frame.f_globals.get("__name__") in _CALLERS
        around = _run_in(frame)
        if around is not None:
            return around is p and calls <= 1
    return True


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _run_in(frame: FrameType) -> Processing | None:
    """The host's job object that is run in this frame, None if it is no frame of a function that runs one."""
    if frame.f_code.co_name not in _RUNNERS or frame.f_globals.get("__name__") != _MODULE:
        return None
    p = _local(frame, "p")
    return p if issubclass(type(p), frame.f_globals[_JOB_CLASS]) else None


def _local(frame: FrameType, name: str) -> Any:
    """The value of a local variable of this function that is running, None if it has none yet."""
    found = frame.f_locals
    value = found.get(name)
    if isinstance(found, dict):
        # Up to Python 3.12 a copy, which the frame keeps: what the function deletes would live on until it ends.
        found.clear()
    return value
