"""Where the extension keeps what belongs to the user: presets, learned references, the cache."""

from __future__ import annotations

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
    extension = Path(__file__).resolve().parents[1]
    return (extension.parents[1] if extension.parent.name == "extensions" else Path.home()) / FOLDER
