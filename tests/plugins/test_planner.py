"""What all plug-ins share: rules, limits, fallback, and that a plan is a function of the arguments alone."""

import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError, InvalidLoadsError
from eplb_opt.heuristics import planner as heuristics
from eplb_opt.moves import count_moves
from eplb_opt.plan import Plan
from eplb_opt.plugins import planner
from eplb_opt.plugins.max_loads import hottest_loads
from eplb_opt.plugins.plain import even_rows, published_rows
from eplb_opt.plugins.planner import TIME_LIMIT, deployment_of, layer_loads, plan_layers, time_limit
from tests.examples import examples
from tests.plugins.sizes import check, loads, numbers

LARGE = deployment_of(256, 288, 8, 4, 32)
RANDOM = np.random.default_rng(0)
LOADS = RANDOM.lognormal(8, 1, (4, 64)).astype(int)
MEDIUM = deployment_of(64, 80, 8, 2, 8)


@examples(30)
@given(st.data())
def test_plans_obey_the_rules_and_are_no_hotter_than_the_shipped_policys(data):
    sizes = data.draw(numbers())
    values = data.draw(loads(sizes))
    check(sizes, values, plan_layers(values, sizes.deployment))


@examples(30)
@given(st.data())
def test_the_same_holds_beside_any_old_table(data):
    sizes = data.draw(numbers())
    values = data.draw(loads(sizes))
    row = st.lists(st.integers(-1, sizes.experts), min_size=sizes.slots, max_size=sizes.slots)
    old = np.array(data.draw(st.lists(row, min_size=len(values), max_size=len(values))))
    check(sizes, values, plan_layers(values, sizes.deployment, old))


@given(st.data())
def test_a_plan_for_the_same_loads_stays_where_it_is(data):
    sizes = data.draw(numbers())
    values = data.draw(loads(sizes))
    old = plan_layers(values, sizes.deployment)
    assert plan_layers(values, sizes.deployment, old).tolist() == old.tolist()


def test_an_old_plan_makes_fewer_slots_change():
    old = plan_layers(LOADS, MEDIUM)
    later = RANDOM.poisson(LOADS)
    there, here = plan_layers(later, MEDIUM), plan_layers(later, MEDIUM, old)
    assert count_moves(here, old, 8).sum() < count_moves(there, old, 8).sum()
    assert hottest_loads(later, here, 8) == pytest.approx(
        np.minimum(*(hottest_loads(later, p, 8) for p in (there, old)))
    )


def test_layers_without_load_keep_their_row_if_it_is_a_plan():
    values = LOADS * np.array([[1], [0], [0], [1]])
    old = plan_layers(LOADS, MEDIUM)
    old[2, 0] = -1
    rows = plan_layers(values, MEDIUM, old)
    assert rows[1].tolist() == old[1].tolist()
    assert eplb_opt.verify(Plan(rows, MEDIUM, 64)) == []


@pytest.mark.parametrize("known", [True, False])
def test_calls_without_load_need_no_search_and_no_compiled_code(monkeypatch, known):
    monkeypatch.setattr(planner.KERNELS, "wait", lambda: pytest.fail("waited for kernels"))
    values = np.zeros((58, 256), dtype=np.int64)
    old = even_rows(values, LARGE) if known else None
    monkeypatch.setattr(heuristics, "better_plan", lambda *_, **__: pytest.fail("searched"))
    plan_layers(values, LARGE, old)


def test_the_number_of_cores_does_not_change_the_plan(monkeypatch):
    plans = []
    for cores in (1, 8):
        monkeypatch.setattr(planner, "usable_cores", lambda cores=cores: cores)
        plans.append(plan_layers(LOADS, MEDIUM).tolist())
    assert plans[0] == plans[1]


