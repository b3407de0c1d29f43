"""The prompt tag: what it asks for is read, by every way in which a prompt may come to have it, and by no other job."""

from __future__ import annotations

import logging
import sys

import pytest
from PIL import Image

from clip_skip.skip.prompt_tags import mistaken

from .grid import cells, grid, texts
from .loaded import extension
from .reference import NEGATIVE, PROMPT, SMALL, assert_cond, request, used_conds
from .test_jobs import hooks, state
from .test_xyz import by_hand, library, opts, ours, read  # noqa: F401 (a fixture among them)

SDXL, SD1 = "sdxl-a", "sd1-a"
OFF, AUTO, PANEL = [False], [True], [True, {"l": 4, "g": 5}]
FOUR = {"l": 4, "g": 5}
REFUSED = "CLIP skip refused"


def tag(text):
    return f"{PROMPT} <clipskip:{text}>"


def tagged(host, text, args=OFF, checkpoint=SDXL, **fields):
    return host.txt2img(**request(host, checkpoint, args, prompt=tag(text), **fields))


def infotext(made):
    return made.info["infotexts"][0]


# --- what a tag means ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, options", [
    ("1.5", {"skip": 1.5}),
    ("l=2:g=1", {"l": 2, "g": 1}),
    ("g=2.5", {"g": 2.5}),
    (" l = 2.5 : 1.5 ", {"l": 2.5, "skip": 1.5}),
    ("l=1.5:blend=slerp", {"l": 1.5, "blend": "slerp"}),
    ("mode=auto", {"mode": "auto"}),
    ("1.5><clipskip:g=3:blend=slerp", {"skip": 1.5, "g": 3, "blend": "slerp"}),
    ("l=2:g=2><clipskip:l=3", {"l": 3, "g": 2}),
    ("1><clipskip:2", {"skip": 2}),
])  # fmt: skip
def test_a_tag_is_the_apis_options_by_name(host, text, options):
    expected, said = by_hand(host, SDXL, [True, options])
    for args in (OFF, AUTO, PANEL, None):
        made = tagged(host, text, args)
        assert made.images[0].tobytes() == expected
        assert ours(infotext(made)) == ours(said)
        assert infotext(made).startswith(tag(text))
        assert REFUSED not in infotext(made)
    if "blend" not in options:
        both = {id: options.get(id, options.get("skip", 1)) for id in "lg"}
        used_conds(host, SDXL, both)


@pytest.mark.parametrize(
    "checkpoint, skips", [("sd1-b", {"l": 2.5}), ("sd2", {"h": 2.5}), ("sd3", {"l": 2.5, "g": 2.5})]
)
def test_on_every_architecture(host, checkpoint, skips):
    made = tagged(host, "2.5", checkpoint=checkpoint)
    used_conds(host, checkpoint, skips)
    assert {key[-1].lower(): float(value) for key, value in ours(infotext(made)).items() if value != "manual"} == skips


def test_on_a_model_without_clip_skip(host):
    made = tagged(host, "2", checkpoint="flux")
    assert made.images[0].tobytes() == by_hand(host, "flux", OFF)[0]
    assert "CLIP skip L" not in infotext(made) and len(made.images) == 1


def test_sd1s_own_key_is_written_where_it_is_true(host):
    assert ", Clip skip: 2" in infotext(tagged(host, "2", checkpoint=SD1))
    assert ", Clip skip: " not in infotext(tagged(host, "1.5", checkpoint=SD1))


def test_auto_by_a_tag_has_the_models_preset(host, opts):  # noqa: F811
    selected = extension().host.selected(host.title(SDXL))
    library().save(selected, {"l": 3.0, "g": 2.5}, "linear")
    made = tagged(host, "mode=auto", PANEL)
    used_conds(host, SDXL, {"l": 3, "g": 2.5})
    assert ours(infotext(made)) == {"CLIP skip L": "3", "CLIP skip G": "2.5"}


# --- where a prompt may have it from ---------------------------------------------------------------------------------


@pytest.fixture
def style(host):
    styles = host.module("shared").prompt_styles.styles
    styles["deep"] = host.module("styles").PromptStyle("deep", "{prompt} <clipskip:l=3>", "")
    yield "deep"
    del styles["deep"]


