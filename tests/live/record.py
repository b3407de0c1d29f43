"""Keep the pictures of a WebUI without the extension: `python -m tests.live.record URL FILE [ROOT]`.

`pytest tests/live --bare FILE` then holds the same WebUI, with the extension off, to exactly these.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .webui import WebUI


def pictures(webui: WebUI, checkpoint: str, *args: object) -> dict[str, list[str]]:
    """The host's default picture and infotext, of each kind; twice, for A1111's first img2img after a model switch is
    its own, with or without us."""
    kept = {}
    for kind in webui.kinds:
        getattr(webui, kind)(checkpoint, *args)
        picture = getattr(webui, kind)(checkpoint, *args)
        kept[kind] = [picture.pixels, picture.infotext]
    return kept


if __name__ == "__main__":
    url, file, *root = sys.argv[1:]
    bare = WebUI(url, *root)
    assert "clip skip" not in json.dumps(bare.get("/sdapi/v1/scripts")), "this WebUI has the extension"
    bare.settle()
    Path(file).write_text(json.dumps({name: pictures(bare, name) for name in bare.testable}, indent=1))
