"""What every module of a WebUI looks at."""

from __future__ import annotations

import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from modules import localization, paths
from modules.options import OptionInfo, Options, options_section
from modules.shared_cmd_options import cmd_opts
from modules.styles import StyleDatabase

from minihost import context

__all__ = ["OptionInfo", "cmd_opts", "config_filename", "options_section", "opts", "prompt_styles", "state"]

config_filename = os.path.join(paths.data_path, "config.json")
demo: Any = None
api: Any = None
tab_names: list[str] = []


class State:
    """The job that is running."""

    def __init__(self) -> None:
        self.job, self.job_count, self.job_no, self.job_timestamp = "", 0, 0, ""
        self.sampling_step, self.sampling_steps = 0, 0
        self.current_image: Any = None
        self.interrupted = self.skipped = self.stopping_generation = False
        self.after_step: Callable[[], None]  # set by SD.Next's jobs

    def begin(self, job: str = "(unknown)", *_: Any) -> str:
        type(self).__init__(self)
        self.job, self.job_count, self.job_timestamp = job, -1, time.strftime("%Y%m%d%H%M%S")
        return job

    def end(self, *_: Any) -> None:
        self.job, self.job_count = "", 0

    def nextjob(self) -> None:
        self.job_no += 1
        self.sampling_step = 0

    def interrupt(self) -> None:
        self.interrupted = True

    def skip(self) -> None:
        self.skipped = True


state = State()
prompt_styles = StyleDatabase(Path(paths.data_path, "styles.csv"))


if TYPE_CHECKING:  # attributes of the module's own class, below
    sd_model: Any
    sd_loaded: bool
    sd_model_type: str
    sd_model_name: str
    sd_refiner: Any


def _list_checkpoints() -> dict[str, Any]:
    from modules import sd_models

    return {"choices": list(sd_models.checkpoints_list)}


def _core_options() -> dict[str, OptionInfo]:
    sd, hidden = ("sd", "Stable Diffusion"), ("minihost", "Minihost")
    parsers = {"choices": ["native", "fixed", "xhinker"]}
    skip = {"minimum": 1, "maximum": 12, "step": 1}
    both = {
        "sd_model_checkpoint": OptionInfo(None, "Stable Diffusion checkpoint", gr.Dropdown, _list_checkpoints),
        "sd3_enable_t5": OptionInfo(False, "Enable T5"),
    }
    languages = ["Auto", "en: English", "zh: Chinese", "ja: Japanese", "id: Indonesian"]
    number = 2 if context.get().flavour.name == "neo" else 1
    line = {
        "CLIP_stop_at_last_layers": OptionInfo(number, "Clip skip", gr.Slider, skip, infotext="Clip skip"),
        "sdxl_clip_l_skip": OptionInfo(False, "Clip skip SDXL"),
        "sd_checkpoints_limit": OptionInfo(1, "Maximum number of checkpoints loaded at the same time"),
        "persistent_cond_cache": OptionInfo(True, "Persistent cond cache"),
        "use_old_scheduling": OptionInfo(False, "Use old prompt editing timelines"),
        "hires_fix_use_firstpass_conds": OptionInfo(False, "Calculate conds of second pass using networks of first"),
        "hires_fix_refiner_pass": OptionInfo("second pass", "Hires fix: which pass to enable refiner for"),
        "emphasis": OptionInfo("Original", "Emphasis mode"),
        "sdxl_crop_left": OptionInfo(0, "SDXL crop left"),
        "sdxl_crop_top": OptionInfo(0, "SDXL crop top"),
        "fp8_storage": OptionInfo("Disable", "FP8 weight"),
        "localization": OptionInfo("None", "Localization", gr.Dropdown, lambda: {"choices": localization.names()}).info(
            "reload the page then"
        ),
        "cache_fp16_weight": OptionInfo(False, "Cache FP16 weight for LoRA"),
    }
    next_ = {
        "CLIP_stop_at_last_layers": OptionInfo(1, "Clip skip", gr.Slider, skip),
        "clip_skip_enabled": OptionInfo(False, "Enable CLIP skip control"),
        "prompt_attention": OptionInfo("native", "Prompt attention parser", gr.Radio, parsers),
        "sd_textencoder_cache_size": OptionInfo(4, "Text encoder cache size"),
        "diffusers_zeros_prompt_pad": OptionInfo(False, "Use zeros for prompt padding"),
        "te_pooled_embeds": OptionInfo(False, "Use weighted pooled embeds"),
        "sd_model_refiner": OptionInfo("None", "Refiner model"),
        "ui_locale": OptionInfo("Auto", "UI locale", gr.Dropdown, {"choices": languages}).info("reload the page then"),
        "disable_apply_params": OptionInfo("", "Disable restoring of parameters"),
    }
    return {
        **options_section(sd, both),
        **options_section(sd, line if context.get().flavour.a1111_line else next_),
        **options_section(hidden, {"minihost_inner_pass": OptionInfo(False, "Run a demo inner pass on each image")}),
    }


core_options = frozenset(_core_options())
opts = Options(_core_options())
opts.load(config_filename)
if not context.get().flavour.a1111_line:
    opts.data["clip_skip"] = 1  # no label: readable, without any effect


def _model_data() -> Any:
    from modules import sd_models

    return sd_models.model_data


class _Shared(types.ModuleType):
    """The module's own class, so that the loaded model can be an attribute of it."""

    @property
    def sd_model(self) -> Any:
        return _model_data().get_sd_model()

    @sd_model.setter
    def sd_model(self, value: Any) -> None:
        _model_data().set_sd_model(value)


class _NextShared(_Shared):
    """SD.Next: asking for the model loads it."""

    sd_loaded = property(lambda self: _model_data().sd_model is not None)
    sd_model_type = property(lambda self: _model_data().kind)
    sd_model_name = property(lambda self: opts.sd_model_checkpoint)
    sd_refiner = property(lambda self: _model_data().get_sd_refiner())


sys.modules[__name__].__class__ = _Shared if context.get().flavour.a1111_line else _NextShared
