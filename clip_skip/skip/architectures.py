"""Which text encoders each diffusion architecture reads, and at which depth it was trained to read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Encoder:
    """One CLIP text encoder as one architecture uses it.

    `trained_depth` is the number of blocks whose output the diffusion model was trained to read; `normed` tells
    whether the encoder's final layer norm is applied to what is read.
    """

    id: str
    name: str
    blocks: int
    trained_depth: int
    normed: bool


@dataclass(frozen=True)
class Architecture:
    """A diffusion architecture. `encoders` is empty where there is no CLIP skip; `reason` then says why."""

    id: str
    name: str
    encoders: tuple[Encoder, ...] = ()
    reason: str = ""

    def encoder(self, encoder_id: str) -> Encoder | None:
        return next((encoder for encoder in self.encoders if encoder.id == encoder_id), None)


def _l(trained_depth: int, normed: bool = False) -> Encoder:
    return Encoder("l", "CLIP-L", 12, trained_depth, normed)


def _g(trained_depth: int) -> Encoder:
    return Encoder("g", "CLIP-G", 32, trained_depth, normed=False)


_POOLED_ONLY = "It reads only CLIP's summary of the prompt, which clip skip never changes."
_NO_CLIP = "It has no CLIP text encoder."
# For those that have no name here.
UNNAMED = "This model"

ARCHITECTURES = {
    architecture.id: architecture
    for architecture in (
        Architecture("sd1", "SD 1.x", (_l(12, normed=True),)),
        # OpenCLIP's ViT-H has 24 blocks; diffusers and Forge drop the last one, which SD 2.x never reads.
        Architecture("sd2", "SD 2.x", (Encoder("h", "CLIP-H", 24, 23, normed=True),)),
        Architecture("sdxl", "SDXL", (_l(11), _g(31))),
        Architecture("sdxl-refiner", "SDXL refiner", (_g(31),)),
        Architecture("sd3", "SD 3", (_l(11), _g(31))),
        Architecture("cascade", "Stable Cascade", (_g(32),)),
        Architecture("flux", "Flux.1", reason=_POOLED_ONLY),
        Architecture("hidream", "HiDream", reason=_POOLED_ONLY),
        Architecture("chroma", "Chroma", reason=_NO_CLIP),
        Architecture("none", UNNAMED, reason=_NO_CLIP),
        Architecture("unknown", UNNAMED, reason="Its architecture is not known to CLIP Skip."),
    )
}
UNKNOWN = ARCHITECTURES["unknown"]

ENCODER_IDS = ("l", "g", "h")
ENCODER_NAMES = {e.id: e.name for a in ARCHITECTURES.values() for e in a.encoders}
DEEPEST_SKIP = {
    id: max(e.trained_depth for a in ARCHITECTURES.values() for e in a.encoders if e.id == id) for id in ENCODER_IDS
}

# The number of blocks tells the CLIP text encoders apart, whatever class or program holds them.
_ENCODER_BY_BLOCKS = {12: "l", 23: "h", 24: "h", 32: "g"}
# Of the states of each: diffusion models attend to those of all their encoders side by side.
_WIDTHS = {"l": 768, "g": 1280, "h": 1024}


def encoder_id_of(blocks: int) -> str | None:
    """The id of the CLIP text encoder that has this many blocks, or None."""
    return _ENCODER_BY_BLOCKS.get(blocks)


def by_encoders(encoder_ids: Collection[str], has_t5: bool = False) -> Architecture:
    """The architecture that conditions on exactly these CLIP encoders, next to a T5 or not."""
    return ARCHITECTURES[
        {
            (("l",), False): "sd1",
            (("h",), False): "sd2",
            (("g", "l"), False): "sdxl",
            (("g",), False): "sdxl-refiner",
            (("g", "l"), True): "sd3",
            (("l",), True): "flux",
            ((), False): "none",
            ((), True): "none",
        }.get((tuple(sorted(encoder_ids)), has_t5), "unknown")
    ]


def by_pipeline(class_name: str, encoder_ids: Collection[str], width: int | None = None) -> Architecture:
    """The architecture of a diffusers pipeline, by its class name and the CLIP encoders it carries.

    `width` is that of the text states which its UNet attends to, None if that is not known or it has none.
    """
    for part, id in (
        ("StableCascade", "cascade"),
        ("StableDiffusion3", "sd3"),
        ("HiDream", "hidream"),
        ("Chroma", "chroma"),
        ("Flux2", "none"),  # reads Mistral
        ("Flux", "flux"),
    ):
        if part in class_name:
            return ARCHITECTURES[id]
    if class_name.startswith("StableDiffusion"):
        return by_encoders(encoder_ids)
    # PhotoMaker, AnimateDiff and many others: a UNet that attends to just what these encoders give reads it as theirs.
    if encoder_ids and width == sum(_WIDTHS[id] for id in encoder_ids):
        return by_encoders(encoder_ids)
    return ARCHITECTURES["none" if not encoder_ids else "unknown"]
