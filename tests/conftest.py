from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

with suppress(ImportError):  # where the tests against a real WebUI run, there is none
    from hypothesis import HealthCheck, settings

    # A run says the same of the same code, however slow the machine is.
    settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("tests")


def pytest_collection_modifyitems(config, items):
    """Leave what another WebUI's libraries are for to the run on those."""
    from tests import flavours

    hosted = (ROOT / "tests" / "host", ROOT / "tests" / "minihost")
    elsewhere = [item for item in items if item.path.parent in hosted and not flavours.belongs(item)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in set(elsewhere)]
