"""The axes of a grid: what they take, and how a cell's values act on what the panel or the API asks for."""

import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.interfaces import grid
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.auto import Auto
from clip_skip.skip.parameters import PARAMETERS
from clip_skip.skip.plan import resolve
from clip_skip.skip.request import parse

SDXL = ARCHITECTURES["sdxl"]
PANEL = [True, "", "manual", False, 1.0, 2.0, 3.0, 1.0, "slerp"]
AUTO = [True, "", "auto", False, 1.0, 2.0, 3.0, 1.0, "slerp"]
MEANT = {
    "trained": Auto({"l": 1.0, "g": 1.0}),
    "recommended": Auto({"l": 1.0, "g": 1.5}, source="modelspec"),
    "preset": Auto({"l": 2.5, "g": 4.0}, "slerp", "preset"),
    "auto": Auto({"l": 2.5, "g": 4.0}, "slerp", "preset"),
}


class Axis:
    def __init__(self, label, type, apply, confirm=None, choices=None):
        self.label, self.type, self.apply, self.confirm, self.choices = label, type, apply, confirm, choices


def scripts(axes, name="xyz_grid.py"):
    module = SimpleNamespace(axis_options=axes, AxisOption=Axis)
    return SimpleNamespace(script_class=type("Script", (), {"__module__": name}), module=module)


@pytest.fixture
def axes():
    made = [Axis("Steps", int, None)]
    grid.register([scripts([], "other.py"), scripts(made)], lambda: True)
    return {axis.label: axis for axis in made}


def test_there_is_one_axis_for_each_parameter_and_a_second_call_takes_its_place():
    made = [Axis("Steps", int, None)]
    both = [scripts(made), scripts(made, "xyz_grid_on.py")]  # SD.Next's two scripts have one list
    grid.register(both, lambda: True)
    first = list(made)
    grid.register(both, lambda: True)
    labels = ["Steps", "[CLIP Skip] Mode", "[CLIP Skip] All encoders"]
    labels += ["[CLIP Skip] L", "[CLIP Skip] G", "[CLIP Skip] H", "[CLIP Skip] Blend"]
    assert [axis.label for axis in first] == [axis.label for axis in made] == labels
    assert not set(first[1:]) & set(made[1:])


def test_a_grid_of_an_unknown_make_costs_a_line_in_the_log(caplog):
    grid.register([scripts(None)], lambda: True)
    assert "gets no axes" in caplog.text
    grid.register([], lambda: True)


@pytest.mark.parametrize(
    "text, numbers",
    [
        ("1", [1]),
        ("1.5", [1.5]),
        (" trained ", ["trained"]),
        ("1-3", [1, 2, 3]),
        ("3-1", [3, 2, 1]),
        ("1-2 (+0.5)", [1, 1.5, 2]),
        ("1-2.2 (+0.5)", [1, 1.5, 2]),
        ("2-1(-0.25)", [2, 1.75, 1.5, 1.25, 1]),
        ("1-2 [5]", [1, 1.25, 1.5, 1.75, 2]),
        ("1-2:3", [1, 1.5, 2]),
        ("1-3 [1]", [1, 3]),
        ("1.5-2.5", [1.5, 2.5]),
        ("", []),
    ],
)
def test_values_and_ranges(axes, text, numbers):
    axis = axes["[CLIP Skip] L"]
    values = [axis.type(text)]
    axis.confirm(SimpleNamespace(), values)
    assert [value.strip() if isinstance(value, str) else value for value in values] == numbers


@pytest.mark.parametrize("axis, text, said", [
    ("L", "99", "99 was refused, accepted is a number from 1 to 12, trained, recommended, preset, auto"),
    ("L", "foo", "foo was refused, accepted is a number from 1 to 12, trained, recommended, preset, auto"),
    ("G", "0.5", "0.5 was refused, accepted is a number from 1 to 32, trained, recommended, preset, auto"),
    ("L", ".5-1.5", "0.5 was refused"),
    ("L", "1-3 (-1)", "1-3 (-1) was refused"),  # never gets there
    ("L", "1-2 (+0.0000001)", "1-2 (+0.0000001) was refused"),
    ("L", "-1", "-1 was refused"),
    ("L", "x-y", "x-y was refused"),
    ("L", "nan", "nan was refused"),
    ("Mode", "trained", 'trained was refused, accepted is "auto" or "manual"'),
    ("Blend", "cubic", 'cubic was refused, accepted is "linear" or "slerp"'),
])  # fmt: skip
def test_what_no_model_can_use_is_refused_before_the_run(axes, axis, text, said):
    label, job = f"[CLIP Skip] {axis}", SimpleNamespace()
    with pytest.raises(RuntimeError, match=re.escape(f"{label} {said}")):
        axes[label].confirm(job, [axes[label].type(text)])
    assert parse(axes=grid.asked(job)).refusals  # a host that goes on without the grid says so with its image


def test_all_that_is_refused_is_named(axes):
    with pytest.raises(RuntimeError) as error:
        axes["[CLIP Skip] L"].confirm(SimpleNamespace(), [1.0, 99.0, "foo", "auto"])
    assert "L 99 was" in str(error.value) and "L foo was" in str(error.value) and "auto was" not in str(error.value)


