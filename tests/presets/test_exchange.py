"""Presets out and in again; other programs' files, whose numbers are taken only where they mean the same here."""

import json
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clip_skip.models.presets import Preset, Store
from clip_skip.models.presets import exchange as exchange_module
from clip_skip.models.presets.exchange import Model, apply, export, plan_import
from clip_skip.models.presets.foreign import find
from clip_skip.models.presets.preset import is_key, key_of, stem

from .strategies import HASHES, JSON, NAMES, PRESETS

SHA = HASHES[1]
INFOTEXT = (
    "a cat, clip skip: 9\nNegative prompt: Clip\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Model hash: 6ce0161689, Model: {model}, Clip skip: {skip}"
)


def infotext(skip, model="v1-5-pruned"):
    return INFOTEXT.format(skip=skip, model=model)


def known(models):
    """A host that knows these models by name."""
    return lambda word: [models[word]] if word in models else []


def manager(presets, default="default"):
    return json.dumps({"url": "", "default_preset": default, "trigger_words": [], "presets": presets}, indent=4)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*HASHES, *(key_of(name=name) for name in NAMES)]), PRESETS), JSON)
def test_importing_an_export_is_the_identity(presets, future):
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        source, target = Store(a), Store(b)
        for key, preset in presets.items():
            source.put(preset, **({"name": key[5:]} if key.startswith("name:") else {"sha256": key}))
        source.change(lambda raw: raw.update({key: {**value, "future": future} for key, value in raw.items()}))
        changes = plan_import(export(source), target)
        assert [(c.key, c.before, c.after, c.refused) for c in changes] == [
            (key, None, preset, "") for key, preset in sorted(source.all().items())
        ]
        assert apply(changes, target)[0] == len(presets)
        assert target.raw() == source.raw()
        # Once more changes nothing, there and at home.
        for store in (source, target):
            before = store.path.read_bytes() if presets else b""
            changes = plan_import(export(source), store)
            assert all(c.before == c.after for c in changes)
            apply(changes, store)
            assert not presets or store.path.read_bytes() == before


def test_some_presets_only(store):
    store.put(Preset(note="a"), name="a")
    store.put(Preset(note="b"), name="b")
    assert json.loads(export(store, ["name:b"])) == {"schema": 1, "presets": {"name:b": {"name": "b", "note": "b"}}}
    with pytest.raises(KeyError):
        export(store, ["name:c"])


def test_what_an_entry_leaves_unsaid_stays(store):
    store.put(Preset(skip={"l": 2}, note="mine", silenced=frozenset({"a"})), sha256=SHA, name="x")
    (change,) = plan_import(json.dumps({"schema": 1, "presets": {SHA: {"skip": {"g": 3}, "future": 1}}}), store)
    assert change.before == store.get(SHA)
    assert change.after == Preset("x", {"g": 3}, note="mine", silenced=frozenset({"a"}))
    assert store.get(SHA).skip == {"l": 2}  # a plan changes nothing
    assert apply([change], store)[0] == 1
    assert store.get(SHA) == change.after and store.raw()[SHA]["future"] == 1


def test_entries_that_cant_be_used_are_refused_one_by_one(store):
    presets = {SHA: {"skip": {"l": 99}}, "x": {"note": "n"}, "name:a": 7, "name:b": {"note": "good"}}
    changes = plan_import(json.dumps({"schema": 1, "presets": presets}), store)
    refused = {change.source: change.refused for change in changes if change.refused}
    assert "skip.l 99 was refused, accepted is a number from 1 to 12" in refused[f'"{SHA}"']
    assert "neither a SHA-256" in refused['"x"'] and "preset 7 was refused" in refused['"name:a"']
    assert apply(changes, store)[0] == 1 and list(store.all()) == ["name:b"]


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"schema": 2, "presets": {}}', "newer version of CLIP Skip: schema 2, known is 1"),
        ("", "nothing in it names a clip skip"),
        ("[1, 2]", "nothing in it names a clip skip"),
        ("{broken", "nothing in it names a clip skip"),
        ('{"notes": "no number", "description": ""}', "nothing in it names a clip skip"),
        ('{"Default": {"txt2img_steps": 20}}', "nothing in it names a clip skip"),
        (manager({"default": "Steps: 20"}), "nothing in it names a clip skip"),
    ],
)
def test_texts_with_nothing_to_import(store, text, said):
    with pytest.raises(ValueError, match=said):
        plan_import(text, store)


