"""Time of whole-model plans, beside a plain Python reading of the shipped policy: ``pytest -m slow``."""

from time import perf_counter

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.batch import place_layers
from eplb_opt.heuristics.registry import heuristic_of
from eplb_opt.instance import Instance
from tests.reference_policy import reference_max_load

LOADS = np.random.default_rng(0).lognormal(8, 1, (58, 256)).astype(int)
DEPLOYMENTS = {"global": Deployment(32, 288), "hierarchical": Deployment(32, 288, 4, 8)}


@pytest.mark.slow
@pytest.mark.parametrize("policy", DEPLOYMENTS)
@pytest.mark.parametrize("name", ["lpt", "adaptive", "descent"])
def test_a_whole_model_takes_milliseconds(benchmark, name, policy):
    place_layers(heuristic_of(name), LOADS.astype(float), DEPLOYMENTS[policy])
    benchmark(place_layers, heuristic_of(name), LOADS.astype(float), DEPLOYMENTS[policy])
    begin = perf_counter()
    reference_max_load(Instance.from_loads(LOADS[0], DEPLOYMENTS[policy]))
    plain = len(LOADS) * (perf_counter() - begin)
    benchmark.extra_info["plain Python, 58 layers, s"] = round(plain, 2)
    assert benchmark.stats.stats.min < plain / 50
