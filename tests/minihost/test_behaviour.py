"""Caches, settings, model changes, hooks and what an extension finds, as in the real hosts."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import save_file

LIKES = ["a1111", "forge", "sdnext"]
SMALL = {"steps": 2, "width": 64, "height": 64, "seed": 1}


def count_encodes(host):
    """Count the calls of the loaded model's first CLIP block."""
    model, calls = host.sd_model, []
    if host.like == "a1111":
        encoder = model.cond_stage_model.wrapped.transformer
    elif host.like == "forge":
        encoder = model.text_processing_engine.text_encoder.transformer
    else:
        encoder = model.text_encoder
    layers = getattr(encoder, "text_model", encoder).encoder.layers
    layers[0].register_forward_hook(lambda *_: calls.append(1))
    return calls


@pytest.mark.parametrize("like", ["a1111", "forge"])
def test_cond_cache_hits_and_misses(host, like):
    booted = host(like)
    for _ in range(3):  # Forge feeds the class's lists from the second job on
        booted.txt2img(prompt="a cat", negative_prompt="x", **SMALL)
    calls = count_encodes(booted)

    def encodes(**request):
        calls.clear()
        booted.txt2img(**{"prompt": "a cat", "negative_prompt": "x", **SMALL, **request})
        return len(calls)

    assert encodes() == 0
    assert encodes(seed=5) == 0
    assert encodes(n_iter=2, batch_size=2) == 2  # the list of prompts is longer
    assert encodes(n_iter=2, batch_size=2) == 0
    assert encodes() == 2
    assert encodes(prompt="a dog") == 1
    assert encodes(prompt="a dog", steps=3) == 2
    assert encodes(prompt="a dog", width=128) == 2
    assert encodes(prompt="a dog", width=128, override_settings={"CLIP_stop_at_last_layers": 2}) == 2
    booted.opts.sdxl_clip_l_skip = True
    assert encodes(prompt="a dog", width=128, override_settings={"CLIP_stop_at_last_layers": 2}) == 0
    assert encodes(enable_hr=True) > 2
    assert encodes(enable_hr=True) == 0


def test_an_extension_in_the_key_makes_the_cache_right(host):
    booted = host("a1111")
    booted.txt2img(prompt="a cat", **SMALL)
    processing = booted.module("processing")
    original = processing.StableDiffusionProcessing.cached_params
    calls = count_encodes(booted)
    processing.StableDiffusionProcessing.cached_params = lambda self, *a, **k: (*original(self, *a, **k), "mine")
    booted.txt2img(prompt="a cat", **SMALL)
    assert len(calls) == 2


def test_sdnext_cache(host):
    booted = host("sdnext")
    cache = booted.module("prompt_parser_diffusers").cache
    booted.txt2img(prompt="a cat", negative_prompt="x", **SMALL)
    calls = count_encodes(booted)
    booted.txt2img(prompt="a cat", negative_prompt="x", **SMALL)
    assert calls == [] and len(cache) == 1
    booted.txt2img(prompt="a cat", negative_prompt="x", clip_skip=2, **SMALL)
    assert len(calls) == 2 and len(cache) == 2
    booted.txt2img(prompt="a cat", override_settings={"sd_model_checkpoint": booted.title("sd1-b")}, **SMALL)
    assert len(cache) == 0  # back on sd1-a: loading empties it
    assert booted.last_conds[0][1] == "sd1-b"


def test_sdnext_sd3_fixed_serves_a_stale_embed(host):
    booted = host("sdnext", "sd3", opts={"prompt_attention": "fixed"})
    conds = []
    for request in ({"clip_skip": 1}, {"clip_skip": 3}, {"clip_skip": 3, "prompt": "a dog"}):
        booted.txt2img(**{"prompt": "a cat", **SMALL, **request})
        conds.append(booted.last_conds[0][2]["crossattn"])
    assert torch.equal(conds[0], conds[1]) and not torch.equal(conds[0], conds[2])


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("saved", [False, True])
def test_sticky_override(host, like, saved):
    booted = host(like, opts={"CLIP_stop_at_last_layers": 1} if saved else {})
    booted.txt2img(prompt="a cat", override_settings={"CLIP_stop_at_last_layers": 3}, **SMALL)
    sticks = like != "sdnext" and not saved
    assert booted.opts.CLIP_stop_at_last_layers == (3 if sticks else 1)


