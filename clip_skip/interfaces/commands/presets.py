"""`python -m clip_skip presets ...`: what is kept for each model, from a terminal."""

from __future__ import annotations

import argparse
import json
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...advice.rules import SILENCEABLE
from ...models.checkpoint import is_sha256
from ...models.presets.exchange import Change, apply, export, plan_import
from ...models.presets.preset import FIELDS, NAME_PREFIX, Preset, folder_of, key_of, keys_of, parse_preset, stem
from ...models.presets.store import Store, StoreError
from ...skip.architectures import ENCODER_IDS
from ...skip.numbers import number
from ...text.encodings import decoded
from ...text.plain import plain, quote
from .terminal import Commands, fail, finish, reason, say, table, tell

_MODEL = "the model's SHA-256 or the beginning of it, or its file name"
_MAX_BYTES = 1 << 28  # of a file to import
_SETTINGS = (*ENCODER_IDS, *(name for name in FIELDS if name not in ("skip", "name")))


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "presets",
        help="list, change, export and import what is kept for each model",
        description="What is kept for each model, in presets.json in the data folder.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, run: Callable[[Store, argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=help, description=help)
        added.set_defaults(action=run)
        return added

    action("list", _list, "list all presets")
    action("show", _show, "print one preset as JSON").add_argument("model", help=_MODEL)
    change = action("set", _set, "save values for a model")
    change.add_argument("model", help=_MODEL)
    change.add_argument(
        "settings",
        nargs="+",
        metavar="NAME=VALUE",
        help=f"NAME is one of {', '.join(_SETTINGS)}; silenced takes ids with commas between; no VALUE takes it away",
    )
    action("delete", _delete, "keep nothing for these models").add_argument("models", nargs="+", help=_MODEL)
    send = action("export", _export, "print presets as JSON, all or some")
    send.add_argument("models", nargs="*", help=_MODEL)
    send.add_argument("-o", "--output", metavar="FILE", help="write to this file instead")
    take = action(
        "import",
        _import,
        "take presets from files: ours, and other programs' sidecars, notes, presets, styles, options and infotext",
    )
    take.add_argument("files", nargs="+", type=Path, metavar="FILE")
    take.add_argument("--dry-run", action="store_true", help="only say what would change")
    take.add_argument("--sd1", action="store_true", help="the models that other programs' files mean are SD 1.x")
    action("check", _check, "say what in presets.json can't be used")
    return parser


def run(options: argparse.Namespace) -> int:
    store = Store(options.data_dir)
    try:
        code: int = options.action(store, options)
    except (StoreError, OSError, ValueError, LookupError) as error:
        code = fail(reason(error))
    if options.action is not _check:
        for problem in store.problems:
            tell(f"warning: {problem}")
    return code


def _list(store: Store, options: argparse.Namespace) -> int:
    rows = sorted((preset.name.lower(), _row(key, preset)) for key, preset in store.all().items())
    say(table(("NAME", "SKIP", "LINEAGE", "SILENCED", "NOTE", "KEY"), (row for _, row in rows)))
    return 0


def _row(key: str, preset: Preset) -> tuple[str, ...]:
    note = preset.note if len(preset.note) <= 40 else f"{preset.note[:37]}..."
    silenced = " ".join(sorted(preset.silenced))
    return preset.name or "-", _skips(preset), preset.lineage or "-", silenced or "-", note or "-", key


def _skips(preset: Preset) -> str:
    words = [f"{id}={number(skip)}" for id, skip in preset.skip.items()]
    words += [preset.blend] if preset.blend != "linear" else []
    words += [f"({refusal.name} refused)" for refusal in preset.refusals]
    return " ".join(words) or "-"


def _show(store: Store, options: argparse.Namespace) -> int:
    key = _find(store, options.model)
    say(json.dumps({key: store.raw()[key]}, indent=2))
    return 0


def _set(store: Store, options: argparse.Namespace) -> int:
    try:
        key = _find(store, options.model)
    except LookupError:
        of_a_hash = is_sha256(options.model)
        key = key_of(options.model) if of_a_hash else key_of(name=options.model.removeprefix(NAME_PREFIX))
    preset = store.all().get(key, Preset())
    for setting in options.settings:
        preset = _with(preset, setting)
    store.put(preset, **_model(key))
    saved = store.all()[key]
    say(f"{plain(saved.name or key)}: {plain(_skips(saved))}")
    return 0


