"""SD.Next's tab "Control", the only one that its installed page shows: our panel is in it, and acts there."""

from __future__ import annotations

import copy
import gc
import logging
import sys
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest

import minihost
from minihost.picture import ledger
from tests.conftest import ROOT

from .grid import grid, texts
from .loaded import extension
from .reference import PROMPT, SMALL, used_conds

SDXL, SD1 = "sdxl-a", "sd1-a"


@pytest.fixture(scope="module")
def host(data):
    (data / "config.json").unlink(missing_ok=True)
    with minihost.boot("sdnext", "sdxl", extension=ROOT, data=data) as booted:
        yield booted
        assert booted.errors == []


def control(host, checkpoint=SDXL, **fields):
    """A request of the tab, which hands on nothing to scripts."""
    settings = {"sd_model_checkpoint": host.title(checkpoint)}
    return host.control(**{**SMALL, "override_settings": settings, **fields})


def by_its_panel(host, args, checkpoint=SDXL, **fields):
    """A job as the page's button Generate makes it, with these values in the panel; and what it made."""
    jobs, runner = host.module("jobs"), host.module("scripts").scripts_control
    ours = next(script for script in runner.scripts if script.title() == "CLIP Skip")
    values = [0, *(component.value for component in runner.inputs[1:])]
    values[ours.args_from : ours.args_from + len(args)] = args
    settings = {"sd_model_checkpoint": host.title(checkpoint)}
    return jobs.run("control", {**SMALL, "override_settings": settings, **fields}, values)


def panels():
    """Those of the entry script's own code that are still held by anybody."""
    gc.collect()
    kind = sys.modules["clip_skip.interfaces.ui.panel"].Panel
    return [each for each in gc.get_objects() if type(each) is kind]


def test_the_panel_is_among_the_tabs_extensions_and_its_elements_are_its_own(host):
    runner = host.module("scripts").scripts_control
    ours = next(script for script in runner.alwayson_scripts if script.title() == "CLIP Skip")
    assert {component.elem_id.split("-")[0].rpartition("_")[0] for component in ours.controls} == {"clip_skip_control"}
    names = [component.elem_id for component in host.demo.blocks.values() if component.elem_id]
    for tab in ("txt2img", "img2img", "control"):
        assert f"clip_skip_{tab}_advice" in names


def test_the_panel_acts(host):
    """Also with the host's own slider at another number, which comes back."""
    for slider in (1, 3):
        made = by_its_panel(host, [True, '{"l": 2, "g": 2.5}'], clip_skip=slider)
        used_conds(host, SDXL, {"l": 2, "g": 2.5})
        assert "CLIP skip L: 2, CLIP skip G: 2.5" in made.infotexts[0] and "CLiP-skip" not in made.infotexts[0]
        assert made.clip_skip == 1 if slider == 1 else made.clip_skip in (1, 3)
    by_its_panel(host, [False])
    used_conds(host, SDXL, {})


def test_the_tag_acts(host):
    made = control(host, prompt=f"{PROMPT} <clipskip:2>")
    used_conds(host, SDXL, {"l": 2, "g": 2})
    assert "CLIP skip L: 2, CLIP skip G: 2" in made.info["infotexts"][0]
    made = control(host)
    used_conds(host, SDXL, {})
    assert "CLIP skip" not in made.info["infotexts"][0]


def test_the_grid_acts(host):
    made = control(host, **grid(host, ("[CLIP Skip] L", "1, 2.5")))
    assert ["CLIP skip L: 2.5" in text for text in texts(made)] == [False, True]


def test_the_panel_compares(host):
    made = by_its_panel(host, [True, '{"compare": [1, 2]}'])
    alone = [by_its_panel(host, [True, f'{{"skip": {skip}}}']) for skip in (1, 2)]
    assert [image.tobytes() for image in made.images[1:]] == [each.images[0].tobytes() for each in alone]
    assert made.infotexts[1:] == [each.infotexts[0] for each in alone]


