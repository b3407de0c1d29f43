"""Every word that the page shows is in every language: collected by rendering all there is, under all conditions."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

import minihost
from clip_skip.advice.advisor import Advisor
from clip_skip.advice.rules import (
    ALIKE,
    BY_SCRIPT,
    BY_TAG,
    NOT_WHOLE,
    Situation,
    advise,
    bad_tag,
    bad_value,
    different_tags,
    not_a_tag,
    not_applied,
    not_compared,
)
from clip_skip.conditioning.loaded_model import LoadedModel
from clip_skip.conditioning.stacks import Stack
from clip_skip.drift.chart import Marks
from clip_skip.drift.drift import Drift, Point
from clip_skip.drift.measured import Measured
from clip_skip.hosts.idle import idle
from clip_skip.hosts.unknown import UnknownHost
from clip_skip.interfaces.settings import ENABLED, SETTINGS
from clip_skip.interfaces.ui import advice_view, answers, drift_view, models_view, panel, paste, presets_tab, words
from clip_skip.interfaces.ui.controls import SLIDERS, Controls
from clip_skip.interfaces.ui.markup import pieces
from clip_skip.interfaces.ui.page import Page
from clip_skip.models.checkpoint import NO_CHECKPOINT, Checkpoint
from clip_skip.models.hashing import Hashing
from clip_skip.models.inspect.evidence.evidence import Evidence, SkipStatement, Strength, Verdict
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.inspect.verdict.recommend import SKIP_LADDER, Recommendation
from clip_skip.models.library import Library, ReferencePlace
from clip_skip.models.presets import Preset
from clip_skip.models.survey import CHECKPOINT, Found, Listed, Progress, Survey
from clip_skip.skip.architectures import ARCHITECTURES, ENCODER_NAMES, UNKNOWN
from clip_skip.skip.auto import Defaults, automatic
from clip_skip.skip.host_sliders import reading_at
from clip_skip.skip.prompt_tags import mistaken
from clip_skip.skip.reading import Reading, as_trained
from clip_skip.skip.request import parse
from clip_skip.text.phrase import Problem
from tests.conftest import ROOT

LANGUAGES = ("zh_CN", "ja_JP", "id_ID")
# Words that a language has from English, as it writes them.
BORROWED = {
    "id_ID": {"Model", "Preset", "Mode", "hash", "Slerp", "Linear", "Manual", "blok", "model"},
    "ja_JP": set(),
    "zh_CN": set(),
}
# Names are the same in every language, and no file has them; nor the label of the box that is never on show.
NAMES = {"CLIP Skip", "CLIP Skip options", *ENCODER_NAMES.values()}
# What files, users and other programs say here, and what must therefore be in no string that is translated.
QUAGGA = "quagga"
SHA = "ab" * 32
SILENCED = (
    *(
        "not-nai",
        "nai-unverified",
        "off-recommended",
        "off-trained",
        "past-trained",
        "nai-below",
        "lora-mismatch",
        "too-deep",
        "no-effect",
    ),
)


class _Texts(HTMLParser):
    """The text nodes of HTML, as a page's translation finds them, but for those that are marked as no words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[bool] = []
        self.feed(html)
        assert self._open == [], html

    def handle_starttag(self, tag, attributes):
        self._open.append(tag == "style" or ("translate", "no") in attributes)

    def handle_endtag(self, tag):
        self._open.pop()

    def handle_data(self, data):
        if not any(self._open) and data.strip():
            self.found.append(data.strip())


def _in_html(html: str) -> set[str]:
    return set(_Texts(html).found)


def _in_updates(updates) -> set[str]:
    """What an event's answer shows anew: only HTML, as words that Gradio changes in place are not translated."""
    found: set[str] = set()
    for component, update in updates.items() if isinstance(updates, dict) else ((None, each) for each in updates):
        value = update.get("value") if isinstance(update, dict) and "__type__" in update else None
        assert not isinstance(component, gr.Button) or value is None
        if isinstance(value, str) and (component is None or isinstance(component, gr.HTML)):
            found |= _in_html(value) if value.startswith("<") else set()
    return found


