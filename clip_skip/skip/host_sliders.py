"""What the hosts' own CLIP skip sliders do: number at the slider -> reading, and back. Pure.

Observed on running servers, against plain text encoders. A `line` is one way in which hosts read their slider's number:
a host whose options change that way is on one of several lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .architectures import Architecture, Encoder
from .reading import Reading, as_trained


class _Rule(NamedTuple):
    """skip = number - `shift`; what that would be below `lowest` is `lowest`, or wraps around to the embeddings.

    `whole`: what is behind the point of the number is dropped. `only` names the one encoder that moves, "" is all.
    """

    shift: int = 0
    lowest: int = 1
    whole: bool = True
    wraps: bool = False
    only: str = ""

    def moves(self, encoder: Encoder) -> bool:
        return self.only in ("", encoder.id)

    def skip(self, number: float, encoder: Encoder) -> float:
        skip = float(int(number) if self.whole else number) - self.shift
        if skip >= self.lowest:
            return skip
        return encoder.trained_depth + 1.0 if self.wraps else float(self.lowest)


_AS_IT_SAYS = _Rule()
# SDXL was trained on the last block but one, and these hosts count from the last.
_FROM_THE_LAST = _Rule(shift=1)
# The same, with nothing that stops them at the trained depth.
_PAST_TRAINED = _Rule(shift=1, lowest=0)

_SD_NEXT = _Rule(whole=False, wraps=True)
_SD_NEXT_XL = _Rule(whole=False, wraps=True, lowest=0)

# line -> architecture -> rule. Where there is none, the model is read as trained, whatever the slider says.
_RULES: Mapping[str, Mapping[str, _Rule]] = {
    # AUTOMATIC1111 and Forge Classic.
    "a1111": {"sd1": _AS_IT_SAYS},
    # AUTOMATIC1111 with its option `sdxl_clip_l_skip`.
    "a1111-sdxl-l": {"sd1": _AS_IT_SAYS, "sdxl": _Rule(shift=1, lowest=0, only="l")},
    "reforge": {
        "sd1": _AS_IT_SAYS,
        "sd2": _FROM_THE_LAST,
        "sdxl": _FROM_THE_LAST,
        "sdxl-refiner": _FROM_THE_LAST,
    },
    "forge": {
        "sd1": _AS_IT_SAYS,
        "sd2": _AS_IT_SAYS,  # the last block of its CLIP-H, which SD 2.x never reads, is not loaded
        "sdxl": _FROM_THE_LAST,
        "sdxl-refiner": _FROM_THE_LAST,
        "sd3": _PAST_TRAINED,
    },
    # Forge Neo, which has no SD 2.x and 3.
    "neo": {"sd1": _AS_IT_SAYS, "sdxl": _FROM_THE_LAST, "sdxl-refiner": _FROM_THE_LAST},
    "sdnext": {
        "sd1": _SD_NEXT,
        "sd2": _SD_NEXT,
        "sdxl": _SD_NEXT_XL,
        "sdxl-refiner": _SD_NEXT_XL,
        "sd3": _Rule(wraps=True, lowest=0),
        "cascade": _SD_NEXT,
    },
    # SD.Next with its parser of that name, which cuts off as many blocks as the slider says.
    "sdnext-xhinker": {"sd1": _Rule(shift=-1), "sd2": _Rule(shift=-1)},
}


# line -> the number at which the slider is until somebody moves it, where that is not 1.
_DEFAULTS: Mapping[str, float] = {"neo": 2.0}


def reading_at(line: str, architecture: Architecture, number: float) -> Reading:
    """How a host of `line` reads a model of `architecture` while its own slider says `number`."""
    rule = _RULES[line].get(architecture.id)
    skips = as_trained(architecture)
    if rule is not None:
        skips.update({e.id: rule.skip(number, e) for e in architecture.encoders if rule.moves(e)})
    return Reading(architecture, skips, slider=number, acts=rule is not None, default=_DEFAULTS.get(line, 1.0))


def slider_for(line: str, architecture: Architecture, skips: Mapping[str, float]) -> float | None:
    """The number at the slider of a host of `line` that gives exactly these `skips`, None if none does.

    The smallest from 1 up, as long as there is one.
    """
    rule = _RULES[line].get(architecture.id, _AS_IT_SAYS)
    moved = [skips[encoder.id] + rule.shift for encoder in architecture.encoders if rule.moves(encoder)]
    found = (n for n in (1.0, *moved) if reading_at(line, architecture, n).skips == skips)
    return next(found, None)
