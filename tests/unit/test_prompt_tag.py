"""The prompt tag's parser: whatever is written between the colons."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.skip import prompt_tags
from clip_skip.skip.architectures import ARCHITECTURES, DEEPEST_SKIP, ENCODER_IDS
from clip_skip.skip.parameters import BLENDS, MODES, PARAMETERS
from clip_skip.skip.plan import resolve
from clip_skip.skip.prompt_tags import find, request
from clip_skip.skip.request import Request, from_options

PANEL = from_options({"l": 3, "g": 2, "blend": "slerp"})
ARCHITECTURE = st.sampled_from(list(ARCHITECTURES.values()))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters=">"), min_size=1)
TAGS = st.lists(TEXT.map(lambda text: tuple(text.split(":"))), max_size=5).map(tuple)


def decimal(value):
    """As one would write it: no exponent, which a user would not, nor digits that mean nothing."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


NUMBERS = {id: st.floats(1, DEEPEST_SKIP[id]).map(lambda x: round(x, 4)) for id in ENCODER_IDS}


def options_for(architecture):
    """Options that this architecture accepts."""
    numbers = {encoder.id: st.floats(1, encoder.trained_depth).map(decimal) for encoder in architecture.encoders}
    least = min((encoder.trained_depth for encoder in architecture.encoders), default=max(DEEPEST_SKIP.values()))
    return st.fixed_dictionaries(
        {},
        optional={
            "skip": st.floats(1, least).map(decimal),
            "mode": st.sampled_from(MODES),
            "blend": st.sampled_from(BLENDS),
            **numbers,
        },
    )


ACCEPTED = ARCHITECTURE.flatmap(lambda a: st.tuples(st.just(a), st.lists(options_for(a).filter(bool), min_size=1)))


def written(options):
    return tuple(f"{name}={value}" for name, value in options.items())


@given(TAGS, ARCHITECTURE)
def test_never_raises_and_what_is_refused_is_named_and_ignored(tags, architecture):
    asked, refusals = request(tags, PANEL, architecture)
    if asked is not PANEL:
        assert not asked.refusals and not resolve(asked, architecture).refusals
    assert all("the tag" in str(refusal) and "was refused" in str(refusal) for refusal in refusals)
    assert asked is PANEL or len(refusals) < sum(map(len, tags))
    if not refusals:
        assert (asked is PANEL) == (not tags)


@given(ACCEPTED)
def test_tags_are_the_apis_options_and_the_later_wins(case):
    architecture, given_options = case
    asked, refusals = request(tuple(map(written, given_options)), PANEL, architecture)
    merged = {}
    for options in given_options:
        merged.update(options)
    assert not refusals and asked == from_options(merged)


@given(ACCEPTED, st.data())
def test_a_bad_tag_among_good_ones_changes_nothing_but_is_named(case, data):
    architecture, given_options = case
    tags = [written(options) for options in given_options]
    bad = data.draw(st.sampled_from([("two",), ("99",), ("x=1",), ("l=1", "l=1"), ("",), ("blend=cubic",), ("0.99",)]))
    place = data.draw(st.integers(0, len(tags)))
    asked, refusals = request((*tags[:place], bad, *tags[place:]), PANEL, architecture)
    assert (asked, ()) == request(tuple(tags), PANEL, architecture)
    assert len(refusals) == 1 and str(refusals[0]).startswith("the tag")


@given(ACCEPTED)
def test_an_unnamed_number_is_that_for_all_encoders(case):
    architecture, given_options = case
    for options in given_options:
        if "skip" in options:
            others = {name: value for name, value in options.items() if name != "skip"}
            named, unnamed = (("skip=" + options["skip"], *written(others)), (options["skip"], *written(others)))
            assert request((named,), PANEL, architecture) == request((unnamed,), PANEL, architecture)


@given(ACCEPTED, st.lists(st.text(" \t", max_size=2), min_size=3, max_size=3))
def test_spaces_mean_nothing_around_a_name_or_a_value(case, spaces):
    architecture, given_options = case
    before, between, after = spaces
    for options in given_options:
        tag = tuple(f"{before}{name}{between}={after}{value}{before}" for name, value in options.items())
        assert request((tag,), PANEL, architecture) == request((written(options),), PANEL, architecture)


