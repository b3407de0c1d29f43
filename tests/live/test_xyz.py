"""The extension's axes in a running WebUI's own grid: each cell is the image that the same values make by hand.

`pytest tests/live/test_xyz.py --webui URL`, and once more after a Reload UI of the same server.
"""

from __future__ import annotations

import pytest

ALL, L, G, H, MODE, BLEND = AXES = [f"[CLIP Skip] {name}" for name in ("All encoders", "L", "G", "H", "Mode", "Blend")]

pytestmark = pytest.mark.usefixtures("no_presets")


@pytest.fixture
def auto_of_sd1(webui):
    """What the settings say to Auto of SD 1.x: neither as trained nor what any test keeps for a model."""
    webui.post("/sdapi/v1/options", {"clip_skip_ext_auto_sd1_l": 3})
    yield 3
    webui.post("/sdapi/v1/options", {"clip_skip_ext_auto_sd1_l": 1})


def numbers(picture):
    return {key.lower(): float(value) for key, value in picture.keys.items() if key in ("CLIP skip L", "CLIP skip G")}


def hold(webui, checkpoint, first, second, by_hand, **grid):
    """Every cell of two axes, an axis being its label and its values, against `by_hand(one, other)`; in both orders.

    Equal in pixels and in what their infotexts say of the skip; no two cells are alike.
    """
    expected = {(one, other): by_hand(one, other) for one in first[1:] for other in second[1:]}
    assert len({picture.pixels for picture in expected.values()}) == len(expected)
    one, other = ((axis[0], ", ".join(axis[1:])) for axis in (first, second))
    across = webui.grid(checkpoint, one, other, **grid)
    down = webui.grid(checkpoint, other, one, **grid)
    cells = [(x, y) for y in second[1:] for x in first[1:]]
    for made, order in ((across, cells), (down, sorted(cells, key=lambda cell: first.index(cell[0])))):
        assert [(cell.pixels, cell.keys) for cell in made] == [(expected[c].pixels, expected[c].keys) for c in order]


@pytest.mark.parametrize("kind", ["txt2img", "img2img"])
def test_each_axis_is_offered_once(webui, kind):
    for script in webui.grids:
        offered = webui.axes(script, kind)
        assert [offered.count(label) for label in AXES] == [1] * 6
        assert sum("CLIP Skip" in label for label in offered) == 6


def test_a_3_by_3_grid_of_clip_l_and_clip_g(webui, sdxl):
    def by_hand(of_l, of_g):
        return webui.txt2img(sdxl, [True, {"l": float(of_l), "g": float(of_g)}])

    hold(webui, sdxl, (L, "1", "1.5", "3"), (G, "1", "2", "2.25"), by_hand, args=[False])


def test_a_3_by_3_grid_beside_another_axis(webui, sd1):
    def by_hand(skip, scale):
        return webui.txt2img(sd1, [True, {"skip": float(skip)}], cfg_scale=float(scale))

    for script in webui.grids:
        axes = (ALL, "1", "1.5", "2"), (webui.axis("CFG Scale"), "3", "5", "9")
        hold(webui, sd1, *axes, by_hand, script=script)


def test_beside_an_axis_of_prompts(webui, sd1):
    def by_hand(skip, animal):
        return webui.txt2img(sd1, [True, {"skip": float(skip)}], prompt=f"a photo of a {animal}")

    axes = (ALL, "1", "2.5"), (webui.axis("Prompt S/R"), "cat", "horse", "red bird")
    hold(webui, sd1, *axes, by_hand, prompt="a photo of a cat")


def test_beside_an_axis_of_checkpoints(webui, sd1, sdxl):
    def by_hand(checkpoint, skip):
        return webui.txt2img(checkpoint, [True, {"skip": float(skip)}])

    axes = (webui.axis("Checkpoint name"), sd1, sdxl, webui.of("sd1")[1]), (ALL, "1", "1.5", "3")
    hold(webui, sd1, *axes, by_hand)


def test_with_a_second_pass(webui, sd1):
    def by_hand(skip, scale):
        return webui.txt2img(sd1, [True, {"skip": float(skip)}], cfg_scale=float(scale), **webui.hires)

    hold(webui, sd1, (ALL, "1", "1.5", "3"), (webui.axis("CFG Scale"), "5", "9"), by_hand, **webui.hires)
    assert by_hand(3, 5).each != webui.txt2img(sd1, [True, {"skip": 3}], cfg_scale=5).each


def test_in_img2img(webui, sd1):
    def by_hand(skip, scale):
        return webui.img2img(sd1, [True, {"skip": float(skip)}], cfg_scale=float(scale))

    axes = (ALL, "1", "2.5"), (webui.axis("CFG Scale"), "5", "9")
    hold(webui, sd1, *axes, by_hand, kind="img2img")


def test_an_encoders_own_axis_wins_over_that_of_all(webui, sdxl):
    def by_hand(skip, g):
        return webui.txt2img(sdxl, [True, {"skip": float(skip), "g": float(g)}])

    hold(webui, sdxl, (ALL, "2", "3"), (G, "1", "1.5"), by_hand)


