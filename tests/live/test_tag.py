"""The prompt tag in a running WebUI, against the same options in the API's arguments and a prompt without the tag.

One test needs a style of the WebUI's own: `offers.STYLE`.
"""

from __future__ import annotations

import pytest

from .offers import STYLE

BASE = "a photo of a (cat:1.2), blue sky"

pytestmark = pytest.mark.usefixtures("no_presets")


def same(tagged, by_hand):
    """In pixels and in what the infotexts say of the skip."""
    return (tagged.each, tagged.keys) == (by_hand.each, by_hand.keys)


def plans(architecture):
    """Tags, and the options that they stand for."""
    ids = [encoder.id for encoder in architecture.encoders]
    yield "<clipskip:1.5>", {"skip": 1.5}
    yield "<clipskip:3>", {"skip": 3}
    yield f"<clipskip:{ids[-1]}=2.5>", {ids[-1]: 2.5}
    yield "<clipskip:2.25:blend=slerp>", {"skip": 2.25, "blend": "slerp"}
    if len(ids) > 1:
        yield f"<clipskip:{ids[0]}=1.5:{ids[1]}=3>", {ids[0]: 1.5, ids[1]: 3}


def test_the_tag_is_the_arguments(webui, checkpoint):
    bare = webui.txt2img(checkpoint)
    for (tag, options), args in zip(plans(webui.checkpoints[checkpoint]), [None, [False], *[None] * 3], strict=False):
        by_hand = webui.txt2img(checkpoint, [True, options])
        assert by_hand.pixels != bare.pixels
        assert same(webui.txt2img(checkpoint, args, prompt=BASE + tag), by_hand), tag
    assert webui.txt2img(checkpoint) == bare


def test_it_wins_over_the_arguments(webui, sdxl):
    by_hand = webui.txt2img(sdxl, [True, {"l": 2}])
    for args in ([True], [True, {"skip": 3}], [True, {"g": 2.5, "blend": "slerp"}], [True, {"l": 99}]):
        tagged = webui.txt2img(sdxl, args, prompt=f"<clipskip:l=2> {BASE}")
        assert tagged.pixels == by_hand.pixels, args


def test_the_tag_for_auto(webui, sd1):
    webui.keep(sd1, {"l": 3.5})
    by_hand = webui.txt2img(sd1, [True])
    assert by_hand.keys["CLIP skip L"] == "3.5"
    assert same(webui.txt2img(sd1, [True, {"skip": 2}], prompt=f"{BASE} <clipskip:mode=auto>"), by_hand)


def test_in_img2img(webui, sd1):
    by_hand = webui.img2img(sd1, [True, {"skip": 2.5}])
    assert same(webui.img2img(sd1, prompt=f"{BASE} <clipskip:2.5>"), by_hand)


def test_several_tags_are_one(webui, sdxl):
    by_hand = webui.txt2img(sdxl, [True, {"l": 2, "g": 1.5}])
    prompt = f"<clipskip:l=3> {BASE} <clipskip:g=1.5> <clipskip:l=2>"
    assert same(webui.txt2img(sdxl, prompt=prompt), by_hand)


@pytest.mark.needs(f"the style {STYLE}")
def test_in_a_style(webui, sd1):
    by_hand = webui.txt2img(sd1, [True, {"skip": 2.5}], prompt=f"{BASE}, at night")
    assert same(webui.txt2img(sd1, styles=[STYLE[0]]), by_hand)


def test_in_the_cells_of_a_grid(webui, sd1):
    made = webui.grid(
        sd1,
        (webui.axis("Prompt S/R"), "skip:1>, skip:1.5>, skip:3>"),
        (webui.axis("CFG Scale"), "4, 8"),
        prompt=f"{BASE} <clipskip:1>",
    )
    cells = [(skip, scale) for scale in (4, 8) for skip in (1, 1.5, 3)]
    by_hand = [webui.txt2img(sd1, [True, {"skip": skip}], cfg_scale=scale) for skip, scale in cells]
    assert [(cell.pixels, cell.keys) for cell in made] == [(each.pixels, each.keys) for each in by_hand]
    assert len({cell.pixels for cell in made}) == 6


def test_it_wins_over_an_axis(webui, sd1):
    made = webui.grid(sd1, ("[CLIP Skip] All encoders", "2, 3"), prompt=f"{BASE} <clipskip:1.5>")
    by_hand = webui.txt2img(sd1, [True, {"skip": 1.5}])
    assert [cell.pixels for cell in made] == [by_hand.pixels] * 2


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat AND a dog:0.7",
        "a cat BREAK a dog, many different words",
        "a [cat:dog:0.5] and [a bird|a horse]",
        "a cat, " + "many different words of all kinds, " * 20,
    ],
    ids=["AND", "BREAK", "schedule", "long"],
)
def test_it_means_the_whole_prompt(webui, sd1, prompt):
    by_hand = webui.txt2img(sd1, [True, {"skip": 2.5}], prompt=prompt, steps=4)
    assert by_hand.pixels != webui.txt2img(sd1, [False], prompt=prompt, steps=4).pixels
    middle = prompt.index(" ") + 1
    for tagged in (f"{prompt} <clipskip:2.5>", f"<clipskip:2.5> {prompt}", f"a <clipskip:2.5>{prompt[middle:]}"):
        assert same(webui.txt2img(sd1, prompt=tagged, steps=4), by_hand), tagged


