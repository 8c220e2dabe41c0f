"""One plan and one recording through the command line: no two commands print different figures."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import eplb_opt
from eplb_opt.evaluate import summarise
from eplb_opt.io import read_solution, write_loads
from eplb_opt.loads import Loads
from eplb_opt.report.words import in_percent
from eplb_opt.solution import percent
from tests.known import OBJECTIVES, Known, near


@pytest.fixture
def emptied():
    """Three windows of four layers: one with load in one window, one with load in none."""
    values = np.random.default_rng(5).lognormal(6, 1, (3, 4, 16)).astype(int)
    values[1:, 1], values[:, 2], values[2, 3] = 0, 0, 0
    write_loads(Loads(values), "loads.npz")
    return "loads.npz"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_commands_print_the_same_figures(run, emptied, objective):
    shape = ["--gpus", 4, "--slots", 20]
    windows = ["--windows", 3]
    code, out, _ = run(
        "solve", emptied, *shape, *windows, "--objective", objective, "--method", "lpt", "--save", "s.json"
    )
    assert code == 0
    said = re.search(
        r"^4 layers \(1 without load\): imbalance (\d\S+\d).*, bound (\S+), gap (.*) \(worst", out, re.MULTILINE
    )
    known = Known.of(eplb_opt.read_plan("s.json"), eplb_opt.read_loads(emptied, windows=3))
    solution = read_solution("s.json")
    values = [known.objective(layer, objective) for layer in range(4)]
    assert said[1] == f"{1 + known.excess(values, objective):.6f}"
    assert said[3] == percent(solution.gap)

    evaluated = json.loads(run("evaluate", "s.json", emptied, *windows, "--json")[1])
    assert evaluated["summary"] == summarise(eplb_opt.evaluate(known.plan, known.loads))
    assert [row["imbalance"] for row in evaluated["layers"]].count(None) == 12 - len(known.gpu_loads)
    text = run("evaluate", "s.json", emptied, *windows)[1]
    assert "6 of 12 rows have no load, and count in no figure" in text and "nan" not in text

    options = [*shape, *windows, "--objective", objective, "--methods", "lpt", "--time-limit", 0.2, "--csv", "rows.csv"]
    rows = json.loads(run("compare", emptied, *options, "--json")[1])
    (compared,) = (row for row in rows if row["method"] == "lpt")
    for name in ("mean_imbalance", "mean_balancedness", "mean_relative_excess", "mean_slot_balancedness"):
        assert f"{compared[name.removeprefix('mean_')]:.12f}" == f"{evaluated['summary'][name]:.12f}"
    assert compared["objective"] == near(float(sum(values[layer] for layer in known.loaded())))

    code, out, _ = run("report", "s.json", emptied, *windows, "--time-limit", 0.3, "--markdown", "report.md")
    assert code == 0
    page = Path("report.md").read_text()
    assert "nan" not in page
    excess, _, gap = re.search(r"^\| eplb_opt \| (\S+) \| (\S+) \| (\S+) \|$", page, re.MULTILINE).groups()
    assert excess == in_percent(known.excess(values, objective))
    assert gap == f"{100 * float(solution.gap):.4f}"
    for name, value in evaluated["summary"].items():
        # The plan in order is behind it.
        assert re.search(rf"^\| `{name}` \|.*\| {value:.4f} \| [^|]* \|$", page, re.MULTILINE)
    verified = json.loads(run("verify", "s.json", emptied, *windows, "--json")[1])
    assert verified["valid"] is True


def test_nothing_is_scored_on_a_window_without_load(run):
    write_loads(Loads([[[5, 3, 2, 1]], [[0, 0, 0, 0]]]), "loads.npz")
    options = ["loads.npz", "--windows", 2, "--gpus", 2, "--slots", 4]
    assert json.loads(run("backtest", *options, "--time-limit", 0.01, "--json")[1]) == []
    code, out, _ = run("backtest", *options, "--time-limit", 0.01)
    assert code == 0 and out.startswith("nothing was scored")
    code, _, err = run("compare", *options, "--protocol", "published")
    assert code == 2 and "there is nothing to score a plan on" in err
