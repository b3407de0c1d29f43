"""Whole files, from their bytes to what is said of them: by the library, from memory, and on the command line."""

import gzip
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from clip_skip.__main__ import main
from clip_skip.models.inspect import inspector as inspector_module
from clip_skip.models.inspect.evidence import known
from clip_skip.models.inspect.evidence.known import KnownModel
from clip_skip.models.inspect.facts import ModelFacts, inspect
from clip_skip.models.inspect.inspector import Inspector

from .families import DELTAS, Family
from .files import write_checkpoint, write_diffusers, write_safetensors

KEYS = Path(__file__).parent / "keys"
NAI_SHA256 = "89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8"


def keys(name):
    shapes = json.loads(gzip.decompress((KEYS / name).read_bytes()))
    return {key: ("F16", tuple(shape)) for key, shape in shapes.items()}


def model(path, name="sd1.json.gz", metadata=None, **changes):
    return write_safetensors(path, {**keys(name), **changes}, metadata)


def evidence_ids(facts):
    return [e.id for e in facts.evidence]


# ---------------------------------------------------------------------------------------------------------------------
# What is said of a file


def test_a_merge_of_nai_by_its_recipe(tmp_path):
    recipe = {"sd_merge_models": json.dumps({NAI_SHA256: {"name": "animefull", "legacy_hash": "925997e9"}})}
    facts = inspect(model(tmp_path / "mix.safetensors", metadata=recipe))
    assert (facts.architecture.id, facts.kind, facts.variant) == ("sd1", "checkpoint", "")
    assert (facts.verdict, evidence_ids(facts)[0]) == ("nai-derived", "merge-recipe")
    assert (facts.recommended.skip, facts.recommended.source) == ({"l": 2.0}, "nai-lineage")
    assert facts.error is None


def test_metadata_that_says_1_wins_over_descent(tmp_path):
    metadata = {
        "modelspec.encoder_layer": "1",
        "sd_merge_models": json.dumps({NAI_SHA256: {"name": "animefull"}}),
    }
    facts = inspect(model(tmp_path / "mix.safetensors", metadata=metadata))
    assert facts.verdict == "nai-derived"
    assert (facts.recommended.skip, facts.recommended.source) == ({"l": 1.0}, "modelspec")


@pytest.mark.parametrize(
    "file, keys_name, architecture",
    [
        ("nai-anime-v1-full.safetensors", "sdxl.json.gz", "sdxl"),
        ("NoobAI-XL-v1.1 animefull.safetensors", "sdxl.json.gz", "sdxl"),
        ("animefull-final-pruned.safetensors", "sd2.json.gz", "sd2"),
        ("nai.safetensors", "flux-dev.orig.json.gz", "flux"),
    ],
)
def test_another_architecture_never_descends_whatever_its_name(tmp_path, file, keys_name, architecture):
    facts = inspect(model(tmp_path / file, keys_name, {"modelspec.encoder_layer": "2", "ss_clip_skip": "2"}))
    assert (facts.architecture.id, facts.verdict) == (architecture, "not-nai")
    assert evidence_ids(facts)[0] == "architecture"
    assert facts.recommended is None and facts.trained_skip is None


def test_an_inpainting_merge_of_nai(tmp_path):
    channels = {"model.diffusion_model.input_blocks.0.0.weight": ("F16", (320, 9, 3, 3))}
    recipe = {"sd_merge_recipe": json.dumps({"type": "webui", "primary_model_hash": NAI_SHA256, "is_inpainting": True})}
    facts = inspect(model(tmp_path / "photo.safetensors", metadata=recipe, **channels))
    assert (facts.architecture.id, facts.variant, facts.verdict) == ("sd1", "inpainting", "nai-derived")


def test_a_name_alone_decides_nothing_and_noobai_is_not_even_a_hint(tmp_path):
    named = inspect(model(tmp_path / "animefull-final.safetensors"))
    assert (named.verdict, named.recommended) == ("unknown", None)
    assert "name" in evidence_ids(named)
    assert "name" not in evidence_ids(inspect(model(tmp_path / "NoobAI-SD15.safetensors")))


