"""Layer taps against plain text encoders: transformers as installed, OpenCLIP-shaped ones, and ones adding in place.

The reference is always the untouched encoder's own hidden states, mixed here by hand.
"""

import copy
import gc
import pickle
import threading
import weakref
from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

import clip_skip.conditioning.taps as taps_module
from clip_skip.conditioning.blends import lerp, slerp
from clip_skip.conditioning.stacks import find_stack
from clip_skip.conditioning.states import States
from clip_skip.conditioning.taps import Taps
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.plan import resolve
from clip_skip.skip.request import from_options

BLOCKS = {"l": 12, "h": 24, "g": 32}
TOKENS = torch.randint(3, 99, (2, 77), generator=torch.Generator().manual_seed(7))
TOKENS[:, 20:] = 99  # the highest id ends the text, as CLIP's does


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class HF:
    """A transformers text encoder, read as the hosts that use one do."""

    def __init__(self, encoder_id, blocks=None):
        torch.manual_seed(BLOCKS[encoder_id])
        config = CLIPTextConfig(
            vocab_size=100,
            hidden_size=32,
            intermediate_size=64,
            projection_dim=32,
            num_attention_heads=4,
            num_hidden_layers=blocks or BLOCKS[encoder_id],
            bos_token_id=98,
            eos_token_id=99,
            pad_token_id=1,
        )
        self.projected = encoder_id == "g"
        self.model = (CLIPTextModelWithProjection if self.projected else CLIPTextModel)(config).eval()
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
        self.text_model = getattr(self.model, "text_model", self.model)
        self.norm = self.text_model.final_layer_norm

    def run(self, tokens=TOKENS):
        out = self.model(input_ids=tokens, output_hidden_states=True)
        return list(out.hidden_states), out.text_embeds if self.projected else out.pooler_output, out

    def read(self, encoder, tokens=TOKENS):
        """What a host hands to the diffusion model, and the pooled vector."""
        states, pooled, out = self.run(tokens)
        if encoder.trained_depth == len(states) - 1 and encoder.normed:
            # On transformers >= 4.x `last_hidden_state` is the normed last state; OpenCLIP-H's last block is not read.
            return out.last_hidden_state, pooled
        state = states[encoder.trained_depth]
        return (self.norm(state) if encoder.normed else state), pooled


class Block(nn.Module):
    def __init__(self, width, in_place):
        super().__init__()
        self.ln_1, self.mlp, self.in_place = nn.LayerNorm(width), nn.Linear(width, width), in_place

    def forward(self, x, attn_mask=None):
        if self.in_place:
            x += self.mlp(self.ln_1(x))
            return x
        return x + self.mlp(self.ln_1(x))


class Plain(nn.Module):
    """A stack that is run by position or by keyword, with or without adding in place; OpenCLIP's names."""

    def __init__(self, blocks, in_place=False, keyword=False):
        super().__init__()
        torch.manual_seed(3)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(Block(16, in_place) for _ in range(blocks))
        self.ln_final, self.keyword = nn.LayerNorm(16), keyword
        self.requires_grad_(False)

    def forward(self, x, read):
        seen = None
        for index, block in enumerate(self.transformer.resblocks, 1):
            x = block(x=x, attn_mask=None) if self.keyword else block(x, None)
            if index == read:
                seen = x.clone()
        return seen, self.ln_final(x)


def plan_for(architecture, **options):
    return resolve(from_options(options), ARCHITECTURES[architecture])


def mixed(states, skip, encoder):
    """The blend of docs/architecture.md, straight from the states of an untouched run."""
    whole = int(skip)
    fraction = skip - whole
    depth = encoder.trained_depth + 1 - whole
    if not fraction:
        return states[depth]
    return (1 - fraction) * states[depth] + fraction * states[depth - 1]


def assert_clean(module):
    for part in module.modules():
        assert not part._forward_hooks and not part._forward_pre_hooks


ENCODERS = {}


def hf(encoder_id, blocks=None):
    return ENCODERS.setdefault((encoder_id, blocks), HF(encoder_id, blocks))


CASES = [(a, e) for a in ARCHITECTURES.values() for e in a.encoders]


