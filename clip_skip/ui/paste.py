"""The panel's fields filled from a pasted infotext, one function for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr

from .. import infotext
from ..architectures import ENCODER_IDS
from ..log import logger
from ..request import Request, from_options


def shown(words: Iterable[str]) -> list[str]:
    """A parameter's words as the page shows them; the request reads them in either case."""
    return [word.capitalize() for word in words]


def _pasted(params: dict[str, Any]) -> Request | None:
    options = infotext.read(params)
    if options is None:
        return None
    request = from_options(options)
    for refusal in request.refusals:
        logger.warning("pasted text: %s", refusal)
    return request


def _field(read: Callable[[Request], Any]) -> Callable[..., Any]:
    def paste(params: dict[str, Any]) -> Any:
        request = _pasted(params)
        # SD.Next takes nothing but updates from a callable; the A1111 line takes both.
        return gr.update(value=read(request)) if request is not None else None

    return paste


def _paste_enabled(params: dict[str, Any]) -> Any:
    if infotext.read(params) is not None:
        return gr.update(value=True)
    # An image made without us is made again without us; a bare prompt says nothing.
    return gr.update(value=False) if "Steps" in params else None


# One function for each field, shared by both tabs: "Send to" matches the fields of two tabs by their functions.
FIELDS: dict[str, Callable[..., Any]] = {
    "enabled": _paste_enabled,
    "mode": _field(lambda request: shown([request.mode])[0]),
    "same": _field(lambda request: False),
    **{id: _field(lambda request, id=id: request.skip_for(id)) for id in ENCODER_IDS},  # type: ignore[misc]
    "blend": _field(lambda request: shown([request.blend])[0]),
}
