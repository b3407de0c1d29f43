"""Drift from one pass, against one full encode per depth by plain transformers."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch

from clip_skip.conditioning.blends import slerp
from clip_skip.conditioning.stacks import find_stack
from clip_skip.conditioning.taps import Taps
from clip_skip.drift.drift import Point, collected, drift
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.plan import resolve
from clip_skip.skip.request import from_options
from minihost import encoders, weights

from . import reference
from .conftest import IDS, ids_for

STATES = {}


def state_of(encoder):
    return STATES.setdefault(encoder, weights.encoder_state("drift", encoder))


def row_of(architecture, encoder):
    return ARCHITECTURES[architecture].encoder(encoder)


def passed(encoder, ids, mask=None, blocks=None, scope=None):
    """The states of one pass through transformers' encoder, and its stack."""
    model = encoders.clip_model(encoder, state_of(encoder), layers=blocks)
    stack = find_stack(model)
    with torch.no_grad(), collected(stack) as states:
        model(input_ids=ids, attention_mask=mask)
    return states, stack


@pytest.mark.parametrize("architecture, encoder", reference.CASES)
def test_every_skip_from_one_pass(architecture, encoder):
    ids, mask = ids_for(architecture, encoder)
    states, stack = passed(encoder, ids, mask)
    with torch.no_grad():
        result = drift(states, row_of(architecture, encoder), stack.final_norm)
    expected = reference.whole_skips(state_of(encoder), architecture, encoder, ids, mask)
    trained = reference.TRAINED[architecture][encoder][0]
    assert [(p.skip, p.depth) for p in result.points] == [(s, trained + 1 - s) for s in range(1, trained + 1)]
    for point, (cosine, relative, tokens) in zip(result.points, expected, strict=True):
        assert abs(point.cosine - cosine) <= 1e-6
        assert abs(point.relative_norm - relative) <= 1e-6
        assert np.abs(np.array(point.tokens) - tokens).max() <= 1e-5
    assert result.points[0].relative_norm == 0 < min(after.relative_norm for after in result.points[1:])


def test_sd2_is_the_same_on_the_23_blocks_of_diffusers():
    ids, _ = ids_for("sd2", "h")
    results = []
    for blocks in (23, 24):
        states, stack = passed("h", ids, blocks=blocks)
        assert len(stack.blocks) == blocks
        results.append(drift(states, row_of("sd2", "h"), stack.final_norm))
    assert results[0] == results[1]


@pytest.mark.parametrize("skip", [1.5, 2.25, 10.9])
@pytest.mark.parametrize("blend", ["linear", "slerp"])
@pytest.mark.parametrize("architecture", ["sd1", "sdxl"])
def test_fractions(architecture, blend, skip):
    ids, _ = ids_for(architecture, "l")
    states, stack = passed("l", ids)
    trained, normed = reference.TRAINED[architecture]["l"]
    deep = trained + 1 - int(skip)
    f = skip - int(skip)
    a, b = states[deep], states[deep - 1]
    if blend == "linear":
        mixed, options = (1 - f) * a + f * b, {}
    else:
        angle = torch.acos(
            (a * b).sum(-1, keepdim=True) / (a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True))
        )
        unit = (torch.sin((1 - f) * angle) * a / a.norm(dim=-1, keepdim=True)) / torch.sin(angle)
        unit = unit + (torch.sin(f * angle) * b / b.norm(dim=-1, keepdim=True)) / torch.sin(angle)
        mixed = unit * ((1 - f) * a.norm(dim=-1, keepdim=True) + f * b.norm(dim=-1, keepdim=True))
        options = {"mix": slerp}
    norm = stack.final_norm if normed else (lambda x: x)
    cosine, relative, _ = reference.measures(*(norm(x).double().numpy() for x in (mixed, states[trained])))
    (point,) = drift(states, row_of(architecture, "l"), stack.final_norm, [skip], **options).points
    assert (point.skip, point.depth) == (skip, trained + 1 - skip)
    assert abs(point.cosine - cosine) <= 1e-6 and abs(point.relative_norm - relative) <= 2e-6


def test_transformers_own_hidden_states_do_too():
    ids, _ = ids_for("sdxl", "g")
    states, stack = passed("g", ids)
    model = encoders.clip_model("g", state_of("g"))
    with torch.no_grad():
        hidden_states = model(input_ids=ids, output_hidden_states=True).hidden_states
    row = row_of("sdxl", "g")
    assert drift(hidden_states, row, stack.final_norm) == drift(states, row, stack.final_norm)


