"""The script in the host: arguments by the API, what is said where, settings, infotext, reloads."""

import json
import logging
import re
import sys

import pytest

from .loaded import extension
from .reference import CHECKPOINTS, NEGATIVE, PROMPT, SMALL, request, used_conds

SDXL = "sdxl-a"


@pytest.mark.parametrize(
    "args, skips",
    [
        ([True, {"l": 1.5, "g": 1}], {"l": 1.5}),
        ([True, '{"l": 1.5}'], {"l": 1.5}),
        ([True, {"skip": 2, "g": 3}], {"l": 2, "g": 3}),
        ([True, {"mode": "auto", "skip": 2}], {}),
        ([True, {"mode": "manual"}], {}),
        ([True], {}),
        ([True, None], {}),
        ([True, "", "Manual", True, 2.5, 9.0, 9.0, 9.0, "Linear"], {"l": 2.5, "g": 2.5}),
        ([True, "", "Manual", False, 9.0, 3.0, 2.0, 9.0, "Linear"], {"l": 3, "g": 2}),
        ([True, "", "Auto", False, 9.0, 3.0, 2.0, 9.0, "Linear"], {}),
    ],
)
@pytest.mark.parametrize("kind", ["txt2img", "img2img"])
def test_arguments_by_the_api(host, kind, args, skips):
    from PIL import Image

    fields = {"init_images": [Image.new("RGB", (64, 64), "teal")]} if kind == "img2img" else {}
    result = getattr(host, kind)(**request(host, SDXL, args, **fields))
    used_conds(host, SDXL, skips)
    assert "CLIP skip refused" not in result.info["infotexts"][0]


@pytest.mark.parametrize(
    "args, named",
    [
        ([True, {"l": 99}], "l 99 was refused, accepted is a number from 1 to 12"),
        ([True, {"l": 12}], "CLIP-L 12 was refused, accepted is a number from 1 to 11 on SDXL"),
        ([True, {"clip_l": 2}], "option clip_l was refused"),
        ([True, "{"], "options { was refused"),
        ([True, 7], "options 7 was refused"),
        (["on", {"l": 2}], "enabled on was refused, accepted is true or false"),
        ([True, {"l": 2, "blend": "cubic"}], 'blend cubic was refused, accepted is "linear" or "slerp"'),
    ],
)
def test_a_bad_value_is_named_in_text_infotext_and_log_and_costs_no_image(host, caplog, args, named):
    logging.getLogger("clip_skip").propagate = True  # for caplog; the extension's own handler writes to stderr
    result = host.txt2img(**request(host, SDXL, args))
    used_conds(host, SDXL, {})
    assert len(result.images) == 1
    assert (
        named in json.dumps(result.info["infotexts"][0]).replace("\\", "").replace('""', '"')
        or named.replace('"', '\\"') in result.info["infotexts"][0]
    )
    told = result.info["comments"].splitlines()
    assert told[0] == "A value was refused, and the model is read as it was trained." and named in told[1]
    assert any(named in record.getMessage() for record in caplog.records)


def test_a_good_job_says_nothing(host):
    result = host.txt2img(**request(host, SDXL, [True, {"l": 1.2}]))
    assert not result.info["comments"] and "CLIP skip advice" not in result.info["extra_generation_params"]


@pytest.mark.parametrize(
    "checkpoint, args, expected",
    [
        ("sd1-a", [True, {"l": 2}], {"CLIP skip mode": "manual", "CLIP skip L": "2", "Clip skip": "2"}),
        ("sd1-a", [True, {"l": 1.5}], {"CLIP skip mode": "manual", "CLIP skip L": "1.5"}),
        ("sd2", [True, {"h": 2}], {"CLIP skip mode": "manual", "CLIP skip H": "2"}),
        ("sdxl-a", [True, {"l": 2, "g": 1}], {"CLIP skip mode": "manual", "CLIP skip L": "2"}),
        ("sdxl-a", [True], {}),
        (
            "sd3",
            [True, {"skip": 1.5, "blend": "slerp"}],
            {
                "CLIP skip mode": "manual",
                "CLIP skip L": "1.5",
                "CLIP skip G": "1.5",
                "CLIP skip blend": "slerp",
            },
        ),
    ],
)
def test_infotext(host, checkpoint, args, expected):
    text = host.txt2img(**request(host, checkpoint, args)).info["infotexts"][0]
    paste = host.module("infotext_utils" if host.like != "sdnext" else "generation_parameters_copypaste")
    parsed = (getattr(paste, "parse_generation_parameters", None) or paste.parse)(text)
    ours = {key: str(value) for key, value in parsed.items() if key.lower().startswith("clip skip")}
    ours.pop("CLIP skip version")
    # A1111's parser says 1 where the host's own key is missing.
    assert ours == {**({} if host.like == "sdnext" else {"Clip skip": "1"}), **expected}


