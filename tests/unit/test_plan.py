"""What a request becomes on a model: the plan, what tells it from another, and whether it acts there."""

import pytest

from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.auto import Auto
from clip_skip.skip.plan import Plan, reading, resolve
from clip_skip.skip.request import from_options, parse

SD1, SDXL, FLUX = (ARCHITECTURES[id] for id in ("sd1", "sdxl", "flux"))


def plan(options, architecture=SDXL):
    return resolve(from_options(options), architecture)


@pytest.mark.parametrize("options, key", [
    ({"l": 2, "g": 3}, ("l=2", "g=3")),
    ({"g": 1.5}, ("l=1", "g=1.5", "linear")),
    ({"l": 2, "g": 1.5, "blend": "slerp"}, ("l=2", "g=1.5", "slerp")),
    # Between whole depths alone is there anything to blend.
    ({"l": 2, "g": 3, "blend": "slerp"}, ("l=2", "g=3")),
])  # fmt: skip
def test_a_conditioning_is_known_by_each_number_and_by_the_blend_of_fractions(options, key):
    assert plan(options).key == key


@pytest.mark.parametrize("skips, as_trained", [
    ({"l": 1.0, "g": 1.0}, True),
    ({"l": 1.0, "g": 1.5}, False),
    ({"l": 2.0, "g": 1.0}, False),
    ({"l": 1.0, "g": 0.0}, False),  # past the trained depth is not at it
    ({}, True),
])  # fmt: skip
def test_as_trained_is_every_encoder_at_1(skips, as_trained):
    assert Plan(SDXL, skips).as_trained == as_trained


@pytest.mark.parametrize("options, asked", [
    ({}, False),
    ({"mode": "auto", "skip": 2}, False),
    ({"mode": "manual"}, False),
    ({"skip": 1}, False),
    ({"l": 1, "g": 1}, False),
    ({"skip": 2}, True),
    ({"skip": 1.5}, True),
    ({"l": 2}, True),
    ({"l": 1, "h": 2}, True),
    ({"skip": 1, "g": 2}, True),
])  # fmt: skip
@pytest.mark.parametrize("architecture", ["flux", "hidream", "chroma", "none"])
def test_a_number_that_meets_no_text_encoder_does_not_act(options, asked, architecture):
    request, here = from_options(options), ARCHITECTURES[architecture]
    read = reading(request, resolve(request, here))
    assert (read.acts, read.skips, read.slider, read.architecture) == (not asked, {}, None, here)


@pytest.mark.parametrize("options", [{}, {"skip": 1}, {"skip": 2}, {"l": 1.5}])
@pytest.mark.parametrize("architecture", [SD1, SDXL])
def test_where_there_are_text_encoders_a_plan_acts(options, architecture):
    request = from_options(options)
    read = reading(request, resolve(request, architecture))
    assert read.acts and read.skips == resolve(request, architecture).skips


def test_auto_is_as_trained_where_nothing_is_known():
    found = resolve(from_options({"mode": "auto", "blend": "slerp"}), SDXL)
    assert (found.skips, found.blend, found.refusals) == ({"l": 1, "g": 1}, "linear", ())


def test_auto_takes_no_number_of_the_request():
    meant = Auto({"l": 2.0, "g": 3.5}, "slerp", "preset")
    found = resolve(from_options({"mode": "auto", "skip": 5}), SDXL, {"auto": meant}.get)
    assert (found.skips, found.blend) == ({"l": 2.0, "g": 3.5}, "slerp")


def test_a_word_means_what_it_stands_for_on_each_encoder():
    words = {"preset": Auto({"l": 2.0, "g": 3.0}), "recommended": Auto({"l": 4.0, "g": 5.0})}
    assert resolve(parse(axes={"l": "preset", "g": "recommended"}), SDXL, words.get).skips == {"l": 2.0, "g": 5.0}


def test_a_word_that_means_nothing_here_names_each_encoder_that_it_was_for():
    known = {"trained": Auto({"l": 1.0, "g": 1.0})}
    found = resolve(parse(axes={"l": "trained", "g": "preset"}), SDXL, known.get)
    assert [str(refusal) for refusal in found.refusals] == [
        "CLIP-G preset was refused, accepted is the preset of a model that has one"
    ]
    assert found.skips == {"l": 1, "g": 1}
    assert [refusal.name for refusal in resolve(parse(axes={"skip": "preset"}), SDXL).refusals] == ["CLIP-L", "CLIP-G"]


@pytest.mark.parametrize("options, refused", [
    ({"skip": 12}, ["CLIP-L"]),
    ({"skip": 32}, ["CLIP-L", "CLIP-G"]),
    ({"l": 2, "g": 31.5}, ["CLIP-G"]),
])  # fmt: skip
def test_out_of_range_names_each_encoder_and_the_whole_plan_is_as_trained(options, refused):
    found = plan(options)
    assert [refusal.name for refusal in found.refusals] == refused
    assert found.skips == {"l": 1, "g": 1} and found.as_trained


def test_what_the_request_was_refused_for_goes_on():
    request = from_options({"l": "two", "g": 2})
    assert resolve(request, SDXL) == Plan(SDXL, {"l": 1, "g": 1}, "linear", request.refusals)
    assert request.refusals
