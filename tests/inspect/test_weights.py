"""The weight test: against the published distances of 29 real models, and in families of invented ones."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from clip_skip.models.inspect.evidence.evidence import STRONG
from clip_skip.models.inspect.formats.contents import READABLE, Contents, ContentsError
from clip_skip.models.inspect.formats.reader import read_contents
from clip_skip.models.inspect.weights import descent
from clip_skip.models.inspect.weights.descent import deltas_gram, fit, sketch, verdict, weight_evidence
from clip_skip.models.inspect.weights.references import NO_REFERENCES, Reference, References

from .families import ANIME, DELTAS, DRIFTS, Family, unet_shapes, watch
from .files import write_safetensors

# ---------------------------------------------------------------------------------------------------------------------
# Published models

TABLES = {
    table["name"]: table for table in json.loads(Path(__file__).with_name("unet_distances.json").read_text())["tables"]
}
BASE, NAI, WD13, SD15 = "sd-v1-4.ckpt", "animefull-final-pruned.ckpt", "wd-v1-3-full.ckpt", "v1-5-pruned.ckpt"

# table, model, cos, alpha with the digits that were published.
COS_ALPHA = [
    ("merge", "disco_fp16.safetensors", "0.999", "1.000"),
    ("main0", "ABPModel-ep99.safetensors", "0.991", "1.001"),
    ("merge", "Almond_mix_fixed.safetensors", "0.977", "1.001"),
    ("main0", "Anything-V3.0-pruned-fp32.ckpt", "0.975", "0.960"),
    ("merge", "Anything-V3.0-pruned-fp32.ckpt", "0.975", "0.960"),
    ("merge", "Cinnamon_mix_fixed.safetensors", "0.970", "0.943"),
    ("main0", "AniReal.safetensors", "0.965", "0.956"),
    ("main0", "anything-v4.5-pruned.safetensors", "0.962", "0.926"),
    ("merge", "anything-v4.0-pruned.safetensors", "0.957", "0.966"),
    ("merge", "AbyssOrangeMix2_nsfw.safetensors", "0.956", "0.97"),
    ("main0", "AbyssOrangeMix2_hard.safetensors", "0.955", "0.97"),
    ("main0", "bp_nman_e29.safetensors", "0.874", "0.998"),
    ("nnai", "nnai_221128.ckpt", "0.992", "1.0"),
    ("nnai", "nnai_221201.ckpt", "0.998", "1.0"),
    ("nnai", "nnai_lora_221209.ckpt", "0.997", "1.0"),
    ("nnai", "nnai_lora_221213.ckpt", "0.779", "0.927"),
    ("wdacnai0", "888886dc.ckpt", "0.993", "1.0"),
    ("main0", "ACertainModel.ckpt", "0.779", "0.927"),
    ("main0", "ACertainty.ckpt", "0.779", "0.927"),
    ("main0", "ACertainThing.ckpt", "0.752", "0.885"),
    ("main0", "Evt_V4_e10_ema.safetensors", "0.746", "0.964"),
    ("merge", "momoko-e.ckpt", "0.731", "0.847"),
    ("main0", "Lawlas-YiffMix-inclVae.ckpt", "0.678", "0.472"),
    ("main0", "Basil_mix_fixed.safetensors", "0.582", "0.556"),
    ("main0", "wd-v1-3-full.ckpt", "0.546", "0.328"),
    ("merge", "woopwoopPhoto_12.safetensors", "0.412", "0.286"),
    ("merge", "yiffy-e18.ckpt", "0.234", "0.162"),
    ("main0", "dreamlike-photoreal-2.0.safetensors", "0.114", "0.191"),
    ("wdacnai0", "v1-5-pruned.ckpt", "0.081", "0.191"),
    ("wdacnai0", "sd-v1-2-full-ema.ckpt", "-0.020", "-0.040"),
]

# table, model, coefficients of NAI and WD 1.3 as published (None: not published), verdict.
COEFFICIENTS = [
    ("main0", "Anything-V3.0-pruned-fp32.ckpt", "0.934", "0.080", "nai-derived"),
    ("main0", "anything-v4.5-pruned.safetensors", "0.904", "0.068", "nai-derived"),
    ("main0", "AbyssOrangeMix2_hard.safetensors", "0.987", "-0.050", "nai-derived"),
    ("main0", "AniReal.safetensors", "0.937", "0.058", "nai-derived"),
    ("main0", "ABPModel-ep99.safetensors", "0.999", "0.007", "nai-derived"),
    ("main0", "bp_nman_e29.safetensors", "0.981", "0.054", "nai-derived"),
    ("main0", "ACertainModel.ckpt", "0.952", "-0.075", "nai-derived"),
    ("main0", "ACertainty.ckpt", "0.952", "-0.075", "nai-derived"),
    ("main0", "ACertainThing.ckpt", "0.883", "0.006", "nai-derived"),
    ("main0", "Evt_V4_e10_ema.safetensors", "0.970", "-0.017", "nai-derived"),
    ("main0", "Basil_mix_fixed.safetensors", "0.518", "0.113", "contains-nai"),
    ("main0", "Lawlas-YiffMix-inclVae.ckpt", "0.354", "0.360", "contains-nai"),
    ("main0", "dreamlike-photoreal-2.0.safetensors", "0.082", "0.334", "not-nai"),
    ("main0", "wd-v1-3-full.ckpt", "0.000", "1.000", "not-nai"),
    ("main0", "animefull-final-pruned.ckpt", "1.000", "0.000", "nai"),
    ("main0", "sd-v1-4.ckpt", "0.000", "0.000", "not-nai"),
    ("wdacnai0", "sd-v1-2-full-ema.ckpt", "-0.006", "0.013", "not-nai"),
    ("wdacnai0", "v1-5-pruned.ckpt", "0.000", "0.000", "not-nai"),
    ("wdacnai0", "888886dc.ckpt", None, None, "nai-derived"),
    ("wdacnai0", "nnai_221201.ckpt", None, None, "nai-derived"),
]


def matches(value: float, published: str) -> bool:
    """Whether `value` is what was published, to its last digit; the distances have a rounding error of their own."""
    digits = len(published.partition(".")[2])
    return abs(value - float(published)) <= 0.5 * 10**-digits + 1e-4


def published_gram(table: str, models: Sequence[str], origin: str = BASE) -> np.ndarray:
    """Inner products of these models' deltas to the model `origin`, from the published distances."""
    order = [TABLES[table]["models"].index(name) for name in (origin, *models)]
    squared = np.square(np.array(TABLES[table]["distance"]))[np.ix_(order, order)]
    return (squared[0, 1:, None] + squared[0, None, 1:] - squared[1:, 1:]) / 2


