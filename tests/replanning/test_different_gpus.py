"""replan where GPUs differ in slots or speeds: bounds and plans against every placement, losses, and what is kept."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import eplb_opt
from eplb_opt import Deployment, Loads, Plan
from eplb_opt.bounds.few_moves import OldRow
from eplb_opt.bounds.tolls import TollProgram, toll_proofs
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.errors import InvalidDeploymentError, InvalidPlanError
from eplb_opt.instance import Instance
from eplb_opt.moves import moves_between
from eplb_opt.objective import Objective
from eplb_opt.replan import replan, replan_curve
from eplb_opt.replanning.repair import repaired
from eplb_opt.verify import objective_value, verify
from tests.attack_replans import attack, attack_search
from tests.different_gpus import rows_of
from tests.moves_different_gpus import frontier, random_replans, row_moves

RANDOM = np.random.default_rng(9)
LOADS = Loads(RANDOM.lognormal(6, 0.8, (3, 24)).astype(int)[None])
SLOTS, SPEEDS = (10, 9, 9, 8), (1, 1, "1/2", "7/10")
DEPLOYMENT = Deployment(4, 36, gpu_slots=SLOTS, gpu_speeds=SPEEDS)
OLD = eplb_opt.solve(Loads(RANDOM.lognormal(6, 0.8, (3, 24)).astype(int)[None]), DEPLOYMENT, method="greedy").plan


def by_gpu(plan):
    return [np.split(row, plan.deployment.gpus.starts[1:]) for row in plan.physical_to_logical]


def test_the_frontier_is_that_of_all_valid_rows():
    for _, case in zip(range(20), random_replans(3, each=1), strict=False):
        deployment, found = case.instance.deployment, {}
        for row in rows_of(deployment, case.instance.num_experts):
            moves = row_moves(row, case.old, deployment)
            value = objective_value(row, case.instance, case.objective)
            found[moves] = min(value, found.get(moves, value))
        curve = frontier(case.instance, case.old, case.objective)
        assert curve == {m: min(v for n, v in found.items() if n <= m) for m in curve}


@pytest.mark.parametrize("dispatch", [False, True])
def test_no_bound_is_above_the_best_placement(dispatch):
    seen = Counter()
    for _, case in zip(range(24), random_replans(5, dispatch, each=4), strict=False):
        seen += attack(case)
    assert seen["tight"] > 5 and seen["tolls"] > 20
    assert dispatch or seen["touched"] > 2


@pytest.mark.parametrize("dispatch", [False, True])
def test_search_finds_rows_of_the_value_that_they_have_and_no_better_ones_than_there_are(dispatch):
    seen = Counter()
    for _, case in zip(range(6), random_replans(6, dispatch, each=2), strict=False):
        seen += attack_search(case)
    assert seen["best"] > 0.5 * seen["searched"] > 0


def test_slow_gpus_are_proven_to_stay_hot_as_few_moves_cannot_cool_them():
    # A GPU with two experts of a token each, two of a third of its speed with two of 6 tokens: 36 wait on these.
    deployment = Deployment(3, 6, gpu_speeds=[1, "1/3", "1/3"])
    instance, old = Instance.from_loads([1] * 2 + [6] * 4, deployment), np.arange(6)
    (window,) = OldRow(instance, Objective(), old).windows
    # A move changes two GPUs. If these are the slow ones, they still have 24 tokens, else one of them is as it was.
    assert window.instant(1).argument == "touched" and float(window.instant(1).bound) == pytest.approx(36)
    assert all(window.instant(m).bound <= value for m, value in frontier(instance, tuple(old), "total").items())


def test_tolls_of_gpus_that_differ_say_more_than_touched_and_are_checked():
    values = -np.sort(-np.random.default_rng(3).lognormal(8, 0.8, 64).astype(int))
    sizes = (6, 10, 6, 10, 6, 10, 6, 10)
    deployment = Deployment(8, 64, gpu_slots=sizes, gpu_speeds=["1/2", 1] * 4)
    instance, old = Instance.from_loads(values, deployment), np.arange(64)
    tree = TollProgram(instance, old).tree(3, 20.0, 40, lambda: False)
    proof = next(toll_proofs(instance, tree))
    (window,) = OldRow(instance, Objective(), old).windows
    assert proof.bound > window.instant(3).bound > instance.mean_loads[0]
    certificate = {**proof.evidence, "bound": str(proof.bound)}
    rules = {**deployment.facts, "before": old.tolist(), "moves": 3}
    assert check(certificate, instance.weights, rules, unit=instance.unit) == proof.bound
    others = ({"moves": 5}, {"gpu_speeds": ["1", "1"] * 4}, {"gpu_slots": [2, 14, *sizes[2:]]})
    for change in others:
        with pytest.raises(CertificateError):
            check(certificate, instance.weights, rules | change, unit=instance.unit)


def test_a_part_of_an_expert_is_no_whole_step():
    # Both experts are on both GPUs, so that each carries one of two tokens: a step of two is no reason to call that 0.
    certificate = {"argument": "tolls", "bound": "2", "step": "2", "prices": [[[1, 1], [0, 0], [0, 0]]], "parts": [[0]]}
    for dispatch in ("optimal", "nearest", "by-rank"):
        rules = {**Deployment(2, 4, dispatch=dispatch).facts, "before": [0, 1, 0, 1], "moves": 0}
        with pytest.raises(CertificateError, match="does not prove its bound"):
            check(certificate, [[2, 0]], rules)


def test_a_curve_falls_and_its_plans_are_kept_and_checked(tmp_path):
    curve = replan_curve(OLD, LOADS, [0, 4, 12, 90], time_limit=2)
    assert curve[0].plan == OLD and curve[0].value == curve[0].bound_in_all
    for found in curve:
        assert verify(found.plan) == [] and found.plan.deployment == DEPLOYMENT
        assert len(moves_between(OLD, found.plan)) == found.moves <= found.max_moves
        assert found.bound_in_all <= found.value <= curve[0].value
        assert all(layer.checked and layer.error is None for layer in eplb_opt.certify(found, LOADS))
        for old, new in zip(by_gpu(OLD), by_gpu(found.plan), strict=True):
            # What stays on a GPU stays in its slot.
            stays = [(a == b) | ~np.isin(b, a) for a, b in zip(old, new, strict=True)]
            assert all(one.all() for one in stays)
    assert curve[-1].value < curve[1].value < curve[0].value
    curve[1].save(tmp_path / "few.json")
    read = eplb_opt.read_solution(tmp_path / "few.json")
    assert all(layer.checked and layer.error is None for layer in eplb_opt.certify(read, LOADS))
    moved = next(row for row, layer in enumerate(read.layers) if layer.limit.moves)
    limit = replace(read.layers[moved].limit, moves=read.layers[moved].limit.moves - 1)
    layers = [replace(layer, limit=limit) if row == moved else layer for row, layer in enumerate(read.layers)]
    assert "moves, and its bound is about" in eplb_opt.certify(replace(read, layers=tuple(layers)), LOADS)[moved].error


def test_survivors_keep_their_slots_and_speeds():
    found = replan(OLD, LOADS, lost=[1], time_limit=0.5)
    deployment = found.plan.deployment
    assert deployment.gpu_slots == (10, 9, 8) and deployment.gpu_speeds == (1, Fraction(1, 2), Fraction(7, 10))
    left = [[gpu.tolist() for g, gpu in enumerate(row) if g != 1] for row in by_gpu(OLD)]
    assert [[gpu.tolist() for gpu in row] for row in by_gpu(found.old_plan)] == left
    missing = sum(24 - len({expert for gpu in row for expert in gpu}) for row in left)
    (fewest,) = replan_curve(OLD, LOADS, [missing], lost=[1], time_limit=0.5)
    assert fewest.moves == fewest.moves_bound == missing > 0 and verify(fewest.plan) == []
    with pytest.raises(InvalidDeploymentError, match="without 2 of 4 GPUs 17 slots are left for 24 experts"):
        replan(OLD, LOADS, lost=[0, 1])


def test_survivors_of_one_kind_are_alike():
    deployment = Deployment(4, 60, gpu_slots=(18, 18, 12, 12), gpu_speeds=[1, 1, "1/2", "1/2"])
    old = eplb_opt.solve(LOADS, deployment, method="greedy").plan
    assert replan(old, LOADS, lost=[2, 3], time_limit=0.3).plan.deployment == Deployment(2, 36)


def test_a_row_is_repaired_where_gpus_differ():
    instance = Instance.from_loads(LOADS.values[0, 0], DEPLOYMENT)
    before = OLD.physical_to_logical[0].copy()
    before[DEPLOYMENT.gpus.span(1)] = -1
    row = repaired(before, instance)
    assert verify(Plan(row[None], DEPLOYMENT, 24)) == []
    assert (row[before >= 0] == before[before >= 0]).mean() > 0.8


def test_another_deployment_has_no_fewer_slots_on_any_gpu():
    wider = Deployment(4, 40, gpu_slots=(10, 11, 9, 10), gpu_speeds=SPEEDS)
    found = replan(OLD, LOADS, wider, max_moves=24, time_limit=1)
    empty = [(row < 0).tolist() for row in by_gpu(found.old_plan)[0]]
    assert [sum(gpu) for gpu in empty] == [0, 2, 0, 2] and 12 <= found.moves <= 24
    assert verify(found.plan) == [] and found.plan.deployment == wider
    with pytest.raises(
        InvalidPlanError, match="GPUs of 7 to 11 slots keeps what runs on 4 of 8 to 10, GPU 3 has fewer"
    ):
        replan(OLD, LOADS, Deployment(4, 37, gpu_slots=(10, 11, 9, 7)))


@pytest.mark.parametrize("dispatch", ["nearest", "by-rank"])
def test_other_dispatches_and_several_windows(dispatch):
    windows = Loads(RANDOM.lognormal(6, 0.8, (2, 3, 24)).astype(int))
    old = replace(OLD, deployment=replace(DEPLOYMENT, dispatch=dispatch, num_nodes=2, policy="global"))
    found = replan(old, windows, max_moves=10, time_limit=1)
    assert found.moves <= 10 and found.bound_in_all <= found.value < found.value_before
    after = eplb_opt.evaluate(found.plan, windows)["imbalance"].mean()
    assert after == pytest.approx(found.imbalance_of(found.value))
