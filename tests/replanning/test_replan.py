"""replan: plans with few moves, their values and bounds, lost GPUs, and what is refused."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import eplb_opt
from eplb_opt import Deployment, Loads, Plan
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError, InvalidPlanError
from eplb_opt.moves import moves_between
from eplb_opt.replan import replan, replan_curve
from eplb_opt.replanning.repair import repaired
from eplb_opt.solution import format_solution
from eplb_opt.verify import objective_value
from tests.attack_replans import attack_search
from tests.random_replans import random_replans

RANDOM = np.random.default_rng(8)
LOADS = Loads(RANDOM.lognormal(6, 0.8, (3, 24)).astype(int)[None])
WINDOWS = Loads(RANDOM.lognormal(6, 0.8, (2, 3, 24)).astype(int))
IN_ORDER = Plan(np.tile(np.arange(24), (3, 1)), Deployment(4, 24), 24)
ROOMY = eplb_opt.solve(Loads(WINDOWS.values[:1]), Deployment(4, 36), method="greedy").plan
SPARE = eplb_opt.solve(Loads(WINDOWS.values[:1]), Deployment(4, 28), method="greedy").plan


@pytest.mark.parametrize("dispatch", [False, True])
def test_search_finds_valid_rows_of_the_value_that_they_have_and_no_better_ones_than_there_are(dispatch):
    seen = Counter()
    for _, case in zip(range(16), random_replans(7, dispatch, each=2), strict=False):
        seen += attack_search(case)
    # Groups stay on their nodes, and a few layers of several windows need more time.
    assert seen["best"] > 0.5 * seen["searched"] > 0


def test_curve_falls_and_each_plan_has_at_most_so_many_moves():
    curve = replan_curve(IN_ORDER, LOADS, [0, 3, 6, 12, 72], time_limit=0.6)
    for before, after in pairwise(curve):
        assert after.value <= before.value and after.bound_in_all <= before.bound_in_all
    for found in curve:
        moves = moves_between(IN_ORDER, found.plan)
        assert len(moves) == found.moves <= found.max_moves
        assert [layer.moves for layer in found.layers] == np.bincount(moves[:, 0], minlength=3).tolist()
        assert found.bound_in_all <= found.value and found.moves_bound <= found.moves
        values = [layer.objective for layer in found.layers]
        instances = [eplb_opt.Instance.from_loads(row, IN_ORDER.deployment) for row in LOADS.values[0]]
        rows = found.plan.physical_to_logical.tolist()
        assert values == [objective_value(row, one, "total") for row, one in zip(rows, instances, strict=True)]
        assert all(layer.proof.bound <= layer.objective and layer.proof.checked for layer in found.layers)
    assert curve[0].plan == IN_ORDER and curve[0].value == curve[0].bound_in_all


@pytest.mark.parametrize("loads", [LOADS, WINDOWS])
def test_solutions_of_it_are_checked_and_saved(tmp_path, loads):
    solution = replan(SPARE, loads, max_moves_per_layer=1, time_limit=0.3)
    assert all(layer.checked and layer.error is None for layer in eplb_opt.certify(solution, loads))
    solution.save(tmp_path / "few.json")
    read = eplb_opt.read_solution(tmp_path / "few.json")
    assert format_solution(read) == format_solution(solution) and read.layers[0].limit == solution.layers[0].limit
    solution = read
    limit = replace(solution.layers[0].limit, moves=solution.layers[0].limit.moves - 1)
    forged = replace(solution, layers=(replace(solution.layers[0], limit=limit), *solution.layers[1:]))
    assert "moves, and its bound is about plans with at most" in eplb_opt.certify(forged, loads)[0].error
    # The bound of few moves is none of all plans.
    free = replace(solution, layers=tuple(replace(layer, limit=None) for layer in solution.layers))
    assert any(layer.error for layer in eplb_opt.certify(free, loads))


def test_experts_that_stay_keep_their_slots():
    found = replan(SPARE, WINDOWS, max_moves=9, time_limit=1)
    old, new = (plan.physical_to_logical.reshape(3, 4, 7) for plan in (SPARE, found.plan))
    for layer, gpu in np.ndindex(3, 4):
        for slot, expert in enumerate(new[layer, gpu]):
            assert expert not in old[layer, gpu] or old[layer, gpu, slot] == expert


@pytest.mark.parametrize("objective", ["mean", "worst", "total"])
def test_several_windows_are_valued_together(objective):
    found = replan(SPARE, WINDOWS, max_moves=9, objective=objective, time_limit=1)
    assert found.objective == objective and found.moves <= 9
    before = replan(SPARE, WINDOWS, max_moves=0, objective=objective, time_limit=1)
    assert found.bound_in_all <= found.value < before.value


def test_a_gap_is_reached_with_few_moves_and_no_plan_needs_fewer_than_are_proven():
    found = replan(IN_ORDER, LOADS, target_gap=0.02, time_limit=0.8)
    for layer in found.layers:
        assert layer.mean_load / layer.objective >= Fraction(98, 100)
        assert layer.moves_bound <= layer.moves < 16
    assert found.moves - sum(layer.moves_bound for layer in found.layers) <= 6


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank", "optimal", "sglang-static"])
def test_other_dispatches(dispatch):
    old = Plan(SPARE.physical_to_logical, Deployment(4, 28, num_nodes=2, policy="global", dispatch=dispatch), 24)
    found = replan(old, LOADS, max_moves=10, time_limit=1)
    assert found.moves <= 10
    after = eplb_opt.evaluate(found.plan, LOADS)["max_load"].sum()
    assert after == pytest.approx(float(found.value)) and found.bound_in_all <= found.value
    assert after < eplb_opt.evaluate(old, LOADS)["max_load"].sum()


def test_hierarchical_plans_keep_their_groups():
    deployment = Deployment(4, 28, num_nodes=2, num_groups=4)
    old = eplb_opt.solve(Loads(WINDOWS.values[:1]), deployment, method="greedy").plan
    found = replan(old, LOADS, max_moves=8, time_limit=1)
    assert eplb_opt.verify(found.plan) == [] and found.moves <= 8
    assert found.value < sum(layer.objective_before for layer in found.layers)


def test_a_limit_for_each_layer():
    found = replan(IN_ORDER, LOADS, max_moves_per_layer=2, time_limit=1)
    assert max(layer.moves for layer in found.layers) <= 2


def test_experts_of_a_lost_gpu_come_back_and_the_others_stay():
    found = replan(ROOMY, LOADS, lost=[1], time_limit=1)
    assert found.plan.deployment.num_gpus == 3 and found.plan.deployment.num_slots == 27
    left = ROOMY.physical_to_logical.reshape(3, 4, 9)[:, [0, 2, 3]].reshape(3, 27)
    assert (found.old_plan.physical_to_logical == left).all()
    for layer, before, after in zip(found.layers, left, found.plan.physical_to_logical, strict=True):
        missing = 24 - len(set(before))
        assert layer.moves >= layer.moves_bound >= missing > 0 and layer.objective_before is None
        assert sum(before != after) >= layer.moves
    (fewest,) = replan_curve(ROOMY, LOADS, [sum(24 - len(set(row)) for row in left)], lost=[1], time_limit=1)
    assert fewest.moves == fewest.moves_bound


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_moves": 3, "target_gap": 0.1}, "exclude each other"),
        ({"max_moves": -1}, "max_moves=-1 is not an integer of at least 0"),
        ({"max_moves_per_layer": 1.5}, "max_moves_per_layer=1.5 is not an integer of at least 0"),
        ({"max_moves": 1, "lost": [0]}, "max_moves=1 is too few: experts of which no replica is left need"),
        ({"max_moves_per_layer": 0, "lost": [0]}, "max_moves_per_layer=0 is too few"),
        ({"lost": [4]}, "lost=4 is no GPU of the old plan: these are 0 to 3"),
        ({"lost": [-1]}, "lost=-1 is not an integer of at least 0"),
        ({"target_gap": 1.0}, "target_gap"),
        ({"time_limit": 0}, "time_limit"),
        ({"window_weights": [1, 2]}, "window_weights"),
    ],
)
def test_what_cannot_be_is_refused(settings, words):
    with pytest.raises(InvalidArgumentError, match=words):
        replan(ROOMY, LOADS, **settings)


def test_too_few_slots_are_left_or_nodes_of_different_sizes():
    with pytest.raises(InvalidDeploymentError, match="without 2 of 4 GPUs 18 slots are left for 24 experts"):
        replan(ROOMY, LOADS, lost=[0, 1])
    nodes = Plan(ROOMY.physical_to_logical, Deployment(4, 36, num_nodes=2, policy="global", dispatch="nearest"), 24)
    with pytest.raises(InvalidDeploymentError, match="nodes are of different sizes"):
        replan(nodes, LOADS, lost=[0])
    with pytest.raises(InvalidPlanError, match="the old plan is not valid"):
        replan(Plan(np.zeros((3, 36), dtype=int), Deployment(4, 36), 24), LOADS)
    with pytest.raises(InvalidArgumentError, match="is not a Plan"):
        replan(ROOMY.physical_to_logical, LOADS)


@pytest.mark.parametrize(
    ("deployment", "lost", "nodes", "policy"),
    [
        (Deployment(4, 48, num_nodes=2, num_groups=4), [0, 1], 1, "auto"),
        (Deployment(4, 48, num_nodes=2, num_groups=4), [0], 1, "global"),
        (Deployment(8, 48, num_nodes=4, num_groups=12), [2, 3], 3, "global"),
        (Deployment(4, 48, num_nodes=2, num_groups=4, policy="hierarchical"), [2, 3], 1, "hierarchical"),
        (Deployment(4, 48, num_nodes=2, policy="global"), [3], 1, "global"),
    ],
)
def test_nodes_that_are_left(deployment, lost, nodes, policy):
    old = eplb_opt.solve(LOADS, deployment, method="greedy").plan
    left = replan(old, LOADS, lost=lost, time_limit=0.5).plan.deployment
    assert (left.num_nodes, left.policy) == (nodes, policy)


def test_a_row_is_repaired_with_the_moves_bound():
    instance = eplb_opt.Instance.from_loads(LOADS.values[0, 0], Deployment(4, 28))
    before = SPARE.physical_to_logical[0].copy()
    before[:7] = -1
    row = repaired(before, instance)
    assert set(row) == set(range(24)) and (row[before >= 0] == before[before >= 0]).sum() >= 21 - 4
    assert all(len(set(gpu)) == 7 for gpu in row.reshape(4, 7))


def test_another_deployment_of_as_many_gpus():
    more = replan(IN_ORDER, LOADS, Deployment(4, 28), max_moves=12, time_limit=1)
    assert more.plan.deployment.num_slots == 28 and 4 <= more.moves <= 12
    assert (more.old_plan.physical_to_logical < 0).sum() == 12
    other = replan(SPARE, LOADS, Deployment(4, 28, num_nodes=2, policy="global", dispatch="nearest"), time_limit=1)
    assert other.plan.deployment.dispatch == "nearest"
    with pytest.raises(InvalidPlanError, match="give as many GPUs, and no fewer slots"):
        replan(SPARE, LOADS, Deployment(4, 24))
    with pytest.raises(InvalidPlanError, match="under the rules of the deployment"):
        replan(SPARE, LOADS, Deployment(4, 28, num_nodes=4, num_groups=4))
    with pytest.raises(InvalidArgumentError, match="is not a Deployment"):
        replan(SPARE, LOADS, 4)


def test_layers_without_load_stay_as_they_are():
    loads = Loads(np.stack([LOADS.values[0, 0], np.zeros(24, dtype=int), LOADS.values[0, 2]])[None])
    found = replan(IN_ORDER, loads, max_moves=10, time_limit=1)
    assert found.layers[1].moves == 0 and found.layers[1].objective == 0
    assert len(found.loaded_layers) == 2 and found.bound_in_all <= found.value