def test_kept_models_switch_without_a_callback(host, dummy):
    booted = host("a1111", extension=dummy, opts={"sd_checkpoints_limit": 2})
    seen = sys.modules["dummy_library"].seen
    settings = {"override_settings": {"sd_model_checkpoint": booted.title("sd1-b")}}
    booted.txt2img(prompt="a cat", **settings, **SMALL)
    first = booted.module("sd_models").model_data.loaded_sd_models
    assert len(first) == 2 and seen.count("cb:model_loaded") == 2
    booted.txt2img(prompt="a cat", **SMALL)
    booted.txt2img(prompt="a cat", override_settings={"sd_model_checkpoint": booted.title("sd1-a")}, **SMALL)
    assert booted.last_conds[0][1] == "sd1-a" and seen.count("cb:model_loaded") == 2


def test_a1111_loads_into_the_same_object(host):
    booted = host("a1111")
    model, layers = booted.sd_model, booted.sd_model.cond_stage_model.wrapped.transformer
    booted.api.set_options({"sd_model_checkpoint": "sd1-b"})
    assert booted.sd_model is model and model.cond_stage_model.wrapped.transformer is layers
    assert model.sd_checkpoint_info.name_for_extra == "sd1-b"
    booted.api.set_options({"sd_model_checkpoint": "sdxl-a"})
    assert booted.sd_model is not model and len(booted.sd_model.conditioner.embedders) == 5


def test_forge_loads_with_the_first_job(host, dummy):
    booted = host("forge", "sdxl", extension=dummy)
    assert type(booted.sd_model).__name__ == "FakeInitialModel"
    seen = sys.modules["dummy_library"].seen
    seen.clear()
    booted.txt2img(prompt="a cat", **SMALL)
    assert seen.index("before_process") < seen.index("cb:model_loaded") < seen.index("process")
    engines = [name for name in vars(booted.sd_model) if name.startswith("text_processing_engine")]
    assert sorted(engines) == ["text_processing_engine_g", "text_processing_engine_l"]
    assert booted.sd_model.cond_stage_model is None and booted.sd_model.text_processing_engine_l.minimal_clip_skip == 2


@pytest.mark.parametrize("like", ["a1111", "forge"])
def test_refiner_and_hires_checkpoint(host, dummy, like):
    booted = host(like, "sdxl", extension=dummy)
    seen = sys.modules["dummy_library"].seen
    request = {"prompt": "a cat", "negative_prompt": "x", **SMALL, "steps": 4}
    booted.txt2img(**request, refiner_checkpoint="sdxl-refiner", refiner_switch_at=0.5, n_iter=2)
    used = [(kind, model) for kind, model, _ in booted.last_conds]
    once = [("c", "sdxl-a"), ("uc", "sdxl-a"), ("c", "sdxl-refiner"), ("uc", "sdxl-refiner")]
    assert used == once * 2
    assert "cb:model_loaded" in seen[seen.index("process_before_every_sampling") :]
    result = booted.txt2img(**request, enable_hr=True, hr_checkpoint_name="sdxl-b")
    assert [(kind, model) for kind, model, _ in booted.last_conds[2:]] == [("hr_c", "sdxl-b"), ("hr_uc", "sdxl-b")]
    assert result.images[0].size == (128, 128) and "Hires upscale: 2.0" in result.info["infotexts"][0]
    assert booted.opts.sd_model_checkpoint.startswith("sdxl-a")


def test_hires_and_refiner_of_sdnext(host):
    booted = host("sdnext", "sdxl")
    booted.opts.sd_model_refiner = booted.title("sdxl-refiner")
    booted.txt2img(prompt="a cat", negative_prompt="x", enable_hr=True, **SMALL)
    models = ["sdxl-a"] * 4 + ["sdxl-refiner"] * 2
    kinds = ["c", "uc", "hr_c", "hr_uc", "refiner_c", "refiner_uc"]
    assert [entry[:2] for entry in booted.last_conds] == list(zip(kinds, models, strict=True))
    assert booted.sd_model.is_sd1 and booted.module("shared").sd_model_type == "sdxl"


ORDER = {
    "a1111": ["setup", "before_process", "process", "before_process_batch", "after_extra_networks_activate",
              "process_batch", "process_before_every_sampling", "post_sample", "postprocess_batch",
              "postprocess_image", "postprocess"],
    "sdnext": ["before_process", "cb:before_process", "process", "before_process_batch", "process_batch",
               "postprocess_batch", "postprocess_image", "postprocess", "cb:after_process"],
}  # fmt: skip
ORDER["forge"] = ORDER["a1111"]


