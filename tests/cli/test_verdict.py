"""The verdict of solve: figures by the definition alone, warnings where they are due, commands that run."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import eplb_opt
from eplb_opt.cli.verdict import Verdict
from eplb_opt.gain import experts_in_order, greedy_plan
from eplb_opt.io import read_solution, write_loads
from eplb_opt.io.recognition import ENGINES
from eplb_opt.loads import Loads
from eplb_opt.report.verdict import NOTHING
from eplb_opt.report.words import percent
from eplb_opt.solution import percent as gap_percent
from tests.known import OBJECTIVES, Known

SHAPE = ("--gpus", 8, "--slots", 24)
NODES = ("--nodes", 2, "--groups", 4)
FAST = ("--method", "greedy")
RANDOM = np.random.default_rng(5)


@pytest.fixture
def several(run):
    """Three windows of six layers, each with hot experts of its own."""
    write_loads(Loads(RANDOM.lognormal(6, 1, (3, 6, 16)).astype(int), range(1, 7)), "three windows.npz")
    return "three windows.npz"


def table_of(out):
    """Names of the verdict's rows, with their figures."""
    return dict(re.findall(r"^  (\S.*\S) +(under \S+ %|\S+ %)$", out, re.MULTILINE))


def excess_words(plan, loads, objective="total"):
    known = Known.of(plan, loads)
    layers = range(loads.num_layers)
    return percent(float(known.excess([known.objective(layer, objective) for layer in layers], objective)))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_rows_are_what_runs_the_published_policy_the_plan_and_the_bound(run, several, objective):
    code, out, _ = run("solve", several, "--windows", 3, *SHAPE, *FAST, "--objective", objective, "--save", "s.json")
    assert code == 0
    loads, solution = eplb_opt.read_loads(several, windows=3), read_solution("s.json")
    rows = table_of(out)
    assert list(rows) == ["now: experts in order", "DeepSeek's EPLB, greedy", "this plan", "proven bound"]
    deployment = solution.plan.deployment
    plans = (experts_in_order(loads, deployment), greedy_plan(loads, deployment), solution.plan)
    assert list(rows.values())[:3] == [excess_words(plan, loads, objective) for plan in plans]
    assert rows["proven bound"] in ("0 %", *(f"{digits} %" for digits in re.findall(r"than (\S+) %", out)))
    assert f"at most {gap_percent(solution.gap)} of the hottest GPU's load is left to gain" in out


def test_what_runs_is_the_plan_that_is_given(run, recording):
    run("solve", recording, *SHAPE, "--method", "trivial", "-o", "old plan.json")
    code, out, _ = run("solve", recording, *SHAPE, *FAST, "--warm-start", "old plan.json", "-o", "new.json")
    assert code == 0
    loads = eplb_opt.read_loads(recording)
    assert table_of(out)["now: old plan.json"] == excess_words(eplb_opt.read_plan("old plan.json"), loads)


def test_gpus_are_renumbered_before_moves_from_the_running_plan_are_counted(run, recording):
    run("solve", recording, *SHAPE, "--method", "snake", "-o", "old.json")
    code, out, _ = run("solve", recording, *SHAPE, *FAST, "--save", "s.json", "--warm-start", "old.json")
    assert code == 0
    old, loads, solution = eplb_opt.read_plan("old.json"), eplb_opt.read_loads(recording), read_solution("s.json")
    held = [
        [
            (layer, gpu, expert)
            for layer, row in enumerate(plan.physical_to_logical.tolist())
            for gpu in range(8)
            for expert in row[3 * gpu : 3 * gpu + 3]
        ]
        for plan in (old, solution.plan)
    ]
    moves = len(set(held[1]) - set(held[0]))
    assert f"From old.json {moves} of 120 replicas move" in out
    assert moves == eplb_opt.diff(old, solution.plan)["fewest_moves"].sum() > 0
    # Values, bounds and what proves them are those of the plan as it is numbered now.
    assert not any(layer.error for layer in eplb_opt.certify(solution, loads))
    assert any(layer.checked for layer in eplb_opt.certify(solution, loads))
    assert eplb_opt.verify(solution.plan) == []


