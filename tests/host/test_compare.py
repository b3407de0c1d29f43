"""Compare: one job makes the picture at several skips; each is the one that is made alone, and says so."""

from __future__ import annotations

import copy
import json
import sys
from types import SimpleNamespace

import pytest
from PIL import Image

from .grid import cells, grid, texts
from .reference import NEGATIVE, PROMPT, assert_cond, request
from .test_jobs import hooks, state

SDXL, REFINER, FLUX = "sdxl-a", "sdxl-refiner", "flux"
SKIPS = (1, 1.5, {"l": 2, "g": 1})
ALONE = ({"skip": 1}, {"skip": 1.5}, {"l": 2, "g": 1})
FIELDS = {
    "plain": {},
    "batches": {"n_iter": 2, "batch_size": 2},
    "prompts": {"prompt": ["a cat", "a dog", "a tree", "a red fox"], "n_iter": 2, "batch_size": 2},
    "hires": {"enable_hr": True, "hr_scale": 2, "denoising_strength": 0.5},
    "inner pass": {"inner_pass": True},
}
NOT = "No skips were compared."


def made(host, options, checkpoint=SDXL, **fields):
    return host.txt2img(**request(host, checkpoint, [True, options], **fields))


def compared(host, compare=SKIPS, **fields):
    return made(host, {"compare": list(compare)}, **fields)


def pictures(*results):
    return [image.tobytes() for each in results for image in each.images]


def infotexts(*results):
    return [text for each in results for text in each.info["infotexts"]]


def same_as_alone(result, *alone):
    """The result's pictures, after the sheet, are those of the jobs `alone`, one after the other, with their texts."""
    assert cells(result) == pictures(*alone)
    assert texts(result) == infotexts(*alone)


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_each_picture_is_the_one_that_is_made_alone(host, fields):
    before = state(host)
    result = compared(host, **fields)
    same_as_alone(result, *(made(host, options, **fields) for options in ALONE))
    assert len(set(cells(result))) >= 3
    assert result.info["index_of_first_image"] == 1
    assert state(host) == before and hooks(host) == []


def test_an_image_is_compared_from_an_image(host):
    fields = {"init_images": [Image.new("RGB", (64, 64), "teal")]}
    result = host.img2img(**request(host, SDXL, [True, {"compare": [1, 2]}], **fields))
    same_as_alone(result, *(host.img2img(**request(host, SDXL, [True, {"skip": skip}], **fields)) for skip in (1, 2)))


def test_the_refiner_follows(host):
    fields = {"refiner_steps": 2, "refiner_start": 0.5}
    if host.like != "sdnext":
        fields = {"refiner_checkpoint": host.title(REFINER), "refiner_switch_at": 0.5}
    made(host, {}, **fields)  # from then on the host names the refiner with its hash
    result = compared(host, **fields)
    same_as_alone(result, *(made(host, options, **fields) for options in ALONE))


