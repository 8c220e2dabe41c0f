"""Plans that change little: moves that are limited, and gains that have to pay."""

import logging
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.heuristics import planner as heuristics
from eplb_opt.instance import Instance
from eplb_opt.moves import count_moves, keep_slots
from eplb_opt.plan import Plan
from eplb_opt.plugins import planner
from eplb_opt.plugins.changes import LEAST_GAIN, MOVES, MOVES_PER_LAYER, Changes
from eplb_opt.plugins.max_loads import exact_max_loads, hottest_loads
from eplb_opt.plugins.plain import even_rows
from eplb_opt.plugins.planner import TIME_LIMIT, deployment_of, plan_layers
from eplb_opt.verify import max_loads
from tests.examples import examples
from tests.plugins.sizes import loads, numbers

SIZES = (64, 80, 8, 2, 8)
RANDOM = np.random.default_rng(0)
LOADS = RANDOM.lognormal(8, 1, (4, 64)).astype(int)
LATER = RANDOM.poisson(LOADS * RANDOM.lognormal(0, 0.2, LOADS.shape))


@pytest.fixture(params=[(64, 80, 8, 2, 8), (64, 80, 1, 1, 8)], ids=["hierarchical", "global"])
def deployment(request, monkeypatch):
    monkeypatch.setenv(TIME_LIMIT, "0.1")
    return deployment_of(*request.param)


def moved(monkeypatch, old, deployment, **settings):
    """The rows for later loads with these settings, and the moves of each layer."""
    for name, value in settings.items():
        monkeypatch.setenv(f"EPLB_OPT_{name.upper()}", str(value))
    rows = plan_layers(LATER, deployment, old)
    return rows, count_moves(rows, old, deployment.num_gpus)


@examples(30)
@given(st.data())
def test_limits_are_kept_nothing_gets_hotter_and_what_stays_keeps_its_slot(data):
    sizes = data.draw(numbers())
    values, later = data.draw(loads(sizes)), data.draw(loads(sizes))
    layers = min(len(values), len(later))
    values, later, deployment = values[:layers], later[:layers], sizes.deployment
    old = plan_layers(values, deployment)
    moves, each = data.draw(st.integers(0, 8)), data.draw(st.integers(0, 4) | st.none())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MOVES, str(moves))
        if each is not None:
            patch.setenv(MOVES_PER_LAYER, str(each))
        patch.setenv(TIME_LIMIT, "0.05")
        rows = plan_layers(later, deployment, old)
    spent = count_moves(rows, old, sizes.gpus)
    assert spent.sum() <= moves and (each is None or (spent <= each).all())
    assert rows.tolist() == keep_slots(rows, old, sizes.gpus).tolist()
    doubled = eplb_opt.Deployment(sizes.gpus, sizes.slots, sizes.nodes, sizes.groups, deployment.policy, distinct=False)
    assert eplb_opt.verify(Plan(rows, doubled, sizes.experts)) == []
    before, after = (exact_max_loads(later, table, doubled) for table in (old, rows))
    assert all(now <= was for was, now in zip(before, after, strict=True))


def test_more_moves_gain_more_and_few_gain_much(monkeypatch, deployment):
    old = plan_layers(LOADS, deployment)
    heat, spent = [], []
    for moves in (0, 10, 39, 120):
        rows, of_layers = moved(monkeypatch, old, deployment, moves=moves)
        heat.append(hottest_loads(LATER, rows, 8).sum())
        spent.append(of_layers.sum())
    monkeypatch.delenv(MOVES)
    free, of_layers = moved(monkeypatch, old, deployment)
    least = hottest_loads(LATER, free, 8).sum()
    assert heat == sorted(heat, reverse=True) and spent[0] == 0 and spent[2] <= 39
    # More than half of what all moves gain, with a fifth of them.
    assert heat[2] - least < (heat[0] - least) / 2 and of_layers.sum() >= 5 * 39


def test_moves_go_where_they_gain_most(monkeypatch):
    # One exchange gains 2 tokens in the first layer and 200 in the second.
    values = np.array([[9, 3, 1, 3], [900, 300, 100, 300]])
    old = np.array([[0, 1, 2, 3], [0, 1, 2, 3]])
    monkeypatch.setenv(MOVES, "2")
    monkeypatch.setenv(TIME_LIMIT, "0.05")
    rows = plan_layers(values, deployment_of(4, 4, 1, 1, 2), old)
    assert rows[0].tolist() == old[0].tolist()
    assert hottest_loads(values, rows, 2).tolist() == [12, 1000]


def test_tiny_layers_are_as_cool_as_any_plan_with_two_moves(monkeypatch):
    """One exchange or up to two copies: all rows of four experts in six slots of two GPUs are looked at."""
    deployment = eplb_opt.Deployment(2, 6)
    monkeypatch.setenv(MOVES, "2")
    monkeypatch.setenv(TIME_LIMIT, "0.05")
    rows = [row for row in product(range(4), repeat=6) if not eplb_opt.verify(Plan(np.array([row]), deployment, 4))]
    equal = 0
    for values in np.random.default_rng(3).integers(1, 100, (12, 1, 4)):
        old = np.array([[0, 1, 2, 3, 0, 1]])
        instance = Instance.from_loads(values[0], deployment)
        near = [row for row in rows if count_moves(np.array([row]), old, 2)[0] <= 2]
        best = min(max_loads(list(row), instance)[0] for row in near)
        (found,) = exact_max_loads(values, plan_layers(values, deployment, old, doubles=False), deployment)
        assert best <= found <= exact_max_loads(values, old, deployment)[0]
        equal += found == best
    assert equal >= 9


