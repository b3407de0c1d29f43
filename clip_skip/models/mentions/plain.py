"""A card's text without its markup."""

from __future__ import annotations

import html
import re
import unicodedata

from ...text.regex import regex

_MAX_TEXT = 200_000  # in signs; far more than any card has
_BLOCK = regex(r"</?(?:p|br|li|ul|ol|div|tr|table|h[1-6]|hr|pre|blockquote|section)\b[^<>]{0,2000}>", re.IGNORECASE)
# A cell with the paragraphs that open or close it, which part no row.
_CELL_START = regex(r"<t[dh]\b[^<>]{0,2000}>\s?(?:<(?:p|div)\b[^<>]{0,200}>\s?){0,3}", re.IGNORECASE)
_CELL_END = regex(r"(?:</(?:p|div)>\s?){0,3}</t[dh]>", re.IGNORECASE)
# What is struck through, and the address of a link of Markdown.
_STRUCK = regex(r"~~[^~\n]{1,200}~~|<(?P<tag>s|del|strike)>[^<]{0,200}</(?P=tag)>", re.IGNORECASE)
_ADDRESS = regex(r"(?<=\])\([^()\s]{1,500}\)|https?://\S{1,500}")
# What a page does not show.
_HIDDEN = regex(r"<!--.*?(?:-->|\Z)|<(?P<tag>script|style)\b.*?(?:</(?P=tag)>|\Z)", re.IGNORECASE | re.DOTALL)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2212"), "-")
_FOOTNOTE = regex(r"[⁰¹²³⁴-⁹†‡]")
_TAG = regex(r"<[^<>]{0,2000}>")


def plain_words(text: str) -> str:
    """`text` without HTML markup, a line a paragraph or row of a table, with "|" after each of the row's cells.

    East Asian full-width signs and digits are plain ones.
    """
    text = _STRUCK.sub(" ", _HIDDEN.sub(" ", text[:_MAX_TEXT]))
    text = _CELL_END.sub(" | ", _CELL_START.sub(" ", text))
    text = _TAG.sub(" ", _BLOCK.sub("\n", text))
    text = _FOOTNOTE.sub("", html.unescape(_ADDRESS.sub(" ", text)))
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text))
