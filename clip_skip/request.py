"""What the user asked for: the table of parameters, and how arguments from a panel, the API or a text become it."""

from __future__ import annotations

import contextlib
import difflib
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from .architectures import DEEPEST_SKIP, ENCODER_IDS, ENCODER_NAMES
from .skip import number

MODES = ("auto", "manual")
BLENDS = ("linear", "slerp")
# What an axis of a grid takes beside numbers: what each stands for is the model's.
WORDS = ("trained", "recommended", "preset", "auto")


@dataclass(frozen=True)
class Parameter:
    """One option: its name in the API, its words in the panel, its infotext key, its axis in a grid, what it accepts.

    A parameter with `choices` takes one of these words; any other takes a number from 1 to `maximum`.
    """

    name: str
    label: str
    help: str
    axis: str
    infotext: str | None = None
    choices: tuple[str, ...] = ()
    maximum: int = 0

    @property
    def accepted(self) -> str:
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        return f"a number from 1 to {self.maximum}"

    def read(self, value: Any, words: Collection[str] = ()) -> Any:
        """`value` as this parameter holds it, or one of `words`. Raises ValueError where it is not accepted."""
        if isinstance(value, str) and value.strip().lower() in words:
            return value.strip().lower()
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
            axis="[CLIP Skip] Mode",
            infotext="CLIP skip mode",
            choices=MODES,
        ),
        Parameter(
            "skip",
            "All encoders",
            "1 is where the model was trained to read; 2 is one block earlier.",
            axis="[CLIP Skip] All encoders",
            maximum=max(DEEPEST_SKIP.values()),
        ),
        *(
            Parameter(
                id,
                ENCODER_NAMES[id],
                f"Skip of {ENCODER_NAMES[id]} alone; wins over the number for all encoders.",
                axis=f"[CLIP Skip] {id.upper()}",
                infotext=f"CLIP skip {id.upper()}",
                maximum=DEEPEST_SKIP[id],
            )
            for id in ENCODER_IDS
        ),
        Parameter(
            "blend",
            "Blend",
            "How a fractional skip mixes the two neighbouring blocks.",
            axis="[CLIP Skip] Blend",
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
    """What one generation was asked to do. `skips` is keyed by encoder id; `skip` is for every other encoder.

    A skip is a number or one of `WORDS`.
    """

    enabled: bool = False
    mode: str = "auto"
    skip: float | str | None = None
    skips: Mapping[str, float | str] = field(default_factory=dict)
    blend: str = "linear"
    refusals: tuple[Refusal, ...] = ()

    def skip_for(self, encoder_id: str) -> float | str:
        return self.skips.get(encoder_id, self.skip if self.skip is not None else 1.0)

    @property
    def words(self) -> frozenset[str]:
        """The words whose meaning on the model is asked for."""
        if self.mode == "auto":
            return frozenset(["auto"])
        return frozenset(skip for skip in (self.skip, *self.skips.values()) if isinstance(skip, str))


# What the panel hands over after `enabled` and `options`, in this order. Append only.
PANEL_FIELDS = ("mode", "same", "skip", *ENCODER_IDS, "blend")
ARGUMENTS = ("enabled", "options", *PANEL_FIELDS)


def parse(*args: Any, axes: Mapping[str, Any] = MappingProxyType({})) -> Request:
    """The request that script arguments make: `[enabled, options]`, both optional, then the panel's own fields.

    `options` is a mapping or its JSON text, and wins over the panel's fields; `axes` are the options that a cell of a
    grid varies, and win over both. Never raises: what can't be taken is named in `refusals`, and then nothing is asked
    for but the trained depths. Off is off, whatever else the arguments say; only `axes` ask for something then.
    """
    enabled, *rest = args or (False,)
    options, *panel = rest or (None,)
    refusals: list[Refusal] = []
    if enabled in (False, None):
        return _varied(Request(), axes)
    if enabled not in (True, 1):
        refusals.append(refusal("enabled", enabled, "true or false"))
    if len(panel) > len(PANEL_FIELDS):
        refusals.append(refusal("args", f"of length {len(args)}", "[enabled, options]"))
    if isinstance(options, str):
        options = options.strip()
        with contextlib.suppress(ValueError, RecursionError):
            options = json.loads(options)
    if options is None or options == "" or options == {}:
        fields = dict(zip(PANEL_FIELDS, panel, strict=False))
        options = _panel_options({**fields, "mode": axes["mode"]} if "mode" in axes else fields)
    if not isinstance(options, Mapping):
        refusals.append(refusal("options", options, 'an object such as {"l": 1.5, "g": 1}'))
        options = {}
    return _varied(from_options(options, refusals), axes)


def from_options(options: Mapping[str, Any], refusals: Iterable[Refusal] = ()) -> Request:
    """The enabled request that named options make; see `parse`."""
    values, refused = _read(options)
    if refusals := (*refusals, *refused):
        return Request(enabled=True, refusals=refusals)
    skips = {id: values[id] for id in ENCODER_IDS if id in values}
    numbered = bool(skips) or "skip" in values
    return Request(
        enabled=True,
        mode=values.get("mode", "manual" if numbered else "auto"),
        skip=values.get("skip"),
        skips=skips,
        blend=values.get("blend", "linear"),
    )


def _varied(request: Request, axes: Mapping[str, Any]) -> Request:
    """`request` with the values of a grid's axes in their place, whichever axis comes first."""
    values, refused = _read(axes, WORDS)
    if not axes or request.refusals or refused:
        return replace(request, enabled=request.enabled or bool(axes), refusals=(*request.refusals, *refused))
    if values.keys() == {"mode"}:
        return replace(request, enabled=True, **values)
    if not request.enabled:
        request = Request(mode="manual")
    elif request.mode == "auto":
        request = Request(mode="manual", skip="auto")  # what no axis varies stays as it is
    elif "skip" in values:
        request = replace(request, skips={})
    return Request(
        enabled=True,
        mode=values.get("mode", "manual"),
        skip=values.get("skip", request.skip),
        skips={**request.skips, **{id: values[id] for id in ENCODER_IDS if id in values}},
        blend=values.get("blend", request.blend),
    )


def _read(options: Mapping[str, Any], words: Collection[str] = ()) -> tuple[dict[str, Any], list[Refusal]]:
    """The values of named options, where a number may also be one of `words`, and what was refused."""
    values: dict[str, Any] = {}
    refusals = []
    for name, value in options.items():
        parameter = PARAMETERS.get(name) if isinstance(name, str) else None
        if parameter is None:
            nearest = difflib.get_close_matches(str(name), PARAMETERS, 1) or PARAMETERS
            refusals.append(refusal("option", name, " or ".join(nearest)))
        elif value is not None:
            try:
                values[name] = parameter.read(value, () if parameter.choices else words)
            except (ValueError, TypeError, OverflowError):
                refusals.append(refusal(name, value, parameter.accepted))
    return values, refusals


def _panel_options(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the panel's fields stand for: one number for all encoders, or one for each."""
    if str(fields.get("mode", "auto")).lower() == "auto":
        used: tuple[str, ...] = ("mode",)
    elif fields.get("same"):
        used = ("mode", "skip", "blend")
    else:
        used = ("mode", *ENCODER_IDS, "blend")
    return {name: fields[name] for name in used if name in fields}


def refusal(name: str, value: Any, accepted: str) -> Refusal:
    """The refusal of `value`, however long that is."""
    text = number(value) if isinstance(value, float) and math.isfinite(value) else str(value)
    return Refusal(name, text if len(text) <= 60 else f"{text[:57]}...", accepted)
