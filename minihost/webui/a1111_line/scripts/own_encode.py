"""Demo of what other extensions do: they encode by themselves, outside of the host's conditioning stage.

What they make is noted for tests beside what sampling uses, as the kinds "parsed", "multi" and "learned".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modules import prompt_parser, scripts, shared

from minihost.picture import as_cond, ledger, stack

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing

    from minihost.picture import Cond


def _note(kind: str, cond: Cond) -> None:
    ledger.note(kind, shared.sd_model.sd_checkpoint_info.name_for_extra, cond)


class OwnEncode(scripts.Script):
    """Works where the request says ``own_encode``: the texts, which it encodes in each batch in all three ways."""

    def title(self) -> str:
        return "Minihost own encode"

    def show(self, is_img2img: bool) -> object:
        return scripts.AlwaysVisible

    def process_batch(self, p: StableDiffusionProcessing, *args: Any, **kwargs: Any) -> None:
        if not p.own_encode:
            return
        texts = prompt_parser.SdConditioning(p.own_encode)
        parsed = prompt_parser.get_learned_conditioning(shared.sd_model, texts, p.steps)
        _note("parsed", stack(prompt_parser.reconstruct_cond_batch(parsed, 0)))
        multi = prompt_parser.get_multicond_learned_conditioning(shared.sd_model, texts, p.steps)
        _note("multi", stack(prompt_parser.reconstruct_multicond_batch(multi, 0)))
        _note("learned", as_cond(p.sd_model.get_learned_conditioning(p.own_encode)))


class Alternative(scripts.Script):
    """The host's "img2img alternative test", as far as it encodes: in a sampling function of its own."""

    def title(self) -> str:
        return "Minihost alternative"

    def show(self, is_img2img: bool) -> object:
        return is_img2img

    def ui(self, is_img2img: bool) -> list[Any]:
        from gradio import Textbox

        return [Textbox(label="Original prompt")]

    def run(self, p: StableDiffusionProcessing, *args: Any) -> Any:
        from modules import processing

        (original_prompt,) = args
        sample = p.sample

        def sample_extra(*args: Any, **kwargs: Any) -> Any:
            _note("original", as_cond(p.sd_model.get_learned_conditioning(p.batch_size * [original_prompt])))
            return sample(*args, **kwargs)

        p.sample = sample_extra  # type: ignore[method-assign]
        return processing.process_images(p)
