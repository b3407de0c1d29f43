"""What the panel says in words: of the selected model, and of what its sliders do to that."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from ...advice.rules import PAGES_SAY
from ...models.checkpoint import Checkpoint
from ...skip.architectures import UNNAMED, Architecture, Encoder
from ...skip.auto import Auto
from ...skip.numbers import in_range, layers, number
from ...text.phrase import Data
from .markup import NOTHING, joined, line

TITLE = "CLIP Skip"
HASHING = "Its SHA-256 is worked out between jobs, since more may be known of it by that:"
NOT_HASHED = "Its SHA-256 could not be worked out. The log says why."
UNKNOWN_HOST = "CLIP Skip does not know this WebUI, and changes nothing in it."
SWITCHED_OFF = "CLIP Skip is switched off in Settings, under CLIP Skip."
DISABLED = "CLIP Skip is switched off: the WebUI was started with --clip-skip-disable."


def read_by(architecture: Architecture, name: str) -> list[Encoder]:
    """The encoders that the slider `name` sets on this architecture."""
    return [encoder for encoder in architecture.encoders if name in ("skip", encoder.id)]


def slider_words(architecture: Architecture, name: str, skip: float | None) -> Markup:
    """What each encoder that the slider `name` sets reads at `skip`, None where the slider's box is empty."""
    skip = 1.0 if skip is None else skip
    lines = []
    for encoder in read_by(architecture, name):
        deepest = encoder.trained_depth
        reads = layers(encoder, skip) if in_range(skip, deepest) else ("accepted:", Data(f" 1 - {deepest}"))
        lines.append(line(Data(f"{encoder.name}: "), *reads) if name == "skip" else line(*reads))
    return joined(lines)


def hashing(part: float | None, failed: bool) -> Markup:
    """How far the SHA-256 of a model that lacks it is worked out, from 0 to 1; the page's script looks again."""
    if part is not None:
        return Markup('<div class="clip-skip-hashing">{}</div>').format(line(HASHING, Data(f" {part:.0%}")))
    return line(NOT_HASHED) if failed else NOTHING


def meaning(architecture: Architecture) -> Markup:
    """What 1 is on this architecture, and what a model page's 2 is; empty where there is no CLIP skip."""
    if not architecture.encoders:
        return NOTHING
    pages = PAGES_SAY.get(architecture.id)
    return line("1 = as trained.", *((Data(" "), pages) if pages else ()))


def values(architecture: Architecture, skips: Mapping[str, float]) -> str:
    return ", ".join(f"{encoder.name} {number(skips[encoder.id])}" for encoder in architecture.encoders)


def title(architecture: Architecture, used: Mapping[str, float] | None) -> str:
    """The head of the panel, also of a closed one, with the skips where the panel or a tag decides.

    Short, since it is one line beside those of other extensions: "CLIP Skip: 2", "CLIP Skip: L 1.5, G 1".
    """
    if not used:
        return TITLE
    skips = {encoder.id: number(used[encoder.id]) for encoder in architecture.encoders}
    named = len(skips) > 1
    return f"{TITLE}: {', '.join(f'{id.upper()} {skip}' if named else skip for id, skip in skips.items())}"


def status(checkpoint: Checkpoint, auto: Auto | None, by_tags: Mapping[str, float] | None = None) -> Markup:
    """The model, and what decides: the skips of the prompt's tags, or what Auto uses.

    `auto` is None where what it uses is not known yet or not asked for.
    """
    architecture = checkpoint.architecture
    kind = architecture.name if architecture.name == UNNAMED else Data(architecture.name)
    name = (kind, Data(f", {checkpoint.name}" if checkpoint.name else ""))
    if not architecture.encoders:
        return Markup('<div class="clip-skip-none">{}</div>').format(
            line(*name, Data(": "), "No CLIP skip here.", Data(" "), architecture.reason)
        )
    if by_tags:
        tags = line("The prompt's tag decides:", Data(f" {values(architecture, by_tags)}"))
        return line(*name) + Markup('<div class="clip-skip-by-tags">{}</div>').format(tags)
    if auto is None:
        return line(*name)
    stop = () if auto.text[-1].endswith(".") else (Data("."),)
    used = line("Auto uses", Data(f" {values(architecture, auto.skips)}: "), *auto.text, *stop)
    return line(*name) + Markup('<div class="clip-skip-auto">{}</div>').format(used)