def test_exports_with_a_byte_order_mark(store):
    (change,) = plan_import("\ufeff" + json.dumps({"schema": 1, "presets": {"name:a": {"note": "n"}}}), store)
    assert change.after == Preset(note="n")


@pytest.mark.parametrize(
    "raw, said",
    [
        ('{"x": Infinity}', "not finite"),
        ('{"x": [NaN]}', "not finite"),
        ('{"x": ' + "[" * 50 + "]" * 50 + "}", "32 levels"),
    ],
)
def test_what_could_not_be_read_again_is_not_taken(store, raw, said):
    with pytest.raises(ValueError, match=said):
        plan_import(f'{{"presets": {{"name:a": {raw}}}}}', store)


# A1111's <model>.json


@pytest.mark.parametrize(
    "notes",
    [
        "clip skip: 2",
        "Use Clip-Skip 2!",
        "CLIP skip = 2.0, CFG 7",
        "clipskip 2",
        "clip_skip -2",
        "clip skip 2 and 25 steps",
    ],
)
def test_model_notes_that_name_one_number(store, notes):
    text = json.dumps({"description": "anime", "sd version": "SD1", "notes": notes, "vae": "None"})
    (change,) = plan_import(text, store, "some model.v1.json")
    assert (change.key, change.after) == ("name:some model.v1", Preset("some model.v1", {"l": 2}))


@pytest.mark.parametrize(
    "notes", ["clip skip 1 or 2", "Clip skip: 1-2", "clip skip 1/2", "clip skip 1, or rather Clip skip 2"]
)
def test_model_notes_that_name_several_numbers_are_no_recommendation(store, notes):
    (change,) = plan_import(json.dumps({"sd version": "SD1", "notes": notes}), store, "m.json")
    assert change.after is None and change.refused == "it names several clip skips: 1, 2"


@pytest.mark.parametrize(
    "version, said",
    [
        (None, "what this one is, is not known"),
        ("Unknown", "what this one is, is not known"),
        ("SDXL", 'this one is "SDXL"'),
        ("SD2", 'this one is "SD2"'),
    ],
)
def test_a_number_of_a1111_is_not_guessed_at(store, version, said):
    (change,) = plan_import(json.dumps({"notes": "clip skip 2", "sd version": version}), store, "m.json")
    assert change.key == "name:m" and change.after is None
    assert change.refused == f"its clip skip is sure to mean the same here only for SD 1.x (2); {said}"
    assert apply([change], store)[0] == 0 and store.all() == {}


def test_the_host_tells_which_model_a_name_is(store):
    models = {"pony": Model("pony", SHA, "sdxl"), "anime": Model("anime", HASHES[0], "sd1")}
    notes = json.dumps({"notes": "clip skip 2"})
    (refused,) = plan_import(notes, store, "pony.json", known(models))
    (taken,) = plan_import(notes, store, "anime.json", known(models))
    assert "this one is SDXL" in refused.refused
    assert (taken.key, taken.after) == (HASHES[0], Preset("anime", {"l": 2}))


def test_notes_without_a_file_name_tell_no_model(store):
    (change,) = plan_import(json.dumps({"notes": "clip skip 2", "sd version": "SD1"}), store)
    assert change.key is None and change.refused == "it does not tell the model"


@pytest.mark.parametrize("number", ["0", "13", "99"])
def test_numbers_out_of_range_are_refused(store, number):
    (change,) = plan_import(infotext(number), store, assumed="sd1")
    assert "accepted is a number from 1 to 12" in change.refused
    assert plan_import(infotext("12"), store, assumed="sd1")[0].after.skip == {"l": 12}


# rifeWithKaiju/model_preset_manager: <short hash>.json


