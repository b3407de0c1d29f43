"""Auto in the hosts: each pass of a job reads what its own model was saved with, or says of itself."""

import json
import sys

import pytest
from PIL import Image

from minihost import weights

from .grid import cells, grid
from .loaded import extension
from .reference import NEGATIVE, PROMPT, assert_cond, request, used_conds

AUTO, MANUAL_2 = [True], [True, {"skip": 2}]


@pytest.fixture
def library(host):
    """The extension's own, with nothing kept before and after."""
    yield extension().library
    forget_all()
    for key in [key for key in host.opts.data if key.startswith("clip_skip_ext_")]:
        del host.opts.data[key]


def forget_all():
    extension().library.presets.change(dict.clear)


def keep(host, checkpoint, skip, blend="linear"):
    extension().library.save(extension().host.selected(host.title(checkpoint)), skip, blend)


def text(result):
    return result.info["infotexts"][0]


def test_two_models_with_their_own_presets_by_turns(host, library):
    plans = {"sd1-a": {"l": 2.0}, "sd1-b": {"l": 3.5}, "sdxl-a": {"l": 1.5, "g": 4.0}, "sd2": {"h": 2.0}}
    for checkpoint, skip in plans.items():
        keep(host, checkpoint, skip)
    for checkpoint in [*plans, "sdxl-b", *reversed(plans)]:
        made = host.txt2img(**request(host, checkpoint, AUTO))
        used_conds(host, checkpoint, plans.get(checkpoint, {}))
        by_hand = host.txt2img(**request(host, checkpoint, [True, plans.get(checkpoint, {"skip": 1})]))
        assert made.images[0].tobytes() == by_hand.images[0].tobytes()


def test_the_infotext_makes_the_image_again_without_the_preset(host, library):
    keep(host, "sdxl-a", {"l": 2.5, "g": 1.0}, "slerp")
    made = host.txt2img(**request(host, "sdxl-a", AUTO))
    assert "CLIP skip L: 2.5" in text(made) and "CLIP skip blend: slerp" in text(made)
    assert "CLIP skip mode" not in text(made)
    forget_all()
    parser = host.module("generation_parameters_copypaste").parse_generation_parameters
    options = sys.modules["clip_skip.skip.infotext"].parse(parser(text(made)))
    again = host.txt2img(**request(host, "sdxl-a", [True, options]))
    assert again.images[0].tobytes() == made.images[0].tobytes()


def test_off_and_manual_know_of_no_preset(host, library):
    plain = host.txt2img(**request(host, "sd1-a", [False])).images[0].tobytes()
    keep(host, "sd1-a", {"l": 3.0})
    assert host.txt2img(**request(host, "sd1-a", [False])).images[0].tobytes() == plain
    host.txt2img(**request(host, "sd1-a", MANUAL_2))
    used_conds(host, "sd1-a", {"l": 2})


def test_a_preset_moves_to_the_hash_when_the_host_knows_it(host, library):
    checkpoint = extension().host.selected(host.title("sd1-b"))
    library.presets.put(library_preset({"l": 2.0}), name=checkpoint.file_name)
    host.txt2img(**request(host, "sd1-b", AUTO))
    used_conds(host, "sd1-b", {"l": 2.0})
    sha256 = extension().host.selected(host.title("sd1-b")).sha256
    expected = [sha256] if sha256 else [f"name:{checkpoint.file_name}"]  # a diffusers folder has no hash
    assert list(library.presets.all()) == expected
    assert bool(sha256) == (host.like != "sdnext")


def library_preset(skip):
    return sys.modules["clip_skip.models.presets.preset"].Preset(skip=skip)


def test_passes_of_one_job_each_follow_their_own_model(host, library):
    if host.like == "sdnext":  # it has neither a hires checkpoint nor A1111's refiner; its own refiner: test_boots
        host.txt2img(**request(host, "sdxl-a", AUTO, enable_hr=True, hr_scale=2, hr_force=True))
        return
    plans = {"sdxl-a": {"l": 2.0, "g": 1.0}, "sdxl-b": {"l": 1.0, "g": 3.0}, "sdxl-refiner": {"g": 2.5}}
    for checkpoint, skip in plans.items():
        keep(host, checkpoint, skip)
    for fields, used in (
        ({"enable_hr": True, "hr_scale": 2, "hr_checkpoint_name": host.title("sdxl-b")}, {"sdxl-a", "sdxl-b"}),
        (
            {"refiner_checkpoint": host.title("sdxl-refiner"), "refiner_switch_at": 0.5},
            {"sdxl-a", "sdxl-refiner"},
        ),
    ):
        host.txt2img(**request(host, "sdxl-a", AUTO, **fields))
        assert {name for _, name, _ in host.last_conds} == used
        for kind, name, cond in host.last_conds:
            assert_cond(host, cond, name, plans[name], NEGATIVE if kind.endswith("uc") else PROMPT)


