"""Booting a host inside this process, and taking it out again."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from minihost import context, encoders, weights
from minihost.flavours import FLAVOURS
from minihost.picture import Cond, ledger

HERE = Path(__file__).parent
REPOSITORY = HERE.parent


def boot(
    like: str = "a1111",
    model: str = "sd1",
    extension: Path | str | None = REPOSITORY,
    data: Path | str | None = None,
    opts: dict[str, Any] | None = None,
    argv: list[str] | tuple[str, ...] = (),
    port: int | None = None,
) -> MiniHost:
    """Start a host; use it as a context, or call ``close``.

    ``model`` is an architecture or the name of a checkpoint. ``opts`` are settings as if saved before: without them
    and without a config.json in ``data`` it is a fresh install. ``argv`` is the host's command line, to which the
    extension's preload.py adds its flags. The page is served only if ``port`` is given; the API routes are on
    ``MiniHost.app`` in any case.
    """
    return MiniHost(like, model, extension, data, opts or {}, list(argv), port)


class MiniHost:
    """A booted host."""

    def __init__(
        self,
        like: str,
        model: Any,
        extension: Path | str | None,
        data: Path | str | None,
        opts: dict[str, Any],
        argv: list[str],
        port: int | None,
    ) -> None:
        assert context.current is None, "only one minihost at a time"
        self._temporary = None if data else tempfile.TemporaryDirectory(prefix="minihost-")
        folder = Path(self._temporary.name if self._temporary else data or "").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        extension = Path(extension).resolve() if extension else None
        context.current = context.Context(FLAVOURS[like], folder, extension, argv)
        self.like, self.data, self.extension = like, folder, extension
        self._modules_before, self._path_before = set(sys.modules), list(sys.path)
        self._threads = torch.get_num_threads()
        torch.set_num_threads(1)  # with matrices this small, threads only wait for each other
        sys.path[:0] = [str(HERE / "webui" / layer) for layer in FLAVOURS[like].layers]
        try:
            self._start(model, opts, port)
        except BaseException:
            self.close()
            raise

    def _start(self, model: str, opts: dict[str, Any], port: int | None) -> None:
        self.module("gradio_extensions").install()
        shared, sd_models = self.module("shared"), self.module("sd_models")
        sd_models.list_models()
        import_module("networks" if FLAVOURS[self.like].a1111_line else "modules.lora.lora_load")
        shared.opts.data.update(opts)
        if "sd_model_checkpoint" not in opts:
            shared.opts.data["sd_model_checkpoint"] = self.title(model)
        self.module("scripts").load_scripts()
        self._create_ui(port)
        if not FLAVOURS[self.like].lazy_model:
            shared.sd_model  # noqa: B018 (looking at it loads it)

    def _create_ui(self, port: int | None) -> None:
        callbacks, shared, ui = self.module("script_callbacks"), self.module("shared"), self.module("ui")
        callbacks.call("before_ui")
        nowebui = getattr(shared.cmd_opts, "nowebui", False)  # the API alone
        self.demo: Any = None
        self.demo = shared.demo = None if nowebui else ui.create_ui()
        roots = [HERE / "webui" / "common", HERE / "webui" / self.like, *([self.extension] if self.extension else [])]
        if port is None or nowebui:
            from fastapi import FastAPI

            self.app = FastAPI()
        else:
            ui.add_head(roots)
            self.app, self.url, _ = self.demo.launch(
                server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True, show_error=True,
                allowed_paths=[str(path) for path in (*roots, self.data)],
            )  # fmt: skip
        self.api = shared.api = self.module("api").Api(self.app)
        callbacks.app_started_callback(self.demo, self.app)
        if not FLAVOURS[self.like].a1111_line:
            callbacks.call("after_ui")

    def reload_ui(self) -> None:
        """Do what "Reload UI" does (not while serving): scripts anew, the model and the extension's library stay."""
        callbacks = self.module("script_callbacks")
        callbacks.call("before_reload")
        callbacks.call("script_unloaded")
        self.module("scripts").load_scripts()
        self._create_ui(None)

    def close(self) -> None:
        """Take out everything that was put into sys.modules, sys.path and gradio."""
        if context.current is None:
            return
        if "modules.script_callbacks" in sys.modules:
            self.module("script_callbacks").call("script_unloaded")
            self.module("gradio_extensions").restore()
        demo = getattr(self, "demo", None)
        if demo is not None and getattr(demo, "is_running", False):
            demo.close(verbose=False)
        ours = [HERE / "webui", *([self.extension] if self.extension else [])]
        for name in set(sys.modules) - self._modules_before:
            file = getattr(sys.modules[name], "__file__", None) or ""
            mine = any(Path(file).is_relative_to(root) for root in ours) and "site-packages" not in file
            stays = name.split(".")[0] in ("minihost", "tests", "conftest")
            if name.split(".")[0] in ("modules", "modules_forge", "backend") or (mine and not stays):
                del sys.modules[name]
        sys.path[:] = self._path_before
        torch.set_num_threads(self._threads)
        context.current = None
        ledger.used.clear()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> MiniHost:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def module(self, name: str) -> Any:
        """Give a module of the host, as ``modules.<name>``; which ones there are depends on the flavour."""
        return import_module(f"modules.{name}")

    def title(self, model: str) -> str:
        """Give the host's title for the name of a checkpoint, or for the first one of an architecture."""
        infos: list[Any] = list(self.module("sd_models").checkpoints_list.values())
        for info in infos:
            if info.name_for_extra == model:
                return str(info.title)
        return next(str(info.title) for info in infos if weights.CHECKPOINTS.get(info.name_for_extra) == model)

    def txt2img(self, **request: Any) -> Any:
        """Run an API request; gives an object with images (PIL), parameters and info (a dict)."""
        return self.api.generate("txt2img", request)

    def img2img(self, **request: Any) -> Any:
        """Run an API request; ``init_images`` may be PIL images."""
        return self.api.generate("img2img", request)

    def control(self, **request: Any) -> Any:
        """Run an API request of SD.Next's tab "Control"."""
        return self.api.generate("control", request)

    def http(self, method: str, path: str, **kwargs: Any) -> Any:
        """Ask the API over HTTP, without a socket; gives httpx's response."""
        import httpx

        async def ask() -> Any:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://minihost") as client:
                return await client.request(method, path, **kwargs)

        return asyncio.run(ask())

    @property
    def opts(self) -> Any:
        return self.module("shared").opts

    @property
    def sd_model(self) -> Any:
        return self.module("shared").sd_model

    @property
    def errors(self) -> list[str]:
        """Give everything that was reported, in scripts and callbacks too."""
        records: list[str] = self.module("errors").exception_records
        return records

    @property
    def last_conds(self) -> list[tuple[str, str, Cond]]:
        """Give (kind, checkpoint, tensors) of everything that sampling used in the last job, in its order."""
        return list(ledger.used)

    def encoder(self, checkpoint: str, encoder: str) -> torch.nn.Module:
        """Build transformers' own model with the weights of a checkpoint's encoder "l", "g" or "h" (all its blocks)."""
        state = weights.encoder_state(checkpoint, encoder)
        return encoders.clip_model(encoder, state, projection=encoder != "l")

    def tokens(self, prompt: str, encoder: str) -> torch.Tensor:
        """Give the ids of a prompt as that encoder gets them: a batch of one, 77 long."""
        return encoders.Tokenizer(weights.SPECS[encoder].pad)(prompt)