def _in_blocks(blocks: gr.Blocks) -> set[str]:
    """The words of the components that are on show, or can be."""
    config = blocks.get_config_file()
    changed = {id for event in config["dependencies"] for id in event["outputs"]}
    found: set[str] = set()
    for component in config["components"]:
        kind, props = component["type"], component["props"]
        if kind in ("state", "form", "row", "column") or not (props.get("visible", True) or component["id"] in changed):
            continue
        if kind == "html":
            found |= _in_html(props["value"] or "")
        elif kind == "button":
            found.add(props["value"])
        else:
            found |= {props.get(name) or "" for name in ("label", "placeholder", "info")}
        if kind == "radio":
            found |= {words for words, _ in props["choices"]}
    return found - {""}


class _Host(UnknownHost):
    """Has one model of each architecture, none of which is there, under the architecture's id."""

    def __init__(self) -> None:
        self.opts = SimpleNamespace()
        self.chosen = NO_CHECKPOINT
        self.model: LoadedModel | None = None
        self.disabled = False

    def flag(self, name):
        return self.disabled if name == "disable" else None

    def loaded(self):
        return self.model.checkpoint if self.model else NO_CHECKPOINT

    def encode(self, prompt, work):
        return work(self.model, lambda: None) if self.model else super().encode(prompt, work)

    def selected(self, name=None):
        return self.chosen

    def checkpoint(self, name):
        folder, _, id = name.rpartition("/")
        model = ARCHITECTURES.get(id)
        return model and Checkpoint(name, model, name, "cd" * 32 if name == "sd2" else None, folder)

    def checkpoints(self):
        return [*ARCHITECTURES, "folder/sd3"]


def _facts() -> list[ModelFacts]:
    sd1 = ARCHITECTURES["sd1"]
    evidence = tuple(Evidence("unet", strength, QUAGGA, "nai") for strength in Strength)
    says = {"l": 2.0}
    rich = {"evidence": evidence, "statements": (SkipStatement("card", QUAGGA, says),)}
    return [
        *(ModelFacts(QUAGGA, sd1, verdict=verdict) for verdict in Verdict),
        *(ModelFacts(QUAGGA, sd1, verdict=verdict, evidence=evidence) for verdict in Verdict),
        ModelFacts(
            QUAGGA,
            sd1,
            recommended=Recommendation({"l": 1.0}, "card", QUAGGA),
            statements=(SkipStatement("sample-images", QUAGGA, says),),
        ),
        *(
            ModelFacts(QUAGGA, sd1, verdict=verdict, recommended=Recommendation(says, source, QUAGGA), **rich)
            for verdict, source in product(Verdict, ("nai-lineage", "card"))
        ),
        ModelFacts(QUAGGA, sd1, error=QUAGGA),
    ]


def _advice() -> set[str]:
    lines = ("a1111", "a1111-sdxl-l", "reforge", "forge", "sdnext", "sdnext-xhinker")
    found: set[str] = set()
    for line, architecture, number in product(lines, ARCHITECTURES.values(), (0.5, 1, 1.7, 2, 3, 6.3)):
        planned = {id: number for id in as_trained(architecture)}
        for reading in (reading_at(line, architecture, number), Reading(architecture, planned)):
            for facts in _facts():
                kept = ({}, {"l": 1.0})
                said = [each for skip in kept for each in advise(Situation(reading, facts, {QUAGGA: 7.7}, (), skip))]
                shown = [advice_view.Shown(each, advice_view.PLACES, ours=True) for each in said]
                unasked = [replace(each, advice=replace(each.advice, question=None)) for each in shown]
                found |= _in_html(advice_view.render([*shown, *unasked], facts, {"l": 1.7}))
    # "Why?" has words for every verdict, also for the one that is no reason to speak now.
    nai = ModelFacts(QUAGGA, ARCHITECTURES["sd1"], verdict="nai", recommended=Recommendation({"l": 2}, "card", QUAGGA))
    (hint,) = advise(Situation(reading_at("a1111", nai.architecture, 1), nai))
    for facts in _facts():
        found |= _in_html(advice_view.render([advice_view.Shown(hint, ("panel",), True)], facts))
    refused = [say(refusal) for refusal in parse(True, {"l": QUAGGA}).refusals for say in (bad_value, bad_tag)]
    failed = [
        *refused,
        different_tags(),
        different_tags(first=False),
        not_applied(["l"], QUAGGA),
        not_applied([], QUAGGA),
    ]
    failed += [not_compared((why,)) for why in (ALIKE, BY_TAG, BY_SCRIPT, NOT_WHOLE)]
    failed.append(not_a_tag(mistaken(f"<clip skip {QUAGGA}>", "<clipskip:2>")))
    return found | _in_html(advice_view.render([advice_view.Shown(each, ("panel",), True) for each in failed], None))


