"""The values that the page has in its controls, as events hand them over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...advice.actions import Decider, Moved
from ...skip import prompt_tags
from ...skip.architectures import ENCODER_IDS, Architecture
from ...skip.parameters import Refusal
from ...skip.request import Request, parse
from ...text.bounded_json import as_number, decode_object

SLIDERS = ("skip", *ENCODER_IDS)
# What answers move, in the order in which the page's script is told of it.
MOVED = ("mode", "same", *SLIDERS, "blend")


class Asked(NamedTuple):
    """A request, whether the tags in the prompt make it, and what was refused of those."""

    request: Request
    by_tags: bool
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class Controls:
    """The panel's own controls, an empty box being None, and in `seen` what the page's script saw of the host's."""

    enabled: bool = False
    mode: str = "auto"
    same: bool = False
    skip: float | None = 1.0
    l: float | None = 1.0  # noqa: E741
    g: float | None = 1.0
    h: float | None = 1.0
    blend: str = "linear"
    seen: str = ""

    @property
    def auto(self) -> bool:
        return self.mode.lower() == "auto"

    @property
    def decider(self) -> Decider:
        """What decides where the prompt has no tags of ours."""
        if not self.enabled:
            return Decider.SLIDER
        return Decider.AUTO if self.auto else Decider.MANUAL

    @property
    def request(self) -> Request:
        """What a job would be asked for with the panel switched on."""
        return parse(True, None, self.mode, self.same, *(getattr(self, name) for name in SLIDERS), self.blend)

    def asked(self, architecture: Architecture) -> Asked:
        """What a job with these controls and this prompt would be asked for, on a model of this architecture."""
        by_controls = self.request if self.enabled else Request()
        request, refusals = prompt_tags.request(prompt_tags.find(self.tags), by_controls, architecture)
        return Asked(request, request is not by_controls, refusals)

    @property
    def slider(self) -> float | None:
        """The number at the host's own slider, None where the one in its options holds."""
        return as_number(self._seen.get("slider"))

    @property
    def model(self) -> str | None:
        """The host's name of the model that the page has chosen, None where the host has it already."""
        return str(self._seen.get("model") or "") or None

    @property
    def another(self) -> bool:
        """Whether the page has another model than when it asked before."""
        return bool(self._seen.get("another"))

    @property
    def typed(self) -> bool:
        """Whether nothing but the controls has changed since then."""
        return bool(self._seen.get("typed"))

    @property
    def tags(self) -> str:
        """The tags in the host's prompt that count here: of LoRAs, and ours, also what only looks like ours."""
        return str(self._seen.get("tags", ""))

    @property
    def mistaken(self) -> tuple[prompt_tags.Mistaken, ...]:
        """What looks like our tags in the host's prompts, and is none there."""
        return prompt_tags.mistaken(self.tags, str(self._seen.get("negative", "")))

    def moved(self, to: Moved) -> Controls:
        """These controls, moved where an action has them; ours for all encoders is at the first of the skips."""
        values: dict[str, Any] = {"skip": next(iter(to.skips.values()), self.skip), **to.skips}
        seen = self.seen if to.slider is None else json.dumps({**self._seen, "slider": to.slider})
        return replace(self, **values, seen=seen)

    @property
    def _seen(self) -> Mapping[str, object]:
        return decode_object(self.seen)