@pytest.mark.parametrize("like", LIKES)
def test_dummy_extension(host, dummy, like):
    booted = host(like, extension=dummy, argv=["--dummy", "yes"])
    library = sys.modules["dummy_library"]
    assert booted.module("shared").cmd_opts.dummy == "yes" and str(dummy) not in sys.path
    assert "dummy.py" not in sys.modules
    assert {"txt2img_prompt", "script_img2img_dummy_script_value"} <= set(library.ids)
    before = library.seen.index("cb:ui_settings") < library.seen.index("ui")
    assert before == (like != "sdnext") and booted.opts.dummy_option == 3
    assert library.seen.index("cb:before_ui") < library.seen.index("ui")
    assert library.seen.count("ui") == (6 if like != "sdnext" else 2)  # + 2 per tab to read the defaults
    if like == "forge":
        booted.txt2img(prompt="a cat", **SMALL)
    library.seen.clear()
    args = {"alwayson_scripts": {"dummy script": {"args": [True]}}}
    result = booted.txt2img(prompt="a cat", **args, **SMALL)
    assert [name for name in library.seen if name not in ("ui",)] == ORDER[like]
    assert list(library.args[-1]) == ([True, 4] if like != "sdnext" else [True])
    assert ("dummy was here" in result.info["comments"]) == (like != "sdnext")
    assert "Nothing" not in result.info["infotexts"][0]
    broken = booted.txt2img(prompt="a __broken__ cat", **SMALL)
    assert len(broken.images) == 1 and booted.errors
    with pytest.raises(Exception, match="not found"):
        booted.txt2img(prompt="a cat", alwayson_scripts={"nobody": {}})
    booted.close()
    assert not [name for name in sys.modules if name.split(".")[0] in ("modules", "dummy_library")]
    assert library.seen[-1] == "cb:script_unloaded"


@pytest.mark.parametrize("like", LIKES)
def test_failure_and_interrupt(host, dummy, like):
    booted = host(like, extension=dummy)
    seen = sys.modules["dummy_library"].seen
    with pytest.raises(Exception, match="__raise__"):
        booted.txt2img(prompt="a __raise__ cat", **SMALL)
    assert "postprocess" not in seen and ("cb:after_process" in seen) == (like == "sdnext")
    booted.txt2img(prompt="a __interrupt__ cat", **SMALL)
    assert ("postprocess" in seen) == (like != "sdnext")
    assert len(booted.txt2img(prompt="a cat", **SMALL).images) == 1


@pytest.mark.parametrize("like", LIKES)
def test_inner_pass_img2img_and_reload(host, like):
    booted = host(like)
    plain = booted.txt2img(prompt="a cat", **SMALL)
    inner = booted.txt2img(prompt="a cat", inner_pass=True, **SMALL)
    assert [kind for kind, _, _ in booted.last_conds] == ["c", "uc", "c", "uc"]
    assert inner.images[0].tobytes() != plain.images[0].tobytes()
    again = booted.img2img(prompt="a cat", init_images=plain.images, **SMALL)
    assert again.images[0].tobytes() == inner.images[0].tobytes()
    booted.reload_ui()
    assert booted.txt2img(prompt="a cat", **SMALL).images[0].tobytes() == plain.images[0].tobytes()
    assert booted.errors == []


def test_infotext(host, dummy):
    booted = host("a1111", extension=dummy)
    result = booted.txt2img(prompt="a cat", override_settings={"CLIP_stop_at_last_layers": 3}, **SMALL)
    text = result.info["infotexts"][0]
    assert "Clip skip: 3" in text and result.images[0].info["parameters"] == text
    utils = booted.module("infotext_utils")
    assert utils.parse_generation_parameters(text)["Dummy"] == "4"
    assert utils.parse_generation_parameters("a cat\nSteps: 2, Seed: 1, CFG scale: 7")["Clip skip"] == "1"
    again = booted.txt2img(infotext=text.replace("Dummy: 4", "Dummy: 7"))
    assert "Dummy: 7" in again.info["infotexts"][0] and "Clip skip: 3" in again.info["infotexts"][0]
    assert list(sys.modules["dummy_library"].args[-1]) == [True, 7]