def test_a_style(host, style):
    made = host.txt2img(**request(host, SDXL, OFF, styles=[style]))
    used_conds(host, SDXL, {"l": 3})
    assert ours(infotext(made)) == {"CLIP skip mode": "manual", "CLIP skip L": "3"}
    host.txt2img(**request(host, SDXL, OFF))
    used_conds(host, SDXL, {})


def test_what_another_script_writes_into_the_prompts(host, monkeypatch):
    """A wildcard: all prompts are there before the extension is asked, and change after it was."""
    script = next(s for s in host.module("scripts").scripts_txt2img.alwayson_scripts if s.title() != "CLIP Skip")
    skips = iter((1.5, 3))

    def wildcards(p, *args, **kwargs):
        p.all_prompts = [prompt.replace("__skip__", f"<clipskip:{next(skips)}>") for prompt in p.all_prompts]

    monkeypatch.setattr(script, "process", wildcards, raising=False)
    monkeypatch.setattr(script, "args_to", max(script.args_to, 1))
    made = host.txt2img(**request(host, SD1, OFF, prompt=f"{PROMPT} __skip__", n_iter=2))
    read(host, [{"l": 1.5}, {"l": 3}])
    assert [ours(text)["CLIP skip L"] for text in made.info["infotexts"]] == ["1.5", "3"]


def test_a_grids_prompt_search_and_replace(host):
    searched = "cat,cat <clipskip:2.5>,dog <clipskip:g=3>"
    made = host.txt2img(**request(host, SDXL, OFF, **grid(host, ("prompt", searched))))
    prompts = [PROMPT, PROMPT, PROMPT.replace("cat", "dog")]
    read(host, [{}, {"l": 2.5, "g": 2.5}, {"g": 3}], prompts)
    assert [ours(text).get("CLIP skip G") for text in texts(made)] == [None, "2.5", "3"]
    assert len(set(cells(made))) == 3


def test_it_wins_over_a_grids_axes(host):
    axes = grid(host, ("[CLIP Skip] L", "1,3"), ("[CLIP Skip] Mode", ["auto"]))
    made = tagged(host, "l=2.5:g=2", **axes)
    read(host, [{"l": 2.5, "g": 2}] * 2)
    assert len(set(texts(made))) == len(set(cells(made))) == 1


@pytest.mark.parametrize("prompt", [
    "a cat AND a dog on the beach",
    "a cat BREAK a dog",
    "a [cat:dog:0.5] on the beach",
    "a [cat:dog:0.5] AND [sky:sea:1] BREAK a tree",
])  # fmt: skip
def test_it_means_the_whole_prompt(host, prompt):
    expected, _ = by_hand(host, SD1, [True, {"skip": 2.5}], prompt=prompt)
    conds = [used["crossattn"] for _, _, used in host.last_conds]
    for place in (f"<clipskip:2.5>{prompt}", f"{prompt}<clipskip:2.5>", prompt.replace("cat", "cat<clipskip:2.5>")):
        made = host.txt2img(**request(host, SD1, OFF, prompt=place))
        assert made.images[0].tobytes() == expected
        assert all((a == b["crossattn"]).all() for a, (_, _, b) in zip(conds, host.last_conds, strict=True))
    assert by_hand(host, SD1, OFF, prompt=prompt)[0] != expected
    if host.like != "sdnext" and prompt == "a [cat:dog:0.5] on the beach":
        host.txt2img(**request(host, SD1, OFF, prompt=f"{prompt}<clipskip:2.5>"))
        used = [cond for kind, _, cond in host.last_conds if kind == "c"]
        for cond, text in zip(used, ("a cat on the beach", "a dog on the beach"), strict=True):
            assert_cond(host, cond, SD1, {"l": 2.5}, text)


def test_img2img(host):
    picture = {"init_images": [Image.new("RGB", (64, 64), "teal")]}
    made = host.img2img(**request(host, SDXL, OFF, prompt=tag("2.5"), **picture))
    used_conds(host, SDXL, {"l": 2.5, "g": 2.5})
    by_api = host.img2img(**request(host, SDXL, [True, {"skip": 2.5}], **picture))
    assert made.images[0].tobytes() == by_api.images[0].tobytes()


