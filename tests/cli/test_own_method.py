"""Functions of files of Python as methods of the commands that name methods."""

import json

import pandas as pd
import pytest

import eplb_opt

RULE = """\
import torch
from helper import SHIFT

print("loaded")
RUNS = 0


def balance(weight, num_replicas, num_groups, num_nodes, num_gpus):
    print("called")
    return (torch.arange(num_replicas) + SHIFT).remainder(weight.shape[1]).repeat(len(weight), 1)


def broken(weight, *sizes):
    return weight[1000]
"""
SMALL = ("--gpus", 4, "--slots", 20)


@pytest.fixture
def rule(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "my_rule.py").write_text(RULE)
    (tmp_path / "rules" / "helper.py").write_text("SHIFT = 1\n")
    return "rules/my_rule.py"


def test_compare_has_a_row_for_it_and_says_what_failed(run, recording, rule):
    words = ("compare", recording, *SMALL, "--time-limit", 0.2, "--methods", f"trivial, {rule}:balance,{rule}:broken")
    code, out, err = run(*words, "--csv", "rows.csv")
    assert code == 0
    rows = [line.split()[0] for line in out.splitlines()[1:5]]
    # The same experts one slot further on: other GPUs, nearly as bad.
    assert set(rows) == {"solve", "trivial", "my_rule.py:balance", "my_rule.py:broken"}
    assert rows[-1] == "my_rule.py:broken"
    assert "no plan: my_rule.py:broken raised IndexError" in out and "(line 14 of my_rule.py)" in out
    # What it prints is not among the results, and the file is run once.
    assert "called" in err and "called" not in out and err.count("loaded") == 1
    assert pd.read_csv("rows.csv")["error"].dropna().nunique() == 1
    code, out, _ = run(*words, "--json")
    last = json.loads(out)[-1]
    assert last["gap"] is None and last["error"].startswith("my_rule.py:broken raised")


def test_the_published_protocol_scores_it(run, recording, rule):
    words = ("--windows", 3, "--protocol", "published", "--methods", f"lpt,{rule}:balance", "--json")
    run("generate", "-o", "three.npz", "--layers", 2, "--experts", 16, "--windows", 3)
    code, out, _ = run("compare", "three.npz", *SMALL, *words)
    assert code == 0
    assert {row["method"] for row in json.loads(out)} == {"lpt", "my_rule.py:balance"}


def test_bench_runs_it_keeps_the_run_and_knows_when_the_file_changes(run, tmp_path, rule):
    words = ("bench", "--only", "rank-1.5-32", "--time-limit", 0.1, "--target-gap", 0.9)
    words = (*words, "--methods", f"greedy,{rule}:balance,{rule}:broken", "--runs", "runs")
    code, out, _ = run(*words, "--markdown", "table.md")
    # A method that was tried and failed is no success.
    assert code == 1 and "my_rule.py:broken raised IndexError" in out
    assert "| my_rule.py:balance | 1 |" in (tmp_path / "table.md").read_text()
    code, out, _ = run(*words)
    assert "2 of 3 runs are in runs" in out
    (tmp_path / rule).write_text(RULE.replace("SHIFT)", "2 * SHIFT)"))
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "was made with another my_rule.py; keep these runs in another folder" in err


def test_two_versions_of_a_rule_are_two_rows_with_the_helpers_of_each(run, recording, rule, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "my_rule.py").write_text(RULE)
    (tmp_path / "new" / "helper.py").write_text("SHIFT = 7\n")
    words = ("--methods", f"{rule}:balance,new/my_rule.py:balance,{rule}:balance", "--json", "--time-limit", 0.2)
    code, out, _ = run("compare", recording, *SMALL, *words)
    rows = {row["method"]: row["objective"] for row in json.loads(out)}
    # 7 experts further on they are on other GPUs.
    assert code == 0 and set(rows) == {"solve", "rules/my_rule.py:balance", "new/my_rule.py:balance"}
    assert rows["rules/my_rule.py:balance"] != rows["new/my_rule.py:balance"]
    words = ("bench", "--only", "rank-1.5-32", "--time-limit", 0.1, "--runs", "kept", *words[:2])
    assert run(*words)[0] == 0
    code, out, _ = run(*words)
    assert code == 0 and "2 of 2 runs are in kept" in out