def published_fit(table: str, model: str, references: dict[str, str]) -> descent.Fit:
    return fit(published_gram(table, (model, *references.values())), list(references))


@pytest.mark.parametrize(("table", "model", "cos", "alpha"), COS_ALPHA)
def test_cosine_and_projection_are_the_published_ones(table: str, model: str, cos: str, alpha: str) -> None:
    result = published_fit(table, model, {"nai": NAI})
    (size, projected), (_, nai) = published_gram(table, (model, NAI))
    assert matches(projected / np.sqrt(size * nai) if size else 0.0, cos)
    assert matches(result.alpha, alpha)
    assert result.error == 0  # nothing was sketched


@pytest.mark.parametrize(("table", "model", "nai", "wd", "expected"), COEFFICIENTS)
def test_coefficients_and_verdicts_are_the_published_ones(
    table: str, model: str, nai: str | None, wd: str | None, expected: str
) -> None:
    references = {"nai": NAI, "wd1.3": WD13} | ({"sd1.5": SD15} if SD15 in TABLES[table]["models"] else {})
    result = published_fit(table, model, references)
    if nai is not None and wd is not None:
        assert matches(result.content["nai"], nai)
        assert matches(result.content["wd1.3"], wd)
    assert verdict(result) == expected


# What each published model is known to be, whatever the references: the verdicts that are false are the other two.
ANYTHING = "Anything-V3.0-pruned-fp32.ckpt"
NO_NAI = {
    "wd-v1-3-full.ckpt",
    "yiffy-e18.ckpt",
    "dreamlike-photoreal-2.0.safetensors",
    "v1-5-pruned.ckpt",
    "sd-v1-2-full-ema.ckpt",
    "sd-v1-4.ckpt",
}
MIXED = {"Lawlas-YiffMix-inclVae.ckpt", "Basil_mix_fixed.safetensors", "woopwoopPhoto_12.safetensors"}
# origin, what stands for NAI, whether Waifu Diffusion 1.3 is there -> how many models get a verdict, of how many in
# the tables that have these references.
SETS = {
    ("sd1.4", "nai", True): (25, 25),
    ("sd1.4", "nai", False): (39, 49),
    ("sd1.4", "nai-like", True): (16, 16),
    ("sd1.4", "nai-like", False): (23, 32),
    ("sd1.5", "nai", True): (8, 9),
}


