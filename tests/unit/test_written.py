"""Several skips in one text, as the panel's box for Compare has them."""

import pytest

from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.written import read

SDXL = ARCHITECTURES["sdxl"]


@pytest.mark.parametrize(
    "text, skips",
    [
        ("", []),
        ("1, 1.5, 2", ["1", "1.5", "2"]),
        (" 1 ,,2 ", ["1", "2"]),
        ("1;2", ["1", "2"]),
        ("1\u30011.5\uff0c2\uff1b3", ["1", "1.5", "2", "3"]),
        ("1-2 (+0.5)", [1.0, 1.5, 2.0]),
        ("recommended, 2", ["recommended", "2"]),
        ("fox", ["fox"]),  # what it is worth, the request says
    ],
)
def test_one_for_all_encoders(text, skips):
    assert read(text, SDXL) == ([{"skip": skip} for skip in skips], ())


def test_one_for_each_encoder():
    assert read("1, 2 / 1.5", SDXL) == ([{"skip": "1"}, {"l": "2", "g": "1.5"}], ())


@pytest.mark.parametrize("text, architecture", [("1/2/3", "sdxl"), ("1/2", "sd1"), ("1, 2/", "sd2")])
def test_another_number_of_encoders_is_refused(text, architecture):
    values, (refused,) = read(text, ARCHITECTURES[architecture])
    assert values == [] and refused.value == text.split(", ")[-1] and refused.accepted.startswith("one number, or one")
