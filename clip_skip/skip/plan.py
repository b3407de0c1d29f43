"""Request + what Auto uses -> Plan: the skip that each encoder of the loaded model really gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .architectures import Architecture
from .auto import Auto
from .numbers import in_range, number
from .parameters import Refusal
from .reading import Reading, as_trained
from .request import Request


@dataclass(frozen=True)
class Plan:
    """For one generation on one architecture: each encoder's skip, and the blend."""

    architecture: Architecture
    skips: Mapping[str, float]
    blend: str = "linear"
    refusals: tuple[Refusal, ...] = ()

    @property
    def as_trained(self) -> bool:
        return all(skip == 1 for skip in self.skips.values())

    @property
    def key(self) -> tuple[str, ...]:
        """What tells this plan's conditioning from another plan's on the same model."""
        blend = () if all(skip == int(skip) for skip in self.skips.values()) else (self.blend,)
        return (*(f"{id}={number(skip)}" for id, skip in self.skips.items()), *blend)


def resolve(
    request: Request, architecture: Architecture, stands_for: Callable[[str], Auto | None] = lambda _: None
) -> Plan:
    """What `request` means on `architecture`, where `stands_for` tells what one of `request.words` means there.

    A value out of the encoder's range, or a word that means nothing there, makes the whole plan as trained. Only mode
    Auto is as trained without a refusal where nothing is known.
    """
    trained = as_trained(architecture)
    if request.refusals:
        return Plan(architecture, trained, refusals=request.refusals)
    known = {word: meant for word in request.words if (meant := stands_for(word)) is not None}
    if request.mode == "auto":
        auto = known.get("auto", Auto(trained))
        skips, blend = auto.skips, auto.blend
    else:
        asked = {encoder.id: request.skip_for(encoder.id) for encoder in architecture.encoders}
        unknown = tuple(
            Refusal(encoder.name, word, f"the {word} of a model that has one")
            for encoder in architecture.encoders
            if isinstance(word := asked[encoder.id], str) and word not in known
        )
        if unknown:
            return Plan(architecture, trained, refusals=unknown)
        skips = {id: known[skip].skips[id] if isinstance(skip, str) else skip for id, skip in asked.items()}
        blend = request.blend
    refusals = tuple(
        Refusal(
            encoder.name,
            number(skips[encoder.id]),
            f"a number from 1 to {encoder.trained_depth} on {architecture.name}",
        )
        for encoder in architecture.encoders
        if not in_range(skips[encoder.id], encoder.trained_depth)
    )
    if refusals:
        return Plan(architecture, trained, refusals=refusals)
    return Plan(architecture, skips, blend)


def reading(request: Request, plan: Plan) -> Reading:
    """How `plan`, which `request` became, reads the model. Nothing acts where numbers meet no text encoder."""
    asked = request.mode != "auto" and any(skip != 1 for skip in (request.skip or 1, *request.skips.values()))
    return Reading(plan.architecture, plan.skips, acts=bool(plan.architecture.encoders) or not asked)
