"""Plans that survive a loss: against every placement of tiny layers, by the table of losses, and what is refused."""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError
from eplb_opt.failure_domains import require_survivable, survives
from eplb_opt.heuristics.surviving import annealed, dealt
from eplb_opt.instance import Instance
from eplb_opt.kernels.moving import Cooling
from eplb_opt.plan import Plan
from eplb_opt.renumbering import renumbered, renumbered_apart
from eplb_opt.survival import survival
from eplb_opt.verify import require_valid
from tests import moves_different_gpus
from tests.different_gpus import gpu_loads, gpu_of_slot, is_valid
from tests.oracle import enumerate_rows, row_max_load

# Two slots for each expert and some more: GPUs; two nodes of which each has some; groups that are bound to nodes.
DEPLOYMENTS = {
    "gpus": (Deployment(4, 8, policy="global"), 3),
    "copies": (Deployment(3, 9, policy="global", distinct=False), 2),
    "nodes": (Deployment(4, 8, 2, policy="global"), 3),
    "groups": (Deployment(4, 8, 2, 2, "hierarchical"), 4),
    "no more": (Deployment(4, 8, 2, policy="global"), 4),
}
# The same where GPUs differ; where two nodes are all there are, each has to hold every expert.
DIFFERENT = {
    "slots": (Deployment(3, 8, gpu_slots=(3, 2, 3)), 3),
    "speeds": (Deployment(4, 8, policy="global", gpu_speeds=[1, "1/2", 2, 1]), 3),
    "slots and speeds": (Deployment(4, 8, gpu_slots=(3, 2, 2, 1), gpu_speeds=[1, "1/2", 2, 1]), 4),
    "more slots than experts": (Deployment(3, 8, distinct=False, gpu_slots=(4, 2, 2)), 3),
    "nodes of other sizes": (Deployment(4, 8, 2, policy="global", gpu_slots=(2, 1, 2, 3)), 3),
    "groups on GPUs of other sizes": (Deployment(4, 8, 2, 2, gpu_slots=(2, 2, 2, 2), gpu_speeds=[1, 2, 1, 2]), 4),
}


