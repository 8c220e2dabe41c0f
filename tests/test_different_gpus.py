"""GPUs that differ in slots or speeds: values, plans and bounds against every placement, by the definition."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import eplb_opt
from eplb_opt import Deployment
from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.instant import instant_bound
from eplb_opt.bounds.quick import quick_bounds, replica_range
from eplb_opt.certificates.check import check
from eplb_opt.certificates.error import CertificateError
from eplb_opt.errors import InvalidDeploymentError, InvalidPlanError
from eplb_opt.heuristics.moves import moves_of
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.heuristics.segment import Segment
from eplb_opt.heuristics.unequal import best_nodes
from eplb_opt.instance import Instance
from eplb_opt.io import read_plan, write_plan
from eplb_opt.io.recognition import ENGINES
from eplb_opt.moves import moves_between
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.renumbering import renumber
from eplb_opt.verify import gpu_loads, objective_value, verify
from tests import different_gpus as oracle

DISPATCHES = ("even", "nearest", "by-rank")
LOADS = [9, 7, 4, 3]
ROUNDED = (Fraction(1), Fraction("0.123456789"), Fraction(1))
TINY = (
    Deployment(3, 6, gpu_speeds=[1, 0.5, 0.7]),
    Deployment(3, 6, gpu_slots=[3, 2, 1]),
    Deployment(3, 6, gpu_slots=[3, 2, 1], gpu_speeds=[1, "7/10", 2]),
    Deployment(4, 6, 2, 2, gpu_slots=[1, 2, 2, 1], gpu_speeds=[1, 1, 2, 1]),
    Deployment(3, 6, distinct=False, gpu_slots=[4, 1, 1]),
    Deployment(3, 6, gpu_speeds=ROUNDED),
)


@st.composite
def layers(draw, dispatches=DISPATCHES, max_windows=2):
    """A tiny layer on GPUs that differ."""
    deployment, experts = draw(oracle.different(max_slots=5, dispatches=dispatches))
    row = st.lists(st.integers(0, 12), min_size=experts, max_size=experts)
    return Instance.from_loads(draw(st.lists(row, min_size=1, max_size=max_windows)), deployment)


@settings(max_examples=60)
@given(layers(), st.data())
def test_plans_are_valid_and_worth_what_the_definition_says(instance, data):
    deployment, experts = instance.deployment, instance.num_experts
    row = data.draw(
        st.lists(st.integers(0, experts - 1), min_size=deployment.num_slots, max_size=deployment.num_slots)
        | st.sampled_from(list(oracle.rows_of(deployment, experts)))
    )
    valid = oracle.is_valid(row, deployment, experts)
    assert (not verify(Plan(np.array([row]), deployment, experts))) == valid
    if valid:
        assert gpu_loads(row, instance) == [oracle.gpu_loads(row, instance, k) for k in range(instance.num_windows)]
        expected = oracle.objectives(row, instance)
        assert {kind: objective_value(row, instance, kind) for kind in expected} == expected


@settings(max_examples=60)
@given(layers())
def test_instant_bounds_are_checked_and_below_every_placement(instance):
    for kind, optimum in oracle.optima(instance).items():
        recorded, objective = Objective(kind).on(instance)
        proof = instant_bound(recorded, objective)
        mean = recorded.mean_loads[0]
        in_asked = proof.bound / mean if kind != "total" and recorded.num_windows == 1 and mean else proof.bound
        assert proof.checked
        assert in_asked <= optimum or not mean
    for proof in quick_bounds(instance.total()):
        check_proof(proof, instance.total(), Objective())


@settings(max_examples=60)
@given(layers(max_windows=1), st.data())
def test_the_checker_accepts_no_bound_above_the_optimum(instance, data):
    above = oracle.optima(instance)["total"] + Fraction(1, 10**6)
    gpus = data.draw(st.lists(st.integers(0, instance.deployment.num_gpus - 1)))
    for argument in ("mean", "nodes", "few slots", "counts"):
        certificate = {"argument": argument, "bound": str(above), "gpus": gpus}
        with pytest.raises(CertificateError):
            check(certificate, instance.weights, instance.deployment.facts, unit=instance.unit)


@settings(max_examples=40)
@given(oracle.different(max_gpus=8, max_slots=20), st.data())
def test_the_greedy_plan_obeys_the_rules(pair, data):
    deployment, experts = pair
    loads = data.draw(st.lists(st.integers(0, 1000), min_size=experts, max_size=experts))
    row = greedy(Instance.from_loads(loads, deployment))
    assert not verify(Plan(row[np.newaxis], deployment, experts))


@given(
    st.lists(st.integers(0, 50), min_size=6, max_size=6), st.lists(oracle.SPEEDS.map(Fraction), min_size=3, max_size=3)
)
def test_groups_go_to_nodes_in_the_best_of_all_ways(totals, speeds):
    value, nodes = best_nodes(totals, speeds)
    ways = set(permutations([0, 0, 1, 1, 2, 2]))

    def hottest(way):
        loads = [sum(load for load, at in zip(totals, way, strict=True) if at == node) for node in range(3)]
        return max(load / speed for load, speed in zip(loads, speeds, strict=True))

    assert nodes in ways
    assert hottest(nodes) == value == min(map(hottest, ways))


def test_many_groups_go_to_nodes_too():
    deployment = Deployment(8, 40, 4, 16, gpu_speeds=[1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5])
    loads = np.random.default_rng(2).integers(1, 100, 32)
    instance = Instance.from_loads(loads, deployment)
    row = greedy(instance)
    assert not verify(Plan(row[np.newaxis], deployment, 32))
    assert objective_value(row.tolist(), instance, "total") < Fraction(5, 4) * instance.mean_loads[0]


def test_counts_are_held_back_where_gpus_with_few_slots_cannot_take_them():
    # Adams gives two experts 4 and 3 replicas or more: 7 places, but 4 GPUs have only 1 + 1 + 1 + 2 for two experts.
    deployment = Deployment(4, 8, gpu_slots=[1, 1, 1, 5])
    row = greedy(Instance.from_loads([100, 90, 1, 1, 1], deployment))
    assert not verify(Plan(row[np.newaxis], deployment, 5))
    assert sorted(np.bincount(row).tolist()) == [1, 1, 1, 2, 3]


@settings(max_examples=40)
@given(layers(dispatches=("even",), max_windows=1), st.data())
def test_replica_ranges_hold_the_counts_of_every_plan_as_good(instance, data):
    rows = list(oracle.rows_of(instance.deployment, instance.num_experts))
    row = data.draw(st.sampled_from(rows))
    least, most = replica_range(instance, objective_value(row, instance, "total"))
    counts = np.bincount(row, minlength=instance.num_experts)
    assert (least <= counts).all() and (counts <= most).all()


@pytest.mark.parametrize("deployment", TINY)
def test_whole_models_and_every_placement_have_the_same_optimum(deployment):
    optimum = oracle.optima(Instance.from_loads(LOADS, deployment))["total"]
    for method in ("cpsat", "pulp:HiGHS"):
        (layer,) = eplb_opt.solve(LOADS, deployment, method=method, time_limit=20, target_gap=0).layers
        assert layer.objective == optimum
        # Where speeds are no simple numbers, the program's are rounded.
        assert layer.lower_bound == optimum or deployment.gpu_speeds == ROUNDED
        assert optimum * Fraction(99, 100) <= layer.lower_bound <= optimum


@pytest.mark.parametrize("deployment", TINY)
@pytest.mark.parametrize("kind", ["mean", "worst"])
def test_hot_annealing_ends_at_the_optimum_of_tiny_layers(deployment, kind):
    recorded, objective = Objective(kind).on(Instance.from_loads([LOADS, LOADS[::-1]], deployment))
    segment = Segment(greedy(recorded.total()), hot=1.0, cold=0.01, proposals=20_000, seed=1)
    best, last = moves_of(recorded).annealed(recorded, objective.windows(recorded), segment)
    assert oracle.is_valid(best.tolist(), deployment, 4)
    assert oracle.is_valid(last.tolist(), deployment, 4)
    assert objective.value(best.tolist(), recorded) == oracle.optima(recorded)[kind]


def test_search_makes_several_windows_cooler_than_the_greedy_plan():
    deployment = Deployment(8, 32, gpu_slots=[5, 5, 5, 5, 3, 3, 3, 3], gpu_speeds=[1, 1, 1, 1, 0.7, 0.7, 0.7, 0.7])
    windows = np.random.default_rng(3).lognormal(5, 1.0, (3, 1, 24)).astype(int)
    greedy_plan, searched = (
        eplb_opt.solve(windows, deployment, method=method, time_limit=0.3, deterministic=True).layers[0]
        for method in ("greedy", "auto")
    )
    assert searched.lower_bound <= searched.objective < greedy_plan.objective
    assert searched.proof.checked


def test_certificates_of_alike_gpus_are_refused_where_they_differ():
    instance = Instance.from_loads([10, 1, 1, 1], Deployment(2, 4, gpu_speeds=[1, 2]))
    alike = {**instance.deployment.facts, "gpu_speeds": None}
    search = {"argument": "search", "bound": "5"}
    assert check(search, instance.weights, alike, unit=instance.unit) == 5
    with pytest.raises(CertificateError, match="about GPUs that are alike"):
        check(search, instance.weights, instance.deployment.facts, unit=instance.unit)


@pytest.mark.parametrize(
    "forged",
    [
        {"gpu_speeds": ["1"]},
        {"gpu_speeds": ["0", "2"]},
        {"gpu_speeds": ["-1", "2"]},
        {"gpu_speeds": [1, 2]},
        {"gpu_slots": [1, 2]},
        {"gpu_slots": [0, 4]},
        {"gpu_slots": [2.0, 2.0]},
        {"gpu_slots": [4]},
        {"gpu_slots": "22"},
    ],
)
def test_forged_slots_and_speeds_are_no_certificate(forged):
    facts = Deployment(2, 4).facts | forged
    with pytest.raises(CertificateError):
        check({"argument": "mean", "bound": "1"}, [[1, 1, 1, 1]], facts)


def test_gpus_with_few_slots_leave_the_rest_to_the_others():
    # One slot holds an expert of 4 at most: 12 of 16 are left for 2 GPUs.
    instance = Instance.from_loads([4] * 4, Deployment(3, 6, gpu_slots=[1, 2, 3], distinct=False))
    proof = instant_bound(*Objective("total").on(instance))
    assert (proof.argument, proof.bound, proof.checked) == ("few slots", 6, True)
    assert proof.evidence == {"argument": "few slots", "gpus": [0]}
    for gpus in ([3], [True], [-1], "0", None):
        with pytest.raises(CertificateError):
            check({"argument": "few slots", "gpus": gpus, "bound": "6"}, [[4] * 4], instance.deployment.facts)


def test_equal_slots_and_speeds_are_left_out():
    alike = Deployment(4, 8)
    assert Deployment(4, 8, gpu_slots=[2] * 4, gpu_speeds=[0.5] * 4) == alike
    assert "gpu_slots" not in alike.facts and "gpu_speeds" not in alike.facts


def test_floats_are_the_decimals_that_they_print_as():
    speeds = Deployment(4, 8, gpu_speeds=[0.7, np.float32(0.7), "7/10", "0.70"]).gpu_speeds
    assert speeds is None
    assert Deployment(2, 4, gpu_speeds=(1, 0.7)).gpu_speeds == (Fraction(1), Fraction(7, 10))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"gpu_slots": [3, 3, 1, 2]}, "gpu_slots sum to 9, which is not num_slots=8"),
        ({"gpu_slots": [4, 4]}, "gpu_slots has 2 numbers for num_gpus=4"),
        ({"gpu_slots": [8, 0, 0, 0]}, r"gpu_slots\[1\]=0 is not a positive integer"),
        ({"gpu_slots": 2}, "gpu_slots=2 is not a list with a number for each GPU"),
        ({"gpu_speeds": [1, 1, 0, 1]}, r"gpu_speeds\[2\]=0 is not a positive, finite number"),
        ({"gpu_speeds": [1, 1, float("nan"), 1]}, "nan is not a positive, finite number"),
        ({"gpu_speeds": [1, 1, "1e999999999", 1]}, "is not a positive, finite number"),
        ({"gpu_speeds": [1, 1, "1/0", 1]}, "is not a positive, finite number"),
        ({"gpu_speeds": [1, 1, True, 1]}, "is not a positive, finite number"),
        ({"gpu_speeds": [1, 1, None, 1]}, "is not a positive, finite number"),
        ({"gpu_speeds": "1112"}, "is not a list with a number for each GPU"),
        ({"gpu_speeds": [1, 1, 1, 2], "dispatch": "optimal"}, "dispatch='optimal' is about GPUs that are alike"),
        ({"gpu_slots": [3, 3, 1, 1], "num_nodes": 2, "num_groups": 2}, r"gpu_slots give the nodes \[6, 2\] slots"),
    ],
)
def test_a_wrong_deployment_gets_a_sentence(wrong, sentence):
    with pytest.raises(InvalidDeploymentError, match=sentence):
        Deployment(4, 8, **wrong)


def test_a_gpu_with_more_slots_than_experts_needs_copies():
    with pytest.raises(InvalidDeploymentError, match=r"gpu_slots\[0\]=5 is more than the 4 different experts"):
        Deployment(2, 6, gpu_slots=[5, 1]).require_room_for(4)
    Deployment(2, 6, gpu_slots=[5, 1], distinct=False).require_room_for(4)
    with pytest.raises(InvalidDeploymentError, match="cannot hold 7 experts"):
        Deployment(2, 6, gpu_slots=[5, 1]).require_room_for(7)


@settings(max_examples=40)
@given(layers(dispatches=("even",), max_windows=1), st.data())
def test_only_gpus_of_one_kind_change_places_and_no_other_way_moves_less(instance, data):
    deployment, experts = instance.deployment, instance.num_experts
    assume(not deployment.alike)
    row, old = (data.draw(st.sampled_from(list(oracle.rows_of(deployment, experts)))) for _ in range(2))
    found = renumber(np.array([row]), np.array([old]), deployment)[0]
    plans = [Plan(np.array([one]), deployment, experts) for one in (old, found)]
    assert not verify(plans[1])
    assert sorted(gpu_loads(found.tolist(), instance)[0]) == sorted(gpu_loads(row, instance)[0])
    gpu_of, per_node = oracle.gpu_of_slot(deployment), deployment.gpus_per_node
    held, had = (
        [{e for e, g in zip(one, gpu_of, strict=True) if g == gpu} for gpu in range(max(gpu_of) + 1)]
        for one in (row, old)
    )
    kinds = [(gpu // per_node, gpu_of.count(gpu), oracle.speed_of(gpu, deployment)) for gpu in range(len(held))]
    fewest = min(
        sum(len(held[gpu] - had[place]) for gpu, place in enumerate(places))
        for places in permutations(range(len(held)))
        if [kinds[place] for place in places] == kinds
    )
    assert len(moves_between(*plans)) == fewest


def test_moves_are_counted_where_gpus_have_different_numbers_of_slots():
    deployment = Deployment(3, 6, gpu_slots=[3, 2, 1])
    old, new = Plan([[0, 1, 2, 0, 3, 1]], deployment, 4), Plan([[2, 1, 0, 2, 3, 0]], deployment, 4)
    assert moves_between(old, new).tolist() == [[0, 1, 2], [0, 2, 0]]
    (row,) = eplb_opt.diff(old, new).to_dict("records")
    assert row["moves"] == 2
    with pytest.raises(InvalidPlanError, match="their GPUs have other numbers of slots"):
        moves_between(Plan([[0, 1, 2, 0, 3, 1]], Deployment(3, 6), 4), new)


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "native"])
def test_engines_take_speeds_and_no_gpus_with_fewer_slots(engine, tmp_path):
    suffix = (ENGINES[engine].suffixes or (".json",))[0]
    rows, labels = [[0, 1, 2, 0, 3, 1]] * 2, {"layer_ids": (1, 2), "num_model_layers": 3}
    write_plan(Plan(rows, Deployment(3, 6, gpu_speeds=[1, 1, 2]), 4, **labels), tmp_path / f"p{suffix}", engine)
    with pytest.raises(InvalidPlanError, match="equally many slots on every GPU, and the deployment has 1 to 3"):
        write_plan(Plan(rows, Deployment(3, 6, gpu_slots=[3, 2, 1]), 4, **labels), tmp_path / f"q{suffix}", engine)
    assert not (tmp_path / f"q{suffix}").exists()


def test_no_plan_is_worse_than_the_published_policy_where_only_speeds_differ():
    loads = np.random.default_rng(5).integers(1, 100, 12)
    deployment = Deployment(4, 16, gpu_speeds=[1, 1, 0.9, 0.9])
    published = eplb_opt.solve(loads, Deployment(4, 16), method="greedy").plan.physical_to_logical[0]
    (layer,) = eplb_opt.solve(loads, deployment, method="greedy").layers
    assert layer.objective <= objective_value(published.tolist(), Instance.from_loads(loads, deployment), "total")


def test_a_plan_file_keeps_slots_and_speeds(tmp_path):
    deployment = Deployment(3, 6, gpu_slots=[3, 2, 1], gpu_speeds=[1, 0.7, "1/3"])
    plan = Plan([[0, 1, 2, 0, 3, 1]], deployment, 4)
    write_plan(plan, tmp_path / "plan.json", engine="native")
    assert read_plan(tmp_path / "plan.json") == plan
