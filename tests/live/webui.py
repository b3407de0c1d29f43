"""A running WebUI, by its address: makes images through its API and tells which host it is."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests
from PIL import Image

from clip_skip.architectures import Architecture
from clip_skip.inspect.identify import identify

PROMPT = {"prompt": "a photo of a (cat:1.2), blue sky", "negative_prompt": "ugly", "seed": 1234}
SMALL = {"width": 64, "height": 64, "steps": 2, "sampler_name": "Euler", "cfg_scale": 7}


@dataclass(frozen=True)
class Picture:
    """One generation's images: the hash of all their pixels, the first one's generation parameters, each one's hash.

    `advice` is what the API's answer says of CLIP Skip's advice.
    """

    pixels: str
    infotext: str
    each: tuple[str, ...]
    advice: str


class WebUI:
    """`root` is the WebUI's own folder, where the relative paths that it gives for its checkpoints start."""

    def __init__(self, url: str, root: str = ".") -> None:
        self.url = url.rstrip("/")
        self.root = root

    @cached_property
    def name(self) -> str:
        options = self.get("/sdapi/v1/options")
        if "dynamic_clip_skip_enabled" in options:
            return "reforge"
        if "forge_unet_storage_dtype" in options:
            return "forge"
        if "diffusers_offload_mode" in options or "prompt_attention" in options:
            return "sdnext"
        return "a1111" if "sdxl_clip_l_skip" in options else "classic"

    @cached_property
    def checkpoints(self) -> dict[str, Architecture]:
        """Every checkpoint that is offered, by the name that an override takes."""
        found = {}
        for model in self.get("/sdapi/v1/sd-models"):
            found[model["title"]] = identify(os.path.join(self.root, model.get("filename") or ""))
        return found

    @property
    def testable(self) -> list[str]:
        """The checkpoints that have a CLIP skip and can make an image alone; SD.Next's refiners can't."""
        return sorted(
            name
            for name, architecture in self.checkpoints.items()
            if architecture.encoders and not (self.name == "sdnext" and architecture.id == "sdxl-refiner")
        )

    def get(self, path: str) -> Any:
        reply = requests.get(self.url + path, timeout=120)
        reply.raise_for_status()
        return reply.json()

    def post(self, path: str, body: Any) -> Any:
        reply = requests.post(self.url + path, json=body, timeout=300)
        if reply.status_code != 200:
            raise AssertionError(f"{path} answered {reply.status_code}: {reply.text[:500]}")
        return reply.json()

    def txt2img(self, checkpoint: str, args: list[Any] | None = None, **fields: Any) -> Picture:
        return self._generate("txt2img", checkpoint, args, fields)

    def img2img(self, checkpoint: str, args: list[Any] | None = None, **fields: Any) -> Picture:
        buffer = io.BytesIO()
        Image.radial_gradient("L").resize((64, 64)).convert("RGB").save(buffer, "PNG")
        init = base64.b64encode(buffer.getvalue()).decode()
        return self._generate("img2img", checkpoint, args, {"init_images": [init], **fields})

    def native(self, checkpoint: str, skip: float, kind: str = "txt2img", **fields: Any) -> Picture:
        """The host's own clip skip, by its own number, without the extension."""
        if self.name == "sdnext":
            own: dict[str, Any] = {"extra": {"clip_skip": skip}}
        else:
            own = {"override_settings": {**fields.pop("override_settings", {}), "CLIP_stop_at_last_layers": int(skip)}}
        return getattr(self, kind)(checkpoint, [False], **own, **fields)

    def _needs(self, checkpoint: str) -> dict[str, Any]:
        """What this host can't do without: Forge's SD 3 is black on the API's default schedule."""
        if self.name != "forge":
            return {}
        schedule = {"scheduler": "Simple"} if self.checkpoints[checkpoint].id == "sd3" else {}
        return {"hr_additional_modules": ["Use same choices"], **schedule}

    def _generate(self, kind: str, checkpoint: str, args: list[Any] | None, fields: dict[str, Any]) -> Picture:
        overrides = {**fields.pop("override_settings", {}), "sd_model_checkpoint": checkpoint}
        body = {**PROMPT, **SMALL, **self._needs(checkpoint), **fields, "override_settings": overrides}
        if args is not None:
            body["alwayson_scripts"] = {"clip skip": {"args": args}}
        reply = self.post(f"/sdapi/v1/{kind}", body)
        images = [
            Image.open(io.BytesIO(base64.b64decode(image.split(",")[-1]))).convert("RGB").tobytes()
            for image in reply["images"]
        ]
        info = json.loads(reply["info"]) if reply["info"].lstrip().startswith("{") else {"infotexts": [reply["info"]]}
        advice = (info.get("extra_generation_params") or {}).get("CLIP skip advice", "")
        return Picture(_hash(b"".join(images)), (info.get("infotexts") or [""])[0], tuple(map(_hash, images)), advice)


def _hash(pixels: bytes) -> str:
    return hashlib.sha256(pixels).hexdigest()[:12]
