"""What a finished job has to say: in the text below its images, in the API's answer, and in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from ..text.log import logger
from .names import Severity
from .rules import Advice

# The name under which the API's answer has it, among the job's extra parameters.
KEY = "CLIP skip advice"


class Result(Protocol):
    """Of what a job made, the text below its images, which the page escapes, and its extra parameters."""

    comments: str | None
    extra_generation_params: dict[str, object]


def report(
    processed: Result, failed: Iterable[Advice], judged: Iterable[Advice], shown_at: Callable[[str, Severity], bool]
) -> None:
    """Tell `failed` and `judged` in the job's result `processed`, and `judged`, which is not there yet, in the log.

    `failed` is what did not do what somebody wrote, and is told in any case.

    `shown_at(place, severity)` tells what the user wants to hear at "log" and at "result". The images and their
    generation parameters, which are made by then, stay as they are.
    """
    judged = list(judged)
    for advice in judged:
        if shown_at("log", advice.severity):
            logger.log(
                logging.INFO if advice.severity in (Severity.HINT, Severity.INFO) else logging.WARNING, "%s", advice
            )
    told = [*failed, *(advice for advice in judged if shown_at("result", advice.severity))]
    if not told:
        return
    # The page escapes it. The sentence has a line of its own, where a translation finds it.
    before = str(processed.comments or "").rstrip("\n")
    lines = [line for advice in told for line in advice.lines]
    processed.comments = "\n".join([*filter(None, [before]), *lines])
    # A new dictionary: the job's own goes into the generation parameters of images that are still to be made.
    processed.extra_generation_params = {
        **(processed.extra_generation_params or {}),
        KEY: "; ".join(f"{advice.id}: {advice}" for advice in told),
    }