def test_the_default_preset_of_a_model_speaks_for_it(store):
    text = manager({"default": infotext(2), "other": infotext(3)})
    (change,) = plan_import(text, store, "6ce0161689.json", assumed="sd1")
    assert (change.source, change.key, change.after) == (
        '"default"',
        "name:v1-5-pruned",
        Preset("v1-5-pruned", {"l": 2}),
    )


@pytest.mark.parametrize("skips, refused", [((2, 2), False), ((2, 3), True)])
def test_other_presets_speak_where_they_agree(store, skips, refused):
    presets = {"default": "", "a": infotext(skips[0]), "b": infotext(skips[1])}
    (change,) = plan_import(manager(presets), store, "6ce0161689.json", assumed="sd1")
    assert bool(change.refused) == refused


def test_a_short_hash_finds_the_model_that_is_kept_already(store):
    sha256 = "6ce0161689" + "0" * 54
    store.put(Preset(note="mine"), sha256=sha256, name="x")
    (change,) = plan_import(manager({"default": "Steps: 1, Clip skip: 2"}), store, "6ce0161689.json", assumed="sd1")
    assert (change.key, change.before.note, change.after.skip) == (sha256, "mine", {"l": 2})


def test_a_short_hash_alone_is_not_enough(store):
    (change,) = plan_import(manager({"default": "Steps: 1, Clip skip: 2"}), store, "6ce0161689.json", assumed="sd1")
    assert change.refused == 'it tells the model by a hash that is not known here: "6ce0161689"'


# infotext


def test_infotext_lines(store):
    text = "\n\n".join([infotext(2, "a"), infotext(3, '"b, with comma"'), "Steps: 20, Model: c", infotext(2, "a")])
    changes = plan_import(text, store, "notes.txt", assumed="sd1")
    assert {change.key: change.after.skip for change in changes} == {
        "name:a": {"l": 2},
        "name:b, with comma": {"l": 3},
    }


def test_our_own_keys_need_no_architecture(store):
    text = "Steps: 20, Model: pony, Clip skip: 2, CLIP skip mode: manual, CLIP skip L: 1.5, CLIP skip G: 3, Version: x"
    (change,) = plan_import(text, store)
    assert (change.key, change.after) == ("name:pony", Preset("pony", {"l": 1.5, "g": 3}))


def test_one_model_named_twice_with_different_numbers_is_refused(store):
    changes = plan_import(
        "\n".join([infotext(2, "a"), infotext(3, "a"), infotext(2, "b")]), store, "x.txt", assumed="sd1"
    )
    assert [change.refused for change in changes] == ["the text names several presets for this model"] * 2 + [""]


# Zyin055/Config-Presets: config-txt2img.json, and its kin


def test_config_presets(store):
    presets = {
        "None": {},
        "Low quality": {"txt2img_sampling": "Euler a", "txt2img_steps": 10, "txt2img_cfg_scale": 7},
        "anime": {"sd_model_checkpoint": "sub/anime.ckpt [925997e9]", "CLIP_stop_at_last_layers": 2},
        "override": {"txt2img_override_settings": ["Clip skip: 3", "Model hash: 6ce0161689", "Model: real"]},
        "nameless": {"txt2img_clip_skip": 2, "txt2img_steps": 20},
    }
    changes = {
        change.source: change
        for change in plan_import(json.dumps(presets), store, "config-txt2img.json", assumed="sd1")
    }
    assert {source: change.key for source, change in changes.items()} == {
        '"anime"': "name:sub/anime",
        '"override"': "name:real",
        '"nameless"': None,
    }
    assert changes['"anime"'].after.skip == {"l": 2} and changes['"override"'].after.skip == {"l": 3}
    assert changes['"nameless"'].refused == "it does not tell the model"


