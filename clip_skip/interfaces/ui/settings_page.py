"""The section "CLIP Skip" of the host's Settings page, made from the table of settings."""

from __future__ import annotations

from ...hosts.protocols import Options
from ..settings import SECTION, SETTINGS


def register(opts: Options) -> None:
    """Add every setting to the host's options; called from its `on_ui_settings`."""
    import gradio as gr
    from modules.shared import OptionInfo

    controls = {"checkbox": gr.Checkbox, "radio": gr.Radio, "slider": gr.Slider}
    for setting in SETTINGS:
        arguments = dict(setting.arguments)
        if setting.words:
            arguments["choices"] = list(zip(setting.words, setting.arguments["choices"], strict=True))
        if setting.help:
            # Not OptionInfo's own: SD.Next shows none, and the others in brackets, which hide it from translations.
            arguments["info"] = setting.help
        option = OptionInfo(setting.default, setting.label, controls[setting.kind], arguments, section=SECTION)
        opts.add_option(setting.key, option)
