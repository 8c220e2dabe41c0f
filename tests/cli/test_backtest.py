"""eplb-opt backtest: a table, scores and a figure, or one sentence."""

import json
from pathlib import Path

import pandas as pd
import pytest

from eplb_opt.backtest import CLAIRVOYANT
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads

STRATEGIES = ["--strategies", "last/greedy, mean/joint", "--time-limit", 0.05]


@pytest.fixture
def recording(run):
    write_loads(generate_loads(num_experts=24, num_layers=2, num_windows=3, shift=0.3, seed=3), "loads.npz")
    return "loads.npz"


def test_a_table_on_stdout_scores_and_a_figure_in_files(run, recording):
    deployment = ["--gpus", 8, "--slots", 32]
    code, out, err = run(
        "backtest", recording, "--windows", 3, *deployment, *STRATEGIES, "-o", "scores.csv", "--figure", "scores.png"
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["strategy", "balancedness", "worst", "lost", "by_forecast", "by_heuristic"]
    assert lines[1].split()[0] == CLAIRVOYANT
    assert lines[-2] == "balancedness (mean / max load) over 2 layers, rolling"
    assert lines[-1] == "scored on 2 windows: window 1, window 2"
    assert len(pd.read_csv("scores.csv")) == 3 * 2 * 2
    assert Path("scores.png").read_bytes().startswith(b"\x89PNG")


def test_json_and_leave_one_out(run, recording):
    options = ["--gpus", 8, "--slots", 32, *STRATEGIES, "--split", "leave-one-out", "--json"]
    code, out, _ = run("backtest", recording, "--windows", 3, *options)
    rows = json.loads(out)
    assert code == 0
    assert {row["strategy"] for row in rows} == {CLAIRVOYANT, "last/greedy", "mean/joint"}
    assert all(0 < row["worst"] <= row["balancedness"] <= 1 for row in rows)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--split", "random"], "split='random' is not one of rolling, leave-one-out"),
        (["--strategies", "best"], "strategy='best' is not one of last/greedy"),
        (["--figure", "scores.bmp"], "--figure scores.bmp does not end in .png or .svg or .pdf, as a figure does"),
        (["--figure", "no/folder/scores.png"], "no/folder"),
        (["-o", "loads.npz"], "loads.npz is given twice"),
        (["--time-limit", "nan"], "time_limit=nan"),
    ],
)
def test_mistakes_are_one_sentence_and_cost_nothing(run, recording, options, sentence):
    before = Path(recording).read_bytes()
    code, out, err = run("backtest", recording, "--windows", 3, "--gpus", 8, "--slots", 32, *options)
    assert (code, out) == (2, "")
    assert err.startswith("eplb-opt: ") and err.count("\n") == 1 and sentence in err
    assert Path(recording).read_bytes() == before


def test_one_window_is_refused(run):
    write_loads(generate_loads(num_experts=8, num_layers=1, seed=3), "one.npz")
    code, _, err = run("backtest", "one.npz", "--gpus", 4, "--slots", 12)
    assert code == 2 and "give at least two" in err
