"""Bounds over several windows are never above the best placement."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.quick import adams_bound, quick_bounds
from eplb_opt.bounds.windows import envelope_bound, window_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.proof import strongest
from eplb_opt.verify import objective_value
from tests.examples import examples
from tests.oracle import enumerate_rows
from tests.strategies import SMALL, TOKENS, instances


@examples(40)
@given(
    instances(min_windows=1, max_windows=3, kinds=(SMALL, TOKENS), max_experts=4, max_slots=6),
    st.sampled_from(["mean", "worst"]),
)
def test_no_placement_is_below_a_bound(instance, objective):
    optimum = min(objective_value(row, instance, objective) for row in enumerate_rows(instance))
    for proof in window_bounds(instance, objective):
        assert proof.bound <= optimum
        assert proof.checked


@given(instances(kinds=(SMALL, TOKENS)), st.sampled_from(["mean", "worst"]))
def test_one_window_has_the_bound_of_its_total(instance, objective):
    (mean,) = instance.mean_loads
    expected = strongest(*quick_bounds(instance)).bound / mean if mean else 1
    assert max(proof.bound for proof in window_bounds(instance, objective)) == expected


def test_the_envelope_sees_different_hot_experts_at_different_times():
    # Each window alone: one hot expert of 6 with three replicas, 2 on each GPU. Together both need three: eight slots.
    instance = Instance.from_loads([[6, 0, 1, 1], [0, 6, 1, 1]], Deployment(4, 4))
    assert envelope_bound(instance.windows()) == 6
    instance = Instance.from_loads([[6, 0, 1, 1], [0, 6, 1, 1]], Deployment(6, 6))
    # Six slots: the hot experts have two each.
    assert envelope_bound(instance.windows()) == 3
    assert strongest(*window_bounds(instance, "worst")).argument == "envelope"


def test_windows_share_one_partition_of_the_groups():
    # Two of four groups on each of two nodes with one GPU: each window has two good partitions, and no two agree.
    loads = [[3, 3, 1, 1], [3, 1, 3, 1], [3, 1, 1, 3]]
    instance = Instance.from_loads(loads, Deployment(2, 4, num_nodes=2, num_groups=4))
    mean, worst = (strongest(*window_bounds(instance, objective)) for objective in ("mean", "worst"))
    assert (mean.argument, mean.bound) == ("window partition", Fraction(1 + 1 + Fraction(3, 2), 3))
    assert (worst.argument, worst.bound) == ("window partition", Fraction(3, 2))
    for proof, objective in ((mean, "mean"), (worst, "worst")):
        assert proof.bound == min(objective_value(row, instance, objective) for row in enumerate_rows(instance))
    weighted = window_bounds(instance, "mean", (Fraction(1), Fraction(1), Fraction(2)))
    # The first or second window is the hot one then.
    assert strongest(*weighted).bound == Fraction(Fraction(3, 2) + 1 + 2, 4)


@examples(25)
@given(
    instances(min_windows=2, max_windows=3, kinds=(SMALL, TOKENS), hierarchical=True, max_nodes=2),
    st.sampled_from(["mean", "worst"]),
)
def test_one_partition_for_all_windows_is_at_least_as_strong(instance, objective):
    bounds = {proof.argument: proof.bound for proof in window_bounds(instance, objective)}
    assert bounds.get("window partition", bounds["windows"]) >= bounds["windows"]


def test_windows_without_load_are_left_out():
    deployment = Deployment(2, 4)
    loads = np.array([[3, 1, 1], [0, 0, 0], [1, 1, 3]])
    some, all_ = (Instance.from_loads(values, deployment) for values in (loads[[0, 2]], loads))
    for objective in ("mean", "worst"):
        assert window_bounds(some, objective) == window_bounds(all_, objective)
        nothing = Instance.from_loads(loads[1:2], deployment)
        assert strongest(*window_bounds(nothing, objective)).bound == 1


@pytest.mark.parametrize("objective", ["mean", "worst"])
def test_doubling_loads_or_windows_changes_no_bound(objective):
    loads = np.random.default_rng(0).integers(0, 1000, (3, 12))
    deployment = Deployment(4, 16)
    expected = window_bounds(Instance.from_loads(loads, deployment), objective)
    for other in (2 * loads, loads[::-1], np.concatenate([loads, loads])):
        assert window_bounds(Instance.from_loads(other, deployment), objective) == expected


def test_nodes_of_many_windows_are_bounded_by_their_means():
    # Four of eight groups are hot in all windows: two of a node's make it half as hot again as the mean, one is enough.
    loads = np.repeat([[3, 3, 3, 3, 1, 1, 1, 1]], 8, axis=0).repeat(4, axis=1)
    deployment = Deployment(16, 48, num_nodes=4, num_groups=8)
    few, many = (Instance.from_loads(windows, deployment) for windows in (loads, np.repeat(loads, 5, axis=0)))
    for objective in ("mean", "worst"):
        bounds = [
            {proof.argument: proof.bound for proof in window_bounds(instance, objective)} for instance in (few, many)
        ]
        assert bounds[0]["window partition"] == bounds[1]["window partition"] == 1
    hot = loads.copy()
    hot[:, :20] *= 3
    for objective in ("mean", "worst"):
        few, many = (
            strongest(*window_bounds(Instance.from_loads(windows, deployment), objective)).bound
            for windows in (hot, np.repeat(hot, 5, axis=0))
        )
        assert 1 < many <= few


@examples(25)
@given(instances(min_windows=2, max_windows=4, kinds=(SMALL, TOKENS)))
def test_windows_in_units_of_their_own_have_the_bounds_of_one_unit(instance):
    instance = instance.loaded()
    if instance.num_windows == 1 or not any(instance.weights[0]):
        return
    together = instance.in_mean_loads()
    found = {proof.argument: proof.bound for proof in window_bounds(instance, "worst")}
    hottest = tuple(map(max, zip(*together.weights, strict=True)))
    assert found["envelope"] == adams_bound(replace(together, weights=(hottest,)))
    assert found["windows"] == max(strongest(*quick_bounds(window)).bound for window in together.windows())


def test_many_windows_of_different_totals_have_a_bound_soon():
    loads = np.random.default_rng(0).integers(0, 10**6, (400, 256))
    bounds = window_bounds(Instance.from_loads(loads, Deployment(32, 288)), "mean")
    assert strongest(*bounds).bound >= 1
