"""Entry script: everything is in the `clip_skip` package beside this folder."""

import sys

from modules import script_callbacks, scripts

# Executed again by "Reload UI", also after an update: the library must be as new as this file.
for _name in [name for name in sys.modules if name.split(".")[0] == "clip_skip" and name != __name__]:
    del sys.modules[_name]

from clip_skip import TITLE, app  # noqa: E402


class ClipSkip(scripts.Script):
    def title(self):
        return TITLE

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        built = extension.build_panel(is_img2img, getattr(self, "parent", None))
        self.infotext_fields = built.infotext_fields
        self.paste_field_names = built.paste_field_names
        return built.arguments

    def process(self, p, *args):
        extension.process(p, *args)

    def postprocess_batch(self, p, *args, **kwargs):
        extension.encoded(p)

    def postprocess(self, p, processed, *args):
        extension.postprocess(p, processed)


extension = app.start(script_callbacks)
