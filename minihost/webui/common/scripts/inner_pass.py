"""Demo of what other extensions do: a pass of its own on the finished picture, with a job object of its own."""

from modules import processing, scripts, shared


class InnerPass(scripts.Script):
    """Works when the request says ``inner_pass`` or the option ``minihost_inner_pass`` is on; a text is its prompt."""

    def title(self):
        return "Minihost inner pass"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def postprocess_image(self, p, pp, *args):
        if not (p.inner_pass or shared.opts.minihost_inner_pass):
            return
        prompt = p.inner_pass if isinstance(p.inner_pass, str) else p.prompt
        inner = processing.StableDiffusionProcessingImg2Img(
            init_images=[pp.image], prompt=prompt, negative_prompt=p.negative_prompt, seed=p.seeds[p.batch_index],
            steps=p.steps, cfg_scale=p.cfg_scale, width=pp.image.width, height=pp.image.height,
        )  # fmt: skip
        pp.image = processing.process_images(inner).images[0]
