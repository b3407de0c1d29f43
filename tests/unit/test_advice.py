"""What has to be said of a reading, rule by rule, in the words that the user sees."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.advice.advisor import Advisor
from clip_skip.advice.names import Severity
from clip_skip.advice.rules import Situation, advise, bad_tag, not_a_tag, not_applied
from clip_skip.hosts.unknown import UnknownHost
from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.inspect.evidence.evidence import CERTAIN, HINT, STRONG, Evidence, SkipStatement, Verdict
from clip_skip.models.inspect.evidence.known import KnownModel
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.inspect.verdict.recommend import SKIP_LADDER, Recommendation, author_statement
from clip_skip.models.library import Library
from clip_skip.models.profile import Profile
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.host_sliders import reading_at
from clip_skip.skip.parameters import refusal
from clip_skip.skip.prompt_tags import mistaken
from clip_skip.skip.reading import Reading, as_trained
from clip_skip.skip.request import parse
from clip_skip.text.phrase import Data, english

# id -> severity, sentence.
SAID = {
    "not-nai": ("warning", "Clip skip 2 is for SD 1.x models that descend from NovelAI's. This one does not."),
    "nai-unverified": (
        "caution",
        "Clip skip 2 is for SD 1.x models that descend from NovelAI's. Whether this one does is not known.",
    ),
    "off-trained": ("warning", "The prompt is read with fewer layers than the model was trained with."),
    "past-trained": ("warning", "The prompt is read with more layers than the model was trained with."),
    "nai-below": ("hint", "This model descends from NovelAI's SD 1.x model, which was trained with clip skip 2."),
    "lora-mismatch": ("hint", "A LoRA in the prompt was trained with another clip skip."),
    "too-deep": ("caution", "At so high a clip skip most of the prompt is lost."),
}
# Said of an SD 1.x model that is read other than somebody says. Where they say 1 and it is read at 2, louder.
OTHER_SKIP = "This model was made for another clip skip."
DISAGREE = "The sources do not agree on the clip skip of this model."
OFF_RECOMMENDED = [("warning", OTHER_SKIP), ("hint", OTHER_SKIP), ("hint", DISAGREE)]
ASKED = "Does the model's page say clip skip 2?"
NOTHING_HERE = ("info", "Clip skip does nothing on this model.")
NOTHING_BY_THE_SLIDER = ("info", "The WebUI's own clip skip does nothing on this model.")
NUMBERING = 'A model page that says "clip skip 2" or "-2" means 1 here.'
NOT_IN_CLIP = {
    "flux": "It reads only CLIP's summary of the prompt, which clip skip never changes.",
    "hidream": "It reads only CLIP's summary of the prompt, which clip skip never changes.",
    "chroma": "It has no CLIP text encoder.",
    "none": "It has no CLIP text encoder.",
}
IDS = {*SAID, "off-recommended", "no-effect"}
SILENCE = ("silence", "Don't tell me again for this model", {})
IS_NAI = ("nai-derived", "This model is NAI-derived", {})
IS_NOT_NAI = ("not-nai", "This model is not NAI-derived", {})

# The ways in which hosts read their slider's number, see `slider`.
LINES = ("a1111", "a1111-sdxl-l", "reforge", "forge", "sdnext", "sdnext-xhinker")
# Where SD 1.x is read as 1, 2, 3 and 6 say: everywhere but there, where the slider says how many blocks are cut off.
CUTS_OFF = {"sdnext-xhinker": 1}


def slider(line, architecture, number):
    return reading_at(line, ARCHITECTURES[architecture], number)


def plan(architecture, **skips):
    return Reading(ARCHITECTURES[architecture], {**as_trained(ARCHITECTURES[architecture]), **skips})


def fact(text="Its UNet is SD 1.5's.", verdict="not-nai", strength=STRONG, id="unet-weights"):
    return Evidence(id, strength, text, verdict)


def facts(verdict, *evidence, recommended=None, source="modelspec", statements=(), **others):
    said = None if recommended is None else Recommendation({"l": recommended}, source, f"{source} says {recommended}.")
    sd1 = ARCHITECTURES["sd1"]
    return ModelFacts("x", sd1, "checkpoint", verdict=verdict, evidence=evidence, recommended=said,
                      statements=tuple(statements), **others)  # fmt: skip


def statement(id, skip):
    return SkipStatement(id, f"{id} says so.", {} if skip is None else {"l": skip})


def said_by(verdict, **skips):
    """The facts of a model of which each of these sources, the weightiest first, names its skip, None for any."""
    statements = [statement(id.replace("_", "-"), skip) for id, skip in skips.items()]
    named = next((each for each in statements if each.skip), None)
    return facts(verdict, fact(verdict=verdict), recommended=named and named.skip["l"],
                 source=named and named.id, statements=statements)  # fmt: skip


NOT_NAI = facts("not-nai", fact())
UNKNOWN = facts("unknown")
NAI = facts("nai-derived", fact("Its UNet is NAI's.", "nai-derived"), recommended=2.0, source="nai-lineage")


def advice(reading, facts=None, loras=None, silenced=()):
    return advise(Situation(reading, facts, loras or {}, silenced))


def ids(*args, **kwargs):
    return [each.id for each in advice(*args, **kwargs)]


def only(*args, **kwargs):
    (said,) = advice(*args, **kwargs)
    return said


def actions(said):
    return [(action.id, english(action.label), action.skip) for action in said.actions]


# --- every id, host line and architecture ----------------------------------------------------------------------------

ACTS, STILL = "off-trained", "no-effect"
# SD 1.x here is a model that does not descend from NAI. 2 asks for the trained depth where a host counts from the last
# block of an encoder that is read one block before it; where nothing acts it is quiet for that, and 3 is not.
_STILL = {1: "", 2: "", 3: STILL}
_NONE = {id: {1: "", 2: STILL, 3: STILL} for id in NOT_IN_CLIP}
_COMMON = {"cascade": {1: "", 2: STILL}, **_NONE, "unknown": {1: "", 2: "", 3: "", 6: ""}}
_SD1 = {1: "", 2: "not-nai", 3: "not-nai", 4: "not-nai", 5: "not-nai too-deep", 12: "not-nai too-deep"}
_FROM_THE_LAST = {1: "", 2: "", 3: ACTS, 5: ACTS, 6: f"{ACTS} too-deep"}
_EXPECTED = {
    "a1111": {"sd1": _SD1, "sd2": _STILL, "sdxl": _STILL, "sdxl-refiner": _STILL, "sd3": _STILL},
    "a1111-sdxl-l": {
        "sd1": _SD1,
        "sd2": _STILL,
        "sdxl": {**_FROM_THE_LAST, 1: "past-trained"},
        "sdxl-refiner": _STILL,
        "sd3": _STILL,
    },
    "reforge": {
        "sd1": _SD1,
        "sd2": _FROM_THE_LAST,
        "sdxl": _FROM_THE_LAST,
        "sdxl-refiner": _FROM_THE_LAST,
        "sd3": _STILL,
    },
    "forge": {
        "sd1": _SD1,
        "sd2": {1: "", 2: ACTS, 4: ACTS, 5: f"{ACTS} too-deep"},
        "sdxl": _FROM_THE_LAST,
        "sdxl-refiner": _FROM_THE_LAST,
        "sd3": {**_FROM_THE_LAST, 1: "past-trained"},
    },
    "sdnext": {
        "sd1": {**_SD1, 0: "not-nai too-deep", 1.4: "", 1.5: "not-nai", 4.1: "not-nai too-deep"},
        "sd2": {0: f"{ACTS} too-deep", 1: "", 1.2: "", 1.3: ACTS, 2: ACTS, 4: ACTS, 4.1: f"{ACTS} too-deep"},
        "sdxl": {0: "past-trained", 1: "", 1.2: "", 1.3: ACTS, 2: f"{ACTS} other-numbering", 2.1: ACTS, 3: ACTS},
        "sdxl-refiner": {0: "past-trained", 1: "", 2: ACTS, 5: f"{ACTS} too-deep"},
        "sd3": {0: "past-trained", 1: "", 1.9: "", 2: ACTS, 5: f"{ACTS} too-deep"},
        "cascade": {0: f"{ACTS} too-deep", 1: "", 1.2: "", 2: ACTS, 5: f"{ACTS} too-deep"},
    },
    "sdnext-xhinker": {
        "sd1": {0: "", 1: "not-nai", 3: "not-nai", 4: "not-nai too-deep"},
        "sd2": {0: "", 1: ACTS, 4: f"{ACTS} too-deep"},
        "sdxl": _STILL,
        "sdxl-refiner": _STILL,
        "sd3": _STILL,
    },
}
EXPECTED = {line: {**_COMMON, **by_architecture} for line, by_architecture in _EXPECTED.items()}


def test_the_table_has_every_line_and_architecture():
    assert set(EXPECTED) == set(LINES)
    assert all(set(by_architecture) == set(ARCHITECTURES) for by_architecture in EXPECTED.values())


@pytest.mark.parametrize(
    "line, architecture, number, expected",
    [
        (line, architecture, number, expected.split())
        for line, by_architecture in EXPECTED.items()
        for architecture, numbers in by_architecture.items()
        for number, expected in numbers.items()
    ],
)
def test_what_is_said_of_each_number_at_each_hosts_slider(line, architecture, number, expected):
    said = advice(slider(line, architecture, number), NOT_NAI if architecture == "sd1" else None)
    assert [id for each in said for id in (each.id, *each.also)] == expected
    for each in said:
        without = NOTHING_HERE if architecture in NOT_IN_CLIP else NOTHING_BY_THE_SLIDER
        assert (each.severity, each.text) == (without if each.id == "no-effect" else SAID[each.id])


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("verdict, id", [("not-nai", "not-nai"), ("unknown", "nai-unverified")])
def test_descent_is_asked_for_under_every_slider(line, verdict, id):
    shift = CUTS_OFF.get(line, 0)
    for number, expected in ((1, []), (2, [id]), (3, [id]), (6, [id, "too-deep"])):
        assert ids(slider(line, "sd1", number - shift), facts(verdict)) == expected


# --- not-nai, nai-unverified -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("skip, said", [(1.0, False), (1.49, False), (1.5, True), (2.0, True), (4.0, True)])
@pytest.mark.parametrize("verdict, id", [("not-nai", "not-nai"), ("unknown", "nai-unverified")])
def test_from_half_way_to_2_on(skip, said, verdict, id):
    assert ids(plan("sd1", l=skip), facts(verdict)) == [id] * said


def test_not_nai_names_the_fact_that_decides():
    evidence = fact(), fact('Its name has "anime" in it.', "nai-derived", HINT, "name")
    said = only(plan("sd1", l=2.0), facts("not-nai", *evidence))
    assert (said.id, said.severity, said.text) == ("not-nai", *SAID["not-nai"])
    assert english(said.reason) == "Its UNet is SD 1.5's."
    assert actions(said) == [("use", "Use 1", {"l": 1}), IS_NAI, SILENCE]
    assert said.lines == [said.text] and str(said) == f"{said.text} {english(said.reason)}"


@pytest.mark.parametrize("found, reason", [
    (facts("unknown"), "Nothing in its file tells."),
    (facts("unknown", fact("Its UNet has no reference.", "unknown")), "Nothing in its file tells."),
    (
        facts("unknown", fact("Its UNet has no reference.", "unknown"), fact("A.", "nai-derived", HINT, "name"),
              fact("B.", "not-nai", HINT, "sidecar-text")),
        "There are only hints: A.",
    ),
    (ModelFacts("/home/me/x.ckpt", error="no such file: /home/me/x.ckpt"), "Its file could not be read."),
])  # fmt: skip
def test_unverified_says_what_there_is(found, reason):
    said = only(plan("sd1", l=2.0), found)
    assert (said.id, said.severity, said.text) == ("nai-unverified", *SAID["nai-unverified"])
    assert english(said.reason) == reason
    assert actions(said) == [("use", "Use 1", {"l": 1}), IS_NAI, IS_NOT_NAI, SILENCE]


@pytest.mark.parametrize("skip", [1.5, 2.0, 3.0])
def test_where_nobody_knows_a_person_is_asked(skip):
    asked = only(plan("sd1", l=skip), UNKNOWN).question
    assert asked.text == ASKED
    assert [(each.id, english(each.label), each.skip) for each in asked.answers] == [
        ("yes", "Yes, keep 2", {"l": 2}), ("no", "No, use 1", {"l": 1}), ("unsure", "I don't know", {"l": 1}),
    ]  # fmt: skip
    assert all(each.question is None for each in advice(plan("sd1", l=skip), NOT_NAI))


@pytest.mark.parametrize("kept, said", [({}, True), ({"l": 1.0}, True), ({"l": 1.5}, False), ({"l": 2.0}, False)])
def test_who_keeps_2_for_a_model_has_answered(kept, said):
    found = advise(Situation(plan("sd1", l=2.0), UNKNOWN, kept=kept))
    assert [each.id for each in found] == ["nai-unverified"] * said
    if kept and said:
        assert english(found[0].reason) == "Your preset for this model: 1."
    assert [each.id for each in advise(Situation(plan("sd1", l=2.0), NOT_NAI, kept=kept))] == ["not-nai"]


def test_what_the_model_was_made_for_is_what_is_offered():
    said = only(plan("sd1", l=3.0), facts("not-nai", fact(), recommended=1.3))
    assert actions(said)[0] == ("use", "Use 1.3", {"l": 1.3})


@pytest.mark.parametrize("verdict", ["not-nai", "unknown"])
@pytest.mark.parametrize("found, at_2, at_3", [
    ({"modelspec": 2.0}, "", "off-recommended"),
    ({"yaml": 1.6}, "", "off-recommended"),
    ({"modelspec": 1.0}, "off-recommended", "off-recommended"),
    ({"modelspec": 1.0, "sample_images": 2.0}, "off-recommended", "off-recommended"),
    ({"sample_images": 2.0}, "", "off-recommended"),
    ({"sample_images": 1.0}, "off-recommended", "off-recommended"),
    # An author who leaves the choice allows 2.
    ({"known_author": None}, "", ""),
    ({"description": None}, "", ""),
    ({"modelspec": 1.0, "description": None}, "", ""),
    # A number that means nothing here allows nothing.
    ({"modelspec": None}, "descent", "descent"),
    ({"ss_clip_skip": None, "trained_layers": None}, "descent", "descent"),
])  # fmt: skip
def test_a_source_that_names_or_allows_a_skip_is_believed(verdict, found, at_2, at_3):
    descent = {"not-nai": "not-nai", "unknown": "nai-unverified"}[verdict]
    for skip, expected in ((2.0, at_2), (3.0, at_3)):
        said = ids(plan("sd1", l=skip), said_by(verdict, **found))
        assert said == expected.replace("descent", descent).split()


def test_the_author_of_a_known_file_leaves_the_choice():
    said = author_statement(KnownModel("x", "not-nai", "it is", (1.0, 2.0)))
    assert ids(plan("sd1", l=2.0), facts("not-nai", fact(), statements=[said])) == []


@pytest.mark.parametrize("skip", [1.0, 1.5, 2.0, 4.0])
def test_what_holds_some_of_nai_is_left_alone(skip):
    assert ids(plan("sd1", l=skip), facts("contains-nai", fact(verdict="contains-nai"))) == []


def test_nothing_is_said_of_descent_before_the_file_was_inspected():
    for skip in (1.0, 2.0, 4.0):
        assert ids(plan("sd1", l=skip)) == []
    assert ids(plan("sd1", l=5.0), loras={"x": 2.0}) == ["too-deep", "lora-mismatch"]


def test_other_architectures_are_not_asked_for_descent():
    for architecture in {*ARCHITECTURES} - {"sd1"}:
        encoders = as_trained(ARCHITECTURES[architecture])
        said = ids(plan(architecture, **dict.fromkeys(encoders, 2.0)), facts("not-nai", fact()))
        assert said == (["off-trained"] if encoders else [])


# --- off-recommended -------------------------------------------------------------------------------------------------

VERDICTS = ["nai", "nai-derived", "contains-nai", "not-nai", "unknown"]


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("source", [source for source in SKIP_LADDER if source != "nai-lineage"])
@pytest.mark.parametrize("says, skip, severity", [
    (1.0, 1.0, None), (1.0, 1.49, None), (1.0, 1.5, "warning"), (1.0, 2.0, "warning"), (1.0, 4.0, "warning"),
    (1.4, 1.9, "warning"), (1.5, 1.5, None), (1.5, 1.9, None), (1.5, 2.0, "hint"), (2.0, 2.0, None), (2.0, 1.6, None),
    (2.0, 2.4, None), (2.0, 2.5, "hint"), (1.6, 2.2, "hint"), (3.0, 2.0, "hint"),
])  # fmt: skip
def test_a_model_that_is_read_other_than_somebody_says(verdict, source, says, skip, severity):
    said = advice(plan("sd1", l=skip), said_by(verdict, **{source.replace("-", "_"): says}))
    assert [(each.id, each.severity) for each in said] == ([("off-recommended", severity)] if severity else [])
    for each in said:
        assert (each.text, english(each.reason)) == (OTHER_SKIP, f"{source} says {says}.")
        assert each.lines == [OTHER_SKIP, f"{source} says {says}."]
        assert actions(each) == [("use", f"Use {says:g}", {"l": says}), SILENCE]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_read_at_1_where_they_say_2(verdict):
    """Of a descendant it is its descent that is spoken of, with their word."""
    said = only(plan("sd1"), said_by(verdict, listed_card=2.0))
    assert said.id == ("nai-below" if verdict in ("nai", "nai-derived") else "off-recommended")
    assert (said.severity, english(said.reason)) == ("hint", "listed-card says 2.0.")


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("skip, found, reason", [
    (2.0, {"description": 1.0, "sample_images": 2.0}, "description says 1.0. sample-images says so."),
    (2.0, {"known_author": 1.0, "listed_samples": 1.8}, "known-author says 1.0. listed-samples says so."),
    (1.0, {"description": 2.0, "sample_images": 1.0}, "description says 2.0. sample-images says so."),
    (1.0, {"sample_images": 2.0, "listed_samples": 1.0}, "sample-images says 2.0. listed-samples says so."),
])  # fmt: skip
def test_where_the_sources_disagree_it_is_said_as_it_is(verdict, skip, found, reason):
    said = only(plan("sd1", l=skip), said_by(verdict, **found))
    assert (said.id, said.severity, said.text) == ("off-recommended", "hint", DISAGREE)
    assert english(said.reason) == reason
    assert [action.id for action in said.actions] == ["use", "silence"]


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("other", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("skip", [1.0, 1.3, 2.0, 2.5])
@pytest.mark.parametrize("author", [s for s in SKIP_LADDER if s not in ("nai-lineage", "modelspec", "sample-images",
                                                                        "listed-samples")])  # fmt: skip
def test_no_rule_fires_on_a_model_that_is_used_as_its_author_says(verdict, author, skip, other):
    author = author.replace("-", "_")
    for found in ({author: skip}, {author: skip, "sample_images": other}, {"modelspec": other, author: skip}):
        assert ids(plan("sd1", l=skip), said_by(verdict, **found)) == []


def test_descent_alone_says_only_what_descent_says():
    for setting in (1.0, 1.2, 2.0, 3.0):
        found = facts("nai", fact("It is NAI.", "nai"), recommended=2.0, source="nai-lineage").with_descent(setting)
        for skip in (1.0, 2.0, 3.0):
            assert ids(plan("sd1", l=skip), found) == ["nai-below"] * (skip == 1 and setting >= 1.5)


# --- nai-below -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skip, said", [(1.0, True), (1.49, True), (1.5, False), (2.0, False), (3.0, False)])
@pytest.mark.parametrize("verdict", ["nai", "nai-derived"])
def test_a_descendant_below_its_2(verdict, skip, said):
    found = facts(verdict, fact("Its UNet is NAI's.", verdict), recommended=2.0, source="nai-lineage")
    assert ids(plan("sd1", l=skip), found) == ["nai-below"] * said


@pytest.mark.parametrize("source", SKIP_LADDER)
def test_below_gives_the_word_of_every_source_but_descent(source):
    said = only(plan("sd1"), facts("nai", fact("It is NAI.", "nai"), recommended=2.0, source=source))
    assert english(said.reason) == ("It is NAI." if source == "nai-lineage" else f"{source} says 2.0.")


@pytest.mark.parametrize("recommended, said", [(1.4, False), (1.49, False), (1.5, True), (2.0, True), (4.0, True)])
def test_half_way_to_2_is_enough_to_recommend(recommended, said):
    found = facts("nai", fact(verdict="nai"), recommended=recommended)
    assert ids(plan("sd1"), found) == ["nai-below"] * said


@pytest.mark.parametrize("found, reason", [
    (NAI, "Its UNet is NAI's."),  # the fact, not the conclusion
    (facts("nai", fact("It is NAI.", "nai"), recommended=2.0, source="modelspec"), "modelspec says 2.0."),
    (facts("nai", fact("It is NAI.", "nai"), recommended=2.0, source="known-author"), "known-author says 2.0."),
])  # fmt: skip
def test_below_names_who_recommends_2(found, reason):
    said = only(plan("sd1"), found)
    assert (said.id, said.severity, said.text) == ("nai-below", *SAID["nai-below"])
    assert english(said.reason) == reason
    assert actions(said) == [("use", "Use 2", {"l": 2}), IS_NOT_NAI, SILENCE]


@pytest.mark.parametrize("found", [
    facts("nai-derived", fact(verdict="nai-derived")),  # nobody recommends anything
    facts("nai-derived", fact(verdict="nai-derived"), recommended=1.0),  # its card says 1
    facts("nai-derived", fact(verdict="nai-derived"), recommended=1.4),
    facts("contains-nai", fact(verdict="contains-nai"), recommended=1.0),
    facts("not-nai", fact(), recommended=1.0),
    facts("unknown", recommended=1.4),
])  # fmt: skip
def test_1_is_right_where_nobody_says_2(found):
    assert ids(plan("sd1"), found) == []


# --- off-trained, other-numbering, past-trained ----------------------------------------------------------------------

CLIP_L_1 = "CLIP-L: layers left out: 1 of 11"
CLIP_G_1 = "CLIP-G: layers left out: 1 of 31"
BOTH = {"l": 1, "g": 1}


@pytest.mark.parametrize("architecture, encoder", [
    ("sd2", "h"), ("sdxl", "l"), ("sdxl", "g"), ("sdxl-refiner", "g"), ("sd3", "l"), ("sd3", "g"), ("cascade", "g"),
])  # fmt: skip
@pytest.mark.parametrize("skip, said", [(1.0, []), (1.24, []), (1.25, ["off-trained"]), (2.0, ["off-trained"])])
def test_off_from_a_quarter_on(architecture, encoder, skip, said):
    assert ids(plan(architecture, **{encoder: skip})) == said


@pytest.mark.parametrize("reading, reason, use, also", [
    (plan("sd2", h=2.0), "CLIP-H: layers left out: 1 of 23", {"h": 1}, False),
    (plan("sdxl", l=2.0), f"{CLIP_L_1}. {NUMBERING}", BOTH, True),
    (plan("sdxl", g=1.5), "CLIP-G: layers left out: 0.5 of 31", BOTH, False),
    (plan("sdxl", l=2.0, g=2.0), f"{CLIP_L_1}; {CLIP_G_1}. {NUMBERING}", BOTH, True),
    (plan("sdxl", l=2.0, g=1.1), f"{CLIP_L_1}. {NUMBERING}", BOTH, True),
    (plan("sdxl", l=3.0), "CLIP-L: layers left out: 2 of 11", BOTH, False),
    (plan("sdxl-refiner", g=2.0), CLIP_G_1, {"g": 1}, False),
    (plan("sd3", l=2.0, g=2.0), f"{CLIP_L_1}; {CLIP_G_1}", BOTH, False),
    (plan("cascade", g=2.0), "CLIP-G: layers left out: 1 of 32", {"g": 1}, False),
    (slider("sdnext", "sdxl", 2), f"{CLIP_L_1}; {CLIP_G_1}. {NUMBERING}", BOTH, True),
    (slider("sdnext", "sd3", 2), f"{CLIP_L_1}; {CLIP_G_1}", BOTH, False),
    # The user sees 3, which no card says, for skip 2.
    (slider("forge", "sdxl", 3), f"{CLIP_L_1}; {CLIP_G_1}", BOTH, False),
    (slider("reforge", "sdxl", 3), f"{CLIP_L_1}; {CLIP_G_1}", BOTH, False),
    (slider("a1111-sdxl-l", "sdxl", 3), CLIP_L_1, BOTH, False),
    (slider("forge", "sd2", 2), "CLIP-H: layers left out: 1 of 23", {"h": 1}, False),
])  # fmt: skip
def test_off_names_the_blocks_and_how_cards_count(reading, reason, use, also):
    said = only(reading)
    assert (said.id, said.severity, said.text) == ("off-trained", *SAID["off-trained"])
    assert english(said.reason) == reason
    assert actions(said) == [("use", "Use 1", use), SILENCE]
    assert said.also == (("other-numbering",) if also else ())


@pytest.mark.parametrize("reading, reason, use", [
    (slider("a1111-sdxl-l", "sdxl", 1), "CLIP-L: layers too many: 1", BOTH),
    (slider("forge", "sd3", 1), "CLIP-L: layers too many: 1; CLIP-G: layers too many: 1", BOTH),
    (slider("sdnext", "sdxl", 0), "CLIP-L: layers too many: 1; CLIP-G: layers too many: 1", BOTH),
    (slider("sdnext", "sdxl-refiner", 0), "CLIP-G: layers too many: 1", {"g": 1}),
])  # fmt: skip
def test_past_the_trained_depth(reading, reason, use):
    said = only(reading)
    assert (said.id, said.severity, said.text) == ("past-trained", *SAID["past-trained"])
    assert english(said.reason) == reason
    assert actions(said) == [("use", "Use 1", use), SILENCE]


# --- too-deep, no-effect, lora-mismatch ------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture, encoder", [("sd1", "l"), ("sd2", "h"), ("sdxl", "g"), ("cascade", "g")])
@pytest.mark.parametrize("skip, said", [(4.0, False), (4.1, True), (12.0, True)])
def test_too_deep_above_4(architecture, encoder, skip, said):
    assert ("too-deep" in ids(plan(architecture, **{encoder: skip}))) == said


def test_what_the_model_was_made_for_is_not_too_deep():
    made = facts("nai-derived", fact(verdict="nai-derived"), recommended=6.0)
    assert ids(plan("sd1", l=6.0), made) == []
    assert ids(plan("sd1", l=7.0), made) == ["too-deep", "off-recommended"]


def test_what_is_less_deep_than_the_model_was_made_for_is_not_too_deep():
    made = facts("nai-derived", fact(verdict="nai-derived"), recommended=6.0)
    assert ids(plan("sd1", l=4.5), made) == ids(plan("sd1", l=5.0), made) == ["off-recommended"]
    assert ids(plan("sd1", l=6.1), made) == ["too-deep"]


def test_too_deep_names_what_is_too_deep_alone():
    off, deep = advice(plan("sdxl", l=6.0, g=3.0))
    assert (deep.id, deep.severity, deep.text) == ("too-deep", *SAID["too-deep"])
    assert english(deep.reason) == "CLIP-L: layers left out: 5 of 11"
    assert actions(deep) == [("use", "Use 1", BOTH), SILENCE]
    assert english(off.reason) == f"{english(deep.reason)}; CLIP-G: layers left out: 2 of 31"
    (deep,) = advice(plan("sd1", l=6.0), NAI)
    assert (english(deep.reason), actions(deep)[0]) == (
        "CLIP-L: layers left out: 5 of 12",
        ("use", "Use 2", {"l": 2}),
    )


@pytest.mark.parametrize("architecture, reason", NOT_IN_CLIP.items())
@pytest.mark.parametrize("line", LINES)
def test_no_effect_says_why(line, architecture, reason):
    said = only(slider(line, architecture, 2))
    assert (said.id, said.severity, said.text, english(said.reason)) == ("no-effect", *NOTHING_HERE, reason)
    assert actions(said) == [SILENCE]
    by_plan = only(Reading(ARCHITECTURES[architecture], {}, acts=False))  # numbers were asked for
    assert by_plan == said


@pytest.mark.parametrize("number, said", [(1, []), (2, []), (3, ["no-effect"])])
def test_neither_1_nor_the_number_of_an_untouched_slider_asks_for_anything(number, said):
    """Forge Neo's slider is at 2 by itself."""
    assert ids(slider("neo", "flux", number)) == said


