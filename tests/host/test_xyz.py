"""Our axes in the host's X/Y/Z grid: every cell is the picture that its values make by hand, and says so."""

from __future__ import annotations

import logging
import sys
from itertools import permutations, product

import pytest
from PIL import Image

from .grid import cells, grid, texts
from .loaded import extension
from .reference import NEGATIVE, PROMPT, assert_cond, request
from .test_jobs import hooks, state

SDXL = "sdxl-a"
ALL, L, G, H, MODE, BLEND = (f"[CLIP Skip] {name}" for name in ("All encoders", "L", "G", "H", "Mode", "Blend"))
OFF, AUTO = [False], [True]
REFUSED = "CLIP skip refused"


@pytest.fixture
def opts(host):
    """The host's options; those of ours are as they were, and nothing is kept for any model, before and after."""
    yield host.opts
    for key in [key for key in host.opts.data if key.startswith("clip_skip_ext_")]:
        del host.opts.data[key]
    library().presets.change(dict.clear)


def library():
    return extension().library


def keep(host, checkpoint, skip):
    library().save(extension().host.selected(host.title(checkpoint)), skip, "linear")


def plot(host, checkpoint, args, *axes, **fields):
    return host.txt2img(**request(host, checkpoint, args, **fields, **grid(host, *axes)))


def by_hand(host, checkpoint, args, **fields):
    made = host.txt2img(**request(host, checkpoint, args, **fields))
    return made.images[0].tobytes(), made.info["infotexts"][0]


def read(host, skips, prompts=None, checkpoints=None, passes=("c", "uc")):
    """The grid's cells, in the order in which they were made, were sampled from what `skips` stand for, cell by cell.

    The expected states are those of plain text encoders with the same weights.
    """
    used = iter(host.last_conds)
    for place, expected in enumerate(skips):
        for expected_kind in passes:
            kind, name, cond = next(used)
            assert kind == expected_kind
            assert checkpoints is None or name == checkpoints[place]
            text = NEGATIVE if kind.endswith("uc") else (prompts[place] if prompts else PROMPT)
            assert_cond(host, cond, name, expected, text)
    assert next(used, None) is None


def ours(text):
    """Our keys in an infotext, but for the version."""
    lines = dict(part.split(": ", 1) for part in text.split("\n")[-1].split(", ") if part.startswith("CLIP skip "))
    lines.pop("CLIP skip version", None)
    return lines


# --- cells are what their values make by hand ------------------------------------------------------------------------


