"""The extension in a real WebUI, judged by pixels: `pytest tests/live --webui URL --bare FILE`.

Every expectation is either the host's own picture, or that two pictures differ.
"""

from __future__ import annotations

import random

import pytest

from .record import pictures
from .webui import OWN_OPTION

# The host's own number that reads where our skip k reads, on all encoders; None where the host has none.
NATIVE = {
    "a1111": {"sd1": lambda k: k},
    "classic": {"sd1": lambda k: k},
    "reforge": {"sd1": lambda k: k, "sd2": lambda k: k + 1, "sdxl": lambda k: k + 1, "sdxl-refiner": lambda k: k + 1},
    "forge": {
        "sd1": lambda k: k,
        "sd2": lambda k: k,
        "sdxl": lambda k: k + 1,
        "sdxl-refiner": lambda k: k + 1,
        "sd3": lambda k: k + 1,
    },
    "sdnext": {"sd1": lambda k: k, "sd2": lambda k: k, "sdxl": lambda k: k, "sd3": lambda k: k},
}


def native_number(webui, checkpoint, skip):
    rule = NATIVE[webui.name].get(webui.checkpoints[checkpoint].id)
    number = rule(skip) if rule else None
    if number is None or number > 12:
        return None
    if skip != int(skip) and (webui.name != "sdnext" or webui.checkpoints[checkpoint].id == "sd3"):
        return None
    return number


def skips_with_native(webui, checkpoint):
    for skip in (1, 1.5, 2, 2.25, 3, 6, 11):
        if skip <= webui.checkpoints[checkpoint].encoders[0].trained_depth and (
            number := native_number(webui, checkpoint, skip)
        ):
            yield skip, number


def trained(webui, checkpoint):
    """The host's picture as the model was trained; its default everywhere but on Forge's SD3."""
    return webui.native(checkpoint, native_number(webui, checkpoint, 1) or 1)


def test_off_is_a_host_without_the_extension(webui, bare, checkpoint):
    assert pictures(webui, checkpoint) == bare[checkpoint]
    webui.txt2img(checkpoint, [True, {"skip": 3}])
    webui.img2img(checkpoint, [True, {"skip": 3}])
    assert pictures(webui, checkpoint, [False]) == bare[checkpoint]


def test_as_trained_is_the_hosts_own_reading(webui, checkpoint):
    expected = trained(webui, checkpoint).pixels
    assert webui.txt2img(checkpoint, [True]).pixels == expected
    assert webui.txt2img(checkpoint, [True, {"skip": 1}]).pixels == expected


def test_whole_and_fractional_skips_equal_the_hosts_own(webui, checkpoint):
    compared = [
        (skip, webui.txt2img(checkpoint, [True, {"skip": skip}]).pixels, webui.native(checkpoint, number).pixels)
        for skip, number in skips_with_native(webui, checkpoint)
    ]
    assert [ours for _, ours, _ in compared] == [hosts for _, _, hosts in compared]
    assert len({hosts for _, _, hosts in compared}) == len(compared), "the host's own skip moves nothing here"


@pytest.mark.needs("an option for CLIP-L alone")
def test_clip_l_of_sdxl_equals_a1111s_own_option(webui, sdxl):
    for skip in (1, 2, 5):
        hosts = webui.native(sdxl, skip + 1, override_settings={"sdxl_clip_l_skip": True}, subseed=skip)
        assert webui.txt2img(sdxl, [True, {"l": skip}], subseed=skip).pixels == hosts.pixels
    # The option is not in the host's cache key, so its last picture must not be left behind.
    webui.txt2img(sdxl, [False], prompt="another prompt")


def test_every_encoder_and_fraction_moves_the_image(webui, checkpoint):
    ids = [encoder.id for encoder in webui.checkpoints[checkpoint].encoders]
    plans = [{}, *({id: skip} for id in ids for skip in (1.1, 1.5, 2, 2.25, 3))]
    plans += [{**dict.fromkeys(ids, 1.5), "blend": "slerp"}, dict.fromkeys(ids, 1.5)] if len(ids) > 1 else []
    pictures = [webui.txt2img(checkpoint, [True, plan]).pixels for plan in plans]
    assert len(set(pictures)) == len(plans)


@pytest.mark.parametrize("pass_", ["hires", "batches", "img2img", "inpaint", "long prompt"])
def test_other_passes_equal_the_hosts_own(webui, checkpoint, pass_):
    kind = "img2img" if pass_ in ("img2img", "inpaint") else "txt2img"
    fields = {
        "hires": webui.hires,
        "batches": {"n_iter": 2, "batch_size": 2},
        "img2img": {"denoising_strength": 0.6},
        "inpaint": {"denoising_strength": 0.6, "mask": _mask(), "inpainting_fill": 1},
        "long prompt": {"prompt": "a cat BREAK " + "many different words of all kinds, " * 20},
    }[pass_]
    if webui.name == "sdnext" and pass_ == "long prompt":
        fields["cfg_scale"] = 1  # SD.Next pads the shorter negative prompt with an empty one that it never skips
    getattr(webui, kind)(checkpoint, [False], **fields)  # A1111's first img2img after a model switch is its own, always
    seen = set()
    for skip in (1, 3):
        picture = getattr(webui, kind)(checkpoint, [True, {"skip": skip}], **fields).pixels
        number = native_number(webui, checkpoint, skip)
        if number:
            assert picture == webui.native(checkpoint, number, kind, **fields).pixels
        seen.add(picture)
    assert len(seen) == 2