def _with(preset: Preset, setting: str) -> Preset:
    """`preset` with one NAME=VALUE. Raises ValueError."""
    name, equals, text = setting.partition("=")
    if not equals or name not in _SETTINGS:
        raise ValueError(f"{quote(setting)} is not NAME=VALUE with one of {', '.join(_SETTINGS)}")
    field = "skip" if name in ENCODER_IDS else name
    value: object = text or None
    if field == "skip":
        value = {**preset.skip, name: value}
    elif field == "silenced":
        value = [id for id in text.replace(" ", "").split(",") if id]
        if unknown := set(value) - preset.silenced - set(SILENCEABLE):
            known = ", ".join(SILENCEABLE)
            raise ValueError(f"silenced {quote(min(unknown))} was refused, accepted are ids of advice: {known}")
    read_back = parse_preset({field: value})
    if read_back.refusals:
        raise ValueError("; ".join(map(str, read_back.refusals)))
    return replace(preset, **{field: getattr(read_back, field)})


def _delete(store: Store, options: argparse.Namespace) -> int:
    for key in [_find(store, model) for model in options.models]:
        store.forget(**_model(key))
        say(f"deleted {plain(key)}")
    return 0


def _export(store: Store, options: argparse.Namespace) -> int:
    data = export(store, [_find(store, model) for model in options.models] or None).encode()
    if options.output:
        Path(options.output).write_bytes(data)
    else:
        finish()
        with suppress(BrokenPipeError):
            sys.stdout.buffer.write(data)
    return 0


def _import(store: Store, options: argparse.Namespace) -> int:
    code = 0
    for file in options.files:
        try:
            changes = plan_import(_text(file), store, file.name, assumed="sd1" if options.sd1 else "")
        except OSError as error:
            code = fail(reason(error))
            continue
        except ValueError as error:
            code = fail(f"{file}: {error}")
            continue
        for change in changes:
            say(f"{plain(file.name)}: {plain(_said(change))}")
            code = 1 if change.refused else code
        if not options.dry_run:
            apply(changes, store)
    return code


def _text(file: Path) -> str:
    """The text of a file. Raises OSError, and ValueError where it holds none."""
    # Nobody may ever write into a pipe that lies in a folder; those of the shell are in /dev.
    if stat.S_ISFIFO(file.stat().st_mode) and not file.absolute().is_relative_to("/dev"):
        raise ValueError("it is a pipe, not a file")
    with open(file, "rb") as opened:
        data = opened.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError(f"it is longer than {_MAX_BYTES} bytes")
    try:
        return decoded(data)
    except UnicodeDecodeError as error:
        raise ValueError("it is no text in UTF-8") from error


def _said(change: Change) -> str:
    if change.after is None:
        return f"{change.source}: left out: {change.refused}"
    before = _row("", change.before)[1:-1] if change.before else ("nothing",)
    after = _row("", change.after)[1:-1]
    words = "unchanged" if change.before == change.after else f"{' '.join(before)} -> {' '.join(after)}"
    return f"{change.after.name or change.key}: {words}"


def _check(store: Store, options: argparse.Namespace) -> int:
    problems = store.check()
    for problem in problems:
        say(plain(problem))
    say(f"{len(store.all())} presets, {len(problems)} problems")
    return 1 if problems else 0


def _find(store: Store, model: str) -> str:
    """The one key that `model` means. Raises LookupError where there is none, ValueError where there are several."""
    presets = store.all()
    name = stem(model)
    for keys in (
        [key for key in (model, model.lower(), *keys_of(model)) if key in presets][:1],
        [
            key
            for key, preset in presets.items()
            if stem(preset.name) == name and len({folder_of(model), folder_of(preset.name)} - {""}) < 2
        ],
        [key for key in presets if len(model) >= 6 and key.startswith(model.lower())],
    ):
        if len(keys) > 1:
            raise ValueError(f"{quote(model)} may be any of {', '.join(keys)}")
        if keys:
            return keys[0]
    raise LookupError(f"there is no preset for {quote(model)}")


def _model(key: str) -> dict[str, Any]:
    return {"name": key[len(NAME_PREFIX) :]} if key.startswith(NAME_PREFIX) else {"sha256": key}
