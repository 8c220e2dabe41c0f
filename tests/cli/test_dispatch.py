"""The dispatch of a deployment on the command line: planned for, told, judged by and compared with the even split."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

import eplb_opt
from eplb_opt.deployment import Dispatch
from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.io import read_plan, read_solution, write_plan
from eplb_opt.model import Model
from eplb_opt.models import MODELS
from eplb_opt.plan import Plan

WHERE = ["--gpus", 8, "--slots", 24, "--nodes", 4]
FAST = ["--method", "greedy"]
FILES = {"sglang": "e.json", "vllm": "e.jsonl", "trtllm": "e.yaml", "ascend": "e.json", "deepseek": "e.npz"}
DOES = {
    "sglang": "nearest: SGLang with an all-to-all backend (--moe-a2a-backend other than none), --ep-dispatch-algorithm "
    "dynamic",
    "vllm": "even: vLLM",
    "trtllm": "even: TensorRT-LLM",
    "ascend": "by-rank: vLLM-Ascend without tensor parallelism",
    "deepseek": "even: DeepSeek's EPLB",
}


@pytest.mark.parametrize("engine", FILES)
def test_a_plan_for_the_file_of_an_engine_is_made_for_its_dispatch_and_says_so(run, recording, engine):
    outputs = ["--engine", engine, "-o", FILES[engine], "--save", "s.json"]
    code, out, _ = run("solve", recording, *WHERE, *FAST, *outputs)
    assert code == 0 and f"planned for dispatch {DOES[engine]}\n" in out
    saved = read_solution("s.json").plan
    assert saved.deployment.dispatch == DOES[engine].partition(":")[0]
    start = eplb_opt.io.engines.start_line(engine, FILES[engine], saved).script
    assert "".join(f"  {line}\n" for line in start.splitlines()) in out


def test_an_option_wins_over_the_engine_and_one_of_each_expert_needs_none(run, recording):
    code, out, _ = run("solve", recording, *WHERE, *FAST, "--engine", "sglang", "-o", "e.json", "--dispatch", "even")
    assert code == 0
    assert (
        "planned for dispatch even: SGLang without an all-to-all backend, or in the plug-in with EPLB_OPT_PLAN" in out
    )
    assert "--ep-dispatch-algorithm dynamic" in out and "then plan with --dispatch nearest" in out
    code, out, _ = run("solve", recording, "--gpus", 8, *FAST, "--engine", "sglang", "-o", "e2.json")
    assert code == 0 and "planned for dispatch even" in out
    code, out, _ = run("solve", recording, *WHERE, *FAST, "--dispatch", "by-rank", "-o", "plan.json")
    assert code == 0 and "planned for dispatch by-rank\n" in out
    code, out, _ = run("solve", recording, *WHERE, *FAST, "-o", "plan2.json")
    assert code == 0 and "dispatch" not in out
    code, out, _ = run("solve", recording, *WHERE, *FAST, "--engine", "vllm", "-o", "e.jsonl", "--dispatch", "nearest")
    assert code == 0 and "planned for dispatch nearest, which vLLM does not do\n" in out


@pytest.mark.parametrize(
    ("dispatch", "algorithm"), [("nearest", "dynamic"), ("sglang-static", "static"), ("optimal", "lp")]
)
def test_convert_gives_sglang_the_algorithm_of_the_plan(run, recording, dispatch, algorithm):
    assert run("solve", recording, *WHERE, *FAST, "-o", "even.json")[0] == 0
    assert run("convert", "even.json", "--dispatch", dispatch, "--to", "native", "-o", "plan.json")[0] == 0
    code, out, _ = run("convert", "plan.json", "--to", "sglang", "-o", "e.json")
    assert code == 0 and f"--ep-dispatch-algorithm {algorithm}\n" in out and "other layers" not in out
    assert read_plan("plan.json").deployment.dispatch == dispatch


def test_a_plan_for_drawn_replicas_in_a_file_of_other_layers_is_told(run, monkeypatch):
    monkeypatch.setitem(MODELS, "small", Model("small", 6, (2, 3, 4, 5), 16, 2))
    np.save("loads.npy", np.random.default_rng(0).integers(1, 1000, (4, 16)))
    convert = ["--to", "sglang", "--model", "small", "--dispatch", "sglang-static"]
    for options, file, differ in (([], "plan.json", True), (["--model", "small"], "plan2.json", False)):
        assert run("solve", "loads.npy", *WHERE, *FAST, *options, "-o", file)[0] == 0
        code, out, _ = run("convert", file, *convert, "-o", "e.json")
        assert code == 0 and ("the plan was made for other layers than the file has" in out) == differ


@pytest.mark.parametrize("dispatch", get_args(Dispatch))
def test_solutions_are_verified_and_plans_evaluated_under_any_dispatch(run, recording, dispatch):
    options = ["--dispatch", dispatch, "--save", "s.json", "--time-limit", 0.2]
    assert run("solve", recording, *WHERE, *options)[0] == 0
    code, out, _ = run("verify", "s.json", recording)
    assert code == 0 and "of 5 bounds are checked" in out
    code, out, _ = run("evaluate", "s.json", recording, "--json")
    summary = json.loads(out)["summary"]
    solution = read_solution("s.json")
    top, mean = (sum(getattr(layer, name) for layer in solution.layers) for name in ("max_load", "mean_load"))
    assert summary["total_balancedness"] == pytest.approx(float(mean / top))
    assert 0 < summary["cross_node_share"] < 1
    code, out, _ = run("evaluate", "s.json", recording, "--dispatch", "even")
    known = summarise(evaluate(solution.plan, eplb_opt.read_loads(recording), "even"))
    assert f"total_balancedness        {known['total_balancedness']:.6f}" in out
    assert f"cross_node_share          {known['cross_node_share']:.6f}" in out


def test_values_of_another_dispatch_are_not_believed(run, recording):
    assert run("solve", recording, *WHERE, *FAST, "--dispatch", "nearest", "--save", "s.json")[0] == 0
    content = json.loads(Path("s.json").read_text())
    content["plan"]["deployment"]["dispatch"] = "even"
    Path("s.json").write_text(json.dumps(content))
    assert run("verify", "s.json", recording)[0] == 1
    code, _, err = run("report", recording, "s.json", "--dispatch", "nearest", *WHERE[:2], "-o", "r.html")
    assert code == 2 and "s.json is a solution for dispatch even, not nearest: leave out --dispatch" in err


def test_compare_shows_the_even_split_beside_another_dispatch(run, recording):
    options = [*WHERE, "--methods", "lpt", "--time-limit", 0.2]
    code, out, _ = run("compare", recording, *options, "--dispatch", "nearest", "--csv", "rows.csv")
    assert code == 0 and "all but imbalance_even under dispatch nearest" in out
    rows = pd.read_csv("rows.csv")
    lpt = rows[rows["method"] == "lpt"]
    loads = eplb_opt.read_loads(recording)
    plan = eplb_opt.solve(loads, eplb_opt.Deployment(8, 24, 4), method="lpt").plan
    for column, dispatch in (("imbalance", "nearest"), ("imbalance_even", "even")):
        assert lpt[column].tolist() == pytest.approx(evaluate(plan, loads, dispatch)["imbalance"].tolist())
    assert (lpt["objective"] >= lpt["lower_bound"]).all()
    assert (rows["imbalance"] != rows["imbalance_even"]).any()
    code, out, _ = run("compare", recording, *options)
    assert code == 0 and "imbalance_even" not in out


def test_a_report_is_about_one_dispatch_and_shows_the_even_split_beside_it(run, recording):
    loads = eplb_opt.read_loads(recording)
    plan = eplb_opt.solve(loads, eplb_opt.Deployment(8, 24, 4), method="lpt").plan
    write_plan(plan, "mine.json", "native")
    options = ["--dispatch", "nearest", "--time-limit", 0.2, "--markdown", "r.md", "--save", "s.json"]
    code, _, _ = run("report", recording, "mine.json", *WHERE[:2], *options)
    assert code == 0
    text = Path("r.md").read_text()
    assert "for dispatch `nearest`, by which a GPU asks a replica of its own" in text and "if split evenly (%)" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| mine.json |") and line.count("|") == 6]
    cells = [float(cell) / 100 for cell in row.split("|")[2:6]]
    for cell, dispatch in ((cells[0], "nearest"), (cells[3], "even")):
        worth = 1 / summarise(evaluate(plan, loads, dispatch))["total_balancedness"] - 1
        assert cell == pytest.approx(worth, abs=1e-5)
    assert "`cross_node_share`" in text
    assert read_solution("s.json").plan.deployment.dispatch == "nearest"
    code, _, _ = run("report", recording, "mine.json", "--markdown", "even.md", "--time-limit", 0.2)
    assert code == 0 and "split evenly (%)" not in Path("even.md").read_text()


def test_bench_runs_cases_under_a_dispatch_and_leaves_out_what_knows_the_even_split_alone(run):
    options = ["--only", "lognormal-0.5-32x48x16", "--methods", "lpt,cpsat", "--dispatch", "by-rank"]
    code, out, _ = run("bench", *options, "--time-limit", 0.2, "--markdown", "b.md")
    assert code == 0 and "lognormal-0.5-32x48x16-by-rank" in out and "left out" in out
    assert "plans for the even or the optimal split, and the deployment has dispatch='by-rank'; use auto" in out
    assert "--dispatch by-rank" in Path("b.md").read_text()


def test_a_plan_that_is_warm_is_valued_under_the_new_dispatch(run, recording):
    assert run("solve", recording, *WHERE, *FAST, "-o", "plan.json")[0] == 0
    warm = ["--dispatch", "nearest", "--warm-start", "plan.json", "--save", "s.json", "--time-limit", 0.2]
    assert run("solve", recording, *WHERE, *warm)[0] == 0
    solution, start = read_solution("s.json"), read_plan("plan.json")
    assert isinstance(start, Plan) and start.deployment.dispatch == "even"
    before = evaluate(start, eplb_opt.read_loads(recording), "nearest")["max_load"]
    assert all(float(layer.max_load) <= top + 1e-9 for layer, top in zip(solution.layers, before, strict=True))


@pytest.mark.parametrize("dispatch", get_args(Dispatch))
def test_heuristics_of_several_windows_are_valued_under_any_dispatch(dispatch):
    """Those that choose between plans choose by what is expected, where ranks draw."""
    loads = np.random.default_rng(0).integers(1, 3000, (3, 2, 16))
    deployment = eplb_opt.Deployment(8, 24, 4, dispatch=dispatch)
    frame = eplb_opt.compare(loads, deployment, ["joint", "lpt"], time_limit=0.5)
    assert (frame["objective"] >= frame["lower_bound"]).all()
    assert ("imbalance_even" in frame) == (dispatch != "even")
    scores = eplb_opt.backtest(loads, deployment, ["last/greedy", "mean/joint"], time_limit=0.05)
    lpt = eplb_opt.solve(loads[:1], replace(deployment, dispatch="even"), method="greedy").plan
    known = evaluate(lpt, loads[1], dispatch)["imbalance"].tolist()
    found = scores[(scores["strategy"] == "last/greedy") & (scores["window"] == 1)]["imbalance"].tolist()
    assert found == pytest.approx(known)
