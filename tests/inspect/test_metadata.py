"""Merge recipes and training metadata, in the shape that each program writes them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.models.inspect.evidence.evidence import HINT, PROBABLE, STRONG, Strength, Verdict
from clip_skip.models.inspect.evidence.metadata import (
    MERGE_KEYS,
    BaseModel,
    base_model,
    lineage_evidence,
    skip_statements,
)
from clip_skip.models.inspect.verdict import ladder
from clip_skip.skip.architectures import ARCHITECTURES

NAI = "89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8"
NAI_SFW = "22fa233c2dfd7748d534be603345cb9abf994a23244dfdfc1013f4f90322feca"
NAI_LATEST = "a7529df02340e5b4c3870c894c1ae84f22ea7b37fd0633e5bacfad9618228032"
NAI_FP16 = "06bece8e771a9ec16474db4c7d601d2f04fd08d1b1611072e7dd97c18cec3a09"
ANYTHING = "543bcbc21294831c6245cd74c8a7707761e28812c690f946cb81fef930d54b5e"
GAPE = "893cca5903ccd0519876f58f4bc188dd8fcc5beb8a69c1a3f1a5fe314bb573f5"
SD15 = "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa"
INPAINTING = "c6bbc15e3224e6973459ba78de4998b80b50112b0ae5b5c67113d56b4e366b19"
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def a1111(primary, secondary=None, tertiary=None, method="Weighted sum", **more):
    """A recipe as A1111's checkpoint merger writes it (modules/extras.py)."""
    return {
        "type": "webui",
        "primary_model_hash": primary,
        "secondary_model_hash": secondary,
        "tertiary_model_hash": tertiary,
        "interp_method": method,
        "multiplier": 0.3,
        "save_as_half": True,
        "custom_name": "",
        "config_source": 0,
        "bake_in_vae": "None",
        "discard_weights": "",
        "is_inpainting": False,
        "is_instruct_pix2pix": False,
        **more,
    }


def entry(name, legacy=None, recipe=None):
    return {"name": name, "legacy_hash": legacy, "sd_merge_recipe": recipe}


def metadata(recipe, models):
    return {"format": "pt", "sd_merge_recipe": json.dumps(recipe), "sd_merge_models": json.dumps(models)}


def verdicts(found):
    return [(fact.id, fact.strength, fact.verdict) for fact in found]


STRONGLY = [("merge-recipe", STRONG, "nai-derived")]
PROBABLY = [("merge-recipe", PROBABLE, "nai-derived")]
AS_A_HINT = [("merge-recipe", HINT, "nai-derived")]


# --- merge recipes ---------------------------------------------------------------------------------------------------


def test_a1111_weighted_sum():
    (fact,) = lineage_evidence(
        metadata(a1111(A, NAI), {A: entry("mix.safetensors", "11111111"), NAI: entry("x.ckpt", "925997e9")})
    )
    assert verdicts([fact]) == STRONGLY
    assert fact.text == 'Its merge recipe names by its sha256: "animefull-final-pruned.ckpt".'


def test_a1111_parents_lie_beside():
    parent = a1111(B, NAI)
    models = {A: entry("a"), C: entry("c", None, parent), B: entry("b"), NAI: entry("nai.ckpt")}
    assert verdicts(lineage_evidence(metadata(a1111(A, C), models))) == STRONGLY


def test_a1111_recipe_made_before_the_hash_was_known():
    models = {NAI: entry("x.ckpt", "925997e9"), A: entry("a.safetensors")}
    assert verdicts(lineage_evidence(metadata(a1111(None, A), models))) == STRONGLY