def test_the_hash_and_the_users_mark(tmp_path):
    path = model(tmp_path / "a.safetensors")
    by_hash = inspect(path, sha256=NAI_SHA256)
    assert (by_hash.verdict, by_hash.recommended.skip) == ("nai", {"l": 2.0})
    marked = inspect(path, sha256=NAI_SHA256, mark="not-nai")
    assert (marked.verdict, evidence_ids(marked)[:2]) == ("not-nai", ["user-mark", "known-file"])  # kept, not hidden
    assert inspect(path).verdict == "unknown"


def test_a_lora_and_its_base(tmp_path):
    layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    tensors = {f"{layer}.lora_down.weight": ("F16", (8, 768)), f"{layer}.lora_up.weight": ("F16", (320, 8))}
    metadata = {
        "ss_clip_skip": "2",
        "ss_new_sd_model_hash": NAI_SHA256,
        "ss_sd_model_hash": "925997e9",
        "ss_sd_model_name": "animefull-final-pruned.ckpt",
        "ss_v2": "False",
    }
    facts = inspect(write_safetensors(tmp_path / "style.safetensors", tensors, metadata))
    assert (facts.kind, facts.architecture.id, facts.trained_skip) == ("lora", "sd1", 2)
    assert (facts.base.sha256, facts.base.name) == (NAI_SHA256, "animefull-final-pruned.ckpt")
    assert (facts.verdict, evidence_ids(facts)[0]) == ("nai-derived", "trainer-metadata")


def test_sidecars(tmp_path):
    path = model(tmp_path / "mix.safetensors")
    images = [{"meta": {"Clip skip": "2", "Model": "mix"}} for _ in range(4)]
    path.with_suffix(".civitai.info").write_text(json.dumps({"baseModel": "SD 1.5", "images": images}))
    facts = inspect(path)
    assert (facts.recommended.skip, facts.recommended.source) == ({"l": 2.0}, "sample-images")
    assert facts.trained_skip is None


def test_a_checkpoint_is_read_and_never_unpickled(tmp_path):
    path = write_checkpoint(tmp_path / "model.ckpt", keys("sd1.json.gz"))
    assert (inspect(path).architecture.id, inspect(path).kind) == ("sd1", "checkpoint")


def test_a_diffusers_folder(tmp_path):
    folder = write_diffusers(
        tmp_path / "folder",
        "StableDiffusionXLPipeline",
        {
            "unet": {"_class_name": "UNet2DConditionModel", "cross_attention_dim": 2048, "in_channels": 4},
            "text_encoder": {"num_hidden_layers": 12},
            "text_encoder_2": {"num_hidden_layers": 32},
        },
    )
    assert inspect(folder).architecture.id == "sdxl"
    (folder / "unet").mkdir(exist_ok=True)
    (folder / "unet" / "gone.safetensors").symlink_to("nowhere")  # as a half-cleared cache of downloads has
    assert Inspector(tmp_path / "data").inspect(folder) == inspect(folder)


@pytest.mark.parametrize(
    "content, why", [(b"", "empty"), (b"<!DOCTYPE html>", "web page"), (b"\x10\0\0\0\0\0\0\0{", "cut off")]
)
def test_what_can_t_be_read_says_why_and_is_nothing_else(tmp_path, content, why):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    facts = inspect(path)
    assert why in facts.error and (facts.architecture.id, facts.verdict) == ("unknown", "unknown")
    assert inspect(tmp_path / "missing.safetensors").error


def test_an_error_of_ours_is_an_answer_too(tmp_path, monkeypatch):
    monkeypatch.setattr("clip_skip.models.inspect.facts.identify_contents", lambda contents: 1 / 0)
    assert "ZeroDivisionError" in inspect(model(tmp_path / "a.safetensors")).error


def test_facts_survive_being_written_down(tmp_path):
    metadata = {"ss_clip_skip": "2", "ss_sd_model_name": "a.ckpt"}
    path = model(tmp_path / "a.safetensors", metadata=metadata)
    for facts in (inspect(path, sha256=NAI_SHA256, mark="nai-derived"), ModelFacts("x", error="y")):
        assert ModelFacts.from_text(facts.to_text()) == facts