def _panel(folder) -> set[str]:
    host, library = _Host(), Library(folder)
    made = answers.Answers(host, library, Advisor(host, library), lambda: ENABLED.value(host.opts), Hashing(host))
    with gr.Blocks(analytics_enabled=False) as blocks:
        panel.Panel(host, made, "txt2img").listen()
        Page(host, made).build("txt2img", {})  # of a host that nobody knows
    found = _in_blocks(blocks)
    for architecture in ARCHITECTURES.values():
        host.chosen = Checkpoint(QUAGGA, architecture)
        preset = Preset(skip={encoder.id: 1.7 for encoder in architecture.encoders})
        settings = Defaults({(architecture.id, encoder.id): 1.3 for encoder in architecture.encoders})
        for kept, defaults in product((preset, None), (settings, Defaults())):
            auto = automatic(architecture, kept, None, defaults)
            found |= _in_html(words.status(host.chosen, auto)) | _in_html(words.status(host.chosen, None, auto.skips))
        found |= _in_html(words.meaning(architecture))
        found |= _in_html(words.hashing(0.7, failed=False)) | _in_html(words.hashing(None, failed=True))
        for name, skip in product(SLIDERS, (1, 1.7, 99)):
            found |= _in_html(words.slider_words(architecture, name, skip))
    controls = Controls(enabled=True, mode="Manual")
    host.chosen = Checkpoint(QUAGGA, ARCHITECTURES["sdxl"], f"/{QUAGGA}.safetensors")
    for press in (made.save, made.forget):  # and then undo the last
        found |= _in_updates(press(replace(controls, l=2.0)))
    for text, at in product(("1, 2", "1", QUAGGA), (controls, replace(controls, enabled=False))):
        found |= _in_updates(made.compare(text, at)[1:])
    tagged = replace(controls, seen=json.dumps({"tags": "<clipskip:2>"}))
    found |= _in_updates(made.compare("1, 2", tagged)[1:])
    undo = {"undo": next(reversed(made._undoable))}
    clicks = [{"advice": "off-trained", "action": action} for action in ("use", "silence")]
    for asked in (undo, undo, *clicks):
        found |= _in_updates(made.act(json.dumps(asked), replace(controls, mode="Auto")))
    host.chosen = Checkpoint(QUAGGA, ARCHITECTURES["sd1"], f"/{QUAGGA}.safetensors")
    unsure = json.dumps({"advice": "nai-unverified", "action": "unsure"})
    found |= _in_updates(made.act(unsure, replace(controls, l=2.0)))
    pasted = paste.fields(lambda name: False)
    found |= _in_updates([pasted["ended"]({"CLIP skip L": QUAGGA}), pasted["ended_off"]({"Steps": 1})])
    (folder / "presets.json").write_text(_newer(f"name:{QUAGGA}", {"skip": {"l": 2}}))
    found |= _in_updates(made.save(controls)) | _in_updates(made.forget(controls))
    found |= _drifts(host, made)
    setattr(host.opts, ENABLED.key, False)
    found |= _in_updates(made.show(controls))
    host.disabled = True
    return found | _in_updates(made.show(controls))