def test_a_grids_cells_share_a_dictionary_and_yet_say_their_own(host):
    """What an XYZ grid does: shallow copies of one job object, each with other arguments."""
    from copy import copy

    processing = host.module("processing")
    scripts = host.module("scripts").scripts_txt2img
    first = processing.StableDiffusionProcessingTxt2Img(**_job_fields(host))
    texts = []
    for args in ([True, {"l": 2}], [True], [False], [True, {"l": 1.5}]):
        cell = copy(first)
        cell.scripts = scripts
        cell.script_args = _script_args(host, scripts, args)
        texts.append(processing.process_images(cell).infotexts[0])
    assert ["CLIP skip L: 2" in text for text in texts] == [True, False, False, False]
    assert ["CLIP skip L: 1.5" in text for text in texts] == [False, False, False, True]
    assert ["CLIP skip version" in text for text in texts] == [True, True, False, True]
    assert [", Clip skip: 2" in text for text in texts] == [True, False, False, False]


def _job_fields(host):
    fields = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "steps": 1, "width": 64, "height": 64, "seed": 1}
    return {**fields, "override_settings": {"sd_model_checkpoint": host.title("sd1-a")}}


def _script_args(host, scripts, args):
    ours = next(script for script in scripts.alwayson_scripts if script.title() == "CLIP Skip")
    values = [getattr(component, "value", None) for component in scripts.inputs if component is not None]
    values = [0, *values] if len(values) < ours.args_to else values
    values[ours.args_from : ours.args_from + len(args)] = args
    if len(args) == 1:
        values[ours.args_from + 1] = ""
    return tuple(values)


def test_off_in_the_settings_is_off_for_everything_and_needs_no_reload(host):
    off = host.txt2img(**request(host, SDXL, [False]))
    host.opts.data["clip_skip_ext_enabled"] = False
    try:
        on = host.txt2img(**request(host, SDXL, [True, {"l": 3}]))
    finally:
        host.opts.data["clip_skip_ext_enabled"] = True
    assert on.images[0].tobytes() == off.images[0].tobytes() and on.info["infotexts"] == off.info["infotexts"]
    host.txt2img(**request(host, SDXL, [True, {"l": 3}]))
    used_conds(host, SDXL, {"l": 3})


@pytest.mark.parametrize("where", ["skip.infotext.write", "skip.request.parse"])
def test_what_fails_at_a_jobs_start_leaves_it_as_it_is_without_us(host, monkeypatch, caplog, where):
    """Whatever of a job there is by then: an image that the log says is made without CLIP Skip is."""
    off = host.txt2img(**request(host, "sd1-a", [False]))
    module, _, name = where.rpartition(".")
    owner = sys.modules["clip_skip.app"] if name == "parse" else sys.modules[f"clip_skip.{module}"]

    def fails(*_, **__):
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fails)
        patch.setattr(logging.getLogger("clip_skip"), "propagate", True)
        made = host.txt2img(**request(host, "sd1-a", [True, {"l": 3}]))
    used_conds(host, "sd1-a", {})
    assert made.images[0].tobytes() == off.images[0].tobytes() and made.info["infotexts"] == off.info["infotexts"]
    assert "this image is made without CLIP Skip" in caplog.text
    host.txt2img(**request(host, "sd1-a", [True, {"l": 3}]))
    used_conds(host, "sd1-a", {"l": 3})


def test_infotext_can_be_switched_off(host):
    host.opts.data["clip_skip_ext_infotext"] = False
    try:
        result = host.txt2img(**request(host, SDXL, [True, {"l": 3}]))
    finally:
        host.opts.data["clip_skip_ext_infotext"] = True
    used_conds(host, SDXL, {"l": 3})
    assert "CLIP skip" not in result.info["infotexts"][0]


def test_an_unknown_host_is_left_untouched_and_the_panel_says_so(host):
    import gradio as gr

    unknown = sys.modules["clip_skip.hosts.unknown"].UnknownHost()
    unknown.install(lambda p: None)
    unknown.begin(object(), None)  # an object that takes no attribute
    with gr.Blocks() as page:
        built = sys.modules["clip_skip.app"].Extension(unknown).build_panel(False)
    (text,) = [block.value for block in page.blocks.values() if isinstance(block, gr.HTML)]
    assert "does not know this WebUI" in text
    assert len(built.arguments) == 1 and not built.infotext_fields


def test_every_checkpoint_has_its_architecture_before_and_after_loading(host):
    for checkpoint, architecture in {**CHECKPOINTS, "flux": "flux"}.items():
        selected = extension().host.selected(host.title(checkpoint))
        assert (selected.name, selected.architecture.id) == (checkpoint, architecture)
    for checkpoint, architecture in CHECKPOINTS.items():
        if host.like == "sdnext" and architecture == "sdxl-refiner":
            continue
        host.txt2img(**{**SMALL, "override_settings": {"sd_model_checkpoint": host.title(checkpoint)}})
        assert extension().host.selected(host.title(checkpoint)).architecture.id == architecture


@pytest.mark.parametrize("args", [[True], [True, {"skip": 2}]])
def test_a_model_without_clip_skip_has_no_number_of_the_hosts(host, args):
    """The host prints its slider's number with every model; on this one it did nothing."""
    own = {"clip_skip": 2} if host.like == "sdnext" else {"override_settings": {"CLIP_stop_at_last_layers": 2}}
    off = host.txt2img(**request(host, "flux", [False], **own)).info["infotexts"][0]
    assert re.search(r"\b(Clip skip|CLiP-skip): 2", off)
    on = host.txt2img(**request(host, "flux", args, **own)).info["infotexts"][0]
    assert "CLIP skip version" in on and not re.search(r"\b(Clip skip|CLiP-skip):", on)
