"""A fleet of models planned on a Dask cluster: the plans of one machine, and none lost with a worker."""

import logging
import os
import signal
import threading

import pytest

import eplb_opt
from eplb_opt import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.run.loading import load_kernels
from tests.clocks import LONG, patience
from tests.processes import alive, eventually

distributed = pytest.importorskip("distributed")
pytestmark = [
    # Its event loop and its sockets end when they like.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
]

DEPLOYMENT = Deployment(num_gpus=8, num_slots=40)
FLEET = {seed: generate_loads(num_experts=32, num_layers=3, skew=1.2, seed=seed) for seed in (1, 2, 3)}


@pytest.fixture(scope="module")
def cluster():
    cluster = distributed.LocalCluster(n_workers=2, processes=True, threads_per_worker=1, dashboard_address=":0")
    with cluster, distributed.Client(cluster) as client:
        client.run(load_kernels)
        yield client
        pids = answering(client)
    assert eventually(lambda: not any(map(alive, pids)))


def answering(cluster):
    """Ids of the workers that answer: the scheduler lists one that was killed until it hears of that."""
    return [pid for pid in cluster.run(os.getpid, on_error="return").values() if isinstance(pid, int)]


def have_two_workers(cluster):
    """Wait for those that are started again; Dask gives one up whose start takes long, and is asked for another."""

    def two_answer():
        cluster.cluster.scale(2)
        cluster.wait_for_workers(2, timeout=LONG)
        return len(answering(cluster)) == 2

    assert eventually(two_answer)


def check(solution, loads):
    assert eplb_opt.verify(solution.plan) == []
    assert solution.plan.layer_ids == loads.layer_ids
    for layer, instant in zip(solution.layers, eplb_opt.lower_bound(loads, DEPLOYMENT)["lower_bound"], strict=True):
        assert instant * (1 - 1e-12) <= layer.lower_bound <= layer.objective


def test_a_fleet_of_models_gets_the_plans_of_one_machine(cluster):
    options = {"deterministic": True, "time_limit": 0.3, "target_gap": 0, "workers": 2}
    for loads in FLEET.values():
        there = eplb_opt.solve(loads, DEPLOYMENT, executor=cluster.get_executor(pure=False), **options)
        here = eplb_opt.solve(loads, DEPLOYMENT, **options)
        check(there, loads)
        assert there.plan == here.plan
        assert [layer.lower_bound for layer in there.layers] == [layer.lower_bound for layer in here.layers]


def test_models_are_planned_at_the_same_time(cluster):
    solutions = {}

    def plan(name):
        executor = cluster.get_executor(pure=False)
        solutions[name] = eplb_opt.solve(FLEET[name], DEPLOYMENT, time_limit=0.5, executor=executor, workers=1)

    threads = [threading.Thread(target=plan, args=(name,)) for name in FLEET]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    for name, loads in FLEET.items():
        check(solutions[name], loads)


@pytest.mark.parametrize("method", ["search", "auto"])
def test_the_time_limit_holds_with_a_distant_executor(cluster, method):
    loads = generate_loads(num_experts=96, num_layers=4, skew=1.2, seed=4)
    deployment = Deployment(num_gpus=64, num_slots=128)
    executor = cluster.get_executor(pure=False)
    solution = eplb_opt.solve(loads, deployment, method=method, time_limit=1.0, target_gap=0, executor=executor)
    assert solution.runtime < patience(1.0 * 1.05 + 3.0)
    assert eplb_opt.verify(solution.plan) == []


def test_ctrl_c_ends_a_call_with_a_distant_executor(cluster):
    loads = generate_loads(num_experts=96, num_layers=4, skew=1.2, seed=4)
    threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
    solution = eplb_opt.solve(
        loads,
        Deployment(num_gpus=64, num_slots=128),
        method="search",
        time_limit=60.0,
        target_gap=0,
        executor=cluster.get_executor(pure=False),
    )
    assert solution.runtime < patience(4.0)
    assert "interrupt" in {layer.stopped_by for layer in solution.layers}
    assert eplb_opt.verify(solution.plan) == []


@pytest.mark.parametrize("at", ["the start", "mid-run"])
def test_a_killed_worker_loses_no_layer_and_its_steps_are_run_again(cluster, at):
    loads = generate_loads(num_experts=64, num_layers=6, skew=1.2, seed=5)
    options = {"method": "search", "deterministic": True, "time_limit": 1.0, "target_gap": 0, "workers": 2}
    expected = eplb_opt.solve(loads, DEPLOYMENT_OF_64, **options)
    victim = answering(cluster)[0]
    steps = 0

    def kill(progress):
        nonlocal steps
        steps += 1
        if steps == (1 if at == "the start" else 12):
            os.kill(victim, signal.SIGKILL)

    solution = eplb_opt.solve(
        loads, DEPLOYMENT_OF_64, executor=cluster.get_executor(pure=False), progress=kill, **options
    )
    assert eventually(lambda: not alive(victim))
    have_two_workers(cluster)
    assert eplb_opt.verify(solution.plan) == []
    # Every step was run, on whatever worker: otherwise plans would be worse than those of one machine.
    assert solution.plan == expected.plan
    assert not any("failed" in point.source for layer in solution.layers for point in layer.trace)


def test_steps_that_a_cluster_gives_up_with_a_worker_are_run_again(cluster, caplog):
    caplog.set_level(logging.INFO, "eplb_opt.run.schedule")
    loads = FLEET[1]
    options = {"method": "search", "deterministic": True, "time_limit": 1.0, "target_gap": 0, "workers": 2}
    expected = eplb_opt.solve(loads, DEPLOYMENT, **options)
    have_two_workers(cluster)
    victims = answering(cluster)

    def kill():
        for pid in victims:
            os.kill(pid, signal.SIGKILL)

    def kill_soon(progress):
        # Both at once, each with a step.
        if progress.worst_gap is not None and not timers:
            timers.append(threading.Timer(0.05, kill))
            timers[0].start()

    timers = []
    # So that a worker takes its step with it for good: KilledWorker.
    before = cluster.run_on_scheduler(lambda dask_scheduler: dask_scheduler.allowed_failures)
    cluster.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
    try:
        solution = eplb_opt.solve(
            loads, DEPLOYMENT, executor=cluster.get_executor(pure=False), progress=kill_soon, **options
        )
    finally:
        cluster.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", before))
    assert "a step is run again after KilledWorker" in caplog.text
    assert solution.plan == expected.plan


def test_a_cluster_without_workers_costs_no_plan():
    loads = FLEET[2]
    empty = distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=":0")
    with empty, distributed.Client(empty) as client:
        solution = eplb_opt.solve(loads, DEPLOYMENT, time_limit=0.5, executor=client.get_executor(pure=False))
    assert solution.runtime < patience(3.5)
    check(solution, loads)


DEPLOYMENT_OF_64 = Deployment(num_gpus=16, num_slots=80)