@pytest.mark.parametrize(("origin", "nai", "with_wd"), SETS)
def test_no_verdict_is_false_whichever_references_are_there(origin: str, nai: str, with_wd: bool) -> None:
    files = {"sd1.4": BASE, "sd1.5": SD15, "nai": NAI, "nai-like": ANYTHING, "wd1.3": WD13}
    decided: dict[tuple[str, str], str] = {}
    for name, table in TABLES.items():
        models = table["models"]
        labels = [nai, *(["wd1.3"] if with_wd else []), *(["sd1.5"] if origin == "sd1.4" else [])]
        if not {files[label] for label in (origin, *labels) if label != "sd1.5" or origin == "sd1.5"} <= {*models}:
            continue
        labels = [label for label in labels if files[label] in models]
        for model in models:
            gram = published_gram(name, (model, *(files[label] for label in labels)), files[origin])
            decided[name, model] = verdict(fit(gram, labels), origin, nai)
    for (_, model), said in decided.items():
        if model in NO_NAI:
            assert said in ("not-nai", "unknown"), model
        elif model in MIXED:
            assert said in ("contains-nai", "unknown"), model
        else:
            assert said in ("nai", "nai-derived"), model
    known = sum(said != "unknown" for said in decided.values())
    assert (known, len(decided)) == SETS[origin, nai, with_wd]


def test_all_29_published_models_are_tested() -> None:
    every = {model for table in TABLES.values() for model in table["models"]} - {BASE, NAI}
    assert len(every) == 29
    assert {model for _, model, _, _ in COS_ALPHA} == every


# ---------------------------------------------------------------------------------------------------------------------
# The sketch


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module", params=[1, 2])
def family(request, tmp_path_factory, monkeypatch_module) -> Family:
    return Family(request.param, tmp_path_factory.mktemp("family"), monkeypatch_module)


def only(delta: str) -> np.ndarray:
    """The mix that is one delta."""
    mix = np.zeros((len(descent.BLOCKS), len(DELTAS)))
    mix[:, DELTAS.index(delta)] = 1
    return mix


@pytest.fixture(scope="module")
def sketches(family: Family) -> dict[str, np.ndarray]:
    """The sketch of the origin and of each delta's model, of float32 files."""
    known = {"sd1.4": sketch(read_contents(family.write("origin.safetensors", family.origin)))}
    for name in DELTAS:
        known[name] = sketch(read_contents(family.write("basis.safetensors", family.vector(only(name)))))
    return known


def integers(shape: tuple[int, int]) -> np.ndarray:
    return (np.arange(math.prod(shape)) * 7919 % 201 - 100).astype(np.float16).reshape(shape)