# --- batches ---------------------------------------------------------------------------------------------------------


def test_each_batch_has_its_own(host):
    prompts = [tag("2"), PROMPT, tag("l=1.5"), tag("nonsense"), tag("2")]
    made = host.txt2img(**request(host, SDXL, [True, {"g": 4}], prompt=prompts, n_iter=5))
    read(host, [{"l": 2, "g": 2}, {"g": 4}, {"l": 1.5}, {"g": 4}, {"l": 2, "g": 2}])
    each = [ours(text) for text in made.info["infotexts"]]
    assert [(keys.get("CLIP skip L"), keys.get("CLIP skip G")) for keys in each] == [
        ("2", "2"), (None, "4"), ("1.5", None), (None, "4"), ("2", "2")]  # fmt: skip
    assert "nonsense was refused" in made.info["infotexts"][3]
    assert [REFUSED in text for text in made.info["infotexts"]] == [False, False, False, True, False]


def test_within_a_batch_it_is_the_hosts_choice_whose_tags_count(host):
    """As for its LoRAs: the A1111 line takes those of the first prompt, SD.Next those of the last that has any."""
    made = host.txt2img(**request(host, SDXL, OFF, prompt=[tag("2"), tag("l=3")], batch_size=2))
    used_conds(host, SDXL, {"l": 3} if host.like == "sdnext" else {"l": 2, "g": 2})
    assert len(made.images) == 2


DIFFERENT = "The prompts of this batch have different tags, and are all read as the first one's says."


