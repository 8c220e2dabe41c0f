"""Assignment for several windows: the best of all assignments, by enumeration."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from eplb_opt.kernels.window_assignment import assign_windows

PLENTY = 10**7


def all_deals(items, num):
    """Every way to give each of `num` GPUs as many of the items, which are told apart."""
    if not items:
        yield ()
        return
    for mine in combinations(items, len(items) // num):
        for others in all_deals([item for item in items if item not in mine], num - 1):
            yield mine, *others


@cache
def deals_of(items, num):
    """All deals of so many items, (deals, GPUs, items per GPU)."""
    return np.array(list(all_deals(range(items), num)))


def values_of(tops, weights):
    """The objective of the largest loads of each window, (..., windows)."""
    return tops.max(axis=-1) if weights[0] == 0 else tops @ weights


def best_of_all(share, weights, assigned, allowed, base, rest, distinct):
    """The least value of any assignment, infinite where there is none."""
    deals = deals_of(len(assigned), len(base))
    valid = allowed[deals, np.arange(len(base))[:, np.newaxis]].all(axis=(1, 2))
    if distinct:
        of_gpu = np.sort(assigned[deals], axis=2)
        valid &= (of_gpu[:, :, 1:] != of_gpu[:, :, :-1]).all(axis=(1, 2))
    loads = base + share[assigned[deals[valid]]].sum(axis=2)
    return values_of(np.maximum(rest, loads.max(axis=1)), weights).min(initial=np.inf)


def random_deal(random, num, each, alike, distinct):
    """Replicas of few experts, which follow each other; loads tie now and then."""
    windows = int(random.integers(1, 4))
    experts = int(random.integers(each, num * each + 1))
    assigned = np.concatenate([np.arange(experts), random.integers(0, experts, num * each - experts)])
    assigned = np.sort(assigned)
    share = (
        random.integers(0, 9, (experts, windows)) / 4 if random.random() < 0.3 else random.random((experts, windows))
    )
    base = np.zeros((num, windows)) if alike else random.random((num, windows))
    of_expert = np.ones((experts, num), dtype=bool) if alike or not distinct else random.random((experts, num)) < 0.8
    weights = np.zeros(windows) if random.random() < 0.5 else random.dirichlet(np.ones(windows))
    rest = random.random(windows) * each
    return share, weights, assigned, of_expert[assigned], base, rest


def assigned(case, alike, distinct, limit, nodes=PLENTY):
    """Whether an assignment is found, and the GPUs of the replicas."""
    share, weights, replicas, allowed, base, rest = case
    gpu_of, left = np.full(replicas.size, -1), np.full(1, nodes)
    found = assign_windows(share, weights, replicas, allowed, base, rest, alike, distinct, limit, left, gpu_of)
    return found, gpu_of


@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize(("num", "each"), [(2, 1), (2, 3), (2, 4), (3, 2), (3, 3), (4, 2)])
def test_no_deal_is_better(num, each, alike, distinct):
    random = np.random.default_rng(100 * num + each)
    solvable = 0
    for _ in range(40):
        case = random_deal(random, num, each, alike, distinct)
        best = best_of_all(*case, distinct)
        found, gpu_of = assigned(case, alike, distinct, np.inf if best == np.inf else best * 1.5 + 1)
        assert found == (best < np.inf)
        if not found:
            continue
        solvable += 1
        share, weights, replicas, allowed, base, rest = case
        assert np.bincount(gpu_of, minlength=num).tolist() == [each] * num
        assert allowed[np.arange(replicas.size), gpu_of].all()
        if distinct:
            assert len(set(zip(replicas.tolist(), gpu_of.tolist(), strict=True))) == replicas.size
        loads = base.copy()
        np.add.at(loads, gpu_of, share[replicas])
        assert values_of(np.maximum(rest, loads.max(axis=0)), weights) == pytest.approx(best)
        # Nothing is below the best.
        assert not assigned(case, alike, distinct, best * (1 - 1e-9))[0]
    assert solvable >= 10


def test_three_gpus_of_nine_slots_are_searched_whole():
    random = np.random.default_rng(0)
    share = random.random((27, 1))
    case = (share, np.zeros(1), np.arange(27), np.ones((27, 3), dtype=bool), np.zeros((3, 1)), np.zeros(1))
    mean = share.sum() / 3
    found, gpu_of = assigned(case, True, True, mean * 1.00001)
    assert found
    assert np.bincount(gpu_of, weights=share[:, 0]).max() < mean * 1.00001


def test_nodes_end_the_search():
    random = np.random.default_rng(1)
    case = random_deal(random, 3, 9, True, True)
    assert not assigned(case, True, True, np.inf, nodes=1)[0]
