"""Moves in the whole model: every plan is a solution with its moves, and the rows say what a move is."""

from fractions import Fraction

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.formulations.assignment import assignment
from eplb_opt.formulations.moves import assignment_with_moves
from eplb_opt.instance import Instance
from eplb_opt.verify import max_loads
from tests.formulations.test_assignment import violated_rows
from tests.moves_oracle import row_moves
from tests.random_instances import random_instance
from tests.random_replans import random_replan, random_row


@pytest.mark.parametrize("weighted", [False, True])
def test_every_plan_is_a_solution_with_its_moves_and_reads_back(weighted):
    random = np.random.default_rng(3)
    for _ in range(60):
        replan = random_replan(random, random_instance(random, 6, 4, 12, 3))
        instance, gpus = replan.instance, replan.instance.deployment.num_gpus
        row = random_row(random, instance.deployment, instance.num_experts)
        weights = tuple(range(1, instance.num_windows + 1)) if weighted else ()
        tops = max_loads(row, instance)
        value = max(tops)
        if weighted:
            value = sum(weight * top for weight, top in zip(weights, tops, strict=True)) / sum(weights)
        moves = row_moves(row.tolist(), replan.old, gpus)

        def built(most_moves, instance=instance, old=replan.old, value=value, weights=weights):
            return assignment_with_moves(instance, old, upper=value, most_moves=most_moves, weights=weights)

        fewest, enough, few = built(None), built(moves), built(moves - 1)
        for program in (fewest, enough):
            values = program.values_of(row)
            assert set(values) == {variable.name for variable in program.problem.variables()}
            assert violated_rows(program, values) == []
            read, wanted = (np.sort(slots.reshape(gpus, -1), axis=1) for slots in (program.slots_of(values), row))
            assert np.array_equal(read, wanted)
        assert fewest.bound(objective(fewest, row)) == moves
        reached = enough.bound(objective(enough, row))
        assert reached == value if enough.base.exact else reached <= value
        assert violated_rows(few, few.values_of(row)) == (["moves"] if "moves" in few.problem.constraints else [])


def objective(program, row):
    values = program.values_of(row)
    return sum(values[variable.name] * c for variable, c in program.problem.objective.items())


def test_copies_on_a_gpu_are_one_move_and_not_none():
    instance = Instance.from_loads([6, 2, 2], Deployment(2, 6, distinct=False))
    program = assignment_with_moves(instance, (0, 1, 1, 1, 2, -1), upper=Fraction(10))
    # Expert 0 is new on GPU 1, twice; expert 2 is new on GPU 0; what was there needs no variable.
    assert set(program.c) == {(0, 1), (2, 0)}
    values = program.values_of((0, 1, 2, 0, 0, 2))
    assert objective(program, (0, 1, 2, 0, 0, 2)) == 2
    values["c_0_1"] = 0
    assert violated_rows(program, values) == ["arrives_0_1"]


def test_distinct_replicas_need_no_other_variables():
    instance = Instance.from_loads([6, 2, 2], Deployment(2, 4))
    program = assignment_with_moves(instance, (0, 1, 2, 1), upper=Fraction(10), most_moves=1)
    assert not program.c
    row = program.problem.constraints["moves"]
    assert {v.name.split("_")[1] + v.name.split("_")[3] for v in row} == {"01", "20"}


def test_windows_have_a_row_each_and_the_hottest_or_all_of_them_count():
    instance = Instance.from_loads([[6, 2, 2], [1, 5, 1]], Deployment(2, 4))
    hottest = assignment(instance, upper=Fraction(9))
    mean = assignment(instance, upper=Fraction(9), weights=(2, 1))
    for program, tops in ((hottest, ["T", "T"]), (mean, ["T_0", "T_1"])):
        assert [top.name for top in program.tops] == tops
        assert {name for name in program.problem.constraints if name.startswith("load")} == {
            f"load_{k}_{g}" for k in (0, 1) for g in (0, 1)
        }
    # Row 0 1 | 2 1: 7 and 3 tokens, then 3.5 and 3.5.
    assert hottest.bound(hottest.values_of((0, 1, 2, 1))["T"]) == 7
    values = mean.values_of((0, 1, 2, 1))
    assert mean.bound(2 * values["T_0"] + values["T_1"]) == Fraction(2 * 7 + Fraction(7, 2)) / 3
    # No less than the mean of each window's mean load, 5 and 3.5 tokens.
    with pytest.raises(InvalidArgumentError, match=r"no plan has a max load of at most 4\.4"):
        assignment(instance, upper=Fraction(44, 10), weights=(2, 1))
