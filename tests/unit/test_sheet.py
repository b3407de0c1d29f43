"""The sheet of images side by side: what is where on it, whatever font there is."""

import pytest
from PIL import Image, ImageFont

from clip_skip.jobs.sheet import draw

RED, BLUE = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))


def no_font(size):
    return None


def dark(image):
    """The box of all that is written on the paper."""
    return image.convert("L").point(lambda value: 255 * (value < 128)).getbbox()


def test_images_are_below_their_labels_and_missing_ones_stay_empty():
    sheet = draw({(0, 0): RED, (1, 0): BLUE, (0, 1): BLUE}, ["1", "1.5"], no_font)
    head = sheet.height - 60
    assert sheet.size == (80, head + 60)
    assert [sheet.getpixel(at) for at in ((5, head + 5), (45, head + 5), (5, head + 35), (45, head + 35))] == [
        (255, 0, 0), (0, 0, 255), (0, 0, 255), (255, 255, 255),
    ]  # fmt: skip
    for column in range(2):
        assert dark(sheet.crop((column * 40, 0, column * 40 + 40, head))) is not None


@pytest.mark.parametrize("font_of", [no_font, lambda size: ImageFont.load_default(size)])
def test_a_label_stays_in_its_column(font_of):
    large = Image.new("RGB", (300, 300), "white")
    sheet = draw({(0, 0): large, (1, 0): large}, ["1.23456789 / 1.23456789 / 1.23456789", ""], font_of)
    left, _, right, bottom = dark(sheet)
    assert left >= 0 and right <= 300 and bottom <= sheet.height - 300


def test_smaller_images_stand_in_the_middle():
    sheet = draw({(0, 0): Image.new("RGB", (80, 60), "red"), (1, 0): BLUE}, ["1", "2"], no_font)
    head = sheet.height - 60
    assert sheet.getpixel((80 + 20, head + 15)) == (0, 0, 255) and sheet.getpixel((85, head + 2)) == (255, 255, 255)