@pytest.mark.parametrize("architecture, encoder", CASES, ids=lambda x: x.id)
@pytest.mark.parametrize("skip", [1, 1.1, 1.5, 2, 2.25, 3, "max"])
def test_transformers(architecture, encoder, skip):
    skip = encoder.trained_depth if skip == "max" else skip
    reference = hf(encoder.id)
    # transformers captures hidden states with hooks of its own from its first call on: they are not ours to count.
    reference.run()
    before = [(dict(m._forward_hooks), dict(m._forward_pre_hooks)) for m in reference.model.modules()]
    states, pooled, _ = reference.run()
    expected = mixed(states, skip, encoder)
    expected = reference.norm(expected) if encoder.normed else expected
    with Taps(plan_for(architecture.id, **{encoder.id: skip}), [find_stack(reference.model)]) as taps:
        got, got_pooled = reference.read(encoder)
        if encoder.normed and encoder.trained_depth < len(states) - 1:
            # SD 2.x on 24 blocks: the true last state must come back, and with it everything after the tap.
            assert torch.equal(reference.run()[0][-1], states[-1])
    assert (got - expected).abs().max() <= 1e-6
    if not (encoder.normed and encoder.trained_depth == len(states) - 1):
        assert torch.equal(got_pooled, pooled)
    assert taps.unproven == [] and taps.overruled == "" and (skip == 1 or taps.calls[encoder.id] > 0)
    assert [(dict(m._forward_hooks), dict(m._forward_pre_hooks)) for m in reference.model.modules()] == before
    assert torch.equal(reference.read(encoder)[0], states[encoder.trained_depth]) or encoder.normed


@pytest.mark.parametrize("keyword", [False, True])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize(
    "architecture, blocks", [("sdxl", 12), ("sdxl", 32), ("sd2", 24), ("sd2", 23), ("cascade", 32)]
)
@pytest.mark.parametrize("skip", [1.5, 2, 2.25, 3])
def test_any_stack(architecture, blocks, skip, in_place, keyword):
    encoder_id = find_stack(Plain(blocks)).encoder_id
    encoder = ARCHITECTURES[architecture].encoder(encoder_id)
    x = torch.randn(5, 2, 16, generator=torch.Generator().manual_seed(1))
    model = Plain(blocks, in_place, keyword)
    states = [model(x.clone(), depth)[0] if depth else x for depth in range(blocks + 1)]
    pooled = model(x.clone(), 1)[1]
    with Taps(plan_for(architecture, **{encoder_id: skip}), [find_stack(model)]):
        for _ in range(2):
            got, got_pooled = model(x.clone(), encoder.trained_depth)
            assert (got - mixed(states, skip, encoder)).abs().max() <= 1e-6
            if not (encoder.normed and encoder.trained_depth == blocks):
                assert torch.equal(got_pooled, pooled)
    assert_clean(model)
    assert torch.equal(model(x.clone(), encoder.trained_depth)[0], states[encoder.trained_depth])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("inference", [False, True])
def test_dtypes_and_inference_mode(dtype, inference):
    model = Plain(12).to(dtype)
    x = torch.randn(5, 2, 16, dtype=dtype)
    with torch.inference_mode(inference):
        states = [model(x, depth)[0] if depth else x for depth in range(13)]
        for blend in ("linear", "slerp"):
            with Taps(plan_for("sdxl", l=1.5, blend=blend), [find_stack(model)]):
                got, _ = model(x, 11)
            assert got.dtype == dtype
            near = (0.5 * states[11].double() + 0.5 * states[10].double()) if blend == "linear" else got.double()
            assert (got.double() - near).abs().max() <= 4 * torch.finfo(dtype).eps * near.abs().max()


def test_encoders_are_tapped_apart():
    left, right = Plain(12), Plain(32)
    x = torch.randn(5, 2, 16)
    plain_l, plain_g = left(x, 11)[0], right(x, 31)[0]
    with Taps(plan_for("sdxl", l=2), [find_stack(left), find_stack(right)]) as taps:
        assert not torch.equal(left(x, 11)[0], plain_l)
        assert torch.equal(right(x, 31)[0], plain_g)
    assert set(taps.calls) == {"l"}


def test_as_trained_hooks_nothing():
    model = Plain(12)
    with Taps(plan_for("sdxl", l=1), [find_stack(model)]):
        assert_clean(model)