@pytest.mark.parametrize("prompts, said", [
    ([tag("2"), tag("l=3")], True),
    ([tag("2"), PROMPT], True),
    ([PROMPT, tag("2")], True),
    ([tag("2"), tag("2") + ", more"], False),
    ([PROMPT, "a dog"], False),
    ([tag("2"), tag("2"), tag("3"), tag("3")], False),
    ([tag("2"), tag("2"), tag("3"), tag("2")], True),
])  # fmt: skip
def test_that_a_batch_has_different_tags_is_said(host, prompts, said):
    different = DIFFERENT.replace("the first one's says", "one of them says") if host.like == "sdnext" else DIFFERENT
    fields = {"batch_size": 2, "n_iter": len(prompts) // 2}
    made = host.txt2img(**request(host, SDXL, OFF, prompt=prompts, **fields))
    assert made.info["comments"].count(different) == said
    made = host.txt2img(**request(host, SDXL, OFF, prompt=prompts, enable_hr=True, hr_prompt=tag("4"), **fields))
    assert made.info["comments"].count(different) == said
    made = host.txt2img(**request(host, SDXL, OFF, prompt=prompts, n_iter=len(prompts)))
    assert different not in made.info["comments"]


# --- other passes ----------------------------------------------------------------------------------------------------


HIRES = {"enable_hr": True, "hr_scale": 2}


def passes(host, first, second, text=PROMPT):
    for kind, name, used in host.last_conds:
        expected = second if kind.startswith("hr_") else first
        prompt = text if kind == "hr_c" else PROMPT
        assert_cond(host, used, name, expected, NEGATIVE if kind.endswith("uc") else prompt)
    assert [kind for kind, _, _ in host.last_conds] == ["c", "uc", "hr_c", "hr_uc"]


@pytest.mark.parametrize("early", [False, True])
def test_hires_without_a_prompt_of_its_own_has_the_tag(host, opts, early):  # noqa: F811
    opts.data["hires_fix_use_firstpass_conds"] = early
    tagged(host, "l=2.5", PANEL, **HIRES)
    passes(host, {"l": 2.5}, {"l": 2.5})
    opts.data["hires_fix_use_firstpass_conds"] = False


@pytest.mark.parametrize("args, panel", [(OFF, {}), (PANEL, FOUR)])
def test_a_hires_prompt_follows_its_own_tag(host, args, panel):
    field = "refiner_prompt" if host.like == "sdnext" else "hr_prompt"
    made = tagged(host, "l=2.5", args, **HIRES, **{field: "a dog <clipskip:g=3>"})
    passes(host, {"l": 2.5}, {"g": 3}, "a dog")
    assert ours(infotext(made)) == {"CLIP skip mode": "manual", "CLIP skip L": "2.5"}  # the first pass
    made = tagged(host, "l=2.5", args, **HIRES, **{field: "a dog"})
    passes(host, {"l": 2.5}, panel, "a dog")
    assert ours(infotext(made)) == {"CLIP skip mode": "manual", "CLIP skip L": "2.5"}
    made = host.txt2img(**request(host, SDXL, args, **HIRES, **{field: "a dog <clipskip:g=3>"}))
    passes(host, panel, {"g": 3}, "a dog")
    assert ours(infotext(made)).get("CLIP skip G") == ("5" if panel else None)


def test_an_inner_pass_follows_the_outer_tag(host, style):
    made = tagged(host, "l=2.5", PANEL, inner_pass=True)
    read(host, [{"l": 2.5}] * 2)
    host.txt2img(**request(host, SDXL, PANEL, styles=[style], inner_pass=True))  # whose prompt it does not get
    read(host, [{"l": 3}] * 2)
    assert ours(infotext(made)) == {"CLIP skip mode": "manual", "CLIP skip L": "2.5"}


@pytest.mark.parametrize("outer, first", [(tag("l=2.5"), {"l": 2.5}), (PROMPT, FOUR)])
def test_an_inner_pass_with_a_tag_of_its_own(host, outer, first):
    """The text of the picture is that of the outer pass, and the next batch is its own again."""
    made = host.txt2img(**request(host, SDXL, PANEL, prompt=outer, inner_pass="a dog <clipskip:g=3>", n_iter=2))
    read(host, [first, {"g": 3}] * 2, [PROMPT, "a dog"] * 2)
    for text in made.info["infotexts"]:
        assert ours(text).get("CLIP skip L") == f"{first['l']}" and ours(text).get("CLIP skip G") in (None, "5")


def test_an_inner_pass_with_a_tag_in_a_job_that_asks_for_nothing(host):
    bare, said = by_hand(host, SDXL, OFF)
    made = host.txt2img(**request(host, SDXL, OFF, inner_pass="a dog <clipskip:g=3>", n_iter=2))
    read(host, [{}, {"g": 3}] * 2, [PROMPT, "a dog"] * 2)
    assert infotext(made).replace(", Batch: 2x1", "") == said  # which SD.Next tells of each image
    assert by_hand(host, SDXL, OFF) == (bare, said) and hooks(host) == []


def test_the_refiner_reads_the_tag_for_its_own_encoders(host, opts):  # noqa: F811
    fields = {"refiner_start": 0.5}
    if host.like == "sdnext":
        opts.data["sd_model_refiner"] = host.title("sdxl-refiner")
    else:
        fields = {"refiner_checkpoint": host.title("sdxl-refiner"), "refiner_switch_at": 0.5}
    tagged(host, "l=2.5:g=3", PANEL, **fields)
    if host.like == "sdnext":
        opts.data["sd_model_refiner"] = "None"
    assert {name for _, name, _ in host.last_conds} == {SDXL, "sdxl-refiner"}
    used = {name: {"l": 2.5, "g": 3} for name in (SDXL, "sdxl-refiner")}
    for kind, name, cond in host.last_conds:
        assert_cond(host, cond, name, used[name], NEGATIVE if kind.endswith("uc") else PROMPT)


def test_another_model_in_the_hires_pass_reads_the_tag_for_its_own(host):
    if host.like == "sdnext":  # it has one model for both
        tagged(host, "2.5", **HIRES)
        passes(host, {"l": 2.5, "g": 2.5}, {"l": 2.5, "g": 2.5})
        return
    made = tagged(host, "12", PANEL, SD1, **HIRES, hr_checkpoint_name=host.title(SDXL))
    passes(host, {"l": 12}, FOUR)  # 12 is a skip of SD 1.x alone: there the tag is ignored, and the panel holds
    assert "CLIP skip L: 12" in infotext(made) and "12 was refused" in infotext(made)
    tagged(host, "2.5", PANEL, SD1, **HIRES, hr_checkpoint_name=host.title(SDXL))
    passes(host, {"l": 2.5}, {"l": 2.5, "g": 2.5})


# --- a bad tag -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, named", [
    ("two", "two was refused"),
    ("l=12", "12 was refused"),
    ("clip_l=2", "clip_l was refused"),
    ("l=2:l=3", "l=2:l=3 was refused"),
    ("l=1.5:g=two", "two was refused"),
    (":", "was refused"),
    ("l=<img src=x onerror=alert(1)", "was refused"),
])  # fmt: skip
@pytest.mark.parametrize("args, panel", [(OFF, {}), (PANEL, FOUR)])
def test_a_bad_tag_is_named_and_ignored(host, caplog, text, named, args, panel):
    logging.getLogger("clip_skip").propagate = True
    made = tagged(host, text, args)
    read(host, [panel])
    assert made.images[0].tobytes() == by_hand(host, SDXL, args)[0]
    assert REFUSED in infotext(made) and named in infotext(made)
    assert "the tag" in made.info["comments"] and named in made.info["comments"]
    assert any(named in record.getMessage() for record in caplog.records)
    assert {key: value for key, value in ours(infotext(made)).items() if key in ("CLIP skip L", "CLIP skip G")} == (
        {"CLIP skip L": "4", "CLIP skip G": "5"} if panel else {}
    )


