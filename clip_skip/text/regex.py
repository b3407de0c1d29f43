"""Regular expressions that are compiled when they are first used, so that no WebUI starts the later for them."""

from __future__ import annotations

import re
from functools import cached_property
from typing import cast


def regex(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """As `re.compile`; what is no regular expression raises at the first use."""
    return cast("re.Pattern[str]", _Late(pattern, flags))


class _Late:
    def __init__(self, pattern: str, flags: int) -> None:
        self._source = pattern, flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(*self._source)

    def __getattr__(self, name: str) -> object:
        found = self.__dict__[name] = getattr(self._compiled, name)  # kept: it is asked for no more
        return found
