"""The page: the tabs that generate, PNG Info, Settings, and the host's own controls on top."""

from __future__ import annotations

import html
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import gradio as gr
from modules import generation_parameters_copypaste as infotext
from modules import gradio_extensions, jobs, localization, paste, script_callbacks, scripts, sd_models, shared
from modules.options import OptionInfo
from modules.ui_components import FormRow, ToolButton

from minihost import context

FLAVOUR = context.get().flavour
OWN = {"sd_model_checkpoint", "CLIP_stop_at_last_layers"}
"""Options that have their place outside the Settings tab."""
_OF_THE_NET = re.compile(r"""<script[^>]*\ssrc=["']https?://[^>]*>\s*</script>|<link[^>]*\shref=["']https?://[^>]*>""")
"""What Gradio's page has from elsewhere: only for pages that hold this one in a frame, and for fonts."""


def _set_option(key: str, value: Any) -> str:
    if key == "sd_model_checkpoint":
        info = sd_models.get_closet_checkpoint_match(value)
        if FLAVOUR.is_forge:
            import_module("modules_forge.main_entry").checkpoint_change(value)
            return shared.opts.dumpjson()
        value = info.title if info else value
    shared.opts.set(key, value)
    if key == "sd_model_checkpoint":
        sd_models.reload_model_weights()
    shared.opts.save(shared.config_filename)
    return shared.opts.dumpjson()


def _quicksettings(settings_json: Any) -> None:
    """Create the host's own checkpoint menu and Clip skip slider, each with its host's names."""
    titles = list(sd_models.checkpoints_list)

    def chosen() -> str:
        # Asked by each page: another may have chosen since. By the name in the menu, which has no hash that came later.
        info = sd_models.select_checkpoint()
        return next((title for title in titles if sd_models.get_closet_checkpoint_match(title) is info), info.title)

    with gr.Row(elem_id="quicksettings"):
        if FLAVOUR.is_forge:
            checkpoint = gr.Dropdown(titles, value=chosen, label="Checkpoint", elem_classes=["model_selection"])
        else:
            label = "Stable Diffusion checkpoint"
            checkpoint = gr.Dropdown(titles, value=chosen, label=label, elem_id="setting_sd_model_checkpoint")
        bound = [(checkpoint.change, checkpoint, "sd_model_checkpoint")]
        if FLAVOUR.is_forge:
            import_module("modules_forge.main_entry").make_clip_skip_slider()
        elif FLAVOUR.a1111_line:
            key = "CLIP_stop_at_last_layers"
            slider = gr.Slider(
                1, 12, value=lambda: shared.opts.CLIP_stop_at_last_layers, step=1, label="Clip skip",
                elem_id=f"setting_{key}",
            )  # fmt: skip
            bound.append((slider.release, slider, key))
    for event, component, key in bound:
        event(lambda value, key=key: _set_option(key, value), [component], [settings_json], show_progress="hidden")


def _image_html(processed: Any) -> tuple[str, str]:
    text = html.escape(processed.infotexts[0] if processed.infotexts else "")
    comments = "".join(f"<p class='comments'>{html.escape(c)}</p>" for c in processed.comments.splitlines())
    return f"<p>{text.replace(chr(10), '<br>')}</p>", comments


