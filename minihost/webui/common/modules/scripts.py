"""Extensions' scripts: loading them, their widgets, and calling their methods."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from modules import errors, paths, script_callbacks

from minihost import context

if TYPE_CHECKING:
    from modules.processing import StableDiffusionProcessing


if not context.get().flavour.a1111_line:
    importlib.import_module("installer")  # by which SD.Next was started

AlwaysVisible = object()
current_basedir = paths.script_path
scripts_data: list[ScriptClassData] = []
scripts_txt2img: ScriptRunner
scripts_img2img: ScriptRunner
scripts_control: ScriptRunner  # SD.Next's
scripts_current: ScriptRunner | None = None


@dataclass
class PostprocessImageArgs:
    image: Any
    index: int = 0


@dataclass
class PostSampleArgs:
    samples: Any


@dataclass
class PostprocessBatchListArgs:
    images: list[Any]


class ScriptClassData(NamedTuple):
    script_class: type[Script]
    path: str
    basedir: str
    module: ModuleType


class Script:
    """Base class of everything in an extension's scripts folder."""

    name: str | None = None
    section: str | None = None
    filename = ""
    group: Any = None
    infotext_fields: list[Any] | None = None
    paste_field_names: list[Any] | None = None
    api_info: dict[str, Any] | None = None
    controls: list[Any] | None = None
    args_from = args_to = 0
    alwayson = is_txt2img = is_img2img = False
    create_group = True
    tabname: str | None = None
    parent: str | None = None  # the same, where SD.Next says it
    on_before_component_elem_id = on_after_component_elem_id = None

    def title(self) -> str:
        raise NotImplementedError

    def ui(self, is_img2img: bool) -> Any:
        pass

    def show(self, is_img2img: bool) -> object:
        return True

    def run(self, p: StableDiffusionProcessing, *args: Any) -> Any:
        pass

    def before_component(self, component: Any, **kwargs: Any) -> None:
        pass

    def after_component(self, component: Any, **kwargs: Any) -> None:
        pass

    def describe(self) -> str:
        return ""

    def elem_id(self, item_id: str) -> str:
        """Make an id; unique over both tabs where the script shows in both."""
        tab = ("img2img_" if self.is_img2img else "txt2img_") if self.show(True) == self.show(False) else ""
        title = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        return f"script_{tab}{title}_{item_id}"


def _nothing(self: Script, p: StableDiffusionProcessing, *args: Any, **kwargs: Any) -> None:
    pass


for _hook in context.get().flavour.hooks:
    setattr(Script, _hook, _nothing)
if "setup" not in context.get().flavour.hooks:
    setattr(Script, "setup", _nothing)  # noqa: B010 (there, but never called)


def _title(data: ScriptClassData) -> str:
    try:
        return data.script_class().title().lower()
    except Exception:  # reported where it is made to be used
        return ""


def _in_control(script: Script) -> bool:
    """Whether SD.Next loads this script into its tab "Control": its own, and extensions' by a list of their titles."""
    extension = context.get().extension
    external = extension is not None and Path(script.filename).parent == extension / "scripts"
    return not external or script.title() in sys.modules["installer"].control_extensions


def basedir() -> str:
    """Give the folder of the extension whose script is being loaded; SD.Next says it relative to where it runs."""
    return current_basedir if context.get().flavour.a1111_line else os.path.relpath(current_basedir)


def _load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_scripts() -> None:
    """Run every script file under its file name; ``sys.path`` starts with its extension for that time only."""
    global current_basedir, scripts_txt2img, scripts_img2img, scripts_control
    scripts_data.clear()
    script_callbacks.clear_callbacks()
    own = Path(__file__).parents[1]
    layers = [own.with_name(name) for name in reversed(context.get().flavour.layers)]
    for base in filter(None, (*layers, context.get().extension)):
        for path in sorted((base / "scripts").glob("*.py")):
            syspath = sys.path
            try:
                sys.path, current_basedir = [str(base), *sys.path], str(base)
                module = _load_module(path)
                for item in list(vars(module).values()):
                    if inspect.isclass(item) and issubclass(item, Script):
                        scripts_data.append(ScriptClassData(item, str(path), str(base), module))
            except Exception:
                errors.report(f"Error loading script: {path.name}", exc_info=True)
            finally:
                sys.path, current_basedir = syspath, paths.script_path
    scripts_txt2img, scripts_img2img, scripts_control = ScriptRunner(), ScriptRunner(), ScriptRunner("control")


