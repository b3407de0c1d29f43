"""A running WebUI, by its address: makes images through its API and tells which host it is."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import requests
from PIL import Image
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from clip_skip.models.inspect.identity.identify import identify
from clip_skip.skip.architectures import Architecture

PROMPT = {"prompt": "a photo of a (cat:1.2), blue sky", "negative_prompt": "ugly", "seed": 1234}
SMALL = {"width": 64, "height": 64, "steps": 2, "cfg_scale": 7}
SAMPLER = "Euler"
OWN_OPTION = "CLIP_stop_at_last_layers"

# Control's text is HTML, with its parts between bars.
_KEYS = re.compile(r"\b(CLIP skip(?: \w+)?|Clip skip): (\"[^\"]*\"|[^,|<]*)")
# What a grid's script is told, by the labels of its controls on all hosts: nothing but the cells, and values as typed.
_GRID = {
    "Enabled": True,
    "Draw legend": False,
    "Include Sub Images": True,
    "Include images": True,
    "Use text inputs instead of dropdowns": True,
    "Use text inputs": True,
}
# What hosts call an axis of their own, the A1111 line first.
_AXES = {
    "Checkpoint name": ("Checkpoint name", "[Model] Model"),
    "Prompt S/R": ("Prompt S/R", "[Prompt] Search & replace"),
    "CFG Scale": ("CFG Scale", "[Guidance] Scale"),
}


@dataclass(frozen=True)
class Picture:
    """One generation's images: the hash of all their pixels, the first one's generation parameters, each one's hash.

    `advice` is what the API's answer says of CLIP Skip's advice; `infotexts` are each image's generation parameters.
    """

    pixels: str
    infotext: str
    each: tuple[str, ...]
    advice: str
    infotexts: tuple[str, ...] = ()

    @property
    def keys(self) -> dict[str, str]:
        """The generation parameters about clip skip, the host's own among them."""
        return dict(_KEYS.findall(self.infotext.rpartition("\n")[2]))


def picture() -> str:
    """A small picture, as the API takes it."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize((64, 64)).convert("RGB").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def joined(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a job, later ones before earlier ones; of those that hold fields themselves, all of these."""
    fields: dict[str, Any] = {}
    for name, value in (each for part in parts for each in part.items()):
        fields[name] = {**fields.get(name, {}), **value} if isinstance(value, dict) else value
    return fields


