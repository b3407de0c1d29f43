"""The marks other than the UNet's weights, each against an independent computation of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from clip_skip.models.inspect.evidence.evidence import HINT, STRONG
from clip_skip.models.inspect.formats.contents import Contents, Tensor
from clip_skip.models.inspect.formats.reader import read_contents
from clip_skip.models.inspect.weights.fingerprints import (
    ema_updates,
    legacy_hash,
    num_updates,
    text_model_evidence,
    vae_evidence,
    vae_metric,
)
from clip_skip.models.inspect.weights.references import NO_REFERENCES, Reference, References

from .files import bf16, write_safetensors

# ---------------------------------------------------------------------------------------------------------------------
# EMA updates

COUNT = "model_ema.num_updates"
UNET = np.zeros((1, 1), np.float32)


def file_with(tmp_path: Path, tensors: dict[str, object]) -> Contents:
    return read_contents(write_safetensors(tmp_path / "x.safetensors", tensors))


def knowing(**updates: int | None) -> References:
    names = {"nai": "nai", "base": "sd1.4", "wd": "wd1.3"}
    return References({names[k]: Reference(k, UNET, num_updates=v) for k, v in updates.items()}, "x")


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_the_count_is_read(tmp_path: Path, dtype: type, shape: tuple[int, ...]) -> None:
    # before and after it another tensor, so that a wrong place shows
    tensors = {"a": np.ones(3, np.int64), COUNT: np.full(shape, 1_021_602, dtype), "z": np.ones(3, np.int64)}
    assert num_updates(file_with(tmp_path, tensors)) == 1_021_602


@pytest.mark.parametrize(
    "count",
    [
        np.array([1, 2], np.int64),
        np.array([], np.int64),
        np.array(np.nan, np.float32),
        np.array(np.inf, np.float32),
        np.array(1, np.int8),
        ("F16", np.array(7, np.float16)),
    ],
)
def test_an_odd_count_is_none(tmp_path: Path, count: object) -> None:
    assert num_updates(file_with(tmp_path, {COUNT: count})) is None


def test_a_count_that_lies_nowhere_is_none(tmp_path: Path) -> None:
    assert num_updates(Contents("pickle", {COUNT: Tensor("I64", (), None, "x.ckpt")})) is None
    assert num_updates(Contents("pickle", {COUNT: Tensor("I64", (), 0, str(tmp_path / "gone"))})) is None
    (tmp_path / "short").write_bytes(b"abc")
    assert num_updates(Contents("pickle", {COUNT: Tensor("I64", (), 0, str(tmp_path / "short"))})) is None


@pytest.mark.parametrize(
    ("count", "references", "is_nai"),
    [
        (900, knowing(nai=900), True),
        (901, knowing(nai=900), False),
        (900, knowing(nai=None), False),
        (900, knowing(wd=900), False),
        (900, NO_REFERENCES, False),
        (470_000 + 551_602, knowing(base=470_000), True),  # the published difference
        (1_000_000 - 551_602, knowing(base=1_000_000), True),  # of which the sign was not published
        (470_000 + 551_603, knowing(base=470_000), False),
        (470_000, knowing(base=470_000, nai=900), False),  # SD 1.4's own: it speaks for nothing
    ],
)
def test_the_count_is_nais_or_nothing(tmp_path: Path, count: int, references: References, is_nai: bool) -> None:
    evidence = ema_updates(file_with(tmp_path, {COUNT: np.array(count)}), references)
    assert (evidence is not None) == is_nai
    if evidence:
        assert (evidence.id, evidence.strength, evidence.verdict) == ("ema-updates", STRONG, "nai-derived")
        assert str(count) in evidence.text


def test_no_count_is_no_evidence(tmp_path: Path) -> None:
    assert ema_updates(file_with(tmp_path, {"a": np.ones(1, np.float32)}), knowing(nai=900)) is None


# ---------------------------------------------------------------------------------------------------------------------
# text_model.

CLIP = "cond_stage_model.transformer."


@pytest.mark.parametrize(
    ("names", "lacks"),
    [
        (["encoder.layers.0.mlp.fc1.weight", "embeddings.position_ids", "final_layer_norm.weight"], True),
        (["embeddings.position_ids"], True),
        (["text_model.encoder.layers.0.mlp.fc1.weight"], False),
        (["text_model.encoder.layers.0.mlp.fc1.weight", "embeddings.position_ids"], False),
        ([], False),
        (["something"], False),
    ],
)
def test_names_without_text_model(tmp_path: Path, names: list[str], lacks: bool) -> None:
    tensors = {CLIP + name: np.ones(1, np.float16) for name in names} | {"model.x": np.ones(1, np.float16)}
    evidence = text_model_evidence(file_with(tmp_path, tensors))
    assert (evidence is not None) == lacks
    if evidence:
        assert (evidence.id, evidence.strength, evidence.verdict) == ("no-text-model", HINT, "nai-derived")


def test_other_encoders_names_are_not_meant(tmp_path: Path) -> None:
    names = ["cond_stage_model.model.transformer.resblocks.0.x", "text_encoder/encoder.layers.0.mlp.fc1.weight"]
    assert text_model_evidence(file_with(tmp_path, {n: np.ones(1, np.float16) for n in names})) is None


# ---------------------------------------------------------------------------------------------------------------------
# The VAE


def toolkit_metric(tensors: dict[str, torch.Tensor]) -> int:
    """What model-toolkit's description of its metric means, in torch."""
    total = sum(
        torch.sum(torch.sigmoid(tensor.to(torch.float16).to(torch.float32)) - 0.5).item()
        for name, tensor in tensors.items()
        if "encoder." in name or "decoder." in name
    )
    metric = int(abs(total / 17870.7051 - 1) * 10_000)
    while metric >= 10_000:
        metric -= 5_000
    return metric