def test_blood_orange_mix():
    """Step 1: Anything + (NAI - NAI sfw); step 2: that + (Gape - NAI)."""
    first = a1111(ANYTHING, NAI, NAI_SFW, "Add difference")
    second = a1111(A, GAPE, NAI, "Add difference")
    models = {
        A: entry("tempmix-part1.safetensors", None, first),
        ANYTHING: entry("anything.ckpt", "2700c435"),
        NAI: entry("nai.ckpt", "925997e9"),
        NAI_SFW: entry("sfw.ckpt", "1d4a34af"),
        GAPE: entry("gape60.ckpt", "25396b85"),
    }
    found = lineage_evidence(metadata(second, models))
    assert verdicts(found) == [*STRONGLY, *AS_A_HINT]
    assert "Anything V3" in found[0].text and "animefull" in found[0].text and "animesfw" not in found[0].text
    assert "only subtracts" in found[1].text and "animesfw" in found[1].text


def test_inpainting_merge_of_nai():
    recipe = a1111(INPAINTING, NAI, SD15, "Add difference", is_inpainting=True, multiplier=1.0)
    models = {INPAINTING: entry("sd-v1-5-inpainting.ckpt"), NAI: entry("nai.ckpt"), SD15: entry("v1-5.safetensors")}
    assert verdicts(lineage_evidence(metadata(recipe, models))) == STRONGLY


@pytest.mark.parametrize(
    "recipe",
    [
        a1111(A, B, NAI, "Add difference"),
        {**a1111(A, B, NAI), "interp_method": None, "type": "SDNext", "merge_mode": "add_difference"},
        {**a1111(A, B, NAI), "interp_method": None, "type": "merge-models-chattiori", "merge_method": "Add Difference"},
        {"type": "sd-webui-supermerger", "model_a": A, "model_b": B, "model_c": NAI, "mode": "Add"},
        {
            "type": "sd-webui-supermerger",
            "model_a": A,
            "model_b": B,
            "model_c": NAI,
            "mode": "Add difference:A+(B-C)*a",
        },
        {"type": "sd-webui-supermerger", "model_a": A, "model_b": B, "model_c": NAI, "calcmode": "trainDifference"},
        {"type": "sd-webui-supermerger", "model_a": A, "model_b": B, "model_c": NAI, "mode": "smoothAdd"},
        {"type": "sd-webui-model-mixer", "model_a": "a", "base_model": "nai_full.ckpt", "mode": ["Add-Diff"]},
    ],
)
def test_subtracted_alone_is_a_hint(recipe):
    models = {A: entry("a"), B: entry("b"), NAI: entry("nai_full.ckpt")}
    assert verdicts(lineage_evidence(metadata(recipe, models))) == AS_A_HINT


def test_subtracted_through_a_parent_is_a_hint():
    models = {A: entry("a"), B: entry("b"), C: entry("c", None, a1111(NAI, SD15)), NAI: entry("nai"), SD15: entry("sd")}
    assert verdicts(lineage_evidence(metadata(a1111(A, B, C, "Add difference"), models))) == AS_A_HINT


@pytest.mark.parametrize("mode", ["Triple", "Triple sum:A*(1-alpha-beta)+B*alpha+C*beta", "Twice", "Weight"])
def test_supermerger_adds_its_third_model(mode):
    recipe = {
        "type": "sd-webui-supermerger",
        "weights_alpha": None,
        "weights_beta": None,
        "model_a": A,
        "model_b": B,
        "model_c": NAI,
        "base_alpha": 0.5,
        "base_beta": 0.25,
        "mode": mode,
        "mbw": False,
        "elemental_merge": "",
        "calcmode": "normal",
    }
    models = {key: {"name": key[:4], "legacy_hash": None} for key in (A, B, NAI)}
    assert verdicts(lineage_evidence(metadata(recipe, models))) == STRONGLY


@pytest.mark.parametrize(
    "recipe, has_part",
    [
        (a1111(A, NAI, multiplier=0), False),
        (a1111(A, NAI, multiplier=0.05), True),
        (a1111(NAI, A, multiplier=1.0), False),
        (a1111(A, NAI, multiplier=1.0), True),
        (a1111(A, NAI, B, "No interpolation"), False),
        (a1111(NAI, A, None, "No interpolation"), True),
    ],
)
def test_of_a_model_that_had_no_part_nothing_descends(recipe, has_part):
    assert verdicts(lineage_evidence({"sd_merge_recipe": json.dumps(recipe)})) == (STRONGLY if has_part else [])


