"""`python -m clip_skip drift --model MODEL --prompt TEXT`: how far each skip moves the conditioning of a prompt."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ...drift import chart
from ...models.inspect.facts import ModelFacts
from ...models.inspect.formats.contents import Contents, ContentsError
from ...models.inspect.formats.reader import read_contents
from ...models.inspect.inspector import Inspector
from ...skip.architectures import ARCHITECTURES, Architecture, Encoder, by_encoders
from ...skip.numbers import number
from ...text.plain import plain
from .terminal import Commands, fail, reason, say, table, tell

if TYPE_CHECKING:
    from ...drift.clip_tokens import Chunks, FileTokenizer
    from ...drift.drift import Drift
    from ...drift.stored_encoders import StoredEncoder

_OUTPUTS = (".svg", ".png", ".csv")
_HEAD = ("SKIP", "LAYER", "COSINE", "RELATIVE NORM", "MOVED MOST", "")

# The words that moved most, by encoder id and skip.
Moved: TypeAlias = "Mapping[tuple[str, float], str]"


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "drift",
        help="tell how far each skip moves the conditioning of a prompt",
        description="Runs the text encoders of a model once, without a WebUI, and compares what the diffusion model "
        "reads at every skip with what it reads as trained. Needs torch and transformers, such as the WebUI's Python "
        "has. The prompt is read word for word: emphasis and tags mean nothing here.",
    )
    parser.add_argument("--model", required=True, metavar="PATH", help="a .safetensors file, or a diffusers folder")
    parser.add_argument("--prompt", required=True, metavar="TEXT")
    parser.add_argument("--out", type=_output, metavar="FILE", help="write a picture (.svg, .png) or numbers (.csv)")
    parser.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="a folder that has CLIP's vocabulary")
    parser.add_argument(
        "--architecture",
        choices=[architecture.id for architecture in ARCHITECTURES.values() if architecture.encoders],
        help="what reads the text encoders, where the file does not tell",
    )
    return parser


def _output(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() not in _OUTPUTS:
        raise argparse.ArgumentTypeError(f"{plain(name)} ends in none of {', '.join(_OUTPUTS)}")
    return path


def run(options: argparse.Namespace) -> int:
    try:
        from ...drift import clip_tokens, stored_encoders
    except ImportError as error:
        fail(f"drift runs text encoders, which needs torch and transformers ({error}); use the WebUI's Python")
        return 2
    facts: ModelFacts = Inspector(options.data_dir).inspect(options.model)
    try:
        contents = read_contents(options.model)
        stored = stored_encoders.stored_encoders(contents)
        architecture = _architecture(options.architecture, facts, stored)
        if architecture is not facts.architecture:
            facts = replace(facts, recommended=None)  # it was meant for another reader
        tokenizer = clip_tokens.find_tokenizer(options.tokenizer, _tokenizer_folders(Path(options.model)))
        say(f"{plain(options.model)}, read as {architecture.name} reads it")
        drifts: list[Drift] = []
        moved: dict[tuple[str, float], str] = {}
        for measured, read in _measured(contents, stored, architecture, facts, tokenizer, options.prompt):
            drifts.append(measured)
            moved |= {(measured.encoder.id, point.skip): point.moved(read) for point in measured.points}
            say(f"\n{measured.encoder.name}\n{table(_HEAD, _rows(measured, moved, facts))}")
    except (ContentsError, clip_tokens.TokenizerError) as error:
        return fail(f"{options.model}: {error}")
    except OSError as error:
        return fail(reason(error))
    if options.out:
        try:
            _write(options.out, drifts, options.prompt, facts, moved)
        except OSError as error:
            return fail(f"{options.out}: {error.strerror or error}")
    return 0


def _architecture(given: str | None, facts: ModelFacts, stored: Mapping[str, StoredEncoder]) -> Architecture:
    """The architecture whose diffusion model reads the encoders. Raises ContentsError where none of them is read."""
    architecture = ARCHITECTURES[given] if given else facts.architecture
    if not given and facts.kind == "text-encoder" and not architecture.encoders:
        architecture = by_encoders(stored)
    if not architecture.encoders:
        raise ContentsError(architecture.reason)
    if not any(encoder.id in stored for encoder in architecture.encoders):
        names = " or ".join(encoder.name for encoder in architecture.encoders)
        raise ContentsError(f"there is no {names} text encoder in it")
    return architecture


def _tokenizer_folders(model: Path) -> Iterator[Path]:
    for folder in (model, model.absolute().parent):  # a diffusers folder, or that of its text encoder
        yield from (folder / "tokenizer", folder / "tokenizer_2")


def _measured(
    contents: Contents,
    stored: Mapping[str, StoredEncoder],
    architecture: Architecture,
    facts: ModelFacts,
    tokenizer: FileTokenizer,
    prompt: str,
) -> Iterator[tuple[Drift, Mapping[int, str]]]:
    """Each encoder's drift, with the words that it read by place."""
    from ...drift.clip_tokens import chunks

    for encoder in architecture.encoders:
        if encoder.id in stored:
            read = chunks(tokenizer, prompt, architecture.id, encoder.id)
            recommended = _recommended(facts, encoder.id)
            yield _drift(contents, stored[encoder.id], encoder, read, recommended), read.words
        else:
            tell(f"warning: there is no {encoder.name} text encoder in it")