@pytest.mark.parametrize("architecture, encoder", CASES, ids=lambda x: x.id)
def test_a_copy_of_an_encoder_is_nobodys(architecture, encoder):
    """Another extension copies the loaded encoder in a job; the hooks go along."""
    reference, copied = hf(encoder.id), HF.__new__(HF)
    states, pooled, _ = reference.run()
    with Taps(plan_for(architecture.id, **{encoder.id: 2.5}), [find_stack(reference.model)]) as taps:
        tapped = reference.read(encoder)[0]
        vars(copied).update(vars(reference), model=copy.deepcopy(reference.model))
        copied.text_model = getattr(copied.model, "text_model", copied.model)
        copied.norm = copied.text_model.final_layer_norm
        for _ in range(2):
            mine, vector, _ = copied.run()
            assert all(torch.equal(a, b) for a, b in zip(mine, states, strict=True)) and torch.equal(vector, pooled)
            copied.read(encoder)
            assert torch.equal(reference.read(encoder)[0], tapped)
        assert taps.calls == {encoder.id: 3} and taps.unproven == [] and taps.overruled == ""
    assert torch.equal(copied.run()[0][encoder.trained_depth], states[encoder.trained_depth])


def test_a_missing_or_bypassed_stack_is_not_proven():
    model = Plain(12)
    with Taps(plan_for("sdxl", skip=2), [find_stack(model)]) as taps:
        assert taps.unproven == ["l", "g"]
        model(torch.randn(5, 2, 16), 11)
        assert taps.unproven == ["g"]


def test_an_error_of_ours_leaves_the_hosts_state_alone(monkeypatch):
    model = Plain(12)
    x = torch.randn(5, 2, 16)
    plain, pooled = model(x, 11)

    def broken(parts):
        raise RuntimeError("no memory left")

    monkeypatch.setattr(taps_module, "lerp", broken)
    with Taps(plan_for("sdxl", l=1.5), [find_stack(model)]) as taps:
        got = model(x, 11)
    assert torch.equal(got[0], plain) and torch.equal(got[1], pooled)
    assert taps.unproven == ["l"] and taps.failures == {"l": "RuntimeError: no memory left"}


class Raw(Plain):
    """A stack that is read as some hosts read it: the state itself is held, not a copy of it."""

    def __init__(self, blocks, reshape=False):
        super().__init__(blocks)
        self.reshape = reshape

    def forward(self, x, read):
        seen = None
        for index, block in enumerate(self.transformer.resblocks, 1):
            x = block(x=x[None] if self.reshape and index > read else x)
            if index == read:
                seen = x
        return seen, self.ln_final(x)


def fails_at(which):
    """A stand-in for `lerp` that fails at its call number `which`, and all that it was told."""
    calls = []

    def broken(parts):
        calls.append(parts)
        if len(calls) == which:
            raise RuntimeError("no memory left")
        return lerp(parts)

    return broken


@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_swap_that_fails_once_leaves_the_encode_unproven(monkeypatch, which):
    model, said = Plain(12), []
    x = torch.randn(5, 2, 16)
    plain = model(x, 11)[0]
    states = [model(x, depth)[0] for depth in range(13)]
    tapped = mixed(states, 1.5, ARCHITECTURES["sdxl"].encoder("l"))
    monkeypatch.setattr(taps_module, "lerp", fails_at(which))
    plan = plan_for("sdxl", l=1.5)
    with Taps(plan, [find_stack(model)], lambda *failure: said.append(failure)) as taps:
        for chunk in (1, 2, 3):
            got = model(x, 11)[0]
            assert (got - (plain if chunk == which else tapped)).abs().max() <= 1e-6
    assert taps.calls == {"l": 2} and taps.unproven == ["l"]
    assert said == [(["l"], "RuntimeError: no memory left")]


def test_a_state_that_can_not_be_kept_costs_the_host_nothing(monkeypatch):
    model = Raw(12)
    x = torch.randn(5, 2, 16)
    plain, pooled = model(x, 11)

    def broken(self):
        raise RuntimeError("no memory left")

    with Taps(plan_for("sdxl", l=2), [find_stack(model)]) as taps:
        model(x, 11)  # what is kept here is not for the next encode
        with monkeypatch.context() as patch:
            patch.setattr(torch.Tensor, "clone", broken)
            got = model(x, 11)
    assert torch.equal(got[0], plain) and torch.equal(got[1], pooled)
    assert taps.unproven == ["l"] and taps.failures == {"l": "RuntimeError: no memory left"}


