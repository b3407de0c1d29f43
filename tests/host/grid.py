"""The host's own X/Y/Z grid: a request for it, and the cells that came of it."""

from __future__ import annotations

LABELS = {
    "steps": ("Steps", "[Param] Steps"),
    "seed": ("Seed", "[Param] Seed"),
    "checkpoint": ("Checkpoint name", "[Model] Model"),
    "prompt": ("Prompt S/R", "[Prompt] Search & replace"),
    "hires steps": ("Hires steps", "[Refine] Hires steps"),
    "skip": ("Clip skip", "[Param] CLiP-skip"),
}
"""What the A1111 line calls an axis of its own, and what SD.Next does."""


def grid(host, *axes):
    """The fields of an API request that has the host plot `axes`: pairs of a label and its values.

    A label of `LABELS` is the host's own axis; a list is picked from the choices of the axis, a text is typed.
    """
    args = []
    for label, values in axes:
        own = LABELS.get(label)
        typed = isinstance(values, str)
        args += [own[host.like == "sdnext"] if own else label, values if typed else "", [] if typed else values]
    return {"script_name": "XYZ Grid Script" if host.like == "sdnext" else "X/Y/Z plot", "script_args": args}


def cells(made):
    """The pictures of the cells, X first, then Y, then Z, as bytes."""
    return [image.tobytes() for image in made.images[1:]]


def texts(made):
    """The cells' infotexts, in the same order."""
    return made.info["infotexts"][1:]
