"""Runs: what `solve` says, with the clock of the whole call."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import eplb_opt
from eplb_opt.bench.run import Settings, run_all
from eplb_opt.bench.suite import suite
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.run.pool import POOL
from tests.clocks import patience

MODELS = Path(__file__).resolve().parents[2] / "models"
SETTINGS = Settings(time_limit=1.0, target_gap=0.01, seed=0, workers=1)


@pytest.fixture
def cases():
    return suite("layers", only=["lognormal-1-32x48x16", "rank-1.2-32x48x16"])


def test_every_method_runs_on_every_case_and_numbers_are_those_of_solve(cases):
    runs = list(run_all(cases, ["greedy", "search"], SETTINGS))
    assert [(run.case, run.method) for run in runs] == [(case, m) for case in cases for m in ("greedy", "search")]
    for run in runs:
        (layer,) = run.solution.layers
        assert eplb_opt.verify(run.solution.plan) == []
        assert (run.imbalance, run.gaps, run.workers) == (layer.imbalance, [layer.gap], 1)
        assert run.bound == layer.lower_bound / layer.mean_load
        assert run.layers_optimal == (layer.status == "optimal")
        assert dict(layer.work) == run.work
        assert run.seconds >= run.solution.runtime and run.seconds < patience(3)
        assert 0 <= run.thread_seconds <= run.seconds + 0.1
    again = eplb_opt.solve(cases[0].loads, cases[0].deployment, method="greedy")
    assert again.plan == runs[0].solution.plan


def test_a_watcher_sees_each_call_begin_move_and_end(cases):
    seen = []

    @contextmanager
    def watch(case, method):
        seen.append((case.name, method))
        yield lambda now: seen.append(now.layers)
        seen.append("end")

    list(run_all(cases[:1], ["greedy"], SETTINGS, watch))
    assert (seen[0], seen[-1]) == ((cases[0].name, "greedy"), "end")
    assert set(seen[1:-1]) == {1}


def test_a_program_that_is_too_large_is_a_run_with_the_plan_it_began_with():
    (case,) = suite("library", [MODELS], only=["lognormal-1-896x1024x256"])
    limits = Settings(time_limit=5.0, target_gap=0.0, seed=0, workers=1)
    (run,) = run_all([case], ["pulp:COIN_CMD"], limits)
    (failure,) = run.failures
    assert "variables, more than 1000000" in failure and run.solver_idle
    assert eplb_opt.verify(run.solution.plan) == []
    greedy = eplb_opt.solve(case.loads, case.deployment, method="greedy")
    assert run.value <= greedy.layers[0].objective and run.lower_bound == greedy.layers[0].lower_bound


@pytest.mark.parametrize("method", ["cpsat", "pulp:HiGHS", "pulp:COIN_CMD"])
def test_a_program_that_is_not_built_in_time_is_a_run_that_ends_in_time(method):
    # 965,120 variables: PuLP needs most of a minute for them.
    (case,) = suite("library", [MODELS], only=["lognormal-1-256x320x64"])
    (run,) = run_all([case], [method], Settings(time_limit=1.0, target_gap=0.0, seed=0, workers=1))
    assert run.solver_idle and run.failures == [] and run.seconds < patience(3)
    assert run.solution.layers[0].stopped_by == "time" and eplb_opt.verify(run.solution.plan) == []


def test_a_worker_that_dies_is_a_run_with_a_failure(workers_begin_with):
    workers_begin_with("import os; os._exit(3)")
    (case,) = suite("library", [MODELS], only=["skewed-groups-64x80x16"])
    POOL.close()
    (run,) = run_all([case], ["cpsat"], Settings(time_limit=3.0, target_gap=0.0, seed=0, workers=1))
    assert run.solver_idle and "ended with 3" in run.failures[0]
    assert eplb_opt.verify(run.solution.plan) == []


def test_a_method_that_has_no_such_objective_is_left_out_with_what_solve_says():
    (case,) = suite("library", [MODELS], only=["worst-of-3-32x48x48"])
    left_out, run = run_all([case], ["cpsat", "greedy"], SETTINGS)
    assert left_out.reason.startswith("method='cpsat' plans one window") and not left_out.failed
    assert (run.imbalance, run.bound) == (run.solution.layers[0].objective, run.solution.layers[0].lower_bound)


@pytest.mark.parametrize("wrong", [{"time_limit": -1}, {"target_gap": 1.0}, {"seed": -1}, {"workers": 0}])
def test_wrong_settings_are_refused_as_solve_does(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(InvalidArgumentError, match=f"{name}={value}"):
        replace(SETTINGS, **wrong)
