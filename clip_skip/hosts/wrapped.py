"""A method of one of the host's classes, with ours around it: where no torch hook reaches."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import Any, TypeAlias

from .attributes import AROUND_ATTRIBUTE, ORIGINAL_ATTRIBUTE, WRAPPER_ATTRIBUTE

# A method as it was before, and what it is called with.
Original: TypeAlias = "Callable[..., object]"
Args: TypeAlias = "tuple[Any, ...]"
Kwargs: TypeAlias = "dict[str, Any]"


class Wrapped:
    """The method `name` of the class `owner`: until `remove`, calling it calls `around(original, self, args, kwargs)`.

    The class is wrapped, not each object: other extensions make objects of their own. A wrapper of a former load of
    this extension that another one has kept, and puts back, calls the `around` of now; of several only the outermost.
    """

    def __init__(self, owner: type, name: str, around: Callable[..., object]) -> None:
        self._owner, self._name, self._around = owner, name, around
        self._wrap()

    def _wrap(self) -> None:
        owner, name = self._owner, self._name
        original = vars(owner)[name]
        if getattr(original, WRAPPER_ATTRIBUTE, None) is original:  # left by a former load of this extension
            original = getattr(original, ORIGINAL_ATTRIBUTE)
        if vars(owner).get(AROUND_ATTRIBUTE) is None:
            setattr(owner, AROUND_ATTRIBUTE, {})
        now = getattr(owner, AROUND_ATTRIBUTE).setdefault(name, SimpleNamespace(inside=set()))
        now.around = self._around

        @functools.wraps(original)
        def wrapper(host_object: object, *args: object, **kwargs: object) -> object:
            thread = threading.get_ident()
            if now.around is None or thread in now.inside:
                return original(host_object, *args, **kwargs)
            now.inside.add(thread)
            try:
                return now.around(original, host_object, args, kwargs)
            finally:
                now.inside.discard(thread)

        setattr(wrapper, ORIGINAL_ATTRIBUTE, original)
        setattr(wrapper, WRAPPER_ATTRIBUTE, wrapper)
        self._wrapper, self._now = wrapper, now
        setattr(owner, name, wrapper)

    def renew(self) -> None:
        """Be around it again, where another extension has put back what it had kept of before us."""
        found = vars(self._owner)[self._name]
        # Any other function may call ours.
        if found is getattr(self._wrapper, ORIGINAL_ATTRIBUTE) or _is_own(found, self._owner):
            self._wrap()

    def remove(self) -> None:
        """Take it off again. If another extension has wrapped us since, we stay underneath and pass the call on."""
        self._now.around = None
        if vars(self._owner)[self._name] is self._wrapper:
            setattr(self._owner, self._name, getattr(self._wrapper, ORIGINAL_ATTRIBUTE))
            around = getattr(self._owner, AROUND_ATTRIBUTE)
            del around[self._name]
            if not around:
                delattr(self._owner, AROUND_ATTRIBUTE)


def _is_own(function: Any, owner: type) -> bool:
    """Whether this is the function that the class was defined with, and not one around it."""
    if not isinstance(function, FunctionType) or inspect.unwrap(function) is not function:
        return False
    return function.__qualname__.rpartition(".")[0] == owner.__qualname__
