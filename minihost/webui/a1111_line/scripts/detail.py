"""Demo of what ADetailer does: a pass of its own on each image, and copies of the job that it shows to the scripts."""

from __future__ import annotations

from copy import copy
from typing import Any

from modules import processing, scripts


class Detail(scripts.Script):
    """Works where the request says ``detail``; a text is the prompt of its pass."""

    def title(self) -> str:
        return "Minihost detail"

    def show(self, is_img2img: bool) -> object:
        return scripts.AlwaysVisible

    def postprocess_image(
        self, p: processing.StableDiffusionProcessing, pp: scripts.PostprocessImageArgs, *args: Any
    ) -> None:
        if not p.detail:
            return
        p.scripts.postprocess(copy(p), processing.Processed(p, [], p.seed, ""))
        inner = processing.StableDiffusionProcessingImg2Img(
            init_images=[pp.image], prompt=p.detail if isinstance(p.detail, str) else p.prompts[p.batch_index],
            negative_prompt=p.negative_prompt, seed=p.seeds[p.batch_index], steps=p.steps, cfg_scale=p.cfg_scale,
            width=pp.image.width, height=pp.image.height, extra_generation_params=dict(p.extra_generation_params),
        )  # fmt: skip
        pp.image = processing.process_images(inner).images[0]
        inner.close()
        if p.batch_index == p.batch_size - 1:
            again = copy(p)
            p.scripts.before_process(again)
            p.scripts.process(again)
