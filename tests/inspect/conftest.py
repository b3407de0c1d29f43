from __future__ import annotations

import pytest

from clip_skip.text.log import logger


@pytest.fixture(autouse=True)
def the_log_stays_as_it_was():
    """The command line sets up the log of its process, which here is that of all tests."""
    handlers, propagate, level = list(logger.handlers), logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)
