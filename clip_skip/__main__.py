"""The command line: `python -m clip_skip COMMAND`, run in the extension's folder. It needs no WebUI."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__
from .interfaces.commands import drift, inspect, learn, presets, terminal
from .paths import data_folder
from .text import log


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 something failed, 2 not understood, 130 stopped."""
    parser = argparse.ArgumentParser(prog="python -m clip_skip", description="CLIP Skip on the command line.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--data-dir", metavar="DIR", help="the extension's data folder (default: the WebUI's)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (inspect, learn, presets, drift):
        command.add_parser(commands).set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    options.data_dir = data_folder(options.data_dir)
    log.set_up("WARNING")
    terminal.prepare()
    try:
        code: int = _run(options)
        terminal.finish()
    except OSError as error:  # of stdout: each command says by itself what is wrong with files
        terminal.to_nobody()
        code = terminal.fail(terminal.reason(error))
    return code


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        terminal.tell("stopped")
        code = 130
    return code


if __name__ == "__main__":
    sys.exit(main())
