"""What the user asked for: the table of parameters, and how arguments from a panel, the API or a text become it."""

from __future__ import annotations

import contextlib
import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .architectures import DEEPEST_SKIP, ENCODER_IDS, ENCODER_NAMES
from .skip import number

MODES = ("auto", "manual")
BLENDS = ("linear", "slerp")


@dataclass(frozen=True)
class Parameter:
    """One option: its name in the API, its words in the panel, its infotext key, and what it accepts.

    A parameter with `choices` takes one of these words; any other takes a number from 1 to `maximum`.
    """

    name: str
    label: str
    help: str
    infotext: str | None = None
    choices: tuple[str, ...] = ()
    maximum: int = 0

    @property
    def accepted(self) -> str:
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        return f"a number from 1 to {self.maximum}"

    def read(self, value: Any) -> Any:
        """`value` as this parameter holds it. Raises ValueError where it is not accepted."""
        if self.choices:
            word = value.strip().lower() if isinstance(value, str) else value
            if word not in self.choices:
                raise ValueError
            return word
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        skip = float(value)
        if not math.isfinite(skip) or not 1 <= skip <= self.maximum:
            raise ValueError
        return skip


PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "mode",
            "Mode",
            "Auto reads each encoder where the model was made to be read; Manual takes the numbers below.",
            infotext="CLIP skip mode",
            choices=MODES,
        ),
        Parameter(
            "skip",
            "All encoders",
            "1 is where the model was trained to read; 2 is one block earlier.",
            maximum=max(DEEPEST_SKIP.values()),
        ),
        *(
            Parameter(
                id,
                ENCODER_NAMES[id],
                f"Skip of {ENCODER_NAMES[id]} alone; wins over the number for all encoders.",
                infotext=f"CLIP skip {id.upper()}",
                maximum=DEEPEST_SKIP[id],
            )
            for id in ENCODER_IDS
        ),
        Parameter(
            "blend",
            "Blend",
            "How a fractional skip mixes the two neighbouring blocks.",
            infotext="CLIP skip blend",
            choices=BLENDS,
        ),
    )
}


@dataclass(frozen=True)
class Refusal:
    """A value that was not taken, and what would have been."""

    name: str
    value: str
    accepted: str

    def __str__(self) -> str:
        return f"{self.name} {self.value} was refused, accepted is {self.accepted}"


@dataclass(frozen=True)
class Request:
    """What one generation was asked to do. `skips` is keyed by encoder id; `skip` is for every other encoder."""

    enabled: bool = False
    mode: str = "auto"
    skip: float | None = None
    skips: Mapping[str, float] = field(default_factory=dict)
    blend: str = "linear"
    refusals: tuple[Refusal, ...] = ()

    def skip_for(self, encoder_id: str) -> float:
        return self.skips.get(encoder_id, self.skip if self.skip is not None else 1.0)


# What the panel hands over after `enabled` and `options`, in this order. Append only.
PANEL_FIELDS = ("mode", "same", "skip", *ENCODER_IDS, "blend")
ARGUMENTS = ("enabled", "options", *PANEL_FIELDS)


def parse(*args: Any) -> Request:
    """The request that script arguments make: `[enabled, options]`, both optional, then the panel's own fields.

    `options` is a mapping or its JSON text, and wins over the panel's fields. Never raises: what can't be taken is
    named in `refusals`, and then nothing is asked for but the trained depths. Off is off, whatever else is said.
    """
    enabled, *rest = args or (False,)
    options, *panel = rest or (None,)
    refusals: list[Refusal] = []
    if enabled in (False, None):
        return Request()
    if enabled not in (True, 1):
        refusals.append(_refusal("enabled", enabled, "true or false"))
    if len(panel) > len(PANEL_FIELDS):
        refusals.append(_refusal("args", f"of length {len(args)}", "[enabled, options]"))
    if isinstance(options, str):
        options = options.strip()
        with contextlib.suppress(ValueError, RecursionError):
            options = json.loads(options)
    if options is None or options == "" or options == {}:
        options = _panel_options(dict(zip(PANEL_FIELDS, panel, strict=False)))
    if not isinstance(options, Mapping):
        refusals.append(_refusal("options", options, 'an object such as {"l": 1.5, "g": 1}'))
        options = {}
    return from_options(options, refusals)


def from_options(options: Mapping[str, Any], refusals: list[Refusal] | None = None) -> Request:
    """The enabled request that named options make; see `parse`."""
    refusals = [] if refusals is None else refusals
    values: dict[str, Any] = {}
    for name, value in options.items():
        parameter = PARAMETERS.get(name) if isinstance(name, str) else None
        if parameter is None:
            nearest = difflib.get_close_matches(str(name), PARAMETERS, 1) or PARAMETERS
            refusals.append(_refusal("option", name, " or ".join(nearest)))
        elif value is not None:
            try:
                values[name] = parameter.read(value)
            except (ValueError, TypeError, OverflowError):
                refusals.append(_refusal(name, value, parameter.accepted))
    if refusals:
        return Request(enabled=True, refusals=tuple(refusals))
    skips = {id: values[id] for id in ENCODER_IDS if id in values}
    numbered = bool(skips) or "skip" in values
    return Request(
        enabled=True,
        mode=values.get("mode", "manual" if numbered else "auto"),
        skip=values.get("skip"),
        skips=skips,
        blend=values.get("blend", "linear"),
    )


def _panel_options(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the panel's fields stand for: one number for all encoders, or one for each."""
    if str(fields.get("mode", "auto")).lower() == "auto":
        used: tuple[str, ...] = ("mode",)
    elif fields.get("same"):
        used = ("mode", "skip", "blend")
    else:
        used = ("mode", *ENCODER_IDS, "blend")
    return {name: fields[name] for name in used if name in fields}


def _refusal(name: str, value: Any, accepted: str) -> Refusal:
    text = number(value) if isinstance(value, float) and math.isfinite(value) else str(value)
    return Refusal(name, text if len(text) <= 60 else f"{text[:57]}...", accepted)
