"""What the adapters say of the hosts' own CLIP skip, against the conditioning that it really makes."""

import functools
import json
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from clip_skip.hosts.a1111 import WebUI
from clip_skip.hosts.unknown import UnknownHost
from clip_skip.skip.architectures import ARCHITECTURES

from .loaded import extension
from .reference import CHECKPOINTS, NEGATIVE, PROMPT, TRAINED, cond, request

FIRST = {architecture: name for name, architecture in reversed(CHECKPOINTS.items())}
WHOLE, FRACTIONS = (1, 2, 3, 6, 12), (1.5, 2.25)
OPTION = "CLIP_stop_at_last_layers"


def adapter():
    return extension().host


def own(host, number):
    """A request's fields for the host's own CLIP skip, by which SD.Next takes fractions too."""
    return {"extra": {"clip_skip": number}} if host.like == "sdnext" else {"override_settings": {OPTION: number}}


@pytest.fixture
def opts(host):
    """The host's options, as they were again after the test."""
    before = dict(host.opts.data)
    yield host.opts
    host.opts.data.clear()
    host.opts.data.update(before)


def made(host, checkpoint, number):
    """The text states that sampling used at this number of the host's own, with our panel off: positive, negative."""
    host.txt2img(**request(host, checkpoint, [False], **own(host, number)))
    return [used["crossattn"] for _, _, used in host.last_conds]


def reads_as_said(host, architecture, numbers):
    """Compare every number's conditioning with what the adapter says of it; whether it moves is compared too."""
    checkpoint, moved = FIRST[architecture], []
    first = made(host, checkpoint, 1)
    for number in numbers:
        reading = adapter().reading(ARCHITECTURES[architecture], number)
        assert set(reading.skips) == set(TRAINED[architecture]) and reading.slider == number
        states = made(host, checkpoint, number)
        for got, text in zip(states, (PROMPT, NEGATIVE), strict=True):
            expected = cond(host.like, checkpoint, reading.skips, text)
            got = got[:, : expected.shape[1], : expected.shape[2]]  # SD 3 is padded, and has T5 behind
            # xhinker does not pad: shorter sums, added up in another order.
            tolerance = 1e-6 if got.shape[1] == expected.shape[1] else 1e-5
            difference = (got - expected[:, : got.shape[1]]).abs().max()
            assert difference <= tolerance, (architecture, number, reading.skips)
        moved.append(not all(torch.equal(a, b) for a, b in zip(states, first, strict=True)))
        assert reading.acts or not moved[-1], (architecture, number)
    assert adapter().reading(ARCHITECTURES[architecture], 1).acts == any(moved)


@pytest.mark.parametrize("architecture", TRAINED)
def test_every_number_reads_what_is_said(host, architecture):
    past = {"sdxl", "sdxl-refiner", "sd3"} if host.like == "sdnext" else set()  # there is a 0 at its slider
    zero = (0,) if architecture in past else ()
    reads_as_said(host, architecture, (*zero, *WHOLE, *(FRACTIONS if host.like == "sdnext" else ())))


def test_sdxl_clip_l_skip_moves_one_encoder_on_a1111_alone(host, opts):
    opts.data["sdxl_clip_l_skip"] = True
    host.txt2img(**request(host, "sd1-a"))  # the cond cache knows nothing of this option
    reads_as_said(host, "sdxl", WHOLE)
    reading = adapter().reading(ARCHITECTURES["sdxl"], 1)
    expected = {"a1111": {"l": 0, "g": 1}, "forge": {"l": 1, "g": 1}, "sdnext": {"l": 1, "g": 1}}
    assert reading.skips == expected[host.like]


@pytest.mark.parametrize("architecture", ["sd1", "sd2", "sdxl", "sd3"])
def test_the_xhinker_parser_counts_its_own_way_on_sd_next_alone(host, opts, architecture):
    opts.data["prompt_attention"] = "xhinker"
    reads_as_said(host, architecture, (0, *WHOLE[:-1]))


def test_the_token_embeddings_are_the_depth_before_the_first_block(host):
    if host.like == "sdnext":
        states, _ = made(host, "sd1-a", 0)
        assert adapter().reading(ARCHITECTURES["sd1"], 0).skips == {"l": 13}
        model = host.encoder("sd1-a", "l")
        embedded = getattr(model, "text_model", model).embeddings(host.tokens(PROMPT, "l"))
        assert (states - embedded).abs().max() <= 1e-6  # here without the last norm
    else:
        reads_as_said(host, "sd1", (1, 13))


def test_a_model_without_clip_skip_is_not_moved(host):
    reading = adapter().reading(ARCHITECTURES["flux"], 3)
    assert reading.skips == {} and not reading.acts
    fields = {"override_settings": {"sd_model_checkpoint": host.title("flux")}}
    states = []
    for number in (1, 3):
        given = own(host, number)
        given["override_settings"] = {**given.get("override_settings", {}), **fields["override_settings"]}
        host.txt2img(prompt=PROMPT, steps=1, width=64, height=64, **given)
        states.append(host.last_conds[0][2]["crossattn"])
    assert torch.equal(*states)


def test_the_number_is_that_of_the_job_or_of_the_options(host, opts):
    sd1 = ARCHITECTURES["sd1"]
    if host.like == "sdnext":
        assert adapter().reading(sd1).slider == 1
        assert adapter().reading(sd1, p=SimpleNamespace(clip_skip=2.5, prompt_attention=None)).skips == {"l": 2.5}
        assert adapter().reading(sd1, p=SimpleNamespace(clip_skip=2, prompt_attention="xhinker")).skips == {"l": 3}
        assert adapter().reading(sd1, 4, SimpleNamespace(clip_skip=2)).skips == {"l": 4}
    else:
        opts.data.pop(OPTION, None)
        assert adapter().reading(sd1).skips == {"l": 1}
        opts.data[OPTION] = 3
        assert adapter().reading(sd1).skips == {"l": 3}
        assert adapter().reading(sd1, 4).skips == {"l": 4}


