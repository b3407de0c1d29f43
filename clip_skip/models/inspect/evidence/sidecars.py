"""Files that other programs put beside a model: what they say of its descent, and of the skip to use with it.

Who writes which: `.civitai.info` Civitai Helper; `.json` A1111's user metadata, civitai-browser-plus, and SD.Next
(Civitai's whole model); `.api_info.json` civitai-browser-plus (the same); `.cm-info.json` StabilityMatrix;
`.metadata.json` ComfyUI-Lora-Manager; `.swarm.json` SwarmUI (ModelSpec's keys); `.yaml` the model's configuration; the
rest are descriptions and pictures.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ....skip.infotext import parameters
from ....skip.numbers import counted, number
from ....text.bounded_json import decode_object
from ....text.encodings import decoded, guessed
from ....text.regex import regex
from ...checkpoint import MODEL_SUFFIXES, MODELSPEC_TEXTS, SIDECAR_DOCUMENTS, is_sha256
from ...mentions import HIGHEST_SKIP, plain_words
from .evidence import HINT, PROBABLE, Evidence, SkipStatement
from .known import by_name, lookup
from .statements import described, samples_majority, skip_statement

_CONFIGURATIONS = (".yaml", ".yml")
_TEXTS = (".description.txt", ".txt", ".md", ".html")
_PICTURES = (".preview.png", ".png")

MAX_BYTES = 8_000_000  # of one sidecar
_MAX_TEXT = 200_000
_MAX_HEAD = 1 << 20  # of a picture; its texts come first
_MAX_ITEMS = 200  # of one list in a document


def sidecar_files(path: str | os.PathLike[str]) -> dict[Path, os.stat_result]:
    """The sidecars that exist beside the model file or folder at `path`, each with its status."""
    return {file: status for _, file, status in _existing(path)}


def _existing(path: str | os.PathLike[str]) -> Iterator[tuple[str, Path, os.stat_result]]:
    """The suffix, path and status of each sidecar beside `path`. Costs a dozen stat calls."""
    model = Path(path)
    suffix = next((suffix for suffix in MODEL_SUFFIXES if model.name.lower().endswith(suffix)), "")
    stem = str(model)[: len(str(model)) - len(suffix)]
    for suffix in (*SIDECAR_DOCUMENTS, *_CONFIGURATIONS, *_TEXTS, *_PICTURES):
        try:
            status = os.stat(stem + suffix)
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):
            yield suffix, Path(stem + suffix), status


class Sidecars(NamedTuple):
    """What the sidecars of one model say. Each item's first text is the suffix of the sidecar that says it.

    `hashes`: the sha256 that the file should have, in lower case. `stated`: statement id, and the number in A1111's
    count, of whatever type. `layers`: the CLIP block of hidden states that a configuration asks for. `images`: the
    skip that each sample image was made with. `texts`: descriptions, the most specific first, without markup.
    `names`: names and tags.
    """

    hashes: tuple[tuple[str, str], ...] = ()
    stated: tuple[tuple[str, str, object], ...] = ()
    layers: tuple[tuple[str, int], ...] = ()
    images: tuple[float, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @property
    def sha256(self) -> tuple[str, ...]:
        """The sha256 that the sidecars claim for the model file; nobody has checked them."""
        return tuple(dict.fromkeys(sha256 for _, sha256 in self.hashes))

    def skip_statements(self, architecture_id: str) -> list[SkipStatement]:
        """What is recommended: ids "lora-manager", "civitai-version", "yaml", "sample-images", "description".

        A configuration and sample images are asked on SD 1.x alone: elsewhere every stock configuration names the
        trained layer, and Civitai writes a number into every image whatever it was made with.
        """
        statements = [skip_statement(id, f"Its {suffix}", value, architecture_id) for suffix, id, value in self.stated]
        if architecture_id == "sd1":
            statements.extend(_layer_statement(suffix, layer) for suffix, layer in self.layers[:1])
            statements.extend(_images_statement(self.images))
        statements.extend(
            described(((f"Its description ({suffix})", text) for suffix, text in self.texts), architecture_id)
        )
        return statements

    def lineage_evidence(self) -> list[Evidence]:
        """What is claimed of the file's hash (id "sidecar-hash"), and what names and texts hint at ("sidecar-text")."""
        return [*_hash_evidence(self.hashes), *_text_evidence((*self.names, *self.texts))]


