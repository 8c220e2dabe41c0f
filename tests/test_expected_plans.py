"""The counts of plans near the mean load, against all plans of small layers."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from tests.measure_expected_plans import excess_by_patterns, expected_excess, log_plans, patterns_within


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


def plans_of(counts, patterns):
    """How many multisets of patterns place every replica, first those of the first expert, in order."""
    through = [[(k, row) for k, row in enumerate(patterns) if e in row] for e in range(len(counts))]

    @cache
    def number(left, start):
        if not any(left):
            return 1
        first, found = next(e for e, count in enumerate(left) if count), 0
        for k, row in through[first]:
            if k >= start and all(left[e] for e in row):
                after = tuple(count - (e in row) for e, count in enumerate(left))
                found += number(after, k if after[first] else 0)
        return found

    return number(tuple(counts), 0)


@pytest.mark.parametrize(("size", "num_gpus", "experts"), [(2, 6, 10), (3, 5, 12), (4, 4, 13)])
@pytest.mark.parametrize("excess", [0.3, 0.1])
@pytest.mark.parametrize("windows", [1, 2])
def test_the_logarithm_of_plans_is_near_that_of_all_of_them(size, num_gpus, experts, excess, windows):
    loads = np.random.default_rng(0).uniform(0.5, 1.5, (windows, experts))
    counts = np.ones(experts, dtype=np.int64)
    while counts.sum() < size * num_gpus:
        counts[np.argmax(loads[0] / counts)] += 1
    replicas = (loads / loads.sum(axis=1, keepdims=True) * num_gpus / counts).T
    patterns = patterns_within(replicas, np.full(windows, -1.0), np.full(windows, 1 + excess), size)
    sets = [s for s in combinations(range(experts), size) if (replicas[list(s)].sum(axis=0) <= 1 + excess).all()]
    assert sorted(map(tuple, np.sort(patterns, axis=1).tolist())) == sets
    number, estimate = plans_of(counts.tolist(), sets), log_plans(counts, patterns, num_gpus)
    if number > 100:
        assert estimate == pytest.approx(np.log(number), abs=1.5)
    else:
        assert estimate < np.log(100) + 1.5


def test_one_plan_is_expected_where_they_run_out():
    random = np.random.default_rng(0)
    loads, deployment = random.uniform(0.5, 1.5, (1, 12)), Deployment(4, 12)
    slots = random.permutation(12)
    plans = np.array(list(all_plans(tuple(range(12)), 3)))
    best = (loads[0] / loads[0].mean() / 3)[plans].sum(axis=2).max(axis=1).min() - 1
    # The number of plans is the third power of the excess, of which a third is one plan of 27.
    assert best / 3 < excess_by_patterns(loads, slots, deployment) < 3 * best
