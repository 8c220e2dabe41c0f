"""The count of plans near the mean load, against all plans of small layers."""

from itertools import combinations

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from tests.measure_expected_plans import expected_excess


def all_plans(slots, size):
    """Every way to part slots into sets of a size."""
    if not slots:
        yield ()
        return
    for others in combinations(slots[1:], size - 1):
        chosen = (slots[0], *others)
        rest = tuple(slot for slot in slots if slot not in chosen)
        for plan in all_plans(rest, size):
            yield (chosen, *plan)


@pytest.mark.parametrize("windows", [1, 2])
def test_as_many_plans_are_near_the_mean_as_are_counted(windows):
    # Their number is a power of the excess, which is told to a fifth where only four GPUs are taken for normal.
    plans, power, excess = np.array(list(all_plans(tuple(range(12)), 3))), 3 * windows, 0.03
    found, counted = 0, 0.0
    for seed in range(100):
        loads = np.random.default_rng(seed).uniform(0.5, 1.5, (windows, 12))
        shares = loads / loads.mean(axis=1, keepdims=True) / 3
        hottest = shares[:, plans].sum(axis=3).max(axis=2)
        found += int((hottest < 1 + excess).all(axis=0).sum())
        counted += (excess / expected_excess(loads, np.arange(12), Deployment(4, 12))) ** power
    assert found > 50
    assert (counted / found) ** (1 / power) == pytest.approx(1.0, abs=0.2)
