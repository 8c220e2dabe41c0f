"""Settings of the plug-ins' tests."""

import pytest

from eplb_opt.plugins.loading import warm_up
from eplb_opt.plugins.planner import TIME_LIMIT


@pytest.fixture(autouse=True, scope="session")
def compiled_code():
    """Tests that replace how it is loaded should not leave it missing for others."""
    warm_up()


@pytest.fixture(autouse=True)
def short_search(monkeypatch):
    """Most tests ask about rules, not for the last digit."""
    monkeypatch.setenv(TIME_LIMIT, "0.005")
