"""Clip skips named by lists and by other programs' files: notes, sidecars, presets, styles, options and infotext.

None of these tells for sure which model it means, nor the model's architecture: what they do say is in `Found`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePath

from ...skip.architectures import ENCODER_IDS
from ...skip.infotext import HOST_KEY, NEXT_HOST_KEY, parameters
from ...skip.numbers import counted
from ...skip.parameters import PARAMETERS
from ...text.bounded_json import as_number, decode, decode_object
from ...text.plain import quote
from ...text.regex import regex
from ..checkpoint import MODEL_SUFFIXES, MODELSPEC_TEXTS, SIDECAR_DOCUMENTS, is_sha256
from ..mentions import mentioned_skips, plain_words
from .preset import stem

# The ids of controls and options. Others only have the words in them: our own options, reForge's, ADetailer's.
_FIELD = regex(
    r"(?:(?:txt2img|img2img|setting|default)_)*"
    r"(?:clip_?stop_?at_?(?:last_?)?layers?|stop_at_clip_layer|clip[ _-]?skip)",
    re.I,
)
_OF_A_CONTROL = regex(r"(?:txt2img|img2img|setting)_", re.I)
_MODEL_FIELD = regex(
    r"(?:(?:txt2img|img2img|setting|default|base|sd)_)*(?:model|checkpoint|ckpt)(?:_?(?:name|file|path|title|checkpoint))?",
    re.I,
)
_HASH_FIELD = regex(r"(?:sd_)?model[ _]?hash|sha-?256|hash", re.I)
_HASH = regex(r"[0-9a-fA-F]{8,64}")
# Where others write the name of a file, of whatever kind.
_FILE_FIELDS = ("name", "file", "filename", "file_name")
_SKIP_KEYS = (HOST_KEY.lower(), NEXT_HOST_KEY.lower())  # others write them in other letters
_CIVITAI_HASH = regex(r'"model": ?"([0-9a-fA-F]{10,64})"')
# What Civitai and others call SD 1.x.
_SD1 = regex(r"(?:sd|stable[ _-]?diffusion)[ _-]*v?1(?:[. ][0-5x]|[1-5x])?(?:[ _/-].*)?", re.I)
# Where programs say what the base of a model is.
_ARCHITECTURE_FIELDS = ("baseModel", "base_model", "BaseModel", "sd version", "modelspec.architecture")
_MAX_ENTRIES, _MAX_DEPTH = 10_000, 6


@dataclass(frozen=True)
class Found:
    """One clip skip that a text names. `source` says where.

    `counted` holds the numbers named, in A1111's counting from the last block: none or several are no recommendation.
    `skip` is in the user's number by encoder id, where the text is our own infotext. `name` may tell the model's
    folder, and where `guessed` may be no model's at all. `hash` is the model file's SHA-256 or its beginning;
    `architecture` an id of `architectures`, "" if not told.
    """

    source: str
    counted: frozenset[float] = frozenset()
    skip: Mapping[str, float] = field(default_factory=dict)
    name: str = ""
    hash: str = ""
    architecture: str = ""
    guessed: bool = False


def find(text: str, filename: str = "") -> list[Found]:
    """Every clip skip that the text of a file names, in the order of the text. Never raises."""
    top = decode(text)
    if isinstance(top, str) or top is None:
        found = list(_in_text(text, filename or "the text"))
        is_infotext = "Steps: " in text or any(each.name or each.hash for each in found)
        return found if is_infotext else list(_in_notes(text)) or found
    return list(_in_object(top, filename) if isinstance(top, dict) else _in_parts(top))


def _in_object(top: Mapping[str, object], filename: str) -> Iterable[Found]:
    if "default_preset" in top and isinstance(top.get("presets"), dict):
        return _in_model_preset_manager(top, filename)
    record = list(_in_record(filename or "the text", top))
    if any(each.name or each.hash for each in record):
        return record
    return list(_in_sidecar(top, filename)) or record or list(_in_workflow("the workflow", top)) or _in_parts(top)


def _in_parts(whole: object, depth: int = 0) -> Iterator[Found]:
    """The presets in a table or a list, also in those in it, and infotext there."""
    is_table = isinstance(whole, dict) and (depth == 0 or all(isinstance(part, dict) for part in whole.values()))
    parts: Iterable[tuple[str, object]] = ()
    if isinstance(whole, dict):
        parts = ((name, part) for name, part in whole.items())
    elif isinstance(whole, list):
        parts = (("", part) for part in whole)
    for place, (name, part) in enumerate(islice(parts, _MAX_ENTRIES), 1):
        source = quote(name) if name else f"entry {place}"
        if isinstance(part, str) and "Steps: " in part and not part.startswith("{"):
            yield from _in_text(part, source)
            continue
        part = decode(part) if isinstance(part, str) and part.startswith("{") else part
        found = [*_in_entry(source, name if is_table else "", part)] or [*_in_workflow(source, part)]
        yield from found or (_in_parts(part, depth + 1) if depth < _MAX_DEPTH else ())


# --- infotext --------------------------------------------------------------------------------------------------------


def _in_text(text: str, source: str) -> Iterator[Found]:
    """A1111's infotext, one or many: the line of parameters of each tells its model."""
    for written in parameters(text):
        values = {key.lower(): value for key, value in written.items()}
        named = (*_SKIP_KEYS, *(key for key in values if _FIELD.fullmatch(key)))
        number = next((counted(values[key]) for key in named if key in values), None)
        hash = _CIVITAI_HASH.search(values.get("hashes", ""))
        skip = {}
        for id in ENCODER_IDS:
            ours = as_number(values.get(str(PARAMETERS[id].infotext).lower()))
            if ours is not None:
                skip[id] = ours
        if number is not None or skip:
            yield Found(
                source,
                frozenset() if number is None else frozenset({number}),
                skip,
                values.get("model", ""),
                (values.get("model hash") or (hash[1] if hash else "")).lower(),
            )


