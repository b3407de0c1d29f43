"""Buttons that fill a tab from a text or from another tab; what a text means is up to the flavour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from modules import paths, script_callbacks
from PIL import Image

paste_fields: dict[str, dict[str, Any]] = {}
registered_param_bindings: list[ParamBinding] = []


@dataclass
class ParamBinding:
    """A button, the tab it fills, and where it takes text, picture or values from."""

    paste_button: Any
    tabname: str
    source_text_component: Any = None
    source_image_component: Any = None
    source_tabname: str | None = None
    override_settings_component: Any = None
    paste_field_names: list[Any] = field(default_factory=list)


def add_paste_fields(
    tabname: str, init_img: Any, fields: Iterable[Any], override_settings_component: Any = None
) -> None:
    """Say which components of a tab take which keys of an infotext."""
    paste_fields[tabname] = {
        "init_img": init_img,
        "fields": list(fields),
        "override_settings_component": override_settings_component,
    }


def register_paste_params_button(binding: ParamBinding) -> None:
    registered_param_bindings.append(binding)


def connect_paste(button: Any, fields: Iterable[Any], input_comp: Any, override_settings_component: Any) -> None:
    """Let a button fill a tab from a text; without one, from the last job's."""
    from modules import generation_parameters_copypaste as flavour

    handled = {key: 1 for _, key in fields if isinstance(key, str)}

    def paste(text: str | None) -> list[Any]:
        last = Path(paths.data_path, "params.txt")
        if not text and last.is_file():
            text = last.read_text()
        params = flavour.parse_generation_parameters(text or "")
        script_callbacks.infotext_pasted_callback(text, params)
        updates = [flavour.field_value(component, key, params) for component, key in fields]
        if override_settings_component is not None:
            found = flavour.get_override_settings(params, skip_fields=handled)
            pairs = [f"{label}: {value}" for label, _, value in found]
            updates.append(gr.update(value=pairs, choices=pairs, visible=bool(pairs)))
        return updates

    outputs = [component for component, _ in fields]
    if override_settings_component is not None:
        outputs.append(override_settings_component)
    button.click(fn=paste, inputs=[input_comp], outputs=outputs, show_progress="hidden")


def connect_paste_params_buttons() -> None:
    """Wire every registered button, once all tabs are there."""
    for binding in registered_param_bindings:
        target = paste_fields.get(binding.tabname)
        if target is None:
            continue
        click = binding.paste_button.click
        if binding.source_image_component is not None and target["init_img"] is not None:
            click(fn=first_image, inputs=[binding.source_image_component], outputs=[target["init_img"]])
        if binding.source_text_component is not None:
            override = binding.override_settings_component or target["override_settings_component"]
            connect_paste(binding.paste_button, target["fields"], binding.source_text_component, override)
        if binding.source_tabname in paste_fields:
            names = ["Prompt", "Negative prompt", "Steps", "Seed", *binding.paste_field_names]
            source = [c for c, name in paste_fields[binding.source_tabname]["fields"] if name in names]
            outputs = [c for c, name in target["fields"] if name in names]
            click(fn=lambda *x: list(x), inputs=source, outputs=outputs)
        click(fn=None, _js=f"() => switchTo('{binding.tabname}')", inputs=[], outputs=[])


def first_image(gallery: Any) -> Any:
    """Give the first picture of a gallery's value, or the picture itself."""
    if not isinstance(gallery, list):
        return gallery
    item = gallery[0] if gallery else None
    item = item[0] if isinstance(item, (list, tuple)) else item
    name = item.get("name") or (item.get("image") or {}).get("path") if isinstance(item, dict) else item
    return Image.open(name) if isinstance(name, str) else name
