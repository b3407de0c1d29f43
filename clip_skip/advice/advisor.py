"""What has to be said about a reading of a model: the rules of `advice`, given all that is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..models.library import Library
from ..models.profile import Profile
from ..skip.architectures import Architecture
from ..skip.plan import reading, resolve
from ..skip.reading import Reading
from ..skip.request import Request
from ..text.log import logger
from . import loras
from .rules import Advice, Situation, advise, bad_value


class _Host(Protocol):
    """What advice asks of a WebUI; `hosts.base.Host` says what each answers."""

    def reading(self, architecture: Architecture, number: float | None = None) -> Reading: ...
    def lora_file(self, name: str) -> str | None: ...


class Advisor:
    """Asks `host` where a LoRA lies, and `library` what is known of it."""

    def __init__(self, host: _Host, library: Library) -> None:
        self._host = host
        self._library = library

    def on_request(self, model: Profile, request: Request, prompts: Iterable[str] = ()) -> list[Advice]:
        """What there is to say of `request` with this model, refused values first. Never raises."""
        plan = resolve(request, model.checkpoint.architecture, model.stands_for)
        refused = [bad_value(refusal) for refusal in plan.refusals]
        return [*refused, *self.on_reading(model, reading(request, plan), prompts)]

    def on_slider(self, model: Profile, number: float | None = None, prompts: Iterable[str] = ()) -> list[Advice]:
        """What there is to say of the host's own slider at `number`, None for what it is at. Never raises."""
        return self.on_reading(model, self._host.reading(model.checkpoint.architecture, number), prompts)

    def on_reading(self, model: Profile, read: Reading, prompts: Iterable[str] = ()) -> list[Advice]:
        """What the rules say of this model as it is `read`, with these prompts. Never raises.

        Inspects the files of the model and of the LoRAs where that was not done yet.
        """
        try:
            silenced = model.preset.silenced if model.preset else frozenset()
            # The rules of the other architectures ask for no file, which may be one on a slow disk.
            if read.architecture.id != "sd1":
                return advise(Situation(read, silenced=silenced))
            facts = model.facts
            if facts is not None and facts.error is None and facts.architecture is not read.architecture:
                facts = None
            kept = model.preset.skip if model.preset else {}
            return advise(Situation(read, facts, self._trained_skips(prompts), silenced, kept))
        except Exception:
            logger.exception("whether the skip fits %s can't be told", model.checkpoint.name)
            return []

    def _trained_skips(self, prompts: Iterable[str]) -> dict[str, float]:
        skips = {}
        for name in loras.names("\n".join(prompts)):
            path = self._host.lora_file(name)
            trained = self._library.trained_skip(path) if path else None
            if trained is not None:
                skips[name] = trained
        return skips