@pytest.mark.needs("sdxl-refiner", "a refiner in a job")
def test_refiner_reads_its_own_plan(webui, sdxl):
    """Base and refiner in one job. Forge's own number acts on both alike; elsewhere the pictures must be consistent.

    Each pair has a prompt that no other test has: Neo by itself can't make such a job twice, for its cache then takes
    the refiner's conditioning for the base's.
    """
    refined = {"refiner_checkpoint": webui.of("sdxl-refiner")[0], "refiner_switch_at": 0.5, "steps": 4}

    cat, dog = "a cat, refined", "a dog, refined"

    def make(args, prompt=cat):
        return webui.txt2img(sdxl, args, prompt=prompt, **refined).pixels

    off = make([False])
    assert make([True, {"skip": 1}]) == off
    both, only_l = make([True, {"skip": 2}]), make([True, {"l": 2}])
    assert len({off, both, only_l}) == 3
    if number := native_number(webui, sdxl, 2):
        assert make([True, {"skip": 2}], dog) == webui.native(sdxl, number, prompt=dog, **refined).pixels
    else:
        make([False], dog)
    assert make([False]) == off


def test_order_never_matters(webui):
    checkpoints = sorted((a.id, name) for name, a in webui.checkpoints.items() if a.encoders)
    chosen = [name for id, name in checkpoints if id in ("sd1", "sdxl")][:3]
    jobs = [(name, args) for name in chosen for args in ([False], [True], [True, {"skip": 2}], [True, {"skip": 1.5}])]
    expected = {}
    for seed in range(3):
        random.Random(seed).shuffle(jobs)
        for name, args in jobs:
            picture = webui.txt2img(chosen[0], args, override_settings={"sd_model_checkpoint": name})
            assert expected.setdefault((name, str(args)), picture) == picture


def test_infotext_says_what_was_used(webui, checkpoint):
    architecture = webui.checkpoints[checkpoint]
    text = webui.txt2img(checkpoint, [True, {"skip": 1.5}]).infotext
    for encoder in architecture.encoders:
        assert f"CLIP skip {encoder.id.upper()}: 1.5" in text
    assert "CLIP skip mode: manual" in text and "CLIP skip version: " in text
    assert ", Clip skip: " not in text and "CLIP skip applied" not in text
    whole = webui.txt2img(checkpoint, [True, {"skip": 2}]).infotext
    assert (", Clip skip: 2" in whole) == (architecture.id == "sd1")
    assert "CLIP skip" not in webui.txt2img(checkpoint, [False]).infotext


@pytest.mark.needs("an infotext in a job")
def test_pasting_an_infotext_by_the_api_makes_the_image_again(webui, checkpoint):
    made = webui.txt2img(checkpoint, [True, {"skip": 1.5}])
    again = webui.txt2img(checkpoint, infotext=made.infotext)
    assert again.pixels == made.pixels and "CLIP skip mode: manual" in again.infotext


@pytest.mark.parametrize(
    "args, named",
    [
        ([True, {"skip": 99}], "skip 99 was refused"),
        ([True, {"skip": 0}], "skip 0 was refused"),
        ([True, {"skip": "many"}], "skip many was refused"),
        ([True, {"clip": 2}], "option clip was refused"),
        ([True, "{not json"], "options {not json was refused"),
        ([True, [1, 2]], "was refused"),
        (["maybe", {"skip": 2}], "enabled maybe was refused"),
        ([True, {"skip": 2, "blend": "cubic"}], "blend cubic was refused"),
    ],
)
def test_bad_arguments_are_named_and_the_image_is_made_as_trained(webui, sd1, args, named):
    picture = webui.txt2img(sd1, args)
    assert picture.pixels == trained(webui, sd1).pixels
    assert named in picture.infotext and "accepted is" in picture.infotext


@pytest.mark.needs("an option for clip skip")
def test_the_hosts_own_option_is_left_as_it_was(webui, checkpoint):
    before = webui.options[OWN_OPTION]
    webui.txt2img(checkpoint, [True, {"skip": 3}])
    assert webui.options[OWN_OPTION] == before


@pytest.mark.needs("parsers")
@pytest.mark.parametrize("parser", ["fixed", "xhinker"])
def test_sdnexts_other_parsers(webui, checkpoint, parser):
    """Right wherever their own clip skip can be compared with; else the trained picture, and every skip another one."""
    id = webui.checkpoints[checkpoint].id
    fields = {"prompt_attention": parser, "cfg_scale": 1}  # `fixed` leaves the negative prompt unskipped
    # xhinker cuts its number of blocks off SD 1.x and 2.x; `fixed` can't do SD 1.x and 2.x, and caches SD 3's prompts.
    own = {"xhinker": {"sd1": -1, "sd2": -1}, "fixed": {"sdxl": 0}}[parser].get(id)
    trained = webui.txt2img(checkpoint, [False], extra={"clip_skip": 0 if own == -1 else 1}, **fields)
    pictures = [webui.txt2img(checkpoint, [True, {"skip": skip}], **fields) for skip in (1, 2, 3, 1.5)]
    assert pictures[0].pixels == trained.pixels
    assert len({picture.pixels for picture in pictures}) == 4
    assert not any("CLIP skip applied" in picture.infotext for picture in pictures)
    if own is not None:
        for skip, picture in ((2, pictures[1]), (3, pictures[2])):
            hosts = webui.txt2img(checkpoint, [False], extra={"clip_skip": skip + own}, **fields)
            assert picture.pixels == hosts.pixels


def _mask() -> str:
    import base64
    import io

    from PIL import Image

    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
