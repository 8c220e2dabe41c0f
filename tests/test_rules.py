"""Rules of `models/rules`: methods of one's own that come along."""

from pathlib import Path

import numpy as np
import pytest
import torch

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.io.method_file import read_method

SPILL = f"{Path(__file__).parents[1] / 'models' / 'rules' / 'spill.py'}:spill"


@pytest.fixture(scope="module")
def spill():
    return read_method(SPILL)


def test_the_hottest_gpu_spills_its_hottest_expert_onto_the_coolest_one(spill):
    # At home the GPUs carry 10 and 2. Half of expert 0 goes to the second, and both carry 6; then the first, which has
    # a slot left, takes half of expert 2.
    plan = spill(torch.tensor([[8.0, 2.0, 1.0, 1.0]]), 6, 1, 1, 2)
    assert plan.tolist() == [[0, 1, 2, 0, 2, 3]]


def test_spilled_experts_are_on_different_gpus_and_cooler_than_those_repeated_in_order(spill):
    loads = np.random.default_rng(3).lognormal(5, 1, (6, 48)).astype(int)
    table = eplb_opt.compare(loads, Deployment(8, 64), ["trivial", spill], time_limit=5)
    trivial, spilled = (table[table.method == method] for method in ("trivial", str(spill)))
    assert len(spilled) == 6 and not spilled.doubled.any()
    assert spilled.objective.sum() < trivial.objective.sum()