# "photo.safetensors: clip skip 2", and what else people put between the two.
_NOTE = regex(r"(.{1,300}?)[\s:=,;|(\u2013\u2014-]{1,20}(?=clip[ _-]?skip\b)", re.I)
_BULLETS = " \t*\u2022>-"


def _in_notes(text: str) -> Iterator[Found]:
    """A person's own list: on each line the name of a model, and what its clip skip is to be."""
    for line in text.splitlines()[:_MAX_ENTRIES]:
        line = line.strip(_BULLETS)[:400]
        note = _NOTE.match(line)
        skips = frozenset(mentioned_skips(plain_words(line[note.end() :]))) if note else None
        if note and skips:
            yield Found(quote(note[1]), skips, name=note[1], guessed=not _is_file(note[1]))


def _in_model_preset_manager(top: Mapping[str, object], filename: str) -> Iterator[Found]:
    """{"url", "default_preset", "trigger_words", "presets": {name: infotext}} in a file named by the model's hash.

    The default preset speaks for the model; where it names no clip skip, the others do if they agree.
    """
    named = {
        name: list(_in_text(text, quote(name)))
        for name, text in decode_object(top["presets"]).items()
        if isinstance(text, str)
    }
    default = top["default_preset"]
    found = named.get(default if isinstance(default, str) else "") or [
        each for several in named.values() for each in several
    ]
    if not found:
        return
    short = PurePath(filename).stem.lower()
    yield Found(
        found[0].source if len(found) == 1 else f"{len(found)} presets",
        frozenset().union(*(each.counted for each in found)),
        found[0].skip if all(each.skip == found[0].skip for each in found) else {},
        next((each.name for each in found if each.name), ""),
        short if re.fullmatch(r"[0-9a-f]{8,64}", short) else next((each.hash for each in found if each.hash), ""),
    )


# --- what lies beside a model ----------------------------------------------------------------------------------------


