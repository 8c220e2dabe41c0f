"""Loads as figures draw them agree with the exact metrics."""

import numpy as np
import pytest
from hypothesis import given

from eplb_opt.evaluate import evaluate
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.report.shares import expert_loads, gpu_loads, with_load
from tests.examples import examples
from tests.strategies import SMALL, TOKENS, instances


@examples(25)
@given(instances(max_windows=3, kinds=(SMALL, TOKENS)))
def test_the_hottest_gpu_is_the_mean_imbalance_of_loaded_windows_and_the_mean_gpu_is_one(instance):
    loads = Loads(np.array(instance.weights)[:, np.newaxis])
    plan = Plan(greedy(instance.total())[np.newaxis], instance.deployment, instance.num_experts)
    ratios = gpu_loads(plan, loads)
    metrics = evaluate(plan, loads)
    assert ratios[0, 0] == pytest.approx(metrics["imbalance"].mean(), nan_ok=True)
    for ratio in with_load(ratios):
        assert ratio.mean() == pytest.approx(1.0)
        assert (np.diff(ratio) <= 1e-9).all()


def test_experts_are_in_means_of_their_layer_and_window():
    # Window 0: mean 2; window 1: mean 20. The second layer has load in window 1 alone, the third has none.
    loads = [[[1, 3], [0, 0], [0, 0]], [[30, 10], [0, 8], [0, 0]]]
    ratios = expert_loads(Loads(loads))
    assert with_load(ratios).tolist() == [[1.0, 1.0], [0.0, 2.0]]
    assert np.isnan(ratios[2]).all()
