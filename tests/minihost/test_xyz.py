"""The X/Y/Z plot, in the ways of the hosts that an extension's axes meet."""

from __future__ import annotations

import pytest

LIKES = ["a1111", "forge", "sdnext"]
SMALL = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1}


def title(like):
    return "XYZ Grid Script" if like == "sdnext" else "X/Y/Z plot"


def module(booted, name="xyz_grid.py"):
    (found,) = [d.module for d in booted.module("scripts").scripts_data if d.script_class.__module__ == name]
    return found


def plot(booted, *args, **fields):
    return booted.txt2img(**{**SMALL, **fields}, script_name=title(booted.like), script_args=[*args])


class Log(list):
    """An axis that notes what it is given, and in which order."""

    def add_to(self, booted, label, tipe, **how):
        grid = module(booted)
        name = "fmt" if booted.like == "sdnext" else "format_value"
        option = grid.AxisOption(label, tipe, lambda p, x, xs: self.append((label, x)), **{
            name: lambda p, option, x: f"<{x}>"}, **how)  # fmt: skip
        grid.axis_options.append(option)
        for tab in ("txt2img", "img2img"):  # the scripts' lists are made with their widgets
            runner = getattr(booted.module("scripts"), f"scripts_{tab}")
            runner.script(title(booted.like)).current_axis_options.append(option)
        return self


@pytest.mark.parametrize("like", LIKES)
def test_a_cell_is_the_picture_made_with_its_values(host, like):
    booted = host(like)
    skip, seed = ("[Param] CLiP-skip", "[Param] Seed") if like == "sdnext" else ("Clip skip", "Seed")
    made = plot(booted, skip, "1,2", [], seed, "1,5", [], 0, "", [])
    by_hand = []
    for number in (1, 5):
        for value in (1, 2):
            how = {"clip_skip": float(value)} if like == "sdnext" else {}
            override = {} if like == "sdnext" else {"override_settings": {"CLIP_stop_at_last_layers": value}}
            by_hand.append(booted.txt2img(**{**SMALL, "seed": number}, **how, **override))
    assert [image.tobytes() for image in made.images[1:]] == [one.images[0].tobytes() for one in by_hand]
    assert made.info["infotexts"][1:] == [one.info["infotexts"][0] for one in by_hand]
    first = made.info["infotexts"][0]
    assert f"Script: {title(like)}" in first and f"X Type: {skip}" in first and 'Y Values: "1,5"' in first
    assert made.images[0].width >= 2 * 64 and made.images[0].height >= 2 * 64


@pytest.mark.parametrize("like, text, expected", [
    ("a1111", "1-3", [1, 2, 3]),
    ("a1111", "1-2 (+0.5)", [1, 1.5, 2]),
    ("a1111", "1-3 [5], 7", [1, 1.5, 2, 2.5, 3, 7]),
    ("sdnext", "1-3", [1, 3]),
    ("sdnext", "1-3:5,7", [1, 1.5, 2, 2.5, 3, 7]),
    ("sdnext", "1,word,2", [1, 2]),
])  # fmt: skip
def test_ranges_are_for_axes_whose_type_is_a_number(host, like, text, expected):
    booted = host(like)
    numbers = Log().add_to(booted, "Number", float)
    plot(booted, "Number", text)
    assert numbers == [("Number", x) for x in expected]
    assert all(type(x) is float for _, x in numbers)
    words = Log().add_to(booted, "Text", lambda text: text)
    plot(booted, "Text", text)
    assert [x for _, x in words] == [part.strip() for part in text.split(",")]


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("costs, order", [
    ((0, 0, 0), "a1x a2x a1y a2y b1x b2x b1y b2y"),  # x runs fastest, z slowest
    ((1, 0, 0), "a1x a1y b1x b1y a2x a2y b2x b2y"),
    ((1, 0.5, 0), "a1x b1x a1y b1y a2x b2x a2y b2y"),
    ((0, 1, 0), "a1x a2x b1x b2x a1y a2y b1y b2y"),
    ((0, 1, 1), "a1x a2x a1y a2y b1x b2x b1y b2y"),
])  # fmt: skip
def test_the_costliest_axis_is_the_outermost_loop(host, like, costs, order):
    booted = host(like)
    log = Log()
    for label, cost in zip("XYZ", costs, strict=True):
        log.add_to(booted, label, str, cost=cost)
    plot(booted, "X", "1,2", [], "Y", "x,y", [], "Z", "a,b", [])
    made = [dict(log[i : i + 3]) for i in range(0, len(log), 3)]
    assert " ".join(cell["Z"] + cell["X"] + cell["Y"] for cell in made) == order


@pytest.mark.parametrize("like", LIKES)
def test_confirm_may_change_the_list_and_refuse_it(host, like):
    booted = host(like)
    log = Log().add_to(booted, "Axis", str, confirm=lambda p, xs: xs.extend(x * 2 for x in list(xs)))
    plot(booted, "Axis", "a,b")
    assert [x for _, x in log] == ["a", "b", "aa", "bb"]

    def refuse(p, xs):
        raise ValueError("refused")

    log = Log().add_to(booted, "Refusing", str, confirm=refuse)
    if like == "sdnext":  # which reports it, and makes the image as without a plot
        plot(booted, "Refusing", "a")
    else:
        with pytest.raises(ValueError, match="refused"):
            plot(booted, "Refusing", "a")
    assert log == []


@pytest.mark.parametrize("like", LIKES)
def test_choices_are_picked(host, like):
    booted = host(like)
    log = Log().add_to(booted, "Axis", str, choices=lambda: ["a", "b, c"])
    plot(booted, "Axis", "", ["b, c", "a"])
    assert [x for _, x in log] == ["b, c", "a"]


def test_sdnexts_second_grid_takes_the_place_of_the_job(host):
    booted = host("sdnext")
    grid, second = module(booted), module(booted, "xyz_grid_on.py")
    assert grid.axis_options is second.axis_options and grid.AxisOption is second.AxisOption
    args = [True, "[Param] Seed", "1,5", []]
    made = booted.txt2img(**SMALL, alwayson_scripts={"XYZ Grid": {"args": args}})
    by_hand = [booted.txt2img(**{**SMALL, "seed": seed}).images[0].tobytes() for seed in (1, 5)]
    assert [image.tobytes() for image in made.images[1:]] == by_hand
    off = booted.txt2img(**SMALL)
    assert [image.tobytes() for image in off.images] == by_hand[:1]


@pytest.mark.parametrize("like", LIKES)
def test_the_list_of_axes_is_new_after_a_reload_but_in_sdnext(host, like):
    booted = host(like)
    before = module(booted).axis_options
    booted.reload_ui()
    assert (module(booted).axis_options is before) == (like == "sdnext")