def _tab(tab: str) -> None:
    """Create one of the tabs that generate."""
    is_img2img = tab == "img2img"
    runner = scripts.scripts_current = jobs.runner(tab)
    runner.initialize_scripts(is_img2img)
    with gr.Row(elem_id=f"{tab}_toprow"):
        with gr.Column(scale=6):
            prompt = gr.Textbox("", label="Prompt", lines=2, elem_id=f"{tab}_prompt", placeholder="Prompt")
            negative = gr.Textbox("", label="Negative prompt", lines=2, elem_id=f"{tab}_neg_prompt")
        with gr.Column(scale=1, min_width=160):
            generate = gr.Button("Generate", elem_id=f"{tab}_generate", variant="primary")
            with FormRow():
                paste_id = "paste" if tab == "txt2img" else f"{tab}_paste"
                paste_button = ToolButton("↙️", elem_id=paste_id, tooltip="Read generation parameters")
    with gr.Row():
        with gr.Column(elem_id=f"{tab}_settings"):
            named: dict[str, object] = {"prompt": prompt, "negative_prompt": negative}
            if is_img2img:
                named["init_images"] = gr.Image(label="Image", type="pil", elem_id="img2img_image", height=240)
            with FormRow():
                named["steps"] = gr.Slider(1, 150, value=20, step=1, label="Sampling steps", elem_id=f"{tab}_steps")
                named["n_iter"] = gr.Slider(1, 8, value=1, step=1, label="Batch count", elem_id=f"{tab}_batch_count")
            with FormRow():
                named["width"] = gr.Slider(64, 2048, value=512, step=8, label="Width", elem_id=f"{tab}_width")
                named["height"] = gr.Slider(64, 2048, value=512, step=8, label="Height", elem_id=f"{tab}_height")
            with FormRow():
                elem_id = f"{tab}_cfg_scale"
                named["cfg_scale"] = gr.Slider(1, 30, value=7.0, step=0.5, label="CFG Scale", elem_id=elem_id)
                named["seed"] = gr.Number(value=-1, label="Seed", elem_id=f"{tab}_seed", precision=0)
            if not is_img2img:
                with FormRow():
                    named["enable_hr"] = gr.Checkbox(False, label="Hires. fix", elem_id=f"{tab}_hr-checkbox")
                    elem_id = f"{tab}_hr_scale"
                    named["hr_scale"] = gr.Slider(1, 4, value=2.0, step=0.05, label="Upscale by", elem_id=elem_id)
            if FLAVOUR.a1111_line:
                choices = ["None", *sd_models.checkpoints_list]
                with FormRow():
                    named["refiner_checkpoint"] = gr.Dropdown(
                        choices, value="None", label="Refiner", elem_id=f"{tab}_checkpoint"
                    )
                    named["refiner_switch_at"] = gr.Slider(
                        0.01, 1.0, value=0.8, step=0.01, label="Switch at", elem_id=f"{tab}_switch_at"
                    )
            else:
                named["clip_skip"] = gr.Slider(
                    0, 12, value=1, step=0.1, label="CLiP skip", elem_id=f"{tab}_clip_skip",
                    interactive=shared.opts.clip_skip_enabled,
                )  # fmt: skip
            with gr.Column(elem_id=f"{tab}_script_alwayson" if not FLAVOUR.a1111_line else f"{tab}_script_container"):
                script_inputs = runner.setup_ui()
            override = gr.Dropdown(
                [], value=[], label="Override settings", multiselect=True, visible=False,
                elem_id=f"{tab}_override_settings",
            )  # fmt: skip
        with gr.Column(elem_id=f"{tab}_results"):
            gallery = gr.Gallery(label="Output", show_label=False, elem_id=f"{tab}_gallery", preview=True, height=560)
            with FormRow():
                send = gr.Button("Send to img2img", elem_id="img2img_tab") if tab == "txt2img" else None
            info = gr.HTML(elem_id=f"html_info_{tab}")
            log = gr.HTML(elem_id=f"html_log_{tab}")
    scripts.scripts_current = None

    names = list(named)

    def submit(overrides: list[str], *values: Any) -> Any:
        fields = dict(zip(names, values[: len(names)], strict=True))
        if is_img2img:
            if fields["init_images"] is None:
                return [], "", "<p class='error'>Input image required</p>"
            fields["init_images"] = [fields["init_images"]]
        fields["override_settings"] = infotext.create_override_settings_dict(overrides)
        processed = jobs.run(tab, fields, list(values[len(names) :]))
        return processed.images, *_image_html(processed)

    generate.click(submit, [override, *named.values(), *script_inputs], [gallery, info, log])

    labels = {
        "prompt": "Prompt", "negative_prompt": "Negative prompt", "steps": "Steps", "seed": "Seed",
        "cfg_scale": "CFG scale", "width": "Size-1", "height": "Size-2", "hr_scale": "Hires upscale",
        "refiner_checkpoint": "Refiner", "refiner_switch_at": "Refiner switch at", "clip_skip": "CLiP-skip",
    }  # fmt: skip
    fields: list[Any] = [(named[name], label) for name, label in labels.items() if name in named]
    if FLAVOUR.a1111_line:
        paste_field: Any = getattr(infotext, "PasteField")  # noqa: B009 (SD.Next has none)
        fields = [paste_field(named[n], label, api=n) for n, label in labels.items() if n in named]
    infotext.add_paste_fields(tab, named.get("init_images"), fields + runner.infotext_fields, override)
    paste.register_paste_params_button(paste.ParamBinding(paste_button, tab, source_text_component=prompt))
    if send is not None:
        paste.register_paste_params_button(
            paste.ParamBinding(
                send, "img2img", source_image_component=gallery, source_tabname="txt2img",
                paste_field_names=runner.paste_field_names,
            )
        )  # fmt: skip


def _png_info() -> None:
    with gr.Row():
        image = gr.Image(label="Source", type="pil", elem_id="pnginfo_image", height=320)
        with gr.Column():
            text = gr.Textbox(label="Parameters", elem_id="pnginfo_text", lines=6)
            with FormRow():
                for tab in jobs.CLASSES:
                    button = gr.Button(f"Send to {tab}", elem_id=f"pnginfo_send_{tab}")
                    paste.register_paste_params_button(
                        paste.ParamBinding(button, tab, source_text_component=text, source_image_component=image)
                    )
    image.change(lambda image: (image.info if image else {}).get("parameters", ""), [image], [text])