@pytest.mark.parametrize("axis", [("[CLIP Skip] L", "1, 2"), ("[Param] Steps", "2, 3")])
def test_the_grid_in_its_accordion_makes_its_images_without_comparing(host, axis):
    results = []
    for options in ({"compare": [1, 2]}, {}):
        ours, plot = {"args": [True, options]}, {"args": [True, *grid(host, axis)["script_args"]]}
        fields = {"override_settings": {"sd_model_checkpoint": host.title(SDXL)}}
        results.append(host.txt2img(**SMALL, **fields, alwayson_scripts={"clip skip": ours, "xyz grid": plot}))
    assert [image.tobytes() for image in results[0].images] == [image.tobytes() for image in results[1].images]
    assert len(results[0].images) == 3


def test_what_was_written_is_pasted_into_the_tabs_panel(host):
    text = by_its_panel(host, [True, '{"l": 2, "g": 2.5}']).infotexts[0]
    paste = host.module("generation_parameters_copypaste")
    params = paste.parse_generation_parameters(text)
    fields = paste.paste_fields["control"]["fields"]
    given = {
        c.elem_id: paste.field_value(c, key, params) for c, key in fields if "clip_skip_control" in (c.elem_id or "")
    }
    assert given["clip_skip_control_l"]["value"] == 2 and given["clip_skip_control_g"]["value"] == 2.5


def test_the_slider_of_the_tab_is_judged(host):
    sliders = [block for block in host.demo.blocks.values() if block.elem_id == "control_clip_skip"]
    assert len(sliders) == 1 and "clip-skip-slider" in sliders[0].elem_classes


def test_jobs_leave_no_panel_behind(host):
    """The host asks the panel for its values, twice for each job of the API, within a page that it throws away."""
    control(host)
    before = len(panels())
    for _ in range(3):
        control(host)
    assert len(panels()) == before


def test_panels_that_are_asked_for_values_alone_still_have_them(host):
    with gr.Blocks():
        values = [component.value for component in extension().build_panel(False, "control").arguments]
    page = host.module("scripts").scripts_control
    ours = next(script for script in page.scripts if script.title() == "CLIP Skip")
    assert values == [component.value for component in page.inputs[ours.args_from : ours.args_to]]


# --- jobs that run no script of ours ---------------------------------------------------------------------------------


def bare(host, scripts=None, **fields):
    """What a job makes that runs these scripts, or none."""
    processing = host.module("processing")
    settings = {"sd_model_checkpoint": host.title(SDXL)}
    p = processing.StableDiffusionProcessingTxt2Img(**{**SMALL, "override_settings": settings, **fields})
    p.scripts = scripts
    ledger.used.clear()
    return processing.process_images(p)


def others(host):
    """A runner without our script, as Control's was."""
    runner = host.module("scripts").ScriptRunner("txt2img")
    runner.alwayson_scripts = runner.scripts = [s for s in runner.scripts if s.title() != "CLIP Skip"]
    return runner


@pytest.mark.parametrize("scripts", [lambda host: None, others])
def test_a_tag_acts_where_no_script_of_ours_runs(host, scripts):
    for skip in (1, 3):
        made = bare(host, scripts(host), prompt=f"{PROMPT} <clipskip:l=2.5>", clip_skip=skip)
        used_conds(host, SDXL, {"l": 2.5})
        assert "CLIP skip L: 2.5" in made.infotexts[0] and "not" not in made.infotexts[0]
    for skip in (1, 2):
        made = bare(host, scripts(host), clip_skip=skip)
        used_conds(host, SDXL, {"l": skip, "g": skip})
        assert "CLIP skip" not in made.infotexts[0]


def test_off_in_the_settings_is_off_there_too(host):
    host.opts.data["clip_skip_ext_enabled"] = False
    try:
        made = bare(host, prompt=f"{PROMPT} <clipskip:l=2.5>")
    finally:
        host.opts.data["clip_skip_ext_enabled"] = True
    used_conds(host, SDXL, {})
    assert "CLIP skip" not in made.infotexts[0]


