"""Our wrapper of a host's method, among those of other extensions, over loads of ours and of theirs."""

from __future__ import annotations

import functools

import pytest

from clip_skip.hosts.wrapped import Wrapped


@pytest.fixture
def host():
    class Host:
        def encode(self, text):
            if text == "raise":
                raise ValueError(text)
            return f"host {text}"

    return Host


def ours(owner, load):
    return Wrapped(owner, "encode", lambda original, host, args, kwargs: f"{load}({original(host, *args, **kwargs)})")


def theirs(inner):
    @functools.wraps(inner)
    def encode(self, text):
        return f"theirs({inner(self, text)})"

    return encode


@pytest.mark.parametrize("again", [False, True])
def test_who_puts_back_a_wrapper_of_a_former_load_has_that_of_now(host, again):
    first = ours(host, "one")
    kept = vars(host)["encode"]
    host.encode = theirs(kept)
    assert host().encode("x") == "theirs(one(host x))"
    first.remove()
    assert host().encode("x") == "theirs(host x)"
    second = ours(host, "two")
    assert host().encode("x") == "two(theirs(host x))"
    host.encode = theirs(kept) if again else kept
    assert host().encode("x") == ("theirs(two(host x))" if again else "two(host x)")
    second.remove()
    assert "two" not in host().encode("x")


@pytest.mark.parametrize("theirs_first", [False, True])
def test_who_puts_back_what_was_there_before_us_has_us_again(host, theirs_first):
    own = vars(host)["encode"]
    if theirs_first:
        host.encode = theirs(own)
    before = vars(host)["encode"]
    load = ours(host, "one")
    for kept in (before, own):
        host.encode = kept
        assert "one" not in host().encode("x")
        load.renew()
        assert host().encode("x") == f"one({kept(host(), 'x')})"
    load.remove()
    assert vars(host)["encode"] is own


@pytest.mark.parametrize("around", [lambda inner: inner, theirs, lambda inner: lambda self, text: inner(self, text)])
def test_who_is_around_us_stays_there(host, around):
    load = ours(host, "one")
    outermost = host.encode = around(vars(host)["encode"])
    for _ in range(3):
        load.renew()
        assert vars(host)["encode"] is outermost and host().encode("x").count("one") == 1


def test_nothing_is_left_of_it(host):
    before = dict(vars(host))
    for _ in range(2):
        ours(host, "one").remove()
        assert dict(vars(host)) == before


def test_it_acts_again_after_what_is_raised_in_it(host):
    ours(host, "one")
    with pytest.raises(ValueError, match="raise"):
        host().encode("raise")
    assert host().encode("x") == "one(host x)"
