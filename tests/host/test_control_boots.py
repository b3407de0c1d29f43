"""Hosts of their own: SD.Next's tab "Control" without us, and after Reload UI."""

from __future__ import annotations

import sys

import minihost
from tests.conftest import ROOT

from .reference import used_conds
from .test_control import SD1, by_its_panel


def test_disabled_it_is_not_in_the_tab_and_nothing_is_left_in_the_hosts_list(data):
    (data / "config.json").unlink(missing_ok=True)
    with minihost.boot("sdnext", "sd1", extension=ROOT, data=data, argv=["--clip-skip-disable"]) as host:
        titles = [script.title() for script in host.module("scripts").scripts_control.scripts]
        assert "CLIP Skip" not in titles
        assert "CLIP Skip" not in sys.modules["installer"].control_extensions


def test_reload_ui_lists_it_once(data):
    (data / "config.json").unlink(missing_ok=True)
    with minihost.boot("sdnext", "sd1", extension=ROOT, data=data) as host:
        for _ in range(2):
            host.reload_ui()
        assert sys.modules["installer"].control_extensions.count("CLIP Skip") == 1
        by_its_panel(host, [True, '{"l": 3}'], SD1)
        used_conds(host, SD1, {"l": 3})
        assert host.errors == []
