"""SD.Next's models: a pipeline each, loaded when somebody looks at ``shared.sd_model``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modules import prompt_parser_diffusers, script_callbacks, sd_hijack_te, sd_pipelines, shared
from modules.sd_checkpoint import (
    CheckpointInfo as CheckpointInfo,
)
from modules.sd_checkpoint import (
    checkpoint_aliases as checkpoint_aliases,
)
from modules.sd_checkpoint import (
    checkpoints_list as checkpoints_list,
)
from modules.sd_checkpoint import (
    get_closet_checkpoint_match as get_closet_checkpoint_match,
)
from modules.sd_checkpoint import (
    list_models as list_models,
)
from modules.sd_checkpoint import (
    select_checkpoint as select_checkpoint,
)
from modules.sd_pipelines import DiffusionPipeline

from minihost import weights

KINDS = {"sd1": "sd", "sd2": "sd", "sdxl": "sdxl", "sdxl-refiner": "sdxl", "sd3": "sd3", "flux": "f1"}


class ModelData:
    """The pipeline in use, and the refiner."""

    def __init__(self) -> None:
        self.sd_model: DiffusionPipeline | None = None
        self.sd_refiner: DiffusionPipeline | None = None
        self.kind = "none"

    def get_sd_model(self) -> Any:
        if self.sd_model is None:
            reload_model_weights()
        return self.sd_model

    def set_sd_model(self, model: Any) -> None:
        self.sd_model = model

    def get_sd_refiner(self) -> DiffusionPipeline | None:
        wanted = get_closet_checkpoint_match(shared.opts.sd_model_refiner)
        if wanted is None:
            self.sd_refiner = None
        elif self.sd_refiner is None or self.sd_refiner.sd_checkpoint_info is not wanted:
            self.sd_refiner = load_diffuser(wanted)
            script_callbacks.model_loaded_callback(self.sd_refiner)
        return self.sd_refiner


model_data = ModelData()


def load_diffuser(info: CheckpointInfo) -> DiffusionPipeline:
    """Make the pipeline of a checkpoint."""
    path = Path(info.filename)
    arch = weights.recognise(path)
    pipe = sd_pipelines.PIPELINES[arch.pipeline](path, arch)
    pipe.sd_checkpoint_info, pipe.sd_model_checkpoint, pipe.sd_model_hash = info, info.filename, None
    pipe.is_sdxl = pipe.is_sd2 = False  # so it is in SD.Next, whatever the model
    pipe.is_sd1 = True
    if arch.name in ("sd3", "flux"):
        sd_hijack_te.init_hijack(pipe)
    return pipe


def reload_model_weights(
    sd_model: Any = None, info: CheckpointInfo | None = None, op: str = "model", force: bool = False
) -> Any:
    """Change to the checkpoint of the settings."""
    info = info or select_checkpoint()
    if model_data.sd_model is not None and model_data.sd_model.sd_checkpoint_info is info and not force:
        return model_data.sd_model
    pipe = load_diffuser(info)
    shared.opts.data["sd_model_checkpoint"] = info.title
    model_data.kind = KINDS[weights.recognise(Path(info.filename)).name]
    model_data.set_sd_model(pipe)
    prompt_parser_diffusers.insert_parser_highjack(type(pipe).__name__)
    prompt_parser_diffusers.cache.clear()
    script_callbacks.model_loaded_callback(pipe)
    return pipe