def _in_sidecar(top: Mapping[str, object], filename: str) -> Iterator[Found]:
    """A model's notes and what other programs write beside it: see `inspect.evidence.sidecars` for who writes which.

    A document on several versions of a model speaks for those whose file has the sidecar's name.
    """
    suffix = next((suffix for suffix in SIDECAR_DOCUMENTS if filename.lower().endswith(suffix)), "")
    beside = filename[: len(filename) - len(suffix)] if suffix else PurePath(filename).stem
    one = decode_object(top.get("civitai")) or top
    versions: list[Mapping[str, object]] = [*_objects(top.get("modelVersions"))] or [one]
    files = [(version, file) for version in versions for file in _model_files(version)]
    own = [(version, file) for version, file in files if stem(_text(file.get("name"))) == stem(beside)]
    speaking = own or (files if len(versions) == 1 else [])
    told = _sha256(top.get("sha256")) or _sha256(decode_object(top.get("Hashes")).get("SHA256"))
    source = f"the notes in {quote(filename)}" if filename else "the notes"
    found = Found(source, name=beside or _text(top.get("file_name")))
    if told or not speaking:
        version = own[0][0] if own else versions[0] if len(versions) == 1 else {}
        yield from _of_version(replace(found, hash=told), top, version)
        return
    for version, file in speaking:
        hashes = decode_object(file.get("hashes"))
        hash = _sha256(hashes.get("SHA256")) or _text(hashes.get("AutoV2")).lower()
        yield from _of_version(replace(found, hash=hash), top, version)


def _of_version(found: Found, top: Mapping[str, object], version: Mapping[str, object]) -> Iterator[Found]:
    """`found` with what the sidecar `top` says of this version: a number before words, its own before the model's."""
    tips = decode_object(top.get("usage_tips"))
    number = counted(tips["clip_skip"] if "clip_skip" in tips else version.get("clipSkip"))
    counts = frozenset() if number is None else frozenset({number})
    models = (decode_object(version.get("model")), decode_object(top.get("model")))
    modelspec = {**decode_object(top.get("__metadata__")), **top}
    for texts in (
        [version.get("description") if version is not top else None, top.get("VersionDescription")],
        [top.get("notes"), top.get("description"), *(modelspec.get(key) for key in MODELSPEC_TEXTS)],
        [top.get("modelDescription"), top.get("ModelDescription"), *(model.get("description") for model in models)],
    ):
        counts = counts or frozenset(mentioned_skips(plain_words("\n".join(filter(None, map(_text, texts))))))
    if counts:
        kinds = [*(model.get("type") for model in models), top.get("type") if "modelVersions" in top else None]
        kinds += [top.get(key) for key in ("ModelType", "model_type")]
        told = [version.get("baseModel"), *(modelspec.get(key) for key in _ARCHITECTURE_FIELDS)]
        # A preset is a checkpoint's: of another kind of file, that is what it is.
        words = next(
            filter(None, map(_text, [*(kind for kind in kinds if _text(kind).lower() != "checkpoint"), *told])), ""
        )
        yield replace(found, counted=counts, architecture=_architecture(words))