@pytest.mark.parametrize("line, architecture", [("a1111", "sd2"), ("a1111", "sdxl"), ("reforge", "sd3")])
def test_a_slider_without_effect_leads_to_our_panel(line, architecture):
    said = only(slider(line, architecture, 3))
    assert (said.id, said.severity, said.text) == ("no-effect", *NOTHING_BY_THE_SLIDER)
    assert english(said.reason) == "CLIP Skip can: switch it on here."
    assert actions(said) == [SILENCE]


@pytest.mark.parametrize("skip, trained, said", [
    (1.0, 2.0, True), (2.0, 1.0, True), (1.5, 2.0, True), (2.0, 2.0, False), (1.6, 2.0, False), (1.4, 1.0, False),
])  # fmt: skip
def test_a_lora_of_another_skip(skip, trained, said):
    assert ids(plan("sd1", l=skip), loras={"x": trained}) == ["lora-mismatch"] * said


def test_loras_that_agree_are_offered_and_others_only_named():
    said = only(plan("sd1"), loras={"a": 2.0})
    assert (said.id, said.severity, said.text) == ("lora-mismatch", *SAID["lora-mismatch"])
    assert (english(said.reason), actions(said)) == ("a: 2", [("use", "Use 2", {"l": 2}), SILENCE])
    said = only(plan("sd1"), loras={"a": 2.0, "right": 1.0, "b <c>": 2.0})
    assert (english(said.reason), actions(said)) == ("a: 2; b <c>: 2", [("use", "Use 2", {"l": 2}), SILENCE])
    said = only(plan("sd1"), loras={"a": 2.0, "b": 1.5})
    assert (english(said.reason), actions(said)) == ("a: 2; b: 1.5", [SILENCE])


