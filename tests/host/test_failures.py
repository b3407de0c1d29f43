"""What goes wrong in an encode: it is said, it says what was read instead, and the next encode is right again."""

from __future__ import annotations

import json
import sys
import threading

import pytest
import torch

from . import loaded
from .conftest import LIKES
from .reference import PROMPT, request, used_conds

LINE = ("a1111", "forge")
OPTION = "CLIP_stop_at_last_layers"
LONG = ", ".join(f"{word} {number}" for number in range(45) for word in ("cat", "sky"))  # more than one chunk
PLAN = [True, {"skip": 1.5}]
AS_TRAINED, AS_HOST = "What failed was read as trained.", "The WebUI's own clip skip was used."


def slider(host, number):
    """The host's own clip skip of the next job, as fields of its request."""
    return {"clip_skip": number} if host.like == "sdnext" else {"override_settings": {OPTION: number}}


def conds(host):
    return [used["crossattn"].clone() for _, _, used in host.last_conds]


def equal(made, others):
    return [a.shape == b.shape and torch.equal(a, b) for a, b in zip(made, others, strict=True)]


class Blend:
    """The blend of the taps, which can fail at one of its calls."""

    def __init__(self, monkeypatch):
        self.calls, self.fails_at = 0, None
        self._lerp = sys.modules["clip_skip.conditioning.blends"].lerp
        monkeypatch.setattr(sys.modules["clip_skip.conditioning.taps"], "lerp", self)

    def __call__(self, parts):
        self.calls += 1
        if self.calls == self.fails_at:
            raise RuntimeError("no memory left")
        return self._lerp(parts)

    def fail(self, at):
        self.calls, self.fails_at = 0, at


def failed(result, instead):
    """Whether this result says that the plan was not applied, and what was read instead."""
    lines = result.info["comments"].splitlines()
    return (
        "CLIP skip applied: no" in result.info["infotexts"][-1]
        and lines[0] == "CLIP Skip was not applied."
        and lines[1].endswith(instead)
        and len(lines) == 2
    )


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("batches", [1, 2])
def test_one_swap_that_fails_of_many_is_not_applied_and_its_cond_is_not_kept(boot, like, batches, monkeypatch):
    host, blend = boot(like, "sd1"), Blend(monkeypatch)
    asked = request(host, "sd1-a", PLAN, prompt=LONG, n_iter=batches)
    host.txt2img(**asked)
    good, swaps = conds(host), blend.calls
    assert swaps >= 3  # two chunks, and the negative prompt
    for which in range(1, swaps + 1):
        host.txt2img(**request(host, "sd1-a", [False]))  # the caches serve no plan now
        blend.fail(which)
        result = host.txt2img(**asked)
        assert failed(result, AS_TRAINED) and "CLIP-L: RuntimeError: no memory left" in result.info["comments"]
        assert not all(equal(conds(host), good))
        # The second batch, and the next job, encode again what had failed.
        assert batches == 1 or all(equal(conds(host)[2:], good[2:]))
        blend.fail(None)
        result = host.txt2img(**asked)
        assert "CLIP skip applied" not in result.info["infotexts"][0] and all(equal(conds(host), good))


@pytest.mark.parametrize("like", LIKES)
def test_a_failure_in_an_inner_pass_is_said_in_the_image(boot, like, monkeypatch):
    host, blend = boot(like, "sd1"), Blend(monkeypatch)
    processing = host.module("processing")
    process_images = processing.process_images

    def broken_inside(job):
        if job.prompt == "another prompt":
            blend.fail(1)
        return process_images(job)

    monkeypatch.setattr(processing, "process_images", broken_inside)
    assert failed(host.txt2img(**request(host, "sd1-a", PLAN, inner_pass="another prompt")), AS_TRAINED)


@pytest.mark.parametrize("like", LIKES)
def test_a_plan_that_could_not_be_placed_is_the_hosts_own_number(boot, like, monkeypatch):
    host = boot(like, "sd1")
    made = {}
    for number in (1, 3):
        host.txt2img(**request(host, "sd1-a", [False], **slider(host, number)))
        made[number] = conds(host)
    assert not any(equal(made[1], made[3]))

    class Broken:
        def __init__(self, *_):
            raise ValueError("too few blocks")

    module = sys.modules["clip_skip.hosts.sdnext" if like == "sdnext" else "clip_skip.hosts.a1111"]
    with monkeypatch.context() as patch:
        patch.setattr(module, "Taps", Broken)
        result = host.txt2img(**request(host, "sd1-a", PLAN, **slider(host, 3)))
    assert failed(result, "ValueError: too few blocks. " + AS_HOST)
    assert all(equal(conds(host), made[3]))


