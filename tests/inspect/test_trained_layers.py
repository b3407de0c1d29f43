"""Which skip text encoders were trained with, told from LoRAs and fine-tunes that are really trained here."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import mse_loss
from transformers import CLIPTextConfig, CLIPTextModel

from clip_skip.models.inspect.evidence.evidence import SkipStatement
from clip_skip.models.inspect.facts import inspect
from clip_skip.models.inspect.formats.contents import ContentsError, Numbers
from clip_skip.models.inspect.formats.reader import read_contents
from clip_skip.models.inspect.weights import trained_layers
from clip_skip.models.inspect.weights.references import NO_REFERENCES, Reference, References
from clip_skip.models.inspect.weights.trained_layers import checkpoint_statement, lora_statement, text_sketch

from .files import bf16, write_safetensors

WIDTH, RANK, STEPS = 32, 4, 4
SKIPS = (1, 2, 3)
SD1 = {"ss_base_model_version": "sd_v1"}
TRAINED = "trained-layers"


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    monkeypatch.setattr(trained_layers, "WIDTH", WIDTH)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small matrices only wait for threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base() -> CLIPTextModel:
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=99,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=12,
        num_attention_heads=4,
        max_position_embeddings=16,
    )
    return CLIPTextModel(config).eval()


def layers(model: CLIPTextModel) -> nn.ModuleList:
    """transformers >= 5.6 has no text_model."""
    return getattr(model, "text_model", model).encoder.layers


def linears(model: CLIPTextModel) -> Iterable[tuple[str, nn.Linear]]:
    """The matrices of all layers, with their names in the encoder: "0.self_attn.q_proj"."""
    return [(name, module) for name, module in layers(model).named_modules() if isinstance(module, nn.Linear)]


def train(model: CLIPTextModel, parameters: Iterable[torch.Tensor], skip: int, steps: int = STEPS) -> None:
    """Some steps toward random targets at the layer that `skip` reads, as trainers do it: with its final norm."""
    norm = getattr(model, "text_model", model).final_layer_norm
    generator = torch.Generator().manual_seed(skip)
    optimiser = torch.optim.AdamW(list(parameters), lr=1e-3)
    for _ in range(steps):
        ids = torch.randint(0, 98, (4, 16), generator=generator)
        states = model(input_ids=ids, output_hidden_states=True).hidden_states[-skip]
        target = torch.randn(states.shape, generator=generator)
        optimiser.zero_grad()
        mse_loss(norm(states), target).backward()
        optimiser.step()


# ---------------------------------------------------------------------------------------------------------------------
# LoRA, LoHa, LoKr. Each kind: the factors at the start, as kohya's sd-scripts and LyCORIS initialise them, and their
# product.

Factors = dict[str, torch.Tensor]


def lora(out: int, inner: int) -> Factors:
    down = torch.empty(RANK, inner)
    nn.init.kaiming_uniform_(down, a=math.sqrt(5))
    return {"lora_down.weight": down, "lora_up.weight": torch.zeros(out, RANK)}


def loha(out: int, inner: int) -> Factors:
    return {
        "hada_w1_a": 0.1 * torch.randn(out, RANK),
        "hada_w1_b": torch.randn(RANK, inner),
        "hada_w2_a": torch.zeros(out, RANK),
        "hada_w2_b": torch.randn(RANK, inner),
    }


def loha_scalar(out: int, inner: int) -> Factors:
    """LyCORIS' use_scalar: no factor is zero, but a scalar, which is multiplied into w1_a when the file is saved."""
    return {**loha(out, inner), "hada_w2_a": 0.1 * torch.randn(out, RANK), "scalar": torch.zeros(())}