def test_a_list_that_a_person_has_written(store):
    text = """My models
    - anime: clip skip 2
    * sub/b.safetensors - use Clip Skip: 1
    c.ckpt (clip skip 3)
    d v1.5 = clip skip 2.

    e.ckpt: clip skip is a matter of taste
    I like clip skip 2
    f.ckpt: clip skip 1 or 2
    g.ckpt, Clip skip: 2
    """
    models = {"anime": Model("anime", SHA, "sd1"), "d v1.5": Model("d v1.5", None, "sd1")}
    changes = plan_import(text, store, "list.txt", known(models), "sd1")
    assert [(change.key, change.after and dict(change.after.skip)) for change in changes] == [
        (SHA, {"l": 2}),
        (None, None),
        ("name:c", {"l": 3}),
        ("name:d v1.5", {"l": 2}),
        (None, None),
        ("name:f", None),
        ("name:g", {"l": 2}),
    ]
    assert changes[4].refused == "it does not tell the model"
    assert changes[5].refused == "it names several clip skips: 1, 2"


def test_one_record(store):
    text = json.dumps({"model_name": "anime.safetensors", "CLIP_stop_at_last_layers": 2, "ext": [{"a": 1}], "vae": ""})
    (change,) = plan_import(text, store, "style-2023.json", assumed="sd1")
    assert (change.key, change.after.skip) == ("name:anime", {"l": 2})


def test_numbers_by_controls_are_no_presets_of_ours(store):
    (change,) = plan_import('{"txt2img_clip_skip": 2, "txt2img_steps": 20}', store, "x.json", assumed="sd1")
    assert change.refused == "it does not tell the model"


OTHER = "b" * 64
SIDECAR = {
    "id": 1,
    "modelId": 2,
    "name": "v1",
    "baseModel": "SD 1.5",
    "description": "<p>Clip skip: <strong>2</strong></p>",
    "files": [
        {"name": "anime.safetensors", "type": "Model", "hashes": {"SHA256": SHA.upper()}},
        {"name": "x.vae.pt", "type": "VAE", "hashes": {"SHA256": OTHER}},
    ],
}
LORA_MANAGER = {"file_name": "anime", "sha256": SHA, "base_model": "SD 1.5", "usage_tips": '{"clip_skip": 2}'}
STABILITY_MATRIX = {"Hashes": {"SHA256": SHA}, "BaseModel": "SD 1.5", "ModelDescription": "clip skip 2"}


@pytest.mark.parametrize(
    "filename, content",
    [
        ("anime.civitai.info", SIDECAR),
        ("anime.civitai.info", {**SIDECAR, "description": None, "clipSkip": 2}),
        ("anime.civitai.info", {**SIDECAR, "description": "x", "model": {"description": "clip&nbsp;skip 2"}}),
        ("renamed.civitai.info", SIDECAR),
        ("anime.json", {"modelVersions": [{"name": "v0", "description": "clip skip 1"}, SIDECAR]}),
        ("anime.api_info.json", {"modelVersions": [SIDECAR]}),
        ("anime.metadata.json", LORA_MANAGER),
        ("anime.metadata.json", {**LORA_MANAGER, "usage_tips": "{}", "civitai": {"description": "clip skip 2"}}),
        ("anime.cm-info.json", STABILITY_MATRIX),
        ("anime.json", {"description": "clip skip 2", "sd version": "SD1", "sha256": SHA}),
        ("anime.metadata.json", {**LORA_MANAGER, "civitai": {"model": {"type": "Checkpoint"}}}),
        ("anime.metadata.json", {**LORA_MANAGER, "model_type": "checkpoint"}),
        ("anime.cm-info.json", {**STABILITY_MATRIX, "ModelType": "Checkpoint"}),
    ],
)
def test_a_sidecar_is_of_the_file_whose_hash_it_tells(store, filename, content):
    (change,) = plan_import(json.dumps(content), store, filename)
    assert (change.key, change.after and change.after.skip, change.refused) == (SHA, {"l": 2}, "")