def test_a_sketch_is_the_same_for_ever(tmp_path: Path) -> None:
    """References outlive versions of numpy and of this extension: when this changes, so must descent.VERSION."""
    file = write_safetensors(tmp_path / "x.safetensors", {n: integers(s) for n, s in unet_shapes().items()})
    result = sketch(read_contents(file))
    assert (result.dtype, result.shape) == (np.float32, (16, 4093))
    assert hashlib.sha256(result.astype("<f4").tobytes()).hexdigest()[:16] == "fc169ce42b9069c9"


def test_a_sketch_is_a_signed_sum_of_the_numbers(tmp_path: Path) -> None:
    """One number at a time: it lands in one bucket of its block, as it is or negated."""
    name = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_v.weight"
    shapes = unet_shapes()
    lone = np.zeros(shapes[name], np.float32)
    lone[0, 5] = 3.0
    holes = {n: ("F32", s) for n, s in shapes.items()}
    result = sketch(read_contents(write_safetensors(tmp_path / "x.safetensors", {**holes, name: lone})))
    assert np.abs(result).sum() == 3.0
    assert np.flatnonzero(np.abs(result).sum(axis=1)).tolist() == [6]


def test_a_sketch_is_linear(family: Family, sketches: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(7)
    mix = rng.normal(0, 1, (16, len(DELTAS)))
    direct = sketch(read_contents(family.write("mix.safetensors", family.vector(mix)))) - sketches["sd1.4"]
    summed = sum(mix[:, i, None] * (sketches[name] - sketches["sd1.4"]) for i, name in enumerate(DELTAS))
    assert np.linalg.norm(direct - summed) < 1e-4 * np.linalg.norm(summed)


def test_inner_products_are_kept_within_the_stated_error(family: Family, sketches: dict[str, np.ndarray]) -> None:
    deltas = [sketches[name] - sketches["sd1.4"] for name in DELTAS]
    estimated = np.array([[np.vdot(a.astype(float), b) for b in deltas] for a in deltas])
    exact = family.gram().sum(axis=0)
    norms = np.sqrt(np.diag(exact))
    error = (estimated - exact) / np.outer(norms, norms)
    assert np.sqrt(np.square(error).mean()) < 0.0075  # 0.0055 where all blocks weigh alike
    assert np.abs(error).max() < 0.025


def test_a_sketch_reads_less_than_64_mb(tmp_path: Path, monkeypatch) -> None:
    for dtype in ("F16", "F32", "F64"):
        file = write_safetensors(tmp_path / f"{dtype}.safetensors", {n: (dtype, s) for n, s in unet_shapes().items()})
        reads = watch(read_contents(file), monkeypatch)
        size = READABLE[dtype] * sum(count for _, _, count in reads)
        assert len(reads) > 96
        assert 10e6 < size < 64e6


@pytest.mark.parametrize(("prefix", "column"), [("", 0), ("", 1), ("unet/", 1)])
def test_every_layout_gives_the_same_sketch(
    family: Family, sketches: dict[str, np.ndarray], prefix: str, column: int
) -> None:
    file = family.write("layout.safetensors", family.origin, prefix=prefix, column=column)
    assert np.array_equal(sketch(read_contents(file)), sketches["sd1.4"])


def test_diffusers_names_are_those_of_diffusers() -> None:
    """One of each kind, from a real diffusers UNet."""
    names = set(unet_shapes("unet/", 1))
    for block in (
        "down_blocks.0.attentions.0",
        "down_blocks.2.attentions.1",
        "mid_block.attentions.0",
        "up_blocks.1.attentions.0",
        "up_blocks.3.attentions.2",
    ):
        assert f"unet/{block}.transformer_blocks.0.attn2.to_k.weight" in names
    assert len(names) == 96


def broken(name: str, tensor: object) -> dict[str, object]:
    return {**{n: ("F16", s) for n, s in unet_shapes().items()}, name: tensor}


SD2 = {n: ("F16", (s[0], 1024 if s[1] == 768 else s[1])) for n, s in unet_shapes().items()}
ANY = "model.diffusion_model.input_blocks.5.1.transformer_blocks.0.attn1.to_k.weight"


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        ({}, "no SD 1.x UNet"),
        ({n: t for n, t in broken(ANY, None).items() if n != ANY}, "no tensor"),
        (broken(ANY, ("F16", (640, 641))), "wrong shape"),
        (broken(ANY, ("F16", (640 * 640,))), "wrong shape"),
        (broken(ANY, ("F8_E4M3", (640, 640))), "can't be read"),
        (broken(ANY, np.full((640, 640), np.nan, np.float16)), "not finite"),
        (broken(ANY, np.full((640, 640), np.inf, np.float16)), "not finite"),
        (broken(ANY, np.full((640, 640), 3e38, np.float32)), "not finite"),  # their sums are not
        (SD2, "wrong shape"),
    ],
)
def test_what_is_no_readable_sd1_unet_is_refused_with_the_reason(tmp_path: Path, tensors: dict, why: str) -> None:
    contents = read_contents(write_safetensors(tmp_path / "x.safetensors", tensors))
    with pytest.raises(ContentsError, match=why):
        sketch(contents)
    assert weight_evidence(contents, all_alike()) is None


