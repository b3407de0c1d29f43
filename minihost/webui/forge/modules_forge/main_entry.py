"""Forge's top bar: what it sets decides which model the next job loads, and how far it reads."""

from __future__ import annotations

from typing import Any

import gradio as gr
from modules import sd_models, shared

ui_clip_skip: gr.Slider | None = None


def bind_to_opts(component: Any, key: str) -> None:
    """Set an option and save all of them at every change of the component; the page is told nothing of it."""

    def on_change(value: Any) -> None:
        shared.opts.set(key, value)
        shared.opts.save(shared.config_filename)

    component.change(on_change, inputs=[component], queue=False, show_progress="hidden")


def make_clip_skip_slider() -> None:
    """Create the one control of clip skip; it has no id."""
    global ui_clip_skip
    ui_clip_skip = gr.Slider(
        1, 12, value=lambda: shared.opts.CLIP_stop_at_last_layers, step=1, label="Clip skip"
    )  # fmt: skip
    bind_to_opts(ui_clip_skip, "CLIP_stop_at_last_layers")


def refresh_model_loading_parameters() -> None:
    """Note what the next job has to load; it then forgets its cond cache, too."""
    sd_models.model_data.forge_loading_parameters = {"checkpoint_info": sd_models.select_checkpoint()}
    sd_models.need_global_unload = True


def checkpoint_change(ckpt_name: str, save: bool = True, refresh: bool = True) -> bool:
    """Choose a checkpoint by any of its names; True if it is another one."""
    wanted = sd_models.get_closet_checkpoint_match(ckpt_name)
    if wanted is sd_models.get_closet_checkpoint_match(shared.opts.data.get("sd_model_checkpoint", "")):
        return False
    shared.opts.set("sd_model_checkpoint", ckpt_name)
    if save:
        shared.opts.save(shared.config_filename)
    if refresh:
        refresh_model_loading_parameters()
    return True


def set_config(req: dict[str, Any], is_api: bool = False, run_callbacks: bool = True, save_config: bool = True) -> None:
    """Set many options; the checkpoint goes its own way."""
    refresh = False
    for key, value in req.items():
        if value == shared.opts.data.get(key):
            continue
        if key == "sd_model_checkpoint":
            if value is not None and value not in sd_models.checkpoint_aliases:
                raise RuntimeError(f"model {value!r} not found")
            refresh |= checkpoint_change(value, save=False, refresh=False)
        else:
            shared.opts.set(key, value, is_api=is_api, run_callbacks=run_callbacks)
    if refresh:
        refresh_model_loading_parameters()
    if save_config:
        shared.opts.save(shared.config_filename)