@pytest.mark.parametrize("prompt, negative, said", [
    (f"{PROMPT} <clip skip:2>", NEGATIVE, "<clip skip:2>: write <clipskip:2>"),
    (PROMPT, f"{NEGATIVE} <clipskip:2>", "<clipskip:2>: write it into the prompt: <clipskip:2>"),
])  # fmt: skip
@pytest.mark.parametrize("args", [OFF, PANEL])
def test_what_is_no_tag_is_told_with_the_result(host, caplog, prompt, negative, said, args):
    logging.getLogger("clip_skip").propagate = True
    made = host.txt2img(**request(host, SDXL, args, prompt=prompt, negative_prompt=negative))
    assert ["What looks like CLIP Skip's tag does nothing.", said] == made.info["comments"].split("\n")[:2]
    assert REFUSED not in infotext(made) and "CLIP skip advice" not in infotext(made)
    assert any(said in record.getMessage() for record in caplog.records)


def test_a_good_tag_beside_a_bad_one(host):
    made = tagged(host, "two><clipskip:l=2.5><clipskip:g=99", PANEL)
    used_conds(host, SDXL, {"l": 2.5})
    assert "two was refused" in infotext(made) and "99 was refused" in infotext(made)
    assert "CLIP skip L: 2.5" in infotext(made)


def test_a_bad_tag_and_a_bad_value_are_both_named(host):
    made = tagged(host, "two", [True, {"l": 99}])
    used_conds(host, SDXL, {})
    for place in (infotext(made), made.info["comments"]):
        assert "two was refused" in place and "99 was refused" in place


def test_a_good_tag_needs_no_good_panel(host):
    """The tag is the whole request of its prompt: what the panel can't have is not asked for."""
    made = tagged(host, "l=2.5", [True, {"l": 99}])
    used_conds(host, SDXL, {"l": 2.5})
    assert REFUSED not in infotext(made) and "CLIP skip L: 2.5" in infotext(made)


@pytest.mark.parametrize("text", ["<clipskip>", "<clipskip:>", "<clip_skip:2>", "<lora:clipskip:2>"])
def test_what_is_no_tag_is_the_hosts(host, text):
    made = host.txt2img(**request(host, SDXL, OFF, prompt=f"{PROMPT} {text}"))
    assert "CLIP skip" not in infotext(made)
    told = "What looks like CLIP Skip's tag does nothing." in made.info["comments"]
    assert told == bool(mistaken(text)) and "refused" not in made.info["comments"]


# --- jobs after jobs -------------------------------------------------------------------------------------------------