def _drifts(host: _Host, made) -> set[str]:
    """What the panel answers where it is asked for the drift of a prompt."""
    found = _in_html(made.drift(QUAGGA, Controls()))  # nothing is loaded
    with pytest.raises(Problem) as problem, idle(SimpleNamespace(job=QUAGGA, job_count=1)):
        pass
    found |= _in_html(pieces(problem.value.phrase))
    for architecture in ARCHITECTURES.values():
        checkpoint = Checkpoint(QUAGGA, architecture, QUAGGA)
        blocks = torch.nn.ModuleList()
        stacks = tuple(Stack(encoder.id, blocks, torch.nn.Identity()) for encoder in architecture.encoders)
        host.model = LoadedModel(architecture, stacks, checkpoint)
        found |= _in_html(made.drift(QUAGGA, Controls()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Host, "encode", lambda self, prompt, work: work(LoadedModel(UNKNOWN), lambda: None))
        found |= _in_html(made.drift(QUAGGA, Controls()))  # another model came in
        patch.setattr(_Host, "encode", lambda *args: 1 / 0)
        found |= _in_html(made.drift(QUAGGA, Controls()))
        patch.setattr(answers, "measure", lambda *args: [])
        found |= _in_html(made.drift(QUAGGA, Controls()))  # the selected one is another
    encoder = ARCHITECTURES["sdxl"].encoders[0]
    points = tuple(Point(float(skip), 12.0 - skip, 0.5, 0.5, (0.7, 0.7)) for skip in (1, 2, 9))
    measured = [Measured(Drift(encoder, points), {1: QUAGGA})]
    for current in (0.0, 2.0):
        marks = Marks({"l": current}, {"l": 1.0})
        found |= _in_html(drift_view.render(measured, Checkpoint(QUAGGA, UNKNOWN), QUAGGA, marks))
    host.model = None
    return found


def _newer(key, preset) -> str:
    """A file that is read, and in which nothing can be saved."""
    return json.dumps({"schema": 2, "presets": {key: preset}})


_WHOLE = {
    "name": QUAGGA,
    "skip": {"l": 1.7},
    "blend": "slerp",
    "lineage": "not-nai",
    "note": QUAGGA,
    "silenced": [*SILENCED, QUAGGA],
}
_KEPT = {
    SHA: _WHOLE,
    f"name:{QUAGGA}": {**_WHOLE, "lineage": "nai-derived", "skip": {"l": QUAGGA}},
    "c" * 64: {"skip": {"g": 1.7}},
    "name:sdxl": {"note": QUAGGA},
}
# What an import may hold: one of ours with every fate, then what others write.
_IMPORTS = (
    (
        json.dumps(
            {"schema": 1, "presets": {**_KEPT, "name:new": {}, "name:z": {"silenced": ["off-trained"]}, "q": {}}}
        ),
        "",
    ),
    (json.dumps({"schema": 1, "presets": {"name:sdxl": {"note": "another"}}}), ""),
    (json.dumps({"notes": "clip skip 1 or 2"}), "sd1.json"),
    (json.dumps({"notes": "clip skip 2"}), "sdxl.json"),
    (json.dumps({"notes": "clip skip 2"}), "sd3.json"),
    ("Steps: 1, Model hash: 0000000000, Model: sd2, Clip skip: 2", ""),
    (json.dumps({"notes": "clip skip 2"}), f"{QUAGGA}.json"),
    (json.dumps({"notes": "clip skip 2"}), ""),
    (json.dumps({"presets": {"default": "", "a": "Steps: 1, Clip skip: 2"}, "default_preset": 1}), "0123456789.json"),
    ("Steps: 1, Clip skip: 1, Model: sd1\n\nSteps: 1, Clip skip: 2, Model: sd1", ""),
    (QUAGGA, ""),
    ("", ""),
    ("x" * 9_000_000, ""),
    (_newer(SHA, {}), ""),
    (json.dumps({"schema": 1, "presets": {SHA: {"x": float("inf")}}}), ""),
    ('{"presets": {"name:a": {"x": ' + "[" * 50 + "]" * 50 + "}}}", ""),
)


def _tab(folder) -> set[str]:
    file = folder / "presets.json"

    def keep(presets) -> None:
        file.write_text(json.dumps({"schema": 1, "presets": presets}))

    host, library = _Host(), Library(folder)
    tab = presets_tab._Tab(host, library, Survey(host, library))
    found = _in_blocks(tab.blocks)

    def does(updates):
        nonlocal found
        found |= _in_updates(updates)
        return updates

    does(tab._refresh("", None))
    does(tab._refresh(QUAGGA, None))
    keep({**{f"name:{number}": {"silenced": [7, QUAGGA], "x": number} for number in range(150)}})
    does(tab._refresh("", None))
    keep({**{f"name:{number}": {"silenced": ["not-nai"]} for number in range(150)}})
    does(tab._refresh("", None))
    keep(_KEPT)
    for text, name in _IMPORTS:
        seen = does(tab._preview(text, name))
    does(tab._preview(json.dumps({"presets": {f"name:{number}": {"note": QUAGGA} for number in range(150)}}), ""))
    does(tab._opened(f"{QUAGGA}\0", QUAGGA))
    does(tab._import("", None, seen[tab.previewed], *_IMPORTS[0]))
    does(tab._import("", None, does(tab._preview(*_IMPORTS[0]))[tab.previewed], *_IMPORTS[0]))

    keep(_KEPT)
    label = f"{QUAGGA} [{SHA[:10]}]"
    does(tab._choose(QUAGGA, ""))
    does(tab._choose("sd1", ""))
    chosen = does(tab._choose(label, ""))[tab.chosen]
    fields = presets_tab._fields(Preset(note=QUAGGA))
    does(tab._copy("", chosen, None))
    for to in ("sdxl", "sdxl"):
        replaced = does(tab._copy("", chosen, to))[tab.undoable]
    does(tab._save("", chosen, 99.7, *fields[1:]))
    does(tab._save("", chosen, *fields))
    for nothing in (tab._save("", None), tab._delete("", None), tab._copy("", None, None)):
        does(nothing)
    does(tab._copy("", {**chosen, "key": "name:sd1"}, "sd1"))
    deleted = does(tab._delete("", chosen))[tab.undoable]
    does(tab._copy("", chosen, "sdxl"))
    for undoable in (replaced, deleted, deleted):
        does(tab._undo("", None, undoable))
    file.write_text(_newer(SHA, _WHOLE))
    previewed = does(tab._preview(*_IMPORTS[1]))[tab.previewed]
    does(tab._import("", None, previewed, *_IMPORTS[1]))
    for refused in (tab._delete("", chosen), tab._save("", chosen, *fields), tab._tell_again(SHA, "", None)):
        does(refused)
    return found


def _models(folder, patch) -> set[str]:
    """The view of models, with one in each state."""
    host, library, sd1 = _Host(), Library(folder), ARCHITECTURES["sd1"]
    survey = Survey(host, library)
    view = presets_tab._Tab(host, library, survey).models
    card, asks = SkipStatement("card", QUAGGA, {"l": 2.0}, True), SkipStatement("known-author", QUAGGA, {})
    facts = [*_facts(), *(ModelFacts(QUAGGA, architecture) for architecture in ARCHITECTURES.values())]
    facts += [ModelFacts(QUAGGA, sd1, statements=(asks,)), ModelFacts(QUAGGA, UNKNOWN, kind="lora")]
    facts += [ModelFacts(QUAGGA, sd1, kind="lora", trained_skip=skip, statements=(card,)) for skip in (2.0, None)]
    facts += [ModelFacts(QUAGGA, sd1, recommended=Recommendation(card.skip, source, "")) for source in SKIP_LADDER]
    checkpoint, found = Checkpoint(QUAGGA, sd1, QUAGGA), set()
    states = [None, Found(checkpoint), *(Found(checkpoint, each, each.error or "") for each in facts)]
    for state, preset in product(states, (None, Preset(skip={"l": 2.0}, lineage="not-nai"))):
        # Facts' own recommendations are of made-up sources, but for those above.
        if state and state.facts and state.facts.recommended and state.facts.recommended.source not in SKIP_LADDER:
            continue
        row = models_view.row(Listed(CHECKPOINT, QUAGGA), state, preset)
        found |= _in_html(models_view.table([row] * 101, models_view.Order(), None))
        found |= _in_html(models_view.about(row.model, state, preset))
    for now in (Progress(1, 2), Progress(1, 2, rests=True)):
        found |= _in_html(models_view.progress(now))

    def does(updates):
        nonlocal found
        found |= _in_updates(updates)
        return updates

    now = ("nothing such", "All", models_view.Order(), None)
    does(view._seen(*now))
    does(view._choose(QUAGGA, *now))
    does(view._ask_learn(None, None))
    model = Listed(CHECKPOINT, "sd1")
    patch.setattr(survey, "_found", {model: Found(checkpoint, ModelFacts(QUAGGA, sd1))})
    patch.setattr(survey, "start", lambda: None)
    patch.setattr(library, "references", lambda: [ReferencePlace("sd1.4", QUAGGA, QUAGGA)])
    pending = does(view._ask_learn((model, None), QUAGGA))[view.pending]
    does(view._learn(pending, *now))  # there is no such file
    patch.setattr(library, "learn", lambda path, label: None)
    does(view._learn(pending, *now))
    return found


def _settings() -> set[str]:
    found: set[str] = set()
    for setting in SETTINGS:
        found |= {setting.label, setting.help, *setting.words}
    return found - {""}


@pytest.fixture(scope="session")
def strings(tmp_path_factory) -> set[str]:
    host, ours, theirs, models = (tmp_path_factory.mktemp(name) for name in ("host", "panel", "tab", "models"))
    # Gradio 4 spells some things as Gradio 3 only there.
    with minihost.boot("forge", extension=None, data=host), pytest.MonkeyPatch.context() as patch:
        return (_advice() | _panel(ours) | _tab(theirs) | _models(models, patch) | _settings()) - NAMES


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture
def translations(language) -> dict[str, str]:
    def once(pairs):
        assert len(dict(pairs)) == len(pairs), "a string is there twice"
        return dict(pairs)

    return json.loads((ROOT / "localizations" / f"{language}.json").read_text("utf-8"), object_pairs_hook=once)


def test_no_string_is_missing_and_none_is_left_over(strings, translations):
    assert sorted(strings - set(translations)) == []
    assert sorted(set(translations) - strings) == []


def test_every_string_is_translated(translations, language):
    for english, translated in translations.items():
        assert translated.strip() == translated != "", english
        assert translated != english or english in BORROWED[language], english
        assert sorted(re.findall(r"\d+", translated)) == sorted(re.findall(r"\d+", english)), english


def test_strings_hold_no_data(strings):
    """What varies is beside them: no name, no number but those that the sentence is about."""
    for string in strings:
        assert not re.search(rf"{QUAGGA}|{{|}}|[\n<>]|  |^\s|\s$", string), string
        assert len(string) <= 300
        assert set(re.findall(r"\d+", string)) <= {"1", "2", "3", "1111", "32", "256"}, string


def test_strings_are_translated_by_whole_text_nodes(strings):
    """As by A1111's own script, which leaves alone what is a number or holds an emoji."""
    for string in strings:
        assert re.search("[A-Za-z]", string) and string.isascii(), string


def test_one_thing_has_one_name(strings):
    """What the sliders call layers is nowhere a block, nor is a card what is a model's page."""
    for string in strings:
        assert not re.search(r"\b(blocks?|cards?)\b", string, re.IGNORECASE), string
