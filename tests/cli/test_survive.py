"""eplb-opt survive: a table, a verdict for GPUs and for nodes, and the lost experts by name."""

import json

import numpy as np
import pandas as pd
import pytest

import eplb_opt
from eplb_opt.io import write_loads
from eplb_opt.survival import lost_experts
from tests.test_survival import PLAN


@pytest.fixture
def plan(run):
    """A plan in a file of which nodes and GPUs 2 and 3 are worth something."""
    eplb_opt.write_plan(PLAN, "plan.json", "native")
    write_loads(eplb_opt.Loads(np.full((1, 1, 6), 6)), "loads.json")
    return "plan.json"


def test_a_verdict_for_gpus_and_for_nodes(run, plan):
    code, out, err = run("survive", plan)
    assert (code, err) == (0, "")
    assert out.splitlines()[-2:] == [
        "The plan survives the loss of 2 of 4 GPUs; GPU 2 is the worst: 1 expert in 1 layer exist on it only.",
        "The plan survives the loss of none of 2 nodes; node 0 is the worst: 2 experts in 1 layer exist on it only.",
    ]


def test_with_recordings_how_hot_the_others_get(run, plan):
    code, out, err = run("survive", plan, "loads.json", "--csv", "rows.csv")
    assert (code, err) == (0, "")
    frame = eplb_opt.survival(PLAN, [[6] * 6])
    assert pd.read_csv("rows.csv").equals(frame)
    mean, hottest = frame["mean_imbalance"].mean(), frame["mean_imbalance"].max()
    assert f"carries {mean:.3f} times the mean of 3 GPUs, and {hottest:.3f} times after the loss of GPU 0:" in out
    assert "Up to 16.7 % of the load is for experts that nobody holds then" in out
    assert "even split" not in out
    assert "by the even split: dispatch nearest" in run("survive", plan, "loads.json", "--dispatch", "nearest")[1]


def test_a_plan_that_survives_any_loss_says_so(run):
    rows = np.array([[0, 1, 2, 3, 0, 1, 2, 3]])
    eplb_opt.write_plan(eplb_opt.Plan(rows, eplb_opt.Deployment(2, 8), 4), "plan.json", "native")
    out = run("survive", "plan.json")[1]
    assert out.endswith("\nThe plan survives the loss of any of 2 GPUs.\n")


def test_json_has_the_rows_and_names_the_experts(run, plan):
    found = json.loads(run("survive", plan, "loads.json", "--json")[1])
    assert found["summary"] == {"gpus_survived": 2, "nodes_survived": 0}
    assert found["gpus"] == eplb_opt.survival(PLAN, [[6] * 6]).to_dict("records")
    assert [row["experts_lost"] for row in found["nodes"]] == [2, 2]
    assert found["lost_experts"] == lost_experts(PLAN).to_dict("records")


def test_the_worst_gpus_are_shown_unless_all_are_asked_for(run):
    # Of ten GPUs the last five have an expert of their own.
    rows = np.array([[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]])
    eplb_opt.write_plan(eplb_opt.Plan(rows, eplb_opt.Deployment(10, 20), 7), "plan.json", "native")
    few, every = (run("survive", "plan.json", *asked)[1].splitlines() for asked in ((), ("--rows", "all")))
    assert [line.split()[0] for line in few[1:6]] == ["5", "6", "7", "8", "9"]
    assert [line.split()[0] for line in every[1:11]] == [str(gpu) for gpu in range(10)]


def test_a_file_that_does_not_say_the_gpus_asks_for_them(run, plan):
    assert run("convert", plan, "--to", "vllm", "-o", "vllm.json")[0] == 0
    code, _, err = run("survive", "vllm.json")
    assert code == 2 and err.endswith("vllm.json does not say how many GPUs there are: give --gpus\n")
    assert "survives the loss of 2 of 4 GPUs" in run("survive", "vllm.json", "--gpus", 4)[1]
    code, _, err = run("survive", plan, "--windows", 2)
    assert code == 2 and err.endswith("mean nothing, as none is given\n")


@pytest.mark.parametrize(("nodes", "where"), [(1, "GPUs"), (2, "nodes")])
def test_a_plan_that_was_asked_to_survive_does_from_any_start(run, recording, nodes, where):
    place = ["--gpus", 4, "--nodes", nodes, "--policy", "global", "--time-limit", 0.2]
    assert run("solve", recording, *place, "--slots", 24, "-o", "old.json")[0] == 0
    code, out, err = run(
        "solve", recording, *place, "--slots", 36, "--survive", 1, "-o", "new.json", "--method", "greedy"
    )
    assert (code, err) == (0, "")
    assert f"Every expert is on two {where} at least: the loss of one loses none. The bound is on all plans" in out
    code, out, err = run(
        "solve", recording, *place, "--slots", 36, "--survive", 1, "-o", "newer.json", "--warm-start", "new.json"
    )
    assert (code, err) == (0, "")
    assert ("nodes are numbered" in out) == (nodes > 1)
    assert f"The plan survives the loss of any of {4 if nodes == 1 else 2} {where}." in run("survive", "newer.json")[1]


def test_slots_that_do_not_allow_it_are_refused_with_their_number(run, recording):
    code, _, err = run("solve", recording, "--gpus", 6, "--slots", 24, "--survive", 1)
    assert code == 2
    assert "survive=1 needs two slots for each of 16 experts, on 6 GPUs 36 slots, and num_slots=24" in err
