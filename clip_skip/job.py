"""One generation: what it was asked to do, what each model in it gets, and what has to be said about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import infotext
from .advice import Advice, bad_value, not_applied
from .auto import Auto
from .checkpoint import Checkpoint
from .log import logger
from .request import Request
from .resolve import Plan, resolve
from .taps import Taps


class Job:
    """Lives on the host's job object, and ends with it. A job can run on several models (hires, refiner).

    `params` is the host's dictionary of extra generation parameters of this job; `write_infotext` tells whether our
    own keys may go into it; `auto` tells what Auto uses for a checkpoint.
    """

    def __init__(
        self,
        request: Request,
        params: dict[str, Any],
        write_infotext: bool = True,
        auto: Callable[[Checkpoint], Auto | None] = lambda _: None,
    ) -> None:
        self.request = request
        self._auto = auto
        self.advice: list[Advice] = []
        self.plan: Plan | None = None  # of the job's first model
        self.failure = False  # whether some plan of the job could not be applied
        self._params = params
        self._write_infotext = write_infotext

    def plan_for(self, checkpoint: Checkpoint) -> Plan:
        auto = self._auto(checkpoint) if self.request.mode == "auto" else None
        plan = resolve(self.request, checkpoint.architecture, auto)
        for refusal in plan.refusals:
            self.say(bad_value(refusal))
        if plan.refusals:
            self._write({infotext.REFUSED: "; ".join(map(str, plan.refusals))})
        return plan

    def record(self, plan: Plan) -> None:
        """Write the job's generation parameters: `plan` is that of the job's first model."""
        self.plan = plan
        if plan.architecture.encoders:
            # None keeps the host from printing its own slider, which this job does not use.
            self._params[infotext.HOST_KEY] = infotext.host_value(plan)
        self._write(infotext.write(self.request, plan))

    def prove(self, taps: Taps) -> bool:
        """After an encode: whether every tap was passed. If not, it is said."""
        if not taps.unproven:
            return True
        self.failed(taps.unproven, taps.failure or "its blocks did not run where they were expected to")
        return False

    def failed(self, encoder_ids: list[str], why: str) -> None:
        """The plan could not be applied; the image is made as the host makes it."""
        self.failure = True
        self.say(not_applied(encoder_ids, why))
        self._write({infotext.APPLIED: "no"})

    def _write(self, params: dict[str, str]) -> None:
        if self._write_infotext:
            self._params.update(params)

    def say(self, advice: Advice) -> None:
        """Once for each advice: now in the log, and in the job's result."""
        if advice not in self.advice:
            self.advice.append(advice)
            logger.error("%s", advice)


def forget(params: dict[str, Any]) -> None:
    """Drop what an earlier job wrote: an XYZ grid's cells share one dictionary."""
    for key in (*infotext.KEYS, infotext.HOST_KEY):
        params.pop(key, None)
