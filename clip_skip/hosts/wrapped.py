"""A method of one of the host's classes, with ours around it: where no torch hook reaches."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .attributes import ORIGINAL_ATTRIBUTE, WRAPPER_ATTRIBUTE


class Wrapped:
    """The method `name` of the class `owner`: until `remove`, calling it calls `around(original, self, args, kwargs)`.

    The class is wrapped, not each object: other extensions make objects of their own.
    """

    def __init__(self, owner: type, name: str, around: Callable[..., Any]) -> None:
        original = vars(owner)[name]
        if getattr(original, WRAPPER_ATTRIBUTE, None) is original:  # left by a former load of this extension
            original = getattr(original, ORIGINAL_ATTRIBUTE)

        @functools.wraps(original)
        def wrapper(host_object: Any, *args: Any, **kwargs: Any) -> Any:
            # Removed, but held by another extension's wrapper: a successor does the work.
            if not self._active:
                return original(host_object, *args, **kwargs)
            return around(original, host_object, args, kwargs)

        setattr(wrapper, ORIGINAL_ATTRIBUTE, original)
        setattr(wrapper, WRAPPER_ATTRIBUTE, wrapper)
        self._owner, self._name, self._wrapper, self._active = owner, name, wrapper, True
        setattr(owner, name, wrapper)

    def remove(self) -> None:
        """Take it off again. If another extension has wrapped us since, we stay underneath and pass the call on."""
        self._active = False
        if vars(self._owner)[self._name] is self._wrapper:
            setattr(self._owner, self._name, getattr(self._wrapper, ORIGINAL_ATTRIBUTE))
