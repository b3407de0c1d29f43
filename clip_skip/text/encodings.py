"""The text in the bytes of a file."""

from __future__ import annotations

import codecs
import re

from .regex import regex

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# The code pages of East Asia's old Windows, each with the signs that most of a text in it is made of: kana, hangul, and
# the commoner half of hanzi; a text in another page has few of these by accident.
_CODE_PAGES = {
    "cp932": regex(r"[\x81-\x83]."),
    "cp949": regex(r"[\xb0-\xc8][\xa1-\xfe]"),
    "gb18030": regex(r"[\xa1-\xd7][\xa1-\xfe]"),
    "big5": regex(r"[\xa1-\xc6]."),
}
_MOST = 0.6


def decoded(data: bytes) -> str:
    """The text that `data` is in UTF-8, or in UTF-16 with its mark, as Windows writes it. Raises UnicodeDecodeError."""
    return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")


def guessed(data: bytes) -> str:
    """The text that `data` is in the code page of an old Windows that most likely wrote it."""
    for page, own in _CODE_PAGES.items():
        try:
            text = data.decode(page)
        except UnicodeDecodeError:
            continue
        signs = [sign.encode(page).decode("latin-1") for sign in text if not sign.isascii()]
        if sum(own.fullmatch(sign) is not None for sign in signs) >= _MOST * len(signs):
            return text
    # Three letters in a row are a word of Russian; in Western Europe's languages such letters stand apart.
    return data.decode("cp1251" if re.search(rb"[\xc0-\xff]{3}", data) else "cp1252", errors="replace")