@pytest.mark.parametrize(
    "filename, content, kind",
    [
        ("anime.civitai.info", {**SIDECAR, "model": {"type": "LORA"}}, "LORA"),
        ("anime.metadata.json", {**LORA_MANAGER, "civitai": {"model": {"type": "DoRA"}}}, "DoRA"),
        ("anime.api_info.json", {"type": "TextualInversion", "modelVersions": [SIDECAR]}, "TextualInversion"),
        ("anime.cm-info.json", {**STABILITY_MATRIX, "ModelType": "LORA"}, "LORA"),
        ("anime.metadata.json", {**LORA_MANAGER, "model_type": "locon"}, "locon"),
    ],
)
def test_a_preset_is_a_checkpoints(store, filename, content, kind):
    (change,) = plan_import(json.dumps(content), store, filename)
    assert change.after is None and f'this one is "{kind}"' in change.refused


@pytest.mark.parametrize("wrap", [dict, lambda texts: {"__metadata__": texts}])
def test_a_sidecar_of_swarmui(store, wrap):
    texts = {"modelspec.usage_hint": "clip skip 2", "modelspec.architecture": "stable-diffusion-v1/checkpoint"}
    (change,) = plan_import(json.dumps(wrap(texts)), store, "anime.swarm.json")
    assert (change.key, change.after.skip) == ("name:anime", {"l": 2})


def test_a_sidecar_without_a_hash_goes_by_the_models_name(store):
    for filename in ("SD/my.anime.civitai.info", "my.anime.metadata.json", "my.anime.json"):
        (change,) = plan_import('{"baseModel": "SD 1.4", "description": "clip skip 2"}', store, filename)
        assert change.key == ("name:SD/my.anime" if "/" in filename else "name:my.anime")


@pytest.mark.parametrize(
    "name, is_sd1",
    [
        *(
            (name, True)
            for name in ("SD 1.4", "SD 1.5", "SD 1.5 LCM", "SD 1.5 Hyper", "SD1", "sd1.5", "SD15", "SD 1.x")
        ),
        *((name, True) for name in ("Stable Diffusion 1.5", "stable_diffusion_1", "SD v1")),
        *((name, False) for name in ("SD 2.1", "SDXL 1.0", "SD 3", "Pony", "SD10", "Flux.1 D", "Other")),
    ],
)
def test_what_civitai_calls_sd1(store, name, is_sd1):
    (change,) = plan_import(json.dumps({"baseModel": name, "description": "clip skip 2"}), store, "a.civitai.info")
    assert (change.refused == "") == is_sd1


WIDE = "".join(c if c == " " else chr(ord(c) + 0xFEE0) for c in "CLIP skip:2")


@pytest.mark.parametrize("notes", ["<p>Clip skip: <strong>2</strong></p>", "Clip&nbsp;skip:&nbsp;2", WIDE])
def test_notes_with_markup_and_full_width_signs(store, notes):
    (change,) = plan_import(json.dumps({"description": notes, "sd version": "SD1"}), store, "m.json")
    assert change.after.skip == {"l": 2}


@pytest.mark.parametrize(
    "line, skip",
    [
        ("Model: anime, CLiP-skip: 1.5, Version: x, App: SD.Next", 1.5),
        ('Model: anime, Clip skip: 2, Template: "cat, Clip skip: 3"', 2),
        ('Template: "a \\"cat\\", Clip skip: 3", Model: anime, Clip skip: 2', 2),
        ("Model: anime, Clip skip: -2", 2),
        ('Lora hashes: "a: 1, b: 2", Model: anime, Clip skip: 2', 2),
        ("Model: anime, CLIP Skip: 2, ADetailer CLIP skip: 4", 2),
        ('Model: "anim\\u0065", Clip skip: 2', 2),
        ("Model: anime, CLIP_stop_at_last_layers: 2", 2),
    ],
)
def test_infotext_is_read_by_a1111s_rule(store, line, skip):
    (change,) = plan_import(f"a cat, Model: dog, Clip skip: 5\nSteps: 20, {line}", store, assumed="sd1")
    assert (change.key, change.after.skip) == ("name:anime", {"l": skip})


def test_a_name_in_quotes_is_read_by_jsons_rule(store):
    (change,) = plan_import('Steps: 20, Model: "it\'s \\"odd\\", one", Clip skip: 2', store, assumed="sd1")
    assert change.after.name == 'it\'s "odd", one'


