"""Reports of small recordings, made once."""

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.loads import Loads
from eplb_opt.report import make_report


def recorded(windows=1, layers=3, experts=16, seed=0):
    """Loads of decoder layers 3, 4, ..., skewed, with a source."""
    values = np.random.default_rng(seed).lognormal(6, 1, (windows, layers, experts)).astype(int)
    return Loads(values, tuple(range(3, 3 + layers)), "decode.json")


@pytest.fixture(scope="session")
def hierarchical():
    """One window, three layers, groups bound to two nodes."""
    return make_report(recorded(), Deployment(4, 20, 2, 4), time_limit=4, command="eplb-opt report decode.json")


@pytest.fixture(scope="session")
def several():
    """Three windows of which one has no load in a layer, any expert on any GPU."""
    loads = recorded(windows=3)
    values = loads.values.copy()
    values[1, 2] = 0
    return make_report(Loads(values, loads.layer_ids), Deployment(4, 20), time_limit=4)


@pytest.fixture(scope="session")
def hierarchical_html(hierarchical):
    """Its page, whose figures are drawn once."""
    return hierarchical.to_html()
