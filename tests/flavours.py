"""The WebUI on whose library versions a test runs, and which of the stand-in's flavours are tested on them."""

from __future__ import annotations

from importlib.metadata import version

import pytest

GRADIO = {"3.41": "a1111", "3.43": "sdnext", "4.": "forge"}
"""By its Gradio each WebUI is known; these are the files in tests/pins, and flavours of the stand-in."""


def own() -> str:
    """The one whose libraries are installed."""
    return next(like for start, like in GRADIO.items() if version("gradio").startswith(start))


def belongs(item: pytest.Item) -> bool:
    """Whether a test is passed on the installed libraries.

    One that is parametrized by the flavour is passed on those of that WebUI, which no user has with another's; one
    that is marked `every_flavour` goes through what the libraries themselves compute, and is passed with each.
    """
    callspec = getattr(item, "callspec", None)
    if callspec is None or item.get_closest_marker("every_flavour"):
        return True
    flavours = [value for value in callspec.params.values() if isinstance(value, str) and value in GRADIO.values()]
    return not flavours or own() in flavours
