"""The panel's fields filled from a pasted infotext, one function for each."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping

import gradio as gr
from markupsafe import Markup

from ...skip import infotext
from ...skip.architectures import ENCODER_IDS
from ...skip.parameters import PARAMETERS
from ...skip.request import Request, from_options
from ...text.log import logger
from ...text.phrase import Data
from .advice_view import done
from .markup import NOTHING, joined


def shown(words: Iterable[str]) -> list[str]:
    """A parameter's words as the page shows them; the request reads them in either case."""
    return [word.capitalize() for word in words]


def _pasted(params: dict[str, object]) -> Request | None:
    options = infotext.parse(params)
    if options is None:
        return None
    request = from_options(options)
    for refusal in request.refusals:
        logger.warning("pasted text: %s", refusal)
    return request


def _field(read: Callable[[Request, Mapping[str, object]], object]) -> Callable[..., object]:
    def paste(params: dict[str, object]) -> object:
        request = _pasted(params)
        # SD.Next takes nothing but updates from a callable; the A1111 line takes both.
        return gr.update(value=read(request, params)) if request is not None else None

    return paste


def _paste_enabled(params: dict[str, object]) -> object:
    if infotext.parse(params) is not None:
        return gr.update(value=True)
    # An image made without us is made again without us; a bare prompt says nothing.
    return gr.update(value=False) if "Steps" in params else None


def _refused(request: Request, params: Mapping[str, object]) -> Markup:
    """What the text has and the panel did not take."""
    said = []
    for each in request.refusals:
        written = PARAMETERS[each.name].infotext if each.name in PARAMETERS else each.name
        phrase = (Data(f"{written}: {each.value} "), "was not taken, accepted is", Data(f" {each.accepted}."))
        said.append(done(phrase))
    return joined(said)


def _paste_off(params: dict[str, object]) -> object:
    """The page's script shows it where the panel was on."""
    off = NOTHING
    if infotext.parse(params) is None and "Steps" in params:
        said = done(("The pasted text has no CLIP skip: the panel was switched off.",))
        # Each is another: Gradio draws the same no second time.
        off = Markup('<div class="clip-skip-pasted" data-paste="{}" hidden>{}</div>').format(secrets.token_hex(4), said)
    return gr.update(value=off)


# The fields that only say something. "Send to" would take that to the other tab.
SAID = ("ended", "ended_off")
# What `fields` gives: a function for each of the panel's fields.
Fields = Mapping[str, Callable[..., object]]


def fields(as_trained: Callable[[str], bool]) -> Fields:
    """One function for each field, for both tabs: "Send to" matches the fields of two tabs by their functions.

    `as_trained` tells whether Auto reads the model of this name as it was trained.
    """

    def mode(request: Request, params: Mapping[str, object]) -> str:
        # No number in the text: the image was made as trained. Auto makes it again only where it still does that.
        return request.mode if request.skips or as_trained(str(params.get("Model", ""))) else "manual"

    return {
        "enabled": _paste_enabled,
        "mode": _field(lambda request, params: shown([mode(request, params)])[0]),
        "same": _field(lambda request, params: False),
        **{id: _field(lambda request, params, id=id: request.skip_for(id)) for id in ENCODER_IDS},  # type: ignore[misc]
        "blend": _field(lambda request, params: shown([request.blend])[0]),
        "ended": _field(_refused),
        "ended_off": _paste_off,
    }
