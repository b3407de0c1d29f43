"""What the metadata of a safetensors file says: merge recipes, what it was trained on, and with which skip.

`metadata` is everywhere the header's `__metadata__`, text by text. Anybody can have written it, so nothing in it is
taken to be of the type or the size that its writer gives it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from ....text.bounded_json import as_number, decode, decode_object
from ....text.plain import quote
from ....text.regex import regex
from ...checkpoint import MODELSPEC_TEXTS, is_sha256
from ...mentions import plain_words
from .evidence import HINT, PROBABLE, STRONG, Evidence, SkipStatement, Strength, Verdict
from .known import DESCENT, by_file_name, lookup, lookup_legacy
from .statements import architecture_of, described, skip_statement

# --- merge recipes ---------------------------------------------------------------------------------------------------

MERGE_KEYS = ("sd_merge_recipe", "sd_merge_models", "mecha_recipe", "modelspec.merged_from")

# Where a recipe names its models. A1111, SD.Next, Forge Neo and Chattiori's merger write *_hash; supermerger and
# model-mixer write model_*, as a sha256 or as a name.
_ROLES = ("primary_model_hash", "secondary_model_hash", "tertiary_model_hash", "model_a", "model_b", "model_c")
# The C of A + (B - C), in a recipe whose method is one of the differences; and model-mixer's base, which always is.
_DIFFERENCE_ROLES = ("tertiary_model_hash", "model_c")
_SUBTRACTED_ROLE = "base_model"
_METHODS = ("interp_method", "mode", "merge_method", "merge_mode", "calcmode")
_DIFFERENCE = regex(r"diff|(?:\b|smooth)add\b", re.IGNORECASE)

_MAX_MODELS = 1_000
_MAX_DEPTH = 20
_MAX_TEXT = 1_000_000

# A mecha recipe's lines, which refer to each other by number: model "path" ...; merge "method" &0 &1 ...
_MECHA_MODEL = regex(r'model\s+"((?:[^"\\]|\\.)*)"')
_MECHA_REFERENCE = regex(r"&(\d{1,6})\b")


class _Ingredient(NamedTuple):
    sha256: str = ""
    name: str = ""
    legacy: str = ""

    @classmethod
    def called(cls, name: str) -> _Ingredient:
        """What a recipe calls so, by its sha256 or by a name."""
        return cls(sha256=name.lower()) if is_sha256(name) else cls(name=name)


class _Recipe:
    """Models that went into a merge, and which of them each step adds or subtracts."""

    def __init__(self) -> None:
        self.models: dict[str, _Ingredient] = {}
        self.steps: dict[str, list[tuple[str, bool]]] = {}  # model or step -> what it is made of, and if subtracted

    def subtracted_only(self) -> set[str]:
        """The models that reach the result by subtraction alone.

        A model that no step names at all is not among them: recipes lose their parents' steps, never gain models.
        """
        reached: set[tuple[str, bool]] = set()
        waiting = [("", False)]
        while waiting:
            node, minus = waiting.pop()
            for part, subtracted in self.steps.get(node, ()):
                sign = (part, minus or subtracted)
                if sign not in reached:
                    reached.add(sign)
                    waiting.append(sign)
        return {part for part, minus in reached if minus and (part, False) not in reached}


def _read_json_recipe(metadata: Mapping[str, str]) -> _Recipe:
    recipe = _Recipe()
    _add_models(recipe, decode_object(metadata.get("sd_merge_models")), _MAX_DEPTH)
    recipe.steps.setdefault("", []).extend(_parts(recipe, decode_object(metadata.get("sd_merge_recipe"))))
    return recipe


def _add_models(recipe: _Recipe, table: Mapping[str, object], depth: int) -> None:
    """Adds the models of an `sd_merge_models` object: {sha256: {name, legacy_hash, sd_merge_recipe}}.

    A1111 lays the parents' tables flat beside; Forge Neo nests them under the same name; others nest them in the
    model's own entry.
    """
    for key, value in table.items():
        if depth == 0 or len(recipe.models) >= _MAX_MODELS:
            return
        if key == "sd_merge_models":
            _add_models(recipe, decode_object(value), depth - 1)
            continue
        if key == "sd_merge_recipe":  # of which model is not said
            recipe.steps.setdefault("", []).extend(_parts(recipe, decode_object(value)))
            continue
        entry = decode_object(value)
        sha256 = key.lower() if is_sha256(key) else ""
        name, legacy = (_text(entry.get(word)) for word in ("name", "legacy_hash"))
        node = sha256 or name or key
        recipe.models[node] = _Ingredient(sha256, name, legacy)
        recipe.steps.setdefault(node, []).extend(_parts(recipe, decode_object(entry.get("sd_merge_recipe"))))
        _add_models(recipe, decode_object(entry.get("sd_merge_models")), depth - 1)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _parts(recipe: _Recipe, step: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """The models that one recipe names, and whether it subtracts them."""
    methods = [step.get(key) for key in _METHODS]
    difference = any(isinstance(method, str) and _DIFFERENCE.search(method[:200]) for method in methods)
    unused = _unused(step)
    for role in (*_ROLES, _SUBTRACTED_ROLE):
        value = step.get(role)
        if not isinstance(value, str) or not value or role in unused:
            continue
        found = _Ingredient.called(value)
        # A name: that of a model in the table, or else all that is known of it.
        named = (node for node, model in recipe.models.items() if found.name and model.name == value)
        node = found.sha256 or next(named, value)
        recipe.models.setdefault(node, found)
        yield node, role == _SUBTRACTED_ROLE or (difference and role in _DIFFERENCE_ROLES)


def _unused(step: Mapping[str, object]) -> Collection[str]:
    """The roles in a recipe of A1111 whose models have no part in the result: it took all of the other."""
    method, multiplier = step.get("interp_method"), as_number(step.get("multiplier"))
    if method == "No interpolation" or (method == "Weighted sum" and multiplier == 0):
        return _ROLES[1:3]
    return _ROLES[:1] if method == "Weighted sum" and multiplier == 1 else ()


def _read_comfyui(metadata: Mapping[str, str]) -> _Recipe:
    """The models in the workflow that ComfyUI writes into what it saves."""
    recipe = _Recipe()
    for node in islice(decode_object(metadata.get("prompt")).values(), _MAX_MODELS):
        name = decode_object(decode_object(node).get("inputs")).get("ckpt_name")
        if isinstance(name, str) and name:
            recipe.models[name] = _Ingredient.called(name)
    return recipe


def _read_mecha_recipe(metadata: Mapping[str, str]) -> _Recipe:
    recipe = _Recipe()
    lines = _text(metadata.get("mecha_recipe"))[:_MAX_TEXT].splitlines()
    steps = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(("#", "version"))]
    for index, line in enumerate(steps[:_MAX_MODELS]):
        model = _MECHA_MODEL.match(line)
        if model:
            recipe.models[str(index)] = _Ingredient.called(model[1])
        references = _MECHA_REFERENCE.findall(line)
        subtract = line.startswith('merge "subtract"')
        recipe.steps[str(index)] = [(part, subtract and place > 0) for place, part in enumerate(references)]
    if steps:
        recipe.steps[""] = [(str(min(len(steps), _MAX_MODELS) - 1), False)]
    return recipe


def _read_merged_from(metadata: Mapping[str, str]) -> _Recipe:
    recipe = _Recipe()
    titles = _text(metadata.get("modelspec.merged_from"))[:_MAX_TEXT].split(",")[:_MAX_MODELS]
    recipe.models = {title: _Ingredient.called(title.strip()) for title in titles}
    return recipe


def _descent(model: _Ingredient) -> tuple[Strength, str, str] | None:
    """Strength, name, and by what NovelAI's model or a descendant is recognised in `model`, if it is one."""
    known = lookup(model.sha256)
    if known:
        return (STRONG, known.name, "by its sha256") if known.lineage in DESCENT else None
    # A name is anybody's, and a short hash is many files': only both together tell a model.
    named, short = by_file_name(model.name), lookup_legacy(model.legacy)
    if named:
        return (PROBABLE, model.name, "by its name and short hash") if short else (HINT, model.name, "by its name")
    return (HINT, short.name, "by a short hash that other files share") if short else None


