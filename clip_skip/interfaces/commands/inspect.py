"""`python -m clip_skip inspect PATH...`: what model files are, whether they descend from NAI, and their skip."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ...models.checkpoint import MODEL_SUFFIXES
from ...models.hashing import file_sha256
from ...models.inspect.facts import ModelFacts
from ...models.inspect.inspector import Inspector
from ...skip.numbers import number
from ...text.plain import plain
from .terminal import table

_HEAD = ("FILE", "ARCHITECTURE", "KIND", "LINEAGE", "RECOMMENDED", "TRAINED")


def add_parser(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
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
    paths = [model for path in options.paths for model in models(path, options.recursive)]
    facts = [
        _inspect(inspector, path, options.thorough) for path in tqdm(paths, unit="file", leave=False, disable=None)
    ]
    if options.json:
        print(json.dumps([each.as_json() for each in facts], indent=2))
    elif options.why:
        print("\n\n".join(_explained(each) for each in facts))
    else:
        print(table(_HEAD, map(_row, facts)))
    for each in facts:
        if each.error and not options.json:
            print(f"error: {plain(each.file)}: {plain(each.error)}", file=sys.stderr)
    return 1 if any(each.error for each in facts) else 0


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
        if not entry.is_dir():
            if entry.name.lower().endswith(MODEL_SUFFIXES):
                yield entry.path
        elif os.path.exists(os.path.join(entry.path, "model_index.json")):
            yield entry.path
        elif recursive:
            yield from _in_folder(entry.path, recursive, seen)


def _inspect(inspector: Inspector, path: str, thorough: bool) -> ModelFacts:
    sha256 = None
    if thorough and Path(path).is_file():
        try:
            sha256 = file_sha256(path)
        except OSError as error:
            return ModelFacts(path, error=str(error))
    return inspector.inspect(path, sha256=sha256, thorough=thorough)


def _row(facts: ModelFacts) -> tuple[str, ...]:
    if facts.error:
        return (facts.file, "error", "", "", "", "")
    recommended = facts.recommended
    return (
        facts.file,
        " ".join(filter(None, (facts.architecture.id, facts.variant, facts.quantised))),
        facts.kind,
        facts.verdict,
        f"{_skips(recommended.skip.items())} ({recommended.source})" if recommended else "-",
        number(facts.trained_skip) if facts.trained_skip is not None else "-",
    )


def _skips(skips: Iterable[tuple[str, float]]) -> str:
    return " ".join(f"{id}={number(skip)}" for id, skip in skips)


def _explained(facts: ModelFacts) -> str:
    lines = ["  ".join(cell for cell in map(plain, _row(facts)) if cell)]
    lines += [f"  lineage  {e.strength:<9} {e.id}: {plain(e.text)}" for e in facts.evidence]
    lines += [f"  skip     {_skips(s.skip.items()) or '-':<9} {s.id}: {plain(s.text)}" for s in facts.statements]
    return "\n".join(lines)
