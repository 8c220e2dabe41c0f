"""The optimal split: the value of a row against every cut, against another solver, and against the even split."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.flow import MaximumFlow
from eplb_opt.instance import Instance
from eplb_opt.kernels.fair_split import split_of
from eplb_opt.verify import gpu_loads, max_loads
from tests.examples import examples
from tests.strategies import instances, rows_of_slots


def under(dispatch, instance):
    return replace(instance, deployment=replace(instance.deployment, dispatch=dispatch))


def gpus_of(row, instance):
    """The GPUs that hold each expert."""
    size = instance.deployment.slots_per_gpu
    return [{slot // size for slot, held in enumerate(row) if held == e} for e in range(instance.num_experts)]


def largest_cut(row, instance, window=0):
    """max over sets A of experts of w(A) / |N(A)|, in tokens: the value of the row, as of a transportation problem."""
    weights, places = instance.weights[window], gpus_of(row, instance)
    experts = range(len(weights))
    return instance.unit * max(
        Fraction(sum(weights[e] for e in chosen), len(set().union(*(places[e] for e in chosen))))
        for number in range(1, len(weights) + 1)
        for chosen in combinations(experts, number)
    )


@examples(150)
@given(st.data())
def test_the_value_of_a_row_is_its_largest_cut(data):
    instance = under("optimal", data.draw(instances()))
    row = data.draw(rows_of_slots(instance))
    expected = tuple(largest_cut(row, instance, window) for window in range(instance.num_windows))
    assert max_loads(row, instance) == expected


@examples(100)
@given(st.data())
def test_a_split_that_reaches_the_value_serves_everything_where_it_is_held(data):
    instance = under("optimal", data.draw(instances()))
    row = data.draw(rows_of_slots(instance))
    for window, (loads, top) in enumerate(zip(gpu_loads(row, instance), max_loads(row, instance), strict=True)):
        assert max(loads) == top
        assert sum(loads) == sum(instance.weights[window]) * instance.unit
        # Whatever set of GPUs: they serve at least the experts that are nowhere else.
        gpus = range(instance.deployment.num_gpus)
        for chosen in (set(c) for n in range(1, len(gpus)) for c in combinations(gpus, n)):
            bound = sum(
                w for w, held in zip(instance.weights[window], gpus_of(row, instance), strict=True) if held <= chosen
            )
            assert sum(loads[gpu] for gpu in chosen) >= bound * instance.unit


@examples(100)
@given(st.data())
def test_the_optimal_split_is_between_every_bound_and_the_even_split(data):
    instance = data.draw(instances())
    row = data.draw(rows_of_slots(instance))
    value = max_loads(row, under("optimal", instance))[0]
    assert value <= max_loads(row, under("even", instance))[0]
    assert all(proof.bound <= value for proof in quick_bounds(under("optimal", instance)))


def random_row(random, deployment, experts):
    row = np.concatenate([np.arange(experts), random.integers(0, experts, deployment.num_slots - experts)])
    random.shuffle(row)
    return row


@pytest.mark.parametrize("seed", range(6))
def test_the_linear_program_solved_by_highs_has_the_same_value(seed):
    highspy = pytest.importorskip("highspy")
    random = np.random.default_rng(seed)
    deployment = Deployment(12, 60, distinct=False, dispatch="optimal")
    row = random_row(random, deployment, 40)
    loads = random.lognormal(sigma=1.5, size=40)
    instance = Instance.from_loads(loads, deployment)
    solver = highspy.Highs()
    solver.silent()
    top = solver.addVariable(lb=0)
    carried = [[] for _ in range(12)]
    for load, gpus in zip(loads, gpus_of(row, instance), strict=True):
        flows = {gpu: solver.addVariable(lb=0) for gpu in gpus}
        solver.addConstr(sum(flows.values()) == float(load))
        for gpu, flow in flows.items():
            carried[gpu].append(flow)
    for flows in carried:
        solver.addConstr(sum(flows) <= top)
    solver.minimize(top)
    assert float(max_loads(row.tolist(), instance)[0]) == pytest.approx(solver.val(top), rel=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_is_a_certificate_in_integers(seed):
    """Its GPUs hold its experts alone and are full, so that what is left has nowhere to go."""
    random = np.random.default_rng(seed)
    gpus = [sorted({int(g) for g in random.integers(0, 6, random.integers(1, 4))}) for _ in range(10)]
    loads, room = random.integers(0, 100, 10).tolist(), random.integers(0, 100, 6).tolist()
    flow = MaximumFlow(loads, gpus, room)
    sent = [sum(flows.values()) for flows in flow.flows]
    assert [one + left for one, left in zip(sent, flow.left, strict=True)] == loads
    assert all(amount >= 0 for flows in flow.flows for amount in flows.values())
    for gpu, most in enumerate(room):
        assert sum(flows.get(gpu, 0) for flows in flow.flows) + flow.room[gpu] == most
        assert flow.room[gpu] >= 0
    cut = flow.cut()
    reached = {gpu for expert in cut for gpu in gpus[expert]}
    assert sum(loads[e] for e in cut) - sum(room[g] for g in reached) == sum(flow.left)


@pytest.mark.parametrize(
    ("loads", "deployment"),
    [
        ([0, 0, 0], Deployment(3, 6, dispatch="optimal")),
        ([5, 7], Deployment(1, 2, dispatch="optimal")),
        ([2**53, 2**53 - 1, 1], Deployment(2, 4, dispatch="optimal")),
        ([2.0**900, 2.0**-900, 3.0], Deployment(2, 4, dispatch="optimal")),
        ([0.1, 0.2], Deployment(2, 4, distinct=False, dispatch="optimal")),
        ([0.1, 0.2, 0.7, 1e-300], Deployment(4, 8, 2, 2, "hierarchical", dispatch="optimal")),
    ],
)
def test_odd_loads_are_exact(loads, deployment):
    instance = Instance.from_loads(loads, deployment)
    in_turn = [e % len(loads) for e in range(deployment.num_slots)]
    row = [0, 1, 1, 0, 2, 3, 2, 3] if deployment.hierarchical else in_turn
    assert max_loads(row, instance)[0] == largest_cut(row, instance)


def test_two_copies_on_one_gpu_are_one():
    instance = Instance.from_loads([6, 2, 1], Deployment(2, 4, distinct=False, dispatch="optimal"))
    assert gpu_loads([0, 0, 1, 2], instance) == [[6, 3]]
    assert max_loads([0, 1, 0, 2], instance) == (Fraction(9, 2),)


@pytest.mark.parametrize("seed", range(10))
def test_the_split_of_compiled_code_is_as_cool_and_fair(seed):
    """Fair: a GPU that an expert flows to is no hotter than another one that holds it."""
    random = np.random.default_rng(seed)
    deployment = Deployment(12, 60, distinct=False, dispatch="optimal")
    row = random_row(random, deployment, 50)
    loads = random.lognormal(sigma=1.0, size=50)
    carried = np.zeros(12)
    split = split_of(loads, row, np.bincount(row, minlength=50), carried)
    value = float(max_loads(row.tolist(), Instance.from_loads(loads, deployment))[0])
    assert carried.max() == pytest.approx(value, rel=1e-7)
    assert carried.sum() == pytest.approx(loads.sum())
    for num, gpus, flows in zip(split.nums, split.gpus, split.flows, strict=True):
        coolest = carried[gpus[:num]].min()
        assert (carried[gpus[:num]][flows[:num] > 0] <= coolest * (1 + 1e-6)).all()
