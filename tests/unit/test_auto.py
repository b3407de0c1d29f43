"""What Auto uses: the first source that speaks, for every encoder of the model that is loaded."""

import hashlib
from dataclasses import replace

import pytest

from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.inspect.verdict.recommend import SKIP_LADDER, Recommendation
from clip_skip.models.library import Library
from clip_skip.models.presets.preset import Preset
from clip_skip.models.presets.store import StoreError
from clip_skip.models.profile import Profile
from clip_skip.paths import data_folder
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.auto import Auto, Defaults, automatic
from clip_skip.skip.plan import resolve
from clip_skip.skip.request import Request
from clip_skip.text.log import logger
from clip_skip.text.phrase import english

SD1, SDXL = ARCHITECTURES["sd1"], ARCHITECTURES["sdxl"]


def says(skip, source="modelspec", architecture=SD1):
    return ModelFacts("m", architecture, recommended=Recommendation(skip, source, "It says so."))


SETTINGS = Defaults({("sd1", "l"): 1.2, ("sdxl", "g"): 3.0}, nai=1.8)


@pytest.mark.parametrize(
    "architecture, preset, facts, defaults, skips, source",
    [
        (SD1, Preset(skip={"l": 3}), says({"l": 2}), SETTINGS, {"l": 3}, "preset"),
        (SD1, Preset(skip={"l": 1}), says({"l": 2}), SETTINGS, {"l": 1}, "preset"),
        (SD1, Preset(note="no number"), says({"l": 2}), SETTINGS, {"l": 2}, "modelspec"),
        (SD1, Preset(skip={"g": 2}), None, Defaults(), {"l": 1}, "trained"),  # of another architecture
        (SD1, None, says({"l": 1.8}, "nai-lineage"), SETTINGS, {"l": 1.8}, "nai-lineage"),
        (SD1, None, says({"l": 2}, architecture=SDXL), SETTINGS, {"l": 1.2}, "settings"),  # the file is not what runs
        (SD1, None, ModelFacts("m", SD1), SETTINGS, {"l": 1.2}, "settings"),
        (SD1, None, None, Defaults({("sd1", "l"): 0.5}), {"l": 0.5}, "settings"),  # refused later, not passed over
        (SD1, None, None, Defaults(), {"l": 1}, "trained"),
        (SDXL, Preset(skip={"l": 2}), None, SETTINGS, {"l": 2, "g": 1}, "preset"),
        (SDXL, None, None, SETTINGS, {"l": 1, "g": 3}, "settings"),
        (ARCHITECTURES["flux"], Preset(skip={"l": 2}), None, SETTINGS, {}, "trained"),
    ],
)
def test_the_first_source_that_speaks(architecture, preset, facts, defaults, skips, source):
    auto = automatic(architecture, preset, facts, defaults)
    assert (auto.skips, auto.source) == (skips, source)


@pytest.mark.parametrize(
    "skips, as_trained",
    [({"l": 1.0}, True), ({"l": 1, "g": 1.0}, True), ({}, True), ({"l": 1, "g": 2}, False), ({"l": 0.5}, False)],
)
def test_as_trained_is_1_everywhere(skips, as_trained):
    assert Auto(skips).as_trained is as_trained


def test_a_descendant_of_novelais_model_is_read_at_2_where_nobody_set_another_number():
    auto = automatic(SD1, None, says({"l": 1}, "nai-lineage").with_descent(Defaults().nai), Defaults())
    assert auto.skips == {"l": 2}


@pytest.mark.parametrize("source", SKIP_LADDER)
def test_descent_alone_takes_its_number_from_the_settings(source):
    auto = automatic(SD1, None, says({"l": 2}, source).with_descent(SETTINGS.nai), SETTINGS)
    assert (auto.skips, auto.source) == ({"l": 1.8 if source == "nai-lineage" else 2}, source)


@pytest.mark.parametrize("inspected", ARCHITECTURES.values(), ids=lambda architecture: architecture.id)
def test_only_facts_of_what_runs_count(inspected):
    auto = automatic(SD1, None, says({"l": 2}, architecture=inspected), Defaults())
    assert (auto.skips, auto.source) == (({"l": 2}, "modelspec") if inspected is SD1 else ({"l": 1}, "trained"))