def test_an_encode_that_was_broken_off_lends_no_state_to_the_next(monkeypatch):
    model = Raw(12)
    x = torch.randn(5, 2, 16)
    plain = model(x, 11)[0]
    clone = torch.Tensor.clone

    def broken(self):
        raise RuntimeError("no memory left")

    with Taps(plan_for("sdxl", l=2), [find_stack(model)]) as taps:
        handle = model.transformer.resblocks[10].register_forward_pre_hook(lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model(torch.randn(5, 2, 16), 11)
        handle.remove()
        monkeypatch.setattr(torch.Tensor, "clone", broken)
        got = model(x, 11)[0]
        monkeypatch.setattr(torch.Tensor, "clone", clone)
    assert torch.equal(got, plain) and taps.unproven == ["l"]


@pytest.mark.parametrize("skip", [1.5, 2])
def test_a_true_state_that_can_not_be_given_back_undoes_the_swap(skip):
    model = Raw(12, reshape=True)
    x = torch.randn(5, 2, 16)
    plain, pooled = model(x, 11)
    with Taps(plan_for("sdxl", l=skip), [find_stack(model)]) as taps:
        got = model(x, 11)
    assert torch.equal(got[0], plain) and torch.equal(got[1], pooled)
    assert taps.unproven == ["l"] and "l" in taps.failures


def test_a_true_state_that_nobody_asked_back_is_not_given_to_the_next_encode(monkeypatch):
    model = Raw(24)
    x = torch.randn(5, 2, 16)
    plain = model(x, 23)[1]
    monkeypatch.setattr(taps_module, "lerp", fails_at(2))
    with Taps(plan_for("sd2", h=2.5), [find_stack(model)]):
        out = torch.randn(5, 2, 16)
        for block in model.transformer.resblocks[:23]:  # as the hosts run SD 2.x: the last block never
            out = block(out)
        assert torch.equal(model(x, 23)[1], plain)


def test_a_failing_encode_leaves_nothing():
    model = Plain(12)
    model.transformer.resblocks[11].register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), Taps(plan_for("sdxl", l=2), [find_stack(model)]):
        model(torch.randn(5, 2, 16), 11)
    assert sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()) == 1


def test_no_tensor_is_held_after_a_job():
    model = Plain(24)
    held = []
    model.transformer.resblocks[22].register_forward_hook(lambda m, a, out: held.append(weakref.ref(out)))
    with Taps(plan_for("sd2", h=2.5), [find_stack(model)]) as taps:
        out = torch.randn(5, 2, 16)
        for block in model.transformer.resblocks[:23]:  # as the hosts run SD 2.x: the last block never
            out = block(out)
    del out, block
    gc.collect()
    assert taps.calls["h"] == 1 and [ref() for ref in held] == [None]