# ---------------------------------------------------------------------------------------------------------------------
# From memory


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that are really inspected."""
    read = []
    really = inspector_module.inspect
    monkeypatch.setattr(inspector_module, "inspect", lambda path, **more: read.append(path) or really(path, **more))
    return read


def test_a_file_is_read_once_until_something_that_it_depends_on_changes(tmp_path, reads):
    path = model(tmp_path / "a.safetensors", metadata={"modelspec.encoder_layer": "2"})
    inspector = Inspector(tmp_path / "data")
    first = inspector.inspect(path)
    assert Inspector(tmp_path / "data").inspect(path) == first == inspect(path)
    assert len(reads) == 1
    relative = os.path.relpath(path)
    assert inspector.inspect(relative).file == relative and len(reads) == 1
    assert inspector.inspect(path, mark="not-nai").verdict == "not-nai"
    path.with_suffix(".civitai.info").write_text(json.dumps({"id": 1, "files": [], "images": [], "clipSkip": 3}))
    assert "civitai-version" in {s.id for s in inspector.inspect(path).statements}
    model(path, "sdxl.json.gz")
    os.utime(path, ns=(1, 1))
    assert inspector.inspect(path).architecture.id == "sdxl"
    assert len(reads) == 4


def test_recalls_exactly_what_would_not_be_read(tmp_path, reads):
    path = model(tmp_path / "a.safetensors")
    inspector = Inspector(tmp_path / "data")
    assert not inspector.recall(path)
    inspector.inspect(path)
    assert inspector.recall(path)
    assert not inspector.recall(path, mark="not-nai")
    path.with_suffix(".civitai.info").write_text("{}")
    assert not inspector.recall(path)
    assert inspector.recall(tmp_path / "gone.safetensors")  # there is nothing to read
    assert len(reads) == 1


def test_a_broken_memory_is_read_again_and_errors_are_not_kept(tmp_path, reads):
    path = model(tmp_path / "a.safetensors")
    inspector = Inspector(tmp_path / "data")
    inspector.inspect(path)
    for text in ("no json", "[]", '{"file": "x", "architecture": "nonsense"}', '{"architecture": "sd1"}'):
        inspector._cache._run("UPDATE facts SET text = ?", (text,))
        assert inspector.inspect(path) == inspect(path)
    assert len(reads) == 5
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"")
    assert inspector.inspect(bad).error and inspector.inspect(bad).error
    assert len(reads) == 7


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Family(3, tmp_path_factory.mktemp("family"), patch)


def mix(**shares):
    row = np.zeros(len(DELTAS))
    for name, share in shares.items():
        row[DELTAS.index({"wd": "wd1.3"}.get(name, name))] = share
    return np.tile(row, (16, 1))


def write(family, name, **shares):
    return family.write(name, family.vector(mix(**shares)))


def test_reference_models_are_learned_on_the_way_and_then_decide(tmp_path, family, monkeypatch):
    """Anchors by the hash that the host gives, without a word of the user's."""
    data = tmp_path / "data"
    anchors = {
        "sd1.4": write(family, "sd-v1-4.safetensors"),
        "nai": write(family, "animefull.safetensors", nai=1),
        "wd1.3": write(family, "wd.safetensors", wd=1),
    }
    hashes = {label: hashlib.sha256(path.read_bytes()).hexdigest() for label, path in anchors.items()}
    table = {hashes[label]: KnownModel(label, "not-nai", "an anchor", reference=label) for label in anchors}
    monkeypatch.setattr(known, "lookup", table.get)
    anime = write(family, "anime.safetensors", nai=0.9, wd=0.1)
    photo = write(family, "photo.safetensors", **{"drift 0": 1.2})
    inspector = Inspector(data)
    assert inspector.inspect(anime).verdict == "unknown"
    for label, path in anchors.items():
        inspector.inspect(path, sha256=hashes[label])
    assert (inspector.inspect(anime).verdict, inspector.inspect(photo).verdict) == ("nai-derived", "not-nai")
    assert inspector.inspect(anime).recommended.source == "nai-lineage"
    assert sorted(path.stem for path in (data / "references").iterdir()) == ["nai", "sd1.4", "wd1.3"]


# ---------------------------------------------------------------------------------------------------------------------
# The command line