def test_no_cond_is_served_to_another_tag(host):
    plans = {"2": {"l": 2, "g": 2}, "l=2": {"l": 2}, "l=2:g=1": {"l": 2}, "g=2": {"g": 2}, "two": {}, None: {}}
    before = state(host)
    order = [*plans, *reversed(plans), "2", None, "2", "2", "l=2", None, None, "two", "g=2", "l=2:g=1"]
    for text in order:
        prompt = PROMPT if text is None else tag(text)
        host.txt2img(**request(host, SDXL, OFF, prompt=prompt))
        read(host, [plans[text]])
        assert hooks(host) == [] and state(host) == before
    for text, args, skips in (("2", PANEL, plans["2"]), (None, PANEL, FOUR), ("two", PANEL, FOUR), (None, OFF, {})):
        host.txt2img(**request(host, SDXL, args, prompt=PROMPT if text is None else tag(text)))
        read(host, [skips])


@pytest.mark.parametrize("how", ["__raise__", "__interrupt__"])
def test_nothing_is_left_after_a_job_that_did_not_end(host, how):
    bare, before = by_hand(host, SDXL, OFF), state(host)
    try:
        host.txt2img(**request(host, SDXL, OFF, prompt=f"{tag('3')} {how}"))
    except Exception as error:
        assert "__raise__" in str(error)
    assert hooks(host) == [] and state(host) == before
    assert by_hand(host, SDXL, OFF) == bare


def test_off_in_settings_it_is_stripped_and_does_nothing(host, opts):  # noqa: F811
    bare, _ = by_hand(host, SDXL, OFF)
    opts.data["clip_skip_ext_enabled"] = False
    for text in ("2", "nonsense"):
        made = tagged(host, text, PANEL)
        assert made.images[0].tobytes() == bare
        assert "CLIP skip" not in infotext(made)
    told = "What looks like CLIP Skip's tag does nothing." in made.info["comments"]
    assert told == bool(mistaken(text)) and "refused" not in made.info["comments"]


def test_infotext_switched_off(host, opts):  # noqa: F811
    opts.data["clip_skip_ext_infotext"] = False
    made = tagged(host, "2.5><clipskip:two")
    used_conds(host, SDXL, {"l": 2.5, "g": 2.5})
    assert "CLIP skip" not in infotext(made) and "two was refused" in made.info["comments"]


def test_with_the_hosts_extra_networks_off_it_is_as_a_lora(host):
    """Stripped, and without effect; and so the text of the picture says."""
    bare, _ = by_hand(host, SDXL, OFF)
    made = tagged(host, "2", disable_extra_networks=True)
    assert made.images[0].tobytes() == bare and "CLIP skip L" not in infotext(made)


@pytest.mark.parametrize("text", ["l=2.5:g=3", "1.5:blend=slerp"])
def test_the_text_of_the_picture_makes_it_again(host, text):
    made = tagged(host, text)
    utils = host.module("generation_parameters_copypaste")
    params = utils.parse_generation_parameters(infotext(made))
    assert params["Prompt"] == tag(text)
    options = sys.modules["clip_skip.skip.infotext"].parse(params)
    fields = {**SMALL, "override_settings": {"sd_model_checkpoint": host.title(SDXL)}, "prompt": params["Prompt"]}
    for prompt in (params["Prompt"], PROMPT):  # also where the tag has been taken out since
        body = {**fields, "prompt": prompt, "alwayson_scripts": {"clip skip": {"args": [True, options]}}}
        again = host.txt2img(**body)
        assert again.images[0].tobytes() == made.images[0].tobytes()
        assert ours(infotext(again)) == ours(infotext(made))


# --- registration ----------------------------------------------------------------------------------------------------


def test_registered_once_and_taken_out_again(host):
    networks = host.module("extra_networks")
    for _ in range(3):
        host.reload_ui()
        mine = networks.extra_network_registry["clipskip"]
        assert sys.modules["clip_skip.interfaces.extra_network"].__dict__ is type(mine).activate.__globals__
        made = tagged(host, "l=2.5")
        used_conds(host, SDXL, {"l": 2.5})
        assert infotext(made).count("CLIP skip L") == 1
    host.module("script_callbacks").call("script_unloaded")
    assert "clipskip" not in networks.extra_network_registry
    host.reload_ui()
    tagged(host, "l=3")
    used_conds(host, SDXL, {"l": 3})
