"""`python -m clip_skip inspect PATH...`: what model files are, whether they descend from NAI, and their skip."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from tqdm import tqdm

from ...models.checkpoint import MODEL_SUFFIXES
from ...models.inspect.evidence.evidence import Evidence, Verdict
from ...models.inspect.facts import ModelFacts, unread
from ...models.inspect.inspector import Inspector, file_sha256
from ...skip.numbers import number
from ...text.plain import plain
from .terminal import Commands, fail, say, table, tell

_HEAD = ("FILE", "ARCHITECTURE", "KIND", "LINEAGE", "RECOMMENDED", "TRAINED")


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "inspect",
        help="tell what models are and which skip they were made for",
        description="Reads names, shapes, metadata and some numbers of model files; never loads or unpickles one.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a model, or a folder of models")
    parser.add_argument("--recursive", action="store_true", help="look into folders of folders too")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--why", action="store_true", help="print the evidence below each model")
    parser.add_argument("--thorough", action="store_true", help="read whole files: SHA-256 and VAE (seconds per file)")
    return parser


def run(options: argparse.Namespace) -> int:
    inspector = Inspector(options.data_dir)
    paths = []
    for path in options.paths:
        found = list(models(path, options.recursive))
        if not found:
            deeper = "" if options.recursive else "; --recursive looks into its folders too"
            tell(f"{path}: there are no models in this folder{deeper}")
        paths += found
    facts = list(_inspected(inspector, paths, options.thorough))
    if options.json:
        say(json.dumps([each.as_json() for each in facts], indent=2))
    elif options.why and facts:
        say("\n\n".join(_explained(each) for each in facts))
    elif facts:
        # What a model was trained with is in what it is recommended to be used with; a LoRA has the former alone.
        columns = len(_HEAD) if any(each.kind == "lora" for each in facts) else len(_HEAD) - 1
        say(table(_HEAD[:columns], (_row(each)[:columns] for each in facts)))
    for each in facts:
        if each.error and not options.json and not options.why:
            fail(f"{each.file}: {each.error}")
    return 1 if any(each.error for each in facts) else 0


def _inspected(inspector: Inspector, paths: Sequence[str], thorough: bool) -> Iterator[ModelFacts]:
    """The facts of each model; on a terminal with a bar of how far it is, by bytes where whole files are read."""
    by_bytes = {"total": sum(map(_size, paths)), "unit": "B", "unit_scale": True, "unit_divisor": 1024}
    with tqdm(leave=False, disable=None, **(by_bytes if thorough else {"total": len(paths), "unit": "file"})) as bar:
        for path in paths:
            yield _inspect(inspector, path, bar.update if thorough else None)
            if not thorough:
                bar.update(1)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path) if os.path.isfile(path) else 0
    except OSError:
        return 0


def models(path: str, recursive: bool) -> Iterator[str]:
    """The models at `path`, in order: itself, or those in the folder; `recursive` for those in its folders too."""
    if not os.path.isdir(path) or os.path.exists(os.path.join(path, "model_index.json")):
        yield path
        return
    yield from _in_folder(path, recursive, set())


def _in_folder(folder: str, recursive: bool, seen: set[str]) -> Iterator[str]:
    real = os.path.realpath(folder)  # model folders are often links, sometimes in a circle
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # its inspection will say what is wrong
        return
    for entry in entries:
        if not _is_dir(entry):
            if entry.name.lower().endswith(MODEL_SUFFIXES):
                yield entry.path
        elif os.path.exists(os.path.join(entry.path, "model_index.json")):
            yield entry.path
        elif recursive:
            yield from _in_folder(entry.path, recursive, seen)


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: its inspection will say so
        return False


def _inspect(inspector: Inspector, path: str, read: Callable[[int], object] | None) -> ModelFacts:
    """The facts of one model: thorough ones where the bytes that are read are to be told."""
    sha256 = None
    if read is not None and os.path.isfile(path):
        try:
            sha256 = file_sha256(path, read)
        except OSError as error:
            return unread(path, error)
    return inspector.inspect(path, sha256=sha256, thorough=read is not None)


def _row(facts: ModelFacts) -> tuple[str, ...]:
    if facts.error:
        return (facts.file, "error", "", "", "", "")
    return (
        facts.file,
        " ".join(filter(None, (facts.architecture.id, facts.variant, facts.quantised))),
        facts.kind,
        facts.verdict,
        _recommended(facts),
        "" if facts.kind != "lora" else "-" if facts.trained_skip is None else number(facts.trained_skip),
    )


def _recommended(facts: ModelFacts) -> str:
    if facts.recommended:
        return f"{_skips(facts.recommended.skip.items())} ({facts.recommended.source})"
    # Only on SD 1.x is there a question, which descent alone may answer.
    open_question = facts.architecture.id == "sd1" and facts.verdict != "not-nai"
    left = any(statement.leaves_choice for statement in facts.statements)
    a_model = facts.kind in ("checkpoint", "diffusion-model")
    return "1 (as trained)" if a_model and facts.architecture.encoders and not open_question and not left else "-"


def _skips(skips: Iterable[tuple[str, float]]) -> str:
    return " ".join(f"{id}={number(skip)}" for id, skip in skips)


def _strength(fact: Evidence) -> str:
    """How much the fact is worth; "-" where it says only why something could not be told."""
    return "-" if fact.verdict == Verdict.UNKNOWN else fact.strength


def _explained(facts: ModelFacts) -> str:
    lines = ["  ".join(cell for cell in map(plain, _row(facts)) if cell)]
    lines += [f"  error    {plain(facts.error)}"] if facts.error else []
    lines += [f"  lineage  {_strength(e):<9} {e.id}: {plain(e.text)}" for e in facts.evidence]
    lines += [f"  skip     {_skips(s.skip.items()) or '-':<9} {s.id}: {plain(s.text)}" for s in facts.statements]
    return "\n".join(lines)