def test_numbers_that_lie_nowhere_are_no_evidence() -> None:
    tensor = {n: descent.Tensor("F16", s, None, "x.ckpt") for n, s in unet_shapes().items()}
    assert weight_evidence(Contents("pickle", tensor), all_alike()) is None


def test_a_file_that_vanished_is_no_evidence(tmp_path: Path) -> None:
    file = write_safetensors(tmp_path / "x.safetensors", {n: ("F16", s) for n, s in unet_shapes().items()})
    contents = read_contents(file)
    file.unlink()
    assert weight_evidence(contents, all_alike()) is None


# ---------------------------------------------------------------------------------------------------------------------
# Families


def references_of(sketches: dict[str, np.ndarray], *labels: str) -> References:
    return References({label: Reference(label, sketches[label]) for label in labels}, "x")


def all_alike() -> References:
    """References that would do, were there a model to compare."""
    rng = np.random.default_rng(0)
    unets = {label: rng.normal(0, 1, (16, descent.BUCKETS)).astype(np.float32) for label in ("sd1.4", "nai", "wd1.3")}
    return references_of(unets, *unets)


def drift(rng: np.random.Generator, norm: float) -> np.ndarray:
    """A training of its own: a random direction among the drifts, of that norm (NAI's is 1)."""
    row = np.zeros(len(DELTAS))
    shares = rng.normal(0, 1, len(DRIFTS))
    for name, share in zip(DRIFTS, norm * shares / np.linalg.norm(shares), strict=True):
        row[DELTAS.index(name)] = share
    return row


def model(kind: str) -> np.ndarray:
    """One model's share of each of DELTAS."""
    return np.array([float(name == kind) for name in DELTAS])


def trained(rng: np.random.Generator, row: np.ndarray) -> np.ndarray:
    """The model, or in half of all cases what it is after further training by up to 1.5 of NAI's norm."""
    return row + drift(rng, rng.choice([0, rng.uniform(0.05, 1.5)]))


def invent(rng: np.random.Generator) -> np.ndarray:
    """A random model of the family: shares of DELTAS in each block, shape (16, deltas)."""
    clean = rng.random() < 0.5  # without NAI in it
    kinds = ["base", "base", "wd1.3", "sd1.5", ANIME] + ([] if clean else ["nai"] * 4)
    parents = [trained(rng, model(rng.choice(kinds))) for _ in range(rng.integers(2, 6))]
    if not clean:
        parents[0] = trained(rng, model("nai"))
    a, b, *_ = parents
    kind = rng.choice(["merge", "blocks", "difference", "alone"], p=[0.3, 0.25, 0.15, 0.3])
    if kind == "merge":
        return np.tile(rng.dirichlet(np.ones(len(parents))) @ np.array(parents), (16, 1))
    if kind == "blocks":  # what block-weighted merges look like: steps, ramps, single blocks
        shares = {
            0: np.repeat(rng.choice([0.0, 0.3, 1.0], 4), 4),
            1: np.linspace(rng.random(), rng.random(), 16),
            2: rng.choice([0.0, 1.0], 16, p=[0.8, 0.2]),
        }[int(rng.integers(3))]
        return np.outer(1 - shares, a) + np.outer(shares, b)
    if kind == "difference":  # A + m (B - C)
        b, c = (model(rng.choice([kind for kind in kinds if kind != ANIME])) for _ in "bc")
        return np.tile(a + rng.choice([0.3, 0.5, 1.0]) * (b - c), (16, 1))
    return np.tile(a, (16, 1))


