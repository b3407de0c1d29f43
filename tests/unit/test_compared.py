"""What the panel answers to Compare, and to a press on one of the skips that were compared."""

import json
import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import pytest

from clip_skip.advice.advisor import Advisor
from clip_skip.hosts.unknown import UnknownHost
from clip_skip.interfaces.ui.answers import Answers
from clip_skip.interfaces.ui.controls import Controls
from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.hashing import Hashing
from clip_skip.models.library import Library
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.request import parse

SDXL = Checkpoint("fox", ARCHITECTURES["sdxl"], "/fox.safetensors")
MANUAL = Controls(enabled=True, mode="Manual", l=3.0, g=2.0, blend="Slerp")


class Host(UnknownHost):
    def __init__(self):
        self.opts = SimpleNamespace()

    def selected(self, name=None):
        return SDXL


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path)


@pytest.fixture
def answers(library):
    host = Host()
    return Answers(host, library, Advisor(host, library), lambda: True, Hashing(host))


def compare(answers, text="1, 2/1.5", controls=MANUAL):
    """What Generate is to ask for, what is said, and what each button asks for."""
    options, here, below = answers.compare(text, controls)
    said = here["value"] if controls.enabled else below["value"]
    asked = re.findall(r'data-clip-skip-act="([^"]*)"', said)
    return options, unescape(re.sub(r"<[^>]*>", "", said)).strip(), [unescape(each) for each in asked]


def test_generate_asks_for_each_skip_on_top_of_what_the_panel_has(answers):
    options, _, _ = compare(answers)
    request = parse(True, options)
    assert replace(request, compare=()) == MANUAL.request
    assert [(each.mode, each.skip_for("l"), each.skip_for("g"), each.blend) for each in request.compare] == [
        ("manual", 1, 1, "slerp"),
        ("manual", 2, 1.5, "slerp"),
    ]


def test_in_auto_the_blend_is_autos(answers, library):
    library.save(SDXL, {"l": 1.5, "g": 1}, "slerp")
    auto = replace(MANUAL, mode="Auto", blend="Linear")
    request = parse(True, compare(answers, controls=auto)[0])
    assert request.mode == "auto" and [each.blend for each in request.compare] == ["slerp", "slerp"]


def test_there_are_two_buttons_for_each_skip_that_reads_the_model_otherwise(answers):
    _, said, asked = compare(answers, "1, 1/1, 2/1.5")
    assert said == "Use12 / 1.5Save for this model12 / 1.5"
    takes = [json.loads(each)["take"] for each in asked]
    assert [take["save"] for take in takes] == [False, False, True, True]
    assert takes[1] == {"skip": {"l": 2, "g": 1.5}, "blend": "slerp", "save": False}


def values(updates):
    return [update["value"] for update in updates if "value" in update]


def test_a_press_moves_the_panel_there(answers, library):
    auto = replace(MANUAL, mode="Auto", same=True, blend="Linear")
    asked = compare(answers, controls=MANUAL)[2][1]
    moves = json.loads(answers.act(asked, auto)[-1]["value"])
    assert moves["from"] == ["Auto", True, auto.skip, auto.l, auto.g, auto.h, "Linear"]
    assert moves["to"] == ["Manual", False, 2.0, 2.0, 1.5, None, "Slerp"]
    assert not library.profile(SDXL).has_skips


def test_a_press_saves_it_and_it_can_be_undone(answers, library):
    asked = compare(answers)[2][3]
    answer = answers.act(asked, MANUAL)
    assert dict(library.profile(SDXL).auto.skips) == {"l": 2, "g": 1.5} and library.profile(SDXL).auto.blend == "slerp"
    (undo,) = re.findall(r'data-clip-skip-act="([^"]*)"', answer[-3]["value"])
    answers.act(unescape(undo), replace(MANUAL, mode="Auto"))
    assert not library.profile(SDXL).has_skips


@pytest.mark.parametrize(
    "text, controls, why",
    [
        ("", MANUAL, "They all read this model alike."),
        ("2, 2", MANUAL, "They all read this model alike."),
        ("1, 31", MANUAL, "CLIP-L 31 was refused"),
        ("1, fox", MANUAL, "fox was refused"),
        ("1, preset", MANUAL, "the preset of a model that has one"),
        ("1/2/3", MANUAL, "one number, or one for each of CLIP-L / CLIP-G"),
        ("1-9 (+0.1)", MANUAL, "a list of up to 12 skips"),
        ("1, 2", replace(MANUAL, seen=json.dumps({"tags": "<clipskip:2>"})), "The prompt's tag decides."),
        ("1, 2", replace(MANUAL, enabled=False), "CLIP Skip is off."),
    ],
)
def test_where_nothing_can_be_compared_generate_is_not_pressed(answers, text, controls, why):
    options, said, asked = compare(answers, text, controls)
    assert options == "" and asked == [] and said.startswith("Not compared:") and why in said