def _drift(contents: Contents, stored: StoredEncoder, encoder: Encoder, read: Chunks, recommended: float) -> Drift:
    """One encoder's drift at every whole skip and the recommended one; the encoder is in memory only meanwhile."""
    import torch

    from ...conditioning.stacks import find_stack
    from ...drift.drift import collected, drift
    from ...drift.stored_encoders import load_encoder

    model = load_encoder(contents, stored)
    known, highest = model.config.vocab_size, int(read.ids.max())
    if highest >= known:
        raise ContentsError(f"its {encoder.name} knows {known} tokens, but the tokenizer gives one the id {highest}")
    stack = find_stack(model)
    assert stack is not None  # as many blocks as the file was chosen for
    with torch.inference_mode(), collected(stack) as states:
        model(input_ids=read.ids, attention_mask=read.mask)
        return drift(states, encoder, stack.final_norm, sorted({*range(1, encoder.trained_depth + 1), recommended}))


def _recommended(facts: ModelFacts, encoder_id: str) -> float:
    """What the model's facts recommend; as trained where they do not."""
    return facts.recommended.skip.get(encoder_id, 1.0) if facts.recommended else 1.0


def _rows(measured: Drift, moved: Moved, facts: ModelFacts) -> Iterator[tuple[str, ...]]:
    encoder = measured.encoder
    recommended = _recommended(facts, encoder.id)
    source = f" ({facts.recommended.source})" if facts.recommended else ""
    for point in measured.points:
        marks = ["as trained"] if point.skip == 1 else []
        marks += [f"recommended{source}"] if point.skip == recommended else []
        yield (
            number(point.skip),
            f"{number(point.depth)} of {encoder.blocks}",
            f"{point.cosine:.4f}",
            f"{point.relative_norm:.4f}",
            moved[encoder.id, point.skip],
            ", ".join(marks),
        )


def _write(path: Path, drifts: list[Drift], prompt: str, facts: ModelFacts, moved: Moved) -> None:
    kind = path.suffix.lower()
    title = f"{Path(facts.file).name}: {prompt}"
    marks = chart.Marks(recommended={each.encoder.id: _recommended(facts, each.encoder.id) for each in drifts})
    if kind == ".png":
        path.write_bytes(chart.png(drifts, title, marks))
    elif kind == ".svg":
        path.write_text(chart.svg(drifts, title, marks, moved), "utf-8")
    else:
        from ...drift.drift import as_csv

        path.write_text(as_csv(drifts), "utf-8")
    say(f"\nwritten: {plain(str(path))}")