def gram_of(parts: np.ndarray, mix: np.ndarray, labels: list[str]) -> np.ndarray:
    """The inner products of the model `mix` and of the references, per block, from those of DELTAS."""
    rows = np.stack([mix, *(only(label) for label in labels)], axis=1)
    return rows @ parts @ rows.transpose(0, 2, 1)


ALLOWED = {  # what a model is, and what may be said of it
    "clean": {"not-nai", "unknown"},
    "derived": {"nai", "nai-derived"},
    "in part": {"unknown", "contains-nai", "nai-derived"},
    "a trace": {"unknown", "contains-nai", "not-nai"},
}


def what_it_is(shares: np.ndarray) -> str:
    """By NAI's share in each block."""
    if not shares.any():
        return "clean"
    if shares.min() >= 0.85:
        return "derived"
    return "in part" if shares.max() >= 0.4 else "a trace"


def test_a_thousand_invented_models(family: Family, sketches: dict[str, np.ndarray]) -> None:
    exact_parts = family.gram()
    rng = np.random.default_rng(family.rng.integers(1 << 32))
    deltas = np.stack([sketches[name] - sketches["sd1.4"] for name in DELTAS], axis=1).astype(np.float64)
    sketched_parts = deltas @ deltas.transpose(0, 2, 1)
    labels = ["nai", "wd1.3", "sd1.5"]
    to_exact, to_truth, said = [], [], Counter()
    for _ in range(500):  # times two families
        mix = invent(rng)
        result = fit(gram_of(sketched_parts, mix, labels), labels, descent.BUCKETS)
        exact = fit(gram_of(exact_parts, mix, labels), labels)
        to_exact.append(result.content["nai"] - exact.content["nai"])
        shares = mix[:, DELTAS.index("nai")]
        # Where blocks differ, what least squares leaves of SD 1.5 is a little like NAI; so is the other anime training.
        if not np.ptp(mix, axis=0).any() and not mix[:, DELTAS.index(ANIME)].any():
            to_truth.append(result.content["nai"] - shares[0])
        what = what_it_is(shares)
        said[what, verdict(result)] += 1
        assert verdict(result) in ALLOWED[what], (what, result, shares)
    print(f"\nagainst exact least squares: rms {np.std(to_exact):.4f}, max {np.abs(to_exact).max():.4f}")
    print(f"against the mixing, where defined ({len(to_truth)}): max {np.abs(to_truth).max():.4f}")
    print("\n".join(f"{what:<11} {verdict:<13} {count}" for (what, verdict), count in sorted(said.items())))
    assert np.abs(to_exact).max() <= 0.05
    assert len(to_truth) > 150
    assert np.abs(to_truth).max() <= 0.05


def mixed(**shares: float) -> np.ndarray:
    """A mix with the same shares in all blocks; names with _ for what can't be a keyword."""
    names = {"wd": "wd1.3", "sd15": "sd1.5", "d0": DRIFTS[0], "d1": DRIFTS[1], "nai": "nai", "anime": ANIME}
    return np.tile(sum((share * model(names[name]) for name, share in shares.items()), np.zeros(len(DELTAS))), (16, 1))


def in_blocks(mix: np.ndarray, *blocks: int) -> np.ndarray:
    kept = np.zeros_like(mix)
    kept[list(blocks)] = mix[list(blocks)]
    return kept


