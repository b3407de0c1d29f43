"""Our axes where a grid is other than usual: SD.Next's second one, one that is kept, missing or broken."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest

from .conftest import LIKES
from .grid import cells, grid
from .reference import request
from .test_jobs import hooks
from .test_xyz import ALL, G, L, axes_of, by_hand, ours, plot, read

SDXL = "sdxl-a"


@pytest.mark.parametrize("args", [[False], [True], [True, {"g": 4}]])
def test_sdnexts_second_grid(boot, args):
    """It makes its cells inside the job that it replaces, which then encodes nothing of its own."""
    host = boot("sdnext", "sdxl")
    body = request(host, SDXL, args)
    body["alwayson_scripts"]["XYZ Grid"] = {"args": [True, L, "1,2.5", [], ALL, "3,1", []]}
    made = host.txt2img(**body)
    read(host, [{"l": x, "g": y} for y in (3, 1) for x in (1, 2.5)])
    expected = [by_hand(host, SDXL, [True, {"l": x, "g": y}]) for y in (3, 1) for x in (1, 2.5)]
    assert list(zip(cells(made), made.info["infotexts"][1:], strict=True)) == expected
    assert ours(made.info["infotexts"][0]) == ours(expected[0][1])
    assert "not applied" not in made.info["comments"] and hooks(host) == []
    bare = by_hand(host, SDXL, args)
    assert by_hand(host, SDXL, args) == bare


def test_a_list_that_a_host_of_the_a1111_line_keeps_over_reload_ui(boot, monkeypatch):
    """Forge Classic's is in a library of its own."""
    host = boot("a1111", "sdxl")
    kept = host.module("xyz_axes").axes()
    monkeypatch.setattr(host.module("xyz_axes"), "axes", lambda: kept)
    for _ in range(3):
        host.reload_ui()
        (axes,) = axes_of(host)
        assert len(axes) == 6
        code = vars(sys.modules["clip_skip.interfaces.grid"])
        assert all(option.apply.__globals__ is code for option in axes.values())
        plot(host, SDXL, [False], (L, "1,2.5"), (G, "2"))
        read(host, [{"g": 2}, {"l": 2.5, "g": 2}])


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("broken", [
    SimpleNamespace(),
    SimpleNamespace(axis_options=None, AxisOption=None),
    SimpleNamespace(axis_options=[], AxisOption=lambda *args: None),
    None,
])  # fmt: skip
def test_a_grid_that_is_broken_costs_a_line_in_the_log(boot, monkeypatch, caplog, like, broken):
    host = boot(like, "sdxl")
    logging.getLogger("clip_skip").propagate = True
    loaded = host.module("scripts").scripts_data
    odd = SimpleNamespace(script_class=type("Script", (), {"__module__": "xyz_grid.py"}), module=broken)
    monkeypatch.setattr(host.module("scripts"), "scripts_data", [odd, *loaded])
    for axes in axes_of_all(loaded):
        axes[:] = [option for option in axes if "CLIP Skip" not in option.label]
    host.module("script_callbacks").call("before_ui")
    assert [record.levelname for record in caplog.records if record.name == "clip_skip"] == ["ERROR"]
    monkeypatch.undo()
    assert all(len(axes) == 6 for axes in axes_of(host))  # the other grid has its axes all the same
    assert host.errors == []
    plot(host, SDXL, [False], (L, "1,2.5"))
    read(host, [{}, {"l": 2.5}])


def axes_of_all(scripts_data):
    return [script.module.axis_options for script in scripts_data
            if script.script_class.__module__ in ("xyz_grid.py", "xyz_grid_on.py")]  # fmt: skip


@pytest.mark.parametrize("like", LIKES)
def test_a_host_without_a_grid(boot, monkeypatch, caplog, like):
    host = boot(like, "sdxl")
    logging.getLogger("clip_skip").propagate = True
    monkeypatch.setattr(host.module("scripts"), "scripts_data", [])
    host.module("script_callbacks").call("before_ui")
    assert not [record for record in caplog.records if record.name == "clip_skip"]
    monkeypatch.undo()
    assert host.errors == []
    host.txt2img(**request(host, SDXL, [True, {"l": 2}]))
    read(host, [{"l": 2}])


@pytest.mark.parametrize("like", LIKES)
def test_the_flag_that_disables_leaves_the_grid_alone(boot, like):
    host = boot(like, "sdxl", argv=["--clip-skip-disable"])
    assert axes_of(host) == [{}] * (2 if like == "sdnext" else 1)
    assert "[CLIP Skip] L" not in str(grid(host)) and host.errors == []
