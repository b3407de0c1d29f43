"""Whose job an inner pass of another extension belongs to: found in the host's own functions, and nowhere else."""

from __future__ import annotations

import weakref

import pytest

from clip_skip.hosts.a1111 import _job_of
from clip_skip.hosts.running import begin

# As the hosts of the A1111 line have them: what a job calls runs inside both.
HOST = """
class StableDiffusionProcessing:
    pass

def process_images(p, script):
    return process_images_inner(p, script)

def process_images_inner(p, script):
    return script()
"""

DELETES = """
    held = make()
    found = script()
    del held
    return found, look()
"""


class Anything:
    pass


class Angry:
    def __getattr__(self, name):
        raise KeyError(name)


@pytest.fixture
def host():
    """The host's module of processing, as a namespace."""
    namespace = {"__name__": "modules.processing"}
    exec(compile(HOST, "processing.py", "exec"), namespace)
    return namespace


def made(host, *job):
    p = host["StableDiffusionProcessing"]()
    for each in job:
        begin(p, each)
    return p


def job_of(host, p):
    return _job_of(p)


def test_a_job_has_its_own_also_when_that_says_off(host):
    outer = made(host, "outer")
    assert job_of(host, made(host, "own")) == "own"
    off = made(host, None)
    assert host["process_images"](outer, lambda: job_of(host, off)) is None


def test_an_inner_pass_has_that_of_the_pass_around_it(host):
    outer, inner = made(host, "outer"), made(host)
    run = host["process_images"]
    assert job_of(host, inner) is None
    assert run(outer, lambda: job_of(host, inner)) == "outer"
    assert run(outer, lambda: run(inner, lambda: job_of(host, inner))) == "outer"
    assert run(made(host, "first"), lambda: run(outer, lambda: run(inner, lambda: job_of(host, inner)))) == "outer"


def test_a_callers_local_of_the_same_name_says_nothing(host):
    inner = made(host)

    def extension(p):
        return job_of(host, inner)

    def process_images(p):  # another module's, under the host's name
        return job_of(host, inner)

    for call in (extension, process_images):
        assert call(made(host, "not around it")) is None
        assert call(Angry()) is None
        assert host["process_images"](made(host, "outer"), lambda call=call: call(Angry())) == "outer"
    # What the host is given is another thing than its own job.
    assert host["process_images"](Angry(), lambda: job_of(host, inner)) is None


@pytest.mark.parametrize("name", ["process_images", "process_images_inner", "extension"])
def test_what_a_caller_deletes_after_an_inner_pass_is_gone(host, name):
    """Also while the caller goes on, which is when a host's memory is needed."""
    run = host["process_images_inner"]
    exec(f"def {name}(p, script, make, look):\n{DELETES}", host)
    inner, held = made(host), []

    def make():
        made = Anything()
        held.append(weakref.ref(made))
        return made

    def caller():
        return host[name](made(host), lambda: job_of(host, inner), make, lambda: held[0]())

    assert run(made(host, "outer"), caller) == ("outer", None)
