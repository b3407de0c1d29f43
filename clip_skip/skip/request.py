"""What the user asked for: the table of parameters, and how arguments from a panel, the API or a text become it."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..text.bounded_json import load
from .architectures import ENCODER_IDS
from .parameters import PARAMETERS, WORDS, Refusal, refusal


@dataclass(frozen=True)
class Request:
    """What one generation was asked to do. `skips` is keyed by encoder id; `skip` is for every other encoder.

    A skip is a number or one of `WORDS`. In place of it each of `compare` is asked for, for an image of its own.
    """

    enabled: bool = False
    mode: str = "auto"
    skip: float | str | None = None
    skips: Mapping[str, float | str] = field(default_factory=dict)
    blend: str = "linear"
    refusals: tuple[Refusal, ...] = ()
    compare: tuple[Request, ...] = ()

    def skip_for(self, encoder_id: str) -> float | str:
        return self.skips.get(encoder_id, self.skip if self.skip is not None else 1.0)

    @property
    def options(self) -> dict[str, object]:
        """The named options that make this request, but for what is compared."""
        numbers = {} if self.skip is None else {"skip": self.skip}
        return {"mode": self.mode, **numbers, **self.skips, "blend": self.blend}

    @property
    def words(self) -> frozenset[str]:
        """The words whose meaning on the model is asked for."""
        if self.mode == "auto":
            return frozenset(["auto"])
        return frozenset(skip for skip in (self.skip, *self.skips.values()) if isinstance(skip, str))


# The option that asks for several images, how many at most, and what it takes.
COMPARE, MOST_COMPARED = "compare", 12
COMPARED = f'a list of up to {MOST_COMPARED} skips, such as [1, 1.5, {{"l": 2, "g": 1}}]'

# What the panel hands over after `enabled` and `options`, in this order. Append only.
PANEL_FIELDS = ("mode", "same", "skip", *ENCODER_IDS, "blend")


def parse(*args: object, axes: Mapping[str, object] = MappingProxyType({})) -> Request:
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
    if enabled != 1:  # as True is
        refusals.append(refusal("enabled", enabled, "true or false"))
    if len(panel) > len(PANEL_FIELDS):
        refusals.append(refusal("args", f"of length {len(args)}", "[enabled, options]"))
    if isinstance(options, str):
        options = options.strip()
        with contextlib.suppress(ValueError):
            options = load(options)
    if options is None or options == "" or options == {}:
        fields = dict(zip(PANEL_FIELDS, panel, strict=False))
        options = _panel_options({**fields, "mode": axes["mode"]} if "mode" in axes else fields)
    if not isinstance(options, Mapping):
        refusals.append(refusal("options", options, 'an object such as {"l": 1.5, "g": 1}'))
        options = {}
    request = from_options(options, refusals)
    return replace(_varied(request, axes), compare=request.compare)


def from_options(options: Mapping[str, object], refusals: Iterable[Refusal] = ()) -> Request:
    """The enabled request that named options make; see `parse`."""
    values, refused = _read({name: value for name, value in options.items() if name != COMPARE})
    if refusals := (*refusals, *refused):
        return Request(enabled=True, refusals=refusals)
    skips = {id: values[id] for id in ENCODER_IDS if id in values}
    numbered = bool(skips) or "skip" in values
    request = Request(
        enabled=True,
        mode=values.get("mode", "manual" if numbered else "auto"),
        skip=values.get("skip"),
        skips=skips,
        blend=values.get("blend", "linear"),
    )
    compared, refusals = _compared(request, options.get(COMPARE))
    return Request(enabled=True, refusals=refusals) if refusals else replace(request, compare=compared)


def _compared(request: Request, values: object) -> tuple[tuple[Request, ...], tuple[Refusal, ...]]:
    """`request` with each of these skips in its place, as the values of a grid's axes are, and what was refused."""
    if values is None:
        return (), ()
    if not isinstance(values, (list, tuple)) or len(values) > MOST_COMPARED or None in values:
        return (), (refusal(COMPARE, values, COMPARED),)
    compared = tuple(_varied(request, each if isinstance(each, Mapping) else {"skip": each}) for each in values)
    refused = (replace(each, name=f"{COMPARE}'s {each.name}") for found in compared for each in found.refusals)
    return compared, tuple(refused)


def _varied(request: Request, axes: Mapping[str, object]) -> Request:
    """`request` with the values of a grid's axes in their place, whichever axis comes first."""
    values, refused = _read(axes, WORDS)
    if not axes or request.refusals or refused:
        return replace(request, enabled=request.enabled or bool(axes), refusals=(*request.refusals, *refused))
    if values.keys() == {"mode"}:
        return replace(request, enabled=True, **values)
    if request.enabled and request.mode == "auto":
        request = Request(skip="auto")  # what no axis varies stays as it is
    elif "skip" in values:
        request = replace(request, skips={})
    return Request(
        enabled=True,
        mode=values.get("mode", "manual"),
        skip=values.get("skip", request.skip),
        skips={**request.skips, **{id: values[id] for id in ENCODER_IDS if id in values}},
        blend=values.get("blend", request.blend),
    )


def _read(options: Mapping[str, object], words: Collection[str] = ()) -> tuple[dict[str, Any], list[Refusal]]:
    """The values of named options, where a number may also be one of `words`, and what was refused."""
    values: dict[str, Any] = {}
    refusals = []
    for name, value in options.items():
        parameter = PARAMETERS.get(name) if isinstance(name, str) else None
        if parameter is None:
            nearest = difflib.get_close_matches(str(name), (*PARAMETERS, COMPARE), 1) or PARAMETERS
            refusals.append(refusal("option", name, " or ".join(nearest)))
        elif value is not None:
            try:
                values[name] = parameter.accept(value, () if parameter.choices else words)
            except (ValueError, TypeError, OverflowError):
                refusals.append(refusal(name, value, parameter.accepted))
    return values, refusals


def _panel_options(fields: Mapping[str, object]) -> dict[str, object]:
    """The options that the panel's fields stand for: one number for all encoders, or one for each."""
    if str(fields.get("mode")).lower() == "auto":
        return {}
    numbers = ("skip",) if fields.get("same") else ENCODER_IDS
    return {name: fields[name] for name in ("mode", *numbers, "blend") if name in fields}