OPTIONS = {
    "sd_model_checkpoint": "anime.safetensors [6ce0161689]",
    "sd_checkpoint_hash": "6ce0161689" + "0" * 54,
    "CLIP_stop_at_last_layers": 2,
    "clip_skip_ext_slider_maximum": 12,
    "clip_skip_ext_slider_step": 0.1,
    "dynamic_clip_skip_start": 1,
    "ad_clip_skip": 3,
}


def test_a_webuis_options_beside_our_own(store):
    (change,) = plan_import(json.dumps(OPTIONS), store, "config.json", assumed="sd1")
    assert (change.key, change.after.skip) == (OPTIONS["sd_checkpoint_hash"], {"l": 2})
    stale = {**OPTIONS, "sd_checkpoint_hash": SHA}
    assert [change.key for change in plan_import(json.dumps(stale), store, assumed="sd1")] == ["name:anime"]
    bare = {**stale, "sd_model_checkpoint": "anime.safetensors"}
    assert [change.key for change in plan_import(json.dumps(bare), store, assumed="sd1")] == ["name:anime"]


NAMED = ["name:anime", "name:b"]
HORDE = {"requirements": {"clip_skip": 2}, "baseline": "stable diffusion 1", "config": {"files": [{"sha256sum": SHA}]}}


@pytest.mark.parametrize(
    "content, keys",
    [
        ({"name": "a", "checkpoints": ["anime.safetensors", "b.ckpt"], "clip_skip": 2}, ["name:anime", "name:b"]),
        ({"default_model": "anime.safetensors", "default_clip_skip": 2}, ["name:anime"]),
        ({"base_model": "anime", "clip_skip": 2}, ["name:anime"]),
        ({"anime": {"clip_skip": 2, "steps": 20}, "b.ckpt": {"clip_skip": -2}}, ["name:anime", "name:b"]),
        ({"model": "anime.safetensors", "clip_skip": -2}, ["name:anime"]),
        (
            [{"sd_model_checkpoint": "a.ckpt", "CLIP_stop_at_last_layers": 2}, {"model": "b", "clip_skip": 2}],
            ["name:a", "name:b"],
        ),
        ({"override_settings": {"CLIP_stop_at_last_layers": 2}, "sd_model_checkpoint": "anime"}, ["name:anime"]),
        ({"override_settings": {"CLIP_stop_at_last_layers": 2, "sd_model_checkpoint": "anime"}}, ["name:anime"]),
        ({"A": HORDE}, [SHA]),
        ([{"name": "A", **HORDE}], [SHA]),
        ({"A": {**HORDE, "config": {"download": [{"file_name": "a.ckpt", "sha256sum": SHA}]}}}, [SHA]),
        # At whatever depth, by whatever name.
        ({"models": [{"name": "anime.safetensors", "clip_skip": 2}, {"file": "b.ckpt", "clip_skip": 2}]}, NAMED),
        ({"version": 1, "profiles": {"p": {"ckpt_path": "anime.ckpt", "clip_skip": 2}}}, NAMED[:1]),
        ({"presets": {"p": {"model": "anime", "clip_skip": 2}}}, NAMED[:1]),
        ({"modelName": "anime", "clipSkip": 2}, NAMED[:1]),
        ({"name": "s", "sd_checkpoint": "anime.ckpt", "clip_skip": 2, "refiner_checkpoint": "x"}, NAMED[:1]),
        ({"sui_image_params": {"model": "anime", "clipstopatlayer": "-2"}}, NAMED[:1]),
        ({"images": [], "info": json.dumps({"sd_model_name": "anime", "clip_skip": 2})}, NAMED[:1]),
        ({"parameters": infotext(2, "anime")}, NAMED[:1]),
        ([infotext(2, "anime"), infotext(2, "b")], NAMED),
        ({"anime.ckpt [6ce0161689]": {"clip_skip": 2}, SHA: {"clip_skip": 2}}, ["name:anime", SHA]),
        # InvokeAI counts the blocks that it skips.
        ({"model": {"name": "anime", "base": "sd-1", "hash": "blake3:0"}, "clip_skip": 1}, NAMED[:1]),
        ({"model": {"model_name": "anime", "base_model": "sd-1"}, "clip_skip": 1}, NAMED[:1]),
        (
            {
                "nodes": [
                    {"type": "CheckpointLoaderSimple", "widgets_values": ["anime.safetensors"]},
                    {"type": "CLIPSetLastLayer", "widgets_values": [-2]},
                    {"type": "KSampler", "widgets_values": {"seed": 1}},
                ]
            },
            NAMED[:1],
        ),
        (
            {
                "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "anime.safetensors"}},
                "2": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["1", 1]}},
            },
            NAMED[:1],
        ),
    ],
)
def test_kinds_of_files_that_name_a_skip_per_model(store, content, keys):
    changes = plan_import(json.dumps(content), store, "file.json", assumed="sd1")
    assert [(change.key, change.after.skip) for change in changes] == [(key, {"l": 2}) for key in keys]


