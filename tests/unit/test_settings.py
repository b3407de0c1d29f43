"""Settings are read at use time and never trusted: hosts differ in what an unregistered or broken option does."""

from types import SimpleNamespace

import pytest

from clip_skip.interfaces.settings import DEFAULT_MODE, ENABLED, SETTINGS, SLIDER_MAXIMUM


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_an_unregistered_option_reads_as_its_default(setting):
    assert setting.value(SimpleNamespace()) == setting.default
    assert setting.key.startswith("clip_skip_ext_")


@pytest.mark.parametrize(
    "setting, stored, expected",
    [
        (ENABLED, False, False),
        (DEFAULT_MODE, "manual", "manual"),
        (DEFAULT_MODE, "sideways", "auto"),
        (SLIDER_MAXIMUM, 20, 20),
        (SLIDER_MAXIMUM, "20", 12),
        (SLIDER_MAXIMUM, -1, 12),
    ],
)
def test_a_stored_value_is_used_where_it_makes_sense(setting, stored, expected):
    assert setting.value(SimpleNamespace(**{setting.key: stored})) == expected