def test_off_is_off():
    made = []
    grid.register([scripts(made)], lambda: False)
    values = [99.0, "1-2"]
    made[1].confirm(SimpleNamespace(), values)
    assert values == [99.0, 1, 2]


def test_words_are_offered_where_words_are_taken(axes):
    assert axes["[CLIP Skip] Mode"].choices() == ["auto", "manual"]
    assert axes["[CLIP Skip] Blend"].choices() == ["linear", "slerp"]


def test_cells_that_are_shallow_copies_do_not_see_each_others_values(axes):
    job = SimpleNamespace()
    cells = [SimpleNamespace(**vars(job)) for _ in range(2)]
    axes["[CLIP Skip] L"].apply(cells[0], 2.0, [2.0])
    copied = SimpleNamespace(**vars(cells[0]))
    axes["[CLIP Skip] G"].apply(copied, 3.0, [3.0])
    assert (grid.asked(cells[0]), grid.asked(copied), grid.asked(cells[1])) == ({"l": 2.0}, {"l": 2.0, "g": 3.0}, {})


@pytest.mark.parametrize(
    "args, axes, skips, blend",
    [
        ([], {"l": 2.0}, {"l": 2, "g": 1}, "linear"),  # the panel is off
        ([False], {"skip": 2.0}, {"l": 2, "g": 2}, "linear"),
        (PANEL, {}, {"l": 2, "g": 3}, "slerp"),
        (PANEL, {"l": 5.0}, {"l": 5, "g": 3}, "slerp"),
        (PANEL, {"skip": 5.0}, {"l": 5, "g": 5}, "slerp"),
        (PANEL, {"skip": 5.0, "g": 2.0}, {"l": 5, "g": 2}, "slerp"),
        (PANEL, {"blend": "linear"}, {"l": 2, "g": 3}, "linear"),
        (PANEL, {"mode": "auto"}, {"l": 2.5, "g": 4}, "slerp"),
        (PANEL, {"mode": "auto", "l": 5.0}, {"l": 2.5, "g": 4}, "slerp"),
        (AUTO, {}, {"l": 2.5, "g": 4}, "slerp"),
        (AUTO, {"mode": "manual"}, {"l": 2, "g": 3}, "slerp"),  # the panel's numbers, which it keeps in Auto
        (AUTO, {"l": 5.0}, {"l": 5, "g": 4}, "linear"),  # what no axis varies stays as it is
        (AUTO, {"skip": 5.0}, {"l": 5, "g": 5}, "linear"),
        (AUTO, {"blend": "linear"}, {"l": 2.5, "g": 4}, "linear"),
        ([True, {"mode": "auto", "l": 3}], {"mode": "manual"}, {"l": 3, "g": 1}, "linear"),
        ([True, {"skip": 3}], {"g": 1.5}, {"l": 3, "g": 1.5}, "linear"),
        ([True, {"l": 3}], {"mode": "auto"}, {"l": 2.5, "g": 4}, "slerp"),
        ([True, {"l": 3}], {"blend": "slerp"}, {"l": 3, "g": 1}, "slerp"),
        ([True], {"l": "trained"}, {"l": 1, "g": 4}, "linear"),
        (PANEL, {"skip": "recommended"}, {"l": 1, "g": 1.5}, "slerp"),
        (PANEL, {"g": "Preset "}, {"l": 2, "g": 4}, "slerp"),
        (PANEL, {"skip": "auto", "l": 1.0}, {"l": 1, "g": 4}, "slerp"),
    ],
)
def test_an_axis_acts_on_top_of_what_is_asked_for(args, axes, skips, blend):
    for order in (axes, dict(reversed(axes.items()))):
        request = parse(*args, axes=order)
        plan = resolve(request, SDXL, MEANT.get)
        assert request.enabled and (not axes or request.mode == axes.get("mode", "manual"))
        assert (plan.refusals, plan.skips, plan.blend) == ((), skips, blend)


@pytest.mark.parametrize(
    "axes, named",
    [({"l": "foo"}, "l foo"), ({"skip": 99.0}, "skip 99"), ({"mode": "x"}, "mode x"), ({"l": 20.0}, "l 20")],
)
@pytest.mark.parametrize("args", [[], PANEL])
def test_a_bad_value_is_named_and_the_cell_is_as_trained(args, axes, named):
    request = parse(*args, axes=axes)
    plan = resolve(request, SDXL, MEANT.get)
    assert request.enabled and plan.as_trained and named in str(plan.refusals[0])


def test_the_preset_of_a_model_without_one_is_refused():
    plan = resolve(parse(axes={"l": "preset"}), SDXL)
    assert plan.as_trained and "CLIP-L preset was refused" in str(plan.refusals[0])


@given(st.dictionaries(st.sampled_from(list(PARAMETERS)), st.floats() | st.text() | st.sampled_from(list(MEANT))))
def test_no_axis_ever_raises(axes):
    for args in ([], PANEL, AUTO):
        plan = resolve(parse(*args, axes=axes), SDXL, MEANT.get)
        assert set(plan.skips) == {"l", "g"} and (plan.as_trained or not plan.refusals)
