"""Rebuilding: plans within limits and far below those of greedy rules, by the limits of all windows or their mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.joint import joint_plan
from eplb_opt.heuristics.rebuilding import LAST, rebuilt
from eplb_opt.heuristics.window_draws import Table, draw_gpus
from eplb_opt.objective import Objective
from tests.examples import examples
from tests.heuristics.test_wide_windows import layer_of


def drawn(random, objective, num_gpus, size, number, skew=1.0):
    """A draw of a plan by the joint greedy rule, and what the limits of that plan are."""
    instance = layer_of(random, Deployment(num_gpus, num_gpus * size), int(0.9 * num_gpus * size), 3, skew)
    windows = Objective(objective).windows(instance)
    slots = joint_plan(instance, Objective(objective))
    counts = np.bincount(slots, minlength=instance.num_experts)
    table = Table(slots.reshape(num_gpus, size).copy(), np.ascontiguousarray(windows.loads.T), counts)
    draw = None
    while draw is None:
        draw = draw_gpus(table, windows, number, 1.0, num_gpus, random)
    return table, windows, draw


@examples(40)
@given(
    st.sampled_from(["mean", "worst"]),
    st.sampled_from([(24, 4, 24), (30, 4, 22), (24, 5, 20)]),
    st.sampled_from([0.0, 0.5, 1.5]),
    st.integers(0, 2**32 - 1),
)
def test_plans_hold_the_same_items_within_the_limits(objective, shape, skew, seed):
    random = np.random.default_rng(seed)
    table, windows, draw = drawn(random, objective, *shape, skew)
    items, work = rebuilt(draw, random)
    assert 0 < work < 60
    if items is None:
        return
    assert sorted(items.ravel().tolist()) == list(range(draw.experts.size))
    assert all(len(set(row)) == len(row) for row in draw.experts[items].tolist())
    tops = draw.loads[items].sum(axis=1).max(axis=0)
    before = table.tops.copy()
    others = np.delete(table.loads, draw.members, axis=0)
    if draw.shares is None:
        assert (tops <= draw.most * (1 + 1e-9)).all()
        assert (others <= draw.most * (1 + 1e-9)).all()
    else:
        assert objective == "mean" and not others.size
        assert windows.shares @ tops <= windows.shares @ draw.most
    table.assign(draw, items)
    counts = np.bincount(table.slots.ravel(), minlength=table.counts.size)
    assert np.array_equal(counts, table.counts) and counts.min() >= 1
    value = max if windows.worst else np.array(windows.shares).dot
    assert value(table.tops) < value(before)


@pytest.mark.parametrize(("objective", "part"), [("mean", 0.2), ("worst", 0.3)])
def test_one_rebuilding_takes_much_of_what_a_greedy_plan_is_above_the_mean(objective, part):
    random, parts = np.random.default_rng(0), []
    for _ in range(6):
        table, windows, draw = drawn(random, objective, 40, 4, 40, 0.5)
        value = max if windows.worst else np.array(windows.shares).dot
        before = value(table.tops) - 1
        items, _ = rebuilt(draw, random)
        if items is not None:
            table.assign(draw, items)
        parts.append((value(table.tops) - 1) / before)
    assert np.median(parts) < part


def test_the_same_arguments_give_the_same_items():
    _, _, draw = drawn(np.random.default_rng(1), "mean", 24, 4, 24)
    first, second = (rebuilt(draw, np.random.default_rng(2))[0] for _ in range(2))
    assert first is not None and np.array_equal(first, second)


def test_limits_that_nothing_fits_are_given_up():
    random = np.random.default_rng(0)
    _, _, draw = drawn(random, "worst", 24, 4, 24)
    # One expert is heavier than any limit.
    draw.loads[0] = 2 * draw.most
    items, work = rebuilt(draw, random)
    assert items is None and work < 1
    assert len(draw.members) > LAST