def test_all_images_of_a_job(webui, sd1):
    several = {"n_iter": 2, "batch_size": 2}
    by_hand = webui.txt2img(sd1, [True, {"skip": 2.5}], **several)
    assert len(set(by_hand.each)) >= 4
    assert same(webui.txt2img(sd1, prompt=f"{BASE} <clipskip:2.5>", **several), by_hand)


class TestSecondPass:
    @pytest.fixture
    def make(self, webui, sd1):
        field = "refiner_prompt" if webui.name == "sdnext" else "hr_prompt"

        def make(prompt, second="", args=None):
            return webui.txt2img(sd1, args, prompt=prompt, **{field: second}, **webui.hires)

        return make

    def test_it_holds_where_the_second_pass_has_no_prompt_of_its_own(self, make):
        by_hand = make("a cat", args=[True, {"skip": 3}])
        assert same(make("a cat <clipskip:3>"), by_hand)
        assert by_hand.pixels != make("a cat").pixels

    def test_both_prompts_have_it(self, make):
        by_hand = make("a cat", "a dog", [True, {"skip": 3}])
        assert same(make("a cat <clipskip:3>", "a dog <clipskip:3>"), by_hand)

    def test_each_prompt_follows_its_own(self, make):
        """What has no tag follows the arguments."""
        trained = [True, {"skip": 1}]
        made = {
            (first, second): make(f"a cat <clipskip:{first}>", f"a dog <clipskip:{second}>").pixels
            for first in (1, 2, 3)
            for second in (1, 2, 3)
        }
        assert len(set(made.values())) == 9
        assert made[1, 1] == make("a cat", "a dog", trained).pixels
        assert made[2, 1] == make("a cat <clipskip:2>", "a dog", trained).pixels
        assert made[1, 2] == make("a cat", "a dog <clipskip:2>", trained).pixels
        assert made[3, 2] == make("a cat <clipskip:3>", "a dog", [True, {"skip": 2}]).pixels
        assert made[2, 3] == make("a cat", "a dog <clipskip:3>", [True, {"skip": 2}]).pixels

    def test_the_infotext_tells_the_first(self, make):
        assert make("a cat <clipskip:2>", "a dog <clipskip:3>").keys["CLIP skip L"] == "2"
        assert "CLIP skip L" not in make("a cat", "a dog <clipskip:3>").keys


@pytest.mark.parametrize("tag", ["99", "0.5", "deep", "x=2", "l=", "blend=cubic", " ", "1.5:2"])
def test_a_bad_tag_is_named_and_ignored(webui, sd1, tag):
    for args in ([True, {"skip": 3}], None):
        by_hand = webui.txt2img(sd1, args)
        tagged = webui.txt2img(sd1, args, prompt=f"{BASE} <clipskip:{tag}>")
        assert tagged.pixels == by_hand.pixels
        assert tagged.advice.startswith("bad-value")
        assert tagged.keys["CLIP skip refused"]
        assert tagged.keys.get("CLIP skip L") == by_hand.keys.get("CLIP skip L")
    good = webui.txt2img(sd1, prompt=f"<clipskip:2.5> {BASE} <clipskip:{tag}>")
    assert good.pixels == webui.txt2img(sd1, [True, {"skip": 2.5}]).pixels
    assert good.advice.startswith("bad-value")


def test_switched_off_it_is_taken_out_and_does_nothing(webui, sd1):
    bare = webui.txt2img(sd1, [False])
    webui.post("/sdapi/v1/options", {"clip_skip_ext_enabled": False})
    try:
        tagged = webui.txt2img(sd1, prompt=f"{BASE} <clipskip:3>")
    finally:
        webui.post("/sdapi/v1/options", {"clip_skip_ext_enabled": True})
    assert (tagged.pixels, tagged.keys, tagged.advice) == (bare.pixels, bare.keys, "")


def test_jobs_with_and_without_it_by_turns(webui, sd1, sdxl):
    jobs = [(name, tag) for name in (sd1, sdxl) for tag in ("", "<clipskip:3>", "", "<clipskip:l=1.5>", "")]
    made = [(name, tag, webui.txt2img(name, [False], prompt=BASE + tag).pixels) for name, tag in jobs]
    first = {}
    for name, tag, pixels in made:
        assert first.setdefault((name, tag), pixels) == pixels
    assert len(set(first.values())) == 6
