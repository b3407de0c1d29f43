"""Where things are."""

from pathlib import Path

from minihost import context

data_path = str(context.get().data)
models_path = str(context.get().data / "models")
script_path = str(Path(__file__).parents[2])
extensions_dir = str(context.get().data / "extensions")
