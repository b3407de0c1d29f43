"""Script arguments in every shape that a panel or an API caller may send."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip import __version__
from clip_skip.skip import infotext
from clip_skip.skip.architectures import ARCHITECTURES, DEEPEST_SKIP, ENCODER_IDS
from clip_skip.skip.auto import Auto
from clip_skip.skip.parameters import PARAMETERS, refusal
from clip_skip.skip.plan import resolve
from clip_skip.skip.request import MOST_COMPARED, PANEL_FIELDS, Request, from_options, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
NUMBERS = {id: st.floats(1, DEEPEST_SKIP[id]) for id in ENCODER_IDS}
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["auto", "manual"]),
        "skip": st.floats(1, 32),
        "blend": st.sampled_from(["linear", "slerp"]),
        **NUMBERS,
    },
)


@given(st.lists(JSON | OPTIONS, max_size=12))
def test_never_raises_and_always_resolves(args):
    request = parse(*args)
    for architecture in ARCHITECTURES.values():
        plan = resolve(request, architecture)
        assert set(plan.skips) == {encoder.id for encoder in architecture.encoders}
        assert plan.as_trained or not plan.refusals


@given(OPTIONS)
def test_json_text_is_the_same_as_the_object(options):
    assert parse(True, json.dumps(options)) == parse(True, options)


@given(OPTIONS)
def test_every_accepted_value_is_used(options):
    request = parse(True, options)
    assert not request.refusals
    for id in ENCODER_IDS:
        assert request.skip_for(id) == options.get(id, options.get("skip", 1))
    assert request.blend == options.get("blend", "linear")
    numbered = any(name in options for name in ("skip", *ENCODER_IDS))
    assert request.mode == options.get("mode", "manual" if numbered else "auto")


@pytest.mark.parametrize("args", [(), (False,), (None,), (0,), (False, {"l": 99}), (False, "{"), (False, {"l": 2})])
def test_missing_arguments_and_off_are_off(args):
    assert parse(*args) == Request(enabled=False)


@pytest.mark.parametrize("options", [None, "", "  ", {}, "{}", "null"])
def test_enabled_without_options_is_auto(options):
    assert parse(True, options) == Request(enabled=True)


@pytest.mark.parametrize("name", [name for name, parameter in PARAMETERS.items() if parameter.maximum])
@pytest.mark.parametrize("value", [0, 0.99, -3, 33, 1e9, math.nan, math.inf, "two", True, [2], {"x": 1}])
def test_a_bad_number_is_named_with_what_is_accepted(name, value):
    (refusal,) = parse(True, {name: value}).refusals
    assert str(refusal).startswith(f"{name} ") and f"a number from 1 to {PARAMETERS[name].maximum}" in str(refusal)


@pytest.mark.parametrize(
    "args, words",
    [
        ((True, {"clipskip": 2}), "option clipskip was refused, accepted is skip"),
        ((True, {5: 2}), "option 5 was refused, accepted is mode or skip or l or g or h or blend"),
        ((True, {"mode": "on"}), 'mode on was refused, accepted is "auto" or "manual"'),
        ((True, "{broken"), "options {broken was refused"),
        ((True, [1]), "options [1] was refused"),
        (("yes", {"l": 2}), "enabled yes was refused, accepted is true or false"),
        ((True, None, "Manual", True, "x"), "skip x was refused"),
        ((True, None, "x", True, 2), "mode x was refused"),
        ((True, "x" * 1000), "xxx..."),
        ((True, "[" * 100_000), "was refused"),
        ((True, *[None] * (2 + len(PANEL_FIELDS))), "[enabled, options]"),
    ],
)
def test_what_is_refused_is_named_and_nothing_is_asked_for(args, words):
    request = parse(*args)
    assert request.enabled and any(words in str(refusal) for refusal in request.refusals)
    for architecture in ARCHITECTURES.values():
        assert resolve(request, architecture).as_trained


def test_of_two_names_that_are_near_the_nearest_is_offered():
    (refusal,) = parse(True, {"blendmode": "slerp"}).refusals  # near "mode", too
    assert str(refusal) == "option blendmode was refused, accepted is blend"


@pytest.mark.parametrize("enabled", [True, 1, 1.0])
def test_on_is_true_however_json_says_it(enabled):
    assert parse(enabled, {"l": 2}) == from_options({"l": 2})


@pytest.mark.parametrize("name, value, held", [
    ("l", " 1.5 ", 1.5),
    ("l", 12, 12.0),
    ("l", 1, 1.0),
    ("g", 32, 32.0),
    ("h", 23, 23.0),
    ("skip", 32, 32.0),
    ("mode", " Manual", "manual"),
    ("blend", "SLERP", "slerp"),
])  # fmt: skip
def test_how_a_value_is_held(name, value, held):
    assert PARAMETERS[name].accept(value) == held


@pytest.mark.parametrize("name, value", [
    ("l", 12.01), ("g", 32.01), ("h", 23.01), ("skip", 32.01), ("l", "preset"), ("l", False), ("l", None),
    ("mode", 1), ("mode", None), ("blend", "preset"),
])  # fmt: skip
def test_what_is_not_held(name, value):
    with pytest.raises(ValueError):
        PARAMETERS[name].accept(value)


def test_a_word_is_taken_where_words_are():
    assert PARAMETERS["l"].accept(" Preset ", ["preset"]) == "preset"
    with pytest.raises(ValueError):
        PARAMETERS["l"].accept("auto", ["preset"])


@pytest.mark.parametrize("value, text", [
    (2.0, "2"), (1.5, "1.5"), (math.nan, "nan"), (math.inf, "inf"), (True, "True"), ([2], "[2]"),
    ("x" * 60, "x" * 60), ("x" * 61, "x" * 57 + "..."),
])  # fmt: skip
def test_a_refused_value_is_shown_in_short(value, text):
    assert str(refusal("l", value, "a number")) == f"l {text} was refused, accepted is a number"


def test_a_number_beyond_the_models_own_range_is_refused_as_a_whole():
    plan = resolve(parse(True, {"l": 12, "g": 2}), ARCHITECTURES["sdxl"])
    assert plan.skips == {"l": 1, "g": 1}
    assert [str(refusal) for refusal in plan.refusals] == [
        "CLIP-L 12 was refused, accepted is a number from 1 to 11 on SDXL"
    ]
    assert resolve(parse(True, {"l": 12}), ARCHITECTURES["sd1"]).skips == {"l": 12}


def test_an_encoder_that_the_model_lacks_is_no_error():
    assert resolve(parse(True, {"h": 3, "l": 2}), ARCHITECTURES["sdxl"]).skips == {"l": 2, "g": 1}


PANEL = st.fixed_dictionaries({"mode": st.sampled_from(["auto", "manual"]), "same": st.booleans(), **NUMBERS})


@given(PANEL, st.floats(1, 32), st.sampled_from(["linear", "slerp"]))
def test_the_panels_fields(fields, skip, blend):
    values = {**fields, "skip": skip, "blend": blend}
    request = parse(True, "", *(values[name] for name in PANEL_FIELDS))
    assert not request.refusals and request.mode == fields["mode"]
    for id in ENCODER_IDS:
        expected = skip if fields["same"] else fields[id]
        assert request.skip_for(id) == (1 if fields["mode"] == "auto" else expected)


@pytest.mark.parametrize("panel, options", [
    (["auto", True, 5.0, 2.0, 3.0, 4.0, "slerp"], {}),
    (["manual", True, 5.0, 2.0, 3.0, 4.0, "slerp"], {"mode": "manual", "skip": 5, "blend": "slerp"}),
    (["manual", False, 5.0, 2.0, 3.0, 4.0, "slerp"], {"mode": "manual", "l": 2, "g": 3, "h": 4, "blend": "slerp"}),
    (["manual", True], {"mode": "manual"}),
    (["manual", False], {"mode": "manual"}),
    (["manual"], {"mode": "manual"}),
    ([], {}),
])  # fmt: skip
def test_which_fields_of_the_panel_count(panel, options):
    assert parse(True, "", *panel) == from_options(options)


def test_options_win_over_the_panels_fields():
    assert parse(True, {"l": 2}, "manual", False, 5.0, 5.0, 5.0, 5.0, "slerp") == from_options({"l": 2})


@given(OPTIONS, st.sampled_from([a for a in ARCHITECTURES.values() if a.encoders]))
def test_infotext_round_trip_makes_the_same_plan(options, architecture):
    request = parse(True, options)
    plan = resolve(request, architecture)
    written = infotext.write(request, plan)
    assert set(written) <= set(infotext.KEYS)
    assert all(isinstance(value, str) and value for value in written.values())
    if plan.refusals:
        return
    # A1111 hands texts back, SD.Next has made numbers of them.
    for params in (written, {key: _as_sdnext_reads(value) for key, value in written.items()}):
        again = resolve(from_options(infotext.parse(params)), architecture)
        assert again.key == plan.key


def _as_sdnext_reads(value):
    try:
        return float(value) if "." in value or "e" in value else int(value)
    except ValueError:
        return value


def test_infotext_of_a_job_as_trained_is_only_the_version():
    request = parse(True)
    assert set(infotext.write(request, resolve(request, ARCHITECTURES["sdxl"]))) == {infotext.VERSION}


def test_an_infotext_without_our_keys_reads_as_none():
    assert infotext.parse({"Steps": "20", "Clip skip": "2"}) is None


@pytest.mark.parametrize("options, architecture, written", [
    ({"l": 2, "g": 1.5, "blend": "slerp"}, "sdxl", {
        "CLIP skip mode": "manual", "CLIP skip L": "2", "CLIP skip G": "1.5", "CLIP skip blend": "slerp",
    }),
    ({"h": 3}, "sd2", {"CLIP skip mode": "manual", "CLIP skip H": "3"}),
    ({"l": 2, "blend": "slerp"}, "sd2", {"CLIP skip mode": "manual"}),  # as trained, nothing to blend
    ({"l": 12}, "sdxl", {}),  # refused
    ({"mode": "auto"}, "sdxl", {}),
])  # fmt: skip
def test_an_infotext_has_what_was_used_and_no_default(options, architecture, written):
    request = parse(True, options)
    found = infotext.write(request, resolve(request, ARCHITECTURES[architecture]))
    assert found == {**written, "CLIP skip version": __version__}


def test_an_infotext_has_the_numbers_that_auto_used():
    request, meant = parse(True), Auto({"l": 2.0, "g": 1.0}, "slerp")
    written = infotext.write(request, resolve(request, ARCHITECTURES["sdxl"], {"auto": meant}.get))
    assert written == {"CLIP skip L": "2", "CLIP skip blend": "slerp", "CLIP skip version": __version__}


@pytest.mark.parametrize("params, options", [
    ({"CLIP skip L": "2", "Steps": 20}, {"l": "2", "mode": "manual"}),
    ({"CLIP skip mode": "auto", "CLIP skip G": 1.5}, {"mode": "auto", "g": 1.5}),
    ({"CLIP skip blend": "slerp"}, {"blend": "slerp"}),
    ({"CLIP skip version": "0.1.0"}, {}),
    ({"CLIP skip applied": "no"}, {}),
    ({"CLIP skip refused": "l 99"}, {}),
    ({"Clip skip": "2"}, None),
    ({}, None),
])  # fmt: skip
def test_what_an_infotext_is_read_as(params, options):
    assert infotext.parse(params) == options


def test_what_was_written_before_is_dropped_and_the_rest_stays():
    params = {**dict.fromkeys((*infotext.KEYS, "Clip skip"), "x"), "Steps": 20}
    infotext.clear(params)
    infotext.clear(params)
    assert params == {"Steps": 20}


def test_keys_are_what_both_parsers_take():
    for key in infotext.KEYS:
        assert all(c.isalnum() or c in " _" for c in key)


@pytest.mark.parametrize(
    "architecture, options, expected",
    [
        ("sd1", {"l": 2}, 2),
        ("sd1", {"l": 12}, 12),
        ("sd1", {"l": 1.5}, None),
        ("sd1", {"l": 1}, None),
        ("sd2", {"h": 2}, None),
        ("cascade", {"g": 2}, None),
        ("flux", {"l": 2}, None),
        ("sdxl", {"l": 2, "g": 2}, None),
    ],
)
def test_the_hosts_own_key_is_written_only_where_it_is_true(architecture, options, expected):
    assert infotext.host_value(resolve(parse(True, options), ARCHITECTURES[architecture])) == expected


# --- several at once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, compared",
    [
        ({"compare": [1, "1.5"]}, [{"skip": 1}, {"skip": 1.5}]),
        ({"compare": [{"l": 2, "g": 1}, "Auto"]}, [{"skip": "auto", "l": 2, "g": 1}, {"skip": "auto"}]),
        ({"g": 3, "blend": "slerp", "compare": [{"l": 2}]}, [{"g": 3, "l": 2, "blend": "slerp"}]),
        ({"l": 3, "compare": [2]}, [{"skip": 2}]),
        ({"compare": []}, []),
        ({"compare": None}, []),
    ],
)
def test_each_of_what_is_compared_is_a_request_of_its_own(options, compared):
    found = parse(True, options)
    rest = {name: value for name, value in options.items() if name != "compare"}
    assert replace(found, compare=()) == parse(True, rest)
    for request, expected in zip(found.compare, compared, strict=True):
        skips = {name: value for name, value in expected.items() if name in ("l", "g", "h")}
        assert request == Request(True, "manual", expected.get("skip"), skips, expected.get("blend", "linear"))


def test_a_grids_axes_leave_what_is_compared_as_it_is():
    found = parse(True, {"compare": [1, 2]}, axes={"l": 3})
    assert found.skip_for("l") == 3 and [each.skip for each in found.compare] == [1, 2]


@pytest.mark.parametrize(
    "compare, words",
    [
        ("1, 2", "compare 1, 2 was refused, accepted is a list of up to 12 skips"),
        (list(range(1, 14)), "accepted is a list of up to 12 skips"),
        ([None], "accepted is a list of up to 12 skips"),
        ([0], "compare's skip 0 was refused, accepted is a number from 1 to 32"),
        ([{"l": 13}], "compare's l 13 was refused, accepted is a number from 1 to 12"),
        ([{"compare": [1]}], "compare's option compare was refused"),
        ([True], "compare's skip True was refused"),
        ([[1]], "compare's skip [1] was refused"),
    ],
)
def test_what_can_not_be_compared_is_refused_whole(compare, words):
    found = parse(True, {"skip": 2, "compare": compare})
    assert found.compare == () and words in str(found.refusals[0])
    assert found == Request(True, refusals=found.refusals)


def test_as_many_as_are_allowed_can_be_compared():
    found = parse(True, {"compare": [1] * MOST_COMPARED})
    assert len(found.compare) == MOST_COMPARED and not found.refusals
    assert parse(True, {"compare": [1] * (MOST_COMPARED + 1)}).refusals


def test_off_compares_nothing():
    assert parse(False, {"compare": [1, 2]}) == Request()


@pytest.mark.parametrize("options", [{}, {"l": 2, "g": 1.5, "blend": "slerp"}, {"skip": 2}, {"mode": "manual"}])
def test_a_requests_own_options_make_it_again(options):
    found = parse(True, options)
    assert from_options(found.options) == found


@pytest.mark.parametrize(
    "line, number",
    [
        ("Clip skip: 2, Version: x", "2"),
        ("Model: x, CLiP-skip: 1.5", "1.5"),
        ("Clip skip: -2, Version: ComfyUI", "2"),
        ('Hires prompt: "cat, Clip skip: 5", Clip skip: 2, Template: "dog, Clip skip: 5"', "2"),
        ('Hashes: {"model": "6ce0161689", "vae": "0123456789"}, Clip skip: 2', "2"),
        ("Model: x", None),
    ],
)
def test_the_hosts_number_is_taken_from_the_parameters_alone(line, number):
    params = {}
    text = f"a cat, Clip skip: 5, dog\nNegative prompt: x, Clip skip: 6\nSteps: 20, {line}"
    params |= infotext.left_over(text, params)
    assert params == ({} if number is None else {"CLIP skip L": number})


@pytest.mark.parametrize(
    "line, taken",
    [
        ("TripClipSkip_value: 2.5, TripClipSkip_type: slerp", {"CLIP skip L": "2.5", "CLIP skip blend": "slerp"}),
        ("TripClipSkip_value: 2.5, TripClipSkip_type: lerp", {"CLIP skip L": "2.5"}),
        ("Clip skip: 4, TripClipSkip_value: 2.5", {"CLIP skip L": "2.5"}),  # it wins there, too
        ('TripClipSkip_value: "2.5"', {"CLIP skip L": "2.5"}),
    ],
)
@pytest.mark.parametrize("from_host", [True, False])
def test_trip_clip_skips_number_is_taken_wherever_the_hosts_own_is(line, taken, from_host):
    assert infotext.left_over(f"a cat\nSteps: 20, {line}", {}, from_host) == taken


@pytest.mark.parametrize("params", [{"CLIP skip L": "3"}, {"CLIP skip mode": "manual"}, {"CLIP skip version": "0.1.0"}])
def test_nothing_is_left_over_of_a_text_of_ours(params):
    assert infotext.left_over("a cat\nSteps: 20, Clip skip: 2", params) == {}


@pytest.mark.parametrize(
    "written, value",
    [
        ('"a, b"', "a, b"),
        ('"say \\"hi\\", twice"', 'say "hi", twice'),
        ('"a \\, b"', "a \\, b"),  # no JSON: the quotes alone are taken off
        ('"Xa \\, bX"', "Xa \\, bX"),
        ("X2", "X2"),
    ],
)
def test_a_value_is_read_without_the_quotes_that_the_host_puts(written, value):
    assert list(infotext.parameters(f"a cat\nSteps: 20, Key: {written}, Seed: 1")) == [
        {"Steps": "20", "Key": value, "Seed": "1"}
    ]