@pytest.mark.parametrize("architecture", sorted({*ARCHITECTURES} - {"sd1"}))
def test_loras_matter_on_sd_1_alone(architecture):
    assert ids(plan(architecture), loras={"a": 2.0}) == []


# --- silence, order, errors ------------------------------------------------------------------------------------------


def test_the_most_severe_comes_first():
    said = advice(plan("sd1", l=6.0), facts("not-nai", fact()), {"x": 1.0})
    assert [(each.id, each.severity) for each in said] == [
        ("not-nai", "warning"),
        ("too-deep", "caution"),
        ("lora-mismatch", "hint"),
    ]
    assert tuple(Severity) == ("error", "warning", "caution", "hint", "info")


@pytest.mark.parametrize("id, reading, found, loras", [
    ("not-nai", plan("sd1", l=2.0), NOT_NAI, {}),
    ("nai-unverified", plan("sd1", l=2.0), UNKNOWN, {}),
    ("off-recommended", plan("sd1", l=2.0), said_by("not-nai", description=1.0), {}),
    ("off-trained", plan("sdxl", l=2.0), None, {}),
    ("past-trained", slider("forge", "sd3", 1), None, {}),
    ("nai-below", plan("sd1"), NAI, {}),
    ("lora-mismatch", plan("sd1"), None, {"x": 2.0}),
    ("too-deep", plan("sd1", l=6.0), None, {}),
    ("no-effect", slider("a1111", "flux", 2), None, {}),
])  # fmt: skip
def test_what_is_silenced_is_not_said_and_the_rest_is(id, reading, found, loras):
    assert ids(reading, found, loras) == [id]
    assert ids(reading, found, loras, silenced={id}) == []
    assert ids(reading, found, loras, silenced={*IDS, "other"} - {id}) == [id]


