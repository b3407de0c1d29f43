"""What the panel says in words: of the selected model, and of what its sliders do to that."""

from __future__ import annotations

from markupsafe import Markup

from ...models.checkpoint import Checkpoint
from ...skip.architectures import UNNAMED, Architecture, Encoder
from ...skip.auto import Auto
from ...skip.numbers import in_range, number, words
from ...text.phrase import Data, Phrase
from .markup import NOTHING, joined, line

HASHING = "Its SHA-256 is worked out between jobs, since more may be known of it by that:"
NOT_HASHED = "Its SHA-256 could not be worked out. The log says why."
UNKNOWN_HOST = "CLIP Skip does not know this WebUI, and changes nothing in it."
SWITCHED_OFF = "CLIP Skip is switched off in Settings, under CLIP Skip."


def read_by(architecture: Architecture, name: str) -> list[Encoder]:
    """The encoders that the slider `name` sets on this architecture."""
    return [encoder for encoder in architecture.encoders if name in ("skip", encoder.id)]


def slider_words(architecture: Architecture, name: str, skip: float | None) -> Markup:
    """What each encoder that the slider `name` sets reads at `skip`, None where the slider's box is empty."""
    skip = 1.0 if skip is None else skip
    lines = []
    for encoder in read_by(architecture, name):
        within = in_range(skip, encoder.trained_depth)
        reads: Phrase = words(encoder, skip) if within else ("accepted:", Data(f" 1 - {encoder.trained_depth}"))
        lines.append(line(Data(f"{encoder.name}: "), *reads) if name == "skip" else line(*reads))
    return joined(lines)


def hashing(part: float | None, failed: bool) -> Markup:
    """How far the SHA-256 of a model that lacks it is worked out, from 0 to 1; the page's script looks again."""
    if part is not None:
        return Markup('<div class="clip-skip-hashing">{}</div>').format(line(HASHING, Data(f" {part:.0%}")))
    return line(NOT_HASHED) if failed else NOTHING


def status(checkpoint: Checkpoint, auto: Auto | None) -> Markup:
    """The model, and what Auto uses on it, None where that is not known yet or not asked for."""
    architecture = checkpoint.architecture
    kind = architecture.name if architecture.name == UNNAMED else Data(architecture.name)
    name = line(kind, Data(f", {checkpoint.name}" if checkpoint.name else ""))
    if not architecture.encoders:
        return name + line("No CLIP skip here.", Data(" "), architecture.reason)
    if auto is None:
        return name
    values = ", ".join(f"{encoder.name} {number(auto.skips[encoder.id])}" for encoder in architecture.encoders)
    stop = () if auto.text[-1].endswith(".") else (Data("."),)
    return name + line("Auto uses", Data(f" {values}: "), *auto.text, *stop)
