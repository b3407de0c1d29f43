"""The number: depths, weights and words, against a table of its own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.skip.architectures import ARCHITECTURES, by_encoders, by_pipeline, encoder_id_of
from clip_skip.skip.numbers import depth_of, depth_weights, in_range, layers, number
from clip_skip.text.phrase import english

# (architecture, encoder) -> blocks, trained depth, final norm on what is read: docs/architecture.md, "The number".
TABLE = {
    ("sd1", "l"): (12, 12, True),
    ("sd2", "h"): (24, 23, True),
    ("sdxl", "l"): (12, 11, False),
    ("sdxl", "g"): (32, 31, False),
    ("sdxl-refiner", "g"): (32, 31, False),
    ("sd3", "l"): (12, 11, False),
    ("sd3", "g"): (32, 31, False),
    ("cascade", "g"): (32, 32, False),
}
ENCODERS = [e for a in ARCHITECTURES.values() for e in a.encoders]


def test_the_table():
    assert {
        (a.id, e.id): (e.blocks, e.trained_depth, e.normed) for a in ARCHITECTURES.values() for e in a.encoders
    } == TABLE


def test_an_architecture_without_clip_skip_says_why():
    for architecture in ARCHITECTURES.values():
        assert bool(architecture.encoders) != bool(architecture.reason)


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda e: e.name)
@given(data=st.data())
def test_weights_are_a_mean_of_neighbours_at_the_depth(encoder, data):
    skip = data.draw(st.floats(1, encoder.trained_depth))
    weights = depth_weights(skip, encoder.trained_depth)
    assert sum(weight for _, weight in weights) == pytest.approx(1)
    assert sum(depth * weight for depth, weight in weights) == pytest.approx(depth_of(skip, encoder.trained_depth))
    assert all(1 <= depth <= encoder.trained_depth and 0 < weight <= 1 for depth, weight in weights)
    assert [depth for depth, _ in weights] == sorted({depth for depth, _ in weights}, reverse=True)
    assert len(weights) == 1 or weights[0][0] - weights[1][0] == 1


@given(st.integers(1, 32), st.integers(1, 32))
def test_a_whole_skip_is_one_block(trained, skip):
    if skip <= trained:
        assert depth_weights(skip, trained) == ((trained + 1 - skip, 1.0),)


@pytest.mark.parametrize(
    "skip, ok",
    [(1, True), (1.5, True), (12, True), (0, False), (0.99, False), (12.01, False), (-1, False)]
    + [(value, False) for value in (math.nan, math.inf, -math.inf)],
)
def test_out_of_range_is_an_error(skip, ok):
    assert in_range(skip, 12) == ok
    if not ok:
        with pytest.raises(ValueError, match=f"skip {skip} is not from 1 to 12"):
            depth_weights(skip, 12)


@pytest.mark.parametrize(
    "architecture, encoder, skip, expected",
    [
        ("sdxl", "g", 1.5, "layers left out: 0.5 of 31"),
        ("sdxl", "g", 1, "as trained"),
        ("sdxl", "l", 2, "layers left out: 1 of 11"),
        ("sd1", "l", 1.1, "layers left out: 0.1 of 12"),
        ("sdxl", "l", 0, "layers too many: 1"),  # past it, as a host may read
        ("sd1", "l", 1.23456, "layers left out: 0.2346 of 12"),
        ("sd2", "h", 1, "as trained"),
        ("cascade", "g", 32, "layers left out: 31 of 32"),
    ],
)
def test_words(architecture, encoder, skip, expected):
    assert english(layers(ARCHITECTURES[architecture].encoder(encoder), skip)) == expected


@pytest.mark.parametrize("value, text", [(2, "2"), (2.0, "2"), (1.5, "1.5"), (0.1 + 0.2, "0.30000000000000004")])
def test_a_number_is_as_short_as_it_can_be(value, text):
    assert number(value) == text


@given(st.floats(-1e6, 1e6))
def test_a_number_reads_back(value):
    assert float(number(value)) == value


def test_encoders_are_told_apart_by_their_blocks():
    assert [encoder_id_of(n) for n in (12, 23, 24, 32, 28, 0)] == ["l", "h", "h", "g", None, None]


@pytest.mark.parametrize(
    "encoders, t5, expected",
    [
        ("l", False, "sd1"),
        ("h", False, "sd2"),
        ("lg", False, "sdxl"),
        ("g", False, "sdxl-refiner"),
        ("lg", True, "sd3"),
        ("l", True, "flux"),
        ("", True, "none"),
        ("lh", False, "unknown"),
    ],
)
def test_architecture_by_encoders(encoders, t5, expected):
    assert by_encoders(list(encoders), t5).id == expected


@pytest.mark.parametrize(
    "class_name, encoders, expected",
    [
        ("StableDiffusionPipeline", "l", "sd1"),
        ("StableDiffusionImg2ImgPipeline", "h", "sd2"),
        ("StableDiffusionXLPipeline", "lg", "sdxl"),
        ("StableDiffusionXLImg2ImgPipeline", "g", "sdxl-refiner"),
        ("StableDiffusion3Pipeline", "lg", "sd3"),
        ("StableCascadeCombinedPipeline", "g", "cascade"),
        ("FluxPipeline", "l", "flux"),
        ("HiDreamImagePipeline", "lg", "hidream"),
        ("ChromaPipeline", "", "chroma"),
        ("QwenImagePipeline", "", "none"),
        ("KolorsPipeline", "", "none"),
        ("SomethingNewPipeline", "l", "unknown"),
    ],
)
def test_architecture_by_pipeline(class_name, encoders, expected):
    assert by_pipeline(class_name, list(encoders)).id == expected


@pytest.mark.parametrize(
    "class_name, encoders, width, expected",
    [
        ("PhotoMakerStableDiffusionXLPipeline", "lg", 2048, "sdxl"),
        ("DemoFusionSDXLPipeline", "lg", 2048, "sdxl"),
        ("ConsistoryExtendAttnSDXLPipeline", "lg", 2048, "sdxl"),
        ("LatentConsistencyModelPipeline", "l", 768, "sd1"),
        ("AnimateDiffPipeline", "l", 768, "sd1"),
        ("AnimateDiffPipeline", "h", 1024, "sd2"),
        ("SomethingNewPipeline", "g", 1280, "sdxl-refiner"),
        # Its UNet attends to something else beside them, or in their place.
        ("SomethingNewPipeline", "lg", 4096, "unknown"),
        ("SomethingNewPipeline", "l", 1024, "unknown"),
        ("SomethingNewPipeline", "lg", None, "unknown"),
        ("MeissonicPipeline", "g", None, "unknown"),
        ("KolorsPipeline", "", 4096, "none"),
        ("SomethingNewPipeline", "", None, "none"),
        ("StableCascadeCombinedPipeline", "g", 1280, "cascade"),
        ("FluxPipeline", "l", 768, "flux"),
    ],
)
def test_a_pipeline_of_another_class_is_told_by_what_its_unet_attends_to(class_name, encoders, width, expected):
    assert by_pipeline(class_name, list(encoders), width).id == expected