@pytest.mark.parametrize("text", ["{}", " { }\n", "Steps: 20, Model: a, Clip skip: 1_2"])
def test_what_names_no_clip_skip_says_so(store, text):
    with pytest.raises(ValueError, match="nothing in it names a clip skip"):
        plan_import(text, store, "a.json", assumed="sd1")


BLANKS = " " * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"model": f"{BLANKS}x", "clip_skip": 2}),
        json.dumps({f"{BLANKS}x [6ce0161689]": {"clip_skip": 2}}),
        f"Steps: 1, Model: x{BLANKS}, {BLANKS} Clip skip: 2",
    ],
)
def test_runs_of_blanks_are_passed_over(store, text):
    """So long that a reader whose time grows faster than its text would not come back."""
    (change,) = plan_import(text, store, assumed="sd1")
    assert (change.key, change.after.skip) == ("name:x", {"l": 2})


def test_a_style_that_leaves_the_skip_to_the_program_names_none(store):
    with pytest.raises(ValueError, match="nothing in it"):
        plan_import('{"name": "a", "checkpoints": ["a.ckpt"], "clip_skip": 0}', store, assumed="sd1")


def test_a_name_in_a_table_is_a_models_only_where_it_is_known_or_looks_like_one(store):
    text = json.dumps({"Default": {"clip_skip": 2}, "anime": {"clip_skip": 2}, "b.ckpt": {"clip_skip": 2}})
    changes = plan_import(text, store, "x.json", known({"anime": Model("anime", SHA, "sd1")}), "sd1")
    assert [change.key for change in changes] == [None, SHA, "name:b"]
    assert changes[0].refused == "it does not tell the model"


# Which of the host's models a text means

TWINS = [Model("SD/anime", "6ce0161689" + "0" * 54, "sd1"), Model("XL/anime", "f" * 64, "sdxl")]


def host_of(*models):
    """A host that finds models by name and by the beginning of their hash."""
    return lambda word: [m for m in models if word in (m.name, m.name[3:]) or (m.sha256 or "-").startswith(word)]


@pytest.mark.parametrize(
    "told, key, refused",
    [
        ("Model: anime", None, 'several models have this name here: "SD/anime", "XL/anime"'),
        ("Model: SD/anime", TWINS[0].sha256, ""),
        ("Model hash: 6ce0161689, Model: anime", TWINS[0].sha256, ""),
        ("Model hash: 6ce0161689, Model: renamed", TWINS[0].sha256, ""),
        ("Model hash: deadbeef00, Model: anime", None, "another file here, whose SHA-256 begins with 6ce0161689, ffff"),
        ("Model hash: deadbeef00, Model: new", "name:new", "what this one is, is not known"),
        ("Model hash: 6ce01616", None, 'by a hash that is not known here: "6ce01616"'),
        ("Model hash: 6ce01616, Model: new", "name:new", "what this one is, is not known"),
    ],
)
def test_which_model_a_text_means(store, told, key, refused):
    (change,) = plan_import(f"Steps: 1, {told}, Clip skip: 2", store, "", host_of(*TWINS))
    assert change.key == key and refused in change.refused and bool(change.refused) == bool(refused)


