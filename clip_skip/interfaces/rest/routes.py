"""The REST interface under /clip-skip/v1: what is known of the models, and their presets.

It stands beside the host's own API and asks for what that asks for: each route takes over the dependencies of the
host's `/sdapi/v1/options`. So `--api-auth` of the A1111 line and `--auth` of SD.Next hold here as they do there;
`--gradio-auth` of the A1111 line protects the page alone, there and here. Where the host has no API, as on the A1111
line without `--api` or `--nowebui`, there is none here either.

No path from outside is opened: a model is one that the host lists, by its name.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from fastapi import Depends, FastAPI, Request, Response  # type: ignore[import-not-found,unused-ignore]

from ... import __version__
from ...advice.advisor import Advisor
from ...advice.rules import Advice
from ...hosts.base import Host
from ...models.checkpoint import Checkpoint
from ...models.library import Library, identify_by
from ...models.presets.exchange import Change, apply, check_plain, export, plan_import
from ...models.presets.preset import FIELDS, NAME_PREFIX, Preset, as_object, is_key, key_of, merge, parse_preset
from ...models.presets.store import StoreError
from ...models.profile import Profile
from ...skip.architectures import ARCHITECTURES
from ...skip.parameters import PARAMETERS
from ...skip.request import parse
from ...text.bounded_json import load
from ...text.phrase import english
from ...text.plain import quote
from ..settings import SETTINGS
from . import openapi
from .openapi import BODY, MODEL, SAVE, TEXT, Route, accepted

PREFIX = "/clip-skip/v1"
MAX_BODY = 1 << 20
# A route that the API of every host has.
_NEIGHBOUR = "/sdapi/v1/options"


def mount(app: FastAPI, host: Host, library: Library, advisor: Advisor, switched_on: Callable[[], bool]) -> None:
    """Add the routes to the host's FastAPI application; called from its `on_app_started`.

    They take the place of those that were added before. Nothing is added where the host's API is not there.
    """
    app.router.routes[:] = [route for route in app.routes if f"{PREFIX}/" not in getattr(route, "path", "")]
    for number, (root, dependencies) in enumerate(list(_host_apis(app))):
        rest = Rest(host, library, advisor, switched_on, secured=bool(dependencies))
        for route in ROUTES:
            app.add_api_route(
                root + PREFIX + route.path.replace("{key}", "{key:path}"),  # a folder may be in it
                _endpoint(rest, route),
                methods=[route.method],
                dependencies=dependencies,
                status_code=route.status,
                response_class=Response,
                response_model=None,
                include_in_schema=number == 0,
                operation_id=route.id,
                openapi_extra=openapi.operation(route, secured=False),  # FastAPI adds it
            )


def _host_apis(app: FastAPI) -> Iterator[tuple[str, list[object]]]:
    """Where the host has its API (SD.Next has it under its `--subpath` too), and what that depends on."""
    for route in app.routes:
        path = getattr(route, "path", "")
        if path.endswith(_NEIGHBOUR) and "GET" in route.methods:
            yield path[: -len(_NEIGHBOUR)], list(route.dependencies)


class Refused(Exception):
    """The request is not answered; the message says why, for the user."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Call(NamedTuple):
    """One request: the preset's key in its path, its query, and the JSON value of its body."""

    key: str
    query: Mapping[str, str]
    body: Any = None


