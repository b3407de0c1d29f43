"""Widgets that extensions take from the host; the same source works on gradio 3 and 4."""

from __future__ import annotations

from typing import Any

import gradio as gr


def ToolButton(value: Any = "", elem_classes: list[str] | None = None, **kwargs: Any) -> Any:
    """A small button with an emoji as text."""
    return gr.Button(value, elem_classes=["tool", *(elem_classes or [])], **kwargs)


def FormRow(**kwargs: Any) -> Any:
    return gr.Row(elem_classes=["gradio-row-form", *(kwargs.pop("elem_classes", None) or [])], **kwargs)


def FormColumn(**kwargs: Any) -> Any:
    return gr.Column(**kwargs)


def FormGroup(**kwargs: Any) -> Any:
    return gr.Group(**kwargs)


def FormHTML(value: Any = "", **kwargs: Any) -> Any:
    return gr.HTML(value, **kwargs)


class _InputAccordionImpl(gr.Checkbox):
    """A hidden checkbox and the accordion that follows it: True while open."""

    global_index = 0

    def get_block_name(self) -> str:
        return "checkbox"

    def extra(self) -> Any:
        """Give a place in the accordion's head line; used as a context."""
        return gr.Column(elem_id=f"{self.accordion_id}-extra", elem_classes=["input-accordion-extra"], min_width=0)

    def __enter__(self) -> Any:
        self.accordion.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.accordion.__exit__(*exc)


def InputAccordion(value: Any = False, *, label: str = "Accordion", elem_id: str | None = None, **kwargs: Any) -> Any:
    """Create an accordion that can be used as an input, as ``with InputAccordion(False, label=...) as enabled:``."""
    if elem_id is None:
        elem_id = f"input-accordion-{_InputAccordionImpl.global_index}"
        _InputAccordionImpl.global_index += 1
    box = _InputAccordionImpl(value=value, label=label, elem_id=f"{elem_id}-checkbox", visible=False, **kwargs)
    box.accordion_id = elem_id
    box.change(fn=None, _js=f"(checked) => inputAccordionChecked('{elem_id}', checked)", inputs=[box])
    box.accordion = gr.Accordion(label=label, open=value, elem_id=elem_id, elem_classes=["input-accordion"])
    return box