def survives_by_definition(row, deployment):
    """Whether each expert is left whichever GPU, or node where experts may be on any of several, is gone."""
    nodes = deployment.num_nodes > 1 and not deployment.hierarchical
    units = deployment.num_nodes if nodes else deployment.num_gpus
    unit_of = [gpu * units // deployment.num_gpus for gpu in gpu_of_slot(deployment)]
    held = list(zip(unit_of, row, strict=True))
    return all({expert for place, expert in held if place != unit} == {*row} for unit in range(units))


def losses(plan):
    deployment = plan.deployment
    return survival(plan, losses="nodes" if deployment.num_nodes > 1 and not deployment.hierarchical else "gpus")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_best_of_all_placements_that_survive_is_reached_and_never_passed(name):
    deployment, experts = DEPLOYMENTS[name]
    values = np.random.default_rng(1).integers(1, 60, (4, experts))
    like = Instance.from_loads(values[0], deployment)
    rows = [row for row in enumerate_rows(like) if survives_by_definition(row, deployment)]
    # GPUs without nodes are alike: their order does not matter.
    if deployment.num_nodes == 1:
        size = deployment.slots_per_gpu
        rows = list({tuple(sorted(row[i : i + size] for i in range(0, len(row), size))): row for row in rows}.values())
    found = eplb_opt.solve(values, deployment, survive=1, time_limit=0.8, deterministic=True)
    assert not losses(found.plan)["experts_lost"].any()
    reached = 0
    for layer, solved in zip(values, found.layers, strict=True):
        best = min(row_max_load(row, Instance.from_loads(layer, deployment)) for row in rows)
        assert solved.lower_bound <= best <= solved.objective
        reached += best == solved.objective
    assert reached == len(values)


@pytest.mark.parametrize("name", DIFFERENT)
def test_where_gpus_differ_the_best_is_reached_too(name):
    deployment, experts = DIFFERENT[name]
    values = np.random.default_rng(1).integers(1, 60, (3, experts))
    placed = moves_different_gpus.placements(deployment, experts)[0]
    rows = [row for row in placed if survives_by_definition(row, deployment)]
    found = eplb_opt.solve(values, deployment, survive=1, time_limit=0.8, deterministic=True)
    assert not losses(found.plan)["experts_lost"].any()
    for layer, solved in zip(values, found.layers, strict=True):
        best = min(max(gpu_loads(row, Instance.from_loads(layer, deployment))) for row in rows)
        assert solved.lower_bound <= best == solved.objective


def test_there_is_room_exactly_where_some_row_survives():
    random, seen = np.random.default_rng(3), []
    for _ in range(50):
        nodes, distinct = int(random.choice([1, 1, 2])), bool(random.random() < 0.5)
        sizes = random.integers(1, 4, nodes * random.integers(1, 5 - nodes)).tolist()
        policy = "hierarchical" if nodes == 2 and random.random() < 0.5 and len(sizes) == 4 else "global"
        sizes = sizes[:2] * 2 if policy == "hierarchical" else sizes
        try:
            deployment = Deployment(len(sizes), sum(sizes), nodes, 2, policy, distinct, gpu_slots=sizes)
            experts = 2 * int(random.integers(1, 3)) if policy == "hierarchical" else int(random.integers(2, 5))
            instance = Instance.from_loads(random.integers(1, 9, experts), deployment)
        except InvalidDeploymentError:
            continue
        rows = moves_different_gpus.placements(deployment, experts)[0]
        possible = any(survives_by_definition(row, deployment) for row in rows)
        try:
            require_survivable(1, deployment, experts)
        except InvalidDeploymentError:
            assert not possible, (deployment, experts)
            seen.append(False)
            continue
        assert possible, (deployment, experts)
        row = dealt(instance, instance.tokens[0], np.array(rows[0]))
        assert survives_by_definition(row.tolist(), deployment) and is_valid(row.tolist(), deployment, experts)
        seen.append(True)
    assert sum(seen) > 5 < len(seen) - sum(seen)


def test_the_rule_is_that_of_the_definition():
    random, seen = np.random.default_rng(2), []
    for deployment, experts in (*DEPLOYMENTS.values(), *DIFFERENT.values()):
        for row in random.integers(0, experts, (100, deployment.num_slots)):
            if len(set(row.tolist())) == experts:
                seen.append(survives_by_definition(row.tolist(), deployment))
                assert survives(row, deployment, experts) == seen[-1]
    assert 50 < sum(seen) < len(seen) - 50


@pytest.mark.parametrize("policy", ["global", "hierarchical"])
@pytest.mark.parametrize("dispatch", ["even", "nearest", "by-rank", "optimal"])
def test_every_dispatch_and_several_windows(policy, dispatch):
    deployment = Deployment(8, 40, 2, 4, policy, dispatch=dispatch)
    loads = np.random.default_rng(3).lognormal(3, 1, (2, 2, 16)).round(3)
    free = eplb_opt.solve(loads, deployment, method="greedy")
    found = eplb_opt.solve(loads, deployment, survive=1, time_limit=0.1, deterministic=True)
    assert not losses(found.plan)["experts_lost"].any()
    assert losses(free.plan)["experts_lost"].any()
    for layer, other in zip(found.layers, free.layers, strict=True):
        assert layer.lower_bound <= layer.objective and other.lower_bound <= layer.objective
    assert found.objective == "mean"


def test_annealing_pays_and_every_row_survives():
    random = np.random.default_rng(4)
    for gpus, size, nodes in product((4, 6), (5, 8), (1, 2)):
        deployment = Deployment(gpus, gpus * size, nodes, policy="global")
        values = random.lognormal(0, 1, gpus * size // 2)
        instance = Instance.from_loads(values, deployment)
        loads = values[np.newaxis] * gpus / values.sum()
        row = dealt(instance, loads[0], np.resize(np.arange(values.size), gpus * size))
        cooler = annealed(instance, loads, row, np.ones(1), Cooling((1e-9, 1e-9), (1e-2, 1e-5), 4000), 0)
        require_valid(Plan(np.stack([row, cooler]), deployment, values.size))
        assert survives_by_definition(row.tolist(), deployment) and survives_by_definition(cooler.tolist(), deployment)
        assert row_max_load(tuple(cooler.tolist()), instance) < row_max_load(tuple(row.tolist()), instance)


def test_a_warm_start_that_survives_is_never_made_worse_and_layers_without_load_survive_too():
    deployment = Deployment(4, 16, policy="global")
    loads = np.array([[9, 5, 4, 3, 2, 2, 1, 1], [0] * 8])
    good = eplb_opt.solve(loads, deployment, survive=1, time_limit=0.4, deterministic=True)
    again = eplb_opt.solve(loads, deployment, survive=1, method="greedy", time_limit=0.02, warm_start=good.plan)
    assert not losses(again.plan)["experts_lost"].any()
    assert again.layers[0].objective <= good.layers[0].objective
    assert again.layers[1].objective == 0


def test_work_limits_give_the_same_plan_again():
    deployment = Deployment(4, 24, 2, policy="global")
    loads = np.random.default_rng(5).lognormal(3, 1, (2, 10))
    settings = {"survive": 1, "time_limit": 0.3, "deterministic": True}
    one = eplb_opt.solve(loads, deployment, workers=1, **settings)
    two = eplb_opt.solve(loads, deployment, workers=2, **settings)
    assert np.array_equal(one.plan.physical_to_logical, two.plan.physical_to_logical)


def test_renumbering_keeps_experts_on_two_nodes():
    deployment = Deployment(4, 8, 2, policy="global")
    new = Plan(np.array([[0, 1, 2, 3, 0, 1, 2, 3]]), deployment, 4)
    old = replace(new, physical_to_logical=np.array([[0, 1, 0, 1, 2, 3, 2, 3]]))
    assert not losses(renumbered_apart(old, new))["experts_lost"].any()
    assert losses(renumbered(old, new))["experts_lost"].any()


@pytest.mark.parametrize(
    ("survive", "deployment", "words"),
    [
        (2, Deployment(4, 16), "survive=2 is more than the loss of 1 GPU, or node"),
        (-1, Deployment(4, 16), "survive=-1 is not an integer of at least 0"),
        (1, Deployment(4, 8), "two slots for each of 7 experts, on 4 GPUs 16 slots, and num_slots=8"),
        (1, Deployment(1, 7), "two GPUs for each expert, and the deployment has one"),
        (1, Deployment(4, 16, dispatch="sglang-static"), "not for dispatch='sglang-static'"),
        (1, Deployment(4, 16, 3, policy="global"), "num_gpus=4 is not a multiple of num_nodes=3"),
        (
            1,
            Deployment(4, 13, gpu_slots=(6, 3, 3, 1)),
            "different GPUs, and GPUs with 1 to 6 slots have room for 13",
        ),
        (
            1,
            Deployment(4, 20, distinct=False, gpu_slots=(17, 1, 1, 1)),
            "two slots for each of 7 experts, on different GPUs, and GPUs with 1 to 17 slots have room for 10",
        ),
        (
            1,
            Deployment(4, 16, 2, policy="global", gpu_slots=(6, 6, 2, 2)),
            "on different nodes, and nodes with 4 to 12 slots have room for 11",
        ),
    ],
)
def test_refusals(survive, deployment, words):
    with pytest.raises((InvalidArgumentError, InvalidDeploymentError), match=re.escape(words)):
        eplb_opt.solve([[7, 6, 5, 4, 3, 2, 1]], deployment, survive=survive)


def test_slots_of_each_node_are_told():
    with pytest.raises(InvalidDeploymentError, match="on 4 GPUs 16 slots, 8 on each node, and num_slots=12"):
        eplb_opt.solve([range(8)], Deployment(4, 12, 2, 2, "hierarchical"), survive=1)
    with pytest.raises(InvalidDeploymentError, match="a node that groups are bound to has one"):
        eplb_opt.solve([range(4)], Deployment(2, 4, 2, 2, "hierarchical"), survive=1)
    least = eplb_opt.solve([range(1, 9)], Deployment(4, 16, 2, 2, "hierarchical"), survive=1, time_limit=0.1)
    assert least.layers[0].objective >= Fraction(36, 4)
