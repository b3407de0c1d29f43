"""What a finished job says of the skip that it was made with: in the result's text, the API's info and the log."""

from __future__ import annotations

import logging
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from .grid import grid, texts
from .loaded import extension
from .reference import NEGATIVE, PROMPT, request, used_conds

KEY = "CLIP skip advice"
OPTION = "CLIP_stop_at_last_layers"
NOT_NAI = "Clip skip 2 is for SD 1.x models that descend from NovelAI's. This one does not."
UNVERIFIED = "Clip skip 2 is for SD 1.x models that descend from NovelAI's. Whether this one does is not known."
OFF = "The prompt is read with fewer layers than the model was trained with."
PAST = "The prompt is read with more layers than the model was trained with."
BELOW = "This model descends from NovelAI's SD 1.x model, which was trained with clip skip 2."
LORA = "A LoRA in the prompt was trained with another clip skip."
REFUSED = "A value was refused, and the model is read as it was trained."
MARKED = f"not-nai: {NOT_NAI} You marked it as not NAI-derived."

PANEL_OFF, PANEL_2 = [False], [True, {"l": 2}]
KINDS = {
    "plain": {},
    "batches": {"n_iter": 2, "batch_size": 2},
    "hires": {"enable_hr": True, "hr_scale": 2, "hr_force": True, "denoising_strength": 0.5},
    "inner": {"inner_pass": True},
    "img2img": {"init_images": [Image.new("RGB", (64, 64), "teal")]},
}


def mark(host, lineage, checkpoint="sd1-a"):
    extension().library.mark(extension().host.selected(host.title(checkpoint)), lineage)


def forget_all():
    extension().library.presets.change(dict.clear)


def ask(host, checkpoint="sd1-a", number=None, args=PANEL_OFF, **fields):
    """An API request with this number at the host's own CLIP skip."""
    own = {}
    if number is not None:
        own = {"clip_skip": number} if host.like == "sdnext" else {"override_settings": {OPTION: number}}
    return request(host, checkpoint, args, **own, **{k: v for k, v in fields.items() if k not in _only(host)})


def _only(host):
    """Fields that the other hosts' jobs have."""
    return {"hr_force"} if host.like != "sdnext" else set()


def make(host, *args, **fields):
    return (host.img2img if "init_images" in fields else host.txt2img)(**ask(host, *args, **fields))


def told(result):
    """The lines below the image, and what the API's info has."""
    return result.info["comments"].splitlines(), result.info["extra_generation_params"].get(KEY)


NOTHING = ([], None)


@pytest.fixture
def opts(host):
    """The host's options and the presets, as they were again after the test."""
    before = dict(host.opts.data)
    yield host.opts
    host.opts.data.clear()
    host.opts.data.update(before)
    forget_all()


@pytest.fixture
def log(opts, monkeypatch, caplog):
    """What the extension logged: level and message."""
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    return lambda: [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "clip_skip"]


@pytest.mark.parametrize("number, args", [(2, PANEL_OFF), (1, PANEL_2)], ids=["slider", "panel"])
@pytest.mark.parametrize("kind", KINDS)
def test_skip_2_on_a_model_that_is_not_nai_is_told_once_and_changes_nothing(host, opts, log, kind, number, args):
    mark(host, "not-nai")
    made = make(host, "sd1-a", number, args, **KINDS[kind])
    assert told(made) == ([NOT_NAI], MARKED)
    assert log() == [("WARNING", MARKED.partition(": ")[2])]
    if kind != "inner" or args is PANEL_2:  # SD.Next's inner pass has a number of its own
        used_conds(host, "sd1-a", {"l": 2})
    opts.data.update(clip_skip_ext_advice_result="error", clip_skip_ext_advice_log="error")
    silent = make(host, "sd1-a", number, args, **KINDS[kind])
    assert told(silent) == NOTHING and len(log()) == 1
    assert same(made) == same(silent)
    assert not any("advice" in text or "NovelAI" in text for text in made.info["infotexts"])


def same(result):
    """All that must not depend on whether something was said."""
    params = {key: value for key, value in result.info["extra_generation_params"].items() if key != KEY}
    texts = result.info["infotexts"], [image.info["parameters"] for image in result.images]
    return [image.tobytes() for image in result.images], texts, params