@pytest.mark.parametrize("typed", ["range", "count"])
def test_a_range_in_the_grids_own_words(webui, sd1, typed):
    counted = "1-2:3" if webui.name == "sdnext" else "1-2 [3]"
    text = counted if typed == "count" or webui.name == "sdnext" else "1-2 (+0.5)"
    made = webui.grid(sd1, (ALL, text))
    expected = [webui.txt2img(sd1, [True, {"skip": skip}]) for skip in (1, 1.5, 2)]
    assert [(cell.pixels, cell.keys) for cell in made] == [(each.pixels, each.keys) for each in expected]


def test_words_beside_numbers(webui, sd1, auto_of_sd1):
    webui.keep(sd1, {"l": 2.5})
    made = webui.grid(sd1, (ALL, "trained, recommended, preset, auto, 4, Preset"))
    skips = (1, auto_of_sd1, 2.5, 2.5, 4, 2.5)
    expected = [webui.txt2img(sd1, [True, {"l": skip}]) for skip in skips]
    assert [cell.pixels for cell in made] == [each.pixels for each in expected]
    assert [numbers(cell) for cell in made] == [numbers(each) for each in expected]
    assert len({cell.pixels for cell in made}) == 4


def test_words_for_one_encoder(webui, sdxl):
    webui.keep(sdxl, {"l": 2.5, "g": 3})

    def by_hand(of_l, of_g):
        return webui.txt2img(sdxl, [True, {"l": {"trained": 1, "preset": 2.5}[of_l], "g": {"preset": 3, "2": 2}[of_g]}])

    hold(webui, sdxl, (L, "trained", "preset"), (G, "preset", "2"), by_hand)


def test_a_preset_that_is_not_kept_is_named_and_its_cell_is_as_trained(webui, sd1):
    refused, good = webui.grid(sd1, (ALL, "preset, 2"), args=[True, {"skip": 3}])
    assert refused.pixels == webui.txt2img(sd1, [True, {"skip": 1}]).pixels
    assert "preset" in refused.keys["CLIP skip refused"] and not numbers(refused)
    expected = webui.txt2img(sd1, [True, {"skip": 2}])
    assert (good.pixels, good.keys) == (expected.pixels, expected.keys)


def test_the_axis_of_modes(webui, sd1):
    webui.keep(sd1, {"l": 2})
    made = webui.grid(sd1, (MODE, "auto, manual"), args=[True, {"mode": "auto", "l": 3}])
    expected = [webui.txt2img(sd1, [True, {"l": skip}]) for skip in (2, 3)]
    assert [cell.pixels for cell in made] == [each.pixels for each in expected]
    assert [cell.keys.get("CLIP skip mode") for cell in made] == [None, "manual"]


def test_the_axis_of_modes_decides_beside_numbers(webui, sd1):
    webui.keep(sd1, {"l": 2})
    skips = {("auto", "3"): 2, ("auto", "4"): 2, ("manual", "3"): 3, ("manual", "4"): 4}
    expected = {cell: webui.txt2img(sd1, [True, {"l": skip}]).pixels for cell, skip in skips.items()}
    across = webui.grid(sd1, (MODE, "auto, manual"), (ALL, "3, 4"))
    down = webui.grid(sd1, (ALL, "3, 4"), (MODE, "auto, manual"))
    assert [cell.pixels for cell in across] == [expected[mode, n] for n in ("3", "4") for mode in ("auto", "manual")]
    assert [cell.pixels for cell in down] == [expected[mode, n] for mode in ("auto", "manual") for n in ("3", "4")]


def test_the_axis_of_blends(webui, sd1):
    def by_hand(blend, skip):
        return webui.txt2img(sd1, [True, {"skip": float(skip), "blend": blend}])

    hold(webui, sd1, (BLEND, "linear", "slerp"), (ALL, "1.5", "2.25"), by_hand)


@pytest.mark.parametrize(
    "args, axis, expected",
    [
        ([False], L, {"l": 3}),
        ([True], L, {"l": 3, "g": 2.5}),
        ([True, {"l": 2, "g": 4}], L, {"l": 3, "g": 4}),
        ([True, {"l": 2, "g": 4}], ALL, {"skip": 3}),
    ],
    ids=["off", "auto", "manual", "manual-all"],
)
def test_what_is_asked_for_beside_the_axis_holds(webui, sdxl, args, axis, expected):
    webui.keep(sdxl, {"l": 2, "g": 2.5})
    (made,) = webui.grid(sdxl, (axis, "3"), args=args)
    by_hand = webui.txt2img(sdxl, [True, expected])
    assert (made.pixels, made.keys) == (by_hand.pixels, by_hand.keys)


def test_a_grid_leaves_nothing_behind(webui, sd1, sdxl):
    before = [webui.txt2img(name, [False]) for name in (sdxl, sd1)]
    assert len({cell.pixels for cell in webui.grid(sd1, (ALL, "2, 3"), args=[True, {"skip": 4}])}) == 2
    assert [webui.txt2img(name, [False]) for name in (sdxl, sd1)] == before
    assert webui.txt2img(sd1, [True, {"skip": 4}]).keys["CLIP skip L"] == "4"
