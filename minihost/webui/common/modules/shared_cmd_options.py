"""The command line: the extension's preload.py adds its flags before it is read."""

import argparse
import runpy

from minihost import context

parser = argparse.ArgumentParser(prog="minihost", allow_abbrev=False)
parser.add_argument("--data-dir", default=str(context.get().data))
parser.add_argument("--lora-dir", default=str(context.get().data / "models" / "Lora"))
parser.add_argument("--no-hashing", action="store_true", help="hash no model")
if context.get().flavour.a1111_line:
    parser.add_argument("--api-auth", default=None)
    parser.add_argument("--nowebui", action="store_true", help="serve no page, the API alone")
    parser.add_argument("--freeze-settings", action="store_true")
else:
    parser.add_argument("--auth", default=None)

_extension = context.get().extension
_preload = _extension and _extension / "preload.py"
if _preload and _preload.is_file():
    runpy.run_path(str(_preload))["preload"](parser)

cmd_opts = parser.parse_args(context.get().argv)