@given(st.text(), TAGS)
def test_find_reads_back_what_is_written(text, tags):
    text = text.replace("<", "").replace(">", "")
    prompt = text.join(f"<{prompt_tags.NAME}:{':'.join(tag)}>" for tag in tags)
    assert find(prompt) == tags
    assert find(text) == ()


def test_find_takes_each_tag_apart():
    assert find("a <clipskip:l=2:g=1.5>, <lora:x:1>\n<clipskip:3> b") == (("l=2", "g=1.5"), ("3",))


@pytest.mark.parametrize("tag, value", [(("2", "3"), "2:3"), (("l=1", "g=2", " l =1"), "l=1:g=2: l =1")])
def test_an_option_given_twice_is_named_as_it_is_written(tag, value):
    asked, (refusal,) = request((tag,), PANEL, ARCHITECTURES["sdxl"])
    assert asked is PANEL
    assert str(refusal) == (
        f"the tag's value {value} was refused, accepted is one number, or each option once by its name"
    )


@pytest.mark.parametrize(
    "prompt", ["<clipskip>", "<clipskip:>", "<clip_skip:2>", "<lora:clipskip:2>", "clipskip:2", ""]
)
def test_what_is_no_tag(prompt):
    assert find(prompt) == ()


@pytest.mark.parametrize("written, meant", [
    ("<ClipSkip:2>", "<clipskip:2>"),
    ("<CLIPSKIP:l=2:g=1>", "<clipskip:l=2:g=1>"),
    ("<clipskip 2>", "<clipskip:2>"),
    ("<clipskip=2>", "<clipskip:2>"),
    ("<clip skip:2>", "<clipskip:2>"),
    ("<clip_skip: 1.5>", "<clipskip:1.5>"),
    ("<clip-skip-2>", "<clipskip:2>"),
    ("<clipskip2>", "<clipskip:2>"),
    ("<clipskip\uff1a2>", "<clipskip:2>"),
    ("<clipskip\uff1al\uff1d2\uff1ag=1>", "<clipskip:l=2:g=1>"),
    ("< clipskip l = 2, g = 1 >", "<clipskip:l=2:g=1>"),
    ("<clipskip>", "<clipskip:2>"),
    ("<clipskip:>", "<clipskip:2>"),
    ("\uff1cclipskip\uff1a1.5\uff1e", "<clipskip:1.5>"),
    ("<clipskip\xa0: 1.5>", "<clipskip:1.5>"),
    ("<clipskip;1.5>", "<clipskip:1.5>"),
    ("<clipskip|l=2|g=1>", "<clipskip:l=2:g=1>"),
    ("<clipskip(1.5)>", "<clipskip:1.5>"),
    ("<clipskips:2>", "<clipskip:2>"),
    ("\u3008clipskip:2\u3009", "<clipskip:2>"),
    ("\u300aclipskip:2\u300b", "<clipskip:2>"),
    ("<\uff43\uff4c\uff49\uff50\uff53\uff4b\uff49\uff50:2>", "<clipskip:2>"),
    ("<clipskip\uff1a\uff11\uff0e\uff15>", "<clipskip:1.5>"),
])  # fmt: skip
def test_what_looks_like_a_tag_is_told_with_the_tag_that_is_meant(written, meant):
    assert prompt_tags.mistaken(f"a {written} cat <clipskip:3>") == (prompt_tags.Mistaken(written, meant, False),)
    assert prompt_tags.mistaken("a cat", f"bad {written}") == (prompt_tags.Mistaken(written, meant, True),)
    (tag,) = find(meant)
    assert not request((tag,), PANEL, ARCHITECTURES["sdxl"])[1]


@pytest.mark.parametrize("written, meant", [
    ("<clipskip 2X>", "<clipskip:2X>"),
    ("<clipskip\uff1a\uff01\uff12\uff5e>", "<clipskip:!2~>"),  # the first and the last of the wide signs
    ("<clipskip\uff1a2\uff00\uff5f>", "<clipskip:2\uff00\uff5f>"),  # those beside them
])  # fmt: skip
def test_what_is_meant_has_the_value_as_it_is_written(written, meant):
    assert prompt_tags.mistaken(written) == (prompt_tags.Mistaken(written, meant, False),)


