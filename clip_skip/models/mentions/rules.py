"""How a rule is written: a pattern of units (`units`) that names the parts that they play."""

from __future__ import annotations

import re

from ...text.regex import regex
from . import units, vocabulary

_NAME = re.compile("[A-Z][A-Z_]+")
_LETTERS = {
    name: letter
    for module in (units, vocabulary)
    for name, letter in vars(module).items()
    if _NAME.fullmatch(name) and isinstance(letter, str)
}


def rule(words: str) -> re.Pattern[str]:
    """The regular expression of letters that `words` is with a part's name for its letter, and blanks between."""
    return regex("".join(_NAME.sub(lambda name: _LETTERS[name.group()], words).split()))
