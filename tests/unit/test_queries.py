"""What a question costs and changes: the panel's answers and the REST interface's, without a WebUI."""

import logging
import os
import sqlite3
import threading
from collections import Counter
from dataclasses import replace

import pytest

from clip_skip.advice.advisor import Advisor
from clip_skip.hosts.unknown import UnknownHost
from clip_skip.interfaces.rest.routes import Call, Rest
from clip_skip.interfaces.ui.answers import Answers
from clip_skip.interfaces.ui.controls import Controls
from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.hashing import Hashing
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.inspect.inspector import Inspector
from clip_skip.models.library import Library
from clip_skip.models.presets.preset import Preset
from clip_skip.models.presets.store import Store
from clip_skip.models.profile import Profile
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.auto import Defaults
from clip_skip.skip.host_sliders import reading_at
from tests.inspect.test_facts import model

SHA = "ab" * 32
KNOWN_BY_NAME = Preset(skip={"l": 2.0}, lineage="not-nai")


class OneModel(UnknownHost):
    """A WebUI with one model, read as the A1111 line reads it."""

    known = True

    def __init__(self, checkpoint, slider=2):
        self._checkpoint, self._slider = checkpoint, slider

    def selected(self, name=None):
        return self._checkpoint

    def loaded(self):
        return self._checkpoint

    def checkpoint(self, name):
        return self._checkpoint

    def reading(self, architecture, number=None, p=None):
        return reading_at("a1111", architecture, self._slider if number is None else number)

    def slider_for(self, architecture, skips):
        return skips["l"]


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "data")


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint("a", ARCHITECTURES["sd1"], str(model(tmp_path / "a.safetensors")), SHA)


@pytest.fixture
def panel(library, checkpoint):
    host = OneModel(checkpoint)
    return Answers(host, library, Advisor(host, library), lambda: True, Hashing(host))


@pytest.fixture
def rest(library, checkpoint):
    host = OneModel(checkpoint)
    return Rest(host, library, Advisor(host, library), lambda: True, secured=False)


