"""Dependencies point one way: the imports of every module, also late ones and those for types, against one table."""

import argparse
import ast
import runpy
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.layers import LAYERS, PACKAGES

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "clip_skip"
LEVELS = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


def name_of(path: Path) -> str:
    """The name of a module inside the package; of a room's own `__init__`, the room's."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
# A folder of rooms is no room: its own module has nothing in it but words.
FOLDERS = {name for name in MODULES if name not in LEVELS and any(room.startswith(f"{name}.") for room in LEVELS)}


def room_of(module: str) -> str | None:
    parts = module.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in LEVELS), None)


def imports(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Every module that this source imports, wherever in it: ours with a dot before their name inside the package."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (_without_package(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else [])]
                origin = "." + ".".join(base)
            else:
                origin = _without_package(str(node.module))
            for alias in node.names:
                inner = f"{origin.rstrip('.')}.{alias.name}"
                yield inner if origin.startswith(".") and inner[1:] in MODULES else origin


def _without_package(name: str) -> str:
    return f".{name.partition('.')[2]}" if name.split(".")[0] == "clip_skip" else name


def faults(module: str, imported: str) -> Iterator[str]:
    """What is wrong with this import."""
    room = room_of(module)
    assert room is not None
    if not imported.startswith("."):
        package = imported.split(".")[0]
        if package in sys.stdlib_module_names:
            return
        if package not in PACKAGES:
            yield f"{module} imports {package}, which is in no table"
        elif not any(f"{module}.".startswith(f"{allowed}.") for allowed in PACKAGES[package]):
            yield f"{module} imports {package}, and may not"
        return
    name = imported[1:]
    if name in ("", *FOLDERS):  # the version, or nothing but words
        return
    other = room_of(name)
    if other is None or (other != room and LEVELS[other] >= LEVELS[room]):
        yield f"{module} ({room}) knows {name} ({other})"


def graph() -> dict[str, set[str]]:
    return {
        module: {
            name[1:]
            for name in imports(path.read_text(), module, path.name == "__init__.py")
            if name.startswith(".") and name[1:] in MODULES
        }
        for module, path in MODULES.items()
    }


def test_every_module_is_in_a_room_and_every_room_has_one():
    assert [name for name in MODULES if name and name not in FOLDERS and room_of(name) is None] == []
    assert {room_of(name) for name in MODULES} - {None} == set(LEVELS)


@pytest.mark.parametrize("name", ["", *sorted(FOLDERS)])
def test_what_is_no_room_has_no_code(name):
    allowed = (ast.Expr, ast.Assign)  # its words, and the version
    assert all(isinstance(node, allowed) for node in ast.parse(MODULES[name].read_text()).body)


@pytest.mark.parametrize("module", [name for name in MODULES if name and name not in FOLDERS])
def test_arrows_point_down(module):
    path = MODULES[module]
    found = imports(path.read_text(), module, path.name == "__init__.py")
    assert list(chain.from_iterable(faults(module, imported) for imported in found)) == []


def test_nothing_goes_in_a_circle():
    known, left = set(), graph()
    while leaves := [module for module, imported in left.items() if imported - {module} <= known]:
        known.update(leaves)
        for module in leaves:
            del left[module]
    assert left == {}


@pytest.mark.parametrize(
    "module, source",
    [
        ("skip.auto", "from ..models.library import Library"),  # upwards
        ("skip.auto", "def late():\n    from ..models.library import Library"),
        ("skip.auto", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..models import library"),
        ("models.presets.store", "from ..inspect.facts import ModelFacts"),  # sideways
        ("models.presets.store", "from clip_skip.models.inspect import facts"),
        ("jobs.job", "from ..drift import drift"),
        ("text.phrase", "import torch"),
        ("interfaces.rest.routes", "import gradio.components"),
        ("interfaces.grid", "from modules import scripts"),
        ("skip.auto", "import antigravity_of_nobody"),
        ("skip.auto", "from ..newcomer import anything"),
    ],
)
def test_each_kind_of_wrong_arrow_is_found(module, source):
    assert list(chain.from_iterable(faults(module, imported) for imported in imports(source, module)))


# What people run without a WebUI, or what a WebUI's start waits for.
LIGHT = [
    module
    for module in MODULES
    if (room := room_of(module)) in ("interfaces.settings", "interfaces.grid", "interfaces.commands", "__main__")
    or (room is not None and LEVELS[room] < LEVELS["conditioning"])
]


def test_nothing_that_takes_long_to_load_is_loaded_by_what_does_not_need_it():
    code = f"""
import importlib, sys
for module in {LIGHT}:
    importlib.import_module("clip_skip." + module)
    found = {{"modules", "gradio", "transformers", "torch"}} & set(sys.modules)
    if found:
        sys.exit(f"{{module}} loads {{found}}")
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stderr == ""


def test_install_says_nothing_where_all_is_there_and_never_raises(tmp_path):
    run = subprocess.run([sys.executable, ROOT / "install.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    bare = subprocess.run([sys.executable, "-S", ROOT / "install.py"], cwd=tmp_path, capture_output=True, text=True)
    assert bare.returncode == 0 and "torch was not found" in bare.stdout


def test_flags():
    parser = argparse.ArgumentParser()
    runpy.run_path(str(ROOT / "preload.py"))["preload"](parser)
    assert parser.parse_args([]) == argparse.Namespace(
        clip_skip_data_dir=None, clip_skip_disable=False, clip_skip_loglevel=None
    )
    args = parser.parse_args(["--clip-skip-data-dir", "/x", "--clip-skip-disable", "--clip-skip-loglevel", "DEBUG"])
    assert (args.clip_skip_data_dir, args.clip_skip_disable, args.clip_skip_loglevel) == ("/x", True, "DEBUG")