@pytest.mark.parametrize("written, meant", [
    ("<clipskip:2", "<clipskip:2>"),
    ("<ClipSkip: 1.5", "<clipskip:1.5>"),
    ("\uff1cclip skip\uff1a2", "<clipskip:2>"),
    ("<clipskip:l=2:g=1.5", "<clipskip:l=2:g=1.5>"),
    ("<clip_skip l = 2, g = 1", "<clipskip:l=2:g=1>"),
])  # fmt: skip
@pytest.mark.parametrize("after", ["", ", a cat", "\na cat", " (a:1.2)", " <a"])
def test_a_tag_that_is_not_closed_is_told_with_the_tag_that_is_meant(written, meant, after):
    assert prompt_tags.mistaken(f"a {written}{after}") == (prompt_tags.Mistaken(written, meant, False),)
    assert prompt_tags.mistaken("a cat", written + after) == (prompt_tags.Mistaken(written, meant, True),)


def test_a_tag_that_a_later_sign_closes_is_the_webuis():
    assert prompt_tags.mistaken("<clipskip:2 a cat <lora:x:1>") == ()
    assert prompt_tags.mistaken("<clip skip and other ways") == ()


@pytest.mark.parametrize("prompt", [
    "<clipskip:2>", "<clipskip:l=2:g=1>", "<lora:clipskip:2>", "clip skip 2", "<clipskipper:2>", "<eclipse>", "", "<>",
])  # fmt: skip
def test_what_is_a_tag_or_nothing_like_one_is_left_alone(prompt):
    assert prompt_tags.mistaken(prompt) == ()


def test_a_tag_in_the_negative_prompt_counts_nowhere():
    assert prompt_tags.mistaken("<clipskip:2>", "<clipskip:2>") == (
        prompt_tags.Mistaken("<clipskip:2>", "<clipskip:2>", True),
    )


@given(st.text(), st.text())
def test_no_prompt_is_too_odd(prompt, negative):
    for found in prompt_tags.mistaken(f"<clip skip {prompt}", negative):
        assert found.written in (prompt + negative) or found.written.startswith("<clip skip ")


@pytest.mark.parametrize("name", [name for name, parameter in PARAMETERS.items() if parameter.maximum])
@pytest.mark.parametrize(
    "value", ["0", "-1", "0.99", "33", "1e9", "nan", "inf", "two", "", "1,5", "trained", "[2]", "1_0"]
)
def test_a_bad_number_is_named_with_what_is_accepted(name, value):
    asked, (refusal,) = request(((f"{name}={value}",),), PANEL, ARCHITECTURES["sdxl"])
    assert asked is PANEL
    assert str(refusal).startswith(f"the tag's {name} {value}")
    assert str(refusal).endswith(f"a number from 1 to {PARAMETERS[name].maximum}")


@pytest.mark.parametrize("tag", [("l=12",), ("skip=12",), ("12",), ("l=11.5", "g=2")])
def test_a_number_that_this_model_cant_have_is_refused_with_its_whole_tag(tag):
    asked, (refusal,) = request((tag,), PANEL, ARCHITECTURES["sdxl"])
    assert asked is PANEL and "a number from 1 to 11 on SDXL" in str(refusal)
    assert request((tag,), PANEL, ARCHITECTURES["sd1"])[1] == ()


@given(st.floats())
def test_every_number_within_the_range_and_no_other_is_taken(value):
    asked, refusals = request(((str(value),),), Request(), ARCHITECTURES["sd1"])
    accepted = math.isfinite(value) and 1 <= value <= 12
    assert (asked.skip == value) == accepted and bool(refusals) != accepted


@pytest.mark.parametrize("network_data", [None, {}, [], {"lora": ["x"]}])
def test_prompts_without_a_tag_of_ours(network_data):
    assert prompt_tags.given(network_data) == ()
