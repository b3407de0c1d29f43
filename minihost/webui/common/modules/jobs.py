"""Running a job for the page or the API."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from modules import paths, processing, scripts, shared
from modules.call_queue import queue_lock

from minihost import context, files
from minihost.picture import ledger

CLASSES: dict[str, type[processing.StableDiffusionProcessing]] = {
    "txt2img": processing.StableDiffusionProcessingTxt2Img,
    "img2img": processing.StableDiffusionProcessingImg2Img,
}
if not context.get().flavour.a1111_line:
    CLASSES["control"] = vars(processing)["StableDiffusionProcessingControl"]


def runner(tab: str) -> scripts.ScriptRunner:
    found: scripts.ScriptRunner = getattr(scripts, f"scripts_{tab}")
    return found


def run(
    tab: str,
    fields: dict[str, Any],
    script_args: list[Any],
    per_script_args: dict[str, Any] | None = None,
    extra: dict[str, Any] | None = None,
) -> Any:
    """Make the job object, let the tab's scripts at it, and run it."""
    with queue_lock, closing(CLASSES[tab](sd_model=shared.sd_model, **fields)) as p:
        ledger.used.clear()
        shared.state.begin(job=f"scripts_{tab}")
        try:
            p.scripts = runner(tab)
            p.script_args = tuple(script_args)
            p.per_script_args = per_script_args or {}
            for name, value in (extra or {}).items():
                setattr(p, name, value)
            selected = script_args[0] if script_args else 0
            processed: Any = None
            if selected:
                script = p.scripts.selectable_scripts[selected - 1]
                processed = script.run(p, *p.script_args[script.args_from : script.args_to])
            processed = processed or processing.process_images(p)
            files.save(Path(paths.data_path, "params.txt"), processed.infotexts[0] if processed.infotexts else "")
            return processed
        finally:
            shared.state.end()
