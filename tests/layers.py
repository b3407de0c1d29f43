"""The rooms of clip_skip and which may know which: the one table of the layers. `tests/unit/test_layers.py` holds it.

From the bottom up. A module belongs to the room with the longest name that its own begins with. It may know its own
room and the lines above it here; the rooms of one line do not know each other, nor does any room a line below it.
"""

from __future__ import annotations

LAYERS: tuple[tuple[str, ...], ...] = (
    ("text", "files", "paths"),
    ("skip",),
    ("models.background", "models.checkpoint", "models.mentions"),
    ("models.inspect.formats",),
    ("models.inspect.identity",),
    ("models.inspect.evidence",),
    ("models.inspect.weights",),
    ("models.inspect.verdict",),
    ("models.inspect", "models.presets"),
    ("models.hashing", "models.profile"),
    ("models.library",),
    ("models.survey",),
    ("advice",),
    ("conditioning",),
    ("jobs", "drift"),
    ("hosts",),
    ("interfaces.settings", "interfaces.grid", "interfaces.extra_network"),
    ("interfaces.ui", "interfaces.rest", "interfaces.commands"),
    ("app", "__main__"),
)

# Who alone may import what is no part of Python: rooms, or single modules, by the first name of the package.
PACKAGES: dict[str, tuple[str, ...]] = {
    "torch": ("conditioning", "drift", "hosts", "interfaces.commands"),
    "transformers": ("drift",),
    "huggingface_hub": ("drift",),
    "numpy": ("models.inspect", "drift"),
    "safetensors": ("models.inspect.weights",),
    "filelock": ("models.presets",),
    "tqdm": ("interfaces.commands",),
    "matplotlib": ("drift",),
    "PIL": ("models.inspect.evidence", "jobs.sheet"),
    "markupsafe": ("interfaces.ui",),
    "gradio": ("interfaces.ui",),
    "fastapi": ("interfaces.rest",),
    "starlette": ("interfaces.rest",),
    "pydantic": ("interfaces.rest",),
    # The WebUI itself: its adapters, and what registers with it.
    "modules": ("hosts", "interfaces.ui.settings_page"),
}
