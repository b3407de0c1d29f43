"""The learned references: small files that another version, another process or a bad disk may have had in hand."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from clip_skip.models.inspect.formats.contents import Contents, ContentsError
from clip_skip.models.inspect.formats.reader import read_contents
from clip_skip.models.inspect.inspector import Inspector
from clip_skip.models.inspect.weights import reference_files
from clip_skip.models.inspect.weights.descent import sketch
from clip_skip.models.inspect.weights.reference_files import LABELS, learn, load
from clip_skip.models.inspect.weights.references import NO_REFERENCES
from clip_skip.models.inspect.weights.trained_layers import text_sketch

from .families import unet_shapes
from .files import write_safetensors

SHA256 = "89d59c3dde4c56c6d5c41da34cc55ce479d93b4007046980934b14db71bdb2a8"
UNET = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
TEXT = "cond_stage_model.transformer.text_model.encoder.layers."


def text_shapes() -> dict[str, tuple[int, int]]:
    return {
        f"{TEXT}{layer}.{name}.weight": shape
        for layer in range(12)
        for name, shape in {
            **{f"self_attn.{part}_proj": (768, 768) for part in ("q", "k", "v", "out")},
            "mlp.fc1": (3072, 768),
            "mlp.fc2": (768, 3072),
        }.items()
    }


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Contents]:
    """Two whole models (all holes but one matrix), and the UNet of the second alone."""
    folder = tmp_path_factory.mktemp("models")
    holes = {name: ("F16", shape) for name, shape in {**unet_shapes(), **text_shapes()}.items()}
    one, two = (np.full((320, 320), value, np.float32) for value in (1, 2))
    updates = {"model_ema.num_updates": np.array(470_000, np.int64)}
    return {
        "one": read_contents(write_safetensors(folder / "one.safetensors", {**holes, UNET: one, **updates})),
        "two": read_contents(write_safetensors(folder / "two.safetensors", {**holes, UNET: two})),
        "unet": read_contents(
            write_safetensors(
                folder / "unet.safetensors", {**{n: ("F16", s) for n, s in unet_shapes().items()}, UNET: two}
            )
        ),
    }


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    caplog.set_level(logging.INFO, "clip_skip")
    return caplog


def test_what_is_learned_is_loaded(tmp_path: Path, models: dict[str, Contents]) -> None:
    folder = tmp_path / "data" / "references"  # not there yet
    learn(models["one"], "nai", folder, "one.safetensors", SHA256)
    learn(models["two"], "sd1.4", folder, "two.safetensors")
    loaded = load(folder)
    assert set(loaded.labels) == {"nai", "sd1.4"}
    nai, base = loaded.by_label["nai"], loaded.by_label["sd1.4"]
    assert np.array_equal(nai.unet, sketch(models["one"]))
    assert nai.text is not None
    assert np.array_equal(nai.text, text_sketch(models["one"]))
    assert (nai.source, nai.sha256, nai.num_updates) == ("one.safetensors", SHA256, 470_000)
    assert (base.source, base.sha256, base.num_updates) == ("two.safetensors", None, None)
    assert not np.array_equal(nai.unet, base.unet)
    assert (loaded.num_updates("nai"), loaded.num_updates("sd1.4"), loaded.num_updates("wd1.3")) == (
        470_000,
        None,
        None,
    )


def test_references_are_small(tmp_path: Path, models: dict[str, Contents]) -> None:
    learn(models["one"], "nai", tmp_path, "x")
    (file,) = tmp_path.iterdir()  # and nothing temporary is left
    assert file.name == "nai.safetensors"
    assert file.stat().st_size < 400_000


def test_a_model_without_text_encoder_can_be_learned(tmp_path: Path, models: dict[str, Contents]) -> None:
    learn(models["unet"], "wd1.3", tmp_path, "x")
    assert load(tmp_path).by_label["wd1.3"].text is None


def test_what_is_no_sd1_model_is_refused(tmp_path: Path) -> None:
    other = read_contents(write_safetensors(tmp_path / "x.safetensors", {"a": np.zeros(1, np.float16)}))
    with pytest.raises(ContentsError, match=r"no SD 1\.x UNet"):
        learn(other, "nai", tmp_path / "references", "x")
    assert not (tmp_path / "references").exists()


def test_the_users_word_replaces_a_reference(tmp_path: Path, models: dict[str, Contents]) -> None:
    learn(models["one"], "nai", tmp_path, "one", SHA256)
    learn(models["two"], "nai", tmp_path, "two")
    assert load(tmp_path).by_label["nai"].source == "two"


def test_what_is_learned_by_itself_replaces_nothing(tmp_path: Path, models: dict[str, Contents]) -> None:
    learn(models["one"], "nai", tmp_path, "one")
    learn(models["two"], "nai", tmp_path, "two", SHA256)
    assert load(tmp_path).by_label["nai"].source == "one"


def test_the_fingerprint_follows_the_contents(tmp_path: Path, models: dict[str, Contents]) -> None:
    prints = [load(tmp_path / "a").fingerprint]
    learn(models["one"], "nai", tmp_path / "a", "one")
    prints.append(load(tmp_path / "a").fingerprint)
    learn(models["two"], "nai", tmp_path / "a", "two")
    prints.append(load(tmp_path / "a").fingerprint)
    learn(models["two"], "sd1.4", tmp_path / "a", "two")
    prints.append(load(tmp_path / "a").fingerprint)
    learn(models["unet"], "nai", tmp_path / "a", "unet")
    prints.append(load(tmp_path / "a").fingerprint)
    assert len(set(prints)) == 5
    # The same references in another place, from files of other names, are the same.
    learn(models["two"], "sd1.4", tmp_path / "b", "renamed")
    learn(models["unet"], "nai", tmp_path / "b", "renamed too")
    assert load(tmp_path / "b").fingerprint == prints[-1]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere") is NO_REFERENCES
    assert NO_REFERENCES.labels == ()


def edited(path: Path, **changes: object) -> None:
    """The reference at `path` with other tensors or metadata; None leaves one out."""
    contents = read_contents(path)
    metadata, tensors = dict(contents.metadata), dict(load_file(path))
    for name, value in changes.items():
        target = tensors if name in ("unet", "text") else metadata
        target[name] = value
    save_file(
        {k: v for k, v in tensors.items() if v is not None}, path, {k: v for k, v in metadata.items() if v is not None}
    )


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(os.urandom(5000)),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "huge": lambda path: path.write_bytes(path.read_bytes() + bytes(1_000_000)),
    "no unet": lambda path: edited(path, unet=None),
    "another shape": lambda path: edited(path, unet=np.zeros((16, 5), np.float32)),
    "another type": lambda path: edited(path, unet=np.zeros((16, 4093), np.float16)),
    "not a number": lambda path: edited(path, unet=np.full((16, 4093), np.nan, np.float32)),
    "broken text": lambda path: edited(path, text=np.zeros(3, np.float32)),
    "another model's": lambda path: edited(path, label="wd1.3"),
    "no version": lambda path: edited(path, version=None),
    "no source": lambda path: edited(path, source=None),
    "broken count": lambda path: edited(path, num_updates="many"),
    "absurd count": lambda path: edited(path, num_updates="9" * 9999),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_broken_reference_is_set_aside_and_learned_again(
    tmp_path: Path, models: dict[str, Contents], said, damage
) -> None:
    learn(models["one"], "nai", tmp_path, "one")
    learn(models["two"], "sd1.4", tmp_path, "two")
    damage(tmp_path / "nai.safetensors")
    assert load(tmp_path).labels == ("sd1.4",)
    assert [record.levelname for record in said.records].count("WARNING") == 1
    assert len(list(tmp_path.glob("nai.broken-*.safetensors"))) == 1
    learn(models["one"], "nai", tmp_path, "one", SHA256)
    assert set(load(tmp_path).labels) == {"nai", "sd1.4"}


def test_another_version_is_let_be(tmp_path: Path, models: dict[str, Contents]) -> None:
    learn(models["one"], "nai", tmp_path, "one")
    edited(tmp_path / "nai.safetensors", version="999")
    assert load(tmp_path) is NO_REFERENCES
    assert [file.name for file in tmp_path.iterdir()] == ["nai.safetensors"]


def test_a_reference_that_cannot_be_set_aside_is_not_fatal(
    tmp_path: Path, models: dict[str, Contents], said, monkeypatch
) -> None:
    (tmp_path / "nai.safetensors").write_bytes(b"broken")

    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(os, "replace", refuse)
    assert load(tmp_path) is NO_REFERENCES
    assert "not used" in said.records[-1].getMessage()
    assert [file.name for file in tmp_path.iterdir()] == ["nai.safetensors"]


def test_what_is_learned_lasts_before_it_has_its_name(tmp_path: Path, models: dict[str, Contents], monkeypatch) -> None:
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: done.append(name) or real(*args))
    learn(models["one"], "nai", tmp_path, "one")
    assert done[:2] == ["fsync", "replace"]


def test_two_broken_references_of_one_second_are_both_kept(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda form: "2026-11-22T03-04-05")
    for content in (b"broken 1", b"broken 2"):
        (tmp_path / "nai.safetensors").write_bytes(content)
        assert load(tmp_path) is NO_REFERENCES
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "nai.broken-2026-11-22T03-04-05.safetensors": b"broken 1",
        "nai.broken-2026-11-22T03-04-05-2.safetensors": b"broken 2",
    }


def test_a_failed_write_leaves_the_old_reference(tmp_path: Path, models: dict[str, Contents], monkeypatch) -> None:
    learn(models["one"], "nai", tmp_path, "one")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        learn(models["two"], "nai", tmp_path, "two")
    assert [file.name for file in tmp_path.iterdir()] == ["nai.safetensors"]
    assert load(tmp_path).by_label["nai"].source == "one"


def test_other_files_are_no_references(tmp_path: Path, models: dict[str, Contents]) -> None:
    learn(models["one"], "nai", tmp_path, "one")
    (tmp_path / "nai.safetensors.tmp").write_bytes(b"half")
    (tmp_path / "stranger.safetensors").write_bytes((tmp_path / "nai.safetensors").read_bytes())
    (tmp_path / "sd1.4.safetensors").mkdir()
    assert load(tmp_path).labels == ("nai",)


def test_loading_again_reads_nothing(tmp_path: Path, models: dict[str, Contents], monkeypatch) -> None:
    """Each inspected file asks for the references."""
    learn(models["one"], "nai", tmp_path, "one")
    first = load(tmp_path)
    monkeypatch.setattr(reference_files, "read_contents", None)
    assert load(tmp_path) is first


def test_the_labels_are_the_known_anchors() -> None:
    assert LABELS == ("sd1.4", "sd1.5", "nai", "wd1.3")


def test_a_known_descendant_becomes_the_stand_in(tmp_path: Path, monkeypatch, models: dict[str, Contents]) -> None:
    sha256 = "543bcbc21294831c6245cd74c8a7707761e28812c690f946cb81fef930d54b5e"  # Anything V3
    learned: list[tuple[str, str]] = []
    monkeypatch.setattr(
        reference_files, "learn", lambda contents, label, folder, source, sha256: learned.append((label, source))
    )
    file = write_safetensors(tmp_path / "anything.safetensors", {"a": np.zeros(1, np.float16)})
    Inspector(tmp_path).inspect(file, sha256=sha256)
    assert learned == [("nai-like", "anything.safetensors")]