class Rest:
    """The answers. Each method takes a `Call` and gives plain JSON values; it raises Refused or StoreError."""

    def __init__(
        self, host: Host, library: Library, advisor: Advisor, switched_on: Callable[[], bool], secured: bool
    ) -> None:
        self._host = host
        self._library = library
        self._advisor = advisor
        self._switched_on = switched_on
        self._store = library.presets
        self.secured = secured

    def version(self, call: Call) -> object:
        return {"version": __version__}

    def schema(self, call: Call) -> object:
        return {
            "version": __version__,
            "parameters": [
                {"name": p.name, "label": p.label, "help": p.help, "infotext": p.infotext, "accepted": accepted(p)}
                for p in PARAMETERS.values()
            ],
            "architectures": [asdict(architecture) for architecture in ARCHITECTURES.values()],
            "settings": [{"key": setting.key, **asdict(setting)} for setting in SETTINGS],
            "preset": openapi.PRESET,
            "openapi": openapi.document(ROUTES, PREFIX, self.secured),
        }

    def status(self, call: Call) -> object:
        checkpoint = self._host.selected()
        model = self._library.profile(checkpoint)
        auto = model.auto
        return {
            "enabled": self._switched_on(),
            "model": _model(model) if checkpoint.file_name else None,
            "architecture": asdict(checkpoint.architecture),
            "auto": {"skip": auto.skips, "blend": auto.blend, "source": auto.source, "text": english(auto.text)},
            "problems": self._store.problems,
        }

    def inspect(self, call: Call) -> object:
        checkpoint = self._checkpoint(call)
        facts = self._library.profile(checkpoint).facts
        if facts is None:
            raise Refused(404, f"{quote(checkpoint.name)} has no file")
        # Where the models lie on the host's disk is not told.
        return {**facts.as_json(), "file": checkpoint.file_name}

    def advice(self, call: Call) -> object:
        model = self._library.profile(self._checkpoint(call))
        options = call.query.get("options")
        if options is None:
            return [_advice(each) for each in self._advisor.on_slider(model)]
        return [_advice(each) for each in self._advisor.on_request(model, parse(True, options))]

    def presets(self, call: Call) -> object:
        return {key: as_object(raw) for key, raw in self._store.raw().items() if is_key(key)}

    def get(self, call: Call) -> object:
        key = _key(call)
        presets = self._store.raw()
        if key not in presets:
            raise _no_preset(key)
        return as_object(presets[key])

    def put(self, call: Call) -> object:
        key = _key(call)
        preset = parse_preset(call.body)
        if preset.refusals:
            raise Refused(422, "; ".join(map(str, preset.refusals)))
        others = {name: value for name, value in call.body.items() if name not in FIELDS}
        saved: dict[str, object] = {}

        def edit(presets: dict[str, object]) -> None:
            current = presets.get(key)
            name = (
                preset.name
                or parse_preset(current).name
                or (key[len(NAME_PREFIX) :] if key.startswith(NAME_PREFIX) else "")
            )
            left = {field: value for field, value in as_object(current).items() if field not in call.body}
            saved.update({**merge(current, replace(preset, name=name), ()), **left, **others})
            presets[key] = saved

        self._store.change(edit)
        return saved

    def delete(self, call: Call) -> None:
        key = _key(call)

        def edit(presets: dict[str, object]) -> None:
            if key not in presets:
                raise _no_preset(key)
            del presets[key]

        self._store.change(edit)

    def export(self, call: Call) -> object:
        return json.loads(export(self._store))

    def take(self, call: Call) -> object:
        asked = _import(call.body)
        identify = identify_by(self._host.checkpoint, self._host.checkpoints)
        try:
            changes = plan_import(asked.text, self._store, asked.filename, identify)
        except ValueError as error:
            raise Refused(422, str(error)) from error
        saved = 0 if asked.dry_run else apply(changes, self._store)[0]
        return {"saved": saved, "changes": [_change(change) for change in changes]}

    def _checkpoint(self, call: Call) -> Checkpoint:
        name = call.query.get("model")
        checkpoint = self._host.selected() if name is None else self._host.checkpoint(name)
        if checkpoint is None or not checkpoint.file_name:
            raise Refused(404, "no model is selected" if name is None else f"there is no model {quote(name)}")
        return checkpoint


_MODEL_QUERY = ("model", "Its name, title or hash in the host's list; the selected one if it is left out", TEXT)
_OPTIONS_QUERY = (
    "options",
    'The API\'s options as JSON text, such as {"l": 2, "g": 1.5}; without them the WebUI\'s own clip skip is judged',
    TEXT,
)

ROUTES = (
    Route("GET", "/version", Rest.version, "The extension's version", openapi.VERSION),
    Route("GET", "/schema", Rest.schema, "What the API, the settings and the presets take", openapi.SCHEMA),
    Route("GET", "/status", Rest.status, "The selected model and what Auto uses for it", openapi.STATUS),
    Route("GET", "/inspect", Rest.inspect, "What a model's file says", openapi.FACTS, MODEL, (_MODEL_QUERY,)),
    Route(
        "GET",
        "/advice",
        Rest.advice,
        "What is wrong with some options, or with the WebUI's own clip skip, on a model",
        openapi.ADVICE,
        (*MODEL, 422),
        (_MODEL_QUERY, _OPTIONS_QUERY),
    ),
    Route("GET", "/presets", Rest.presets, "All presets by key", openapi.ALL_SAVED),
    Route("GET", "/presets/export", Rest.export, "All presets, to import elsewhere", openapi.EXPORT),
    Route(
        "POST",
        "/presets/import",
        Rest.take,
        "Take presets from a text; a dry run only says what would change",
        openapi.CHANGES,
        (*BODY, *SAVE),
        body=openapi.IMPORT,
    ),
    Route("GET", "/presets/{key}", Rest.get, "One preset", openapi.SAVED, (404, 422)),
    Route("PUT", "/presets/{key}", Rest.put, "Save a preset", openapi.SAVED, (404, *BODY, *SAVE), body=openapi.PRESET),
    Route("DELETE", "/presets/{key}", Rest.delete, "Keep nothing for a model", None, (404, *SAVE)),
)


