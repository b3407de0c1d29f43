"""The text in the bytes of a file."""

from __future__ import annotations

import codecs

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(data: bytes) -> str:
    """The text that `data` is in UTF-8, or in UTF-16 with its mark, as Windows writes it. Raises UnicodeDecodeError."""
    return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
