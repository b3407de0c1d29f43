"""The part of /sdapi/v1 that an extension meets."""

from __future__ import annotations

import base64
import io
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import gradio as gr
from fastapi import Body, Depends, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from modules import generation_parameters_copypaste as infotext
from modules import jobs, sd_models, shared
from PIL import Image

from minihost import context

BODY = Body(...)
LINE = context.get().flavour.a1111_line


@dataclass
class Response:
    """What a generation gives; over HTTP the pictures are base64 PNGs and the info a JSON text."""

    images: list[Image.Image]
    parameters: dict[str, Any]
    info: dict[str, Any]


def _decode(image: Any) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(image.split(",")[-1]))) if isinstance(image, str) else image


def _encode(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


class Api:
    """Its routes, and the same functions for callers in this process."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.credentials: dict[str, str] = {}
        given = getattr(shared.cmd_opts, "api_auth", None) or getattr(shared.cmd_opts, "auth", None)
        if given:
            self.credentials = dict(pair.split(":", 1) for pair in given.split(","))
        # the A1111 line asks every script for its widgets twice more at start, SD.Next at the first request
        self.defaults = {tab: self._default_args(tab) for tab in jobs.CLASSES} if LINE else {}
        routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("POST", "txt2img", lambda request=BODY: self._http("txt2img", request)),
            ("POST", "img2img", lambda request=BODY: self._http("img2img", request)),
            *([] if LINE else [("POST", "control", lambda request=BODY: self._http("control", request))]),
            ("GET", "options", self.get_options),
            ("POST", "options", lambda request=BODY: self.set_options(request)),
            ("GET", "sd-models", self.sd_models),
            ("POST", "refresh-checkpoints", sd_models.list_models),
            ("GET", "script-info", self.script_info),
            ("GET", "scripts", self.scripts),
        ]
        for method, path, function in routes:
            self.add_api_route(f"/sdapi/v1/{path}", function, methods=[method])

    def add_api_route(self, path: str, endpoint: Callable[..., Any], auth: bool = True, **kwargs: Any) -> None:
        """Add a route under the host's own authentication (SD.Next offers this to extensions)."""
        if auth and self.credentials:
            kwargs["dependencies"] = [*kwargs.get("dependencies", []), Depends(self.auth)]
        self.app.add_api_route(path, endpoint, **kwargs)

    def auth(self, credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> bool:  # noqa: B008 (FastAPI's way)
        known = self.credentials.get(credentials.username, "")
        if not (known and secrets.compare_digest(credentials.password, known)):
            raise HTTPException(401, "Incorrect username or password", headers={"WWW-Authenticate": "Basic"})
        return True

    def _default_args(self, tab: str) -> list[Any]:
        runner = jobs.runner(tab)
        args: list[Any] = [None] * max([1, *(script.args_to for script in runner.scripts)])
        args[0] = 0
        with gr.Blocks():
            for script in runner.scripts:
                if script.ui(script.is_img2img):
                    args[script.args_from : script.args_to] = [c.value for c in script.ui(script.is_img2img)]
        return args

    def _script_args(
        self, tab: str, request: dict[str, Any], mentioned: dict[int, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        if tab not in self.defaults or tab == "control":  # SD.Next asks anew for each of those jobs
            self.defaults[tab] = self._default_args(tab)
        args, per_script = list(self.defaults[tab]), {}
        for index, value in mentioned.items():
            args[index] = value
        always_on = {} if tab == "control" else request.get("alwayson_scripts")  # which SD.Next drops there
        for title, entry in (always_on or {}).items():
            script = jobs.runner(tab).script(title)
            if script is None:
                raise HTTPException(422, f"always on script {title} not found")
            if not script.alwayson:
                raise HTTPException(422, "Cannot have a selectable script in the always on scripts params")
            if "args" not in entry:
                continue
            if not LINE:
                per_script[script.title()] = entry["args"]
                continue
            given = entry["args"][: script.args_to - script.args_from]
            args[script.args_from : script.args_from + len(given)] = given
        if request.get("script_name"):
            script = jobs.runner(tab).script(request["script_name"])
            if script is None or script.alwayson:
                raise HTTPException(422, f"Script '{request['script_name']}' not found")
            args[0] = jobs.runner(tab).selectable_scripts.index(script) + 1
            given = (request.get("script_args") or [])[: script.args_to - script.args_from]
            args[script.args_from : script.args_from + len(given)] = given
        return args, per_script

    def _apply_infotext(self, tab: str, request: dict[str, Any]) -> dict[int, object]:
        """Fill a request from its ``infotext``; gives script arguments by their index."""
        text = request.pop("infotext", None)
        if not text or not LINE:
            return {}
        if context.get().flavour.is_forge:
            raise TypeError("isinstance() argument 2 cannot be a parameterized generic")  # so it is there
        params, mentioned = infotext.parse_generation_parameters(text), {}
        inputs = {id(component): i for i, component in enumerate(jobs.runner(tab).inputs)}
        for field in infotext.paste_fields[tab]["fields"]:
            value = field.function(params) if field.function else params.get(field.label)
            if value is None:
                continue
            if isinstance(value, dict) and "__type__" in value:
                value = value.get("value")
            kind = type(field.component.value)
            if value is not None and kind is not type(None) and not isinstance(value, kind):
                value = kind(value)
            if field.api and field.api not in request:
                request[field.api] = value
            if id(field.component) in inputs:
                mentioned[inputs[id(field.component)]] = value
        settings = request.setdefault("override_settings", {})
        for _, key, value in infotext.get_override_settings(params):
            settings.setdefault(key, value)
        return mentioned

    def generate(self, tab: str, request: dict[str, Any]) -> Response:
        """Run a request."""
        request = dict(request)
        mentioned = self._apply_infotext(tab, request)
        skip = request.get("clip_skip", 1)
        if not LINE and isinstance(skip, float) and skip != int(skip):
            raise HTTPException(422, "clip_skip: int_from_float")
        args, per_script = self._script_args(tab, request, mentioned)
        if not LINE and request.get("sd_model_checkpoint"):
            self.set_options({"sd_model_checkpoint": request["sd_model_checkpoint"]})
        if request.get("init_images"):
            request["init_images"] = [_decode(image) for image in request["init_images"]]
        known = {key: value for key, value in request.items() if key in jobs.CLASSES[tab].defaults}
        if "override_settings" in known:
            known["override_settings"] = dict(known["override_settings"] or {})
        processed = jobs.run(tab, known, args, per_script, request.get("extra"))
        info = {**json.loads(processed.js()), "infotexts": processed.infotexts, "comments": processed.comments}
        return Response(processed.images, {k: v for k, v in request.items() if k != "init_images"}, info)

    def _http(self, tab: str, request: dict[str, Any]) -> dict[str, Any]:
        response = self.generate(tab, request)
        images = [_encode(image) for image in response.images]
        return {"images": images, "parameters": response.parameters, "info": json.dumps(response.info)}

    def get_options(self) -> dict[str, Any]:
        """List the options; those registered by extensions are missing in Forge and SD.Next."""
        labels = {key: option for key, option in shared.opts.data_labels.items() if not option.restrict_api}
        if context.get().flavour.name != "a1111":
            labels = {key: option for key, option in labels.items() if key in shared.core_options}
        values = {key: shared.opts.data.get(key, option.default) for key, option in labels.items()}
        return {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in values.items()}

    def set_options(self, request: dict[str, Any]) -> dict[str, Any]:
        if context.get().flavour.is_forge:
            import_module("modules_forge.main_entry").set_config(request, is_api=True)
            return {}
        for key, value in request.items():
            info = sd_models.get_closet_checkpoint_match(value) if key == "sd_model_checkpoint" else None
            shared.opts.set(key, info.title if info else value, is_api=True)
        if "sd_model_checkpoint" in request:
            sd_models.reload_model_weights()
        shared.opts.save(shared.config_filename)
        return {}

    def sd_models(self) -> list[dict[str, Any]]:
        names = ("title", "model_name", "hash", "sha256", "filename")
        return [{name: getattr(info, name) for name in names} for info in sd_models.checkpoints_list.values()]

    def script_info(self) -> list[dict[str, Any]]:
        found = [s.api_info for tab in jobs.CLASSES for s in jobs.runner(tab).scripts]
        described: list[dict[str, Any]] = json.loads(json.dumps([i for i in found if i], default=lambda value: None))
        return described

    def scripts(self) -> dict[str, Any]:
        return {tab: [script.name for script in jobs.runner(tab).scripts] for tab in jobs.CLASSES}
