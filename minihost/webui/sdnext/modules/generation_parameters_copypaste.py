"""Reading the text of a picture back, and pasting it into the page (SD.Next)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import gradio as gr
from modules import paste, shared
from modules.paste import (
    ParamBinding as ParamBinding,
)
from modules.paste import (
    add_paste_fields as add_paste_fields,
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

re_param = re.compile(r'\s*([\w ]+):\s*("(?:\\"[^,]|\\"|\\|[^\"])+"|[^,]*)(?:,|$)')
infotext_to_setting_name_mapping = [("Model", "sd_model_checkpoint"), ("Refiner", "sd_model_refiner")]


def quote(text: Any) -> str:
    return text if not any(c in str(text) for c in ",\n:") else json.dumps(str(text), ensure_ascii=False)


def _typed(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            text = json.loads(text)
        except ValueError:
            return text
    if text.replace(".", "", 1).isdigit():
        return float(text) if "." in text else int(text)
    return {"True": True, "False": False}.get(text, text)


def parse_generation_parameters(infotext: str) -> dict[str, Any]:
    """Split an infotext; numbers and truth values come as such. A key loses all up to its last hyphen."""
    head, steps, tail = infotext.partition("\nSteps:")
    if not steps:
        return {"Prompt": infotext}
    prompt, _, negative = head.partition("Negative prompt:")
    params = {key: _typed(value.strip()) for key, value in re_param.findall("Steps:" + tail)}
    for key, value in list(params.items()):
        size = re.fullmatch(r"(\d+)x(\d+)", str(value))
        if size:
            params[f"{key}-1"], params[f"{key}-2"] = int(size[1]), int(size[2])
    return {**params, "Prompt": prompt.strip() or None, "Negative prompt": negative.strip() or None}


parse = parse_generation_parameters


def should_skip(param: str) -> bool:
    skipped = [name.strip().lower() for name in shared.opts.disable_apply_params.split(",")]
    return param.lower() in skipped + ([] if shared.opts.clip_skip_enabled else ["clip skip"])


def create_override_settings_dict(text_pairs: list[str] | None) -> dict[str, Any]:
    return {}


def get_override_settings(params: dict[str, Any], *, skip_fields: dict[str, Any] | None = None) -> list[Any]:
    return []


def field_value(component: Any, key: Any, params: dict[str, Any]) -> Any:
    """Give the update for one component; a function that gives a plain value brings the whole paste down."""
    value = key(params) if callable(key) else params.get(key)
    if value is None:
        return gr.update()
    if isinstance(value, dict) and "__type__" in value:
        return value
    if should_skip(key):
        return gr.update()
    kind = float if isinstance(getattr(component, "step", None), float) else type(component.value)
    return gr.update(value=str(value).lower() != "false" if kind is bool else kind(value))


def connect_paste(
    button: Any, fields: Iterable[Any], input_comp: Any, override_settings_component: Any, tabname: str
) -> None:
    paste.connect_paste(button, fields, input_comp, None)