FILES = [  # what is in the file, the verdict
    (mixed(), "not-nai"),
    (mixed(nai=1), "nai"),
    (mixed(wd=1), "not-nai"),
    (mixed(sd15=1), "not-nai"),
    (mixed(d0=0.1), "not-nai"),
    (mixed(d0=1.5), "not-nai"),
    (mixed(sd15=0.6, d1=0.8), "not-nai"),
    (mixed(wd=0.5, sd15=0.5), "not-nai"),
    (mixed(nai=1, d0=0.1), "nai-derived"),
    (mixed(nai=1, d0=1.5), "nai-derived"),
    (mixed(nai=0.93, wd=0.08, d1=0.2), "nai-derived"),  # Anything V3
    (mixed(nai=1, wd=0.7), "nai-derived"),  # NAI + 0.7 (WD - SD)
    (mixed(nai=0.52, wd=0.11, d0=0.7), "contains-nai"),  # Basil mix
    (mixed(nai=0.45, sd15=0.5), "contains-nai"),
    (in_blocks(mixed(nai=1), 0, 1), "contains-nai"),
    (mixed(d0=1) + in_blocks(mixed(nai=1), 6, 7), "contains-nai"),
    (mixed(nai=0.2, d0=0.3), "unknown"),
]


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_written_files(family: Family, sketches: dict[str, np.ndarray], dtype: str) -> None:
    """Really rounded; references of float32 files."""
    known = references_of(sketches, "sd1.4", "sd1.5", "nai", "wd1.3")
    for mix, expected in FILES:
        file = family.write("model.safetensors", family.vector(mix), dtype)
        evidence = weight_evidence(read_contents(file), known)
        assert evidence is not None
        assert (evidence.id, evidence.strength) == ("unet-weights", STRONG)
        assert evidence.verdict == expected, (mix[0], evidence.text)


def test_rounding_moves_a_model_by_less_than_what_counts_as_rounding(family: Family, sketches: dict) -> None:
    labels = ["nai", "wd1.3"]
    deltas = [sketches[label] for label in labels]
    for dtype in ("F16", "BF16"):
        file = family.write("model.safetensors", family.vector(only("nai")), dtype)
        result = fit(deltas_gram(sketch(read_contents(file)), sketches["sd1.4"], deltas), labels, descent.BUCKETS)
        assert 0 < result.from_nai < descent.ROUNDING
    # disco, the nearest of the published models that is another one
    assert published_fit("merge", "disco_fp16.safetensors", {"nai": NAI}).from_nai > descent.ROUNDING


def test_what_was_not_compared_is_worth_nothing(family: Family, sketches: dict[str, np.ndarray]) -> None:
    contents = read_contents(family.write("m.safetensors", family.vector(mixed(nai=1))))
    one_twice = {**sketches, "wd1.3": sketches["nai"]}
    for known in (references_of(sketches, "nai"), references_of(one_twice, "sd1.4", "nai", "wd1.3")):
        evidence = weight_evidence(contents, known)
        assert evidence is not None
        assert (evidence.verdict, evidence.strength) == ("unknown", "hint"), evidence.text


def test_the_sentence_names_the_share(family: Family, sketches: dict[str, np.ndarray]) -> None:
    known = references_of(sketches, "sd1.4", "nai", "wd1.3")

    def text(mix: np.ndarray) -> str:
        evidence = weight_evidence(read_contents(family.write("m.safetensors", family.vector(mix))), known)
        assert evidence is not None
        return evidence.text

    assert "50% (± 0%)" in text(mixed(nai=0.5))
    assert "in some blocks" in text(in_blocks(mixed(nai=1), 0, 1))
    assert "all but SD 1.4's own" in text(mixed())
    assert "NovelAI's, up to rounding" in text(mixed(nai=1))


