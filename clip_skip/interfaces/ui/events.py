"""Gradio's events, and as types: not every version of it that the WebUIs have comes with its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import gradio as gr

from ...hosts.protocols import Component

# How Gradio calls the argument that takes JavaScript.
_SCRIPT = "_js" if gr.__version__.startswith("3.") else "js"
# What `gr.update` gives.
Update: TypeAlias = "dict[str, Any]"
# What the answer to a question of a panel's changes, in the order of the components that it is for.
Answer: TypeAlias = "list[object]"
# What an event changes: an update, or a state's new value, by component. No text: Gradio resolves the types of what it
# calls, by the names that the module of that has.
Shown: TypeAlias = dict[object, Any]


class Event(Protocol):
    """Something that happens to a component: `fn` is called with the values of `inputs`, and gives `outputs` theirs."""

    def __call__(
        self,
        fn: Callable[..., object] | None,
        *,
        inputs: Sequence[object],
        outputs: Sequence[object],
        **more: object,
    ) -> Answered: ...


class Answered(Protocol):
    """An event with its answer, after which another may follow."""

    @property
    def then(self) -> Event: ...


class Control(Component, Protocol):
    """A component of the host's page whose value changes."""

    elem_classes: list[str]

    @property
    def change(self) -> Event: ...


def on(
    event: Event, run: Callable[..., object], inputs: Sequence[object], outputs: Sequence[object], **more: object
) -> Answered:
    """Let `run` answer this event, while nothing on the page shows that its answer is awaited."""
    return event(run, inputs=inputs, outputs=outputs, show_progress="hidden", **more)


def in_page(event: Event, script: str, *inputs: object, to: Sequence[object] = ()) -> None:
    """Let `event` call a function of the page's script, with the values of `inputs`; it gives those of `to`."""
    event(fn=None, inputs=list(inputs), outputs=list(to), **{_SCRIPT: script})
