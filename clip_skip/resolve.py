"""Request + what Auto uses -> Plan: the skip that each encoder of the loaded model really gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .architectures import Architecture
from .auto import Auto
from .reading import Reading
from .request import Refusal, Request
from .skip import in_range, number


@dataclass(frozen=True)
class Plan:
    """For one generation on one architecture: each encoder's skip, and the blend."""

    architecture: Architecture
    skips: Mapping[str, float]
    blend: str = "linear"
    refusals: tuple[Refusal, ...] = field(default=(), compare=False)
    source: str = field(default="", compare=False)

    @property
    def as_trained(self) -> bool:
        return all(skip == 1 for skip in self.skips.values())

    @property
    def key(self) -> tuple[str, ...]:
        """What tells this plan's conditioning from another plan's on the same model."""
        blend = () if all(skip == int(skip) for skip in self.skips.values()) else (self.blend,)
        return (*(f"{id}={number(skip)}" for id, skip in self.skips.items()), *blend)


def resolve(request: Request, architecture: Architecture, auto: Auto | None = None) -> Plan:
    """What `request` means on `architecture`, where `auto` is what Auto uses there (None: as trained).

    A value out of the encoder's range makes the whole plan as trained.
    """
    as_trained = {encoder.id: 1.0 for encoder in architecture.encoders}
    if request.refusals:
        return Plan(architecture, as_trained, refusals=request.refusals)
    if request.mode != "auto":
        skips = {encoder.id: request.skip_for(encoder.id) for encoder in architecture.encoders}
        blend, source = request.blend, ""
    elif auto is not None:
        skips, blend, source = dict(auto.skips), auto.blend, auto.source
    else:
        skips, blend, source = as_trained, "linear", ""
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
        return Plan(architecture, as_trained, refusals=refusals)
    return Plan(architecture, skips, blend, source=source)


def reading(request: Request, plan: Plan) -> Reading:
    """How `plan`, which `request` became, reads the model. Nothing acts where numbers meet no text encoder."""
    asked = request.mode != "auto" and any(skip != 1 for skip in (request.skip or 1, *request.skips.values()))
    return Reading(plan.architecture, plan.skips, acts=bool(plan.architecture.encoders) or not asked)