@pytest.mark.parametrize("like", LIKES)
def test_http(host, like):
    booted = host(like)
    answer = booted.http("POST", "/sdapi/v1/txt2img", json={"prompt": "a cat", **SMALL}).json()
    assert len(answer["images"]) == 1 and '"infotexts"' in answer["info"]
    assert booted.http("POST", "/sdapi/v1/txt2img", json={"alwayson_scripts": {"nobody": {}}}).status_code == 422
    set_model = booted.http("POST", "/sdapi/v1/options", json={"sd_model_checkpoint": booted.title("sd1-b")})
    assert set_model.status_code == 200
    assert booted.http("GET", "/sdapi/v1/options").json()["sd_model_checkpoint"] == booted.title("sd1-b")
    assert len(booted.http("GET", "/sdapi/v1/sd-models").json()) == 8
    assert isinstance(booted.http("GET", "/sdapi/v1/script-info").json(), list)


@pytest.mark.parametrize("like", LIKES)
def test_lora_tags_are_taken_out_and_change_nothing(host, like):
    booted = host(like)
    plain = booted.txt2img(prompt="a cat", **SMALL)
    tagged = booted.txt2img(prompt="a cat<lora:some:1>", **SMALL)
    assert tagged.images[0].tobytes() == plain.images[0].tobytes()
    assert booted.errors == []


@pytest.mark.parametrize("like", LIKES)
def test_loras_are_listed(host, data, like):
    path = data / "models" / "Lora" / "a" / "b.c.safetensors"
    path.parent.mkdir(parents=True)
    save_file({"x": torch.zeros(1)}, path, {"ss_output_name": "mine", "ss_clip_skip": "2"})
    try:
        booted = host(like)
        lister = sys.modules["modules.lora.lora_load" if like == "sdnext" else "networks"]
        (entry,) = lister.available_networks.values()
        assert entry.filename == str(path) and entry.metadata["ss_clip_skip"] == "2"
        assert set(lister.available_network_aliases) == (
            {"b_c", "b.c", "a/b.c"} if like == "sdnext" else {"b.c", "mine"}
        )
        booted.close()
        assert "networks" not in sys.modules
    finally:
        shutil.rmtree(path.parent)


@pytest.mark.parametrize("like, listens", [("a1111", "release"), ("forge", "change")])
def test_the_top_bars_clip_skip_is_saved_as_in_the_host(host, data, like, listens):
    """The A1111 line's slider writes its option and the config: Forge at every change, A1111 when it is let go."""
    booted = host(like)
    (slider,) = [block for block in booted.demo.blocks.values() if getattr(block, "label", None) == "Clip skip"]
    assert slider.elem_id == ("setting_CLIP_stop_at_last_layers" if like == "a1111" else None)
    for event, stored in (("release", 3), ("change", 4)):
        for function in listening(booted.demo, slider, event):
            function(stored)
        expected = stored if event == listens else (3 if listens == "release" else None)
        assert booted.opts.data.get("CLIP_stop_at_last_layers") == expected
        config = json.loads((data / "config.json").read_text()) if (data / "config.json").exists() else {}
        assert config.get("CLIP_stop_at_last_layers") == expected


def listening(demo, component, event):
    """Give the functions that the page runs at this event of a component."""
    if isinstance(demo.fns, dict):  # gradio 4
        return [fn.fn for fn in demo.fns.values() if (component._id, event) in fn.targets]
    wanted = [component._id], event
    return [demo.fns[i].fn for i, d in enumerate(demo.dependencies) if (d["targets"], d["trigger"]) == wanted]


@pytest.mark.parametrize("like", LIKES)
def test_a_saved_file_is_never_half_there(host, data, like):
    """Who has opened it reads on what was in it then; what is saved now is another file."""
    booted = host(like)
    booted.txt2img(prompt="a cat", **SMALL)
    booted.opts.save(data / "config.json")
    files = [data / "config.json", data / "params.txt"]
    before = [file.read_text() for file in files]
    with files[0].open() as settings, files[1].open() as infotext:
        booted.opts.data["note"] = "changed"
        booted.opts.save(data / "config.json")
        booted.txt2img(prompt="a dog", **SMALL)
        assert [settings.read(), infotext.read()] == before
    assert json.loads(files[0].read_text())["note"] == "changed"
    assert files[1].read_text().startswith("a dog")
    assert not list(data.glob("config.json.*"))