def test_two_threads_never_see_each_others_states():
    model = Plain(12)
    inputs = [torch.randn(5, 2, 16) for _ in range(8)]
    wrong = []
    with Taps(plan_for("sdxl", l=1.5), [find_stack(model)]):
        expected = [model(x, 11)[0] for x in inputs]

        def encode(x, want):
            for _ in range(50):
                if not torch.equal(model(x, 11)[0], want):
                    wrong.append(x)

        threads = [threading.Thread(target=encode, args=pair) for pair in zip(inputs, expected, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_install_and_remove_are_idempotent():
    model = Plain(12)
    x = torch.randn(5, 2, 16)
    plain = model(x, 11)[0]
    taps = Taps(plan_for("sdxl", l=2), [find_stack(model)])
    taps.install()
    taps.install()
    tapped = model(x, 11)[0]
    taps.remove()
    taps.remove()
    assert_clean(model)
    assert torch.equal(model(x, 11)[0], plain)
    taps.install()
    assert torch.equal(model(x, 11)[0], tapped)
    taps.remove()


def test_a_stack_that_is_no_clip_encoder_is_not_found():
    assert find_stack(Plain(28)) is None
    assert find_stack(nn.Linear(1, 1)) is None
    assert find_stack(None) is None


VECTORS = st.lists(st.floats(-100, 100, width=32), min_size=8, max_size=8)


@given(VECTORS, VECTORS, st.floats(0.01, 0.99))
def test_slerp_keeps_the_norm_linear_and_stays_between(a, b, f):
    a, b = (torch.tensor(v, dtype=torch.float64).reshape(2, 4) for v in (a, b))
    got = slerp([(a, 1 - f), (b, f)])
    norm = lambda v: v.norm(dim=-1)  # noqa: E731
    cosine = (a * b).sum(-1) / (norm(a) * norm(b)).clamp_min(1e-300)
    defined = (cosine.abs() < 1 - 1e-6) & (norm(a) > 1e-6) & (norm(b) > 1e-6)
    expected = (1 - f) * norm(a) + f * norm(b)
    assert torch.allclose(norm(got)[defined], expected[defined], rtol=1e-6)
    angle = lambda u, v: torch.acos(((u * v).sum(-1) / (norm(u) * norm(v)).clamp_min(1e-300)).clamp(-1, 1))  # noqa: E731
    assert torch.allclose(angle(a, got)[defined], f * angle(a, b)[defined], atol=1e-5)
    assert torch.isfinite(got).all()


def test_slerp_of_a_state_with_itself_and_with_its_opposite_is_finite():
    a = torch.randn(3, 4)
    assert torch.allclose(slerp([(a, 0.25), (a, 0.75)]), a, atol=1e-6)
    assert torch.isfinite(slerp([(a, 0.5), (-a, 0.5)])).all()
    assert torch.isfinite(slerp([(a * 0, 0.5), (a, 0.5)])).all()


def test_a_whole_skip_is_the_very_state():
    a = torch.randn(3, 4)
    assert lerp([(a, 1.0)]) is a and slerp([(a, 1.0)]) is a


# --- what is read of the hidden states, where no norm follows --------------------------------------------------------

UNNORMED = [(a, e) for a, e in CASES if not e.normed]


def read_of(architecture, encoder, read, skip=2.5):
    """What the taps say of a run of which `read(output, trained depth)` takes what it returns, and that."""
    reference = hf(encoder.id)
    with Taps(plan_for(architecture.id, **{encoder.id: skip}), [find_stack(reference.model)]) as taps:
        taken = read(reference.run()[2], encoder.trained_depth)
        assert taps.unproven == []
        return taps.overruled, taken


@pytest.mark.parametrize("architecture, encoder", UNNORMED, ids=lambda x: x.id)
@pytest.mark.parametrize("skip", [2, 2.5])
@pytest.mark.parametrize(
    "read",
    [
        lambda out, trained: out.hidden_states[trained - 3],
        lambda out, trained: out["hidden_states"][trained - 3],
        lambda out, trained: out.hidden_states[:-1][trained - 3],
        lambda out, trained: (out.hidden_states[trained - 2] + out.hidden_states[trained - 3]) / 2,
    ],
)
def test_who_reads_another_state_is_noticed(architecture, encoder, skip, read):
    states = hf(encoder.id).run()[0]
    why, taken = read_of(architecture, encoder, read, skip)
    assert why == "another extension read another layer of the text encoder"
    # What it takes is what it takes without us.
    two, three = states[encoder.trained_depth - 2], states[encoder.trained_depth - 3]
    assert any(torch.equal(taken, each) for each in (three, (two + three) / 2))


@pytest.mark.parametrize("architecture, encoder", UNNORMED, ids=lambda x: x.id)
@pytest.mark.parametrize(
    "read",
    [
        lambda out, trained: out.hidden_states[trained],
        lambda out, trained: out.hidden_states[trained - len(out.hidden_states)],
        lambda out, trained: out.hidden_states[1:][trained - 1],
        lambda out, trained: [out.hidden_states[place] for place in (0, 3, trained, 2)],  # looks at others too
        lambda out, trained: list(out.hidden_states),
        lambda out, trained: len(out.hidden_states),
        lambda out, trained: torch.stack(out.hidden_states),
        lambda out, trained: out.last_hidden_state,
        lambda out, trained: out[0],  # the pooled vector, of those that have one
        lambda out, trained: None,
    ],
)
def test_who_reads_what_was_put_there_or_none_of_the_states_is_not(architecture, encoder, read):
    assert read_of(architecture, encoder, read)[0] == ""


@pytest.mark.parametrize("architecture, encoder", [(a, e) for a, e in CASES if e.normed], ids=lambda x: x.id)
def test_where_a_norm_follows_it_is_what_is_normed(architecture, encoder):
    reference = hf(encoder.id)
    with Taps(plan_for(architecture.id, **{encoder.id: 2}), [find_stack(reference.model)]) as taps:
        states = reference.run()[0]
        states[encoder.trained_depth - 3]  # whoever only looks at it
        reference.norm(states[encoder.trained_depth])
        assert taps.overruled == ""
        reference.norm(states[encoder.trained_depth - 3])
        assert taps.overruled == "another extension read another layer of the text encoder"


def test_one_run_of_many_that_reads_another_state_is_noticed():
    """As of an extension that runs the encoder again under our taps."""
    reference, encoder = hf("g"), ARCHITECTURES["sdxl"].encoder("g")
    with Taps(plan_for("sdxl", g=2), [find_stack(reference.model)]) as taps:
        reference.read(encoder)
        first = reference.run()[2].hidden_states
        assert taps.overruled == ""
        first[4]
        assert taps.overruled
        first[encoder.trained_depth]
        assert taps.overruled == ""
        reference.run()[2].hidden_states[5]
        reference.read(encoder)
    assert taps.overruled


def test_the_states_of_an_encoder_without_a_tap_are_the_encoders_own():
    left, right = hf("l"), hf("g")
    stacks = [find_stack(left.model), find_stack(right.model)]
    with Taps(plan_for("sdxl", l=2), stacks) as taps:
        assert type(right.run()[2].hidden_states) is tuple
        right.run()[2].hidden_states[4]
        assert taps.overruled == ""
    assert type(left.run()[2].hidden_states) is tuple


def test_states_are_as_a_tuple_is():
    taken = []
    states = States([1, 2, 3], taken.append)
    assert states == (1, 2, 3) and hash(states) == hash((1, 2, 3)) and repr(states) == "(1, 2, 3)"
    for other in (copy.copy(states), copy.deepcopy(states), pickle.loads(pickle.dumps(states))):
        assert type(other) is tuple and other == states
    again = type(states)(item for item in states)  # as accelerate moves them to another device
    assert again == states and again[1] == 2
    assert taken == [] and states[-1] == 3 and states[:2][0] == 1 and taken == [3, 1]


class Given(NamedTuple):
    hidden_states: tuple[torch.Tensor, ...]


class Own(nn.Module):
    """A program's own encoder, whose output can't be changed."""

    def __init__(self, model):
        super().__init__()
        self.transformer = model

    def forward(self, tokens):
        return Given(tuple(list(self.transformer(input_ids=tokens, output_hidden_states=True).hidden_states)))


def test_an_output_that_can_not_be_changed_costs_the_host_nothing():
    reference, encoder = hf("l"), ARCHITECTURES["sdxl"].encoder("l")
    model, states = Own(reference.model), reference.run()[0]
    with Taps(plan_for("sdxl", l=3), [find_stack(model)]) as taps:
        given = model(TOKENS).hidden_states
        assert torch.equal(given[encoder.trained_depth], states[encoder.trained_depth - 2])
    assert type(given) is tuple and taps.overruled == "" and taps.unproven == []


# --- compiled encoders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("tapped_first", [False, True])
def test_a_compiled_encoder_follows_the_plan_and_goes_on_compiled(in_place, tapped_first):
    """Also one whose graph was made by an encode without taps, which calls no hook."""
    reference, encoder = HF("l").model, HF("l").model
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        ran = []
        graph.ran = ran
        return lambda *args: (ran.append(1), graph(*args))[1]

    torch._dynamo.reset()
    if in_place:
        encoder.compile(backend=backend)
        compiled = encoder
    else:
        compiled = torch.compile(encoder, backend=backend)

    def state():
        return compiled(TOKENS, output_hidden_states=True).hidden_states[-1]

    def runs():
        return sum(len(graph.ran) for graph in graphs)

    states = reference(TOKENS, output_hidden_states=True).hidden_states
    if not tapped_first:
        assert torch.equal(state(), states[-1]) and runs()
    plan = resolve(from_options({"l": 2}), ARCHITECTURES["sd1"])
    for _ in range(2):
        before = runs()
        with Taps(plan, [find_stack(compiled)]) as taps:
            assert torch.equal(state(), states[-2])
        assert taps.calls == {"l": 1} and runs() == before
        assert torch.equal(state(), states[-1]) and runs() > before
    torch._dynamo.reset()