def test_tokens_that_move_most():
    ids, _ = ids_for("sd1", "l")
    states, stack = passed("l", ids)
    states = {depth: state.clone() for depth, state in states.items()}
    states[11] = states[12].clone()
    states[11][3] *= -1
    states[11][5] += 0.01
    (point,) = drift(states, row_of("sd1", "l"), stack.final_norm, [2]).points
    assert point.most_moved(2) == (3, 5)
    assert point.most_moved(1, among=[4, 5, 6]) == (5,)
    assert [i for i, moved in enumerate(point.tokens) if moved] == [3, 5]
    assert len(point.tokens) == weights.LENGTH


def test_chunks_count_as_one_conditioning():
    first, _ = ids_for("sdxl", "l")
    second, _ = ids_for("sdxl", "l", IDS[::-1])
    both = torch.cat([first, second])
    states, stack = passed("l", both)
    result = drift(states, row_of("sdxl", "l"), stack.final_norm)
    expected = reference.whole_skips(state_of("l"), "sdxl", "l", both)
    for point, (cosine, relative, tokens) in zip(result.points, expected, strict=True):
        assert abs(point.cosine - cosine) <= 1e-6 and abs(point.relative_norm - relative) <= 1e-6
        assert len(point.tokens) == len(tokens) == 2 * weights.LENGTH


def test_several_passes_count_as_one_conditioning():
    first, second = ids_for("sdxl", "g")[0], ids_for("sdxl", "g", IDS[::-1])[0]
    model = encoders.clip_model("g", state_of("g"))
    stack = find_stack(model)
    with torch.no_grad(), collected(stack) as passes:
        model(input_ids=first)
        model(second)
    assert [ids.tolist() for ids in passes.ids] == [first.tolist(), second.tolist()]
    together, _ = passed("g", torch.cat([first, second]))
    row = row_of("sdxl", "g")
    apart, joined = (drift(states, row, stack.final_norm).points for states in (passes, together))
    for a, b in zip(apart, joined, strict=True):
        assert abs(a.cosine - b.cosine) <= 1e-6 and abs(a.relative_norm - b.relative_norm) <= 1e-6
        assert np.abs(np.array(a.tokens) - b.tokens).max() <= 1e-5


def test_texts_stay_apart_where_the_blocks_have_the_tokens_first():
    ids = torch.cat([ids_for("sd2", "h")[0], ids_for("sd2", "h", IDS[::-1])[0]])
    model = encoders.OpenClipText(weights.SPECS["h"], weights.to_openclip(state_of("h"), 24))
    stack = find_stack(model)
    with torch.no_grad(), collected(stack) as passes:
        x = (model.token_embedding(ids) + model.positional_embedding).permute(1, 0, 2)
        for block in model.transformer.resblocks:
            x = block(x, attn_mask=model.attn_mask)
    result = drift(passes, row_of("sd2", "h"), stack.final_norm)
    expected = reference.whole_skips(state_of("h"), "sd2", "h", ids)
    for point, (_, _, tokens) in zip(result.points, expected, strict=True):
        assert np.abs(np.array(point.tokens) - tokens).max() <= 1e-4


def test_the_words_that_moved_most():
    words = {1: "a", 2: "cat", 3: ",", 4: "", 5: "sky"}
    point = Point(2.0, 11.0, 0.9, 0.1, (9.0, 0.125, 0.5, 8.0, 7.0, 0.25))
    assert point.moved(words, 2) == "cat 0.50, sky 0.25"
    assert point.moved({}) == "" == Point(1.0, 12.0, 1.0, 0.0, (0.0,) * 6).moved(words)


def test_blocks_that_add_in_place():
    ids, _ = ids_for("sd3", "l")
    model = encoders.Sd3Clip("l", state_of("l"))
    stack = find_stack(model)
    with torch.no_grad(), collected(stack) as states:
        model(ids)
    result = drift(states, row_of("sd3", "l"), stack.final_norm)
    expected = reference.whole_skips(state_of("l"), "sd3", "l", ids)
    for point, (cosine, relative, _) in zip(result.points, expected, strict=True):
        assert abs(point.cosine - cosine) <= 1e-5 and abs(point.relative_norm - relative) <= 1e-5