def test_all_batches_of_one_skip_are_made_before_the_next(host):
    compared(host, n_iter=2)
    read = {}
    for kind, name, used in host.last_conds:
        assert name == SDXL
        read.setdefault(kind, []).append(used)
    for kind, conds in read.items():
        assert len(conds) == 6
        for place, used in enumerate(conds):
            assert_cond(
                host,
                used,
                SDXL,
                {"l": (1, 1.5, 2)[place // 2], "g": (1, 1.5, 1)[place // 2]},
                PROMPT if kind == "c" else NEGATIVE,
            )


def test_what_is_not_compared_is_as_the_other_options_say(host):
    result = made(host, {"g": 3, "blend": "slerp", "compare": [{"l": 1.5}, {"l": 2}]})
    same_as_alone(result, *(made(host, {"l": skip, "g": 3, "blend": "slerp"}) for skip in (1.5, 2)))


def test_words_and_skips_that_read_the_model_alike_count_once(host):
    result = compared(host, ["trained", 2, {"l": 1, "g": 1}])
    same_as_alone(result, *(made(host, {"skip": skip}) for skip in (1, 2)))


def test_the_sheet_has_the_pictures_below_their_numbers(host):
    result = compared(host, n_iter=2, batch_size=2)
    sheet, images = result.images[0], result.images[1:]
    width, height = images[0].size
    head = sheet.height - 4 * height
    assert sheet.width == 3 * width and head > 0
    for place, image in enumerate(images):
        column, row = divmod(place, 4)
        left, top = column * width, head + row * height
        assert sheet.crop((left, top, left + width, top + height)).tobytes() == image.tobytes()
    heads = [sheet.crop((column * width, 0, (column + 1) * width, head)).tobytes() for column in range(3)]
    assert len(set(heads)) == 3
    assert infotexts(result)[0] == infotexts(result)[1]


def test_what_there_is_to_say_is_said_once(host):
    said = compared(host, [2, 1.5, 1]).info["comments"]
    assert said.count("The prompt is read with fewer layers") == 1


# --- where nothing is compared ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "compare, fields, why",
    [
        ([1, 2], {"prompt": f"{PROMPT} <clipskip:1.5>"}, "The prompt's tag decides."),
        ([1, 1], {}, "They all read this model alike."),
        ([2], {}, "They all read this model alike."),
        ([1, 13], {}, "CLIP-L 13 was refused"),
        ([1, "preset"], {}, "the preset of a model that has one"),
    ],
)
def test_the_picture_is_made_and_it_is_said(host, compare, fields, why):
    result = compared(host, compare, **fields)
    assert why in result.info["comments"] and NOT in result.info["comments"]
    plain = made(host, {}, **fields)
    assert pictures(result) == pictures(plain) and infotexts(result) == infotexts(plain)


@pytest.mark.parametrize("compare", ["1, 2", 7, {"l": 1}, list(range(1, 14)), [None, 1], [[1], 2], [{"m": 1}, 2]])
def test_a_value_that_is_none_is_refused_and_the_picture_is_made(host, compare):
    result = made(host, {"compare": compare})
    assert "was refused, accepted is" in result.info["comments"]
    assert pictures(result) == pictures(made(host, {"skip": 1}))


def test_a_model_without_clip_skip(host):
    result = compared(host, checkpoint=FLUX)
    assert NOT in result.info["comments"] and len(result.images) == 1


def test_off_is_off(host):
    result = host.txt2img(**request(host, SDXL, [False, {"compare": [1, 2]}]))
    plain = host.txt2img(**request(host, SDXL))
    assert pictures(result) == pictures(plain) and infotexts(result) == infotexts(plain)
    assert not result.info["comments"]


@pytest.mark.parametrize("axis", [("steps", "2, 3"), ("[CLIP Skip] L", "1, 2")], ids=["the host's", "ours"])
def test_a_plot_makes_its_pictures_without(host, axis):
    plot = host.txt2img(**request(host, SDXL, [True, {"compare": [1, 2]}], **grid(host, axis)))
    plain = host.txt2img(**request(host, SDXL, [True, {}], **grid(host, axis)))
    assert pictures(plot) == pictures(plain) and infotexts(plot) == infotexts(plain)
    assert NOT in plot.info["comments"] and "script" in plot.info["comments"]


def test_an_interrupt_ends_it(host):
    result = compared(host, prompt=f"{PROMPT} __interrupt__")
    assert len(result.images) < 3
    same_as_alone(compared(host), *(made(host, options) for options in ALONE))


def test_after_an_error_nothing_is_left(host):
    before = state(host)
    with pytest.raises(Exception, match="__raise__"):
        compared(host, prompt=f"{PROMPT} __raise__")
    assert hooks(host) == [] and state(host) == before


@pytest.mark.parametrize("broken", ["lay_out", "begins", "sheet"])
def test_a_failure_of_ours_costs_no_picture(host, broken, monkeypatch):
    def fail(*args):
        raise RuntimeError("it broke")

    monkeypatch.setattr(sys.modules["clip_skip.hosts.comparison"].Comparison, broken, fail)
    result = compared(host)
    assert len(result.images) == (1 if broken == "lay_out" else 3)
    assert "it broke" in result.info["comments"] and NOT in result.info["comments"]


def test_a_job_object_that_runs_again_is_compared_again(host):
    """As hosts do for each file of a folder."""
    processing, runner = host.module("processing"), host.module("scripts").scripts_txt2img
    ours = runner.script("CLIP Skip")
    args = [0, *(component.value for component in runner.inputs[1:])]
    args[ours.args_from : ours.args_from + 2] = [True, json.dumps({"compare": [1, 2]})]
    host.txt2img(**request(host, SDXL))
    p = processing.StableDiffusionProcessingTxt2Img(prompt=PROMPT, seed=1, steps=2, width=64, height=64)
    p.scripts, p.script_args, p.per_script_args = runner, tuple(args), {}
    before = copy.copy(vars(p))
    results = []
    for _ in range(2):
        results.append(processing.process_images(p))
        assert p.n_iter == 1 and p.do_not_save_grid == before["do_not_save_grid"] and "init" not in vars(p)
    assert [len(result.images) for result in results] == [3, 3]
    assert len({tuple(image.tobytes() for image in result.images) for result in results}) == 1


def test_the_sheet_is_saved_as_the_hosts_own_grids_are(host, monkeypatch):
    saved = []
    images = SimpleNamespace(
        save_image=lambda image, path, *args, **how: saved.append((image, path, args, how)), get_font=lambda size: None
    )
    monkeypatch.setitem(sys.modules, "modules.images", images)
    for name, value in {"grid_save": True, "grid_format": "png", "grid_extended_filename": True}.items():
        monkeypatch.setitem(host.opts.data, name, value)
    compared(host)
    assert saved == []  # this job has its grids not saved
    result = compared(host, do_not_save_grid=False, outpath_grids="grids")
    ((image, path, args, how),) = saved
    assert image.tobytes() == result.images[0].tobytes() and path == "grids" and args[1:] == (1, PROMPT, "png")
    assert how["grid"] is True and how["info"] == infotexts(result)[1]
