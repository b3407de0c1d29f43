"""The models that others' weights are compared with, learned from the user's own disk: small files of sketches."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from safetensors.numpy import save

from ....files.durable import replace_file, set_aside, sync_folder
from ....text.log import logger
from ..formats.contents import Contents, ContentsError, read_numbers
from ..formats.reader import read_contents
from .descent import BLOCKS, BUCKETS, NAMES, STAND_INS, VERSION, finite, sketch
from .fingerprints import num_updates
from .references import NO_REFERENCES, Reference, References, Sketch
from .trained_layers import LAYERS, TEXT_BUCKETS, text_sketch

LABELS = tuple(NAMES)
_ALL = (*LABELS, *STAND_INS)
_SUFFIX = ".safetensors"
_MAX_BYTES = 1_000_000  # a reference is about 310 KB


def load(folder: str | os.PathLike[str]) -> References:
    """The references in `folder`, which need not exist. Never raises.

    One that is broken is renamed, and learned again when its model is next met; one of another version is let be.
    """
    stamps = []
    for label in _ALL:
        try:
            status = os.stat(Path(folder, label + _SUFFIX))
        except OSError:
            continue
        stamps.append((label, status.st_size, status.st_mtime_ns, status.st_ino))
    return _load(os.fspath(folder), tuple(stamps)) if stamps else NO_REFERENCES


@lru_cache(maxsize=4)
def _load(folder: str, stamps: tuple[tuple[str, int, int, int], ...]) -> References:
    by_label = {}
    digest = hashlib.sha256()
    for label, size, _, _ in stamps:
        path = Path(folder, label + _SUFFIX)
        try:
            reference = _read(path, label, size)
        except OSError as error:
            logger.warning("the reference %s could not be read: %s", path, error)
        except (ValueError, KeyError) as error:
            _put_away(path, error)
        else:
            if reference is None:
                continue
            by_label[label] = reference
            digest.update(repr((label, reference.num_updates, reference.text is None)).encode())
            for array in (reference.unet, reference.text):
                digest.update(b"" if array is None else array.tobytes())
    return References(by_label, digest.hexdigest()[:16]) if by_label else NO_REFERENCES


def _read(path: Path, label: str, size: int) -> Reference | None:
    """The reference in the file; None if another version wrote it. Raises OSError, ValueError or KeyError."""
    if size > _MAX_BYTES:
        raise ContentsError("too large")
    contents = read_contents(path)
    metadata = contents.metadata
    if metadata["version"] != VERSION:
        logger.info("the reference %s is of another version; learn it again", path)
        return None
    if metadata["label"] != label:
        raise ContentsError("it is a reference of another model")
    updates = metadata.get("num_updates")
    return Reference(
        source=metadata["source"],
        unet=_array(contents, "unet", (len(BLOCKS), BUCKETS)),
        text=_array(contents, "text", (LAYERS, TEXT_BUCKETS)) if "text" in contents.tensors else None,
        num_updates=None if updates is None else int(updates),
        sha256=metadata.get("sha256"),
    )


def _array(contents: Contents, name: str, shape: tuple[int, int]) -> Sketch:
    tensor = contents.tensors[name]
    if (tensor.dtype, tensor.shape) != ("F32", shape):
        raise ContentsError(f"{name} is not a sketch")
    return finite(read_numbers(tensor).reshape(shape))


def _put_away(path: Path, error: Exception) -> None:
    try:
        logger.warning("the reference %s is broken (%s); it is now %s", path, error, set_aside(path).name)
    except OSError:
        logger.warning("the reference %s is broken (%s) and not used", path, error)


def learn(
    contents: Contents, label: str, folder: str | os.PathLike[str], source: str, sha256: str | None = None
) -> None:
    """Make an SD 1.x model the reference `label`, one of LABELS or a stand-in; `source` is its file's name.

    With `sha256`, which shows by itself what the model is, a reference that is there already stays; without, on the
    user's word, it is replaced. Raises ContentsError where the model can't be a reference, OSError where the folder
    can't be written.
    """
    path = Path(folder, label + _SUFFIX)
    if sha256 and path.exists():
        return
    tensors = {"unet": sketch(contents)}
    try:
        tensors["text"] = text_sketch(contents)
    except ContentsError:
        logger.info("%s has no text encoder to learn", source)
    metadata = {"label": label, "version": VERSION, "source": source}
    if sha256:
        metadata["sha256"] = sha256
    updates = num_updates(contents)
    if updates is not None:
        metadata["num_updates"] = str(updates)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, save(tensors, metadata))
    sync_folder(path.parent)