@pytest.mark.parametrize(
    "name, found", [("animefull-final-pruned.safetensors", AS_A_HINT), ("NAI\\photo.safetensors", [])]
)
def test_the_workflow_of_what_comfyui_merged(name, found):
    loader = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": name}}
    merge = {"class_type": "ModelMergeSimple", "inputs": {"model1": ["1", 0], "model2": ["2", 0], "ratio": 0.5}}
    prompt = {"1": loader, "2": {**loader, "inputs": {"ckpt_name": "x"}}, "3": merge, "4": None, "5": {"inputs": [1]}}
    assert verdicts(lineage_evidence({"prompt": json.dumps(prompt)})) == found


def test_a_mark_before_the_json():
    assert verdicts(lineage_evidence({"sd_merge_recipe": "\ufeff" + json.dumps(a1111(NAI))})) == STRONGLY


def test_model_mixer_names_its_models():
    recipe = {
        "type": "sd-webui-model-mixer",
        "blocks": "ALL",
        "mbw": False,
        "weights_alpha": {},
        "alpha": {"model_b": 0.5},
        "model_a": "cetus.safetensors [aaaaaaaaaa]",
        "mode": {"model_b": "Sum"},
        "calcmode": "normal",
        "recipe": "cetus x (1-alpha_0) + nai x alpha_0",
    }
    models = {A: entry("cetus.safetensors [aaaaaaaaaa]"), NAI: entry("nai.ckpt [89d59c3dde]")}
    assert verdicts(lineage_evidence(metadata(recipe, models))) == STRONGLY


@pytest.mark.parametrize("as_text", [True, False])
def test_forge_neo_nests_parents(as_text):
    """Its sd_merge_models holds the parents' two keys beside the hashes, as objects or as their JSON."""
    nested = {NAI: {"name": "nai", "legacy_hash": ""}}
    parents = {"sd_merge_recipe": a1111(B, C), "sd_merge_models": json.dumps(nested) if as_text else nested}
    models = {A: {"name": "a", "legacy_hash": "11111111"}, **parents}
    assert verdicts(lineage_evidence(metadata(a1111(A, B), models))) == STRONGLY


@pytest.mark.parametrize("times", [1, 2, 3])
def test_encoded_again_and_again(times):
    values = metadata(a1111(A, NAI), {A: entry("a"), NAI: entry("n")})
    for _ in range(times - 1):
        values = {key: json.dumps(value) for key, value in values.items()}
    assert verdicts(lineage_evidence(values)) == STRONGLY


def test_upper_case_hash_and_recipe_alone():
    assert verdicts(lineage_evidence({"sd_merge_recipe": json.dumps(a1111(A, NAI.upper()))})) == STRONGLY
    assert verdicts(lineage_evidence({"sd_merge_models": json.dumps({NAI.upper(): entry("n")})})) == STRONGLY


def test_a_name_or_a_short_hash_is_a_hint_and_both_together_are_probable():
    found = lineage_evidence(metadata(a1111(A, B), {A: entry("animefull-v2.ckpt"), B: entry("b", "925997e9")}))
    assert verdicts(found) == [*AS_A_HINT, *AS_A_HINT]
    found = lineage_evidence(metadata(a1111(A, B), {A: entry("a"), B: entry("animefull.ckpt", "925997e9")}))
    assert verdicts(found) == PROBABLY
    assert verdicts(lineage_evidence(metadata(a1111(None), {"null": entry("my.ckpt", "2700c435")}))) == AS_A_HINT


def test_a_known_stranger_with_a_telling_name_says_nothing():
    assert lineage_evidence(metadata(a1111(A, SD15), {A: entry("a"), SD15: entry("nai.ckpt", "925997e9")})) == []


MECHA = """version 0.1.0
model "{0}" model_config="sd1-ldm" merge_space="weight"
model "{1}" model_config="sd1-ldm" merge_space="weight"
model "{2}" model_config="sd1-ldm" merge_space="weight"
merge "subtract" &1 &2
merge "add_difference" &0 &3 alpha=0.5"""


