"""The generation parameters that make an image again: written beside the host's own, and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .. import __version__
from ..text.bounded_json import load
from ..text.regex import regex
from .architectures import ENCODER_IDS
from .numbers import counted, number
from .parameters import PARAMETERS
from .plan import Plan
from .request import Request

# The host's own key, and SD.Next's.
HOST_KEY = "Clip skip"
NEXT_HOST_KEY = "CLiP-skip"
APPLIED = "CLIP skip applied"
REFUSED = "CLIP skip refused"
VERSION = "CLIP skip version"
# A1111's own rule: a value with a comma in it is written in quotes. Civitai's extension writes an object without.
_PARAMETER = regex(r'(\w[\w \-/]{1,60}):\s*("(?:\\.|[^\\"])+"|\{[^{}]*\}|[^,]*)(?:,|$)')
_TRIP_CLIP_SKIP = "TripClipSkip"
KEYS = (*(p.infotext for p in PARAMETERS.values() if p.infotext), APPLIED, REFUSED, VERSION)
_WRITTEN = (*KEYS, HOST_KEY, NEXT_HOST_KEY)


def write(request: Request, plan: Plan) -> dict[str, str]:
    """Our keys for an image made under `plan`: the values really used, defaults left out."""
    values: dict[str, str] = {}
    if request.mode != "auto" and not plan.refusals:
        values["mode"] = request.mode
    values.update({id: number(skip) for id, skip in plan.skips.items() if skip != 1})
    if plan.blend != "linear" and not plan.as_trained:
        values["blend"] = plan.blend
    written = {str(PARAMETERS[name].infotext): value for name, value in values.items()}
    return {**written, VERSION: __version__}


def host_value(plan: Plan) -> int | None:
    """What the host's own key may say: only what makes the same image without this extension."""
    if plan.architecture.id != "sd1":
        return None
    skip = plan.skips["l"]
    return int(skip) if skip > 1 and skip == int(skip) else None


def parse(params: Mapping[str, object]) -> dict[str, object] | None:
    """The options that parsed generation parameters hold, or None where the image was made without us.

    Values come as a host's parser leaves them: text on some hosts, already numbers on others.
    """
    if not any(key in params for key in KEYS):
        return None
    options = {name: params[key] for name, p in PARAMETERS.items() if (key := p.infotext) and key in params}
    if any(id in options for id in ENCODER_IDS):
        options.setdefault("mode", "manual")
    return options


def parameters(text: str) -> Iterator[dict[str, str]]:
    """What each line of parameters in `text` says, by key; not what a prompt says, where there are such lines."""
    lines = text.splitlines()
    for line in [line for line in lines if "Steps: " in line] or lines:
        yield {key.strip(): _unquoted(value.strip()) for key, value in _PARAMETER.findall(line)}


def _unquoted(value: str) -> str:
    """`value` as it was before the host put it in quotes, which it does by JSON's rule."""
    try:
        return str(load(value)) if value.startswith('"') else value
    except ValueError:
        return value.strip('"')


def left_over(text: str, params: Mapping[str, object], from_host: bool = True) -> dict[str, str]:
    """Our keys for a number in the `text` of an SD 1.x image that nobody takes from it; `params` is what was taken.

    That is Trip Clip Skip's, and with `from_host`, where the host drops it, the host's own.
    """
    values = {key: value for line in parameters(text) for key, value in line.items()}
    if parse(params) is not None or "Steps" not in values:
        return {}
    names = [f"{_TRIP_CLIP_SKIP}_value", *([HOST_KEY, NEXT_HOST_KEY] if from_host else [])]
    skip = next((counted(values[name]) for name in names if name in values), None)
    if skip is None:
        return {}
    blend = {"blend": "slerp"} if values.get(f"{_TRIP_CLIP_SKIP}_type") == "slerp" else {}
    return {str(PARAMETERS[name].infotext): value for name, value in {"l": number(skip), **blend}.items()}


def clear(params: dict[str, object]) -> None:
    """Drop what was written before: an XYZ grid's cells share one dictionary, and a job's batches, too."""
    for key in _WRITTEN:
        params.pop(key, None)


def after(params: Mapping[str, object]) -> list[str]:
    """The keys of others that come after the first of what was written before."""
    keys = list(params)
    first = next((place for place, key in enumerate(keys) if key in _WRITTEN), len(keys))
    return [key for key in keys[first:] if key not in _WRITTEN]