def read_sidecars(path: str | os.PathLike[str], sha256: str | None = None) -> Sidecars:
    """What lies beside the model file or folder at `path`. Never raises: what can't be read says nothing.

    `sha256` is the file's own, where the caller has it: it tells the version of a model whose versions have one name.
    """
    files = {suffix: file for suffix, file, _ in _existing(path)}
    documents = {suffix: decode_object(_text(files[suffix])) for suffix in SIDECAR_DOCUMENTS if suffix in files}
    hashes = [(suffix, sha256) for suffix, document in documents.items() for sha256 in _own_hashes(document)]
    claimed = ({sha256.lower()} if sha256 else set(), {claim for _, claim in hashes})
    versions = [
        (suffix, version)
        for suffix, document in documents.items()
        for version in _versions(document, Path(path).name, claimed)
    ]
    hashes.extend((suffix, sha256) for suffix, version in versions for sha256 in _version_hashes(version))
    texts = [
        *((suffix, text) for suffix, version in versions for text in _strings(version, "description")),
        *((suffix, text) for suffix, document in documents.items() for text in _descriptions(document)),
        *((suffix, text) for suffix, document in documents.items() for text in _model_strings(document, "description")),
        *((suffix, _text(files[suffix])) for suffix in _TEXTS if suffix in files),
    ]
    return Sidecars(
        hashes=tuple(dict.fromkeys(hashes)),
        stated=tuple(_stated(documents, versions)),
        layers=tuple((s, layer) for s in _CONFIGURATIONS if s in files for layer in _layers(_text(files[s]))),
        images=tuple(_image_skips(versions, [_parameters(files[s]) for s in _PICTURES if s in files][:1])),
        texts=tuple((suffix, plain_words(text)) for suffix, text in dict.fromkeys(texts)),
        names=tuple(_names(documents, versions)),
    )


def _text(path: Path) -> str:
    """The text at `path`; empty where it can't be read or is too long to be a sidecar."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return ""
    if len(data) > MAX_BYTES:
        return ""
    try:
        return decoded(data)
    except UnicodeDecodeError:
        return guessed(data)


# --- what the programs write -----------------------------------------------------------------------------------------

_DESCRIPTIONS = (*MODELSPEC_TEXTS, "VersionDescription", "notes", "description", "modelDescription", "ModelDescription")
_NAMES = ("name", "model_name", "ModelName", "VersionName", "tags", "Tags")


def _dictionaries(value: object) -> list[dict[str, object]]:
    return [item for item in value[:_MAX_ITEMS] if isinstance(item, dict)] if isinstance(value, list) else []


def _strings(document: Mapping[str, object], *keys: str) -> Iterator[str]:
    """The texts under `keys`, alone or in a list."""
    for key in keys:
        value = document.get(key)
        for item in value[:_MAX_ITEMS] if isinstance(value, list) else [value]:
            if isinstance(item, str) and item:
                yield item


def _descriptions(document: Mapping[str, object]) -> Iterator[str]:
    for holder in (document, decode_object(document.get("__metadata__"))):
        yield from _strings(holder, *_DESCRIPTIONS)


def _model_strings(document: Mapping[str, object], *keys: str) -> Iterator[str]:
    """The texts under `keys` of the Civitai model that a version belongs to."""
    for holder in (document, decode_object(document.get("civitai"))):
        yield from _strings(decode_object(holder.get("model")), *keys)


def _versions(
    document: Mapping[str, object], file_name: str, hashes: Iterable[set[str]]
) -> Iterator[Mapping[str, object]]:
    """The Civitai model versions in `document` that the file belongs to.

    Of a whole model's versions, those that list one of the `hashes`, of which the surest come first, or else a file of
    this name, or else the only one.
    """
    if "files" in document or "images" in document:
        yield document
    civitai = decode_object(document.get("civitai"))
    if civitai:
        yield civitai
    listed = _dictionaries(document.get("modelVersions"))
    for known in hashes:
        if own := [version for version in listed if not known.isdisjoint(_version_hashes(version))]:
            yield from own
            return
    named = [
        version
        for version in listed
        if any(file.get("name") == file_name for file in _dictionaries(version.get("files")))
    ]
    yield from named or (listed if len(listed) == 1 else [])


def _version_hashes(version: Mapping[str, object]) -> Iterator[str]:
    """The sha256 of the version's model files; a version may list a VAE or training data too."""
    for file in _dictionaries(version.get("files")):
        sha256 = decode_object(file.get("hashes")).get("SHA256")
        if file.get("type", "Model") in ("Model", "Pruned Model") and isinstance(sha256, str) and is_sha256(sha256):
            yield sha256.lower()


