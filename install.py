"""Run by the WebUI before it starts. Everything that CLIP Skip needs, the WebUI already has: this only looks."""

import importlib.util

for _package in ("torch", "gradio"):
    try:
        if importlib.util.find_spec(_package) is None:
            print(f"CLIP Skip: {_package} was not found; it comes with the WebUI, so its installation may be broken")
    except Exception as error:  # a broken package must not keep the WebUI from starting
        print(f"CLIP Skip: {_package} could not be looked for: {error}")