async def _body(request: Request) -> bytes | None:
    """The request's body, None if it is too large. It is read to its end: before that, clients hear no answer."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
    return b"".join(chunks) if size <= MAX_BODY else None


_BODY = Depends(_body)


def _endpoint(rest: Rest, route: Route) -> Callable[..., Response]:
    # Not async: the host runs it in a thread, and its page stays quick while a file is read.
    def endpoint(request: Request, body: bytes | None = _BODY) -> Response:
        try:
            value = None if route.body is None else _parse(request.headers.get("content-type", ""), body)
            answer = route.run(rest, Call(request.path_params.get("key", ""), request.query_params, value))
            return Response(status_code=204) if route.answer is None else _respond(200, answer)
        except Refused as error:
            return _respond(error.status, {"detail": str(error)})
        except StoreError as error:
            return _respond(_status_of(error), {"detail": str(error)})
        except RecursionError:
            return _respond(422, {"detail": "it is nested too deeply"})

    return endpoint


def _respond(status: int, content: object) -> Response:
    try:
        text = json.dumps(content, allow_nan=False)
    except ValueError:  # a file edited by hand may hold NaN, which is no JSON
        text = json.dumps(json.loads(json.dumps(content), parse_constant=lambda _: None))
    return Response(text, status, media_type="application/json")


def _parse(content_type: str, body: bytes | None) -> object:
    """The JSON value of a request's body. Raises Refused."""
    if body is None:
        raise Refused(413, f"the body is larger than {MAX_BODY} bytes")
    # Any page on the web may have a browser send other types here, with the password that it knows.
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, f"the body is {quote(content_type)}, not application/json")
    try:
        value = load(body.decode())
    except ValueError as error:
        raise Refused(400, f"the body is no JSON: {error}") from error
    try:
        check_plain(value)
    except ValueError as error:
        raise Refused(422, str(error)) from error
    return value


def _status_of(error: StoreError) -> int:
    cause = error.__cause__
    if cause is None:  # a newer version's file
        return 409
    if isinstance(cause, RecursionError):
        return 422
    return 507 if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT) else 503


def _key(call: Call) -> str:
    """The key that the path names. Raises Refused."""
    if not re.fullmatch(openapi.KEY, call.key):
        expected = '64 hexadecimal digits, or "name:" and a file name'
        raise Refused(422, f"{quote(call.key)} is no key of a preset, which is {expected}")
    if call.key.startswith(NAME_PREFIX):
        return key_of(name=call.key[len(NAME_PREFIX) :])
    return key_of(call.key)


def _no_preset(key: str) -> Refused:
    return Refused(404, f"there is no preset {quote(key)}")


class _Import(NamedTuple):
    """What an import asks for; `text` has no default."""

    text: str
    filename: str = ""
    dry_run: bool = False


def _import(body: object) -> _Import:
    """Raises Refused."""
    if not isinstance(body, dict):
        raise Refused(422, f"the body is {quote(body)}, not an object with {', '.join(_Import._fields)}")
    for name, value in {"text": None, **body}.items():
        if name not in _Import._fields:
            raise Refused(422, f"{quote(name)} is no field of an import, which are {', '.join(_Import._fields)}")
        kind, words = (bool, "true or false") if name == "dry_run" else (str, "text")
        if not isinstance(value, kind):
            raise Refused(422, f"{name} {quote(value)} was refused, accepted is {words}")
    return _Import(**body)


def _model(model: Profile) -> object:
    """`key` is that of its preset: the one that it would have, until it has one."""
    return {"name": model.checkpoint.name, "sha256": model.checkpoint.sha256, "key": model.key}


def _advice(advice: Advice) -> object:
    return {
        "id": advice.id,
        "severity": advice.severity,
        "text": advice.text,
        "reason": english(advice.reason),
        "actions": [{"id": each.id, "label": english(each.label), "skip": each.skip} for each in advice.actions],
        "also": advice.also,
    }


def _change(change: Change) -> object:
    return {
        "source": change.source,
        "key": change.key,
        "before": _origin(change.before),
        "after": _origin(change.after),
        "refused": change.refused,
    }


def _origin(preset: Preset | None) -> object:
    return as_object(preset.origin[1]) if preset and preset.origin else None