PANELS = [
    Controls(),
    Controls(enabled=True),
    Controls(enabled=True, mode="Manual", l=2.0, seen='{"tags": "<lora:x:1>"}'),
]
QUESTIONS = {
    "status": lambda panel, rest: rest.status(Call("", {})),
    "advice": lambda panel, rest: rest.advice(Call("", {})),
    "advice on options": lambda panel, rest: rest.advice(Call("", {"options": '{"l": 2}'})),
    "inspect": lambda panel, rest: rest.inspect(Call("", {})),
    "presets": lambda panel, rest: rest.presets(Call("", {})),
    "show": lambda panel, rest: [panel.show(controls) for controls in PANELS],
    "judge": lambda panel, rest: [panel.judge(controls) for controls in PANELS],
    "drift": lambda panel, rest: panel.drift("a prompt", PANELS[1]),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_changes_nothing_that_is_saved(library, panel, rest, question, monkeypatch, caplog):
    """Also where the model's hash is known, and what was saved for it is still kept under its name."""
    library.presets.put(KNOWN_BY_NAME, name="a")

    def saves(*_):
        raise AssertionError("a question saves")

    monkeypatch.setattr(type(library.presets), "change", saves)
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    before = library.presets.path.read_bytes()
    QUESTIONS[question](panel, rest)
    assert library.presets.path.read_bytes() == before
    assert [record for record in caplog.records if record.exc_info] == []


def test_what_is_kept_by_name_counts_before_the_hash_is_written_down(library, checkpoint, rest):
    library.presets.put(KNOWN_BY_NAME, name="a")
    assert rest.status(Call("", {}))["auto"] == {
        "skip": {"l": 2.0},
        "blend": "linear",
        "source": "preset",
        "text": "this model's preset",
    }
    assert [each["id"] for each in rest.advice(Call("", {}))] == ["not-nai"]
    key = rest.status(Call("", {}))["model"]["key"]
    assert rest.get(Call(key, {})) == rest.presets(Call("", {}))[key]  # where it is now
    library.learn_hash(checkpoint)
    assert rest.status(Call("", {}))["model"]["key"] == SHA
    assert list(library.presets.all()) == [SHA]
    assert rest.status(Call("", {}))["auto"]["source"] == "preset"


def spy(monkeypatch, counted, owner, name):
    really = getattr(owner, name)

    def called(*args, **kwargs):
        counted[name] += 1
        return really(*args, **kwargs)

    monkeypatch.setattr(owner, name, called)


@pytest.mark.parametrize("controls", PANELS, ids=["off", "auto", "manual"])
@pytest.mark.parametrize("question", ["judge", "show"])
def test_an_answer_of_the_panel_looks_each_fact_up_once(library, checkpoint, panel, controls, question, monkeypatch):
    library.presets.put(Preset(lineage="not-nai"), sha256=SHA, name="a")
    os.utime(library.presets.path, ns=(1, 1))  # long ago: the file is not read again
    controls = replace(controls, seen="")  # no LoRA, which is another file
    panel.judge(controls)  # reads the model's file
    counted, stated = Counter(), Counter()
    spy(monkeypatch, counted, Store, "get")
    spy(monkeypatch, counted, Inspector, "recall")
    spy(monkeypatch, counted, Inspector, "inspect")
    spy(monkeypatch, counted, sqlite3, "connect")
    spy(monkeypatch, counted, Controls, "asked")
    stat = os.stat
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", lambda path, **more: stated.update([os.fspath(path)]) or stat(path, **more))
        getattr(panel, question)(controls)
    assert counted == {"get": 1, "recall": 1, "connect": 1, "asked": 1}
    assert stated[checkpoint.path] == 1 and set(stated.values()) == {1}


def test_a_job_looks_a_preset_up_once_for_each_model(library, checkpoint, monkeypatch):
    """Each encode resolves the job's plan anew."""
    counted = Counter()
    spy(monkeypatch, counted, Store, "get")
    model = library.profile(checkpoint)
    assert [bool(model.stands_for(word)) for word in ("auto", "preset", "recommended", "auto")] == [1, 0, 1, 1]
    assert counted == {"get": 1}


# --- what descent recommends, with the user's setting in it ----------------------------------------------------------

TRAINED_WITH_2 = "trained with clip skip 2"


def says_of(settings, checkpoint, tmp_path, lineage, skip):
    """What Auto uses, what REST says that the facts recommend, and the advice on this skip."""
    library = Library(tmp_path / "data", lambda: settings)
    if lineage:
        library.mark(checkpoint, lineage)
    rest = Rest(OneModel(checkpoint), library, Advisor(OneModel(checkpoint), library), lambda: True, secured=False)
    auto = rest.status(Call("", {}))["auto"]
    advice = rest.advice(Call("", {"options": f'{{"l": {skip}}}'}))
    return auto, rest.inspect(Call("", {}))["recommended"], advice


@pytest.mark.parametrize("nai, used", [(2, 2.0), (1, 1.0), (1.8, 1.8)])
def test_the_setting_for_descendants_is_what_descent_recommends(checkpoint, tmp_path, nai, used):
    settings = Defaults({("sd1", "l"): 1.2}, nai=nai)
    auto, recommended, advice = says_of(settings, checkpoint, tmp_path, "nai-derived", 1)
    assert (auto["skip"], auto["source"]) == ({"l": used}, "nai-lineage")
    assert (TRAINED_WITH_2 in auto["text"]) == (nai == 2)
    assert recommended == {"skip": {"l": used}, "source": "nai-lineage"}
    assert [each["id"] for each in advice] == (["nai-below"] if used > 1 else [])
    assert [each["actions"][0]["skip"] for each in advice] == [{"l": used}] * len(advice)
    assert says_of(settings, checkpoint, tmp_path, "nai-derived", 2)[2] == []


@pytest.mark.parametrize("lineage, id", [("not-nai", "not-nai"), (None, "nai-unverified")])
@pytest.mark.parametrize("nai", [1, 2, 3])
def test_the_setting_for_descendants_is_not_for_others(checkpoint, tmp_path, lineage, id, nai):
    auto, recommended, advice = says_of(Defaults(nai=nai), checkpoint, tmp_path, lineage, 2)
    assert (auto["skip"], recommended) == ({"l": 1.0}, None)
    assert [(each["id"], each["actions"][0]["skip"]) for each in advice] == [(id, {"l": 1.0})]
    assert says_of(Defaults(nai=nai), checkpoint, tmp_path, lineage, 1)[2] == []


def test_a_model_that_is_being_read_keeps_nobody_waiting_for_another(tmp_path):
    """Up to Python 3.11 `functools.cached_property` holds one lock for all instances."""
    begun, end = threading.Event(), threading.Event()

    class Slow:
        def recall(self, *_, **__):
            return None

        def inspect(self, path, **_):
            begun.set()
            end.wait()
            return ModelFacts(path)

    class Quick(Slow):
        def inspect(self, path, **_):
            return ModelFacts(path)

    def profile(inspector):
        checkpoint = Checkpoint("a", ARCHITECTURES["sd1"], "/models/a.safetensors")
        return Profile(checkpoint, Store(tmp_path), lambda: inspector, Defaults)

    slow = threading.Thread(target=lambda: profile(Slow()).facts)
    quick = threading.Thread(target=lambda: profile(Quick()).facts, daemon=True)
    slow.start()
    begun.wait()
    quick.start()
    quick.join(60)
    answered = not quick.is_alive()
    end.set()
    slow.join()
    assert answered
