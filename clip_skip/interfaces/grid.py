"""The axes of the WebUI's X/Y/Z grid: one for each parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..hosts.attributes import AXES_ATTRIBUTE
from ..hosts.protocols import AxisOption, Processing, ScriptData
from ..skip.parameters import PARAMETERS, Parameter
from ..skip.ranges import numbers
from ..text.log import logger

# The file names of the grids' scripts, which are the names of their modules. SD.Next has two, with one list.
_GRIDS = ("xyz_grid.py", "xyz_grid_on.py")


def asked(p: Processing) -> Mapping[str, Any]:
    """The options that the grid's axes ask for in the job `p`, none outside of a grid."""
    axes: Mapping[str, Any] = getattr(p, AXES_ATTRIBUTE, {})
    return axes


def register(scripts_data: Iterable[ScriptData]) -> None:
    """Add the axes to every grid among the WebUI's scripts, in place of those of an earlier call. Never raises."""
    for script in scripts_data:
        try:
            if getattr(script.script_class, "__module__", None) in _GRIDS:
                _add(script.module.axis_options, script.module.AxisOption)
        except Exception:
            logger.exception("the X/Y/Z grid gets no axes")


def _add(axes: list[AxisOption], new: Callable[..., AxisOption]) -> None:
    for parameter in PARAMETERS.values():
        axis = new(parameter.axis, _value, _apply(parameter.name), **_arguments(parameter))
        places = [place for place, known in enumerate(axes) if known.label == axis.label]
        # A host that keeps its list over Reload UI has the axis of the code before in it.
        if places:
            axes[places[0]] = axis
        else:
            axes.append(axis)


def _arguments(parameter: Parameter) -> dict[str, Any]:
    if parameter.choices:
        return {"choices": lambda: list(parameter.choices)}
    return {"confirm": _expand}


def _apply(name: str) -> Callable[[Processing, Any, Any], None]:
    def apply(p: Processing, value: Any, values: Any) -> None:
        # A new dictionary: the cells' job objects are shallow copies of one.
        setattr(p, AXES_ATTRIBUTE, {**asked(p), name: value})

    return apply


def _value(text: Any) -> Any:
    """A number where it is one. What is neither that nor a word is named in its cell's result."""
    try:
        return float(text)
    except ValueError:
        return text


def _expand(_p: Processing, values: list[Any]) -> None:
    """Put the numbers of a range in its place. The grids do so themselves for plain numbers, but take no words then."""
    values[:] = [number for value in values for number in numbers(value)]