def test_another_process_makes_the_same_plan():
    code = (
        "import sys, json, numpy as np; from eplb_opt.plugins.planner import *;"
        "print(json.dumps(plan_layers(np.array(json.loads(sys.argv[1])), deployment_of(64, 80, 8, 2, 8)).tolist()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(LOADS.tolist())], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(plan_layers(LOADS, MEDIUM).tolist())


def test_more_time_makes_no_layer_hotter(monkeypatch):
    heat = []
    for seconds in ("0.001", "0.5"):
        monkeypatch.setenv(TIME_LIMIT, seconds)
        heat.append(hottest_loads(LOADS, plan_layers(LOADS, MEDIUM), 8))
    assert (heat[1] <= heat[0]).all() and heat[1].sum() < heat[0].sum()


def test_whatever_fails_the_published_plan_is_made_and_the_log_says_why(monkeypatch, caplog):
    monkeypatch.setattr(heuristics, "better_plan", lambda *_, **__: 1 // 0)
    rows = plan_layers(LOADS, MEDIUM)
    assert rows.tolist() == published_rows(LOADS, MEDIUM).tolist()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ZeroDivisionError" in caplog.text


def test_a_plan_that_breaks_a_rule_is_not_passed_on(monkeypatch, caplog):
    monkeypatch.setattr("eplb_opt.heuristics.planner.better_plan", lambda *_, **__: np.zeros(80, dtype=np.int64))
    assert plan_layers(LOADS, MEDIUM).tolist() == published_rows(LOADS, MEDIUM).tolist()
    assert "is not valid" in caplog.text


def test_after_a_failure_what_stays_on_a_gpu_stays_in_its_slot(monkeypatch):
    monkeypatch.setattr(heuristics, "better_plan", lambda *_, **__: 1 // 0)
    published = published_rows(LOADS, MEDIUM)
    old = published.reshape(4, 8, 10)[:, :, ::-1].reshape(4, 80)
    assert plan_layers(LOADS, MEDIUM, old).tolist() == old.tolist()


def test_the_log_tells_how_balanced_a_plan_is(caplog):
    caplog.set_level(logging.INFO, "eplb_opt.plugins.planner")
    old = published_rows(LOADS, MEDIUM)
    rows = plan_layers(LOADS, MEDIUM, old)
    mean = LOADS.sum() / 8
    ours, theirs = (hottest_loads(LOADS, plan, 8).sum() / mean for plan in (rows, old))
    assert f"imbalance {ours:.4f}, of the shipped policy {theirs:.4f}" in caplog.text
    moves = sum(
        len(set(after) - set(before))
        for after, before in zip(*(table.reshape(-1, 10).tolist() for table in (rows, old)), strict=True)
    )
    assert f"{moves} of 320 replicas move" in caplog.text


def test_the_limit_is_half_a_second_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.delenv(TIME_LIMIT)
    assert time_limit() == 0.5
    monkeypatch.setenv(TIME_LIMIT, "3")
    assert time_limit() == 3.0


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "nan", "inf", "1,5"])
def test_a_wrong_limit_is_one_sentence(monkeypatch, text):
    monkeypatch.setenv(TIME_LIMIT, text)
    with pytest.raises(InvalidArgumentError, match=TIME_LIMIT) as caught:
        plan_layers(np.zeros((1, 64)), MEDIUM)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("numbers", "binding_nodes", "distinct"),
    [
        ((256, 288, 8, 4, 32), 4, True),
        ((256, 288, 8, 9, 72), 1, True),  # 8 groups do not divide by 9 nodes
        ((256, 288, 1, 4, 32), 1, True),
        ((256, 288, 8, 1, 32), 1, True),
        ((256, 300, 8, 4, 30), 1, True),  # 30 GPUs do not divide by 4 nodes
        ((6, 8, 1, 1, 1), 1, False),  # 6 experts for the 8 slots of a GPU
        ((8, 20, 4, 2, 4), 2, False),  # 4 experts for the 5 slots of a GPU of a node
    ],
)
def test_an_engines_numbers_mean_a_deployment(numbers, binding_nodes, distinct):
    deployment = deployment_of(*numbers)
    assert deployment.binding_nodes == binding_nodes and deployment.distinct == distinct


