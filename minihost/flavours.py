"""What the three hosts do differently, where a flag says it all; the rest is in ``webui/<flavour>/modules``."""

from __future__ import annotations

from dataclasses import dataclass

_A1111_HOOKS = (
    "setup",
    "before_process",
    "process",
    "before_process_batch",
    "after_extra_networks_activate",
    "process_batch",
    "process_before_every_sampling",
    "before_hr",
    "post_sample",
    "postprocess_batch",
    "postprocess_batch_list",
    "postprocess_image",
    "postprocess_maskoverlay",
    "postprocess_image_after_composite",
    "postprocess",
)
_SDNEXT_HOOKS = (
    "before_process",
    "process",
    "before_process_batch",
    "process_batch",
    "process_images",
    "postprocess_batch",
    "postprocess_batch_list",
    "postprocess_image",
    "postprocess",
)


@dataclass(frozen=True)
class Flavour:
    """One host's ways, as flags."""

    name: str
    title: str
    hooks: tuple[str, ...]
    """Script methods this host calls."""
    a1111_line: bool
    """Option and paste code descends from A1111 1.10: options seeded, override trap, plain values pasted, ..."""
    lazy_model: bool
    """The model is loaded by the first job only."""


FLAVOURS = {
    "a1111": Flavour("a1111", "AUTOMATIC1111", _A1111_HOOKS, a1111_line=True, lazy_model=False),
    "forge": Flavour("forge", "Forge", _A1111_HOOKS, a1111_line=True, lazy_model=True),
    "sdnext": Flavour("sdnext", "SD.Next", _SDNEXT_HOOKS, a1111_line=False, lazy_model=False),
}