@pytest.mark.parametrize(
    "preset, facts, defaults, words",
    [
        (Preset(skip={"l": 3}), says({"l": 2}), SETTINGS, "this model's preset"),
        (None, says({"l": 2}), SETTINGS, "It says so."),
        (None, None, SETTINGS, "the default in Settings for SD 1.x"),
        (None, None, Defaults(), "as trained"),
    ],
)
def test_where_it_comes_from_is_said(preset, facts, defaults, words):
    assert english(automatic(SD1, preset, facts, defaults).text) == words


def test_a_presets_blend_is_used_and_nothing_else_has_one():
    assert automatic(SD1, Preset(skip={"l": 1.5}, blend="slerp"), None, SETTINGS).blend == "slerp"
    for facts in (says({"l": 1.5}), None):
        assert automatic(SD1, Preset(blend="slerp"), facts, SETTINGS).blend == "linear"


def test_the_plan_follows_auto_and_manual_does_not():
    auto = Auto({"l": 2.5, "g": 1.0}, "slerp", "preset")
    plan = resolve(Request(enabled=True), SDXL, lambda _: auto)
    assert (plan.skips, plan.blend) == ({"l": 2.5, "g": 1.0}, "slerp")
    by_hand = resolve(Request(enabled=True, mode="manual", skip=2.5, skips={"g": 1.0}, blend="slerp"), SDXL)
    assert plan.key == by_hand.key
    assert resolve(Request(enabled=True, mode="manual", skip=3.0), SDXL, lambda _: auto).skips == {"l": 3.0, "g": 3.0}
    assert resolve(Request(enabled=True), SDXL).as_trained


def test_what_the_model_can_t_have_is_refused_and_the_rest_is_as_trained():
    plan = resolve(Request(enabled=True), SDXL, lambda _: Auto({"l": 12.0, "g": 2.0}))
    assert plan.as_trained and "CLIP-L 12" in str(plan.refusals[0])


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path)


def test_saving_and_forgetting_keep_what_else_is_known_of_the_model(library):
    checkpoint = Checkpoint("a", SD1, "/models/a.safetensors", "ab" * 32)
    library.save(checkpoint, {"l": 2.0}, "slerp")
    assert library.profile(checkpoint).auto.skips == {"l": 2.0}
    kept = Preset(name="a", skip={"l": 2.0}, blend="slerp", lineage="nai-derived", note="mine")
    library.presets.put(kept, sha256=checkpoint.sha256)
    library.forget(checkpoint)
    assert library.profile(checkpoint).preset == Preset(name="a.safetensors", lineage="nai-derived", note="mine")
    assert library.profile(checkpoint).auto.source == "trained"
    library.presets.put(Preset(name="a", skip={"l": 2.0}), sha256=checkpoint.sha256)
    library.forget(checkpoint)
    assert not library.presets.all()
    library.forget(checkpoint)


def test_a_preset_saved_by_name_is_found_by_hash_later_wherever_the_file_went(library):
    library.save(Checkpoint("a", SD1, "/models/a.safetensors"), {"l": 2.0}, "linear")
    known = Checkpoint("a", SD1, "/models/a.safetensors", "cd" * 32)
    assert library.profile(known).preset.skip == {"l": 2.0}
    library.learn_hash(known)
    moved = Checkpoint("b", SD1, "/other/b.safetensors", "cd" * 32)
    assert library.profile(moved).preset.skip == {"l": 2.0}
    assert library.profile(Checkpoint("c", SD1, "/other/c.safetensors")).preset is None


SDXL_MODEL = Checkpoint("anime", SDXL, "/models/XL/anime.safetensors", "ef" * 32, "XL")


def test_a_preset_kept_by_name_is_not_another_models_of_that_name(library):
    one = Checkpoint("anime", SD1, "/models/SD/anime.safetensors", None, "SD")
    library.save(one, {"l": 2.0}, "linear")
    assert library.profile(SDXL_MODEL).preset is None
    assert library.profile(replace(one, sha256="ab" * 32)).preset.skip == {"l": 2.0}
    # A host that tells no folders: the architecture tells them apart.
    one = Checkpoint("b", SD1, "b")
    library.save(one, {"l": 2.0}, "linear")
    assert library.profile(replace(SDXL_MODEL, name="b", path="b")).preset is None
    assert library.profile(one).preset.skip == {"l": 2.0}