class KnownTo(UnknownHost):
    """A host that lists these LoRAs."""

    def __init__(self, loras=()):
        super().__init__()
        self._loras = loras

    def lora_file(self, name):
        return f"/loras/{name}" if name in self._loras else None


SD1 = Checkpoint("a model", ARCHITECTURES["sd1"], "/models/a model.ckpt")
SDXL = Checkpoint("a model", ARCHITECTURES["sdxl"])


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path)


def test_an_error_can_t_be_silenced_and_comes_first(library):
    for id in ("bad-value", "not-applied", "off-trained"):
        library.silence(SDXL, id)
    advisor = Advisor(KnownTo(), library)
    (said,) = advisor.on_request(library.profile(SDXL), parse(True, {"l": 99, "g": 2}))
    assert (said.id, said.severity) == ("bad-value", "error")
    assert said.text == "A value was refused, and the model is read as it was trained."
    assert english(said.reason) == "l 99 was refused, accepted is a number from 1 to 12."
    assert said.lines == [said.text, english(said.reason)] and said.actions == ()
    assert advisor.on_request(library.profile(SDXL), parse(True, {"l": 2})) == []


def test_a_refused_tag_is_an_error_that_names_it():
    said = bad_tag(refusal("the tag's l", 99.0, "a number from 1 to 12"))
    assert (said.id, said.severity, said.text) == (
        "bad-value",
        "error",
        "A tag in the prompt was refused, and is ignored.",
    )
    assert said.lines == [said.text, "the tag's l 99 was refused, accepted is a number from 1 to 12."]
    assert said.actions == () and str(said) == " ".join(said.lines)