@pytest.mark.parametrize(
    "models, expected",
    [
        (("ghostmix.safetensors", "animefull-final-pruned.safetensors", "v1-5-pruned"), AS_A_HINT),
        (("sd\\\\AbyssOrangeMix2_hard.safetensors", "b", "v1-5-pruned"), AS_A_HINT),
        (("E:\\\\NOVELAI\\\\webui\\\\photo_8.safetensors", "D:/novelai-webui-aki-v3/b.ckpt", "NAI/c"), []),
        (("ghostmix.safetensors", "b", "animefull-final-pruned.ckpt"), AS_A_HINT),
        (("ghostmix.safetensors", "noobaiXLNAIXL_v1", "sd_xl_base"), []),
    ],
)
def test_mecha(models, expected):
    assert verdicts(lineage_evidence({"mecha_recipe": MECHA.format(*models)})) == expected


def test_merged_from():
    found = lineage_evidence({"modelspec.merged_from": "My Model, Anything V3.0 pruned, Other"})
    assert verdicts(found) == AS_A_HINT and '"Anything V3.0 pruned"' in found[0].text
    assert lineage_evidence({"modelspec.merged_from": "NoobAI-XL, NAI-XL"}) == []


def test_a_sha256_in_the_place_of_a_name():
    mecha = MECHA.format("ghostmix.safetensors", ANYTHING.upper(), "v1-5-pruned")
    for told in ({"modelspec.merged_from": f"My Model, {ANYTHING}"}, {"mecha_recipe": mecha}):
        (fact,) = lineage_evidence(told)
        assert fact.strength == STRONG and "Anything V3" in fact.text


@pytest.mark.parametrize("folder", ["NAI\\", "NAI/", "E:\\NOVELAI\\webui\\", "D:/novelai-webui-aki-v3/models/"])
def test_a_folder_is_nobodys_name(folder):
    name = f"{folder}photo_8.safetensors"
    assert lineage_evidence(metadata(a1111(A), {A: entry(name)})) == []
    assert lineage_evidence(metadata(a1111(A), {A: entry(name, "925997e9")}))[0].strength == HINT
    assert lineage_evidence({"mecha_recipe": f'version 0.1.0\nmodel {json.dumps(name)} "sd1" "base"'}) == []
    assert lineage_evidence({"ot_config": json.dumps({"base_model_name": name})}) == []
    assert lineage_evidence({"ss_sd_model_name": name}) == []


def test_quoted_names_are_plain_text():
    name = "animefull\x1b[2J\n\u202e" + "x" * 500
    (fact,) = lineage_evidence({"sd_merge_models": json.dumps({A: entry(name)})})
    assert '"animefull [2J xxx' in fact.text and fact.text.isprintable() and len(fact.text) < 150


def test_many_names_are_cut():
    models = {f"{n:064x}": entry(f"anything-v3-{n}.ckpt") for n in range(2, 40)}
    (fact,) = lineage_evidence({"sd_merge_models": json.dumps(models)})
    assert fact.text.endswith("and 35 more.")


# --- training --------------------------------------------------------------------------------------------------------

SORAKA = {
    "ss_base_model_version": "sd_v1",
    "ss_clip_skip": "2",
    "ss_network_alpha": "9",
    "ss_network_dim": "18",
    "ss_network_module": "networks.lora",
    "ss_new_sd_model_hash": NAI_FP16,
    "ss_output_name": "Soraka_Classic",
    "ss_sd_model_hash": "0b1893f6",
    "ss_sd_model_name": "animefull-final-pruned-fp16.safetensors",
    "ss_v2": "False",
    "sshs_legacy_hash": "f860fb16",
    "sshs_model_hash": "7a26da1e4ea1ba366c5a1d2dd7ca0db6cd0904ede853f409923c2cd7d9fca414",
}
SURTR = {"modelspec.encoder_layer": "2", "modelspec.architecture": "stable-diffusion-v1/lora"}
SURTR["ss_new_sd_model_hash"] = NAI_LATEST
ON_SD15 = {
    "ss_clip_skip": "None",
    "ss_new_sd_model_hash": SD15,
    "ss_sd_model_hash": "81761151",
    "ss_sd_model_name": "v1-5-pruned-emaonly.safetensors",
}
ONETRAINER = {
    "ot_branch": "master",
    "ot_revision": "23df383",
    "ss_v2": "False",
    "modelspec.architecture": "stable-diffusion-v1/lora",
    "ot_config": json.dumps(
        {
            "__version": 6,
            "model_type": "STABLE_DIFFUSION_15",
            "base_model_name": "/models/animefull-final-pruned.safetensors",
            "text_encoder_layer_skip": 1,
            "text_encoder_2_layer_skip": 0,
        }
    ),
}
NOTHING = {"format": "pt"}


