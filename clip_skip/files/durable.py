"""Files written so that a crash, a power cut or a full disk leaves either the old content or the new one."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

_TEMPORARY = ".tmp"
# Windows lets nobody replace a file that somebody, such as a virus scanner, is just reading.
_REPLACE_PAUSES = (0.01, 0.05, 0.2)


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in place of the file, in one step that also a crash or a power cut can't halve.

    It lasts when `sync_folder` has returned. Raises OSError: then the file is as it was.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    try:
        _write_new(temporary, data)
        with suppress(OSError):  # none there yet, or a file system without modes
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        _rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def sweep(path: Path) -> None:
    """Remove what processes that died while they wrote the file left over. Only for who holds its lock."""
    for leftover in path.parent.glob(f"{glob.escape(path.name)}.*{_TEMPORARY}"):
        leftover.unlink(missing_ok=True)


def keep_copy(path: Path, data: bytes) -> Path:
    """A copy of the file that can't be read, under a name that was not there. Raises OSError."""
    dated = path.with_name(f"{path.stem}.broken-{time.strftime('%Y-%m-%dT%H-%M-%S')}{path.suffix}")
    copy, number = dated, 1
    while True:
        try:
            _write_new(copy, data)
            return copy
        except FileExistsError:
            number += 1
            copy = dated.with_name(f"{dated.stem}-{number}{dated.suffix}")
        except BaseException:
            with suppress(OSError):
                copy.unlink()
            raise


def set_aside(path: Path) -> Path:
    """Rename the file that can't be read, to a name that was not there. Raises OSError: then it is where it was."""
    aside = keep_copy(path, b"")  # takes the name, so that no other process can
    try:
        _rename(path, aside)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    return aside


def _write_new(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _rename(source: Path, target: Path) -> None:
    for pause in _REPLACE_PAUSES:
        with suppress(PermissionError):
            return os.replace(source, target)
        time.sleep(pause)
    return os.replace(source, target)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last. Windows and some network shares know no such call. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
