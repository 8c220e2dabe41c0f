"""The whole model as a program: the same optimum as brute force, whoever solves it."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.formulations.assignment import assignment, num_variables
from eplb_opt.formulations.scaling import EXACT_SOLVER_ROW_SUM, FLOAT_SOLVER_ROW_SUM
from eplb_opt.heuristics.pipeline import greedy, greedy_plus_swap
from eplb_opt.instance import Instance
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.oracle import brute_force
from tests.programs import answer
from tests.strategies import DYADIC, HUGE, SMALL, TOKENS, instances, rows_of_slots


def value(slots, instance):
    return max_loads(list(slots), instance)[0]


def program_at(instance, upper, largest_row_sum=FLOAT_SOLVER_ROW_SUM):
    return assignment(instance, upper=upper, largest_row_sum=largest_row_sum)


def violated_rows(program, values):
    """Names of the rows, and bounds, that the values break."""
    totals = {
        name: (row.sense, sum(values[v.name] * c for v, c in row.items()) + row.constant)
        for name, row in program.problem.constraints.items()
    }
    rows = [name for name, (sense, total) in totals.items() if sense <= 0 < total or sense >= 0 > total]
    variables = program.problem.variables()
    return rows + [v.name for v in variables if not v.lowBound <= values[v.name] <= v.upBound]


@examples(40)
@given(st.data())
def test_every_valid_row_below_upper_is_a_solution_and_reads_back(data):
    instance = data.draw(instances())
    row = data.draw(rows_of_slots(instance))
    lower = max(proof.bound for proof in quick_bounds(instance))
    program = assignment(instance, upper=value(row, instance), lower=lower)
    values = program.values_of(row)
    assert set(values) == {variable.name for variable in program.problem.variables()}
    assert violated_rows(program, values) == []
    size = instance.deployment.slots_per_gpu
    read = program.slots_of(values).reshape(-1, size)
    assert np.array_equal(np.sort(read, axis=1), np.sort(np.array(row).reshape(-1, size), axis=1))
    # T in tokens is the true max load, or less by the rounding of at most one unit for each slot and one for T.
    top = program.bound(values["T"])
    assert top <= value(row, instance) <= top + Fraction(size + 1) / program.factor
    if program.exact:
        assert top == value(row, instance)


@examples(60)
@given(instances(kinds=(SMALL, TOKENS)))
def test_cpsat_and_highs_find_and_prove_the_brute_force_optimum(instance):
    optimum = brute_force(instance)
    upper = value(greedy_plus_swap(instance), instance)
    exact = program_at(instance, upper, EXACT_SOLVER_ROW_SUM).exact
    for method in ("cpsat", "pulp:HiGHS"):
        found = answer(instance, method)
        assert found.complete
        assert found.bound <= optimum <= found.value
        # HiGHS takes integers within tolerances; what it proves is reduced by a margin for them.
        loss = Fraction(0) if exact and method == "cpsat" else Fraction(1, 10**5)
        assert found.value - optimum <= loss * optimum
        assert optimum - found.bound <= loss * optimum


@examples(30)
@given(instances(kinds=(SMALL, TOKENS)))
def test_cbc_finds_the_brute_force_optimum(instance):
    optimum = brute_force(instance)
    found = answer(instance, "pulp:COIN_CMD")
    assert found.complete
    assert found.bound <= optimum <= found.value <= optimum * (1 + Fraction(1, 10**5))


@examples(25)
@given(instances(kinds=(HUGE, DYADIC)))
def test_rounded_loads_give_valid_bounds_and_plans_close_to_the_optimum(instance):
    optimum = brute_force(instance)
    found = answer(instance, "cpsat")
    assert found.bound <= optimum <= found.value
    assert found.value - found.bound <= Fraction(1, 10**5) * optimum


# With loads exact up to row sums of 2**31 the tolerances of these solvers made false bounds, and CBC false optima.
TOLERANT = [
    ([89710210, 83727910, 3299719], Deployment(2, 4)),
    ([3, 2, 10721337], Deployment(4, 8, distinct=False)),
    ([68767123, 5418757, 651772, 64689088], Deployment(4, 8)),
]


@pytest.mark.parametrize("method", ["cpsat", "pulp:HiGHS", "pulp:COIN_CMD"])
@pytest.mark.parametrize(("loads", "deployment"), TOLERANT)
def test_large_loads_make_no_solver_lie(loads, deployment, method):
    instance = Instance.from_loads(loads, deployment)
    optimum = brute_force(instance)
    found = answer(instance, method)
    assert found.bound <= optimum <= found.value


@examples(25)
@given(instances(), st.sampled_from(["pulp:HiGHS", "pulp:HiGHS", "pulp:COIN_CMD"]))
def test_no_solver_in_floating_point_claims_a_bound_above_the_optimum(instance, method):
    optimum = brute_force(instance)
    found = answer(instance, method)
    assert found.bound is None or found.bound <= optimum
    assert optimum <= found.value


def test_slots_row_forbids_a_third_expert_on_a_two_slot_gpu():
    instance = Instance.from_loads([4, 3, 2, 1], Deployment(2, 4))
    program = program_at(instance, Fraction(10))
    values = program.values_of([0, 3, 1, 2])
    values["x_1_1_0"], values["x_1_1_1"] = 1, 0
    assert violated_rows(program, values) == ["slots_0", "slots_1", "load_0"]


def test_place_row_demands_as_many_places_as_replicas():
    instance = Instance.from_loads([4, 3, 2], Deployment(2, 4))
    program = program_at(instance, Fraction(9))
    values = program.values_of([0, 1, 0, 2])
    values["x_0_2_0"] = 0
    assert "place_0_2" in violated_rows(program, values)


def test_home_row_keeps_replicas_on_the_node_of_their_group():
    deployment = Deployment(2, 4, num_nodes=2, num_groups=2)
    instance = Instance.from_loads([4, 3, 2, 1], deployment)
    program = program_at(instance, Fraction(10))
    values = program.values_of([0, 1, 2, 3])
    # Experts 1 and 2 change nodes.
    values |= {"x_1_1_0": 0, "x_1_1_1": 1, "x_2_1_0": 1, "x_2_1_1": 0}
    assert violated_rows(program, values) == ["home_1_1_1", "home_2_1_0"]


def test_distinct_replicas_are_the_bounds_of_x():
    loads = [20, 21, 69, 61]
    for distinct, most in ((True, 1), (False, 2)):
        instance = Instance.from_loads(loads, Deployment(3, 6, distinct=distinct))
        program = program_at(instance, Fraction(65))
        assert {int(x.upBound) for (_, r, _), x in program.x.items() if r == 2} == {most}


def test_lower_is_in_the_domain_of_t_and_in_no_row():
    instance = Instance.from_loads([20, 21, 69, 61], Deployment(3, 6))
    with_lower = assignment(instance, upper=Fraction(65), lower=Fraction(57))
    without = assignment(instance, upper=Fraction(65))
    assert with_lower.tops[0].lowBound == 57 * with_lower.factor
    assert list(with_lower.problem.constraints) == list(without.problem.constraints)


def test_an_upper_that_no_plan_reaches_is_refused():
    instance = Instance.from_loads([20, 21, 69, 61], Deployment(3, 6))
    with pytest.raises(InvalidArgumentError, match="no plan has a max load of at most 56"):
        program_at(instance, Fraction(56))


def test_a_row_above_upper_is_no_warm_start():
    instance = Instance.from_loads([600, 560, 120, 120, 20, 10, 10, 10], Deployment(8, 16))
    program = program_at(instance, Fraction(200))
    with pytest.raises(InvalidArgumentError, match="its max load is above"):
        program.values_of(greedy(instance).tolist())


@examples(25)
@given(instances())
def test_the_number_of_variables_is_known_before_building(instance):
    upper = value(greedy(instance), instance)
    program = program_at(instance, upper)
    assert num_variables(instance, upper) == len(program.x) + len(program.y)


@pytest.mark.parametrize("largest", [EXACT_SOLVER_ROW_SUM, FLOAT_SOLVER_ROW_SUM])
def test_rows_stay_below_what_the_solver_takes(largest):
    random = np.random.default_rng(0)
    instance = Instance.from_loads(random.integers(10**5, 10**7, 64), Deployment(8, 96))
    program = program_at(instance, value(greedy(instance), instance), largest)
    for row in program.problem.constraints.values():
        assert sum(abs(c) for c in row.values()) <= largest + 1


# The example of DeepSeek's EPLB README and two small cases; optima from method, brute force where it is feasible.
KNOWN = {
    "two hot experts": ([600, 560, 120, 120, 20, 10, 10, 10], Deployment(8, 16), Fraction(590, 3)),
    "distinct": ([20, 21, 69, 61], Deployment(3, 6), Fraction(65)),
    "copies": ([20, 21, 69, 61], Deployment(3, 6, distinct=False), Fraction(61)),
}
README = ([90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86], [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27])
for policy, optima in (("hierarchical", (151, Fraction(359, 2))), ("global", (136, 172))):
    for layer, optimum in enumerate(optima):
        KNOWN[f"README layer {layer} {policy}"] = (README[layer], Deployment(8, 16, 2, 4, policy), Fraction(optimum))


# HiGHS takes as long for this one as for all others together.
SLOW = ("pulp:HiGHS", "README layer 0 global")


@pytest.mark.parametrize(
    ("method", "name"),
    [
        pytest.param(*pair, marks=pytest.mark.slow if pair == SLOW else ())
        for pair in product(("cpsat", "pulp:HiGHS"), KNOWN)
    ],
)
def test_known_optima_are_reached_and_proven(method, name):
    loads, deployment, optimum = KNOWN[name]
    found = answer(Instance.from_loads(loads, deployment), method, seconds=120)
    assert (found.value, found.bound, found.complete) == (optimum, optimum, True)


@pytest.mark.parametrize("name", ["distinct", "copies"])
def test_known_optima_are_those_of_brute_force(name):
    loads, deployment, optimum = KNOWN[name]
    assert brute_force(Instance.from_loads(loads, deployment)) == optimum
