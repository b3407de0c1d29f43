"""The WebUI's own hashes of its models: what it has is used, and what we work out it has from then on."""

import hashlib
import sys
from pathlib import Path

import pytest

from .loaded import extension
from .reference import request

# Of a file on whose card, by a list on the web, the author recommends 2.
CARD_2 = "007c56bc7e614585863528ed52147fdc1af77df998306899615966eed21a12c8"


@pytest.fixture(params=["a1111", "forge"])  # a diffusers folder has no hash
def like(request):
    return request.param


def selected(host, name):
    return extension().host.selected(host.title(name))


def controls(**values):
    return sys.modules["clip_skip.interfaces.ui.controls"].Controls(enabled=True, **values)


def judged(host, name):
    """Words of the panel, and whether its button asks for the hash, with this model selected."""
    host.opts.sd_model_checkpoint = host.title(name)
    words, _, _, _, _, button, *_ = extension().answers.judge(controls())[-9:]
    return words["value"], button["visible"]


def wait():
    thread = extension()._hashing._background.thread
    if thread is not None:
        thread.join(60)
        assert not thread.is_alive()


def test_what_the_host_keeps_counts_at_once_and_only_for_the_file_as_it_is(boot, like):
    host = boot(like)
    before = selected(host, "sd1-b")
    assert before.sha256 is None
    file = Path(before.path)
    kept = host.module("hashes").cache("hashes")
    kept[f"checkpoint/{file.name}"] = {"mtime": file.stat().st_mtime, "sha256": CARD_2}
    model = extension().library.profile(selected(host, "sd1-b"))
    assert (model.checkpoint.sha256, model.auto.source, model.auto.skips) == (CARD_2, "listed-card", {"l": 2})
    assert "its author recommended clip skip 2" in model.auto.text[0]
    kept[f"checkpoint/{file.name}"]["mtime"] -= 1  # of what the file was before
    assert selected(host, "sd1-b").sha256 is None


def test_the_panel_has_it_worked_out_and_the_host_has_it_then(boot, like):
    host = boot(like)
    assert judged(host, "sd1-b")[1] is False
    wait()
    file = Path(selected(host, "sd1-b").path)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert host.module("hashes").sha256_from_cache(str(file), f"checkpoint/{file.name}") == sha256
    assert selected(host, "sd1-b").sha256 == sha256
    words, button = judged(host, "sd1-b")
    assert "SHA-256" not in words and not button
    # The host uses it: nothing is read again when it loads the model.
    host.txt2img(**request(host, "sd1-b", [True]))
    assert selected(host, "sd1-b").sha256 == sha256


def test_while_a_job_runs_the_panel_says_how_far_it_is(boot, like):
    host = boot(like)
    state = host.module("shared").state
    state.job = "task"
    try:
        words, button = judged(host, "sd1-b")
        assert "clip-skip-hashing" in words and "> 0%" in words.replace("</span>", "") and not button
        assert selected(host, "sd1-b").sha256 is None
    finally:
        state.job = ""
    wait()
    assert selected(host, "sd1-b").sha256 is not None


def test_where_the_user_switched_hashing_off_only_a_button_asks_for_it(boot, like):
    host = boot(like, argv=["--no-hashing"])
    assert not extension().host.hashes
    words, button = judged(host, "sd1-b")
    assert button and "SHA-256" not in words and extension()._hashing._background.thread is None
    extension().answers.hash(controls())
    wait()
    assert selected(host, "sd1-b").sha256 is not None
    assert judged(host, "sd1-b")[1] is False


def test_nothing_is_worked_out_of_other_models_or_with_the_extension_off(boot, like):
    host = boot(like)
    for name in ("sdxl-a", "sd2"):
        assert judged(host, name)[1] is False
    host.opts.clip_skip_ext_enabled = False
    assert judged(host, "sd1-b")[1] is False
    extension().answers.hash(controls())
    assert extension()._hashing._background.thread is None and selected(host, "sd1-b").sha256 is None


def test_it_stops_when_the_extension_is_unloaded(boot, like):
    host = boot(like)
    state = host.module("shared").state
    state.job = "task"
    try:
        judged(host, "sd1-b")
        thread = extension()._hashing._background.thread
        extension().unload()
        assert not thread.is_alive()
    finally:
        state.job = ""