def test_the_number_for_a_skip_is_the_hosts(host):
    sd3 = ARCHITECTURES["sd3"]
    expected = {"a1111": 1, "forge": 2, "sdnext": 1}[host.like]
    assert adapter().slider_for(sd3, {"l": 1, "g": 1}) == expected
    assert adapter().slider_for(sd3, {"l": 1, "g": 2}) is None


def test_use_sets_and_saves_the_hosts_option(host, opts):
    before = dict(opts.data)
    path = host.data / "config.json"
    saved = path.read_text() if path.exists() else None
    try:
        assert adapter().use(2.0) == (host.like != "sdnext")
        if host.like == "sdnext":
            assert opts.data == before
            return
        stored = json.loads(path.read_text())[OPTION]
        assert (opts.data[OPTION], stored) == (2, 2) and isinstance(stored, int)
        assert adapter().use(2) and adapter().use(1)
        assert json.loads(path.read_text())[OPTION] == 1
    finally:
        path.unlink(missing_ok=True)
        if saved is not None:
            path.write_text(saved)


def test_the_hosts_own_slider_is_known_when_it_is_made(host, monkeypatch):
    found = []
    callbacks = host.module("script_callbacks")
    announce = callbacks.after_component_callback

    def meet(component, **kwargs):
        if adapter().is_slider(component, kwargs.get("elem_id")):
            found.append((component.label, kwargs.get("elem_id")))
        announce(component, **kwargs)

    monkeypatch.setattr(callbacks, "after_component_callback", meet)
    host.reload_ui()
    assert (
        found
        == {
            "a1111": [("Clip skip", f"setting_{OPTION}")],
            "forge": [("Clip skip", None)],
            "sdnext": [("CLiP skip", f"{tab}_clip_skip") for tab in ("txt2img", "img2img", "control")],
        }[host.like]
    )


def test_settings_of_the_same_id_are_no_slider(host):
    state = SimpleNamespace(label="Clip skip", get_block_name=lambda: "state")  # Forge's, in Settings
    assert not adapter().is_slider(state, f"setting_{OPTION}") and not adapter().is_slider(state, None)


def test_a_lora_is_found_by_every_name_that_a_prompt_may_call_it(host):
    folder = host.data / "models" / "Lora" / "sub"
    folder.mkdir(parents=True, exist_ok=True)
    sdnext = host.like == "sdnext"
    lister = sys.modules["modules.lora.lora_load" if sdnext else "networks"]
    files = {"plain": {}, "with.point": {"ss_output_name": "alias"}, "one": {"ss_output_name": "twice"}}
    files["two"] = files["one"]
    try:
        for name, metadata in files.items():
            save_file({"x": torch.zeros(1)}, folder / f"{name}.safetensors", metadata)
        lister.list_available_networks()
        found = {name: adapter().lora_file(name) for name in (*files, "alias", "twice", "sub/one", "with_point", "no")}
        listed = adapter().loras()
    finally:
        for name in files:
            (folder / f"{name}.safetensors").unlink(missing_ok=True)
        lister.list_available_networks()
    point = str(folder / "with.point.safetensors")
    assert found == {
        **{name: str(folder / f"{name}.safetensors") for name in files},
        "alias": None if sdnext else point,
        "twice": None,
        "sub/one": str(folder / "one.safetensors") if sdnext else None,
        "with_point": point if sdnext else None,
        "no": None,
    }
    assert adapter().lora_file("plain") is None
    gone = set(listed) - set(adapter().loras())
    assert {name: listed[name] for name in gone} == {
        name.replace(".", "_") if sdnext else name: str(folder / f"{name}.safetensors") for name in files
    }


def test_an_unknown_webui_is_taken_to_read_as_trained():
    nobody = UnknownHost()
    reading = nobody.reading(ARCHITECTURES["sdxl"], 3)
    assert reading.skips == {"l": 1, "g": 1} and reading.slider is None
    assert not nobody.use(2) and nobody.lora_file("x") is None and not nobody.is_slider(None, f"setting_{OPTION}")
    assert nobody.loras() == {}


@pytest.mark.parametrize("like, sdxl, sd2", [("reforge", 2, 2), ("classic", 1, 1)])
def test_reforge_and_classic_are_told_apart_by_what_their_wrapper_looks_at(monkeypatch, like, sdxl, sd2):
    """Both have a class of this name; also under another extension's wrapper. A1111's own option is dead on both."""
    opts = SimpleNamespace(CLIP_stop_at_last_layers=3, sdxl_clip_l_skip=True)
    encodes = {"reforge": lambda self, tokens: opts.CLIP_stop_at_last_layers > 2, "classic": lambda self, tokens: 2}
    forge_clip = ModuleType("modules_forge.forge_clip")
    wrapper = functools.wraps(encodes[like])(lambda self, tokens: encodes[like](self, tokens))
    forge_clip.CLIP_SD_XL_G = type("CLIP_SD_XL_G", (), {"encode_with_transformers": wrapper})
    monkeypatch.setitem(sys.modules, "modules_forge.forge_clip", forge_clip)
    monkeypatch.delitem(sys.modules, "modules_forge.main_entry", raising=False)
    reading = WebUI(SimpleNamespace(opts=opts), object, None).reading
    assert reading(ARCHITECTURES["sd1"]).skips == {"l": 3}
    assert reading(ARCHITECTURES["sdxl"]).skips == {"l": sdxl, "g": sdxl}
    assert reading(ARCHITECTURES["sd2"]).skips == {"h": sd2}
