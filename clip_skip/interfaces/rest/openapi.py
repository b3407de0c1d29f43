"""What the REST interface says about itself: its OpenAPI document, from its table of routes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ... import __version__
from ...advice.names import Severity
from ...models.presets.preset import Mark
from ...skip.architectures import ENCODER_IDS
from ...skip.parameters import PARAMETERS, Parameter

Schema = Mapping[str, object]

# A preset's key. Control characters are in no model's name, and a slash would be a folder.
KEY = r"[0-9a-fA-F]{64}|name:(?:[^\x00-\x1f\x7f-\x9f/\\]{1,255}/)?[^\x00-\x1f\x7f-\x9f/\\]{1,255}"

_REFUSALS = {
    400: "The body is no JSON in UTF-8",
    401: "The host's API asks for a user and a password",
    404: "There is no such model or preset",
    409: "The presets file was written by a newer version and is not changed",
    413: "The body is too large",
    415: "The body is not sent as application/json",
    422: "A value is refused; the detail names it and what is accepted",
    503: "The presets could not be saved",
    507: "The presets could not be saved: the disk is full",
}
MODEL = (404,)
BODY = (400, 413, 415, 422)
SAVE = (409, 422, 503, 507)


def _object(required: Mapping[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _by_key(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def accepted(parameter: Parameter) -> Schema:
    """The schema of what `parameter` takes."""
    if parameter.choices:
        return {"type": "string", "enum": list(parameter.choices)}
    return {"type": "number", "minimum": 1, "maximum": parameter.maximum}


TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_ANY_OBJECT: Schema = {"type": "object"}
_WHOLE: Schema = {"type": "integer"}
_SKIP = {"type": "object", "additionalProperties": {"type": "number", "minimum": 1}}

PRESET: Schema = {
    "type": "object",
    "description": "Fields that are not named are kept; null takes one away.",
    "properties": {
        name: _or_null(schema)
        for name, schema in {
            "name": TEXT,
            "skip": {"type": "object", "properties": {id: _or_null(accepted(PARAMETERS[id])) for id in ENCODER_IDS}},
            "blend": accepted(PARAMETERS["blend"]),
            "lineage": {"type": "string", "enum": [mark.value for mark in Mark]},
            "silenced": _list(TEXT),
            "note": TEXT,
        }.items()
    },
    "example": {"skip": {"l": 2, "g": 1.5}, "note": "soft"},
}
IMPORT: Schema = {
    **_object({"text": TEXT}, filename=TEXT, dry_run=_FLAG),
    "additionalProperties": False,
    "description": "`text` is an export, or another program's file; `filename` may be all that tells its model.",
    "example": {"text": '{"schema": 1, "presets": {"name:pony": {"skip": {"l": 2}}}}', "dry_run": True},
}
_ARCHITECTURE = _object(
    {
        "id": TEXT,
        "name": TEXT,
        "encoders": _list(_object({"id": TEXT, "name": TEXT, "blocks": _WHOLE, "trained_depth": _WHOLE})),
        "reason": TEXT,
    }
)

VERSION = _object({"version": TEXT})
SCHEMA = _object(
    {
        "version": TEXT,
        "parameters": _list(_object({"name": TEXT, "label": TEXT, "help": TEXT, "accepted": _ANY_OBJECT})),
        "architectures": _list(_ARCHITECTURE),
        "settings": _list(_object({"key": TEXT, "label": TEXT, "kind": TEXT})),
        "preset": _ANY_OBJECT,
        "openapi": _ANY_OBJECT,
    }
)
STATUS = _object(
    {
        "enabled": _FLAG,
        "model": _or_null(_object({"name": TEXT, "sha256": _or_null(TEXT), "key": TEXT})),
        "architecture": _ARCHITECTURE,
        "auto": _object({"skip": _SKIP, "blend": TEXT, "source": TEXT, "text": TEXT}),
        "problems": _list(TEXT),
    }
)
FACTS = _object(
    {
        "file": TEXT,
        "architecture": TEXT,
        "kind": TEXT,
        "lineage": _object({"verdict": TEXT, "evidence": _list(_object({"id": TEXT, "strength": TEXT, "text": TEXT}))}),
        "recommended": _or_null(_object({"skip": _SKIP, "source": TEXT})),
        "error": _or_null(TEXT),
    }
)
_ACTION = _object({"id": TEXT, "label": TEXT, "skip": _SKIP})
ADVICE = _list(
    _object(
        {
            "id": TEXT,
            "severity": {"type": "string", "enum": [severity.value for severity in Severity]},
            "text": TEXT,
            "reason": TEXT,
            "actions": _list(_ACTION),
            "also": _list(TEXT),
        }
    )
)
# What a presets file holds may be edited by hand, so nothing is promised of what is in one that was saved.
SAVED = _ANY_OBJECT
ALL_SAVED = _by_key(SAVED)
EXPORT = _object({"schema": _WHOLE, "presets": ALL_SAVED})
CHANGES = _object(
    {
        "saved": _WHOLE,
        "changes": _list(
            _object(
                {
                    "source": TEXT,
                    "key": _or_null(TEXT),
                    "before": _or_null(SAVED),
                    "after": _or_null(SAVED),
                    "refused": TEXT,
                }
            )
        ),
    }
)


class Route(NamedTuple):
    """One route. `run` makes its answer, which is JSON of the form `answer`, or nothing where that is None.

    `refusals` are the statuses that it may refuse with; `query` has the schemas of its query parameters.
    """

    method: str
    path: str
    run: Callable[..., object]
    summary: str
    answer: Schema | None
    refusals: tuple[int, ...] = ()
    query: tuple[tuple[str, str, Schema], ...] = ()
    body: Schema | None = None

    @property
    def id(self) -> str:
        """The same in every version."""
        return f"clip_skip_{self.method.lower()}_{self.path.strip('/').replace('/', '_').replace('{key}', 'by_key')}"

    @property
    def status(self) -> int:
        return 204 if self.answer is None else 200


def operation(route: Route, secured: bool) -> dict[str, object]:
    """The OpenAPI operation of `route`; `secured` tells whether the host's API asks for credentials."""
    success: dict[str, object] = {"description": "Done" if route.answer is None else "The answer"}
    if route.answer is not None:
        success["content"] = _json(route.answer)
    statuses = sorted({*route.refusals, *((401,) if secured else ())})
    parameters: list[dict[str, object]] = [
        {"name": name, "in": "query", "description": description, "schema": schema}
        for name, description, schema in route.query
    ]
    if "{key}" in route.path:
        key = {"type": "string", "pattern": f"^({KEY})$", "example": "name:pony"}
        words = 'The SHA-256 of the model\'s file, or "name:" and its file name (or folder/name) until that is known'
        parameters.append({"name": "key", "in": "path", "required": True, "description": words, "schema": key})
    return {
        "operationId": route.id,
        "summary": route.summary,
        "tags": ["CLIP Skip"],
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": {"required": True, "content": _json(route.body)}} if route.body is not None else {}),
        **({"security": [{"HTTPBasic": []}]} if secured else {}),
        "responses": {str(route.status): success, **{str(status): _refusal(status) for status in statuses}},
    }


def document(routes: Iterable[Route], prefix: str, secured: bool) -> dict[str, object]:
    """The OpenAPI document of the routes alone."""
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(prefix + route.path, {})[route.method.lower()] = operation(route, secured)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CLIP Skip", "version": __version__},
        "paths": paths,
        **({"components": {"securitySchemes": {"HTTPBasic": {"type": "http", "scheme": "basic"}}}} if secured else {}),
    }


def _json(schema: Schema) -> dict[str, object]:
    return {"application/json": {"schema": schema}}


def _refusal(status: int) -> dict[str, object]:
    # Who is not let in hears it from the host, in its own form.
    content = {} if status == 401 else {"content": _json(_object({"detail": TEXT}))}
    return {"description": _REFUSALS[status], **content}