def test_without_sd14_sd15_is_the_origin(family: Family, sketches: dict[str, np.ndarray]) -> None:
    """What comes from SD 1.4 is then no less told, but a middling share is not: SD 1.4 looks a little like NAI."""
    known = references_of(sketches, "sd1.5", "nai", "wd1.3")
    for mix, expected in [
        (mixed(nai=1), {"nai-derived"}),
        (mixed(nai=1, d0=1), {"nai-derived"}),
        (mixed(nai=0.95, wd=0.05), {"nai-derived"}),
        (mixed(sd15=1), {"not-nai"}),
        (mixed(sd15=1, d0=0.5), {"not-nai"}),
        (mixed(), {"not-nai", "unknown"}),
        (mixed(d0=1), {"not-nai", "unknown"}),
        (mixed(wd=1), {"not-nai"}),
        (mixed(nai=0.5), {"unknown"}),
    ]:
        evidence = weight_evidence(read_contents(family.write("m.safetensors", family.vector(mix))), known)
        assert evidence is not None
        assert evidence.verdict in expected, (mix[0], evidence.text)


@pytest.mark.parametrize("left_out", ["sd1.4", "nai", "wd1.3"])
def test_too_few_references_are_asked_for(tmp_path: Path, left_out: str) -> None:
    known = References({k: v for k, v in all_alike().by_label.items() if k != left_out}, "x")
    contents = read_contents(
        write_safetensors(tmp_path / "x.safetensors", {n: ("F16", s) for n, s in unet_shapes().items()})
    )
    evidence = weight_evidence(contents, known)
    assert evidence is not None
    assert evidence.verdict == "unknown"
    assert f"learn FILE --as {left_out}" in evidence.text


def test_nothing_is_asked_for_where_there_is_no_sd1_unet(tmp_path: Path) -> None:
    for tensors in ({"a": np.zeros(1, np.float16)}, SD2):
        contents = read_contents(write_safetensors(tmp_path / "x.safetensors", tensors))
        assert weight_evidence(contents, NO_REFERENCES) is None


@pytest.mark.parametrize("other", ["nai", "sd1.4"])
def test_references_that_are_the_same_model_tell_nothing(
    family: Family, sketches: dict[str, np.ndarray], other: str
) -> None:
    """One file learned under two names."""
    by_label = dict(references_of(sketches, "sd1.4", "nai", "wd1.3").by_label)
    by_label["wd1.3"] = by_label[other]
    file = family.write("model.safetensors", family.vector(mixed(nai=0.5)))
    evidence = weight_evidence(read_contents(file), References(by_label, "x"))
    assert evidence is not None
    assert evidence.verdict == "unknown"
    assert "same model" in evidence.text


def test_anything_v3_stands_for_nai_until_that_is_there(family: Family, sketches: dict[str, np.ndarray]) -> None:
    """With the share of each reference that the published distances give it."""
    by_label = dict(references_of(sketches, "sd1.4", "nai", "wd1.3").by_label)
    anything = Reference(
        "anything", sketch(read_contents(family.write("any.safetensors", family.vector(mixed(nai=0.93, d0=0.2)))))
    )
    contents = read_contents(family.write("model.safetensors", family.vector(mixed(nai=0.97, d1=0.2))))
    standing = weight_evidence(contents, References({"sd1.4": by_label["sd1.4"], "nai-like": anything}, "x"))
    assert standing is not None
    assert standing.verdict == "nai-derived" and "for which Anything V3 stands here" in standing.text
    itself = weight_evidence(
        read_contents(family.write("model.safetensors", family.vector(mixed(nai=0.93, d0=0.2)))),
        References({"sd1.4": by_label["sd1.4"], "nai-like": anything}, "x"),
    )
    assert itself is not None and itself.verdict == "nai-derived"
    both = weight_evidence(contents, References({**by_label, "nai-like": anything}, "x"))
    assert both is not None
    assert both.verdict == "nai-derived" and "Anything" not in both.text
    from_sd15 = weight_evidence(contents, References({"sd1.5": by_label["sd1.4"], "nai-like": anything}, "x"))
    assert from_sd15 is not None
    assert from_sd15.verdict == "unknown" and "learn FILE --as wd1.3" in from_sd15.text
