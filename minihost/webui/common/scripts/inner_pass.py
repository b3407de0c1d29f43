"""Demo of what other extensions do: a pass of its own on the finished picture, with a job object of its own."""

from __future__ import annotations

from typing import Any

from modules import processing, scripts, shared
from modules.processing import StableDiffusionProcessing


class InnerPass(scripts.Script):
    """Works when the request says ``inner_pass`` or the option ``minihost_inner_pass`` is on; a text is its prompt."""

    def title(self) -> str:
        return "Minihost inner pass"

    def show(self, is_img2img: bool) -> object:
        return scripts.AlwaysVisible

    def postprocess_image(self, p: StableDiffusionProcessing, pp: scripts.PostprocessImageArgs, *args: Any) -> None:
        if not (p.inner_pass or shared.opts.minihost_inner_pass):
            return
        prompt = p.inner_pass if isinstance(p.inner_pass, str) else p.prompt
        inner = processing.StableDiffusionProcessingImg2Img(
            init_images=[pp.image], prompt=prompt, negative_prompt=p.negative_prompt, seed=p.seeds[p.batch_index],
            steps=p.steps, cfg_scale=p.cfg_scale, width=pp.image.width, height=pp.image.height,
        )  # fmt: skip
        processed = processing.process_images(inner)
        assert processed is not None
        pp.image = processed.images[0]
