"""Step: times by the definition, active replicas by drawing, and bounds that no placement goes below."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance
from eplb_opt.step import Step
from eplb_opt.time_model import TimeModel
from eplb_opt.verify import max_loads
from tests import moves_different_gpus
from tests.different_gpus import gpu_loads, gpu_of_slot
from tests.oracle import enumerate_rows
from tests.random_instances import dispatched, random_instance

FP8 = TimeModel.preset("deepseek-v3-fp8")
# Nine of ten random instances have fewer placements; the others take nearly all of the time.
MOST_ROWS = 600
TEMPI = (FP8, TimeModel(per_replica=5.0, per_token=0.0), TimeModel(per_replica=1.0, per_token=2.0, computing=7.0))


def step_of(model, tokens=16.0, experts=2):
    return Step(time_model=model, tokens_per_gpu=tokens, experts_per_token=experts)


def by_definition(step, slots, instance):
    """The slowest GPU under the even split of one window, in plain loops; speeds are those of tokens alone."""
    gpus, gpu_of = instance.deployment.num_gpus, gpu_of_slot(instance.deployment)
    total, requests = sum(instance.weights[0]), step.tokens_per_gpu * step.experts_per_token * gpus
    times = []
    for gpu, load in enumerate(gpu_loads(tuple(slots), instance)):
        active = 0.0
        for expert in (expert for slot, expert in enumerate(slots) if gpu_of[slot] == gpu):
            part = instance.weights[0][expert] / total / slots.count(expert)
            active += 1 - (1 - part) ** requests
        tokens = float(load / instance.unit) / total * requests
        model = step.time_model
        times.append(max(model.streaming + model.per_replica * active, model.computing + model.per_token * tokens))
    return max(times)


def test_times_are_those_of_the_definition():
    random = np.random.default_rng(1)
    for _ in range(60):
        instance = random_instance(random)
        if not any(instance.weights[0]):
            continue
        rows = list(islice(enumerate_rows(instance), MOST_ROWS))
        row = rows[int(random.integers(len(rows)))]
        step = step_of(TEMPI[int(random.integers(3))], tokens=float(random.choice([1, 8, 1000])))
        assert step.mean_microseconds(row, instance) == pytest.approx(by_definition(step, list(row), instance))


def test_active_replicas_are_as_many_as_draws_find():
    random, shares = np.random.default_rng(2), np.array([0.5, 0.3, 0.15, 0.04, 0.01])
    step = step_of(FP8, tokens=5.0, experts=2)
    draws = random.multinomial(5 * 2 * 4, shares, size=200_000) > 0
    assert step.active(shares, 4) == pytest.approx(draws.mean(axis=0), abs=0.005)


def test_no_placement_is_faster_than_the_bound():
    random = np.random.default_rng(3)
    closest, compared = 0.0, 0
    for number in range(150):
        instance = random_instance(random)
        if number % 3 == 0:
            instance = dispatched(random, instance)
        if not any(instance.weights[0]) or instance.deployment.dispatch == "optimal":
            continue
        rows = list(islice(enumerate_rows(instance), MOST_ROWS + 1))
        if len(rows) > MOST_ROWS:
            continue
        compared += 1
        mean = instance.mean_loads[0]
        coolest = float(min(max_loads(row, instance)[0] for row in rows) / mean)
        step = step_of(TEMPI[int(random.integers(3))], tokens=float(random.choice([1, 8, 1000])))
        least, fastest = (
            step.least_microseconds(instance, coolest),
            min(step.mean_microseconds(row, instance) for row in rows),
        )
        assert least <= fastest * (1 + 1e-9)
        closest = max(closest, least / fastest)
    assert closest == pytest.approx(1.0)
    assert compared > 100


def test_where_gpus_differ_times_are_those_of_the_definition_and_no_placement_is_faster_than_the_bound():
    random = np.random.default_rng(6)
    closest = 0.0
    for case in islice(moves_different_gpus.random_replans(6, each=2), 12):
        instance = case.instance.total()
        if not any(instance.weights[0]):
            continue
        rows = moves_different_gpus.placements(instance.deployment, instance.num_experts)[0]
        coolest = float(min(max_loads(row, instance)[0] for row in rows) / instance.mean_loads[0])
        step = step_of(TEMPI[int(random.integers(3))], tokens=float(random.choice([1, 8, 1000])))
        times = [step.mean_microseconds(row, instance) for row in rows]
        row = int(random.integers(len(rows)))
        assert times[row] == pytest.approx(by_definition(step, list(rows[row]), instance))
        least = step.least_microseconds(instance, coolest)
        assert least <= min(times) * (1 + 1e-9)
        closest = max(closest, least / min(times))
    assert closest == pytest.approx(1.0)


def test_a_gpu_of_half_the_speed_computes_twice_as_long_and_streams_as_long():
    # Expert 0 has half of the load, on a GPU of speed 1/2.
    instance = Instance.from_loads([2, 1, 1], Deployment(2, 3, gpu_slots=[1, 2], gpu_speeds=["1/2", 1]))
    computes, streams = TimeModel(per_replica=0.0, per_token=3.0), TimeModel(per_replica=5.0, per_token=0.0)
    requests = 1000 * 2 * 2
    assert step_of(computes, 1000).mean_microseconds([0, 1, 2], instance) == pytest.approx(3.0 * requests / 2 * 2)
    assert step_of(streams, 1000).mean_microseconds([0, 1, 2], instance) == pytest.approx(2 * 5.0)


def test_several_windows_count_by_their_mean_and_empty_ones_not():
    deployment = Deployment(2, 4)
    loads = [[4, 2, 1], [0, 0, 0], [1, 2, 4]]
    step, slots = step_of(FP8), [0, 1, 0, 2]
    instance = Instance.from_loads(loads, deployment)
    times = step.layer_microseconds(slots, instance)
    alone = [step.mean_microseconds(slots, Instance.from_loads(row, deployment)) for row in loads]
    assert times.tolist() == alone
    assert alone[1] == 0.0
    assert step.mean_microseconds(slots, instance) == pytest.approx((alone[0] + alone[2]) / 2)
    # Each of the windows can do no better than its own bound, with the mean of both imbalances.
    floors = [step.least_microseconds(Instance.from_loads(loads[k], deployment), 1.0) for k in (0, 2)]
    assert step.least_microseconds(instance, 1.0) <= sum(floors) / 2 + 1e-12


def test_a_layer_without_load_takes_no_time():
    instance = Instance.from_loads([0, 0, 0], Deployment(2, 4))
    assert step_of(FP8).mean_microseconds([0, 1, 0, 2], instance) == 0.0
    assert step_of(FP8).least_microseconds(instance, 1.0) == 0.0


def test_a_dispatch_that_leaves_shares_open_leaves_times_open():
    instance = Instance.from_loads([3, 2, 1], Deployment(2, 4, dispatch="optimal"))
    assert np.isnan(step_of(FP8).mean_microseconds([0, 1, 0, 2], instance))


def test_times_scale_with_constants_and_grow_with_tokens():
    random = np.random.default_rng(4)
    for _ in range(40):
        instance = random_instance(random)
        if not any(instance.weights[0]):
            continue
        row = next(iter(enumerate_rows(instance)))
        times = [step_of(FP8, tokens).mean_microseconds(row, instance) for tokens in (1.0, 4.0, 64.0, 4096.0)]
        assert times == sorted(times)
        twice = replace(FP8, per_replica=2 * FP8.per_replica, per_token=2 * FP8.per_token)
        assert step_of(twice).mean_microseconds(row, instance) == pytest.approx(
            2 * step_of(FP8).mean_microseconds(row, instance)
        )
        # What a recording counts is its own business: only parts of the load matter.
        tripled = Instance.from_loads([3 * weight for weight in instance.weights[0]], instance.deployment)
        assert step_of(FP8).mean_microseconds(row, tripled) == pytest.approx(
            step_of(FP8).mean_microseconds(row, instance)
        )
