"""Windows of several files are called by the files, wherever people read of windows."""

import numpy as np
import pytest

from eplb_opt.io import write_loads
from eplb_opt.loads import Loads

DEPLOYMENT = ("--gpus", 4, "--slots", 20)
FILES = ("monday.npz", "tuesday.npz")


@pytest.fixture
def recordings(run):
    for seed, name in enumerate(FILES):
        write_loads(Loads(np.random.default_rng(seed).lognormal(6, 1, (2, 16)).astype(int)), name)
    return FILES


def test_rows_of_evaluate_name_the_file(run, recordings):
    assert run("solve", *recordings, *DEPLOYMENT, "--method", "lpt", "-o", "plan.json")[0] == 0
    code, out, _ = run("evaluate", "plan.json", *recordings)
    assert code == 0
    rows = [line.split()[:2] for line in out.splitlines()[1:5]]
    assert rows == [["0", "monday.npz"], ["0", "tuesday.npz"], ["1", "monday.npz"], ["1", "tuesday.npz"]]


def test_backtest_and_the_published_score_name_the_files_that_are_scored(run, recordings):
    code, out, _ = run("backtest", *recordings, *DEPLOYMENT, "--strategies", "last/greedy", "--time-limit", 0.05)
    assert code == 0 and out.splitlines()[-1] == "scored on 1 window: tuesday.npz"
    options = ("--protocol", "published", "--methods", "lpt")
    code, out, _ = run("compare", *recordings, *DEPLOYMENT, *options)
    assert code == 0 and out.splitlines()[-1] == "scored on 1 window: tuesday.npz"