class ScriptRunner:
    """The scripts of one tab."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.scripts: list[Script] = []
        self.alwayson_scripts: list[Script] = []
        self.selectable_scripts: list[Script] = []
        self.infotext_fields: list[Any] = []
        self.paste_field_names: list[Any] = []
        self.inputs: list[Any] = [None]

    def initialize_scripts(self, is_img2img: bool) -> None:
        by_title = not context.get().flavour.a1111_line
        for data in sorted(scripts_data, key=_title) if by_title else scripts_data:
            try:
                script = data.script_class()
            except Exception:
                errors.report(f"Error: failed to initialize Script {data.module}", exc_info=True)
                continue
            script.filename, script.is_img2img, script.is_txt2img = data.path, is_img2img, not is_img2img
            tab = self.name or ("img2img" if is_img2img else "txt2img")
            if self.name == "control" and not _in_control(script):
                continue
            if context.get().flavour.a1111_line:
                script.tabname = tab
            else:
                script.parent = tab
            visible = script.show(is_img2img)
            if visible:
                script.alwayson = visible is AlwaysVisible
                self.scripts.append(script)
                (self.alwayson_scripts if script.alwayson else self.selectable_scripts).append(script)

    def setup_ui(self) -> list[Any]:
        """Create the widgets of all scripts; gives the inputs of a job, first the index of the selectable script."""
        titles = ["None", *(script.title() for script in self.selectable_scripts)]
        groups = {}
        for script in (*self.alwayson_scripts, None, *self.selectable_scripts):
            if script is None:
                dropdown = gr.Dropdown(titles, value="None", type="index", label="Script", elem_id="script_list")
                self.inputs[0] = dropdown
                continue
            with gr.Group(visible=script.alwayson) as groups[script]:
                try:
                    self._create_script_ui(script)
                except Exception:
                    errors.report(f"Error creating UI for {script.filename}", exc_info=True)
            groups[script].visible = bool(script.alwayson and script.controls)
        shown = [groups[script] for script in self.selectable_scripts]
        dropdown.change(
            lambda index: {group: gr.update(visible=i == index) for i, group in enumerate(shown, 1)},
            inputs=[dropdown], outputs=shown, show_progress="hidden",
        )  # fmt: skip
        return self.inputs

    def _create_script_ui(self, script: Script) -> None:
        script.args_from = script.args_to = len(self.inputs)
        script.name = script.title().lower()
        controls = script.controls = script.ui(script.is_img2img)
        if not controls:
            return
        for control in controls:
            control.custom_script_source = os.path.basename(script.filename)
        fields = ("label", "value", "minimum", "maximum", "step", "choices")
        described = [{f: getattr(c, f) for f in fields if getattr(c, f, None) is not None} for c in controls]
        for control in described:
            if "choices" in control:
                control["choices"] = [c[0] if isinstance(c, tuple) else c for c in control["choices"]]
        script.api_info = {
            "name": script.name,
            "is_alwayson": script.alwayson,
            "is_img2img": script.is_img2img,
            "args": described,
        }
        self.infotext_fields += script.infotext_fields or []
        self.paste_field_names += script.paste_field_names or []
        self.inputs += controls
        script.args_to = len(self.inputs)

    def script(self, title: str) -> Script | None:
        """Find a script by its title, in any case."""
        return next((s for s in self.scripts if s.title().lower() == title.lower()), None)

    def args_of(self, script: Script, p: StableDiffusionProcessing) -> list[Any] | tuple[Any, ...] | None:
        """Cut a script's arguments out of the job's; SD.Next hands on a request's list as it is."""
        given: list[Any] | tuple[Any, ...] | None = p.script_args[script.args_from : script.args_to]
        if context.get().flavour.a1111_line:
            return given
        if script.args_to > 0:
            given = p.per_script_args.get(script.title(), given)
            return given
        return None

    def __getattr__(self, hook: str) -> Any:
        """Give a function that calls ``hook`` of every always-on script; what raises is reported, the job goes on."""
        if hook not in context.get().flavour.hooks:
            raise AttributeError(hook)

        def call(p: StableDiffusionProcessing, *extra: Any, **kwargs: Any) -> Any:
            result = None
            for script in self.alwayson_scripts:
                args = self.args_of(script, p)
                if args is None:
                    continue
                try:
                    result = getattr(script, hook)(p, *extra, *args, **kwargs) or result
                except Exception:
                    errors.report(f"Error running {hook}: {script.filename}", exc_info=True)
            return result

        return call

    def before_component(self, component: Any, **kwargs: Any) -> None:
        self._component("before_component", "on_before_component_elem_id", component, kwargs)

    def after_component(self, component: Any, **kwargs: Any) -> None:
        self._component("after_component", "on_after_component_elem_id", component, kwargs)

    def _component(self, method: str, listeners: str, component: Any, kwargs: dict[str, Any]) -> None:
        for script in self.scripts:
            try:
                getattr(script, method)(component, **kwargs)
                for elem_id, callback in getattr(script, listeners) or []:
                    if elem_id == kwargs.get("elem_id"):
                        callback(component)
            except Exception:
                errors.report(f"Error running {method}: {script.filename}", exc_info=True)