@pytest.mark.parametrize(
    ("dispatch", "words"), [("by-rank", "GPUs keep their numbers"), ("nearest", "nodes are numbered")]
)
def test_values_are_those_of_the_dispatch_after_a_plan_is_renumbered(run, recording, dispatch, words):
    shape = (*SHAPE, "--nodes", 2, "--policy", "global", "--dispatch", dispatch)
    run("solve", recording, *shape, "--method", "snake", "-o", "old.json")
    _, out, _ = run("solve", recording, *shape, *FAST, "--save", "s.json", "--warm-start", "old.json")
    assert re.search(rf"From old.json \d+ of 120 replicas move \(.*\): {words}", out)
    assert not any(layer.error for layer in eplb_opt.certify(read_solution("s.json"), eplb_opt.read_loads(recording)))


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        ("sglang", "policy of SGLang, DeepSeek's EPLB"),
        ("vllm", "policy of vLLM, DeepSeek's EPLB"),
        ("trtllm", "DeepSeek's EPLB, greedy"),
    ],
)
def test_the_policy_of_an_engine_is_called_after_it(run, recording, engine, name):
    file = f"plan{(ENGINES[engine].suffixes or ('.json',))[0]}"
    code, out, _ = run("solve", recording, *SHAPE, *FAST, "--engine", engine, "-o", file)
    assert code == 0 and name in table_of(out)


def test_what_groups_on_nodes_cost_is_said_where_it_is_notable(run):
    # All load is in group 0, so on one of two nodes; without the rule every GPU gets the same.
    np.save("hot.npy", np.array([[8] * 4 + [0] * 12]))
    shape = ["hot.npy", "--gpus", 4, "--slots", 16]
    code, out, _ = run("solve", *shape, *NODES, *FAST)
    assert (
        code == 0
        and (
            "Groups are bound to nodes (policy auto): no plan is below 100 %. Without that rule DeepSeek's EPLB alone "
            "reaches 0 %, with experts of a group on several nodes: --policy global."
        )
        in out
    )
    assert table_of(run("solve", *shape, *NODES, *FAST, "--policy", "global")[1])["this plan"] == "0 %"
    assert "bound to nodes" not in run("solve", *shape, *NODES, *FAST, "--policy", "global")[1]
    np.save("even.npy", np.full((1, 16), 8))
    assert "bound to nodes" not in run("solve", "even.npy", *shape[1:], *NODES, *FAST)[1]


def test_one_recording_is_said_to_be_one(run, recording, several):
    sentence = "One recording: a plan scores less on the next one."
    assert sentence in run("solve", recording, *SHAPE, *FAST)[1]
    assert sentence not in run("solve", several, "--windows", 3, *SHAPE, *FAST)[1]


def test_the_window_that_decides_is_named(run):
    for name, values in {"a.npy": [[3, 1]], "b.npy": [[30, 30]], "c.npy": [[300, 200]]}.items():
        np.save(name, np.array(values))
    shape = ["--gpus", 2, *FAST]
    worst = run("solve", "a.npy", "b.npy", *shape, "--objective", "worst")[1]
    assert "In each layer the worst window alone decides: in 1 of 1 layer that is window 0 (a.npy)." in worst
    total = run("solve", "a.npy", "b.npy", "c.npy", *shape, "--objective", "total")[1]
    assert (
        "Of all tokens 88.7 % are of window 2 (c.npy), which decides: --objective mean counts windows alike." in total
    )
    assert "decides" not in run("solve", "a.npy", "b.npy", "c.npy", *shape, "--objective", "mean")[1]
    assert "decides" not in run("solve", "c.npy", "c.npy", *shape, "--objective", "total")[1]


def test_plans_are_scored_on_windows_that_they_do_not_know_within_the_time_limit(run, several):
    options = [several, "--windows", 3, *SHAPE]
    assert "that it does not know: --held-out." in run("solve", *options, *FAST)[1]
    code, out, _ = run("solve", *options, *FAST, "--held-out")
    assert code == 0
    said = re.search(r"EPLB for them (\S+ %); .*\) (\S+) and (\S+) \(mean over layers and 3 of 3 windows", out)
    loads = eplb_opt.read_loads(several, windows=3)
    scores = eplb_opt.backtest(
        loads, eplb_opt.Deployment(8, 24), ["total/greedy"], split="leave-one-out", time_limit=0.01
    )
    scores = scores[scores["strategy"] == "total/greedy"]
    assert said[1] == percent(scores["imbalance"].mean() - 1)
    assert said[3] == f"{scores['balancedness'].mean():.4f}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--held-out"], "--held-out leaves out a window at a time: give several files, or --windows n"),
        (["--rows", "none"], "--rows='none' is not one of deciding, all"),
    ],
)
def test_what_cannot_be_told_is_refused_before_any_work(run, recording, options, words):
    code, out, err = run("solve", recording, *SHAPE, *options)
    assert (code, out) == (2, "") and words in err


def test_json_has_no_place_for_what_is_held_out(run, several):
    code, out, err = run("solve", several, "--windows", 3, *SHAPE, "--held-out", "--json")
    assert (code, out) == (2, "") and "--json prints the solution alone" in err


def rows_of_layers(out):
    return [int(line.split()[0]) for line in out.splitlines() if re.match(r" +\d+  ", line)]


