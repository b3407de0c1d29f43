"""Entry script: everything is in the `clip_skip` package beside this folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modules import script_callbacks, scripts

if TYPE_CHECKING:
    from clip_skip.hosts.protocols import Processed, Processing


# Executed again by "Reload UI", also after an update: the library must be as new as this file.
for _name in [name for name in sys.modules if name.split(".")[0] == "clip_skip" and name != __name__]:
    del sys.modules[_name]

from clip_skip import TITLE, app  # noqa: E402


class ClipSkip(scripts.Script):
    def title(self) -> str:
        return TITLE

    def show(self, is_img2img: bool) -> object:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> object:
        built = extension.build_panel(is_img2img, getattr(self, "parent", None))
        self.infotext_fields = built.infotext_fields
        self.paste_field_names = built.paste_field_names
        return built.arguments

    def process(self, p: Processing, *args: object) -> None:
        extension.process(p, *args)

    def before_process_batch(self, p: Processing, *args: object, batch_number: int = 0, **kwargs: object) -> None:
        extension.batch(p, batch_number)

    def postprocess_batch(self, p: Processing, *args: object, batch_number: int = 0, **kwargs: object) -> None:
        extension.encoded(p, batch_number)

    def postprocess(self, p: Processing, processed: Processed, *args: object) -> None:
        extension.postprocess(p, processed)


extension = app.start(script_callbacks)
