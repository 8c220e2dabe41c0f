"""The whole model under the optimal split: the same optimum as brute force, whoever solves it, and as the search."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.backends import cpsat
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.formulations.scaling import EXACT_SOLVER_ROW_SUM, FLOAT_SOLVER_ROW_SUM
from eplb_opt.formulations.split import num_split_variables, split_assignment
from eplb_opt.instance import Instance
from eplb_opt.limits import Limits
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.formulations.test_assignment import violated_rows
from tests.oracle import enumerate_rows
from tests.strategies import instances, rows_of_slots

METHODS = ["auto", "cpsat", "pulp:HiGHS", "pulp:COIN_CMD"]


def under_optimal(instance):
    return replace(instance, deployment=replace(instance.deployment, dispatch="optimal"))


@cache
def optimum(instance):
    """The smallest value of any valid row; those that differ by an order of slots on a GPU, or of GPUs, once."""
    size = instance.deployment.slots_per_gpu
    ordered = instance.deployment.num_nodes == 1
    best = None
    for row in enumerate_rows(instance):
        gpus = [row[start : start + size] for start in range(0, len(row), size)]
        if any(list(gpu) != sorted(gpu) for gpu in gpus) or (ordered and gpus != sorted(gpus)):
            continue
        value = max_loads(row, instance)[0]
        best = value if best is None else min(best, value)
    return best


@examples(40)
@given(st.data())
def test_every_valid_row_below_upper_is_a_solution_and_reads_back(data):
    instance = under_optimal(data.draw(instances()))
    row = data.draw(rows_of_slots(instance))
    value = max_loads(row, instance)[0]
    lower = max(proof.bound for proof in quick_bounds(instance))
    for row_sum in (FLOAT_SOLVER_ROW_SUM, EXACT_SOLVER_ROW_SUM, 100):
        program = split_assignment(instance, upper=value, lower=lower, largest_row_sum=row_sum)
        values = program.values_of(row)
        assert set(values) == {variable.name for variable in program.problem.variables()}
        assert violated_rows(program, values) == []
        read = program.slots_of(values).reshape(instance.deployment.num_gpus, -1)
        assert np.array_equal(np.sort(read, axis=1), np.sort(np.array(row).reshape(read.shape), axis=1))
        # A bound on this row, and where nothing is rounded its value.
        bound = program.bound(values["T"])
        assert bound <= value
        assert bound == value or not program.exact
        assert len(program.x) + len(program.f) == num_split_variables(instance)


LAYERS = [
    ([9, 8, 1, 1, 1], Deployment(3, 6, dispatch="optimal")),
    ([10, 3, 3, 3, 2], Deployment(3, 6, dispatch="optimal")),
    ([31, 17, 11, 5, 3], Deployment(3, 6, distinct=False, dispatch="optimal")),
    ([70, 41, 13, 11, 7, 2], Deployment(4, 8, dispatch="optimal")),
    ([100, 37, 20, 19, 3], Deployment(2, 6, dispatch="optimal")),
    ([0.7, 0.41, 0.3, 0.11, 0.1], Deployment(3, 6, dispatch="optimal")),
    ([50, 21, 13, 9, 8, 1], Deployment(4, 8, 2, 2, "hierarchical", dispatch="optimal")),
    ([50, 21, 9, 8], Deployment(4, 8, 2, 4, "hierarchical", dispatch="optimal")),
    ([97, 53, 31, 29, 13, 11], Deployment(3, 6, dispatch="optimal")),
]


@pytest.mark.parametrize(("loads", "deployment"), LAYERS)
def test_search_and_every_solver_find_and_prove_the_optimum_of_brute_force(loads, deployment):
    best = optimum(Instance.from_loads(loads, deployment))
    for method in METHODS:
        (layer,) = eplb_opt.solve([loads], deployment, method=method, time_limit=30, target_gap=1e-6).layers
        assert layer.objective == best, method
        assert layer.lower_bound <= best, method
        assert float(layer.lower_bound) == pytest.approx(float(best), rel=1e-5), method


def test_some_of_these_layers_are_not_closed_by_an_instant_bound():
    """Else the test above would say nothing of the programs."""
    gaps = []
    for loads, deployment in LAYERS:
        instance = Instance.from_loads(loads, deployment)
        gaps.append(optimum(instance) > max(proof.bound for proof in quick_bounds(instance)))
    assert sum(gaps) >= 3


@pytest.mark.parametrize("seed", range(4))
def test_rounded_programs_still_bound(seed):
    """With room for few digits cuts are not whole: the bound stays below the optimum, and near it."""
    random = np.random.default_rng(seed)
    loads = random.integers(1, 10**6, 5).tolist()
    instance = Instance.from_loads(loads, Deployment(3, 6, dispatch="optimal"))
    best = optimum(instance)
    program = split_assignment(instance, upper=best, largest_row_sum=1000)
    assert not program.exact
    outcome = cpsat.solve(program.problem, None, Limits(30.0), lambda _values, _bound: None)
    assert outcome.verdict == "optimal"
    assert best * 0.98 <= program.bound(outcome.bound) <= best


def test_a_row_above_upper_is_no_warm_start():
    instance = Instance.from_loads([9, 1, 1, 1], Deployment(2, 4, distinct=False, dispatch="optimal"))
    program = split_assignment(instance, upper=instance.mean_loads[0])
    with pytest.raises(InvalidArgumentError, match="above the program's upper"):
        program.values_of([0, 1, 2, 3])


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank", "sglang-static"])
def test_programs_of_other_dispatches_are_refused(dispatch):
    with pytest.raises(InvalidArgumentError, match=f"has dispatch='{dispatch}'"):
        eplb_opt.solve([[3, 2, 1]], Deployment(2, 4, dispatch=dispatch), method="cpsat")