def test_only_layers_that_decide_have_rows(run, several):
    options = ["solve", several, "--windows", 3, *SHAPE, *FAST, "--objective", "total", "--save", "s.json"]
    out = run(*options)[1]
    layers = read_solution("s.json").layers
    left = {layer.layer_id: layer.objective - layer.lower_bound for layer in layers if layer.gap > 1e-4}
    assert len(left) == 6
    assert rows_of_layers(out) == sorted(sorted(left, key=left.get)[1:])
    assert "0 of 6 layers done: gap at most 0.01 %; not done: 1-6" in out
    assert (
        f"above: the 5 with most left to gain, {100 * float(1 - min(left.values()) / sum(left.values())):.0f} % of it"
        in out
    )
    assert rows_of_layers(run(*options, "--rows", "all")[1]) == [1, 2, 3, 4, 5, 6]
    out = run(*options, "--target-gap", 0.9)[1]
    assert rows_of_layers(out) == [] and "all 6 layers are done: gap at most 90 %" in out
    for layer in layers:
        assert f"  {100 * float(layer.gap):.3g} %  " in run(*options, "--rows", "all")[1]


def test_without_load_there_is_nothing_to_judge():
    loads = Loads(np.zeros((2, 8)))
    solution = eplb_opt.solve(loads, eplb_opt.Deployment(4, 8), method="greedy")
    assert list(Verdict(solution, loads, [], "native").lines()) == [NOTHING]


@pytest.mark.parametrize(
    "command",
    [
        ("solve", *FAST),
        ("compare", "--methods", "lpt", "--time-limit", 0.2),
        ("compare", "--methods", "lpt", "--windows", 2, "--protocol", "published"),
        ("backtest", "--strategies", "last/greedy", "--windows", 2, "--time-limit", 0.01),
        ("report", "--markdown", "r.md", "--time-limit", 0.2),
    ],
    ids=["solve", "compare", "published", "backtest", "report"],
)
def test_slots_that_nobody_says_are_told(run, command):
    np.save("loads.npy", RANDOM.integers(1, 99, (2, 3, 16)))
    windows = [] if "--windows" in command else ["--windows", 1]
    name, *options = command
    told = "21 slots: the fewest that hold 16 experts on 7 GPUs, 3 each\n"
    code, out, err = run(name, "loads.npy", "--gpus", 7, *windows, *options)
    assert (code, err) == (0, "") and told in out
    more = ["--redundant", 5, "--json"] if name in ("compare", "backtest") else ["--redundant", 5]
    assert "the fewest" not in run(name, "loads.npy", "--gpus", 7, *windows, *more, *options)[1]


@pytest.mark.usefixtures("plain_figures")
@pytest.mark.parametrize(
    ("outputs", "commands"),
    [
        ([], ["convert", "report"]),
        (["-o", "my plan.json"], ["convert", "report"]),
        (["-o", "-plan.json"], ["convert", "report"]),
        (["-o", "a.json", "--engine", "sglang", "--nodes", 4, "--redundant", 8], ["report"]),
        (["-o", "a.json", "--engine", "sglang", "--no-distinct", "--save", "s.json"], ["report"]),
        (["--policy", "global", *NODES, "-o", "b.jsonl", "--engine", "vllm"], ["report"]),
    ],
    ids=["nobody said", "a space", "a dash", "nearest", "solution", "policy"],
)
def test_the_next_commands_can_be_pasted(run, outputs, commands):
    write_loads(Loads(RANDOM.integers(1, 99, (4, 3, 16)), range(1, 4), num_model_layers=4), "my loads.npz")
    options = ["--gpus", 8, "--windows", 2, "--objective", "worst", "--time-limit", 0.1]
    code, out, _ = run("solve", "my loads.npz", *options, *outputs)
    assert code == 0
    lines = [shlex.split(line) for line in out.partition("\nnext: ")[2].splitlines()]
    assert [line[:2] for line in lines] == [["eplb-opt", command] for command in commands]
    for line in lines:
        limit = ["--time-limit", 0.1] if line[1] == "report" else []
        code, _, err = run(*line[1:], *limit)
        assert (code, err) == (0, ""), line
        assert Path(line[-1]).exists()


def test_rows_counted_from_0_are_converted_for_an_engine_that_counts_so(run):
    np.save("loads.npy", RANDOM.integers(1, 99, (3, 16)))
    assert "--to vllm -o" in run("solve", "loads.npy", "--gpus", 8, *FAST)[1]


def test_bytes_that_went_to_a_stream_have_no_next_command(run, recording):
    code, out, _ = run("solve", recording, "--gpus", 8, *FAST, "-o", "/dev/stderr")
    assert code == 0 and "next:" not in out
