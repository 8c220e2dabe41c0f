"""The policy that SGLang ships, as a method of one's own, is worth what the row ``lpt`` of the registry is."""

import importlib.util

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from tests.engines.parsers import FOLDER, require

require("sglang")

LOADS = np.random.default_rng(7).lognormal(6, 1, (1, 5, 64)).round()


@pytest.fixture(scope="module")
def policy():
    path = FOLDER / "sglang" / "sglang" / "srt" / "eplb" / "eplb_algorithms" / "deepseek.py"
    spec = importlib.util.spec_from_file_location("deepseek_of_sglang", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def policy(weight, num_replicas, num_groups, num_nodes, num_gpus):
        bound = num_nodes > 1 and num_groups % num_nodes == 0
        sizes = num_replicas, num_groups, num_nodes, num_gpus
        return module.rebalance_experts(weight, *sizes, enable_hierarchical=bound)

    return policy


@pytest.mark.parametrize("shape", [(16, 80), (16, 96, 4, 8), (16, 80, 3, 8)])
def test_its_plans_are_worth_what_the_registry_says(policy, shape):
    frame = eplb_opt.compare(LOADS, Deployment(*shape, distinct=False), ["lpt", policy], time_limit=0.1)
    of = {name: rows.reset_index() for name, rows in frame.groupby("method")}
    assert (frame["error"] == "").all()
    # Replicas of equal load may change places, as its sort leaves their order open: that changes no load.
    for figure in ("objective", "balancedness", "slot_balancedness"):
        assert of["policy"][figure].to_numpy() == pytest.approx(of["lpt"][figure].to_numpy(), rel=1e-9), figure