def test_what_was_kept_without_a_folder_is_found_and_kept_with_it(library):
    library.presets.put(Preset(skip={"l": 2}), name="anime")
    one = Checkpoint("anime", SD1, "/models/SD/anime.safetensors", None, "SD")
    assert library.profile(one).key == "name:anime"
    library.mark(one, "not-nai")
    assert library.profile(one).key == "name:SD/anime" and list(library.presets.all()) == ["name:SD/anime"]
    assert library.profile(one).preset.skip == {"l": 2} and library.profile(SDXL_MODEL).preset is None


def test_what_fails_is_as_trained_and_saving_says_why(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    library = Library(tmp_path / "file")
    checkpoint = Checkpoint("a", SD1, str(tmp_path / "missing.safetensors"), "ab" * 32)
    assert library.profile(checkpoint).auto.source == "trained"
    with pytest.raises(StoreError):
        library.save(checkpoint, {"l": 2.0}, "linear")
    monkeypatch.setattr(Profile, "facts", property(lambda _: 1 / 0))
    assert library.profile(checkpoint).auto.source == "trained"
    assert library.profile(Checkpoint("", SD1)).auto.skips == {"l": 1.0}


def test_only_a_sha256_counts_as_one():
    for value in (None, "", "abc", "0" * 40, 5):
        assert Checkpoint.of("a", SD1, "a", value).sha256 is None
    assert Checkpoint.of("a", SD1, "a", "AB" * 32).sha256 == "ab" * 32


def test_the_hash_of_a_files_name_is_told_and_none(caplog, monkeypatch):
    monkeypatch.setattr(logger, "propagate", True)
    of_name = hashlib.sha256("modèle.safetensors".encode()).hexdigest()
    for _ in range(3):
        assert Checkpoint.of("a", SD1, "/models/SD/modèle.safetensors", of_name.upper()).sha256 is None
    assert caplog.text.count("is that of its name") == 1
    assert Checkpoint.of("a", SD1, "/models/SD/b.safetensors", of_name).sha256 == of_name


@pytest.mark.parametrize(
    "listed_as, folder", [("SD/a.ckpt", "SD"), ("x\\SD\\a.ckpt", "SD"), ("a.ckpt", ""), ("", ""), ("/abs/SD/a", "SD")]
)
def test_a_checkpoint_is_kept_below_its_folder(listed_as, folder):
    checkpoint = Checkpoint.of("a", SD1, "/models/SD/a.ckpt", None, listed_as)
    assert checkpoint.kept_name == (f"{folder}/a.ckpt" if folder else "a.ckpt")


@pytest.mark.parametrize("named", ["same.safetensors", "same.ckpt", "other.safetensors", None])
@pytest.mark.parametrize("folder", ["B", "A/B"])
def test_what_is_kept_without_a_folder_is_that_of_the_file_that_lies_in_none(tmp_path, folder, named):
    (tmp_path / "models" / folder).mkdir(parents=True)
    library, listed_as = Library(tmp_path / "data"), f"{folder}/same.safetensors"
    below = Checkpoint.of("same", SD1, str(tmp_path / "models" / listed_as), "ab" * 32, listed_as)
    library.presets.put(Preset(note="n"), name="same.safetensors", architecture=SD1)
    if named:
        (tmp_path / "models" / named).touch()
    is_anothers = named in ("same.safetensors", "same.ckpt")
    assert (library.profile(below).preset is None) == is_anothers
    library.learn_hash(below)
    library.save(below, {"l": 2.0})
    assert ("name:same" in library.presets.all()) == is_anothers
    top = Checkpoint.of("same", SD1, str(tmp_path / "models" / "same.safetensors"), None, "same.safetensors")
    assert (library.profile(top).preset is not None) == is_anothers


def test_where_the_data_is(tmp_path):
    assert data_folder("/flag", tmp_path) == data_folder("/flag")
    assert str(data_folder("/flag")) == "/flag"
    assert data_folder(None, tmp_path) == tmp_path / "clip-skip"
    assert data_folder(None).name == "clip-skip"