def _own_hashes(document: Mapping[str, object]) -> Iterator[str]:
    """The sha256 that Lora-Manager, civitai-browser-plus or StabilityMatrix wrote down for the file itself."""
    for value in (document.get("sha256"), decode_object(document.get("Hashes")).get("SHA256")):
        if isinstance(value, str) and is_sha256(value):
            yield value.lower()


def _stated(
    documents: Mapping[str, Mapping[str, object]], versions: Iterable[tuple[str, Mapping[str, object]]]
) -> Iterator[tuple[str, str, object]]:
    for suffix, document in documents.items():
        tips = decode_object(document.get("usage_tips"))
        if "clip_skip" in tips:
            yield suffix, "lora-manager", _stated_number(tips["clip_skip"])
    for suffix, version in versions:
        if version.get("clipSkip") is not None:
            yield suffix, "civitai-version", _stated_number(version["clipSkip"])


def _stated_number(value: object) -> object:
    number = counted(value)
    return value if number is None else number


def _names(
    documents: Mapping[str, Mapping[str, object]], versions: Iterable[tuple[str, Mapping[str, object]]]
) -> Iterator[tuple[str, str]]:
    for suffix, document in documents.items():
        for name in (*_strings(document, *_NAMES), *_model_strings(document, "name", "tags")):
            yield suffix, name
    for suffix, version in versions:
        for name in _strings(version, "name"):
            yield suffix, name


# --- a configuration -------------------------------------------------------------------------------------------------

# What stands below it is indented more; keys stand in lines of their own, or in one: {layer: hidden, layer_idx: 11}.
_SECTION = regex(r"^([ \t]*)[\"']?cond_stage_config\b(.*\n(?:\1[ \t]+.*\n|[ \t]*\n)*)", re.MULTILINE)
_LAYER = regex(r"(?:^|[{,])[ \t]*[\"']?layer[\"']?[ \t]*:[ \t]*[\"']?(\w{1,20})", re.MULTILINE)
_LAYER_INDEX = regex(
    r"(?:^|[{,])[ \t]*[\"']?layer_idx[\"']?[ \t]*:[ \t]*[\"']?([+-]?\d{1,4})[\"']?[ \t]*(?=[,}]|$)", re.MULTILINE
)


def _layers(text: str) -> list[int]:
    """The hidden state that the configuration's text encoder is told to give; 12 and -1 are CLIP-L's last."""
    lines = re.sub(r"[ \t]*#[^\n]*", "", text[:_MAX_TEXT]).splitlines()
    found = _SECTION.search("\n".join([*lines, ""]))
    section = found[2] if found else ""
    layer, index = _LAYER.search(section), _LAYER_INDEX.search(section)
    if layer and layer[1] == "last":
        return [-1]
    return [int(index[1])] if index and (layer is None or layer[1] == "hidden") else []


def _layer_statement(suffix: str, layer: int) -> SkipStatement:
    # Hidden state 0 is the embedding, 12 what the last of CLIP-L's 12 blocks gives.
    skip = 13 - layer if layer > 0 else -layer
    said = f"Its {suffix} reads CLIP's hidden state {layer}"
    if not 1 <= skip <= HIGHEST_SKIP:
        return SkipStatement("yaml", f"{said}, which CLIP-L does not have.", {})
    return SkipStatement("yaml", f"{said}: clip skip {skip}.", {"l": float(skip)})


# --- sample images ---------------------------------------------------------------------------------------------------

_SKIP_KEYS = ("Clip skip", "clipSkip", "CLiP-skip", "Clip Skip", "clip_skip")
_A1111_VERSION = regex(r"\Z|\W{0,4}v?\W?1\.\d", re.IGNORECASE)
_OF_OTHERS = ("App", "comfy")  # SD.Next's own key, and Civitai's for what ComfyUI wrote