@pytest.mark.parametrize("lineage, number, args, expected", [
    ("not-nai", 1, PANEL_OFF, NOTHING),
    ("not-nai", None, PANEL_OFF, NOTHING),
    ("not-nai", 2, [True, {"l": 1}], NOTHING),  # the panel decides
    ("not-nai", 2, [True], NOTHING),
    ("nai-derived", 2, PANEL_OFF, NOTHING),
    ("nai-derived", 1, PANEL_2, NOTHING),
    (None, 1, PANEL_OFF, NOTHING),
    (None, 2, PANEL_OFF, ([UNVERIFIED], f"nai-unverified: {UNVERIFIED} Nothing in its file tells.")),
])  # fmt: skip
def test_what_fits_is_not_talked_about(host, opts, log, lineage, number, args, expected):
    if lineage:
        mark(host, lineage)
    assert told(make(host, "sd1-a", number, args)) == expected
    assert len(log()) == (expected != NOTHING)


def test_switched_off_in_the_settings_it_says_nothing(host, opts, log):
    mark(host, "not-nai")
    opts.data["clip_skip_ext_enabled"] = False
    assert told(make(host, "sd1-a", 2)) == told(make(host, "sd1-a", 2, PANEL_2)) == NOTHING
    assert log() == []
    opts.data["clip_skip_ext_enabled"] = True
    assert told(make(host, "sd1-a", 2)) == ([NOT_NAI], MARKED)


def test_what_is_silenced_for_this_model_is_told_of_others(host, opts, log):
    for checkpoint in ("sd1-a", "sd1-b"):
        mark(host, "not-nai", checkpoint)
    extension().library.silence(extension().host.selected(host.title("sd1-a")), "not-nai")
    assert told(make(host, "sd1-a", 2)) == NOTHING
    assert told(make(host, "sd1-b", 2)) == ([NOT_NAI], MARKED)
    assert [level for level, _ in log()] == ["WARNING"]


NUMBERING = 'A model page that says "clip skip 2" or "-2" means 1 here.'
LEFT_OUT = "CLIP-L: layers left out: {0} of 11; CLIP-G: layers left out: {0} of 31"
TOO_MANY = "CLIP-L: layers too many: 1; CLIP-G: layers too many: 1"


@pytest.mark.parametrize("checkpoint, number, expected", [
    ("sdxl-a", 2, {"sdnext": ([OFF], f"off-trained: {OFF} {LEFT_OUT.format(1)}. {NUMBERING}")}),
    ("sdxl-a", 3, {"sdnext": ([OFF], f"off-trained: {OFF} {LEFT_OUT.format(2)}"),
                   "forge": ([OFF], f"off-trained: {OFF} {LEFT_OUT.format(1)}")}),
    ("sdxl-a", None, {}),
    ("sd3", None, {"forge": ([PAST], f"past-trained: {PAST} {TOO_MANY}")}),
    ("sd3", 2, {"sdnext": ([OFF], f"off-trained: {OFF} {LEFT_OUT.format(1)}")}),
    ("sd2", 2, {like: ([OFF], f"off-trained: {OFF} CLIP-H: layers left out: 1 of 23")
                for like in ("forge", "sdnext")}),
])  # fmt: skip
def test_each_host_is_judged_by_what_its_slider_really_does(host, opts, log, checkpoint, number, expected):
    assert told(make(host, checkpoint, number)) == expected.get(host.like, NOTHING)
    assert [level for level, _ in log()] == ["WARNING"] * (host.like in expected)


def test_a_grids_cells_each_have_their_own_say_and_none_is_in_the_next_ones_text(host, opts, log):
    mark(host, "not-nai")
    made = host.txt2img(**ask(host, **grid(host, ("skip", "2,1,2"))))
    assert told(made) == ([NOT_NAI], MARKED) and len(log()) == 2  # a grid's result is that of its first cell
    assert len(texts(made)) == 3 and not any("advice" in text for text in made.info["infotexts"])


# --- hints, which a setting asks for ---------------------------------------------------------------------------------