@pytest.mark.parametrize("limit", [{}, {"moves": 40}])
def test_where_no_plan_can_gain_enough_nothing_is_searched(monkeypatch, caplog, deployment, limit):
    caplog.set_level(logging.INFO, "eplb_opt.plugins.planner")
    old = plan_layers(LOADS, deployment)
    before = sum(exact_max_loads(LATER, old, deployment))
    # No plan is cooler than the mean load.
    most = float(100 * (1 - Fraction(int(LATER.sum()), 8) / before))
    monkeypatch.setattr(planner, "few_moves", lambda *_: pytest.fail("searched"))
    monkeypatch.setattr(heuristics, "better_plan", lambda *_, **__: pytest.fail("searched"))
    rows, _ = moved(monkeypatch, old, deployment, least_gain=most + 0.01, **limit)
    assert rows.tolist() == old.tolist()
    assert "nothing moves: no plan gains more than" in caplog.text and "proven" in caplog.text


@pytest.mark.parametrize("limit", [{}, {"moves": 10}])
def test_a_plan_that_gains_too_little_is_not_taken_and_one_that_gains_enough_is(monkeypatch, caplog, deployment, limit):
    caplog.set_level(logging.INFO, "eplb_opt.plugins.planner")
    old = plan_layers(LOADS, deployment)
    free, _ = moved(monkeypatch, old, deployment, **limit)
    was, now = (hottest_loads(LATER, table, 8).sum() for table in (old, free))
    gain = 100 * (1 - now / was)
    taken, _ = moved(monkeypatch, old, deployment, least_gain=gain - 1e-6)
    assert taken.tolist() == free.tolist()
    kept, spent = moved(monkeypatch, old, deployment, least_gain=gain + 1e-6)
    assert kept.tolist() == old.tolist() and spent.sum() == 0
    assert f"nothing moves: the plan that was found gains {gain:.2f} %" in caplog.text


def test_rows_that_break_a_rule_are_made_anew_and_others_keep_the_limit(monkeypatch, caplog, deployment):
    caplog.set_level(logging.INFO, "eplb_opt.plugins.planner")
    old = plan_layers(LOADS, deployment)
    old[1, 0] = -1
    rows, spent = moved(monkeypatch, old, deployment, moves=6)
    assert eplb_opt.verify(Plan(rows, deployment, 64)) == []
    assert spent[[0, 2, 3]].sum() <= 6 < spent[1]
    assert "1 rows break a rule" in caplog.text


def test_a_row_with_two_replicas_on_a_gpu_runs_too(monkeypatch):
    deployment = deployment_of(4, 6, 1, 1, 2)
    old = np.array([[0, 0, 1, 2, 3, 1]])
    monkeypatch.setenv(MOVES, "1")
    monkeypatch.setenv(TIME_LIMIT, "0.05")
    rows = plan_layers(np.array([[90, 60, 10, 10]]), deployment, old)
    assert count_moves(rows, old, 2)[0] <= 1


def test_without_the_old_rows_any_number_moves_and_the_log_says_so(monkeypatch, caplog, deployment):
    caplog.set_level(logging.INFO, "eplb_opt.plugins.planner")
    free = plan_layers(LATER, deployment)
    monkeypatch.setenv(MOVES, "3")
    assert plan_layers(LATER, deployment).tolist() == free.tolist()
    assert "not known" in caplog.text and "EPLB_OPT_MOVES=3" in caplog.text


@pytest.mark.parametrize("settings", [{"moves": 10}, {"least_gain": 1}])
def test_after_a_failure_what_runs_stays(monkeypatch, caplog, deployment, settings):
    old = plan_layers(LOADS, deployment)
    monkeypatch.setattr(planner, "exact_max_loads", lambda *_: 1 // 0)
    rows, _ = moved(monkeypatch, old, deployment, **settings)
    assert rows.tolist() == old.tolist() and "ZeroDivisionError" in caplog.text


def test_cores_have_no_say(monkeypatch, deployment):
    old, plans = plan_layers(LOADS, deployment), []
    for cores in (1, 4):
        monkeypatch.setattr(planner, "usable_cores", lambda cores=cores: cores)
        plans.append(moved(monkeypatch, old, deployment, moves=30)[0].tolist())
    assert plans[0] == plans[1]


def test_settings_are_read(monkeypatch):
    assert Changes.asked() == Changes() and not Changes().any
    monkeypatch.setenv(LEAST_GAIN, "2.5")
    assert Changes.asked() == Changes(least_gain=Fraction(1, 40)) and Changes.asked().any
    monkeypatch.setenv(MOVES, "200")
    monkeypatch.setenv(MOVES_PER_LAYER, "0")
    assert Changes.asked() == Changes(200, 0, Fraction(1, 40))
    assert Changes.asked().words == ", EPLB_OPT_MOVES=200, EPLB_OPT_MOVES_PER_LAYER=0, EPLB_OPT_LEAST_GAIN=2.5"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, text) for name in (MOVES, MOVES_PER_LAYER) for text in ("", "few", "-1", "1.5", "²")),
        *((LEAST_GAIN, text) for text in ("", "some", "-1", "100", "nan", "inf", "1/0", "2 %")),
    ],
)
def test_wrong_settings_are_one_sentence(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    values = np.zeros((1, 64), dtype=np.int64)
    deployment = deployment_of(*SIZES)
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        plan_layers(values, deployment, even_rows(values, deployment))
    assert "\n" not in str(caught.value)