@pytest.fixture
def run(tmp_path, capsys):
    def run(*arguments):
        code = main(["--data-dir", str(tmp_path / "data"), *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_learn_and_inspect(run, family):
    code, out, _ = run("learn", write(family, "n.safetensors", nai=1), "--as", "nai")
    assert code == 0 and "nai" in out
    assert run("learn", write(family, "w.safetensors", wd=1), "--as", "wd1.3")[0] == 0
    model = write(family, "m.safetensors", nai=0.95)
    code, out, _ = run("inspect", model, "--why")
    assert code == 0 and "unknown" in out and "--as sd1.4" in out
    # What was not compared has no strength.
    assert next(line.split()[:3] for line in out.splitlines() if "--as" in line) == ["lineage", "-", "unet-weights:"]
    assert run("learn", write(family, "o.safetensors"), "--as", "sd1.4")[0] == 0
    code, out, _ = run("inspect", model)
    assert code == 0 and "nai-derived" in out and "l=2 (nai-lineage)" in out


def test_what_can_t_be_learned_says_why(run, tmp_path):
    code, _, err = run("learn", model(tmp_path / "a.safetensors", "sdxl.json.gz"), "--as", "nai")
    assert code == 1 and "no SD 1.x UNet" in err
    assert run("learn", tmp_path / "missing", "--as", "nai")[0] == 1


def test_json_has_the_promised_fields(run, tmp_path):
    path = model(tmp_path / "a.safetensors", metadata={"modelspec.encoder_layer": "2"})
    bad = tmp_path / "b.safetensors"
    bad.write_bytes(b"")
    code, out, _ = run("inspect", path, bad, "--json")
    first, second = json.loads(out)
    assert code == 1
    assert first["file"] == str(path) and first["architecture"] == "sd1" and first["error"] is None
    assert first["encoders"] == [{"id": "l", "blocks": 12, "trained_depth": 12}]
    assert first["lineage"]["verdict"] == "unknown"
    assert {key for e in first["lineage"]["evidence"] for key in e} == {"id", "strength", "text"}
    assert first["recommended"] == {"skip": {"l": 2.0}, "source": "modelspec"} and first["trained_skip"] == 2
    assert second["error"] and second["recommended"] is None and second["trained_skip"] is None


def test_folders_links_and_bad_files(run, tmp_path):
    models = tmp_path / "models"
    (models / "deep").mkdir(parents=True)
    model(models / "a.safetensors")
    model(models / "deep" / "b.safetensors", "sdxl.json.gz")
    (models / "notes.txt").write_text("no model")
    (models / "deep" / "circle").symlink_to(models, target_is_directory=True)
    write_diffusers(models / "folder", "StableDiffusionPipeline", {"text_encoder": {"num_hidden_layers": 12}})

    def files(*arguments):
        code, out, _ = run("inspect", models, "--json", *arguments)
        return code, sorted(Path(each["file"]).name for each in json.loads(out))

    assert files() == (0, ["a.safetensors", "folder"])
    assert files("--recursive") == (0, ["a.safetensors", "b.safetensors", "folder"])
    (models / "bad.ckpt").write_bytes(b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.")
    code, out, err = run("inspect", models)
    assert code == 1 and "a.safetensors" in out and "bad.ckpt" in err


def test_thorough_hashes_the_file(run, tmp_path, monkeypatch):
    path = model(tmp_path / "a.safetensors")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr("clip_skip.models.inspect.verdict.ladder.lookup", {sha256: known.lookup(NAI_SHA256)}.get)
    assert json.loads(run("inspect", path, "--json")[1])[0]["lineage"]["verdict"] == "unknown"
    assert json.loads(run("inspect", path, "--json", "--thorough")[1])[0]["lineage"]["verdict"] == "nai"


def test_no_control_character_reaches_the_terminal(run, tmp_path):
    metadata = {"ss_sd_model_name": "\x1b[31mred\x1b]0;title\x07", "ss_clip_skip": "\x1b[2J"}
    path = model(tmp_path / "a\x1b[31m.safetensors", metadata=metadata)
    for arguments in ((), ("--why",), ("--json",)):
        _, out, err = run("inspect", path, *arguments)
        assert "a" in out and "\x1b" not in out + err and "\x07" not in out + err
