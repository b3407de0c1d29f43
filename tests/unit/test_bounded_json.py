"""Texts from outside that are JSON: each is read by the one reader, which bounds what it reads."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_skip.interfaces.rest import routes
from clip_skip.interfaces.ui.controls import Controls
from clip_skip.models.inspect.evidence.metadata import skip_statements
from clip_skip.models.inspect.evidence.sidecars import read_sidecars
from clip_skip.models.inspect.formats.contents import ContentsError, load_object
from clip_skip.models.presets import document, foreign
from clip_skip.skip.request import parse
from clip_skip.text.bounded_json import MAX_COMMAS, MAX_DIGITS, MAX_JSON_CHARACTERS, decode, load
from tests.unit.test_layers import MODULES

DIGITS = "9" * 300_000
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture
def any_number_of_digits():
    """As before Python 3.10.7, which reads whole numbers of any length, in quadratic time."""
    limited = hasattr(sys, "set_int_max_str_digits")
    before = sys.get_int_max_str_digits() if limited else None
    if limited:
        sys.set_int_max_str_digits(0)
    yield
    if limited:
        sys.set_int_max_str_digits(before)


@given(VALUES, st.booleans())
def test_what_is_within_the_bounds_is_read_as_json_reads_it(value, as_bytes):
    text = json.dumps(value)
    read = load(text.encode() if as_bytes else text)
    assert json.dumps(read) == text  # ints stay ints, NaN stays one


@pytest.mark.parametrize(
    "text, why",
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[" + "0," * MAX_COMMAS + "0,0]", "values"),
        ("9" * (MAX_DIGITS + 1), "digits"),
        ("-" + "9" * (MAX_DIGITS + 1), "digits"),
        ('"' + "a" * MAX_JSON_CHARACTERS + '"', "longer"),
        ("", "Expecting value"),
        ("{", "Expecting"),
        (b"\xff", "decode"),
    ],
    ids=range(9),
)
def test_what_is_beyond_them_is_refused(text, why, any_number_of_digits):
    with pytest.raises(ValueError, match=why):
        load(text)
    assert decode(text) is None or isinstance(text, bytes)


def test_a_text_of_digits_is_no_number(any_number_of_digits):
    assert load(json.dumps({"note": DIGITS})) == {"note": DIGITS}
    assert load("9" * MAX_DIGITS) == int("9" * MAX_DIGITS)


# Where a text comes from outside: what each makes of one with a long number in it.


def presets_file(tmp_path):
    with pytest.raises(document.Unreadable, match="digits"):
        document.parse(f'{{"presets": {{"name:a": {{"of a newer version": {DIGITS}}}}}}}')


def rest_body(tmp_path):
    with pytest.raises(routes.Refused, match=r"no JSON: .*digits"):
        routes._parse("application/json", f'{{"x": {DIGITS}}}'.encode())


def job_options(tmp_path):
    assert [refusal.name for refusal in parse(True, f'{{"l": {DIGITS}}}').refusals] == ["options"]


def page(tmp_path):
    controls = Controls(seen=f'{{"slider": {DIGITS}, "tags": "<clip_skip:2>"}}')
    assert (controls.slider, controls.tags) == (None, "")


def header(tmp_path):
    with pytest.raises(ContentsError, match="digits"):
        load_object(f'{{"x": {DIGITS}}}'.encode())


def foreign_text(tmp_path):
    assert foreign.find(f'{{"clip_skip": {DIGITS}}}', "a.json") == []


def sidecar(tmp_path):
    (tmp_path / "a.civitai.info").write_text(f'{{"images": [], "clipSkip": {DIGITS}}}')
    assert read_sidecars(tmp_path / "a.safetensors").stated == ()


def metadata(tmp_path):
    assert skip_statements({"ot_config": f'{{"text_encoder_layer_skip": {DIGITS}}}'}, "sd1") == []


@pytest.mark.parametrize("place", [presets_file, rest_body, job_options, page, header, foreign_text, sidecar, metadata])
def test_no_place_makes_a_number_of_hundreds_of_thousands_of_digits(place, tmp_path, any_number_of_digits):
    """Behaviour, not time: what reads it whole takes it for a number, however long that takes."""
    place(tmp_path)


def test_nothing_else_reads_json_from_outside():
    """Only files and texts of our own are read without these bounds."""
    unbounded = {name for name, path in MODULES.items() if "json.loads(" in path.read_text()}
    assert unbounded == {
        "text.bounded_json",
        "interfaces.rest.routes",  # what was just written
        "models.inspect.evidence.known",  # the package's own table
        "models.inspect.evidence.listed",  # another
        "models.inspect.facts",  # the cache
        "models.inspect.formats.safetensors",  # bounded by its pattern
    }