@pytest.mark.parametrize("like", LIKES)
def test_a_plan_whose_swaps_fail_is_as_trained(boot, like, monkeypatch):
    host = boot(like, "sd1")
    host.txt2img(**request(host, "sd1-a", [False]))
    trained = conds(host)

    def broken(_parts):
        raise RuntimeError("no memory left")

    monkeypatch.setattr(sys.modules["clip_skip.conditioning.taps"], "lerp", broken)
    result = host.txt2img(**request(host, "sd1-a", PLAN, **slider(host, 3)))
    assert failed(result, AS_TRAINED) and all(equal(conds(host), trained))


@pytest.mark.parametrize("like", LINE)
def test_who_reads_another_block_under_our_taps_is_said(boot, like, monkeypatch):
    host = boot(like, "sd1")
    host.txt2img(**request(host, "sd1-a", [False]))
    reader = host.sd_model.cond_stage_model if like == "a1111" else host.sd_model.text_processing_engine
    transformer = reader.wrapped.transformer if like == "a1111" else reader.text_encoder.transformer

    def read(tokens):
        states = transformer(tokens, output_hidden_states=True).hidden_states
        return getattr(transformer, "text_model", transformer).final_layer_norm(states[-4])

    for skip in (1.5, 2):
        with monkeypatch.context() as patch:
            patch.setattr(reader, "encode_with_transformers", read, raising=False)
            result = host.txt2img(**request(host, "sd1-a", [True, {"l": skip}]))
        assert failed(result, "another layer of the text encoder. " + AS_HOST)
        host.txt2img(**request(host, "sd1-a", [True, {"l": skip}]))
        used_conds(host, "sd1-a", {"l": skip})  # its cond was not kept


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("options", [{"l": 1.5, "g": 1}, {"l": 2, "g": 3}])
def test_also_where_no_norm_follows(boot, like, options, monkeypatch):
    """SDXL: the state itself is read. Who looks at other states beside it is not meant."""
    host = boot(like, "sdxl")
    asked = request(host, "sdxl-a", [True, options])

    def made(read):
        def states(transformer, tokens):
            return read(transformer(tokens, output_hidden_states=True).hidden_states)

        with monkeypatch.context() as patch:
            if like == "a1111":
                reader = host.sd_model.conditioner.embedders[0]
                patch.setattr(reader, "encode_with_transformers", lambda t: states(reader.wrapped.transformer, t))
            elif like == "forge":
                reader = host.sd_model.text_processing_engine_l
                patch.setattr(reader, "encode_with_transformers", lambda t: states(reader.text_encoder.transformer, t))
            else:
                provider = host.module("prompt_parser_diffusers").EmbeddingsProvider
                patch.setattr(
                    provider,
                    "_encode_token_ids_to_embeddings",
                    lambda self, tokens, _mask=None: states(self.text_encoder, tokens),
                )
            return host.txt2img(**asked)

    host.txt2img(**request(host, "sdxl-a", [False]))  # Forge has no model before
    assert failed(made(lambda states: states[-4]), "another layer of the text encoder. " + AS_HOST)
    looked = made(lambda states: (states[-4], states[-2])[1])
    assert "CLIP skip applied" not in looked.info["infotexts"][0]
    used_conds(host, "sdxl-a", options)
    host.txt2img(**asked)
    used_conds(host, "sdxl-a", options)