def vae(mean: float, seed: int = 0) -> dict[str, torch.Tensor]:
    """A VAE of no sense: about 100,000 numbers, with some beyond float16, and the parts that don't count."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {"encoder.conv_in.weight": (128, 3, 3, 3), "decoder.mid.block_1.conv1.weight": (256, 256, 1, 1)}
    tensors = {n: torch.randn(s, generator=generator) * 0.05 + mean for n, s in sizes.items()}
    tensors["decoder.norm_out.weight"] = torch.tensor([7e4, -7e4, 1e-9, -3.0])
    tensors["quant_conv.weight"] = torch.full((8, 8, 1, 1), 5.0)
    return tensors


PLACES = ["first_stage_model.", "vae/", ""]


@pytest.mark.parametrize("mean", [-30.0, -0.5, -0.02, 0.0, 0.5, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("place", PLACES)
def test_the_metric_is_the_toolkits(tmp_path: Path, mean: float, place: str) -> None:
    tensors = vae(mean)
    contents = file_with(tmp_path, {place + name: tensor.numpy() for name, tensor in tensors.items()})
    assert vae_metric(contents) == toolkit_metric(tensors)


def aimed(metric: float) -> dict[str, np.ndarray]:
    """A VAE with that metric: n numbers x with n * (sigmoid(x) - 0.5) = the sum that it takes."""
    total = 17870.7051 * (1 + (metric + 0.5) / 10_000)
    x = np.float16(1.0)
    count = round(total / (1 / (1 + np.exp(-float(x))) - 0.5))
    return {"first_stage_model.decoder.conv_in.weight": np.full(count, x)}


@pytest.mark.parametrize(
    ("metric", "is_nai"),
    [(2982, True), (2981, True), (2983, True), (2980, False), (2984, False), (0, False), (155, False)],
)
def test_only_nais_metric_is_evidence(tmp_path: Path, metric: int, is_nai: bool) -> None:
    contents = file_with(tmp_path, aimed(metric))
    assert vae_metric(contents) == metric
    evidence = vae_evidence(contents)
    assert (evidence is not None) == is_nai
    if evidence:
        assert (evidence.id, evidence.strength, evidence.verdict) == ("vae-metric", HINT, "contains-nai")


@pytest.mark.parametrize("cast", [lambda x: x.astype(np.float32), bf16])
def test_other_types_are_read_too(tmp_path: Path, cast) -> None:
    tensors = {name: cast(value) for name, value in aimed(2982).items()}
    assert vae_metric(file_with(tmp_path, tensors)) == 2982


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"first_stage_model.quant_conv.weight": np.ones(8, np.float16)},
        {"first_stage_model.decoder.conv_in.weight": ("F8_E4M3", (64,))},
        {"first_stage_model.decoder.conv_in.weight": np.full(8, np.nan, np.float16)},
        {"first_stage_model.decoder.conv_in.weight": ("F16", (200_000_000,))},  # 400 MB: no VAE of this kind
        {"first_stage_model.decoder.conv_in.weight": ("F16", (0, 8))},
    ],
    ids=["nothing", "quantisers", "float8", "nan", "too large", "no numbers"],
)
def test_no_vae_that_can_be_read(tmp_path: Path, tensors: dict[str, object]) -> None:
    contents = file_with(tmp_path, {"other": np.ones(1, np.float16), **tensors})
    assert vae_metric(contents) is None
    assert vae_evidence(contents) is None


# ---------------------------------------------------------------------------------------------------------------------
# The legacy hash


def test_the_legacy_hash_is_of_64_kb_at_1_mb(tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(0x130000)
    (tmp_path / "x").write_bytes(data)
    assert legacy_hash(tmp_path / "x") == hashlib.sha256(data[0x100000:0x110000]).hexdigest()[:8]


def test_the_legacy_hash_of_less(tmp_path: Path) -> None:
    """As A1111 does: what is there is hashed."""
    data = np.random.default_rng(0).bytes(0x100010)
    (tmp_path / "x").write_bytes(data)
    assert legacy_hash(tmp_path / "x") == hashlib.sha256(data[0x100000:]).hexdigest()[:8]
    (tmp_path / "small").write_bytes(b"small")
    assert legacy_hash(tmp_path / "small") == "e3b0c442"


def test_the_legacy_hash_of_no_file(tmp_path: Path) -> None:
    assert legacy_hash(tmp_path / "gone") is None
    assert legacy_hash(tmp_path) is None