def _image_skips(versions: Iterable[tuple[str, Mapping[str, object]]], previews: Iterable[str]) -> Iterator[float]:
    """The skip of each sample image that tells it and was, as far as it tells, made with this model."""
    known: set[str] = set()
    metas: list[Mapping[str, object]] = []
    for _, version in versions:
        id = version.get("id")
        for file in _dictionaries(version.get("files")):
            known.update(text.lower() for text in decode_object(file.get("hashes")).values() if isinstance(text, str))
        shown = [_image_meta(image) for image in _dictionaries(version.get("images"))]
        metas.extend(meta for meta in shown if id is None or (_version_ids(meta) or {id}) >= {id})
    metas.extend(values for text in previews for values in [*parameters(text)][-1:])
    for meta in metas:
        told = _model_hashes(meta)
        if not told or not known or any(hash.startswith(start) for hash in known for start in told):
            skip = _image_skip(meta)
            if skip is not None and 1 <= skip <= HIGHEST_SKIP:
                yield skip


def _image_meta(image: Mapping[str, object]) -> Mapping[str, object]:
    """What an image says it was made with; Civitai's newer answers have that one object deeper."""
    meta = decode_object(image.get("meta"))
    return decode_object(meta.get("meta")) or meta


def _version_ids(meta: Mapping[str, object]) -> set[object]:
    """The ids of the checkpoints' versions that an image says it was made with, where Civitai writes them down."""
    resources = [item for item in _dictionaries(meta.get("civitaiResources")) if item.get("type") == "checkpoint"]
    return {id for item in resources if isinstance(id := item.get("modelVersionId"), int)}


def _model_hashes(meta: Mapping[str, object]) -> list[str]:
    """The (short) hashes of the checkpoint that an image says it was made with."""
    resources = [item for item in _dictionaries(meta.get("resources")) if item.get("type") == "model"]
    found = [
        meta.get("Model hash"),
        decode_object(meta.get("hashes")).get("model"),
        *(r.get("hash") for r in resources),
    ]
    return [value.lower() for value in found if isinstance(value, str) and value]


def _image_skip(meta: Mapping[str, object]) -> float | None:
    """A1111 does not write a skip of 1, nor, before its 1.2, its version, which is "v1.6.0" or "1.1.1".

    Others may not write any skip: of them, an image without one tells nothing.
    """
    for key in _SKIP_KEYS:
        if key in meta:
            return counted(meta[key])
    of_a1111 = _A1111_VERSION.match(str(meta.get("Version", "")))
    return 1.0 if of_a1111 and "Model hash" in meta and not any(key in meta for key in _OF_OTHERS) else None


def _images_statement(skips: tuple[float, ...]) -> Iterator[SkipStatement]:
    counts = Counter(skips)
    skip = samples_majority(counts)
    if skip is not None:
        text = f"{counts[skip]} of its {len(skips)} sample images were made with clip skip {number(skip)}."
        yield SkipStatement("sample-images", text, {"l": skip})


def _parameters(path: Path) -> str:
    """The generation parameters in a PNG file's texts; empty where it has none before its picture, which stays packed.

    Pillow bounds what it unpacks of a text: to a megabyte each, and 64 together.
    """
    try:
        from PIL.PngImagePlugin import PngImageFile

        with open(path, "rb") as file:
            head = io.BytesIO(file.read(_MAX_HEAD))
        with PngImageFile(head) as image:
            # `image.text` would unpack the picture, to find what comes after it.
            parameters = image.info.get("parameters")
    except (OSError, ValueError, SyntaxError, ImportError):  # a SyntaxError is what Pillow says of a broken file
        return ""
    return parameters if isinstance(parameters, str) else ""


# --- descent ---------------------------------------------------------------------------------------------------------


def _hash_evidence(hashes: Iterable[tuple[str, str]]) -> Iterator[Evidence]:
    for suffix, sha256 in hashes:
        known = lookup(sha256)
        if known:
            text = f"Its {suffix} says that the file's sha256 is that of {known.name}."
            yield Evidence("sidecar-hash", PROBABLE, text, known.lineage)


def _text_evidence(texts: Iterable[tuple[str, str]]) -> Iterator[Evidence]:
    for suffix, text in texts:
        named = by_name(text)
        if named:
            yield Evidence("sidecar-text", HINT, f'Its {suffix} mentions "{named.name}".', named.lineage)
            return