@pytest.mark.parametrize(
    "values, expected",
    [
        (SORAKA, BaseModel(NAI_FP16, "0b1893f6", "animefull-final-pruned-fp16.safetensors")),
        (SURTR, BaseModel(NAI_LATEST)),
        (ON_SD15, BaseModel(SD15, "81761151", "v1-5-pruned-emaonly.safetensors")),
        (ONETRAINER, BaseModel(name="/models/animefull-final-pruned.safetensors")),
        ({"ss_sd_model_name": "runwayml/stable-diffusion-v1-5"}, BaseModel(name="runwayml/stable-diffusion-v1-5")),
        ({"ss_new_sd_model_hash": "None", "ss_sd_model_hash": "zz", "ss_sd_model_name": "None"}, None),
        (NOTHING, None),
    ],
)
def test_base_model(values, expected):
    assert base_model(values) == expected


@pytest.mark.parametrize(
    "values, expected",
    [
        (SORAKA, [(PROBABLE, "nai-derived")]),
        (SURTR, [(PROBABLE, "nai-derived")]),
        (ONETRAINER, [(HINT, "nai-derived")]),
        (ON_SD15, [(PROBABLE, "not-nai")]),
        # By name and short hash alone nobody is called free of it.
        ({**ON_SD15, "ss_new_sd_model_hash": "f" * 64}, []),
        ({"ss_sd_model_hash": "925997e9"}, [(HINT, "nai-derived")]),
        ({"ss_sd_model_hash": "925997e9", "ss_sd_model_name": "NAI.ckpt"}, [(PROBABLE, "nai-derived")]),
        # What the file is by its sha256, no name changes.
        ({**ON_SD15, "ss_sd_model_name": "nai.ckpt"}, [(PROBABLE, "not-nai")]),
        (NOTHING, []),
    ],
)
def test_trainer_metadata(values, expected):
    found = lineage_evidence(values)
    assert verdicts(found) == [("trainer-metadata", *pair) for pair in expected]


@pytest.mark.parametrize("key", MERGE_KEYS)
def test_a_merge_carries_along_what_one_ingredient_was_trained_on(key):
    assert lineage_evidence({**ON_SD15, key: "{}"}) == []


# --- the skip --------------------------------------------------------------------------------------------------------


def skips(values, architecture_id="sd1"):
    return {statement.id: statement.skip for statement in skip_statements(values, architecture_id)}


@pytest.mark.parametrize(
    "values, expected",
    [
        (SORAKA, {"ss-clip-skip": {"l": 2}}),
        (SURTR, {"modelspec": {"l": 2}}),
        (ON_SD15, {"ss-clip-skip": {"l": 1}}),
        (ONETRAINER, {"ot-config": {"l": 2}}),
        ({"ss_clip_skip": "1", "modelspec.encoder_layer": "2"}, {"modelspec": {"l": 2}, "ss-clip-skip": {"l": 1}}),
        ({"ss_clip_skip": "1.5"}, {"ss-clip-skip": {"l": 1.5}}),
        (NOTHING, {}),
    ],
)
def test_skips_on_sd1(values, expected):
    assert skips(values) == expected
    assert all(statement.trained for statement in skip_statements(values, "sd1"))