def _option_component(key: str, option: OptionInfo) -> Any:
    """Create the widget of an option; a default of an unknown type is an error, as in the hosts."""
    kinds = {str: gr.Textbox, int: gr.Number, bool: gr.Checkbox}
    component = option.component or kinds.get(type(option.default))
    if component is None:
        raise TypeError(f"bad options item type: {type(option.default)} for key {key}")
    args = option.component_args() if callable(option.component_args) else option.component_args or {}
    value = getattr(shared.opts, key)
    widget = component(label=option.label, value=value, **{"elem_id": f"setting_{key}", **args})
    if option.comment_before or option.comment_after:
        gr.HTML(f"{option.comment_before} {option.comment_after}", elem_classes=["settings-comment"])
    return widget


def _settings(settings_json: Any) -> None:
    with gr.Row():
        apply = gr.Button("Apply settings", variant="primary", elem_id="settings_submit")
    result = gr.HTML(elem_id="settings_result")
    sections: dict[tuple[Any, ...], list[str]] = {}
    for key, option in shared.opts.data_labels.items():
        if key not in OWN:
            sections.setdefault(tuple(option.section or (None, "Other"))[:2], []).append(key)
    widgets = {}
    for (section, title), keys in sections.items():
        with gr.Group(elem_id=f"settings_{section}"):
            gr.HTML(f"<h3>{html.escape(str(title))}</h3>")
            for key in keys:
                widgets[key] = _option_component(key, shared.opts.data_labels[key])
    keys = [key for key, widget in widgets.items() if not isinstance(widget, gr.HTML)]

    def store(*values: Any) -> tuple[str, str]:
        changed = [k for k, value in zip(keys, values, strict=True) if shared.opts.set(k, value)]
        shared.opts.save(shared.config_filename)
        return shared.opts.dumpjson(), f"{len(changed)} settings changed: {', '.join(changed)}."

    apply.click(store, [widgets[key] for key in keys], [settings_json, result])


def create_ui() -> gr.Blocks:
    """Build the page, asking extensions for their options first (A1111 line) or last (SD.Next)."""
    paste.registered_param_bindings.clear()
    if FLAVOUR.a1111_line:
        script_callbacks.call("ui_settings")
    # fonts of the system: the default theme's would be fetched from the net
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    # outside of the page's own context, as in the hosts: within it each tab would be there twice
    tabs = [tab for tabs in script_callbacks.call("ui_tabs") for tab in tabs or []]
    with gr.Blocks(theme=theme, title=f"minihost, like {FLAVOUR.title}", analytics_enabled=False) as demo:
        settings_json = gr.Textbox(shared.opts.dumpjson(), elem_id="settings_json", visible=False)
        settings_json.change(fn=None, _js="(text) => updateOpts(text)", inputs=[settings_json], outputs=[])
        _quicksettings(settings_json)
        with gr.Tabs(elem_id="tabs"):
            for tab in jobs.CLASSES:
                with gr.TabItem(tab, id=tab, elem_id=f"tab_{tab}"):
                    _tab(tab)
            if not FLAVOUR.a1111_line:
                script_callbacks.call("ui_settings")
            with gr.TabItem("PNG Info", id="pnginfo", elem_id="tab_pnginfo"):
                _png_info()
            for page, title, elem_id in tabs:
                with gr.TabItem(title, id=elem_id, elem_id=f"tab_{elem_id}"):
                    page.render()
            with gr.TabItem("Settings", id="settings", elem_id="tab_settings"):
                _settings(settings_json)
        paste.connect_paste_params_buttons()
    demo.queue()
    return demo


def _settings_of_now() -> str:
    """Tell the page's scripts of the settings, and of the words of its language."""
    declare = "let" if FLAVOUR.name == "neo" else "var"  # by `let` it is no property of `window`
    words = localization.words(getattr(shared.opts, "localization", "None"))
    tags = [f"<script>{declare} opts = {shared.opts.dumpjson()};</script>"]
    tags += [f"<script>window.localization = {json.dumps(words)};</script>"] if words else []
    return "".join(tags)


def add_head(allowed: list[Path]) -> None:
    """Put the host's and the extension's scripts and styles into the page's head."""
    import gradio.routes

    original = gradio.routes.templates.TemplateResponse
    tags = []
    for base in allowed:
        for path in sorted((base / "javascript").glob("*.*js")):
            kind = "module" if path.suffix == ".mjs" else "text/javascript"
            tags.append(f'<script type="{kind}" src="file={path}?{path.stat().st_mtime}"></script>')
        style = base / "style.css"
        if style.is_file():
            tags.append(f'<link rel="stylesheet" property="stylesheet" href="file={style}?{style.stat().st_mtime}">')
    files = "".join(tags)

    def respond(name: str, context: dict[str, Any], **kwargs: Any) -> Any:
        try:
            response = original(name, context, **kwargs)
        except TypeError:  # Starlette 1.0 wants the request first, which gradio 3 does not know
            response = original(context["request"], name, context, **kwargs)
        page = _OF_THE_NET.sub("", response.body.decode())
        response.body = page.replace("</head>", f"{_settings_of_now()}{files}</head>").encode()
        response.init_headers()
        return response

    gradio_extensions.replace(gradio.routes.templates, "TemplateResponse", respond)
