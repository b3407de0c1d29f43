"""`python -m clip_skip learn FILE --as LABEL`: make a model on the user's disk a reference for the weight test."""

from __future__ import annotations

import argparse

from ...models.inspect.formats.contents import ContentsError
from ...models.inspect.inspector import Inspector
from ...models.inspect.weights import reference_files
from ...text.plain import plain
from .terminal import Commands, fail, reason, say


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "learn",
        help="make an SD 1.x checkpoint a reference that other models' lineage is told by",
        description="Keeps a sketch of the checkpoint (300 KB). Lineage by weights needs sd1.4 or sd1.5, nai and "
        "wd1.3.",
    )
    parser.add_argument("file", metavar="FILE", help="a checkpoint, or a diffusers folder")
    parser.add_argument("--as", dest="label", required=True, choices=reference_files.LABELS, help="which model it is")
    return parser


def run(options: argparse.Namespace) -> int:
    try:
        Inspector(options.data_dir).learn(options.file, options.label)
    except ContentsError as error:
        return fail(f"{options.file}: {error}")
    except OSError as error:
        return fail(reason(error))
    say(f"{plain(options.file)} is now the reference {options.label}.")
    return 0
