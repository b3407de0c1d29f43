"""Reading the text of a picture back, and pasting it into the page (A1111 and Forge)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import gradio as gr
from modules import errors, paste, shared
from modules.paste import (
    ParamBinding as ParamBinding,
)
from modules.paste import (
    connect_paste_params_buttons as connect_paste_params_buttons,
)
from modules.paste import (
    paste_fields as paste_fields,
)
from modules.paste import (
    register_paste_params_button as register_paste_params_button,
)
from modules.paste import (
    registered_param_bindings as registered_param_bindings,
)

from minihost import context

re_param = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
re_imagesize = re.compile(r"^(\d+)x(\d+)$")
infotext_to_setting_name_mapping = [("Model", "sd_model_checkpoint"), ("Model hash", "sd_model_checkpoint")]


class PasteField(tuple[Any, Any]):
    """A component and what goes into it: a key of the infotext or a function of all of them."""

    def __new__(cls, component: Any, target: Any, *, api: str | None = None) -> PasteField:
        return super().__new__(cls, (component, target))

    def __init__(self, component: Any, target: Any, *, api: str | None = None) -> None:
        self.api, self.component = api, component
        self.label = target if isinstance(target, str) else None
        self.function = target if callable(target) else None


def quote(text: Any) -> str:
    return text if not any(c in str(text) for c in ",\n:") else json.dumps(str(text), ensure_ascii=False)


def unquote(text: str) -> Any:
    try:
        return json.loads(text) if len(text) > 1 and text[0] == text[-1] == '"' else text
    except ValueError:
        return text


def parse_generation_parameters(x: str, skip_fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Split an infotext; a missing "Clip skip" means 1, and Neo drops what it says."""
    *lines, last = x.strip().split("\n")
    if len(re_param.findall(last)) < 3:
        lines.append(last)
        last = ""
    text = "\n".join(line.strip() for line in lines)
    prompt, _, negative = text.partition("Negative prompt:")
    result = {}
    for key, value in re_param.findall(last):
        value = unquote(value)
        size = re_imagesize.match(value)
        result.update({f"{key}-1": size[1], f"{key}-2": size[2]} if size else {key: value})
    result |= {"Prompt": prompt.strip(), "Negative prompt": negative.strip()}
    if context.get().flavour.name == "neo":
        result.pop("Clip skip", None)
    else:
        result.setdefault("Clip skip", "1")
    return result


def get_override_settings(
    params: dict[str, Any], *, skip_fields: dict[str, Any] | None = None
) -> list[tuple[Any, Any, Any]]:
    """List the settings an infotext asks for that differ from the present ones."""
    mapping = [(option.infotext, key) for key, option in shared.opts.data_labels.items() if option.infotext]
    found = []
    for label, key in mapping + infotext_to_setting_name_mapping:
        value = params.get(label)
        if value is None or label in (skip_fields or {}):
            continue
        value = shared.opts.cast_value(key, value)
        if value != getattr(shared.opts, key, None):
            found.append((label, key, value))
    return found


def create_override_settings_dict(text_pairs: list[str] | None) -> dict[str, Any]:
    """Turn the entries of the "Override settings" field into settings."""
    mapping = {option.infotext: key for key, option in shared.opts.data_labels.items() if option.infotext}
    mapping |= dict(infotext_to_setting_name_mapping)
    pairs = [text.split(":", 1) for text in text_pairs or []]
    return {mapping[k]: shared.opts.cast_value(mapping[k], v.strip()) for k, v in pairs if k in mapping}


def add_paste_fields(
    tabname: str, init_img: Any, fields: Iterable[Any], override_settings_component: Any = None
) -> None:
    fields = [f if isinstance(f, PasteField) else PasteField(*f) for f in fields]
    paste.add_paste_fields(tabname, init_img, fields, override_settings_component)


def field_value(component: Any, key: Any, params: dict[str, Any]) -> Any:
    """Give the update for one component; functions give plain values here."""
    value: Any
    try:
        value = key(params) if callable(key) else params.get(key)
    except Exception:
        errors.report(f"Error executing {key}", exc_info=True)
        value = None
    if isinstance(value, dict) and "__type__" in value:
        return value
    try:
        if value is None:
            return gr.update()
        kind = type(component.value)
        if kind is bool and value == "False":
            return gr.update(value=False)
        return gr.update(value=float(value) if kind is int else kind(value))
    except Exception:  # a value that does not fit is passed over in silence
        return gr.update()


def connect_paste(
    button: Any, fields: Iterable[Any], input_comp: Any, override_settings_component: Any, tabname: str
) -> None:
    paste.connect_paste(button, fields, input_comp, override_settings_component)