def test_what_is_no_tag_is_a_hint_with_what_to_write():
    said = not_a_tag(mistaken("<ClipSkip:2> <clipskip 3>", "<clipskip:2>"))
    assert (said.id, said.severity, said.text) == (
        "not-a-tag",
        "hint",
        "What looks like CLIP Skip's tag does nothing.",
    )
    reason = (
        "<ClipSkip:2>: write <clipskip:2>; <clipskip 3>: write <clipskip:3>; "
        "<clipskip:2>: write it into the prompt: <clipskip:2>"
    )
    assert said.lines == [said.text, reason] and said.actions == ()


@pytest.mark.parametrize("severity", Severity)
def test_only_an_error_says_in_its_lines_what_it_is_about(severity):
    said = replace(only(plan("sd1", l=2.0), NOT_NAI), severity=severity)
    assert said.lines == [said.text, *(["Its UNet is SD 1.5's."] if severity == "error" else [])]


def test_without_an_action_the_message_is_the_same():
    said = only(plan("sd1", l=2.0), NOT_NAI)
    assert actions(said.without("use")) == [IS_NAI, SILENCE]
    assert replace(said.without("use"), actions=said.actions) == said == said.without("none of them")


def test_what_was_not_applied_says_to_what_and_why():
    said = not_applied(["l", "g"], "its blocks did not run")
    assert (said.id, said.severity, said.text) == ("not-applied", "error", "CLIP Skip was not applied.")
    assert said.lines == [said.text, "CLIP-L, CLIP-G: its blocks did not run. What failed was read as trained."]
    said = not_applied([], "RuntimeError: x")
    assert english(said.reason) == "RuntimeError: x. The WebUI's own clip skip was used."


