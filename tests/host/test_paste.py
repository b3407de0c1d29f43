"""A pasted number of the host's own, where the host does not restore it: the panel has it then."""

from __future__ import annotations

import pytest

from .loaded import extension

TEXT = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Model: {}, {}Version: x"


def pasted(host, text):
    """The panel's fields after this text was pasted, those that it leaves alone left out."""
    utils = host.module("generation_parameters_copypaste")
    params = utils.parse_generation_parameters(text)
    host.module("script_callbacks").infotext_pasted_callback(text, params)
    updates = {name: read(params) for name, read in extension().fields.items()}
    said = ("ended", "ended_off")
    return {name: update["value"] for name, update in updates.items() if update is not None and name not in said}


@pytest.mark.parametrize("like, restores", [("a1111", True), ("forge", True), ("neo", False), ("sdnext", False)])
def test_the_hosts_number_of_an_sd1_image(boot, like, restores):
    host = boot(like, "sd1")
    for said, skip in (("Clip skip: 2, ", 2), ("CLiP-skip: 2.5, ", 2.5)):
        values = pasted(host, TEXT.format("sd1-b", said).replace("a cat", "a cat, Clip skip: 7, sky"))
        assert values["enabled"] is not restores
        if not restores:
            assert (values["mode"], values["l"]) == ("Manual", skip)
    assert pasted(host, TEXT.format("sd1-b", "")) == {"enabled": False}
    assert pasted(host, TEXT.format("sdxl-a", "Clip skip: 2, ")) == {"enabled": False}
    for said in ('ADetailer prompt: "a, Clip skip: 2, b", ', "ADetailer CLIP skip: 2, "):
        assert pasted(host, TEXT.format("sd1-b", said)) == {"enabled": False}
    for said in ("Clip skip: 4, ", ""):
        values = pasted(host, TEXT.format("sd1-b", f"{said}TripClipSkip_value: 2.5, TripClipSkip_type: slerp, "))
        assert (values["enabled"], values["l"], values["blend"]) == (True, 2.5, "Slerp")
    ours = pasted(host, TEXT.format("sd1-b", "Clip skip: 2, CLIP skip L: 3, "))
    assert (ours["enabled"], ours["l"]) == (True, 3)


def test_sdnext_restores_it_where_its_slider_is_unlocked(boot):
    host = boot("sdnext", "sd1", opts={"clip_skip_enabled": True})
    assert pasted(host, TEXT.format("sd1-a", "Clip skip: 2, ")) == {"enabled": False}