def test_backtest_plans_with_it_for_every_forecast(run, rule):
    run("generate", "-o", "three.npz", "--layers", 2, "--experts", 16, "--windows", 3)
    words = ("--windows", 3, "--strategies", "last/greedy,mean/greedy", "--time-limit", 0.02)
    code, out, _ = run("backtest", "three.npz", *SMALL, *words, "--methods", f"{rule}:balance,{rule}:broken")
    assert code == 0
    names = {line.split()[0] for line in out.splitlines() if "/" in line.partition("  ")[0] or "/" in line[:30]}
    assert {"last/my_rule.py:balance", "mean/my_rule.py:balance", "last/my_rule.py:broken"} <= names
    assert out.count("no plan: my_rule.py:broken raised IndexError") == 1


def test_solve_makes_a_file_of_its_plan(run, recording, rule):
    code, out, _ = run("solve", recording, *SMALL, "--method", f"{rule}:balance", "-o", "plan.json")
    assert code == 0 and "5 layers: imbalance" in out
    code, out, _ = run("verify", "plan.json", recording)
    assert code == 0 and "valid" in out


def test_a_report_judges_its_plan_and_says_which_methods_have_none(run, recording, rule, tmp_path):
    words = ("--methods", f"lpt,snake,{rule}:balance,{rule}:broken", "--markdown", "page.md", "--time-limit", 0.3)
    code, out, _ = run("report", recording, *SMALL, *words)
    assert code == 0
    page = (tmp_path / "page.md").read_text()
    for text in ("my_rule.py:balance", "snake"):
        assert f"**{text}**: what this method plans." in page, page[:3000]
    assert "no plan: my_rule.py:broken raised IndexError" in out and "no plan: my_rule.py:broken raised" in page
    run("solve", recording, *SMALL, "--method", f"{rule}:balance", "-o", "plan.json")
    metrics = eplb_opt.evaluate(eplb_opt.read_plan("plan.json"), eplb_opt.read_loads(recording))
    excess = metrics["max_load"].sum() / metrics["mean_load"].sum() - 1
    assert f"| my_rule.py:balance | {100 * excess:.3f} |" in page


MISTAKES = {
    "no file": ("none.py:balance", "none.py does not exist"),
    "no function": ("rules/my_rule.py:magic", "rules/my_rule.py has no function 'magic'; it has balance, broken"),
    "not a function": ("rules/my_rule.py:RUNS", "rules/my_rule.py has no function 'RUNS'; it has balance, broken"),
    "unnamed": ("rules/my_rule.py", "rules/my_rule.py names no function of the file: write it as my_rule.py:balance"),
    "empty": ("rules/my_rule.py:", "rules/my_rule.py: names no function of the file"),
    "syntax": ("rules/syntax.py:f", "rules/syntax.py cannot be imported: SyntaxError: "),
    "import": ("rules/imports.py:f", "cannot be imported: ModuleNotFoundError: No module named 'nowhere' (line 2 of"),
    "exit": ("rules/exits.py:f", "rules/exits.py cannot be imported: SystemExit: 3 (line 1 of exits.py)"),
}


@pytest.mark.parametrize("command", ["compare", "backtest", "bench", "solve", "report"])
@pytest.mark.parametrize("case", MISTAKES)
def test_what_cannot_be_loaded_is_an_error_before_anything_runs(run, recording, rule, tmp_path, command, case):
    (tmp_path / "rules" / "syntax.py").write_text("def f(:\n")
    (tmp_path / "rules" / "imports.py").write_text("\nimport nowhere\n")
    (tmp_path / "rules" / "exits.py").write_text("raise SystemExit(3)\n")
    word, sentence = MISTAKES[case]
    files = [] if command == "bench" else [recording, *SMALL]
    option = "--method" if command == "solve" else "--methods"
    code, out, err = run(command, *files, option, word)
    assert (code, out) == (2, "")
    # What the file itself prints comes before.
    assert sentence in err and len(err.removeprefix("loaded\n").strip().splitlines()) == 1
