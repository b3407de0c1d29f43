"""The table of models: what it says, in which order, and that nothing in it is HTML but ours."""

import re

import pytest

from clip_skip.interfaces.ui import models_view
from clip_skip.interfaces.ui.advice_view import reasons
from clip_skip.interfaces.ui.models_view import Order, ordered, row
from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.inspect.evidence.evidence import Evidence, SkipStatement, Strength, Verdict
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.inspect.verdict.recommend import SKIP_LADDER, Recommendation
from clip_skip.models.presets.preset import Preset
from clip_skip.models.presets.store import Changed
from clip_skip.models.survey import CHECKPOINT, LORA, Found, Listed, Progress
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.text.phrase import english

HOSTILE = '"><img src=x onerror=alert(1)>'
ASKS = SkipStatement("description", "", {})
TRAINED = SkipStatement("ss-clip-skip", "", {"l": 2.0}, trained=True)


def made(name="a", architecture="sd1", kind=CHECKPOINT, preset=None, error="", **facts):
    read = ModelFacts(name, ARCHITECTURES[architecture], kind=kind, **facts)
    return row(Listed(kind, name), Found(Checkpoint(name, read.architecture, name), read, error), preset)


def words(row):
    return [english(cell) for cell in row.cells.values()][1:]


def test_every_source_has_its_words():
    assert set(models_view.SOURCES) == set(SKIP_LADDER)


@pytest.mark.parametrize(
    "facts, cells",
    [
        ({}, ["SD 1.x", "Not known", "", "Not known", ""]),
        ({"verdict": Verdict.NOT_NAI}, ["SD 1.x", "1", "all models of its kind", "Does not descend from it", ""]),
        (
            {"verdict": Verdict.NAI_DERIVED, "recommended": Recommendation({"l": 2.0}, "nai-lineage", "")},
            ["SD 1.x", "2", "its origin", "Descends from NovelAI's model", ""],
        ),
        (
            {"verdict": Verdict.NAI, "recommended": Recommendation({"l": 1.5}, "description", "")},
            ["SD 1.x", "1.5", "its description", "Is NovelAI's model", ""],
        ),
        (
            {"verdict": Verdict.NAI_DERIVED, "statements": (ASKS,)},
            ["SD 1.x", "Left to you", "its author", "Descends from NovelAI's model", ""],
        ),
        ({"preset": Preset(skip={"l": 2.0})}, ["SD 1.x", "Not known", "", "Not known", "CLIP-L 2"]),
        (
            {"architecture": "sdxl", "variant": "inpainting"},
            ["SDXL, inpainting", "1", "all models of its kind", "", ""],
        ),
        ({"architecture": "flux"}, ["Flux.1", "No CLIP skip here.", "", "", ""]),
        ({"architecture": "unknown"}, ["Not known", "", "", "", ""]),
        ({"architecture": "unknown", "variant": "IP-Adapter"}, ["IP-Adapter", "", "", "", ""]),
        ({"kind": LORA}, ["SD 1.x, LoRA", "Not known", "", "", ""]),
        ({"kind": LORA, "trained_skip": 2.0, "statements": (TRAINED,)}, ["SD 1.x, LoRA", "2", "its file", "", ""]),
        ({"kind": LORA, "architecture": "sdxl"}, ["SDXL, LoRA", "1", "all models of its kind", "", ""]),
        ({"error": "the file is cut off"}, ["Can't be read: the file is cut off", "", "", "", ""]),
    ],
)
def test_what_a_row_says(facts, cells):
    assert words(made(**facts)) == cells


def test_what_was_not_read_says_so():
    assert words(row(Listed(CHECKPOINT, "a"), None, None)) == ["Not read yet", "", "", "", ""]
    gone = row(Listed(CHECKPOINT, "a"), Found(Checkpoint("a", ARCHITECTURES["unknown"])), None)
    assert words(gone) == ["It has no file.", "", "", "", ""]


