"""Runs: what `solve` says, with the clock of the whole call."""

from contextlib import contextmanager

import pytest

import eplb_opt
from eplb_opt.bench.run import Settings, run_all
from eplb_opt.bench.suite import select, suite
from eplb_opt.errors import InvalidArgumentError

SETTINGS = Settings(time_limit=1.0, target_gap=0.01, seed=0, workers=1)


@pytest.fixture
def cases():
    return select(suite("layers"), ["lognormal-1-32x48x16", "rank-1.2-32x48x16"])


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
        assert run.seconds >= run.solution.runtime and run.seconds < 3
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


def test_wrong_settings_are_those_of_solve(cases):
    with pytest.raises(InvalidArgumentError, match="time_limit=-1"):
        next(run_all(cases, ["greedy"], Settings(-1, 0.0, 0, 1)))
