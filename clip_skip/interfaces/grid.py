"""The axes of the WebUI's X/Y/Z grid: one for each parameter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from ..hosts.attributes import AXES_ATTRIBUTE
from ..hosts.protocols import AxisOption, Processing, ScriptData
from ..skip.parameters import PARAMETERS, WORDS, Parameter, refusal
from ..skip.ranges import numbers
from ..text.log import logger

# The file names of the grids' scripts, which are the names of their modules. SD.Next has two, with one list.
_GRIDS = ("xyz_grid.py", "xyz_grid_on.py")


def asked(p: Processing) -> Mapping[str, object]:
    """The options that the grid's axes ask for in the job `p`, none outside of a grid."""
    axes: Mapping[str, object] = getattr(p, AXES_ATTRIBUTE, {})
    return axes


def register(scripts_data: Iterable[ScriptData], switched_on: Callable[[], bool]) -> None:
    """Add the axes to every grid among the WebUI's scripts, in place of those of an earlier call. Never raises.

    They refuse nothing where the extension is not `switched_on`.
    """
    for script in scripts_data:
        try:
            if getattr(script.script_class, "__module__", None) in _GRIDS:
                _add(script.module.axis_options, script.module.AxisOption, switched_on)
        except Exception:
            logger.exception("the X/Y/Z grid gets no axes")


def _add(axes: list[AxisOption], new: Callable[..., AxisOption], switched_on: Callable[[], bool]) -> None:
    for parameter in PARAMETERS.values():
        confirm = _confirm(parameter, switched_on)
        axis = new(parameter.axis, _value, _apply(parameter.name), confirm=confirm, **_arguments(parameter))
        places = [place for place, known in enumerate(axes) if known.label == axis.label]
        # A host that keeps its list over Reload UI has the axis of the code before in it.
        if places:
            axes[places[0]] = axis
        else:
            axes.append(axis)


def _arguments(parameter: Parameter) -> dict[str, object]:
    return {"choices": lambda: list(parameter.choices)} if parameter.choices else {}


def _apply(name: str) -> Callable[[Processing, object, object], None]:
    def apply(p: Processing, value: object, values: object) -> None:
        # A new dictionary: the cells' job objects are shallow copies of one.
        setattr(p, AXES_ATTRIBUTE, {**asked(p), name: value})

    return apply


def _value(text: str | float) -> str | float:
    """A number where it is one."""
    try:
        return float(text)
    except ValueError:
        return text


def _confirm(parameter: Parameter, switched_on: Callable[[], bool]) -> Callable[[Processing, list[object]], None]:
    words = () if parameter.choices else WORDS

    def confirm(p: Processing, values: list[object]) -> None:
        """Put the numbers of a range in its place, and refuse what no model can use, before the first cell is made.

        The grids have ranges of plain numbers, but take no words then. What depends on a cell's model, which another
        axis may have, is named in its cell's result. Raises RuntimeError, as their own axes do.
        """
        values[:] = [number for value in values for number in numbers(value) if number != ""]
        refused = [value for value in values if not _accepts(parameter, value, words)]
        if refused and switched_on():
            # SD.Next makes one image instead of the grid then, which tells what was refused.
            _apply(parameter.name)(p, refused[0], values)
            accepted = ", ".join([parameter.accepted, *words])
            raise RuntimeError("; ".join(str(refusal(parameter.axis, value, accepted)) for value in refused))

    return confirm


def _accepts(parameter: Parameter, value: object, words: Collection[str]) -> bool:
    try:
        parameter.accept(value, words)
    except (ValueError, TypeError, OverflowError):
        return False
    return True
