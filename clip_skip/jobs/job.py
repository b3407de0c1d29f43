"""One generation: what it was asked to do, what each model in it gets, and what has to be said about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..advice.rules import ALIKE, BY_TAG, Advice, bad_tag, bad_value, not_applied, not_compared
from ..conditioning.taps import Taps
from ..models.checkpoint import NO_CHECKPOINT, Checkpoint
from ..skip import infotext, prompt_tags
from ..skip.architectures import UNKNOWN
from ..skip.auto import Auto
from ..skip.parameters import Refusal
from ..skip.plan import Plan, resolve
from ..skip.prompt_tags import Tags
from ..skip.request import Request
from ..text.log import logger
from ..text.phrase import Data


class Job:
    """Lives on the host's job object, and ends with it. A job can run on several models (hires, refiner).

    `asked` is what panel, API and grid ask for; a prompt's own tags win over it. `params` is the host's dictionary of
    extra generation parameters of this job; `write_infotext` tells whether our own keys may go into it; `stands_for`
    tells what a word such as "auto" means for a checkpoint.
    """

    def __init__(
        self,
        asked: Request,
        params: dict[str, object],
        write_infotext: bool = True,
        stands_for: Callable[[Checkpoint, str], Auto | None] = lambda *_: None,
    ) -> None:
        self.tags: Tags = ()  # of the prompts that are encoded now
        self.advice: list[Advice] = []
        # The job's first model, what that was asked for in the first pass, and its plan, None where nothing was.
        self.checkpoint = NO_CHECKPOINT
        self.request = asked
        self.plan: Plan | None = None
        self.failure = False  # whether some plan of the job could not be applied
        self.asked = asked
        self._stands_for = stands_for
        self._params = params
        self._refused: list[str] = []  # of what the prompts that are encoded now ask for
        self._write_infotext = write_infotext

    def start(self, checkpoint: Checkpoint) -> None:
        """The job begins, with this model."""
        self.checkpoint = checkpoint
        self._record()

    def tagged(self, tags: Tags) -> None:
        """The prompts that are encoded from now on, in the first pass, have these tags."""
        if tags != self.tags:
            self.tags = tags
            self._record()

    def ask(self, request: Request) -> None:
        """Panel, API and grid ask for this from now on. What is written of it stays in its place."""
        after = infotext.after(self._params)
        self.asked = request
        self._record()
        for key in after:
            self._params[key] = self._params.pop(key)

    def compared(self, prompts: Iterable[str]) -> list[tuple[Request, Plan]]:
        """The requests that are to be compared, each with its plan for the first of these prompts.

        Those that read the first model alike for all of the prompts count once. None of them, where that leaves nothing
        to compare, or where one can't be had: that is said.
        """
        found: dict[tuple[tuple[str, ...], ...], tuple[Request, Plan]] = {}
        tagged = list(dict.fromkeys(map(prompt_tags.find, prompts)))
        for request in self.asked.compare:
            plans = [self._compared(request, tags) for tags in tagged]
            for plan in plans:
                if plan.refusals:
                    self.say(not_compared((Data(f"{plan.refusals[0]}."),)))
                    return []
            found.setdefault(tuple(plan.key for plan in plans), (request, plans[0]))
        if len(found) > 1:
            return list(found.values())
        self.say(not_compared((BY_TAG if any(tagged) else ALIKE,)))
        return []

    def _compared(self, asked: Request, tags: Tags) -> Plan:
        architecture = self.checkpoint.architecture
        request = prompt_tags.request(tags, asked, architecture)[0]
        return resolve(request, architecture, lambda word: self._stands_for(self.checkpoint, word))

    def asks(self, tags: Tags) -> bool:
        """Whether prompts with these tags ask for anything."""
        return bool(tags) or self.asked.enabled

    def plan_for(self, checkpoint: Checkpoint, tags: Tags) -> Plan | None:
        """What prompts with these tags mean for `checkpoint`; None where nothing is asked for."""
        return self._resolve(checkpoint, tags)[1]

    def _resolve(self, checkpoint: Checkpoint, tags: Tags) -> tuple[Request, Plan | None]:
        request, refusals = prompt_tags.request(tags, self.asked, checkpoint.architecture)
        self._refuse(refusals, bad_tag)
        if not request.enabled:
            return request, None
        plan = resolve(request, checkpoint.architecture, lambda word: self._stands_for(checkpoint, word))
        self._refuse(plan.refusals, bad_value)
        return request, plan

    def _record(self) -> None:
        """Write the generation parameters: what the first model reads in the first pass."""
        self._refused.clear()
        self.request, self.plan = self._resolve(self.checkpoint, self.tags)
        infotext.clear(self._params)
        if self.plan is not None:
            if self.plan.architecture is not UNKNOWN:
                # None keeps the host from printing its own slider, which this job does not use.
                self._params[infotext.HOST_KEY] = infotext.host_value(self.plan)
                if not self.plan.architecture.encoders:  # in SD.Next the slider is left alone then, and printed
                    self._params[infotext.NEXT_HOST_KEY] = None
            self._write(infotext.write(self.request, self.plan))
        self._write_faults()

    def prove(self, taps: Taps, whole: bool = True) -> bool:
        """After an encode: whether every tap was passed, and did its work each time. If not, it is said.

        One that is not `whole` is of some of the encoders, and passes by the others.
        """
        if taps.overruled:
            self.failed([], taps.overruled)
            return False
        for encoder_id, why in taps.failures.items():
            self.failed([encoder_id], why)
        if whole and taps.not_passed:
            self.failed(taps.not_passed, "its layers did not run where they were expected to")
        return not taps.unproven

    def failed(self, encoder_ids: list[str], why: str) -> None:
        """The plan could not be applied.

        Where encoders are named, their taps were in place and the host's own skip was neutral: what failed was read as
        trained. Where none is, no part of the plan was in force: the host's own skip acted.
        """
        self.failure = True
        self.say(not_applied(encoder_ids, why))
        self._write_faults()

    def _refuse(self, refusals: Sequence[Refusal], advice: Callable[[Refusal], Advice]) -> None:
        for refusal in refusals:
            self.say(advice(refusal))
            if str(refusal) not in self._refused:
                self._refused.append(str(refusal))
        self._write_faults()

    def _write_faults(self) -> None:
        if self._refused:
            self._write({infotext.REFUSED: "; ".join(self._refused)})
        if self.failure:
            self._write({infotext.APPLIED: "no"})

    def _write(self, params: dict[str, str]) -> None:
        if self._write_infotext:
            self._params.update(params)

    def say(self, advice: Advice) -> None:
        """Once for each advice: now in the log, and in the job's result."""
        if advice not in self.advice:
            self.advice.append(advice)
            logger.error("%s", advice)
