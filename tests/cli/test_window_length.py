"""--window-length: recorded steps of a window, in the commands that cut recordings."""

import json

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.io import write_plan
from eplb_opt.plan import Plan


@pytest.fixture
def steps(run):
    """Seven steps of one layer with two experts, as an array."""
    np.save("steps.npy", np.ones((7, 1, 2), dtype=int))
    write_plan(Plan(np.array([[0, 1]]), Deployment(2, 2), 2, numbering="moe"), "plan.json", "native")
    return "steps.npy"


def test_steps_are_cut_into_windows_of_that_length(run, steps):
    code, out, _ = run("evaluate", "plan.json", steps, "--window-length", 3, "--json")
    assert code == 0
    assert [row["max_load"] for row in json.loads(out)["layers"]] == [3, 3]


@pytest.mark.parametrize("command", [["solve"], ["compare"], ["backtest"], ["inspect"], ["evaluate", "plan.json"]])
def test_windows_and_their_length_are_two_ways_to_say_it(run, steps, command):
    code, out, err = run(*command, steps, "--gpus", 2, "--windows", 2, "--window-length", 3)
    assert (code, out) == (2, "")
    assert err.startswith("eplb-opt: windows=2 and window_length=3 both say how to cut a recording")
