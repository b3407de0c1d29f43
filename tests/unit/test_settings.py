"""Settings are read at use time and never trusted: hosts differ in what an unregistered or broken option does."""

from types import SimpleNamespace

import pytest

from clip_skip.interfaces.settings import DEFAULT_MODE, ENABLED, SETTINGS, SLIDER_MAXIMUM


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_an_unregistered_option_reads_as_its_default(setting):
    assert setting.value(SimpleNamespace()) == setting.default
    assert setting.key.startswith("clip_skip_ext_")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_the_webuis_own_search_finds_each_by_our_name(setting):
    """It shows what it finds without what stands beside that, so that each has to say what it is of."""
    assert "CLIP Skip" in setting.label


def test_no_two_are_called_the_same_and_none_says_what_another_says():
    for words in ([s.label for s in SETTINGS], [s.help for s in SETTINGS if s.help and s.help != "needs Reload UI"]):
        assert len(set(words)) == len(words)


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