# --- what is known, given to the rules -------------------------------------------------------------------------------


def test_the_advisor_asks_for_the_loras_of_the_prompts_and_what_is_silenced(library, monkeypatch):
    monkeypatch.setattr(library, "trained_skip", {"/loras/two": 2.0, "/loras/one": 1.0, "/loras/?": None}.get)
    monkeypatch.setattr(Profile, "facts", facts("contains-nai"))
    advisor = Advisor(KnownTo(["one", "two", "?"]), library)
    prompts = ["a <lora:one:1> <lyco:two:0.5:x=1>", "b <LORA:two> <lora:not here:1> <lora:?:1> <hypernet:two:1>"]
    (said,) = advisor.on_reading(library.profile(SD1), plan("sd1"), prompts)
    assert (said.id, english(said.reason)) == ("lora-mismatch", "two: 2")
    library.silence(SD1, "lora-mismatch")
    assert advisor.on_reading(library.profile(SD1), plan("sd1"), prompts) == []


def test_facts_of_another_architecture_say_nothing_of_the_model_that_is_loaded(library, monkeypatch):
    advisor = Advisor(KnownTo(), library)
    monkeypatch.setattr(Profile, "facts", ModelFacts("x", ARCHITECTURES["sdxl"], verdict="not-nai"))
    assert advisor.on_reading(library.profile(SD1), plan("sd1", l=2.0)) == []
    monkeypatch.setattr(Profile, "facts", ModelFacts("x", error="gone"))
    assert [each.id for each in advisor.on_reading(library.profile(SD1), plan("sd1", l=2.0))] == ["nai-unverified"]


