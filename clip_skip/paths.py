"""Where the extension keeps what belongs to the user: presets, learned references, the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER = "clip-skip"


def data_folder(flag: str | None, host_data: str | Path | None = None) -> Path:
    """The data folder: `flag` if given, else "clip-skip" under the host's data path.

    Where no host tells that path, as on the command line, it is the folder that holds `extensions/`, which holds us;
    a checkout that lies in no WebUI has its data in the home folder.
    """
    if flag:
        return Path(flag)
    if host_data:
        return Path(host_data) / FOLDER
    extension = next((place for place in _places() if place.parent.name == "extensions"), None)
    return (Path.home() if extension is None else extension.parents[1]) / FOLDER


def _places() -> Iterator[Path]:
    """The extension's folder by each path that it was reached by: a link in `extensions/` may lead to it."""
    here = Path(__file__).absolute().parents[1]
    yield here
    with suppress(OSError, ValueError):
        shell = Path(os.environ.get("PWD", ""))  # the working folder as it was typed; Python itself knows only its end
        if shell.is_absolute() and shell.samefile(here):
            yield shell
    yield here.resolve()