class WebUI:
    """`root` is the WebUI's own folder, where the relative paths that it gives for its checkpoints start."""

    def __init__(self, url: str, root: str = ".") -> None:
        self.url = url.rstrip("/")
        self.root = root
        self._http = requests.Session()
        # SD.Next turns requests away, before it does anything, that come too fast.
        patient = Retry(7, connect=0, read=0, other=0, status_forcelist=[429], allowed_methods=None, backoff_factor=1)
        self._http.mount(self.url, HTTPAdapter(max_retries=patient))

    @cached_property
    def name(self) -> str:
        """The line of hosts whose numbers this one's own clip skip has; Forge Neo's are Forge's."""
        options = self.options
        if "dynamic_clip_skip_enabled" in options:
            return "reforge"
        if "forge_unet_storage_dtype" in options:
            return "forge"
        if self.offers("/sdapi/v1/control"):  # its options hold only what was ever saved
            return "sdnext"
        return "a1111" if "sdxl_clip_l_skip" in options else "classic"

    @property
    def options(self) -> dict[str, Any]:
        """The host's settings, as they are now."""
        return self.get("/sdapi/v1/options")

    def settle(self) -> None:
        """Sets the host's own option to what it is: in Forge's line one that nobody set keeps the first override."""
        if OWN_OPTION in (options := self.options):
            self.post("/sdapi/v1/options", {OWN_OPTION: options[OWN_OPTION]})

    @cached_property
    def _document(self) -> Any:
        return self.get("/openapi.json")

    def offers(self, path: str) -> bool:
        """Whether its API has this route."""
        return path in self._document["paths"]

    def takes(self, field: str) -> bool:
        """Whether a job of its txt2img API has this field."""
        (content,) = self._document["paths"]["/sdapi/v1/txt2img"]["post"]["requestBody"]["content"].values()
        model = content["schema"]["$ref"].rpartition("/")[2]
        return field in self._document["components"]["schemas"][model]["properties"]

    @property
    def kinds(self) -> list[str]:
        """The ways to ask this host for an image, each the name of a method here."""
        return ["txt2img", "img2img", *(["control"] if self.offers("/sdapi/v1/control") else [])]

    @cached_property
    def checkpoints(self) -> dict[str, Architecture]:
        """Every checkpoint that is offered, by a name that an override takes, and that stays when its hash is known."""
        return {
            _name(model): identify(os.path.join(self.root, model.get("filename") or ""))
            for model in self.get("/sdapi/v1/sd-models")
        }

    @property
    def testable(self) -> list[str]:
        """The checkpoints that have a CLIP skip and can make an image alone; SD.Next's refiners can't."""
        return sorted(
            name
            for name, architecture in self.checkpoints.items()
            if architecture.encoders and not (self.name == "sdnext" and architecture.id == "sdxl-refiner")
        )

    def of(self, architecture: str) -> list[str]:
        """The checkpoints of this architecture."""
        return sorted(name for name, each in self.checkpoints.items() if each.id == architecture)

    @cached_property
    def hires(self) -> dict[str, Any]:
        """The fields of a job with a second pass: by a latent upscaler, or, as Neo has none, by the first of others."""
        own = [path for path in ("/sdapi/v1/latent-upscale-modes", "/sdapi/v1/upscalers") if self.offers(path)]
        names = [each["name"] for path in own for each in self.get(path)]
        fields = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.7}
        if self.name == "sdnext":
            fields.update(hr_force=True, hr_resize_mode=1)
        return {**fields, "hr_upscaler": next((name for name in names if name.startswith("Latent")), names[0])}

    @cached_property
    def _sampler(self) -> str:
        offered = [each["name"] for each in self.get("/sdapi/v1/samplers")]
        return SAMPLER if SAMPLER in offered else offered[0]

    def get(self, path: str) -> Any:
        reply = self._http.get(self.url + path, timeout=120)
        reply.raise_for_status()
        return reply.json()

    def post(self, path: str, body: Any) -> Any:
        reply = self._http.post(self.url + path, json=body, timeout=300)
        if reply.status_code != 200:
            raise AssertionError(f"{path} answered {reply.status_code}: {reply.text[:500]}")
        return reply.json()

    def txt2img(self, checkpoint: str, args: list[Any] | None = None, **fields: Any) -> Picture:
        return self._generate("txt2img", checkpoint, args, fields)

    def img2img(self, checkpoint: str, args: list[Any] | None = None, **fields: Any) -> Picture:
        return self._generate("img2img", checkpoint, args, {"init_images": [picture()], **fields})

    def control(self, checkpoint: str, args: list[Any] | None = None, **fields: Any) -> Picture:
        """By SD.Next's Control, which takes neither overrides nor, though it is sent them, arguments of extensions."""
        size = {"width_before": SMALL["width"], "height_before": SMALL["height"]}
        return self._generate("control", checkpoint, args, {**size, "xyz": {}, **fields})

    def native(self, checkpoint: str, skip: float, kind: str = "txt2img", **fields: Any) -> Picture:
        """The host's own clip skip, by its own number, without the extension."""
        return getattr(self, kind)(checkpoint, [False], **joined(fields, self.own_number(skip, kind)))

    def own_number(self, skip: float, kind: str = "txt2img") -> dict[str, Any]:
        """The fields of a job in which the host's own clip skip has this number."""
        if kind == "control":
            return {"clip_skip": skip}
        if self.name == "sdnext":
            return {"extra": {"clip_skip": skip}}
        return {"override_settings": {OWN_OPTION: int(skip)}}

    def grid(
        self,
        checkpoint: str,
        *axes: tuple[str, str],
        args: list[Any] | None = None,
        kind: str = "txt2img",
        script: str | None = None,
        **fields: Any,
    ) -> list[Picture]:
        """The cells of the host's own grid, of which the first axis runs fastest.

        An axis is its label and its values, as they are typed; `script` is one of `grids`.
        """
        script = script or self.grids[0]
        controls = self._controls(script, kind)
        values: list[Any] = [_GRID.get(control["label"], control["value"]) for control in controls]
        labels = [control["label"] for control in controls]
        for axis in "XYZ":
            values[labels.index(f"{axis} type")] = 0  # nothing
        for axis, (label, text) in zip("XYZ", axes, strict=False):
            place = labels.index(f"{axis} type")
            values[place : place + 2] = [controls[place]["choices"].index(label), text]
        if self._script(script, kind)["is_alwayson"]:
            own: dict[str, Any] = {"alwayson_scripts": {script: {"args": values}}}
        else:
            own = {"script_name": script, "script_args": values}
        made = getattr(self, kind)(checkpoint, args, **own, **fields)
        cells = zip(made.each[1:], made.infotexts[1:], strict=True)
        return [Picture(pixels, infotext, (pixels,), "", (infotext,)) for pixels, infotext in cells]

    @cached_property
    def grids(self) -> list[str]:
        """The host's grid scripts, one of its list of scripts first; SD.Next has another that is always there."""
        infos = [each for each in self.get("/sdapi/v1/script-info") if not each["is_img2img"]]
        found = [each for each in infos if any(control["label"] == "X type" for control in each["args"])]
        return [each["name"] for each in sorted(found, key=lambda each: each["is_alwayson"])]

    @cached_property
    def extensions(self) -> set[str]:
        """The names of the extensions that are switched on, which are those of their repositories."""
        return {each["name"] for each in self.get("/sdapi/v1/extensions") if each["enabled"]}

    def script(self, title: str) -> str | None:
        """The name of the script that is always there and whose title begins so, None if there is none."""
        infos = [each for each in self.get("/sdapi/v1/script-info") if each["is_alwayson"]]
        return next((each["name"] for each in infos if each["name"].startswith(title)), None)

    def values(self, script: str, chosen: Mapping[str | int, Any]) -> list[Any]:
        """A script's arguments: these by the labels of its controls, or their places, and the rest by default."""
        controls = self._controls(script, "txt2img")
        return [chosen.get(place, chosen.get(each["label"], each["value"])) for place, each in enumerate(controls)]

    def axes(self, script: str, kind: str = "txt2img") -> list[str]:
        """The labels of all axes that a grid offers."""
        return next(each["choices"] for each in self._controls(script, kind) if each["label"] == "X type")

    def axis(self, name: str) -> str:
        """What the host calls its own axis `name`."""
        offered = self.axes(self.grids[0])
        return next(label for label in _AXES[name] if label in offered)

    def _script(self, script: str, kind: str) -> Any:
        found = [each for each in self.get("/sdapi/v1/script-info") if each["name"] == script]
        return next(each for each in found if each["is_img2img"] == (kind == "img2img"))

    def _controls(self, script: str, kind: str) -> list[Any]:
        return self._script(script, kind)["args"]

    def keep(self, checkpoint: str, skip: dict[str, float]) -> None:
        """As its preset, by REST; by the model's name where the WebUI does not know its hash yet."""
        for model in self.get("/sdapi/v1/sd-models"):
            if _name(model) == checkpoint:
                key = model.get("sha256") if len(model.get("sha256") or "") == 64 else None
                key = key or f"name:{PurePath(model['filename']).stem}"
                requests.put(self._presets(key), json={"skip": skip}, timeout=60).raise_for_status()

    def forget(self) -> None:
        """All presets."""
        for key in requests.get(self._presets(), timeout=60).json():
            requests.delete(self._presets(key), timeout=60).raise_for_status()

    def _presets(self, key: str = "") -> str:
        return f"{self.url}/clip-skip/v1/presets" + (f"/{quote(key, safe='')}" if key else "")

    def _needs(self, checkpoint: str) -> dict[str, Any]:
        """What this host can't do without: Forge's SD 3 is black on the API's default schedule."""
        if self.name != "forge":
            return {}
        schedule = {"scheduler": "Simple"} if self.checkpoints[checkpoint].id == "sd3" else {}
        return {"hr_additional_modules": ["Use same choices"], **schedule}

    def _generate(self, kind: str, checkpoint: str, args: list[Any] | None, fields: dict[str, Any]) -> Picture:
        body = {**PROMPT, **SMALL, "sampler_name": self._sampler, **fields}
        if self.name == "sdnext" and (self.options["sd_model_checkpoint"] or "").partition(" [")[0] != checkpoint:
            # An override loads the model and afterwards the other one back, and Control has none.
            self.post("/sdapi/v1/options", {"sd_model_checkpoint": checkpoint})
        if kind != "control":
            overrides = {"sd_model_checkpoint": checkpoint, **body.get("override_settings", {})}
            body = {**self._needs(checkpoint), **body, "override_settings": overrides}
        if args is not None:
            body["alwayson_scripts"] = {**body.get("alwayson_scripts", {}), "clip skip": {"args": args}}
        reply = self.post(f"/sdapi/v1/{kind}", body)
        images = [
            Image.open(io.BytesIO(base64.b64decode(image.split(",")[-1]))).convert("RGB").tobytes()
            for image in reply["images"]
        ]
        info = json.loads(reply["info"]) if reply["info"].lstrip().startswith("{") else {"infotexts": [reply["info"]]}
        advice = (info.get("extra_generation_params") or {}).get("CLIP skip advice", "")
        infotexts = tuple(info.get("infotexts") or ("",))
        return Picture(_hash(b"".join(images)), infotexts[0], tuple(map(_hash, images)), advice, infotexts)


def _name(model: dict[str, Any]) -> str:
    return model["title"].partition(" [")[0]


def _hash(pixels: bytes) -> str:
    return hashlib.sha256(pixels).hexdigest()[:12]
