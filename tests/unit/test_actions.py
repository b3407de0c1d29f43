"""What a click on an advice means, for each of what can decide."""

from dataclasses import replace

import pytest

from clip_skip.advice.actions import Decider, Moved, act, sliders_after
from clip_skip.advice.names import AdviceId
from clip_skip.advice.rules import Situation, advise
from clip_skip.interfaces.ui.controls import Controls
from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.inspect.evidence.evidence import Verdict
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.library import Library
from clip_skip.models.presets.preset import Mark, Preset
from clip_skip.models.presets.store import StoreError
from clip_skip.skip.architectures import ARCHITECTURES
from clip_skip.skip.reading import Reading

SD1, SDXL = (Checkpoint(id, ARCHITECTURES[id], f"/models/{id}.safetensors") for id in ("sd1", "sdxl"))
(UNVERIFIED,) = advise(Situation(Reading(SD1.architecture, {"l": 2.0}), ModelFacts("m", SD1.architecture)))
(OFF,) = advise(Situation(Reading(SDXL.architecture, {"l": 2.0, "g": 3.0})))


class Slider:
    """A host whose slider counts from 10 up, for SD 1.x alone, and what it was set to."""

    def __init__(self):
        self.used = []

    def slider_for(self, architecture, skips):
        return 10 + skips["l"] if architecture.id == "sd1" else None

    def use(self, number):
        self.used.append(number)
        return True


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path)


@pytest.fixture
def click(library):
    host = Slider()

    def clicked(name, advice=UNVERIFIED, checkpoint=SD1, decider=Decider.AUTO):
        (action,) = [action for action in advice.offers if action.id == name]
        return act(action, advice, checkpoint, decider, library, host), host.used

    return clicked


def kept(library, checkpoint=SD1):
    return library.profile(checkpoint).preset


@pytest.mark.parametrize("decider", Decider)
def test_silence_and_marks_are_kept_and_move_nothing_whatever_decides(library, click, decider):
    assert click("silence", decider=decider) == (Moved(), [])
    assert kept(library) == Preset(name="sd1.safetensors", silenced=frozenset({AdviceId.NAI_UNVERIFIED}))
    for mark in Mark:
        assert click(mark, decider=decider) == (Moved(), [])
        assert kept(library).lineage is mark


def test_use_sets_the_hosts_own_slider_where_that_decides(library, click):
    assert click("use", decider=Decider.SLIDER) == (Moved(slider=11), [11])
    assert click("use", OFF, SDXL, Decider.SLIDER) == (Moved(), [11])  # it can't
    assert kept(library) is None


def test_use_moves_the_panels_sliders_where_those_decide(library, click):
    assert click("use", OFF, SDXL, Decider.MANUAL) == (Moved(skips={"l": 1, "g": 1}), [])
    assert kept(library, SDXL) is None


def test_use_in_auto_never_replaces_what_the_user_kept(library, click):
    library.presets.put(Preset(skip={"l": 2.5}, blend="slerp", note="mine"), name="sd1.safetensors")
    before = library.presets.path.read_bytes()
    assert click("use") == (Moved(skips={"l": 1}), [])
    assert library.presets.path.read_bytes() == before


def test_use_in_auto_is_kept_for_a_model_without_skips_with_all_else_that_was(library, click):
    before = Preset(lineage=Mark.NOT_NAI, note="mine", silenced=frozenset({"no-effect"}))
    library.presets.put(before, name="sd1.safetensors")
    assert click("use") == (Moved(), [])
    after = kept(library)
    assert (after.skip, after.lineage, after.note, after.silenced) == ({"l": 1}, Mark.NOT_NAI, "mine", before.silenced)


@pytest.mark.parametrize("answer, skip", [("yes", 2), ("no", 1)])
def test_a_statement_is_kept_and_used_whatever_decides(library, click, answer, skip):
    for decider, moved in (
        (Decider.SLIDER, Moved(slider=10 + skip)),
        (Decider.MANUAL, Moved(skips={"l": skip})),
        (Decider.AUTO, Moved()),  # uses what is kept
    ):
        library.presets.put(Preset(skip={"l": 3.0}, blend="slerp", note="mine"), name="sd1.safetensors")
        assert click(answer, decider=decider) == (moved, [10 + skip])
        assert (kept(library).skip, kept(library).blend, kept(library).note) == ({"l": skip}, "slerp", "mine")


@pytest.mark.parametrize("decider, moved, used", [
    (Decider.SLIDER, Moved(slider=11), [11]),
    (Decider.MANUAL, Moved(skips={"l": 1}), []),
    (Decider.AUTO, Moved(skips={"l": 1}), []),
])  # fmt: skip
def test_who_does_not_know_states_nothing(library, click, decider, moved, used):
    assert click("unsure", decider=decider) == (moved, used)
    assert kept(library) is None


def test_what_was_kept_is_restored_unless_somebody_changed_it(library):
    """Also where it was kept by name, and moved to the hash meanwhile."""
    known = Checkpoint("sd1", SD1.architecture, SD1.path, "ab" * 32)
    other = Preset(name="other", skip={"l": 3.0})
    library.presets.put(other, name="other")
    library.presets.put(Preset(skip={"l": 2.5}, blend="slerp", note="mine"), name="sd1.safetensors")
    raw = dict(library.presets.raw())
    saved = library.save(known, {"l": 1.0}, "linear")
    silenced = library.silence(known, "no-effect")
    with pytest.raises(StoreError):
        library.presets.restore(saved)
    assert kept(library, known).silenced == {"no-effect"}
    library.presets.restore(saved.then(silenced))
    assert dict(library.presets.raw()) == raw


def test_what_can_t_be_kept_is_raised(tmp_path):
    (tmp_path / "file").write_text("no folder")
    (use, *_) = UNVERIFIED.actions
    with pytest.raises(StoreError):
        act(use, UNVERIFIED, SD1, Decider.AUTO, Library(tmp_path / "file"), Slider())


def test_the_number_at_the_hosts_slider_that_a_button_shows():
    assert sliders_after(UNVERIFIED, SD1.architecture, Slider()) == {"use": 11, "yes": 12, "no": 11, "unsure": 11}
    assert sliders_after(OFF, SDXL.architecture, Slider()) == {}
    silent = replace(UNVERIFIED, question=None).without("use")
    assert silent.actions and sliders_after(silent, SD1.architecture, Slider()) == {}


def test_the_facts_here_are_the_ones_that_are_meant():
    assert UNVERIFIED.id is AdviceId.NAI_UNVERIFIED and OFF.id is AdviceId.OFF_TRAINED
    assert ModelFacts("m").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("controls, decider", [
    (Controls(mode="Auto"), Decider.SLIDER),
    (Controls(mode="Manual"), Decider.SLIDER),
    (Controls(enabled=True, mode="Auto"), Decider.AUTO),
    (Controls(enabled=True, mode="Manual"), Decider.MANUAL),
])  # fmt: skip
def test_what_decides_by_the_panels_controls(controls, decider):
    assert controls.decider is decider


def test_where_the_controls_go():
    controls = Controls(skip=4.0, l=3.0, g=2.0, h=5.0, seen='{"tags": "<lora:x:1>"}')
    assert controls.moved(Moved()) == controls
    moved = controls.moved(Moved(skips={"l": 1, "g": 1.5}))
    assert (moved.skip, moved.l, moved.g, moved.h, moved.seen) == (1, 1, 1.5, 5, controls.seen)
    told = controls.moved(Moved(slider=2))
    assert (told.slider, told.tags, told.skip) == (2, "<lora:x:1>", 4)
