"""A sheet of images side by side, each column with a label above it. Pillow alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

Sheet: TypeAlias = Image.Image
Font: TypeAlias = "ImageFont.ImageFont | ImageFont.FreeTypeFont"
# A font of about so many pixels' height; None where there is none but Pillow's own.
FontOf: TypeAlias = "Callable[[int], Font | None]"

_PAPER, _INK = "white", "black"


def draw(cells: Mapping[tuple[int, int], Image.Image], labels: Sequence[str], font_of: FontOf) -> Sheet:
    """The images of `cells`, which are keyed by column and row, each below its column's label.

    Cells that are missing, of a job that was ended before its time, stay empty.
    """
    columns, rows = len(labels), 1 + max(row for _, row in cells)
    width, height = (max(sizes) for sizes in zip(*(image.size for image in cells.values()), strict=True))
    size = max(10, (width + height) // 25)
    head = 2 * size
    sheet = Image.new("RGB", (columns * width, head + rows * height), _PAPER)
    for column, text in enumerate(labels):
        _write(sheet, (column * width, 0, width, head), text, size, font_of)
    for (column, row), image in cells.items():
        inset = (width - image.width) // 2, (height - image.height) // 2
        sheet.paste(image, (column * width + inset[0], head + row * height + inset[1]))
    return sheet


def _write(sheet: Image.Image, box: tuple[int, int, int, int], text: str, size: int, font_of: FontOf) -> None:
    """Write `text` into the middle of `box`: left, top, width and height. It is made smaller where it is too wide."""
    left, top, width, height = box
    draw = ImageDraw.Draw(sheet)
    font = font_of(size) or _own_font(size)
    _, _, right, bottom = font.getbbox(text)
    if right > width and size > 6:
        _write(sheet, box, text, min(size - 1, int(size * width / right)), font_of)
        return
    draw.text((left + (width - right) // 2, top + (height - bottom) // 2), text, fill=_INK, font=font)


def _own_font(size: int) -> Font:
    """Pillow's own, of one size alone before 10.1."""
    try:
        return ImageFont.load_default(size)
    except TypeError:
        return ImageFont.load_default()
