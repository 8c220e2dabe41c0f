"""survival: losses one by one, by the definition, and beside evaluate on plans without the lost GPU."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidPlanError
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.survival import lost_experts, survival
from tests.different_gpus import SPEEDS, gpu_of_slot, speed_of
from tests.examples import examples

# Experts 0 and 1 are on both GPUs of a node, 2 and 3 are on two nodes, 4 and 5 have one replica.
PLAN = Plan(np.array([[0, 1, 2, 0, 1, 3, 2, 3, 4, 2, 3, 5]]), Deployment(4, 12, 2, policy="global"), 6)


@st.composite
def plans(draw, **deployment):
    """A plan of two layers on GPUs of one or two nodes."""
    gpus, size = draw(st.sampled_from([2, 3, 4, 6])), draw(st.integers(1, 4))
    experts = draw(st.integers(1, gpus * size))
    nodes = draw(st.sampled_from([n for n in (1, 2, 3) if gpus % n == 0]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = [
        random.permutation(np.append(np.arange(experts), random.integers(0, experts, gpus * size - experts)))
        for _ in range(2)
    ]
    where = Deployment(gpus, gpus * size, nodes, policy="global", distinct=False, **deployment)
    if where.dispatch != "optimal" and draw(st.booleans()):
        sizes = [size] * gpus
        for taker, giver in draw(st.lists(st.tuples(*[st.integers(0, gpus - 1)] * 2), max_size=3)):
            if sizes[giver] > 1:
                sizes[giver] -= 1
                sizes[taker] += 1
        speeds = draw(st.none() | st.lists(SPEEDS, min_size=gpus, max_size=gpus))
        where = replace(where, gpu_slots=tuple(sizes), gpu_speeds=speeds)
    return Plan(np.array(rows), where, experts, layer_ids=(3, 5))


def loads_of(plan, seed, windows=2):
    return np.random.default_rng(seed).integers(0, 9, (windows, 2, plan.num_experts))


def losses_of(plan, losses):
    """For each loss and layer what the GPUs of the others hold."""
    gpus, nodes = plan.deployment.num_gpus, plan.deployment.num_nodes
    number, size = (gpus, 1) if losses == "gpus" else (nodes, gpus // nodes)
    gpu_of = gpu_of_slot(plan.deployment)
    held = [
        [[expert for expert, there in zip(layer, gpu_of, strict=True) if there == gpu] for gpu in range(gpus)]
        for layer in plan.physical_to_logical.tolist()
    ]
    for unit in range(number):
        gone = range(unit * size, unit * size + size)
        yield unit, [[there for gpu, there in enumerate(layer) if gpu not in gone] for layer in held]


@pytest.mark.parametrize("losses", ["gpus", "nodes"])
@given(plans())
def test_lost_is_what_nobody_else_has(losses, plan):
    expected = [
        [unit, layer_id, expert]
        for unit, layers in losses_of(plan, losses)
        for layer_id, others in zip(plan.layer_ids, layers, strict=True)
        for expert in range(plan.num_experts)
        if not any(expert in there for there in others)
    ]
    lost = lost_experts(plan, losses)
    assert lost.values.tolist() == expected
    assert lost.columns.tolist() == [losses[:-1], "layer_id", "expert"]
    frame = survival(plan, losses=losses)
    assert frame["experts_lost"].tolist() == [
        sum(unit == number for unit, _, _ in expected) for number in range(len(frame))
    ]
    assert frame["layers_lost"].tolist() == [
        len({layer for unit, layer, _ in expected if unit == number}) for number in range(len(frame))
    ]


@pytest.mark.parametrize("losses", ["gpus", "nodes"])
@given(plans(), st.integers(0, 99))
def test_survivors_share_what_is_left_evenly(losses, plan, seed):
    loads = loads_of(plan, seed)
    if losses == "nodes" and plan.deployment.num_nodes == 1:
        return
    frame = survival(plan, loads, losses)
    for unit, layers in losses_of(plan, losses):
        parts, imbalances = [], []
        size = 1 if losses == "gpus" else plan.deployment.num_gpus // plan.deployment.num_nodes
        left = [gpu for gpu in range(plan.deployment.num_gpus) if gpu // size != unit]
        speeds = [speed_of(gpu, plan.deployment) for gpu in left]
        for window in loads.tolist():
            for weights, others in zip(window, layers, strict=True):
                replicas = Counter(expert for there in others for expert in there)
                total = sum(weights)
                if not total:
                    continue
                tokens = [sum(Fraction(weights[e], replicas[e]) for e in there) for there in others]
                hottest = max(load / speed for load, speed in zip(tokens, speeds, strict=True))
                imbalances.append(float(hottest * sum(speeds) / total))
                parts.append(sum(w for e, w in enumerate(weights) if e not in replicas) / total)
        row = frame.iloc[unit]
        if not parts:
            assert isnan(row["load_lost"]) and isnan(row["mean_imbalance"]) and isnan(row["worst_imbalance"])
            continue
        assert row["load_lost"] == pytest.approx(np.mean(parts))
        assert row["mean_imbalance"] == pytest.approx(np.mean(imbalances))
        assert row["worst_imbalance"] == pytest.approx(max(imbalances))


@pytest.mark.parametrize("dispatch", ["even", "by-rank", "optimal"])
@examples(20)
@given(st.data())
def test_without_a_gpu_a_plan_is_worth_what_evaluate_says_of_the_others(dispatch, data):
    plan = data.draw(plans(dispatch=dispatch))
    loads = loads_of(plan, data.draw(st.integers(0, 99))) + 1
    frame = survival(plan, loads)
    for gpu in frame.loc[frame["experts_lost"] == 0, "gpu"]:
        gpus = [other for other in range(plan.deployment.num_gpus) if other != gpu]
        rows = plan.physical_to_logical[:, np.array(gpu_of_slot(plan.deployment)) != gpu]
        slots, speeds = plan.deployment.gpus.slots, [speed_of(other, plan.deployment) for other in gpus]
        each = {"gpu_slots": [slots[other] for other in gpus], "gpu_speeds": speeds}
        others = Deployment(len(gpus), rows.shape[1], distinct=False, dispatch=dispatch, **each)
        metrics = eplb_opt.evaluate(replace(plan, physical_to_logical=rows, deployment=others), loads)
        assert frame["mean_imbalance"][gpu] == pytest.approx(metrics["imbalance"].mean())
        assert frame["worst_imbalance"][gpu] == pytest.approx(metrics["imbalance"].max())
        assert frame["mean_imbalance"][gpu] >= 1
        assert frame["load_lost"][gpu] == 0


def test_figures_of_a_plan_that_is_known():
    frame = survival(PLAN, [[6, 6, 6, 6, 6, 6]])
    # Without GPU 2 (2, 3, 4): expert 4 is gone, a sixth; GPU 3 carries 3 + 3 + 6 of a mean of 36 / 3.
    assert frame.loc[2].to_dict() == {
        "gpu": 2,
        "layers_lost": 1,
        "experts_lost": 1,
        "load_lost": pytest.approx(1 / 6),
        "mean_imbalance": 1,
        "worst_imbalance": 1,
    }
    # Without GPU 0: GPU 1 has the only copies of 0 and 1, and a third of 3.
    assert frame.loc[0, "mean_imbalance"] == pytest.approx((6 + 6 + 2) / 12)
    assert frame["experts_lost"].tolist() == [0, 0, 1, 1]
    nodes = survival(PLAN, losses="nodes")
    assert nodes.to_dict("list") == {"node": [0, 1], "layers_lost": [1, 1], "experts_lost": [2, 2]}
    assert lost_experts(PLAN, "nodes")["expert"].tolist() == [0, 1, 4, 5]


def test_under_a_dispatch_that_asks_for_nodes_figures_are_those_of_the_even_split():
    loads = [[9, 3, 6, 5, 2, 1]]
    for dispatch in ("nearest", "sglang-static"):
        assert survival(PLAN.dispatched(dispatch), loads).equals(survival(PLAN, loads))
    assert not survival(PLAN.dispatched("optimal"), loads).equals(survival(PLAN, loads))


def test_layers_of_loads_are_matched_by_their_ids():
    rows = np.repeat(PLAN.physical_to_logical, 2, axis=0)
    plan = replace(PLAN, physical_to_logical=rows, layer_ids=(3, 4), num_model_layers=5)
    frame = survival(plan, Loads(np.full((1, 1, 6), 6), layer_ids=(4,), num_model_layers=5))
    assert frame["mean_imbalance"].tolist() == survival(PLAN, [[6] * 6])["mean_imbalance"].tolist()
    assert frame["experts_lost"].tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: survival(PLAN, losses="racks"), InvalidArgumentError, "losses='racks'"),
        (
            lambda: lost_experts(replace(PLAN, deployment=Deployment(4, 12, 3, policy="global")), "nodes"),
            InvalidArgumentError,
            "4 GPUs do not divide into 3 nodes",
        ),
        (
            lambda: survival(replace(PLAN, deployment=Deployment(1, 12, distinct=False)), [[1] * 6]),
            InvalidArgumentError,
            "the plan has one GPU: nothing is left",
        ),
        (
            lambda: survival(replace(PLAN, physical_to_logical=np.zeros((1, 12), dtype=int))),
            InvalidPlanError,
            "is not valid",
        ),
    ],
)
def test_what_means_nothing_is_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