def _merge_evidence(metadata: Mapping[str, str]) -> Iterator[Evidence]:
    """One fact for each way in which a recipe names NovelAI's model or a descendant of it.

    Added by sha256 is strong, by name and short hash together probable, by one of them a hint. A + (NAI - X) adds it.
    Where it is only ever subtracted, as in A + (B - NAI), the result holds of it what B holds beyond it, which may be
    nothing: a hint.
    """
    found: dict[tuple[Strength, str], list[str]] = {}
    for read in (_read_json_recipe, _read_mecha_recipe, _read_merged_from, _read_comfyui):
        recipe = read(metadata)
        subtracted = recipe.subtracted_only()
        for node, model in recipe.models.items():
            descent = _descent(model)
            if descent:
                strength, name, by = descent
                key = (HINT, "only subtracts") if node in subtracted else (strength, f"names {by}:")
                found.setdefault(key, []).append(name)
    for (strength, verb), names in found.items():
        unique = list(dict.fromkeys(names))
        more = f" and {len(unique) - 3} more" if len(unique) > 3 else ""
        text = f"Its merge recipe {verb} {', '.join(quote(name) for name in unique[:3])}{more}."
        yield Evidence("merge-recipe", strength, text, Verdict.NAI_DERIVED)


# --- training --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BaseModel:
    """The checkpoint that a LoRA or a fine-tune was trained on, as far as its trainer wrote it down.

    `sha256` is in lower case; `legacy` is A1111's old 8-digit hash; `name` is a file name, a path or a repository.
    """

    sha256: str | None = None
    legacy: str | None = None
    name: str | None = None


