"""Callbacks that extensions register, and the functions by which the host calls them."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modules import errors

from minihost import context


@dataclass
class ScriptCallback:
    """A registered function, and the script file that registered it."""

    script: str
    callback: Any
    name: str = "unnamed"


@dataclass
class CFGDenoiserParams:
    """What on_cfg_denoiser gets."""

    x: Any
    sampling_step: int
    total_sampling_steps: int
    text_cond: Any
    text_uncond: Any
    denoiser: Any = None


callback_map: dict[str, list[ScriptCallback]] = defaultdict(list)


def _caller() -> str:
    """The file of the code that called who asks."""
    return sys._getframe(2).f_code.co_filename


def clear_callbacks() -> None:
    callback_map.clear()


def remove_callbacks_for_function(func: Callable[..., Any]) -> None:
    for entries in callback_map.values():
        entries[:] = [entry for entry in entries if entry.callback is not func]


def remove_current_script_callbacks() -> None:
    script = _caller()
    for entries in callback_map.values():
        entries[:] = [entry for entry in entries if entry.script != script]


def call(category: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Call everything registered; what raises is reported."""
    results = []
    for entry in list(callback_map[category]):
        try:
            results.append(entry.callback(*args, **kwargs))
        except Exception:
            errors.report(f"Error executing callback {category} for {entry.script}", exc_info=True)
    return results


def _registrar(category: str) -> Callable[..., None]:
    def register(callback: Callable[..., Any], *, name: str | None = None) -> None:
        caller = _caller()
        callback_map[category].append(ScriptCallback(caller, callback, name or "unnamed"))

    def register_unnamed(callback: Callable[..., Any]) -> None:
        caller = _caller()
        callback_map[category].append(ScriptCallback(caller, callback))

    return register if context.get().flavour.a1111_line else register_unnamed


_ALL = (
    "app_started before_reload model_loaded ui_tabs ui_settings before_image_saved image_saved cfg_denoiser "
    "cfg_denoised cfg_after_cfg before_component after_component image_grid infotext_pasted script_unloaded before_ui"
)
_LINE = "extra_noise ui_train_tabs list_optimizers list_unets before_token_counter"
_NEXT = "before_process after_process after_ui image_save_btn"

if TYPE_CHECKING:  # what SD.Next alone has
    Register = Callable[[Callable[..., Any]], None]
    on_before_process: Register
    on_after_process: Register
    on_model_loaded: Register

for _category in (_ALL + " " + (_LINE if context.get().flavour.a1111_line else _NEXT)).split():
    globals()[f"on_{_category}"] = _registrar(_category)


def app_started_callback(demo: Any, app: Any) -> None:
    call("app_started", demo, app)


def model_loaded_callback(sd_model: Any) -> None:
    call("model_loaded", sd_model)


def before_component_callback(component: Any, **kwargs: Any) -> None:
    call("before_component", component, **kwargs)


def after_component_callback(component: Any, **kwargs: Any) -> None:
    call("after_component", component, **kwargs)


def infotext_pasted_callback(infotext: str | None, params: dict[str, Any]) -> None:
    call("infotext_pasted", infotext, params)
