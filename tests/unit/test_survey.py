"""Every listed model read in the background: in order, one thread, until all are read or it is given up."""

import threading

import pytest

from clip_skip.models.checkpoint import Checkpoint
from clip_skip.models.inspect.facts import ModelFacts
from clip_skip.models.survey import CHECKPOINT, LORA, Listed, Progress, Survey
from clip_skip.skip.architectures import ARCHITECTURES

SD1 = ARCHITECTURES["sd1"]


class Models:
    """A host and a library of these models; each is read when the gate is open, and `read` has what was."""

    def __init__(self, checkpoints=(), loras=()):
        self.titles, self.files = list(checkpoints), {name: f"/{name}" for name in loras}
        self.jobs = 0
        self.read = []
        self.reading = threading.Semaphore(0)  # one more for each file that was begun
        self.gate = threading.Event()
        self.gate.set()

    @property
    def busy(self):
        return self.jobs > 0

    def checkpoints(self):
        return list(self.titles)

    def loras(self):
        return dict(self.files)

    def checkpoint(self, name):
        if name == "ours fails":
            raise RuntimeError("no luck")
        return None if name == "gone" else Checkpoint(name, SD1, f"/{name}")

    def profile(self, checkpoint):
        self._begin(checkpoint.name)
        broken = checkpoint.name == "broken"
        facts = ModelFacts(checkpoint.path, error="not a model") if broken else ModelFacts(checkpoint.path, SD1)
        return type("Profile", (), {"facts": facts})

    def lora(self, path):
        self._begin(path[1:])
        return ModelFacts(path, SD1, kind="lora", trained_skip=2.0)

    def _begin(self, name):
        self.read.append(name)
        self.reading.release()
        assert self.gate.wait(60)

    def survey(self, **how):
        return Survey(self, self, **how)


def finish(survey):
    thread = survey._background.thread
    if thread is not None:
        thread.join(60)
        assert not thread.is_alive()


def test_all_that_is_listed_is_read_in_its_order_and_the_thread_ends():
    models = Models(["b", "a"], ["x", "w"])
    survey = models.survey()
    assert survey.progress is None and survey.found == {} and models.read == []
    survey.start()
    finish(survey)
    assert models.read == ["b", "a", "x", "w"] and survey.progress is None
    assert list(survey.found) == survey.listed()
    assert survey.found[Listed(LORA, "x")].facts.trained_skip == 2
    assert survey.found[Listed(CHECKPOINT, "b")].checkpoint.path == "/b"
    assert "clip-skip-survey" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("name, said", [("broken", "not a model"), ("ours fails", "RuntimeError: no luck")])
def test_a_file_that_can_not_be_read_says_so_and_does_not_end_it(name, said):
    models = Models(["a", name, "z"])
    survey = models.survey()
    survey.start()
    finish(survey)
    assert models.read[-1] == "z"
    assert [found.error for found in survey.found.values()] == ["", said, ""]


def test_a_model_that_is_not_there_any_more_is_no_error():
    survey = Models(["gone"]).survey()
    survey.start()
    finish(survey)
    (found,) = survey.found.values()
    assert found.facts is None and found.error == ""


def test_one_thread_which_can_be_given_up_and_begun_anew():
    models = Models(["a", "b", "c"])
    models.gate.clear()
    survey = models.survey()
    survey.start()
    assert models.reading.acquire(timeout=60)
    survey.look()  # goes on as it is
    assert survey.progress == Progress(0, 3)
    assert [thread.name for thread in threading.enumerate()].count("clip-skip-survey") == 1
    survey.give_up()
    assert survey.progress is None
    models.gate.set()
    finish(survey)
    assert models.read == ["a"] and survey.found == {}
    survey.look()  # somebody who gave it up has to ask for it
    assert survey.progress is None and models.read == ["a"]
    survey.start()
    finish(survey)
    assert models.read == ["a", "a", "b", "c"]


def test_what_was_never_read_comes_first_and_what_is_gone_goes():
    models = Models(["a", "b"])
    survey = models.survey()
    survey.look()
    finish(survey)
    models.titles = ["b", "new"]
    survey.look()
    finish(survey)
    assert models.read == ["a", "b", "new", "b"]
    assert list(survey.found) == [Listed(CHECKPOINT, "b"), Listed(CHECKPOINT, "new")]


def test_what_was_begun_before_it_began_anew_does_not_count():
    """It may have been read with what was known before."""
    models = Models(["a"])
    models.gate.clear()
    survey = models.survey()
    survey.start()
    assert models.reading.acquire(timeout=60)
    survey.start()
    models.gate.set()
    finish(survey)
    assert models.read == ["a", "a"] and len(survey.found) == 1


def test_nothing_is_read_while_a_job_runs():
    models, rests = Models(["a", "b"]), []

    def rest(stopped):
        rests.append((survey.progress, list(models.read)))
        models.jobs -= 1

    survey = models.survey(rest=rest)
    models.jobs = 2
    survey.start()
    finish(survey)
    assert rests == [(Progress(0, 2, rests=True), [])] * 2 and models.read == ["a", "b"]


def test_once_it_is_stopped_nothing_is_read_any_more():
    models = Models(["a", "b"])
    models.jobs = 1
    survey = models.survey(rest=lambda stopped: stopped.wait(60))
    survey.start()
    survey.stop()
    assert survey._background.thread is None
    survey.start()
    survey.look()
    assert models.read == [] and survey.progress is None
