"""Settings, with the traps they have in the real hosts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modules import errors

from minihost import context, files

_OWN = {"data", "data_labels"}


class OptionInfo:
    """One setting: default, label and how to show it."""

    def __init__(
        self,
        default: Any = None,
        label: str = "",
        component: Any = None,
        component_args: Any = None,
        onchange: Callable[[], Any] | None = None,
        section: Any = None,
        refresh: Callable[[], Any] | None = None,
        comment_before: str = "",
        comment_after: str = "",
        infotext: str | None = None,
        restrict_api: bool = False,
        category_id: str | None = None,
        **unknown: Any,
    ) -> None:
        if unknown and context.get().flavour.a1111_line:
            raise TypeError(f"OptionInfo got unexpected keyword arguments {sorted(unknown)}")
        self.default, self.label, self.component, self.component_args = default, label, component, component_args
        self.onchange, self.section, self.refresh, self.category_id = onchange, section, refresh, category_id
        self.comment_before, self.comment_after = comment_before, comment_after
        self.infotext = infotext if context.get().flavour.a1111_line else None
        self.restrict_api, self.do_not_save = restrict_api, False

    def info(self, text: str) -> OptionInfo:
        return self.html(f"<span class='info'>({text})</span>")

    def html(self, text: str) -> OptionInfo:
        self.comment_after += text
        return self

    def link(self, label: str, url: str) -> OptionInfo:
        self.comment_before += f"[<a href='{url}' target='_blank'>{label}</a>]"
        return self

    def js(self, label: str, function: str) -> OptionInfo:
        self.comment_before += f"[<a onclick='{function}(); return false'>{label}</a>]"
        return self

    def needs_restart(self) -> OptionInfo:
        return self.info("requires restart")

    def needs_reload_ui(self) -> OptionInfo:
        return self.info("requires Reload UI")


def options_section(section: Any, options: dict[str, OptionInfo]) -> dict[str, OptionInfo]:
    """Put options into a section: (id, title) or (id, title, category)."""
    for option in options.values():
        option.section = tuple(section[:2])
        option.category_id = section[2] if len(section) > 2 else option.category_id
    return options


class Options:
    """``opts``: an attribute for each registered or saved option, AttributeError for any other."""

    def __init__(self, data_labels: dict[str, OptionInfo]) -> None:
        self.data_labels = data_labels
        self.data = {key: option.default for key, option in data_labels.items()}

    def __setattr__(self, key: str, value: Any) -> None:
        if key not in _OWN and (key in self.data or key in self.data_labels):
            self.data[key] = value
        else:
            super().__setattr__(key, value)

    def __getattr__(self, key: str) -> Any:
        if key not in _OWN:
            if key in self.data:
                return self.data[key]
            if key in self.data_labels:
                return self.data_labels[key].default
        raise AttributeError(f"'Options' object has no attribute '{key}'")

    def set(self, key: str, value: Any, is_api: bool = False, run_callbacks: bool = True) -> bool:
        """Set an option and call its onchange; True if it changed."""
        if self.data.get(key) == value:
            return False
        option = self.data_labels[key]
        if option.do_not_save or (is_api and option.restrict_api):
            return False
        before = self.data.get(key)
        setattr(self, key, value)
        if run_callbacks and option.onchange is not None:
            try:
                option.onchange()
            except Exception as e:
                errors.display(e, f"changing setting {key} to {value}")
                setattr(self, key, before)
                return False
        return True

    def get_default(self, key: str) -> Any:
        return self.data_labels[key].default if key in self.data_labels else None

    def cast_value(self, key: str, value: Any) -> Any:
        """Bring a text from an infotext to the type of the option's default."""
        kind = type(self.get_default(key))
        if value is None or kind in (type(None), str):
            return value
        return str(value).lower() != "false" if kind is bool else kind(value)

    def save(self, filename: str) -> None:
        files.save(Path(filename), json.dumps(self.data, indent=4, default=str))

    def load(self, filename: str) -> None:
        """Read the saved settings. On a fresh install nothing is left in ``data``, not even the defaults."""
        try:
            self.data = json.loads(Path(filename).read_text())
        except FileNotFoundError:
            self.data = {}

    def onchange(self, key: str, func: Callable[[], Any], call: bool = True) -> None:
        self.data_labels[key].onchange = func
        if call:
            func()

    def add_option(self, key: str, info: OptionInfo) -> None:
        """Register an option late, as extensions do; only the A1111 line seeds ``data`` with its default."""
        self.data_labels[key] = info
        if context.get().flavour.a1111_line and key not in self.data:
            self.data[key] = info.default

    def dumpjson(self) -> str:
        values = {**{key: option.default for key, option in self.data_labels.items()}, **self.data}
        return json.dumps({key: value for key, value in values.items() if not callable(value)}, default=str)