@pytest.mark.parametrize(
    "key", ["modelspec.usage_hint", "modelspec.description", "ss_training_comment", "ssmd_description"]
)
def test_what_the_maker_says_in_the_file(key):
    (statement,) = skip_statements({key: "<p>Use clip skip 2</p>"}, "sd1")
    assert (statement.id, statement.skip, statement.trained) == ("description", {"l": 2}, False)
    assert key in statement.text
    (statement,) = skip_statements({key: "clip skip 1 or 2"}, "sd1")
    assert statement.leaves_choice
    assert skip_statements({key: "a cat"}, "sd1") == []


@pytest.mark.parametrize(
    "value", ["0", "13", "1e9", "nan", "inf", "-2", "abc", "", "9" * 5000, "2; DROP", "None ", "1_0"]
)
@pytest.mark.parametrize("key", ["ss_clip_skip", "modelspec.encoder_layer"])
def test_values_that_are_no_skip_are_named(key, value):
    (statement,) = skip_statements({key: value}, "sd1")
    assert statement.skip == {}
    assert value.strip()[:20] in statement.text and "from 1 to 12" in statement.text
    assert len(statement.text) < 250


@pytest.mark.parametrize("value", [-1, 12, 1e9, "x", None, [1], {"a": 1}, True, float("nan")])
def test_onetrainer_values_that_are_no_skip_are_named(value):
    (statement,) = skip_statements({"ot_config": json.dumps({"text_encoder_layer_skip": value})}, "sd1")
    assert statement.id == "ot-config" and statement.skip == {} and "from 0 to 11" in statement.text


def test_a1111_numbers_elsewhere():
    """Counted from the last block, 2 is where SDXL, SD 2 and SD 3 were trained to be read."""
    assert skips({"modelspec.encoder_layer": "2"}, "sdxl") == {"modelspec": {"l": 1, "g": 1}}
    assert skips({"modelspec.encoder_layer": "1"}, "sdxl") == {"modelspec": {"l": 1, "g": 1}}
    assert skips({"modelspec.encoder_layer": "3"}, "sdxl") == {"modelspec": {"l": 2, "g": 2}}
    assert skips({"modelspec.encoder_layer": "2"}, "sdxl-refiner") == {"modelspec": {"g": 1}}
    assert skips({"modelspec.encoder_layer": "2"}, "sd2") == {"modelspec": {"h": 1}}
    assert skips({"modelspec.encoder_layer": "2"}, "sd3") == {"modelspec": {"l": 1, "g": 1}}
    assert skips({"modelspec.encoder_layer": "2"}, "cascade") == {"modelspec": {"g": 2}}
    (statement,) = skip_statements({"modelspec.encoder_layer": "2"}, "sdxl")
    assert "1 here" in statement.text


@pytest.mark.parametrize("architecture_id", ["flux", "chroma", "none", "unknown", "no such thing"])
def test_numbers_where_there_is_no_skip(architecture_id):
    values = {"modelspec.encoder_layer": "2", "ss_clip_skip": "2", "ot_config": '{"text_encoder_layer_skip": 1}'}
    assert skips(values, architecture_id) == {"modelspec": {}, "ss-clip-skip": {}}


@pytest.mark.parametrize("architecture_id", ["sd2", "sdxl", "sdxl-refiner", "sd3"])
@pytest.mark.parametrize("value", ["2", "1", "None"])
def test_kohya_obeys_its_skip_on_sd1_only(architecture_id, value):
    (statement,) = skip_statements({"ss_clip_skip": value}, architecture_id)
    assert statement.skip == {} and value in statement.text and "SD 1.x" in statement.text


def test_onetrainer_counts_from_the_trained_depth():
    config = {"text_encoder_layer_skip": 0, "text_encoder_2_layer_skip": 1, "text_encoder_3_layer_skip": 0}
    assert skips({"ot_config": json.dumps(config)}, "sdxl") == {"ot-config": {"l": 1, "g": 2}}
    assert skips({"ot_config": json.dumps(config)}, "sd2") == {"ot-config": {"h": 1}}


