"""What a click on an advice means: what is kept for the model, and which number what decides gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from ..models.checkpoint import Checkpoint
from ..models.library import Library
from ..models.presets.preset import Mark
from ..skip.architectures import Architecture
from .names import ActionId
from .rules import Action, Advice


class Decider(Enum):
    """What decides at which skip the model is read."""

    SLIDER = auto()  # the host's own
    AUTO = auto()  # of the panel
    MANUAL = auto()


@dataclass(frozen=True)
class Moved:
    """Where controls go: the host's own slider to a number, the panel's to a skip by encoder id. Others stay."""

    slider: float | None = None
    skips: Mapping[str, float] = field(default_factory=dict)


class _Host(Protocol):
    """What an action asks of a WebUI; `hosts.base.Host` says what each answers."""

    def slider_for(self, architecture: Architecture, skips: Mapping[str, float]) -> float | None: ...
    def use(self, number: float) -> bool: ...


def act(
    action: Action, advice: Advice, checkpoint: Checkpoint, decider: Decider, library: Library, host: _Host
) -> Moved:
    """Do what `action` beside `advice` on `checkpoint` stands for. Raises StoreError, and nothing is changed then.

    Skips that the user has kept are not replaced: what Auto would use instead is where the panel's sliders go.
    """
    if action.id is ActionId.SILENCE:
        library.silence(checkpoint, advice.id)
    elif action.id is not ActionId.USE:
        library.mark(checkpoint, Mark(action.id.value))
    elif decider is Decider.SLIDER:
        number = host.slider_for(checkpoint.architecture, action.skip)
        if number is not None:
            host.use(number)
        return Moved(slider=number)
    elif decider is Decider.AUTO and not library.profile(checkpoint).has_skips:
        library.save(checkpoint, action.skip)
    else:
        return Moved(skips=action.skip)
    return Moved()


def slider_after(advice: Advice, architecture: Architecture, host: _Host) -> float | None:
    """The number at the host's own slider that does what `advice` would use, None if it can't or would use nothing."""
    used = next((action.skip for action in advice.actions if action.id is ActionId.USE), None)
    return None if used is None else host.slider_for(architecture, used)
