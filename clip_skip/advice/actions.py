"""What a click on an advice means: what is kept for the model, and which number what decides gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from ..models.checkpoint import Checkpoint
from ..models.library import Library
from ..models.presets.preset import Mark
from ..models.presets.store import NOTHING_CHANGED, Changed
from ..skip.architectures import Architecture
from .names import ActionId
from .rules import Action, Advice


class Decider(Enum):
    """What decides at which skip the model is read."""

    SLIDER = auto()  # the host's own
    AUTO = auto()  # of the panel
    MANUAL = auto()


# The answers that are statements.
_KEPT = (ActionId.YES, ActionId.NO)


@dataclass(frozen=True)
class Moved:
    """Where controls go: the host's own slider to a number, the panel's to a skip by encoder id. Others stay.

    `changed` is what was kept with that.
    """

    slider: float | None = None
    skips: Mapping[str, float] = field(default_factory=dict)
    changed: Changed = field(default=NOTHING_CHANGED, compare=False)


class _Host(Protocol):
    """What an action asks of a WebUI; `hosts.base.Host` says what each answers."""

    def slider_for(self, architecture: Architecture, skips: Mapping[str, float]) -> float | None: ...
    def use(self, number: float) -> bool: ...


def act(
    action: Action, advice: Advice, checkpoint: Checkpoint, decider: Decider, library: Library, host: _Host
) -> Moved:
    """Do what `action` beside `advice` on `checkpoint` stands for. Raises StoreError, and nothing is changed then.

    Skips that the user has kept are replaced by the answer to a question alone: what Auto would use instead is where
    the panel's sliders go. Not to know the answer is no statement, and nothing is kept then.
    """
    if action.id is ActionId.SILENCE:
        return Moved(changed=library.silence(checkpoint, advice.id))
    if action.id in (ActionId.NAI_DERIVED, ActionId.NOT_NAI):
        return Moved(changed=library.mark(checkpoint, Mark(action.id.value)))
    is_for_auto = decider is Decider.AUTO and action.id is not ActionId.UNSURE
    keeps = action.id in _KEPT or (is_for_auto and not library.profile(checkpoint).has_skips)
    changed = library.save(checkpoint, action.skip) if keeps else NOTHING_CHANGED
    if decider is Decider.SLIDER:
        number = host.slider_for(checkpoint.architecture, action.skip)
        if number is not None:
            host.use(number)
        return Moved(slider=number, changed=changed)
    return Moved(skips={} if keeps and decider is Decider.AUTO else action.skip, changed=changed)


def sliders_after(advice: Advice, architecture: Architecture, host: _Host) -> dict[ActionId, float]:
    """The number at the host's own slider that does what each action would use, without those for which none does."""
    numbers = {each.id: host.slider_for(architecture, each.skip) for each in advice.offers if each.skip}
    return {id: number for id, number in numbers.items() if number is not None}