def base_model(metadata: Mapping[str, str]) -> BaseModel | None:
    """What kohya's scripts (`ss_*`) or OneTrainer (`ot_config`) say that the file was trained on."""
    sha256 = metadata.get("ss_new_sd_model_hash")
    legacy = metadata.get("ss_sd_model_hash")
    name = metadata.get("ss_sd_model_name") or decode_object(metadata.get("ot_config")).get("base_model_name")
    base = BaseModel(
        sha256.lower() if isinstance(sha256, str) and is_sha256(sha256) else None,
        legacy.lower() if isinstance(legacy, str) and re.fullmatch(r"[0-9a-fA-F]{8}", legacy) else None,
        name[:300] if isinstance(name, str) and name and name != "None" else None,
    )
    return base if base != BaseModel() else None


def _trainer_evidence(metadata: Mapping[str, str]) -> Iterator[Evidence]:
    """What the model was trained on, by the trainer's word: probable by sha256, or by name and short hash
    together; by one of these a hint.

    A merge carries along what was written into its ingredients, so there a base that is free of NovelAI's model says
    nothing of the other ingredients.
    """
    base = base_model(metadata)
    if base is None:
        return
    said = "Its metadata says that it was trained on"
    descent = _descent(_Ingredient(base.sha256 or "", base.name or "", base.legacy or ""))
    known = lookup(base.sha256) if base.sha256 else None
    if descent:
        strength, name, by = descent
        weaker = HINT if strength == HINT else PROBABLE
        yield Evidence("trainer-metadata", weaker, f"{said} {quote(name)}, recognised {by}.", Verdict.NAI_DERIVED)
    elif known and not any(key in metadata for key in MERGE_KEYS):
        yield Evidence("trainer-metadata", PROBABLE, f"{said} {quote(known.name)}: {known.why}.", Verdict.NOT_NAI)


def lineage_evidence(metadata: Mapping[str, str]) -> list[Evidence]:
    """What the metadata says on descent from NovelAI's SD 1.x model; ids "merge-recipe" and "trainer-metadata"."""
    return [*_merge_evidence(metadata), *_trainer_evidence(metadata)]


# --- the skip it was trained with ------------------------------------------------------------------------------------

# Where a model's maker writes to its users: ModelSpec's, kohya's own, and Additional Networks'.
_TEXTS = (*MODELSPEC_TEXTS, "ss_training_comment", "ssmd_description")

# OneTrainer's keys, in the order of the architecture's encoders. It counts from where the architecture reads, from 0.
_ONETRAINER = ("text_encoder_layer_skip", "text_encoder_2_layer_skip")


def skip_statements(metadata: Mapping[str, str], architecture_id: str) -> list[SkipStatement]:
    """The skip that the file was trained with, by its metadata; ids "modelspec", "ss-clip-skip", "ot-config".

    And what its maker's texts in it recommend: id "description".
    """
    statements = []
    if "modelspec.encoder_layer" in metadata:
        value = metadata["modelspec.encoder_layer"]
        source = "Its metadata (modelspec.encoder_layer)"
        statements.append(skip_statement("modelspec", source, value, architecture_id, trained=True))
    if "ss_clip_skip" in metadata:
        statements.append(_kohya_statement(metadata["ss_clip_skip"], architecture_id))
    statements.extend(_onetrainer_statements(decode(metadata.get("ot_config")), architecture_id))
    texts = ((f"Its metadata ({key})", plain_words(_text(metadata.get(key)))) for key in _TEXTS)
    statements.extend(described(texts, architecture_id))
    return statements


def _kohya_statement(value: object, architecture_id: str) -> SkipStatement:
    """kohya's scripts obey their --clip_skip on SD 1.x only, and write "None" where it was not given."""
    source = "Its metadata (ss_clip_skip)"
    if architecture_id != "sd1":
        return SkipStatement(
            "ss-clip-skip", f"{source} says {quote(value)}, which its trainer used on SD 1.x only.", {}, True
        )
    if value == "None":
        return SkipStatement("ss-clip-skip", f"{source} says that it was trained without clip skip.", {"l": 1.0}, True)
    return skip_statement("ss-clip-skip", source, value, architecture_id, trained=True)


def _onetrainer_statements(config: object, architecture_id: str) -> Iterator[SkipStatement]:
    if not isinstance(config, dict):
        return
    skip = {}
    for key, encoder in zip(_ONETRAINER, architecture_of(architecture_id).encoders, strict=False):
        if key not in config:
            continue
        skipped = as_number(config[key])
        if skipped is None or not 0 <= skipped < encoder.trained_depth:
            text = f"Its metadata (ot_config) says {key} {quote(config[key])}, which is not a number from 0 to"
            yield SkipStatement("ot-config", f"{text} {encoder.trained_depth - 1}.", {}, True)
        else:
            skip[encoder.id] = 1 + skipped
    if skip:
        said = ", ".join(f"{key} {quote(config[key])}" for key in _ONETRAINER if key in config)
        yield SkipStatement("ot-config", f"Its metadata (ot_config) says {said}, counted from 0.", skip, True)