@pytest.mark.parametrize(
    ("numbers", "hierarchical", "words"),
    [
        ((256, 290, 8, 4, 32), None, "num_slots=290"),
        ((256, 224, 8, 4, 32), None, "cannot hold 256 experts"),
        ((256, 288, 0, 4, 32), None, "num_groups=0"),
        ((250, 288, 8, 4, 32), None, "num_experts=250"),
        ((256, 288, 6, 4, 32), True, "num_groups=6"),
        ((256, 288, 8, 4, 0), None, "num_gpus=0"),
    ],
)
def test_wrong_numbers_are_one_sentence(numbers, hierarchical, words):
    with pytest.raises(InvalidDeploymentError, match=words) as caught:
        deployment_of(*numbers, hierarchical=hierarchical)
    assert "\n" not in str(caught.value)


def test_an_engine_that_asks_for_global_placement_gets_it():
    assert deployment_of(256, 288, 8, 4, 32, hierarchical=False) == replace(LARGE, policy="global")


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32])
def test_loads_of_any_number_type_are_taken_as_they_are(dtype):
    expected = [[1, 2, 3], [4, 5, 6]]
    for tensor in (torch.tensor(expected), torch.tensor(expected).T.contiguous().T):
        assert layer_loads(tensor.to(dtype)).tolist() == expected


@pytest.mark.parametrize("make", [np.array, lambda rows: torch.tensor(rows, dtype=torch.float64)])
def test_a_moving_average_that_has_decayed_is_no_load(make):
    assert layer_loads(make([[3.0, 1e-250, 0.5, 5e-324]])).tolist() == [[3.0, 0.0, 0.5, 0.0]]
    with pytest.raises(InvalidLoadsError):
        layer_loads(make([[3.0, -1e-250, 0.5, 1.0]]))


@pytest.mark.parametrize("wrong", [torch.ones(4), torch.ones(1, 2, 4), torch.ones(0, 4), -torch.ones(1, 4)])
def test_wrong_loads_are_one_sentence(wrong):
    with pytest.raises(InvalidLoadsError) as caught:
        layer_loads(wrong)
    assert "\n" not in str(caught.value)


def test_importing_the_plug_ins_loads_nothing_heavy():
    code = (
        "import eplb_opt.plugins.vllm, eplb_opt.plugins.sglang, eplb_opt.plugins.ascend, eplb_opt.plugins.competition,"
        "sys; print(*{'torch', 'ortools', 'pulp', 'numba', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_recorded_loads_are_planned_near_the_bound(shared_data, monkeypatch):
    monkeypatch.delenv(TIME_LIMIT)
    values = eplb_opt.read_loads(shared_data / "deepseek-v3" / "prefill_in4096.json").values[0]
    for sizes in ((256, 288, 1, 1, 32), (256, 288, 8, 9, 72)):
        deployment = deployment_of(*sizes)
        rows = plan_layers(values, deployment)
        assert eplb_opt.verify(Plan(rows, deployment, 256)) == []
        ratio = hottest_loads(values, rows, deployment.num_gpus).sum() / (values.sum() / deployment.num_gpus)
        shipped = hottest_loads(values, published_rows(values, deployment), deployment.num_gpus)
        assert (hottest_loads(values, rows, deployment.num_gpus) <= shipped).all()
        assert ratio < 1.001


def test_replicas_share_a_gpu_only_where_the_shipped_policy_gains_by_that():
    # Two replicas of the 96 on one GPU leave the 72 to the other. Apart, one of them goes with the 72: 48 + 72.
    values = np.array([[96, 72, 0]])
    deployment = deployment_of(3, 4, 1, 1, 2)
    assert hottest_loads(values, plan_layers(values, deployment), 2).tolist() == [96.0]
    assert hottest_loads(values, plan_layers(values, deployment, doubles=False), 2).tolist() == [120.0]