def test_a_descendant_below_its_2_is_a_hint(host, opts, log):
    mark(host, "nai-derived")
    assert told(make(host, "sd1-a", 1)) == NOTHING
    opts.data.update(clip_skip_ext_advice_result="hint", clip_skip_ext_advice_log="hint")
    expected = f"{BELOW} You marked it as NAI-derived."
    assert told(make(host, "sd1-a", 1)) == ([BELOW], f"nai-below: {expected}")
    assert log() == [("INFO", expected)]


@pytest.fixture
def lora(host):
    """A LoRA that was trained with 2, under a name that means harm to a page."""
    name = "x\" onmouseover='alert(1)' &lt;b&gt; $(id) {0} %s"
    folder = host.data / "models" / "Lora"
    folder.mkdir(parents=True, exist_ok=True)
    lister = sys.modules["modules.lora.lora_load" if host.like == "sdnext" else "networks"]
    down = {"lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight": torch.zeros(1, 768)}
    save_file(down, folder / f"{name}.safetensors", {"ss_clip_skip": "2"})
    lister.list_available_networks()
    yield name
    (folder / f"{name}.safetensors").unlink()
    lister.list_available_networks()


def test_a_lora_of_another_skip_is_told_and_its_name_is_only_data(host, opts, log, lora):
    opts.data.update(clip_skip_ext_advice_result="hint", clip_skip_ext_advice_log="hint")
    mark(host, "not-nai")
    prompt = f"{PROMPT} <lora:{lora}:0.5> <lora:not here:1>"
    said = make(host, "sd1-a", 1, prompt=prompt)
    assert told(said) == ([LORA], f"lora-mismatch: {LORA} {lora}: 2")
    assert log() == [("INFO", f"{LORA} {lora}: 2")]
    assert not any("lora-mismatch" in text for text in said.info["infotexts"])
    assert told(make(host, "sd1-a", 2, prompt=prompt)) == ([NOT_NAI], MARKED)
    assert told(make(host, "sd1-a", 1, prompt=PROMPT, negative_prompt=f"{NEGATIVE} {lora}")) == NOTHING


# --- errors ----------------------------------------------------------------------------------------------------------


def test_a_refused_value_is_told_with_its_reason(host, opts, log):
    mark(host, "not-nai")
    reason = "l 99 was refused, accepted is a number from 1 to 12."
    made = make(host, "sd1-a", 2, [True, {"l": 99}], **KINDS["batches"])
    assert told(made) == ([REFUSED, reason], f"bad-value: {REFUSED} {reason}")
    assert log() == [("ERROR", f"{REFUSED} {reason}")]
    used_conds(host, "sd1-a", {})
    assert all("l 99 was refused" in text for text in made.info["infotexts"])


def test_a_plan_that_failed_is_not_judged_by_what_it_would_have_read(host, opts, log, monkeypatch):
    mark(host, "not-nai")

    def fails(*_):
        raise RuntimeError("no taps today")

    monkeypatch.setattr(sys.modules["clip_skip.conditioning.taps"].Taps, "__enter__", fails)
    monkeypatch.setattr(sys.modules["clip_skip.conditioning.taps"].Taps, "install", fails)
    made = make(host, "sd1-a", 1, PANEL_2)
    failed = "CLIP Skip was not applied."
    reason = "RuntimeError: no taps today. The WebUI's own clip skip was used."
    assert told(made) == ([failed, reason], f"not-applied: {failed} {reason}")
    assert "CLIP skip applied: no" in made.info["infotexts"][0] and len(made.images) == 1
    used_conds(host, "sd1-a", {})


@pytest.mark.parametrize("broken, logged", [
    ("facts", "whether the skip fits sd1-a can't be told"),
    ("report", "what there is to say of this image is lost"),
])  # fmt: skip
def test_what_fails_costs_no_image(host, opts, log, monkeypatch, broken, logged):
    mark(host, "not-nai")
    expected = same(make(host, "sd1-a", 2))

    def fails(*_, **__):
        raise RuntimeError("broken")

    if broken == "facts":
        monkeypatch.setattr(sys.modules["clip_skip.models.profile"].Profile, "facts", property(fails))
    else:
        monkeypatch.setattr(sys.modules["clip_skip.advice.report"], broken, fails)
    made = make(host, "sd1-a", 2)
    assert same(made) == expected and told(made) == NOTHING
    assert log()[-1] == ("ERROR", logged)
    assert told(make(host, "sdxl-a", 1)) == NOTHING
