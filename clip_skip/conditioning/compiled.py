"""Text encoders under torch.compile: a graph that was made without hooks runs without them ever after."""

from __future__ import annotations

from torch import nn


class Eager:
    """`part` runs as its own code until `remove`, and as what it was compiled to again after that."""

    def __init__(self, part: nn.Module, attribute: str, instead: object) -> None:
        self._part, self._attribute = part, attribute
        self._compiled = getattr(part, attribute)
        setattr(part, attribute, instead)

    def remove(self) -> None:
        setattr(self._part, self._attribute, self._compiled)


def run_eagerly(module: nn.Module) -> list[Eager]:
    """Have every compiled part of `module` run as its own code, so that hooks on it are called."""
    switched = []
    for part in list(module.modules()):
        if isinstance(vars(part).get("_modules", {}).get("_orig_mod"), nn.Module):  # torch.compile(part)
            switched.append(Eager(part, "forward", part.get_submodule("_orig_mod").__call__))
        elif getattr(part, "_compiled_call_impl", None) is not None:  # part.compile()
            switched.append(Eager(part, "_compiled_call_impl", None))
    return switched