def lokr(out: int, inner: int) -> Factors:
    w2_a = torch.empty(out // 4, RANK)
    nn.init.kaiming_uniform_(w2_a, a=math.sqrt(5))
    return {"lokr_w1": torch.randn(4, 4), "lokr_w2_a": w2_a, "lokr_w2_b": torch.zeros(RANK, inner // 4)}


def lokr_full(out: int, inner: int) -> Factors:
    return {"lokr_w1": torch.randn(4, 4), "lokr_w2": torch.zeros(out // 4, inner // 4)}


def product(f: Factors) -> torch.Tensor:
    if "lora_up.weight" in f:
        return f["lora_up.weight"] @ f["lora_down.weight"]
    if "hada_w1_a" in f:
        scale = f.get("scalar", torch.ones(()))
        return scale * (f["hada_w1_a"] @ f["hada_w1_b"]) * (f["hada_w2_a"] @ f["hada_w2_b"])
    w2 = f["lokr_w2"] if "lokr_w2" in f else f["lokr_w2_a"] @ f["lokr_w2_b"]
    return torch.kron(f["lokr_w1"], w2)


def kohya(module: str, factor: str) -> str:
    return f"lora_te_text_model_encoder_layers_{module.replace('.', '_')}.{factor}"


def kohya_sdxl(module: str, factor: str) -> str:
    return kohya(module, factor).replace("lora_te_", "lora_te1_")


def flattened(module: str, factor: str) -> str:
    """What follows from the names of transformers >= 5.6."""
    return kohya(module, factor).replace("text_model_", "")


def peft(module: str, factor: str) -> str:
    return f"text_encoder.text_model.encoder.layers.{module}." + {
        "lora_down.weight": "lora_A.weight",
        "lora_up.weight": "lora_B.weight",
    }.get(factor, factor)


def diffusers(module: str, factor: str) -> str:
    """Before PEFT."""
    return f"text_encoder.text_model.encoder.layers.{module}." + {
        "lora_down.weight": "lora_linear_layer.down.weight",
        "lora_up.weight": "lora_linear_layer.up.weight",
    }.get(factor, factor)


def trained_adapter(base: CLIPTextModel, kind: Callable[[int, int], Factors], skip: int) -> dict[str, Factors]:
    """The factors of every matrix after training them, the model itself frozen."""
    model = copy.deepcopy(base).requires_grad_(False)
    torch.manual_seed(skip)
    adapters: dict[str, Factors] = {}
    for name, module in linears(model):
        factors = {k: v.requires_grad_() for k, v in kind(module.out_features, module.in_features).items()}
        adapters[name] = factors
        module.register_forward_hook(lambda _, x, y, f=factors: y + x[0] @ product(f).T)
    train(model, [p for factors in adapters.values() for p in factors.values()], skip)
    for factors in adapters.values():
        scalar = factors.pop("scalar", None)
        if scalar is not None:
            factors["hada_w1_a"] = factors["hada_w1_a"] * scalar
    return adapters


def write_adapter(
    path: Path,
    adapters: dict[str, Factors],
    name: Callable[[str, str], str] = kohya,
    dtype: torch.dtype = torch.float32,
    metadata: dict[str, str] | None = None,
) -> Path:
    tensors = {
        name(module, factor): value.detach().to(dtype).contiguous()
        for module, factors in adapters.items()
        for factor, value in factors.items()
    }
    alphas = {name(module, "alpha"): torch.tensor(0.0 if name is peft else float(RANK)) for module in adapters}
    unet = {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight": torch.randn(8, RANK)}
    save_file({**unet, **alphas, **tensors}, path, metadata)
    return path


KINDS = [lora, loha, loha_scalar, lokr, lokr_full]


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_tells_the_skip_it_was_trained_with(tmp_path: Path, base: CLIPTextModel, kind, skip: int) -> None:
    adapters = trained_adapter(base, kind, skip)
    for name in (kohya, flattened, peft):
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            file = write_adapter(tmp_path / "x.safetensors", adapters, name, dtype)
            statement = lora_statement(read_contents(file), "sd1")
            assert statement is not None
            assert (statement.id, statement.skip, statement.trained) == (TRAINED, {"l": skip}, True)


def test_the_names_of_diffusers_before_peft(tmp_path: Path, base: CLIPTextModel) -> None:
    file = write_adapter(tmp_path / "x.safetensors", trained_adapter(base, lora, 2), diffusers)
    statement = lora_statement(read_contents(file), "sd1")
    assert statement is not None
    assert statement.skip == {"l": 2}


def test_on_sdxl_the_untrained_last_layer_is_no_word_on_the_skip(tmp_path: Path, base: CLIPTextModel) -> None:
    file = write_adapter(tmp_path / "x.safetensors", trained_adapter(base, lora, 2), kohya_sdxl)
    statement = lora_statement(read_contents(file), "sdxl")
    assert statement is not None
    assert (statement.skip, statement.trained) == ({}, True)


@pytest.mark.parametrize("architecture", ["sd2", "sd3", "flux", "none", "unknown"])
def test_other_architectures_say_nothing(tmp_path: Path, base: CLIPTextModel, architecture: str) -> None:
    file = write_adapter(tmp_path / "x.safetensors", trained_adapter(base, lora, 2))
    assert lora_statement(read_contents(file), architecture) is None


def test_a_layer_counts_as_trained_by_any_of_its_matrices(tmp_path: Path, base: CLIPTextModel) -> None:
    adapters = trained_adapter(base, lora, 2)
    adapters["11.mlp.fc1"]["lora_up.weight"] = torch.full((4 * WIDTH, RANK), 1e-6)
    statement = lora_statement(read_contents(write_adapter(tmp_path / "x.safetensors", adapters)), "sd1")
    assert statement is not None
    assert statement.skip == {"l": 1}


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("said", [1, 2, 3, 12])
def test_metadata_does_not_win_against_the_weights(tmp_path: Path, base: CLIPTextModel, skip: int, said: int) -> None:
    file = write_adapter(
        tmp_path / "x.safetensors", trained_adapter(base, lora, skip), metadata=SD1 | {"ss_clip_skip": str(said)}
    )
    facts = inspect(file)
    # A later layer that training reached can't be explained by the number; one that it did not reach can.
    assert facts.trained_skip == min(said, skip)
    (statement,) = (each for each in facts.statements if each.id == "ss-clip-skip")
    assert ("contradict" in statement.text) == (said > skip) == (statement.skip == {})
    assert inspect(file, weights=False).trained_skip == said


@pytest.mark.parametrize(
    "skip, words",
    [(1, "reached the text encoder's last layer."), (2, "last layer as it was."), (3, "last 2 layers as they were.")],
)
def test_one_layer_and_several(tmp_path: Path, base: CLIPTextModel, skip: int, words: str) -> None:
    statement = lora_statement(
        read_contents(write_adapter(tmp_path / "x.safetensors", trained_adapter(base, lora, skip))), "sd1"
    )
    assert statement is not None and statement.text.endswith(words)


def up(layer: int, value: float, dtype: type = np.float32) -> dict[str, object]:
    return {
        kohya(f"{layer}.mlp.fc1", "lora_up.weight"): np.full((4 * WIDTH, RANK), value, dtype),
        kohya(f"{layer}.mlp.fc1", "lora_down.weight"): np.ones((RANK, WIDTH), dtype),
    }


@pytest.mark.parametrize(
    "tensors",
    [
        {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight": np.ones((8, 4), np.float32)},
        {k: v for n in range(12) for k, v in up(n, 0).items()},  # nothing was trained at all
        {k: v for n in range(11) for k, v in up(n, 1).items()},  # the last layer was not in it
        {k: v for n in range(24) for k, v in up(n, 1).items()},  # OpenCLIP-H
        {k: ("F8_E4M3", v.shape) for n in range(12) for k, v in up(n, 0).items()},
        {k: v for n in range(12) for k, v in up(n, 1).items()}
        | {kohya("11.mlp.fc1", "lora_up.weight"): ("F16", (1 << 26,))},
    ],
    ids=["unet only", "all zeros", "eleven layers", "24 layers", "float8", "endless zeros"],
)
def test_an_adapter_that_says_nothing(tmp_path: Path, tensors: dict[str, object]) -> None:
    assert lora_statement(read_contents(write_safetensors(tmp_path / "x.safetensors", tensors)), "sd1") is None


def test_little_is_read_of_a_trained_adapter(tmp_path: Path, monkeypatch) -> None:
    tensors = {kohya("0.mlp.fc1", "lora_up.weight"): ("F32", (3072, 1024))}
    for n in range(12):
        tensors[kohya(f"{n}.mlp.fc1", "lora_up.weight")] = np.ones((3072, 128), np.float32)
        tensors[kohya(f"{n}.mlp.fc1", "lora_down.weight")] = np.ones((128, 768), np.float32)
    contents = read_contents(write_safetensors(tmp_path / "x.safetensors", tensors))
    reads: list[int] = []
    read = Numbers.read
    monkeypatch.setattr(
        Numbers, "read", lambda self, t, first, count: reads.append(count) or read(self, t, first, count)
    )
    assert lora_statement(contents, "sd1") is not None
    assert 0 < sum(reads) <= 2 << 16


# ---------------------------------------------------------------------------------------------------------------------
# Checkpoints

PLACES = [
    "cond_stage_model.transformer.text_model.",
    "cond_stage_model.transformer.",
    "text_encoder/text_model.",
    "text_encoder/",
]
State = dict[str, np.ndarray]


def state_of(model: CLIPTextModel) -> State:
    return {f"encoder.layers.{name}": value.detach().numpy() for name, value in layers(model).state_dict().items()}


def write_state(path: Path, state: State, place: str = PLACES[0], dtype: str = "F32") -> Path:
    cast: Callable[[np.ndarray], object] = {
        "F32": lambda x: x,
        "F16": lambda x: x.astype(np.float16),
        "BF16": bf16,
    }[dtype]
    return write_safetensors(path, {place + name: cast(value) for name, value in state.items()})


@pytest.fixture(scope="module")
def fine_tunes(base: CLIPTextModel) -> dict[int, State]:
    """The text encoder fine-tuned at each skip."""
    states = {}
    for skip in SKIPS:
        model = copy.deepcopy(base)
        train(model, layers(model).parameters(), skip)
        states[skip] = state_of(model)
    return states


@pytest.fixture
def references(tmp_path: Path, base: CLIPTextModel, small: None) -> References:
    text = text_sketch(read_contents(write_state(tmp_path / "base.safetensors", state_of(base))))
    return References({"sd1.4": Reference("base", np.zeros((1, 1), np.float32), text)}, "x")


def merge(a: State, b: State, share: float) -> State:
    return {name: ((1 - share) * a[name] + share * b[name]).astype(np.float32) for name in a}


def told(path: Path, references: References) -> SkipStatement | None:
    return checkpoint_statement(read_contents(path), references)


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("place", PLACES)
def test_a_checkpoint_tells_the_skip_it_was_trained_with(
    tmp_path: Path, fine_tunes, references: References, skip: int, dtype: str, place: str
) -> None:
    statement = told(write_state(tmp_path / "x.safetensors", fine_tunes[skip], place, dtype), references)
    assert statement is not None
    assert (statement.id, statement.skip, statement.trained) == (TRAINED, {"l": skip}, True)


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("dtype", ["F32", "F16"])
def test_a_merge_with_an_untrained_encoder_tells_it_too(
    tmp_path: Path, base: CLIPTextModel, fine_tunes, references: References, skip: int, share: float, dtype: str
) -> None:
    merged = merge(state_of(base), fine_tunes[skip], share)
    statement = told(write_state(tmp_path / "x.safetensors", merged, dtype=dtype), references)
    assert statement is not None
    assert statement.skip == {"l": skip}


def test_a_merge_of_two_skips_is_called_a_mixture(tmp_path: Path, fine_tunes, references: References) -> None:
    statement = told(write_state(tmp_path / "x.safetensors", merge(fine_tunes[1], fine_tunes[2], 0.6)), references)
    assert statement is not None
    assert (statement.skip, statement.trained) == ({}, True)
    assert "mixture" in statement.text


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_rounding_is_not_training(tmp_path: Path, base: CLIPTextModel, references: References, dtype: str) -> None:
    assert told(write_state(tmp_path / "x.safetensors", state_of(base), dtype=dtype), references) is None


def test_a_file_rounded_before_is_not_trained(tmp_path: Path, base: CLIPTextModel, references: References) -> None:
    rounded = {name: value.astype(np.float16).astype(np.float32) for name, value in state_of(base).items()}
    assert told(write_state(tmp_path / "x.safetensors", rounded), references) is None


@pytest.mark.parametrize("changed", [(5,), (0, 1, 2, 11), (10,), (11,)])
def test_layers_changed_out_of_order_were_not_trained_so(
    tmp_path: Path, base: CLIPTextModel, fine_tunes, references: References, changed: tuple[int, ...]
) -> None:
    state = state_of(base)
    for name in state:
        if int(name.split(".")[2]) in changed:
            state[name] = fine_tunes[1][name]
    assert told(write_state(tmp_path / "x.safetensors", state), references) is None


def test_nothing_to_compare_with(tmp_path: Path, fine_tunes, references: References) -> None:
    file = write_state(tmp_path / "x.safetensors", fine_tunes[2])
    without_text = References({"sd1.4": Reference("x", np.zeros((1, 1), np.float32))}, "x")
    assert told(file, NO_REFERENCES) is None
    assert told(file, without_text) is None


def test_sd15_does_as_a_base(tmp_path: Path, fine_tunes, references: References) -> None:
    """All SD 1.x models have the same text encoder."""
    known = References({"sd1.5": references.by_label["sd1.4"]}, "x")
    statement = told(write_state(tmp_path / "x.safetensors", fine_tunes[3]), known)
    assert statement is not None
    assert statement.skip == {"l": 3}


def test_other_encoders_are_not_compared(tmp_path: Path, fine_tunes, references: References, monkeypatch) -> None:
    state = fine_tunes[2]
    shorter = {name: value for name, value in state.items() if ".11." not in name}
    nan = {**state, "encoder.layers.3.mlp.fc1.weight": np.full((4 * WIDTH, WIDTH), np.nan, np.float32)}
    assert told(write_state(tmp_path / "23.safetensors", shorter), references) is None
    assert told(write_state(tmp_path / "nan.safetensors", nan), references) is None
    assert told(write_safetensors(tmp_path / "none.safetensors", {"a": np.zeros(1, np.float32)}), references) is None
    file = write_state(tmp_path / "x.safetensors", state)
    monkeypatch.setattr(trained_layers, "WIDTH", 768)
    assert told(file, references) is None
    with pytest.raises(ContentsError, match="another shape"):
        text_sketch(read_contents(file))