def test_img2img_batches_and_a_change_between_jobs(host, library):
    for skip in (2.0, 3.0):
        keep(host, "sd1-a", {"l": skip})
        host.img2img(**request(host, "sd1-a", AUTO, init_images=[Image.new("RGB", (64, 64), "teal")]))
        used_conds(host, "sd1-a", {"l": skip})
        host.txt2img(**request(host, "sd1-a", AUTO, n_iter=2, batch_size=2))
        used_conds(host, "sd1-a", {"l": skip})


def test_the_settings_speak_where_nothing_else_does(host, library):
    host.opts.data["clip_skip_ext_auto_sdxl_g"] = 2
    host.txt2img(**request(host, "sdxl-a", AUTO))
    used_conds(host, "sdxl-a", {"g": 2})
    keep(host, "sdxl-a", {"l": 3.0})
    host.txt2img(**request(host, "sdxl-a", AUTO))
    used_conds(host, "sdxl-a", {"l": 3})


def test_what_the_model_says_of_itself(host, library):
    """Beside the file: no checkpoint is changed. Metadata in the file: tests/inspect."""
    checkpoint = extension().host.selected(host.title("sd1-a"))
    beside = weights.Path(checkpoint.path).with_suffix(".metadata.json")
    beside.write_text(json.dumps({"usage_tips": json.dumps({"clip_skip": 2})}))
    try:
        host.txt2img(**request(host, "sd1-a", AUTO))
        used_conds(host, "sd1-a", {"l": 2})
        keep(host, "sd1-a", {"l": 1.0})  # the user's word wins
        host.txt2img(**request(host, "sd1-a", AUTO))
        used_conds(host, "sd1-a", {})
    finally:
        beside.unlink()


def test_a_preset_that_the_model_can_t_have_is_named_and_the_image_is_as_trained(host, library):
    keep(host, "sdxl-a", {"l": 12.0})
    result = host.txt2img(**request(host, "sdxl-a", AUTO))
    used_conds(host, "sdxl-a", {})
    assert "CLIP-L 12 was refused" in text(result) and "CLIP-L 12" in str(result.info["comments"])


def test_a_broken_presets_file_costs_no_image(host, library):
    keep(host, "sd1-a", {"l": 2.0})
    library.presets.path.write_text('{"schema": 1, "presets": {')
    fresh = sys.modules["clip_skip.models.library"].Library(library.presets.folder)
    assert fresh.profile(extension().host.selected(host.title("sd1-a"))).auto.source == "trained"
    assert fresh.presets.problems
    assert len(host.txt2img(**request(host, "sd1-a", AUTO)).images) == 1
    library.presets.path.unlink()


def test_a_pasted_image_is_made_again_also_when_a_preset_came_since(host, library):
    made = host.txt2img(**request(host, "sd1-a", AUTO))
    params = host.module("generation_parameters_copypaste").parse_generation_parameters(text(made))
    mode = extension().fields["mode"]
    assert mode(params)["value"] == "Auto"
    keep(host, "sd1-a", {"l": 2.0})
    assert mode(params)["value"] == "Manual" and extension().fields["l"](params)["value"] == 1
    keep(host, "sd1-b", {"l": 2.0})
    forget_all()
    assert mode(params)["value"] == "Auto"


def test_a_grid_of_checkpoints(host, library):
    plans = {"sd1-a": {"l": 2.0}, "sdxl-a": {"l": 1.0, "g": 3.0}, "sd1-b": {"l": 4.0}}
    by_hand = []
    for checkpoint, skip in plans.items():
        keep(host, checkpoint, skip)
        by_hand.append(host.txt2img(**request(host, checkpoint, [True, skip])).images[0].tobytes())
    titles = [host.title(checkpoint) for checkpoint in plans]
    made = host.txt2img(**request(host, "sd1-a", AUTO, **grid(host, ("checkpoint", titles))))
    assert cells(made) == by_hand
