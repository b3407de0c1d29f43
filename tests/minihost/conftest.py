"""One data folder for the session, so that the checkpoints are written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from minihost import boot

DUMMY = """
from modules import errors, extra_networks, generation_parameters_copypaste, infotext_utils, paths, processing
from modules import script_callbacks, scripts, sd_models, shared, ui_components
import dummy_library
import gradio as gr

seen = dummy_library.seen
script_callbacks.on_model_loaded(lambda model: seen.append("cb:model_loaded"))
script_callbacks.on_ui_settings(lambda: (seen.append("cb:ui_settings"), shared.opts.add_option(
    "dummy_option", shared.OptionInfo(3, "Dummy", gr.Slider, {"minimum": 1, "maximum": 9}, section=("dummy", "Dummy"))
)))
script_callbacks.on_before_ui(lambda: seen.append("cb:before_ui"))
script_callbacks.on_app_started(lambda demo, app: seen.append("cb:app_started"))
script_callbacks.on_script_unloaded(lambda: seen.append("cb:script_unloaded"))
script_callbacks.on_after_component(lambda component, **kw: dummy_library.ids.append(kw.get("elem_id")))
if hasattr(script_callbacks, "on_before_process"):
    script_callbacks.on_before_process(lambda p: seen.append("cb:before_process"))
    script_callbacks.on_after_process(lambda p: seen.append("cb:after_process"))


class Dummy(scripts.Script):
    def title(self):
        return "Dummy Script"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        seen.append("ui")
        with ui_components.InputAccordion(False, label="Dummy", elem_id=self.elem_id("enabled")) as enabled:
            value = gr.Slider(0, 9, value=4, step=1, label="Value", elem_id=self.elem_id("value"), tooltip="x")
        self.infotext_fields = [(enabled, lambda d: gr.update(value="Dummy" in d)), (value, "Dummy")]
        self.paste_field_names = ["Dummy"]
        return [enabled, value]

    def postprocess(self, p, processed, *args):
        seen.append("postprocess")
        dummy_library.args.append(args)


def _hook(name):
    def hook(self, p, *args, **kwargs):
        seen.append(name)
        if name == "process":
            p.extra_generation_params.update({"Dummy": args[-1] if args else None, "Nothing": None})
            p.comment("dummy was here")
        if "__broken__" in p.prompt:
            raise ValueError("broken")
    return hook


for _name in ("setup", "before_process", "process", "before_process_batch", "after_extra_networks_activate",
              "process_batch", "process_before_every_sampling", "post_sample", "postprocess_batch",
              "postprocess_image"):
    setattr(Dummy, _name, _hook(_name))
"""


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("minihost")


@pytest.fixture
def host(data):
    """Boot a host without an extension; it is closed at the end of the test."""
    booted = []

    def start(like="a1111", model="sd1", **kwargs):
        (data / "config.json").unlink(missing_ok=True)
        booted.append(boot(like, model, **{"extension": None, "data": data, **kwargs}))
        return booted[-1]

    yield start
    for one in booted:
        one.close()


@pytest.fixture
def dummy(tmp_path) -> Path:
    """Write a small extension that notes what is called."""
    folder = tmp_path / "dummy"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts" / "dummy.py").write_text(DUMMY)
    (folder / "dummy_library.py").write_text("seen, ids, args = [], [], []\n")
    (folder / "preload.py").write_text("def preload(parser):\n    parser.add_argument('--dummy', default='no')\n")
    return folder