def _model_files(version: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The files of a Civitai version that are models; it may list a VAE or training data too."""
    for file in _objects(version.get("files")):
        if file.get("type", "Model") in ("Model", "Pruned Model"):
            yield file


def _architecture(words: str) -> str:
    """The id of the architecture that a program calls so; its own words for one that is not SD 1.x."""
    return "" if words == "Unknown" else "sd1" if _SD1.fullmatch(words[:80].strip()) else words


def _objects(value: object) -> list[dict[str, object]]:
    return [item for item in value[:_MAX_ENTRIES] if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _sha256(value: object) -> str:
    return value.lower() if is_sha256(value) else ""


# --- presets, styles and options -------------------------------------------------------------------------------------


def _in_record(source: str, record: object) -> Iterator[Found]:
    """One preset, style, or set of options: values by the ids of the controls or options that they belong to."""
    if not isinstance(record, dict):
        return
    numbers: set[float] = set()
    name = hash = told = file = architecture = ""
    model = record.get("model")
    of_invoke = False
    if isinstance(model, dict) and ("base" in model or "base_model" in model):
        of_invoke = True
        name = _text(model.get("name")) or _text(model.get("model_name"))
        architecture = _architecture(_text(model.get("base")) or _text(model.get("base_model")))
    for key, value in {**record, **decode_object(record.get("override_settings"))}.items():
        number = counted(value)
        if _FIELD.fullmatch(key) and number is not None:
            numbers.add(number + of_invoke)  # InvokeAI counts what it skips, from 0
        elif _MODEL_FIELD.fullmatch(key) and isinstance(value, str):
            if _architecture(value) == "sd1":  # some name the base model's kind there
                architecture = "sd1"
                continue
            name, hash = value, _hash_of(value) or hash
        elif _HASH_FIELD.fullmatch(key) and isinstance(value, str) and _HASH.fullmatch(value):
            told = value.lower()
        elif key.lower() in _FILE_FIELDS and _is_file(value):
            file = value
        elif isinstance(value, list):  # A1111's override settings: ["Clip skip: 2", "Model hash: 0123456789"]
            for found in _in_text(", ".join(item for item in value if isinstance(item, str)), source):
                numbers |= found.counted
                name, hash = found.name or name, found.hash or hash
    # Of an image, as Civitai keeps it.
    models = (each.get("hash") for each in _objects(record.get("resources")) if each.get("type") == "model")
    told = (
        told or next(filter(None, map(_text, (decode_object(record.get("hashes")).get("model"), *models))), "").lower()
    )
    checkpoint = _sha256(record.get("sd_checkpoint_hash"))
    if hash and checkpoint.startswith(hash):  # a title without a hash may be newer than the hash beside it
        hash = checkpoint
    elif told.startswith(hash):
        hash = told
    name = name or file
    several = record.get("checkpoints")  # of a style of Krita's AI plug-in, whose 0 leaves the skip to the program
    names = [each for each in several if isinstance(each, str)] if isinstance(several, list) else []
    if numbers - {0.0} if names else numbers:
        for each in names or [name]:
            yield Found(source, frozenset(numbers), name=each, hash=hash, architecture=architecture)


def _hash_of(title: str) -> str:
    """The hash, maybe cut short, that a model's title or its key in a table tells; "" where none."""
    found = re.search(rf"\[({_HASH.pattern})\]\s*$", title)
    return found[1].lower() if found else _sha256(title)


def _is_file(name: object) -> bool:
    return isinstance(name, str) and name.lower().endswith(MODEL_SUFFIXES)


def _in_entry(source: str, name: str, record: object) -> Iterator[Found]:
    """One entry of a table by names of presets, or of models where no control's id shows that they are presets.

    Without a `name` it is one of a list.
    """
    if not isinstance(record, dict):
        return
    if needs := decode_object(record.get("requirements")):  # AI Horde's reference of models
        config = decode_object(record.get("config"))
        files = [_sha256(file.get("sha256sum")) for key in ("files", "download") for file in _objects(config.get(key))]
        baseline, known_as = _architecture(_text(record.get("baseline"))), name or _text(record.get("name"))
        for each in _in_record(source, needs):
            yield replace(each, name=known_as, hash="".join(files)[:64], architecture=baseline, guessed=True)
    of_a_control = any(_OF_A_CONTROL.match(key) for key in record)
    for each in _in_record(source, record):
        if each.name or of_a_control or not name:
            yield each
        else:
            is_file = _is_file(name) or _is_file(name.rpartition("[")[0].rstrip())
            yield replace(each, name=name, hash=each.hash or _hash_of(name), guessed=not is_file)


# The nodes of ComfyUI whose first value, which its page saves without a name, is the input of this name.
_SAVED_NODES = {"CheckpointLoaderSimple": "ckpt_name", "CLIPSetLastLayer": "stop_at_clip_layer"}


def _in_workflow(source: str, nodes: object) -> Iterator[Found]:
    """A workflow as ComfyUI's API takes it or as its page saves it, where one node loads the only model and another
    sets the skip."""
    inputs = [
        (key, value)
        for node in _objects(nodes.get("nodes") if isinstance(nodes, dict) else None)
        if (key := _SAVED_NODES.get(_text(node.get("type")))) and isinstance(values := node.get("widgets_values"), list)
        for value in values[:1]
    ] + [
        item
        for node in (nodes.values() if isinstance(nodes, dict) else ())
        if isinstance(node, dict) and "class_type" in node
        for item in decode_object(node.get("inputs")).items()
    ]
    names = {value for key, value in inputs if key == "ckpt_name" and isinstance(value, str)}
    numbers = {counted(value) for key, value in inputs if _FIELD.fullmatch(key)} - {None}
    if numbers and len(names) == 1:
        yield Found(source, frozenset(filter(None, numbers)), name=names.pop())
