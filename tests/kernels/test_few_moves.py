"""Steepest descent with few moves: each step is the best there is, found again by trying them all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.heuristics.moving import descended
from eplb_opt.heuristics.unequal import greedy_for_each
from eplb_opt.instance import Instance
from eplb_opt.move_limit import MoveLimit
from eplb_opt.plan import Plan
from eplb_opt.verify import max_loads
from tests.different_gpus import different, gpu_loads
from tests.examples import examples
from tests.strategies import deployments_and_experts, rows_of_slots


@st.composite
def layers(draw):
    """A layer of one window or two, on GPUs that are alike or not, a valid row, and targets in mean loads."""
    alike = draw(st.booleans())
    deployment, experts = draw(
        deployments_and_experts(max_experts=6, max_gpus=4, max_slots=10) if alike else different(max_slots=10)
    )
    windows = draw(st.integers(1, 2))
    loads = draw(
        st.lists(st.lists(st.integers(1, 30), min_size=experts, max_size=experts), min_size=windows, max_size=windows)
    )
    instance = Instance.from_loads(np.array(loads), deployment)
    targets = np.array(draw(st.lists(st.sampled_from([0.9, 1.0, 1.2]), min_size=windows, max_size=windows)))
    if alike:
        return instance, np.array(draw(rows_of_slots(instance))), targets
    # What is good for other loads.
    before = Instance.from_loads(draw(st.lists(st.integers(1, 30), min_size=experts, max_size=experts)), deployment)
    return instance, greedy_for_each(before), targets


def excess(instance, row, targets):
    """Of each GPU, what it carries above the targets, in mean loads."""
    loads = [gpu_loads(row.tolist(), instance, window) for window in range(instance.num_windows)]
    of_gpu = np.array([[float(load) for load in window] for window in loads])
    means = np.array([[float(mean)] for mean in instance.mean_loads])
    return np.maximum(of_gpu / means - targets[:, None], 0).sum(axis=0)


def neighbours(instance, row, hot):
    """Valid rows one exchange with a slot of a GPU away, or one further copy of what is there, or on it."""
    for slot in instance.deployment.gpus.span(hot):
        for other in range(row.size):
            swapped, there, here = row.copy(), row.copy(), row.copy()
            swapped[[slot, other]] = row[[other, slot]]
            there[other], here[slot] = row[slot], row[other]
            for new in (swapped, there, here):
                if not eplb_opt.verify(Plan(new[None], instance.deployment, instance.num_experts)):
                    yield new


@examples(80)
@given(layers(), st.integers(0, 6))
def test_every_step_takes_the_most_load_off_for_each_move(drawn, most):
    instance, before, targets = drawn
    gpus, row, limit = instance.deployment.gpus, before, MoveLimit(tuple(before.tolist()), most)
    for moves, new in descended(instance, (before, before), targets, most, 5):
        above = excess(instance, row, targets)

        def worth(candidate, row=row, above=above):
            spent = [limit.moves_of(one, gpus) for one in (candidate, row)]
            gain = above.sum() - excess(instance, candidate, targets).sum()
            return gain / max(spent[0] - spent[1], 0.3) if spent[0] <= max(most, spent[1]) else 0.0

        hottest = np.flatnonzero(above >= above.max() - 1e-9)
        assert moves == limit.moves_of(new, gpus) <= most
        best = [max(map(worth, neighbours(instance, row, hot)), default=0.0) for hot in hottest]
        assert worth(new) > 0 and any(worth(new) == pytest.approx(one, rel=1e-6, abs=1e-7) for one in best)
        row = new


def test_a_hot_expert_is_exchanged_or_copied_where_that_is_all_it_takes():
    # Two GPUs carry 9 + 3 and 1 + 3: the 3 and the 1 change places, two moves, and the excess above 9 is 1.
    deployment = eplb_opt.Deployment(2, 4)
    instance, before = Instance.from_loads([9, 3, 1, 3], deployment), np.array([0, 1, 2, 3])
    ((moves, row),) = descended(instance, (before, before), np.array([9 / 8]), 4, 1)
    assert (moves, max_loads(row.tolist(), instance)[0]) == (2, 10)
    # A second replica of the 9 in the place of one of the 3, one move: 4.5 + 3 + 0.5 on both.
    deployment = eplb_opt.Deployment(2, 6)
    instance = Instance.from_loads([9, 3, 1, 3], deployment)
    before = np.array([0, 1, 2, 3, 2, 1])
    ((moves, row),) = descended(instance, (before, before), np.array([1.0]), 1, 1)
    assert (moves, sorted(row[3:].tolist())) == (1, [0, 2, 3])


def test_nothing_is_done_without_moves_or_without_need():
    deployment = eplb_opt.Deployment(2, 4)
    instance, before = Instance.from_loads([9, 3, 1, 3], deployment), np.array([0, 1, 2, 3])
    assert not list(descended(instance, (before, before), np.array([1.0]), 0, 5))
    assert not list(descended(instance, (before, before), np.array([1.5]), 4, 5))


def test_a_token_weighs_twice_on_a_gpu_of_half_the_speed():
    # 10 tokens wait on the first GPU and 4 on the second, which are 8. The 4 and the 3 exchanged are 9 and 10, so that
    # at most 9 is out of reach; on a GPU of speed 1 it would be 9 and 5.
    before = np.array([0, 1, 2, 3])
    for speeds, found in (([1, "1/2"], []), (None, [2])):
        instance = Instance.from_loads([6, 4, 1, 3], eplb_opt.Deployment(2, 4, gpu_speeds=speeds))
        target = np.array([float(9 / instance.mean_loads[0])])
        assert [moves for moves, _ in descended(instance, (before, before), target, 4, 4)] == found