# --- names alone ---

NAMES = ["NAI", "novelai", "animefull-final-pruned", "Anything V3", "orangemix", "AOM3", "photo", "not", "VAE", "-free"]
TEXTS = st.lists(st.sampled_from([*NAMES, "/", "\\", " ", ".ckpt", ", "]), max_size=8).map("".join)


@given(TEXTS, TEXTS, TEXTS)
def test_no_name_is_a_verdict(one, two, three):
    values = {
        **metadata(a1111(A, B, C), {A: entry(one), B: entry(two, "ffffffff"), "null": entry(three)}),
        "mecha_recipe": f"version 0.1.0\nmodel {json.dumps(one)}\nmodel {json.dumps(two)}",
        "modelspec.merged_from": f"{one},{two},{three}",
        "ss_sd_model_name": one,
        "ot_config": json.dumps({"base_model_name": two}),
    }
    assert ladder.judge([*lineage_evidence(values), *ladder.name_evidence(three)]) == "unknown"


# --- anything --------------------------------------------------------------------------------------------------------

KEYS = (*MERGE_KEYS, "ss_new_sd_model_hash", "ss_sd_model_hash", "ss_sd_model_name", "ss_clip_skip", "ot_config")
WORDS = st.sampled_from(
    "primary_model_hash model_c base_model sd_merge_recipe sd_merge_models name legacy_hash mode interp_method "
    f"text_encoder_layer_skip base_model_name Add-difference nai.ckpt 925997e9 {NAI} {SD15}".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS,
    lambda children: st.lists(children, max_size=4)
    | st.dictionaries(WORDS | st.text(max_size=9), children, max_size=5),
    max_leaves=25,
)
VALUES = JSON.map(json.dumps) | JSON.map(lambda value: json.dumps(json.dumps(value))) | st.text() | WORDS


@given(
    st.dictionaries(st.sampled_from((*KEYS, "modelspec.encoder_layer")) | st.text(), VALUES, max_size=6),
    st.sampled_from(sorted(ARCHITECTURES)),
)
def test_never_raises_and_keeps_to_the_words(values, architecture_id):
    for fact in lineage_evidence(values):
        assert fact.id in ("merge-recipe", "trainer-metadata")
        assert fact.strength in set(Strength) - {Strength.CERTAIN} and fact.verdict in set(Verdict)
        assert len(fact.text) < 500 and "\n" not in fact.text
    encoders = {encoder.id: encoder for encoder in ARCHITECTURES[architecture_id].encoders}
    for statement in skip_statements(values, architecture_id):
        assert all(1 <= skip <= encoders[id].trained_depth for id, skip in statement.skip.items())
        assert len(statement.text) < 500 and "\n" not in statement.text
    base_model(values)


def nested(depth):
    text = json.dumps({NAI: entry("n")})
    for _ in range(depth):
        text = json.dumps({A: {"name": "a", "sd_merge_models": json.loads(text)}})
    return text


BOMBS = {
    "deep list": "[" * 1_000_000,
    "deep object": '{"a":' * 200_000,
    "nested models": nested(150),
    "long number": '{"text_encoder_layer_skip": ' + "9" * 3_000_000 + "}",
    "many models": json.dumps({f"{n:064x}": a1111(f"{n + 1:064x}", "x", "y") for n in range(5_000)}),
    "long chain": json.dumps({f"{n:064x}": entry("n", None, a1111(f"{n + 1:064x}", str(n))) for n in range(5_000)}),
    "many steps": "version 0.1.0\n" + 'merge "subtract" &1 &2\n' * 100_000,
    "open quote": 'model "' + "\\" * 500_000,
    "long gap": "nai" + "-" * 1_000_000,
    "many gaps": ", ".join(["anything" + " " * 500] * 5_000),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_passed_over(bomb):
    """So large that a reader whose time grows faster than its text would not come back."""
    values = dict.fromkeys((*KEYS, "modelspec.encoder_layer"), BOMBS[bomb])
    lineage_evidence(values)
    skip_statements(values, "sd1")
