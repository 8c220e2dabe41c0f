"""eplb-opt replan: a curve of plans or one plan, what is lost, files, and what to type next."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eplb_opt
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads
from eplb_opt.models import MODELS
from tests.cli.test_commands import sentence_of

SHAPE = ("--gpus", 8, "--slots", 24)
QUICK = ("--time-limit", 0.3, "--workers", 1)
TIMED = ("--time-model", "deepseek-v3-fp8", "--tokens-per-gpu", 4096)
# Without GPU 2 layer 0 is whole and layer 1 has no expert 3.
WORN = eplb_opt.Plan(np.array([[0, 1, 2, 3, 0, 1], [0, 1, 0, 2, 1, 3]]), eplb_opt.Deployment(3, 6), 4)


@pytest.fixture
def old(run, recording):
    """Experts in order, in a file."""
    assert run("solve", recording, *SHAPE, "--method", "trivial", "-o", "old.json")[0] == 0
    return "old.json"


@pytest.fixture
def worn(run):
    """A plan that does not survive a loss in one of two layers, and loads."""
    eplb_opt.write_plan(WORN, "worn.json", "native")
    write_loads(eplb_opt.Loads(np.array([[[4, 2, 1, 1], [3, 2, 2, 1]]])), "few.json")
    return "worn.json", "few.json"


def next_commands(out):
    """The commands under ``next:``, as words."""
    lines = out.splitlines()
    begin = next(place for place, line in enumerate(lines) if line.startswith("next: "))
    return [shlex.split(line[6:])[1:] for line in lines[begin:]]


def test_a_plan_for_each_limit_with_figures_that_others_compute_too(run, recording, old):
    words = ("--csv", "rows.csv", "--figure", "curve.svg", "-o", "plan.json", *TIMED, "--time-limit", 0.5)
    code, out, err = run("replan", old, recording, "--max-moves", "8,0,40", *words, "--json")
    assert (code, err) == (0, "")
    found, loads, before = json.loads(out), eplb_opt.read_loads(recording), eplb_opt.read_plan(old)
    assert found["lost_experts"] == [] and [one["summary"]["max_moves"] for one in found["plans"]] == [0, 8, 40]
    values = []
    for one in found["plans"]:
        told = one["summary"]
        plan = eplb_opt.read_plan(f"plan-{told['max_moves']}.json")
        rows = eplb_opt.diff(before, plan, loads)
        metrics = eplb_opt.evaluate(plan, loads)
        assert one["plan"]["physical_to_logical"] == plan.physical_to_logical.tolist()
        assert told["moves"] == rows["moves"].sum() <= told["max_moves"] and told["moves_bound"] <= told["moves"]
        assert told["batches"] == rows["batches"].sum()
        assert told["imbalance"] == pytest.approx(metrics["max_load"].sum() / metrics["mean_load"].sum())
        assert told["bound"] <= told["imbalance"] <= told["imbalance_before"]
        assert told["gap"] == pytest.approx(1 - told["bound"] / told["imbalance"])
        assert [layer["moves"] for layer in one["layers"]] == rows["moves"].tolist()
        assert sum(len(batch) for layer in one["transfers"] for batch in layer["batches"]) == told["moves"]
        values.append(told["imbalance"])
    assert values == sorted(values, reverse=True) and values[0] > values[-1]
    assert eplb_opt.read_plan("plan-0.json") == before and found["plans"][0]["summary"]["gap"] == 0
    table = pd.read_csv("rows.csv")
    assert table.groupby("max_moves")["moves"].sum().tolist() == [one["summary"]["moves"] for one in found["plans"]]
    assert Path("curve.svg").read_text().count("<path") > 10
    assert not Path("plan.json").exists()


def test_the_curve_as_a_table_and_what_it_says_next_can_be_pasted(run, recording, old):
    code, out, err = run("replan", old, recording, "--max-moves", "0,8,40", "--objective", "worst", *QUICK)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["at", "most", "moves", "max/mean", "bound", "gap", "moves", "needed", "batches"]
    assert [line.split()[0] for line in lines[1:4]] == ["0", "8", "40"] and lines[1].split()[4:6] == ["0", "%"]
    assert " moves bring " in out
    for limit in (0, 8, 40):
        assert f"written to loads.replan-{limit}.json\n" in out and Path(f"loads.replan-{limit}.json").exists()
    convert, diff, report = next_commands(out)
    assert [words[0] for words in (convert, diff, report)] == ["convert", "diff", "report"]
    assert run(*convert)[0] == run(*diff)[0] == 0
    assert "worst" in report


def test_one_plan_ends_in_a_verdict_and_is_saved_where_nobody_said(run, recording, old):
    code, out, err = run(
        "replan", old, recording, "--max-moves", 12, "--max-moves-per-layer", 3, *TIMED, "--time-limit", 1
    )
    assert (code, err) == (0, "")
    plan, loads = eplb_opt.read_plan("loads.replan.json"), eplb_opt.read_loads(recording)
    rows = eplb_opt.diff(eplb_opt.read_plan(old), plan, loads)
    moves, before = rows["moves"].sum(), eplb_opt.evaluate(eplb_opt.read_plan(old), loads)
    assert rows["moves"].max() <= 3 and 0 < moves <= 12
    now = before["max_load"].sum() / before["mean_load"].sum() - 1
    (line,) = [line for line in out.splitlines() if line.startswith("  now: old.json")]
    assert float(line.split()[-2]) == pytest.approx(100 * now, rel=1e-2)
    assert f"\n  this plan: {moves} moves " in out and f"\n{moves} of 120 replicas move" in out
    assert "\nWith as many moves at most " in out and "ms before and" in out
    assert f"\nplan of {moves} moves written to loads.replan.json\nnext: eplb-opt convert loads.replan.json" in out
    # Layers are in the order of what a move of them gains.
    written = json.loads(Path("loads.replan.json").read_text())["transfers"]
    gained = dict(zip(rows["layer_id"], rows["imbalance_before"] - rows["imbalance_after"], strict=True))
    rates = [gained[layer["layer_id"]] / sum(map(len, layer["batches"])) for layer in written]
    assert len(rates) > 1 and rates == sorted(rates, reverse=True)


def test_where_nothing_is_asked_for_a_gap_is_reached_with_few_moves(run):
    # Of four experts on two GPUs one exchange makes loads even.
    eplb_opt.write_plan(eplb_opt.Plan(np.array([[0, 1, 2, 3]]), eplb_opt.Deployment(2, 4), 4), "old.json", "native")
    write_loads(eplb_opt.Loads(np.array([[[5, 3, 3, 1]]])), "even.json")
    code, out, _ = run("replan", "old.json", "even.json", *QUICK)
    assert code == 0 and "Every layer is within 1 % of the bound on plans of any number of moves" in out
    assert "\n2 of 4 replicas move (50.0 %), the fewest for a plan as cool, which is proven.\n" in out
    out = run("replan", "old.json", "even.json", "--target-gap", 0.2, "--time-limit", 1e-9)[1]
    assert "1 of 1 layer is not within 20 % of the bound on plans of any number of moves: 0. A longer search" in out
    assert run("replan", "old.json", "even.json", *QUICK)[0] == 0 and Path("even-3.replan.json").exists()


def test_a_loss_is_told_before_the_plan_for_the_others(run, worn):
    code, out, err = run("replan", *worn, "--lost", 2, *QUICK, "--rows", "all")
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == [
        "GPU 2 is lost; 1 expert in 1 layer existed there only, in a layer at most 1. The 2 GPUs left hold 7 of 8 "
        "experts in 8 of 12 slots.",
        "  layer 1: 3",
        # In layer 0 the others carry 6 and 2.
        "Before any move the hottest survivor carries 1.500 times the mean of 2 GPUs, in layer 0 1.500 times: means "
        "over the 1 of 2 layers with load where every expert survives.",
    ]
    assert "What was lost comes back with 1 move of these, which come first" in out
    plan = eplb_opt.read_plan("few.replan.json")
    assert plan.deployment.num_gpus == 2 and eplb_opt.verify(plan) == []
    first = json.loads(Path("few.replan.json").read_text())["transfers"][0]
    assert first["layer_id"] == 1 and [expert for _, expert in first["loaded"]] == [3]
    (again,) = [words for words in next_commands(out) if words[0] == "replan"]
    found = json.loads(run(*again, *QUICK, "--json")[1])
    assert found["lost_experts"] == [{"layer_id": 1, "expert": 3}]
    assert found["plans"][0]["summary"]["moves"] == 1 and found["plans"][0]["layers"][1]["imbalance_before"] is None
    # One move needs to bring expert 3 back, so that a limit of none is refused.
    assert "need 1 moves to come back" in sentence_of(run("replan", *worn, "--lost", 2, "--max-moves", 0, *QUICK))


def test_a_loss_that_a_plan_survives_is_compared_with_what_runs(run, worn):
    found = json.loads(run("replan", *worn, "--lost", 1, "--json", *QUICK)[1])
    assert found["lost_experts"] == [
        {"layer_id": 0, "expert": 2},
        {"layer_id": 0, "expert": 3},
        {"layer_id": 1, "expert": 2},
    ]
    rows = np.array([[0, 1, 2, 3, 0, 1]])
    eplb_opt.write_plan(eplb_opt.Plan(rows, eplb_opt.Deployment(3, 6), 4), "safe.json", "native")
    write_loads(eplb_opt.Loads(np.array([[[4, 2, 1, 1]]])), "one.json")
    out = run("replan", "safe.json", "one.json", "--lost", 2, *QUICK)[1]
    assert out.startswith("GPU 2 is lost; every expert has a replica elsewhere. The 2 GPUs left hold 4 of 4 experts")
    assert "\n  now: safe.json" in out and " 50.0 %\n" in out and "What was lost" not in out


def test_what_the_rows_need_is_refused_before_the_search(run, recording, old, monkeypatch):
    def searched(*_arguments, **_options):
        raise AssertionError

    monkeypatch.setattr("eplb_opt.cli.replan.replan", searched)
    refused = {
        ("--bandwidth", 25): "needs a model",
        ("--time-model", "deepseek-v3-fp8"): "tokens_per_gpu",
        ("--max-moves", 4, "--target-gap", 0.1): "--target-gap asks for as few moves as possible",
        ("--max-moves", "some"): "--max-moves some: 'some' is neither a number nor a range",
        ("--rows", "few"): "--rows='few'",
        ("--max-moves", "1,2", "-o", "x.csv"): "--output for 1 moves x-1.csv does not end in .json",
    }
    for words, sentence in refused.items():
        assert sentence in sentence_of(run("replan", old, recording, *words)), words
    run("convert", old, "--to", "vllm", "-o", "vllm.json")
    assert sentence_of(run("replan", "vllm.json", recording)).endswith(
        "does not say how many GPUs there are: give --gpus"
    )


def test_a_plan_of_several_is_not_written_over_what_is_read(run, recording, old):
    Path(old).rename("old-8.json")
    assert "old-8.json is given twice" in sentence_of(
        run("replan", "old-8.json", recording, "--max-moves", "4,8", "-o", "old.json")
    )


def test_a_model_says_how_much_is_copied(run, recording):
    model = MODELS["mixtral-8x7b"]
    ids = model.moe_layer_ids
    loads = generate_loads(num_experts=model.num_experts, num_layers=len(ids), seed=1)
    write_loads(eplb_opt.Loads(loads.values, layer_ids=ids, num_model_layers=model.num_layers), "whole.json")
    run("solve", "whole.json", "--gpus", 4, "--method", "trivial", "-o", "old.json")
    words = ("--model", model.name, *TIMED, "--bandwidth", 50)
    out = run("replan", "old.json", "whole.json", "--max-moves", "20,100", *words, "--time-limit", 0.4)[1]
    header, *rows = out.splitlines()[:3]
    assert header.split()[-7:] == ["ms/step", "s", "to", "copy", "steps", "to", "pay"]
    moves, gib = (float(rows[1].split()[place].replace(",", "")) for place in (1, -4))
    assert gib == pytest.approx(moves * model.expert_bytes / 2**30, abs=0.06)


def test_limited_work_writes_the_same_plan_again(run, recording, old):
    for workers in (1, 2):
        limits = ("--max-moves", 6, "--time-limit", 0.2, "--deterministic", "--workers", workers)
        assert run("replan", old, recording, *limits, "-o", f"{workers}.json")[0] == 0
    assert Path("1.json").read_text() == Path("2.json").read_text()


def test_a_saved_solution_is_verified(run, recording, old):
    assert run("replan", old, recording, "--max-moves", "4", "--save", "few.json", "-o", "plan.json", *QUICK)[0] == 0
    assert all(layer.limit.moves <= 4 for layer in eplb_opt.read_solution("few.json").layers)
    code, out, _ = run("verify", "few.json", recording)
    assert code == 0 and "bounds" in out
    code, _, err = run("replan", old, recording, "--max-moves", "4,8", "--save", "few.json", *QUICK)
    assert code == 2 and "--save is for one plan, and there are 2 limits on moves" in err
