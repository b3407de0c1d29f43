"""tests/run goes on after a suite that failed, and says of each how it went."""

import re
import sys

import pytest

from tests import flavours, suites
from tests.suites import Suite

GOOD = Suite("good", "", (sys.executable, "-c", "print('3 passed')"))
BAD = Suite("bad", "pins", (sys.executable, "-c", "import sys; print('1 of 3 failed'); sys.exit(2)"))
MISSING = Suite("missing", "", ("no-such-program",))


@pytest.mark.parametrize(
    "run, code, last",
    [([GOOD], 0, "All passed"), ([BAD, GOOD], 1, "1 of 2 failed"), ([MISSING, BAD, GOOD], 1, "2 of 3 failed")],
)
def test_every_suite_is_run_named_and_summed_up(monkeypatch, capsys, run, code, last):
    monkeypatch.setattr(suites, "suites", lambda: iter(run))
    assert suites.main() == code
    told = re.sub(r" *\d+:\d\d", " 0:00", capsys.readouterr().out).splitlines()
    assert [line for line in told if line in ("== good", "== bad, pins", "== missing")] == [
        f"== {', '.join(filter(None, (suite.name, suite.pins)))}" for suite in run
    ]
    summary = told[told.index("== Summary") + 1 :]
    assert summary[-1] == f"{last}, in 0:00"
    assert len(summary) == len(run) + 1
    if GOOD in run:
        assert "passed 0:00  good: 3 passed" in summary
    if BAD in run:
        assert "FAILED 0:00  bad, pins: 1 of 3 failed" in summary
    if MISSING in run:
        assert any(line.startswith("FAILED 0:00  missing: ") and "no-such-program" in line for line in summary)


def test_every_file_of_tests_is_in_a_suite():
    """On the libraries of every host, or once."""
    words = [(suite.pins, word) for suite in suites.suites() for word in suite.command]
    for path in sorted(suites.TESTS.glob("*/test_*.py")):
        file = path.relative_to(suites.ROOT)
        if file.parts[1] == "live":  # needs a real WebUI
            continue
        pins = [pins for pins, word in words if word in (str(file), str(file.parent))]
        assert pins in (["sdnext"], ["rest"], [*suites.HOSTS]), file
        if file.parts[1] in ("host", "browser", "minihost") or file.name in ("test_taps.py", "test_drift.py"):
            assert pins == [*suites.HOSTS]


def test_every_flavour_has_libraries_on_which_it_is_tested():
    assert sorted(flavours.GRADIO.values()) == sorted(suites.HOSTS)
    assert flavours.own() in suites.HOSTS