@pytest.mark.parametrize("broken", ["preset", "facts", "trained_skip"])
def test_what_fails_is_logged_and_costs_only_the_advice(library, monkeypatch, caplog, broken):
    def fails(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(Profile, "facts", NOT_NAI)
    where, broken_part = (library, fails) if broken == "trained_skip" else (Profile, property(fails))
    monkeypatch.setattr(where, broken, broken_part)
    monkeypatch.setattr(logging.getLogger("clip_skip"), "propagate", True)
    advisor = Advisor(KnownTo(["x"]), library)
    assert advisor.on_reading(library.profile(SD1), plan("sd1", l=2.0), ["<lora:x:1>"]) == []
    assert "whether the skip fits a model can't be told" in caplog.text and "broken" in caplog.text


def test_no_file_is_asked_about_other_architectures(library, monkeypatch):
    monkeypatch.setattr(Profile, "facts", property(lambda _: pytest.fail("asked")))
    said = Advisor(KnownTo(), library).on_reading(library.profile(SDXL), plan("sdxl", l=2.0))
    assert [each.id for each in said] == ["off-trained"]


# --- used as it was made ---------------------------------------------------------------------------------------------

# Where a slider that nobody touched does not read the model as it was trained: there that is what has to be said.
OFF_BY_DEFAULT = {
    ("forge", "sd3"): ["past-trained"],
    ("a1111-sdxl-l", "sdxl"): ["past-trained"],
    ("sdnext-xhinker", "sd1"): ["not-nai"],
    ("sdnext-xhinker", "sd2"): ["off-trained"],
}
ALL_FACTS = {
    "sd1": [NOT_NAI, UNKNOWN, facts("contains-nai"), facts("not-nai", fact(), recommended=1.0), None],
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_rule_fires_at_the_hosts_default(line, architecture):
    if (line, architecture) in OFF_BY_DEFAULT:
        found = NOT_NAI if architecture == "sd1" else None
        assert ids(slider(line, architecture, 1), found) == OFF_BY_DEFAULT[line, architecture]
        return
    for found in ALL_FACTS.get(architecture, [None]):
        assert ids(slider(line, architecture, 1), found) == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_rule_fires_on_a_plan_of_1(architecture):
    for found in ALL_FACTS.get(architecture, [None]):
        assert ids(plan(architecture), found) == []
        assert ids(plan(architecture), found, {"a lora": 1.0}) == []


@pytest.mark.parametrize("reading", [
    plan("sd1", l=2.0), *(slider(line, "sd1", 2 - CUTS_OFF.get(line, 0)) for line in LINES)
])  # fmt: skip
@pytest.mark.parametrize("verdict", ["nai", "nai-derived"])
def test_no_rule_fires_on_nai_at_2(reading, verdict):
    for recommended, source in ((2.0, "nai-lineage"), (2.0, "known-author"), (1.9, "modelspec"), (None, "")):
        found = facts(verdict, fact("It is NAI's.", verdict, CERTAIN), recommended=recommended, source=source)
        assert ids(reading, found, {"a lora": 2.0}) == []


@pytest.mark.parametrize("line", ["a1111", "a1111-sdxl-l", "forge", "reforge"])
def test_no_rule_fires_on_pony_at_its_cards_2(line):
    """Its card counts as these hosts do: their 2 is the trained depth, or does nothing."""
    assert ids(slider(line, "sdxl", 2)) == []
    assert slider(line, "sdxl", 2).skips == {"l": 1, "g": 1}


# --- whatever comes --------------------------------------------------------------------------------------------------

# All words that are not data: what a translation has to know, and nothing else may be in a message.
WORDS = {
    *(text for _, text in SAID.values()),
    OTHER_SKIP,
    DISAGREE,
    NOTHING_HERE[1],
    NOTHING_BY_THE_SLIDER[1],
    NUMBERING,
    *NOT_IN_CLIP.values(),
    ARCHITECTURES["unknown"].reason,
    "CLIP Skip can: switch it on here.",
    "Nothing in its file tells.",
    "There are only hints:",
    "Its file could not be read.",
    *("layers left out:", "layers too many:", "of", "as trained", "Use"),
    *(label for _, label, _ in (SILENCE, IS_NAI, IS_NOT_NAI)),
}
_SKIPS = st.floats(0, 40, allow_nan=False)
_LETTERS = st.text("a2 \n\0<&\"'>\u00e9\u65e5", max_size=8)
_TEXTS = _LETTERS | st.sampled_from(["<img src=x onerror=alert(1)>", "2", "of", ""])
_EVIDENCE = st.builds(Evidence, _TEXTS, st.sampled_from([CERTAIN, STRONG, HINT]), _TEXTS, st.sampled_from(Verdict))
_BY_ENCODER = st.dictionaries(st.sampled_from(["l", "g", "h"]), _SKIPS, max_size=3)
_STATEMENTS = st.builds(SkipStatement, st.sampled_from(SKIP_LADDER), _TEXTS, _BY_ENCODER, st.booleans())


def _facts(least_evidence=0):
    return st.builds(
        ModelFacts,
        _TEXTS,
        st.sampled_from([*ARCHITECTURES.values()]),
        verdict=st.sampled_from(Verdict),
        evidence=st.lists(_EVIDENCE, min_size=least_evidence, max_size=3).map(tuple),
        recommended=st.none() | st.builds(Recommendation, _BY_ENCODER, st.sampled_from(SKIP_LADDER), _TEXTS),
        statements=st.lists(_STATEMENTS, max_size=3).map(tuple),
        error=st.none() | _TEXTS,
    )


@st.composite
def readings(draw):
    architecture = draw(st.sampled_from([*ARCHITECTURES.values()]))
    if draw(st.booleans()):
        return reading_at(draw(st.sampled_from(LINES)), architecture, draw(st.integers(-1, 14) | st.floats(-1, 14)))
    skips = {encoder.id: draw(_SKIPS) for encoder in architecture.encoders}
    return Reading(architecture, skips, acts=draw(st.booleans()))


@given(
    readings(), st.none() | _facts(), st.dictionaries(_TEXTS, _SKIPS, max_size=3), st.sets(st.sampled_from(sorted(IDS)))
)
def test_whatever_comes_the_words_are_ours_and_the_rest_is_data(reading, found, loras, silenced):
    said = advice(reading, found, loras, silenced)
    assert [each.severity.rank for each in said] == sorted(each.severity.rank for each in said)
    assert len({each.id for each in said}) == len(said)
    for each in said:
        several = {"off-recommended": OFF_RECOMMENDED, "no-effect": [NOTHING_HERE, NOTHING_BY_THE_SLIDER]}
        fixed = several.get(each.id) or [SAID[each.id]]
        assert (each.severity, each.text) in fixed and each.id in IDS - silenced
        assert set(each.also) <= {"other-numbering"} and (not each.also or each.id == "off-trained")
        pieces = [*each.reason, *(piece for action in each.actions for piece in action.label)]
        assert {piece for piece in pieces if not isinstance(piece, Data)} <= WORDS
        assert {action.id for action in each.actions} <= {"use", "nai-derived", "not-nai", "silence"}
        assert each.actions[-1].id == "silence"
        encoders = {encoder.id for encoder in reading.architecture.encoders}
        assert all(set(action.skip) == (encoders if action.id == "use" else set()) for action in each.actions)


@given(readings(), _facts(least_evidence=1))
def test_a_verdict_names_its_fact(reading, found):
    for each in advice(reading, found):
        if each.id == "not-nai":
            assert english(each.reason) == found.evidence[0].text
        if each.severity == "warning":
            assert each.actions[0].id == "use"