def elsewhere(work):
    """What `work` returns in a thread of its own, as the page and the API ask."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    thread.join()
    (answer,) = answers
    return answer


@pytest.mark.parametrize("like", LINE)
@pytest.mark.parametrize("saved", [True, False])
def test_the_hosts_option_is_the_users_while_a_prompt_is_encoded(boot, like, saved, tmp_path):
    host = boot(like, "sd1", opts={OPTION: 3} if saved else {})
    number, extension = 3 if saved else 1, loaded.extension().host
    sd1 = sys.modules["clip_skip.skip.architectures"].ARCHITECTURES["sd1"]
    file, seen = tmp_path / "config.json", []

    def look():
        host.opts.save(file)  # as another setting is applied
        options = host.http("GET", "/sdapi/v1/options").json()
        kept = json.loads(file.read_text()).get(OPTION), options[OPTION], getattr(host.opts, OPTION)
        return (*kept, extension.reading(sd1).slider)

    def during(module, *_):
        if type(module).__name__ == "CLIPTextModel" and not seen:
            seen.append(elsewhere(look))
            host.opts.save(file)
            seen.append(json.loads(file.read_text()).get(OPTION))

    handle = torch.nn.modules.module.register_module_forward_hook(during)
    host.txt2img(**request(host, "sd1-a", [True, {"l": 2}]))
    handle.remove()
    used_conds(host, "sd1-a", {"l": 2})
    kept = 3 if saved else None
    assert seen == [(kept, number, number, number), kept]
    assert host.opts.data.get(OPTION) == kept and getattr(host.opts, OPTION) == number


@pytest.mark.parametrize("like", LINE)
@pytest.mark.parametrize("saved", [True, False])
def test_a_number_that_the_user_sets_while_a_prompt_is_encoded_stays(boot, like, saved):
    host = boot(like, "sd1", opts={OPTION: 3} if saved else {})
    done = []

    def during(module, *_):
        if type(module).__name__ == "CLIPTextModel" and not done:
            done.append(elsewhere(lambda: host.opts.set(OPTION, 4)))

    handle = torch.nn.modules.module.register_module_forward_hook(during)
    host.txt2img(**request(host, "sd1-a", [True, {"l": 2}]))
    handle.remove()
    used_conds(host, "sd1-a", {"l": 2})
    assert done == [True] and host.opts.data[OPTION] == 4
    host.txt2img(**request(host, "sd1-a", [False]))
    made = conds(host)
    host.txt2img(**request(host, "sd1-a", [True, {"l": 4}]))
    assert all((a - b).abs().max() <= 1e-6 for a, b in zip(made, conds(host), strict=True))


@pytest.mark.parametrize("like", LINE)
def test_nothing_of_ours_is_left_on_the_hosts_options(boot, like):
    host = boot(like, "sd1")
    before = dict(vars(type(host.opts)))
    host.txt2img(**request(host, "sd1-a", [True, {"l": 2}]))
    host.module("script_callbacks").call("script_unloaded")
    assert dict(vars(type(host.opts))) == before


class Angry:
    def __getattr__(self, name):
        raise KeyError(name)


@pytest.mark.parametrize("like", LINE)
def test_an_inner_pass_under_a_caller_with_names_of_its_own(boot, like, monkeypatch):
    """Other extensions call the host's function from functions that have a `p` too, which may be anything."""
    host = boot(like, "sd1")
    processing = host.module("processing")
    process_images = processing.process_images

    def extension(job):
        p = Angry()
        result = process_images(job)
        del p
        return result

    monkeypatch.setattr(processing, "process_images", extension)
    host.txt2img(**request(host, "sd1-a", [True, {"l": 2}], inner_pass=PROMPT))
    assert len(host.last_conds) == 4 and host.errors == []
    used_conds(host, "sd1-a", {"l": 2})


class Again:
    """What Trip Clip Skip does: after each encode it encodes twice again, at its own numbers, and gives the mean."""

    def __init__(self, host, *numbers):
        self.host, self.numbers, self.inside = host, numbers, False

    def __call__(self, module, inputs, output):
        if self.inside:
            return output
        opts, self.inside = self.host.opts, True
        before = opts.CLIP_stop_at_last_layers
        try:
            states = []
            for opts.CLIP_stop_at_last_layers in self.numbers:
                states.append(module(inputs[0]))
            return sum(states) / len(states)
        finally:
            opts.CLIP_stop_at_last_layers = before
            self.inside = False


@pytest.mark.parametrize("options", [{"l": 2}, {"l": 1}])
def test_who_moves_the_hosts_option_and_encodes_again_is_not_taken_for_us(boot, options):
    """What it makes is what it makes without us; the user's number stays."""
    host = boot("a1111", "sd1", opts={OPTION: 3})
    host.txt2img(**request(host, "sd1-a", [True, options]))
    ours = conds(host)
    handle = host.module("shared").sd_model.cond_stage_model.register_forward_hook(Again(host, 4, 5))
    host.txt2img(**request(host, "sd1-a", [False], prompt=f"{PROMPT}."))
    host.txt2img(**request(host, "sd1-a", [False]))
    alone = conds(host)
    made = host.txt2img(**request(host, "sd1-a", [True, options]))
    assert not any(equal(alone, ours)) and all(equal(conds(host), alone))
    assert "CLIP skip applied: no" in made.info["infotexts"][0]
    first, second = made.info["comments"].splitlines()
    assert first == "CLIP Skip was not applied." and "set the WebUI's clip skip to 4" in second
    assert second.endswith(AS_HOST) and host.opts.data[OPTION] == 3
    handle.remove()
    host.txt2img(**request(host, "sd1-a", [True, options]))  # encoded again: what it made was not kept as ours
    assert all(equal(conds(host), ours)) and host.opts.data[OPTION] == 3