def test_open_clip_blocks_with_tokens_first():
    ids, _ = ids_for("sd2", "h")
    model = encoders.OpenClipText(weights.SPECS["h"], weights.to_openclip(state_of("h"), 24))
    stack = find_stack(model)
    x = (model.token_embedding(ids) + model.positional_embedding).permute(1, 0, 2)
    with torch.no_grad(), collected(stack) as states:
        for block in model.transformer.resblocks:
            x = block(x, attn_mask=model.attn_mask)
    result = drift(states, row_of("sd2", "h"), stack.final_norm)
    expected = reference.whole_skips(state_of("h"), "sd2", "h", ids)
    for point, (cosine, relative, tokens) in zip(result.points, expected, strict=True):
        assert abs(point.cosine - cosine) <= 1e-5 and abs(point.relative_norm - relative) <= 1e-5
        assert np.abs(np.array(point.tokens) - tokens).max() <= 1e-4


def test_taps_do_not_show():
    ids, _ = ids_for("sdxl", "l")
    plain, stack = passed("l", ids)
    model = encoders.clip_model("l", state_of("l"))
    tapped = find_stack(model)
    plan = resolve(from_options({"l": 3}), ARCHITECTURES["sdxl"])
    with torch.no_grad(), Taps(plan, [tapped]), collected(tapped) as states:
        model(input_ids=ids)
    row = row_of("sdxl", "l")
    assert drift(states, row, tapped.final_norm) == drift(plain, row, stack.final_norm)


def test_nothing_stays_on_the_model_and_nothing_is_written_to_the_states():
    ids, _ = ids_for("sd1", "l")
    model = encoders.clip_model("l", state_of("l"))
    stack = find_stack(model)
    with pytest.raises(ZeroDivisionError), collected(stack):
        model(input_ids=ids)
        raise ZeroDivisionError
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in stack.blocks)
    states, stack = passed("l", ids)
    before = copy.deepcopy(states)
    drift(states, row_of("sd1", "l"), stack.final_norm, [1, 1.5, 2])
    assert all(torch.equal(states[depth], before[depth]) for depth in before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_are_measured_in_float32(dtype):
    ids, _ = ids_for("sdxl", "l")
    states, stack = passed("l", ids)
    half = {depth: state.to(dtype) for depth, state in states.items()}
    result = drift(half, row_of("sdxl", "l"), stack.final_norm)
    for point in result.points:
        read, trained = (half[depth].double().numpy() for depth in (round(point.depth), 11))
        cosine, relative, _ = reference.measures(read, trained)
        assert abs(point.cosine - cosine) <= 1e-6 and abs(point.relative_norm - relative) <= 1e-6


@pytest.mark.parametrize("skip", [0, 0.5, 12, 11.5])
def test_out_of_range(skip):
    states, stack = passed("l", ids_for("sdxl", "l")[0])
    with pytest.raises(ValueError, match="is not from 1 to 11"):
        drift(states, row_of("sdxl", "l"), stack.final_norm, [skip])


def test_a_state_of_zeros_is_no_error():
    zeros = {depth: torch.zeros(1, 77, 8) for depth in range(13)}
    points = drift(zeros, row_of("sdxl", "l"), torch.nn.LayerNorm(8)).points
    assert {(p.cosine, p.relative_norm) for p in points} == {(0.0, 0.0)}


def test_fractions_lie_between_their_neighbours_for_a_straight_path():
    """Where the states lie on a straight line the relative norm grows evenly with the skip."""
    start, way = torch.randn(2, 1, 77, 8, generator=torch.Generator().manual_seed(1)).unbind()
    states = {depth: start + (11 - depth) * way for depth in range(13)}
    skips = [1 + i / 4 for i in range(9)]
    norms = [p.relative_norm for p in drift(states, row_of("sdxl", "l"), torch.nn.LayerNorm(8), skips).points]
    steps = [b - a for a, b in pairwise(norms)]
    assert max(steps) - min(steps) <= 1e-6 * max(norms)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_taken_for_a_number(broken):
    states = {depth: torch.ones(1, 77, 8) for depth in range(13)}
    states[10] = torch.full((1, 77, 8), broken)
    _, point, after = drift(states, row_of("sdxl", "l"), torch.nn.LayerNorm(8), [1, 2, 3]).points
    assert not np.isfinite([point.cosine, point.relative_norm]).any()
    assert (after.cosine, after.relative_norm) == (1, 0)
