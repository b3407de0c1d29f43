"""What the hosts do differently, where a flag says it all; the rest is in ``webui/<flavour>/modules``."""

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
    parent: str = ""
    """The flavour whose folder it builds on."""

    @property
    def is_forge(self) -> bool:
        return "forge" in (self.name, self.parent)

    @property
    def layers(self) -> list[str]:
        """The folders that make the host, what is its own first."""
        line = ["a1111_line"] if self.a1111_line else []
        return [self.name, *([self.parent] if self.parent else []), *line, "common"]


FLAVOURS = {
    "a1111": Flavour("a1111", "AUTOMATIC1111", _A1111_HOOKS, a1111_line=True, lazy_model=False),
    "forge": Flavour("forge", "Forge", _A1111_HOOKS, a1111_line=True, lazy_model=True),
    "neo": Flavour("neo", "Forge Neo", _A1111_HOOKS, a1111_line=True, lazy_model=True, parent="forge"),
    "sdnext": Flavour("sdnext", "SD.Next", _SDNEXT_HOOKS, a1111_line=False, lazy_model=False),
}