def test_a_job_of_our_script_is_begun_once(host, monkeypatch):
    begun = []
    adapter = extension().host
    begin = adapter.begin
    monkeypatch.setattr(adapter, "begin", lambda p, job: (begun.append(p), begin(p, job)))
    control(host, prompt=f"{PROMPT} <clipskip:2>")
    assert len(begun) == 1
    bare(host, prompt=f"{PROMPT} <clipskip:2>")
    assert len(begun) == 2 and adapter._running == []


def test_a_tag_that_could_not_be_applied_is_said_there_too(host, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    adapter = extension().host
    elsewhere = copy.deepcopy([model.stacks for model in adapter.models()])
    models = [replace(model, stacks=stacks) for model, stacks in zip(adapter.models(), elsewhere, strict=True)]
    monkeypatch.setattr(adapter, "models", lambda: models)
    bare(host, prompt=f"{PROMPT} <clipskip:2>")
    assert caplog.text.count("CLIP Skip was not applied") == 1


# --- pipelines of other classes --------------------------------------------------------------------------------------


@pytest.fixture
def pipeline(host, monkeypatch):
    """The loaded SDXL model as another class of pipeline with a UNet that attends to text states so wide."""
    used = host.title(SDXL)

    def change(name, width):
        control(host)
        host.opts.data["sd_model_checkpoint"] = used
        host.module("sd_models").reload_model_weights()
        model = host.sd_model
        monkeypatch.setattr(model, "unet", SimpleNamespace(config=SimpleNamespace(cross_attention_dim=width)), False)
        monkeypatch.setattr(model, "__class__", type(name, (type(model),), {}))

    return change


def test_a_pipeline_of_another_class_is_told_by_its_parts(host, pipeline):
    """Also with the host's own slider elsewhere, which does not act beside us."""
    pipeline("PhotoMakerStableDiffusionXLPipeline", 2048)
    for slider in (1, 3):
        made = control(host, prompt=f"{PROMPT} <clipskip:2>", clip_skip=slider)
        used_conds(host, SDXL, {"l": 2, "g": 2})
        assert "CLIP skip L: 2" in made.info["infotexts"][0]


def test_what_is_asked_for_of_an_unknown_pipeline_is_said(host, pipeline):
    pipeline("SomethingNewXLPipeline", 4096)
    host.opts.data["clip_skip_ext_advice_result"] = "info"
    try:
        made = control(host, prompt=f"{PROMPT} <clipskip:2>")
        assert "Clip skip does nothing on this model." in made.info["comments"]
        assert "does nothing" not in control(host).info["comments"]
    finally:
        del host.opts.data["clip_skip_ext_advice_result"]


# --- "Reprocess" -----------------------------------------------------------------------------------------------------


def test_reprocess_refine_reads_the_plan_alone_also_where_the_last_jobs_slider_is_elsewhere(host, monkeypatch):
    """SD.Next goes on with the last job's object in place of the new one."""
    processing = host.module("processing")
    original = processing.process_diffusers
    last = processing.StableDiffusionProcessingTxt2Img(**SMALL, clip_skip=3)
    monkeypatch.setitem(sys.modules, "modules.processing_diffusers", SimpleNamespace(last_p=last))

    def go_on(p):
        last.prompts, last.negative_prompts = p.prompts, p.negative_prompts
        return original(last)

    monkeypatch.setattr(processing, "process_diffusers", go_on)
    monkeypatch.setattr(processing.StableDiffusionProcessing, "state", "reprocess_refine", False)
    by_its_panel(host, [True, '{"l": 2}'])
    used_conds(host, SDXL, {"l": 2})
    assert last.clip_skip == 3
    by_its_panel(host, [False])
    used_conds(host, SDXL, {"l": 3, "g": 3})


def test_reprocess_detail_encodes_nothing_and_nothing_false_is_said(host, monkeypatch):
    processing = host.module("processing")
    done = by_its_panel(host, [True, '{"l": 2}']).images
    monkeypatch.setattr(processing, "process_diffusers", lambda p: done)
    monkeypatch.setattr(processing.StableDiffusionProcessing, "state", "reprocess_detail", False)
    made = by_its_panel(host, [True, '{"l": 2}'])
    assert "not applied" not in (made.comments or "") and "CLIP skip applied" not in "".join(made.infotexts)