def test_the_order_and_what_is_not_known_comes_last():
    two = {"recommended": Recommendation({"l": 2.0}, "yaml", "")}
    rows = [made("m10", **two), made("unknown"), made("M9", verdict=Verdict.NOT_NAI), made("m2", **two)]

    def names(order):
        return [each.model.name for each in ordered(rows, order)]

    assert names(Order()) == ["m2", "M9", "m10", "unknown"]
    assert names(Order("name", down=True)) == ["unknown", "m10", "M9", "m2"]
    assert names(Order("made")) == ["M9", "m2", "m10", "unknown"]
    assert names(Order("made", down=True)) == ["m2", "m10", "M9", "unknown"]
    broken = ordered([made("a", error="no"), made("b")], Order("architecture"))
    assert [each.model.name for each in broken] == ["b", "a"]
    assert Order().pressed("name") == Order("name", down=True)
    assert Order("name", down=True).pressed("name") == Order()
    assert Order("name", down=True).pressed("made") == Order("made")


def test_it_is_found_by_any_of_its_words():
    one = made("anime", verdict=Verdict.NAI_DERIVED, preset=Preset(skip={"l": 1.5}))
    for search in ("", "ANI", "sd novelai", "1.5 anime"):
        assert one.matches(search)
    assert not one.matches("anime sdxl")


def test_a_hundred_rows_are_drawn_and_the_rest_is_counted():
    html = models_view.table([made(f"m{number}") for number in range(301)], Order(), None)
    assert html.count("<tr>") == 101 and "201 " in html and "more are not shown" in html


def test_nothing_from_outside_is_html():
    evidence = (Evidence(HOSTILE, Strength.HINT, HOSTILE),)
    said = (SkipStatement("yaml", HOSTILE, {"l": 2.0}),)
    recommended = Recommendation({"l": 2.0}, "yaml", HOSTILE)
    hostile = Listed(CHECKPOINT, HOSTILE)
    facts = ModelFacts(
        HOSTILE,
        ARCHITECTURES["sd1"],
        kind=CHECKPOINT,
        variant=HOSTILE,
        quantised=HOSTILE,
        evidence=evidence,
        statements=said,
        recommended=recommended,
    )
    checkpoint = Checkpoint(HOSTILE, facts.architecture, f"/{HOSTILE}")
    for found in (None, Found(checkpoint, facts), Found(checkpoint, error=HOSTILE)):
        table = models_view.table([row(hostile, found, Preset(HOSTILE, note=HOSTILE))], Order(), hostile)
        about = models_view.about(hostile, found, Preset(HOSTILE, note=HOSTILE))
        assert "<img" not in table + about and "onerror" in table
        assert re.findall(r"aria-current", table) == ["aria-current"]


def test_a_name_that_is_no_unicode_is_no_fault():
    name = "caf\udce9"
    html = models_view.table([made(name)], Order(), None) + models_view.about(Listed(LORA, name), None, None)
    html.encode()


def test_how_far_it_is():
    assert models_view.progress(None) == ""
    html = models_view.progress(Progress(3, 12))
    assert '<progress max="12" value="3">' in html and "3 / 12" in html and "Reading the models:" in html
    assert "Waits for the WebUI" in models_view.progress(Progress(3, 12, rests=True))


def test_a_fact_that_tells_nothing_has_no_strength():
    told, untold = Evidence("a", Strength.STRONG, "A.", Verdict.NAI), Evidence("b", Strength.STRONG, "B.")
    facts = ModelFacts("m", ARCHITECTURES["sd1"], evidence=(told, untold))
    assert [english(reason) for reason in reasons(facts)] == ["A. (strong)", "B."]


@pytest.mark.parametrize(
    "value", [Order(), Listed(LORA, "a"), Found(Checkpoint("a", ARCHITECTURES["sd1"])), Changed({}, {})]
)
def test_what_the_page_s_state_holds_is_no_tuple(value):
    """Gradio 4 makes a list of each tuple in a state, whatever else it is."""
    assert not isinstance(value, tuple)