def test_nine_cells_in_two_orders_of_axes(host):
    values = {L: (1, 1.5, 2), G: (1, 2.5, 31)}
    made = {(left, g): by_hand(host, SDXL, [True, {"l": left, "g": g}]) for left, g in product(*values.values())}
    for first, second in ((L, G), (G, L)):
        result = plot(host, SDXL, OFF, *((axis, ", ".join(map(str, values[axis]))) for axis in (first, second)))
        order = [dict(zip((second, first), pair, strict=True)) for pair in product(values[second], values[first])]
        expected = [made[cell[L], cell[G]] for cell in order]
        assert list(zip(cells(result), texts(result), strict=True)) == expected
        read(host, [{"l": cell[L], "g": cell[G]} for cell in order])
        assert len(set(cells(result))) == 9
        assert not result.info["comments"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_three_axes(host, order):
    axes = [(L, "1, 1.5"), (G, "2-4 (+2)" if host.like != "sdnext" else "2-4:2"), (BLEND, ["linear", "slerp"])]
    result = plot(host, SDXL, OFF, *(axes[axis] for axis in order))
    lists = [(1, 1.5), (2, 4), ("linear", "slerp")]
    expected = []
    for turn in product(*(lists[axis] for axis in reversed(order))):
        at = dict(zip(reversed(order), turn, strict=True))
        expected.append(by_hand(host, SDXL, [True, {"l": at[0], "g": at[1], "blend": at[2]}]))
    assert list(zip(cells(result), texts(result), strict=True)) == expected


@pytest.mark.parametrize("swapped", [False, True])
def test_an_encoders_own_axis_wins_over_that_of_all(host, swapped):
    axes = [(ALL, "1,3"), (L, "1.5")]
    plot(host, SDXL, OFF, *(axes[::-1] if swapped else axes))
    read(host, [{"l": 1.5, "g": 1}, {"l": 1.5, "g": 3}])


@pytest.mark.parametrize("args, below", [
    (OFF, {"l": 1, "g": 1}),
    (AUTO, {"l": 3, "g": 2.5}),
    ([True, {"mode": "auto"}], {"l": 3, "g": 2.5}),
    ([True, {"l": 4, "g": 5}], {"l": 4, "g": 5}),
    ([True, {"skip": 4}], {"l": 4, "g": 4}),
    ([True, "", "Manual", False, 9.0, 4.0, 5.0, 9.0, "Linear"], {"l": 4, "g": 5}),
    ([True, "", "Manual", True, 6.0, 4.0, 5.0, 9.0, "Linear"], {"l": 6, "g": 6}),
])  # fmt: skip
def test_the_panel_below_has_what_no_axis_has(host, opts, args, below):
    keep(host, SDXL, {"l": 3.0, "g": 2.5})
    plot(host, SDXL, args, (L, "1,2"))
    read(host, [{**below, "l": 1}, {**below, "l": 2}])
    plot(host, SDXL, args, (ALL, "1,2"))
    read(host, [{"l": 1, "g": 1}, {"l": 2, "g": 2}])


def test_an_axis_of_an_encoder_that_the_model_lacks_changes_nothing(host):
    result = plot(host, SDXL, [True, {"l": 2}], (H, "1,3"))
    read(host, [{"l": 2}] * 2)
    assert len(set(cells(result))) == 1 and REFUSED not in str(texts(result))


# --- words -----------------------------------------------------------------------------------------------------------


WORDS = ("trained", "recommended", "preset", "auto", "2")


def test_words_stand_for_what_the_model_has(host, opts):
    keep(host, SDXL, {"l": 3.0, "g": 2.0})
    opts.data["clip_skip_ext_auto_sdxl_g"] = 4
    result = plot(host, SDXL, OFF, (ALL, ", ".join(WORDS)))
    read(host, [{}, {"g": 4}, {"l": 3, "g": 2}, {"l": 3, "g": 2}, {"l": 2, "g": 2}])
    assert [ours(text).get("CLIP skip L") for text in texts(result)] == [None, None, "3", "3", "2"]
    assert [ours(text).get("CLIP skip G") for text in texts(result)] == [None, "4", "2", "2", "2"]
    # for one encoder alone, with the others as the panel has them
    plot(host, SDXL, [True, {"skip": 5}], (G, " Recommended , PRESET"))
    read(host, [{"l": 5, "g": 4}, {"l": 5, "g": 2}])


def test_words_are_asked_of_each_cells_own_model(host, opts):
    keep(host, "sd1-a", {"l": 2.0})
    keep(host, SDXL, {"l": 3.0, "g": 4.0})
    titles = [host.title(SDXL), host.title("sd1-a")]
    plot(host, "sd1-b", OFF, (ALL, "preset, trained"), ("checkpoint", titles))
    read(host, [{"l": 3, "g": 4}, {}, {"l": 2}, {}], checkpoints=[SDXL, SDXL, "sd1-a", "sd1-a"])


def test_a_preset_that_is_not_kept_is_named_and_the_cell_is_as_trained(host, opts):
    result = plot(host, SDXL, [True, {"l": 2}], (G, "preset, 3"))
    read(host, [{}, {"l": 2, "g": 3}])
    assert [REFUSED in text for text in texts(result)] == [True, False]
    assert "preset was refused" in texts(result)[0] and "preset was refused" in result.info["comments"]


# --- Mode and Blend --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swapped", [False, True])
def test_the_axis_mode_decides(host, opts, swapped):
    keep(host, SDXL, {"l": 3.0, "g": 2.5})
    result = plot(host, SDXL, [True, {"l": 4, "g": 5}], (MODE, ["auto", "manual"]))
    read(host, [{"l": 3, "g": 2.5}, {"l": 4, "g": 5}])
    assert [ours(text).get("CLIP skip mode") for text in texts(result)] == [None, "manual"]
    axes = [(MODE, ["auto", "manual"]), (L, "2")]
    plot(host, SDXL, [True, {"l": 4, "g": 5}], *(axes[::-1] if swapped else axes))
    read(host, [{"l": 3, "g": 2.5}, {"l": 2, "g": 5}])
    plot(host, SDXL, [True, "", "Auto", False, 9.0, 4.0, 5.0, 9.0, "Linear"], (MODE, ["manual", "auto"]))
    read(host, [{"l": 4, "g": 5}, {"l": 3, "g": 2.5}])


def test_the_axis_mode_with_the_panel_off(host, opts):
    keep(host, SDXL, {"l": 3.0, "g": 2.5})
    plot(host, SDXL, OFF, (MODE, ["auto", "manual"]))
    read(host, [{"l": 3, "g": 2.5}, {}])


def test_the_axis_blend(host):
    args = [True, {"l": 1.5, "g": 2.5}]
    result = plot(host, SDXL, args, (BLEND, ["slerp", "linear"]))
    expected = [by_hand(host, SDXL, [True, {**args[1], "blend": blend}]) for blend in ("slerp", "linear")]
    assert list(zip(cells(result), texts(result), strict=True)) == expected
    assert expected[0][0] != expected[1][0]


# --- the grid's own ways ---------------------------------------------------------------------------------------------


RANGES = {
    "1-3": ["1", "2", "3"],
    "1-2 (+0.5)": ["1", "1.5", "2"],
    "1-1.3 (+0.1)": ["1", "1.1", "1.2", "1.3"],
    "3-2 (-0.5)": ["3", "2.5", "2"],
    "1 - 2 [5]": ["1", "1.25", "1.5", "1.75", "2"],
    "1-2:3": ["1", "1.5", "2"],
    "auto, 2-3, 1.05": [None, "2", "3", "1.05"],
}


@pytest.mark.parametrize("text", RANGES)
def test_ranges(host, text):
    result = plot(host, "sd1-a", OFF, (L, text))
    assert [ours(text).get("CLIP skip L", "1") for text in texts(result)] == [value or "1" for value in RANGES[text]]
    read(host, [{"l": float(value or 1)} for value in RANGES[text]])


@pytest.mark.parametrize("swapped", [False, True])
def test_beside_the_checkpoint(host, swapped):
    """The grid has its costliest axis in the outermost loop, wherever it stands."""
    models = [SDXL, "sd1-a", "sd2"]
    axes = [(ALL, "1,2.5"), ("checkpoint", [host.title(name) for name in models])]
    result = plot(host, "sd1-b", OFF, *(axes[::-1] if swapped else axes))
    expected = {(name, skip): by_hand(host, name, [True, {"skip": skip}]) for name in models for skip in (1, 2.5)}
    order = [(name, skip) for skip in (1, 2.5) for name in models]
    order = order if swapped else sorted(order, key=lambda cell: models.index(cell[0]))
    assert list(zip(cells(result), texts(result), strict=True)) == [expected[cell] for cell in order]


def test_beside_the_prompt(host):
    result = plot(host, SDXL, OFF, ("prompt", "cat,red fox"), (L, "1,2.5"))
    prompts = [PROMPT, PROMPT.replace("cat", "red fox")] * 2
    read(host, [{}, {}, {"l": 2.5}, {"l": 2.5}], prompts)
    expected = [by_hand(host, SDXL, [True, {"l": skip}], prompt=text)
                for text, skip in zip(prompts, (1, 1, 2.5, 2.5), strict=True)]  # fmt: skip
    assert list(zip(cells(result), texts(result), strict=True)) == expected


def test_beside_hires(host):
    fields = {"enable_hr": True, "hr_scale": 2}
    result = plot(host, SDXL, OFF, ("hires steps", "1,2"), (ALL, "1.5,3"), **fields)
    read(host, [{"l": skip, "g": skip} for skip in (1.5, 1.5, 3, 3)], passes=("c", "uc", "hr_c", "hr_uc"))
    expected = [by_hand(host, SDXL, [True, {"skip": skip}], **fields, hr_second_pass_steps=steps)
                for skip in (1.5, 3) for steps in (1, 2)]  # fmt: skip
    assert cells(result) == [pixels for pixels, _ in expected]


def test_in_img2img(host):
    picture = {"init_images": [Image.new("RGB", (64, 64), "teal")]}
    made = host.img2img(**request(host, SDXL, OFF, **picture, **grid(host, (G, "1,2.5"))))
    read(host, [{}, {"g": 2.5}])
    assert [ours(text).get("CLIP skip G") for text in texts(made)] == [None, "2.5"]


def test_in_an_inner_pass_of_another_extension(host):
    plot(host, SDXL, OFF, (L, "1,2.5"), inner_pass=True)
    read(host, [{}, {"l": 2.5}], passes=("c", "uc", "c", "uc"))


def test_beside_the_hosts_own_slider(host):
    """Its axis has no say where one of ours has."""
    result = plot(host, "sd1-a", OFF, ("skip", "1,3"), (L, "2"))
    read(host, [{"l": 2}] * 2)
    assert len(set(cells(result))) == 1


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_bad_value_is_named_and_its_cell_is_as_trained(host, caplog):
    logging.getLogger("clip_skip").propagate = True
    result = plot(host, SDXL, [True, {"g": 2}], (L, "12, 1.5"))  # SD 1.x has 12, and another axis can have its models
    read(host, [{}, {"l": 1.5, "g": 2}])
    for text, named in zip(texts(result), ("12 was refused", None), strict=True):
        assert (REFUSED in text) == (named is not None) and (named or "") in text
        assert named is None or any(named in record.getMessage() for record in caplog.records)
    assert "12 was refused" in result.info["comments"]  # the grid's result is that of its first cell


@pytest.mark.parametrize("axes", [[(L, "1.5, 99")], [(G, "1, 2"), (L, "two, 1.5")]])
def test_what_no_model_can_use_is_refused_before_the_run(host, axes):
    """SD.Next says so in its log, and makes one image; that is as trained, and names the value."""
    if host.like != "sdnext":
        with pytest.raises(Exception, match="was refused, accepted is a number from 1 to 12"):
            plot(host, SDXL, [True, {"g": 2}], *axes)
        assert host.last_conds == []
        return
    result = plot(host, SDXL, [True, {"g": 2}], *axes)
    assert len(result.images) == 1 and "was refused" in str(host.errors)
    del host.errors[:]
    read(host, [{}])
    assert "was refused" in result.info["comments"] and REFUSED in result.info["infotexts"][0]


def test_the_text_of_the_whole_grid(host):
    result = plot(host, SDXL, OFF, (L, "2,1"), (G, "3"), (BLEND, ["linear"]))
    sheet, first, second = result.info["infotexts"]
    assert ours(sheet) == ours(first) == {"CLIP skip mode": "manual", "CLIP skip L": "2", "CLIP skip G": "3"}
    assert ours(second) == {"CLIP skip mode": "manual", "CLIP skip G": "3"}
    assert f"X Type: {L}" in sheet and 'X Values: "2,1"' in sheet and "Z Values: linear" in sheet


def test_infotext_switched_off_is_off_in_cells(host, opts):
    opts.data["clip_skip_ext_infotext"] = False
    result = plot(host, SDXL, OFF, (L, "2,3"))
    assert "CLIP skip" not in str(texts(result)) and len(set(cells(result))) == 2


def test_off_in_settings_every_cell_is_bare(host, opts):
    bare = by_hand(host, SDXL, OFF)
    opts.data["clip_skip_ext_enabled"] = False
    result = plot(host, SDXL, [True, {"l": 3}], (L, "2,nonsense"))
    assert list(zip(cells(result), texts(result), strict=True)) == [bare] * 2


# --- before and after ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [OFF, AUTO, [True, {"l": 2}]])
def test_nothing_is_left_after_the_grid(host, args):
    before = by_hand(host, SDXL, args), state(host)
    for axes in permutations([(L, "3, 12"), (MODE, ["auto"])]):
        plot(host, SDXL, args, *axes)
        assert hooks(host) == []
    assert (by_hand(host, SDXL, args), state(host)) == before


def test_a_cell_that_fails_leaves_the_others_and_nothing_behind(host):
    """What raises in the midst of one cell is the grid's to report; the next cell is its own."""
    bare = by_hand(host, SDXL, OFF)
    failing = "__raise__"
    result = plot(host, SDXL, OFF, ("prompt", f"cat,cat {failing},dog"), (L, "2"))
    del host.errors[:]
    blank, made = [cells(result)[1]], [cells(result)[0], cells(result)[2]]
    assert not any(any(pixel) for pixel in blank)
    prompts = [PROMPT, PROMPT.replace("cat", "dog")]
    assert made == [by_hand(host, SDXL, [True, {"l": 2}], prompt=prompt)[0] for prompt in prompts]
    assert hooks(host) == [] and by_hand(host, SDXL, OFF) == bare


def test_registered_once_also_after_reload_ui(host):
    """SD.Next keeps its list of axes over a reload, as Forge Classic does; both of its grids have that one."""
    for _ in range(3):
        grids = axes_of(host)
        assert [list(axes) for axes in grids] == [[MODE, ALL, L, G, H, BLEND]] * (2 if host.like == "sdnext" else 1)
        code = vars(sys.modules["clip_skip.interfaces.grid"])
        assert all(option.apply.__globals__ is code for axes in grids for option in axes.values())
        plot(host, SDXL, OFF, (L, "1,2.5"))
        read(host, [{}, {"l": 2.5}])
        host.reload_ui()


def axes_of(host):
    """Our entries in each grid's list, by their label."""
    found = []
    for script in host.module("scripts").scripts_data:
        if script.script_class.__module__ in ("xyz_grid.py", "xyz_grid_on.py"):
            entries = [(option.label, option) for option in script.module.axis_options if "CLIP Skip" in option.label]
            assert len(dict(entries)) == len(entries)
            found.append(dict(entries))
    return found
