"""eplb-opt report --old: what a change costs, with commands that can be pasted, or one sentence."""

import shlex
from pathlib import Path

import numpy as np
import pytest

import eplb_opt
from eplb_opt.io import write_loads
from eplb_opt.loads import Loads

LOADS = Loads(np.random.default_rng(0).lognormal(6, 1, (4, 16)).astype(int), range(1, 5), num_model_layers=5)
QUICK, LONGER = (("--time-limit", seconds, "--markdown", "report.md") for seconds in (0.5, 3))


@pytest.fixture
def files(run):
    """A recording, the plan that runs as SGLang and as eplb_opt have it, and a solution of other loads."""
    write_loads(LOADS, "loads.json")
    solution = eplb_opt.solve(
        Loads(LOADS.values[:, :, ::-1], **LOADS.labels.fields), eplb_opt.Deployment(4, 20), method="snake"
    )
    for engine in ("sglang", "native"):
        eplb_opt.write_plan(solution.plan, f"{engine}.json", engine)
    solution.save("solution.json")


def commands():
    lines = Path("report.md").read_text().splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("eplb-opt replan")]


def test_the_page_has_the_curve_and_its_commands_make_the_plans(run, files):
    options = ("--old", "native.json", "--moves", "0,4,12", "-o", "report.html")
    code, out, _ = run("report", "loads.json", *options, *QUICK)
    assert code == 0
    assert "With the old plan it carries" in out and "From the old plan " in out
    assert '<section id="moving"' in Path("report.html").read_text()
    first, *_ = commands()
    assert first == ["replan", "native.json", "loads.json", "--max-moves", "4", "-o", "new-4.json"]
    code, out, _ = run(*first, "--time-limit", 0.5)
    assert code == 0 and "plan of 4 moves written to new-4.json" in out
    old, new = (eplb_opt.read_plan(name) for name in ("native.json", "new-4.json"))
    assert eplb_opt.diff(old, new)["moves"].sum() == 4


def test_a_command_says_what_the_file_does_not(run, files):
    shape = ("--gpus", 4, "--slots", 20, "--no-distinct")
    code, _, err = run("report", "loads.json", "--old", "sglang.json", "--moves", "0,4", *shape, *QUICK)
    assert (code, err) == (0, "")
    (command,) = commands()
    words = ["replan", "sglang.json", "loads.json", "--gpus", "4", "--no-distinct", "--dispatch", "even"]
    assert command == [*words, "--max-moves", "4", "-o", "new-4.json"]
    assert run(*command, "--time-limit", 0.2)[0] == 0


def test_a_solution_of_what_ran_is_an_old_plan_and_no_proof(run, files):
    code, _, _ = run("report", "loads.json", "--old", "solution.json", *QUICK)
    text = Path("report.md").read_text()
    assert code == 0 and "not searched again" not in text
    assert [command[-3] for command in commands()][-1] == str(4 * 20 // 4)


def test_a_bandwidth_and_a_model_say_when_it_has_paid(run):
    write_loads(Loads(np.random.default_rng(1).lognormal(5, 1, (32, 8)).astype(int)), "loads.json")
    known = ("--model", "mixtral-8x7b", "--time-model", "qwen3-30b", "--tokens-per-gpu", 512)
    assert run("solve", "loads.json", "--gpus", 4, "--method", "trivial", "-o", "old.json")[0] == 0
    code, _, _ = run("report", "loads.json", "--old", "old.json", "--moves", 30, "--bandwidth", 50, *known, *LONGER)
    assert code == 0
    text = Path("report.md").read_text()
    assert "| GiB to copy | ms of a step | s to copy | steps until it has paid |" in text
    (command,) = commands()
    assert command[3:-4] == [*map(str, known[:-1]), "512.0", "--bandwidth", "50"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--moves", "5"), "--max-moves is about a change from the plan that runs: give its file as --old"),
        (("--bandwidth", "5"), "--bandwidth is about a change from the plan that runs: give its file as --old"),
        (("--old", "native.json", "--moves", "5;6"), "'5;6' is neither a number nor a range a-b"),
        (("--old", "loads.json"), "loads.json is given twice"),
        (("--old", "missing.json"), "--old missing.json is not the file of a plan"),
        (("native.json", "--old", "native.json"), "native.json is given twice"),
        (("--old", "native.json", "--bandwidth", "50"), "bandwidth=50.0 needs a model"),
        (("--old", "sglang.json", "--gpus", "4", "--slots", "24"), "old plan has 20 slots"),
        (("--old", "sglang.json"), "give the number of GPUs: --gpus"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing_behind(run, files, arguments, sentence):
    code, out, err = run("report", "loads.json", *arguments, *QUICK)
    assert (code, out) == (2, "") and err.startswith("eplb-opt: ") and err.count("\n") == 1
    assert sentence in err and not Path("report.md").exists()