OF_OTHERS = "deadbeef00"


@pytest.mark.parametrize(
    "told",
    [
        f'Steps: 1, Model: anime, Clip skip: 2, Hashes: {{"vae": "0123456789", "model": "{OF_OTHERS}"}}',
        {"sd_model_name": "anime", "sd_model_hash": OF_OTHERS, "clip_skip": 2},
        {"Model": "anime", "Model hash": OF_OTHERS, "Clip skip": "2"},
        {"Model": "anime", "hashes": {"model": OF_OTHERS}, "clipSkip": 2},
        {"Model": "anime", "resources": [{"type": "lora"}, {"type": "model", "hash": OF_OTHERS}], "clipSkip": 2},
        {"model": "anime", "sha256": f"{OF_OTHERS:0<64}", "clip_skip": 2},
        {"anime": {"clip_skip": 2, "hash": OF_OTHERS}},
        {f"anime [{OF_OTHERS}]": {"clip_skip": 2}},
        {"override_settings": ["Clip skip: 2", f"Model hash: {OF_OTHERS}"], "sd_model_checkpoint": "anime"},
        {**SIDECAR, "files": [{"name": "anime.safetensors", "hashes": {"AutoV2": OF_OTHERS}}]},
    ],
)
def test_a_hash_wins_over_a_name_wherever_it_stands(store, told):
    text = told if isinstance(told, str) else json.dumps(told)
    listing = host_of(TWINS[0])
    other, same = (
        plan_import(each, store, "anime.json", lambda word: listing(stem(word)))
        for each in (text, text.replace(OF_OTHERS, "6ce0161689"))
    )
    assert ["another file here, whose SHA-256 begins with 6ce0161689" in change.refused for change in other] == [True]
    assert [(change.key, change.refused) for change in same] == [(TWINS[0].sha256, "")]


def test_a_model_without_a_hash_goes_by_its_name(store):
    bare = host_of(Model("SD/anime", None, "sd1"))
    (change,) = plan_import("Steps: 1, Model hash: deadbeef00, Model: anime, Clip skip: 2", store, "", bare)
    assert change.key == "name:SD/anime" and change.raw["architecture"] == "sd1"


@given(st.sampled_from(["0eb3318b", "6ce01616", "deadbeef"]), st.sampled_from(["", "new", "other"]))
def test_eight_digits_never_tell_a_model(hash, name):
    """Whatever a host lists under them, as A1111 lists each model under its old hash."""
    told = f"Model: {name}, " if name else ""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        store.put(Preset(note="n"), sha256=hash + "0" * 56)
        line = f"Steps: 1, {told}Model hash: {hash}, Clip skip: 2"
        listing = host_of(Model("SD/anime", hash + "0" * 56, "sd1"))
        (change,) = plan_import(line, store, "", lambda word: listing(word) if word != name else [], "sd1")
        assert change.key == (f"name:{name}" if name else None)


WORDS = [
    "files",
    "hashes",
    "modelVersions",
    "civitai",
    "usage_tips",
    "checkpoints",
    "override_settings",
    "requirements",
    "presets",
    "schema",
    "default_preset",
    "notes",
    "description",
    "sd version",
    "clip_skip",
    "model_name",
    "default",
]
HOSTILE = st.recursive(
    JSON
    | st.sampled_from([infotext(2), "clip skip: 2", "Clip skip: 99999999999999999999", 2, "name:x", "x [abcdef12]"]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from(WORDS), children, max_size=5),
    max_leaves=12,
)


@settings(max_examples=300)
@given(HOSTILE, st.sampled_from(["", "m.json", "6ce0161689.json", "../../x.json", "\\\\x\\y.json"]), st.booleans())
def test_hostile_files(value, filename, known):
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        for text in (json.dumps(value), str(value)):
            find(text, filename)
            try:
                changes = plan_import(text, store, filename, assumed="sd1" if known else "")
            except ValueError:
                continue
            for change in changes:
                assert (change.after is None) == bool(change.refused)
                assert change.refused or is_key(change.key)
            exchange_module.apply(changes, store)
            assert store.check() == ()
