"""Commands tell what is odd about recordings, and take the word of whoever says what they are."""

import json

import numpy as np
import pytest

RANDOM = np.random.default_rng(0)
GPUS = ("--gpus", 4, "--slots", 8, "--time-limit", 0.2)


@pytest.fixture
def by_rank(tmp_path):
    np.save(tmp_path / "moe_load.npy", RANDOM.integers(100, 10**6, (6, 4, 8)))
    return "moe_load.npy"


@pytest.mark.parametrize(
    "command",
    [
        ("inspect",),
        ("inspect", "--gpus", 4, "--slots", 8),
        ("solve", *GPUS, "-o", "plan.json"),
        ("compare", *GPUS, "--methods", "lpt"),
        ("backtest", *GPUS, "--windows", 3),
        ("report", *GPUS, "-o", "page.html"),
    ],
    ids=lambda command: command[0],
)
def test_every_command_that_reads_recordings_refuses_what_is_not_meant(run, by_rank, command):
    code, out, err = run(command[0], by_rank, *command[1:], "--experts", 256, "--layers", 6)
    assert (code, out) == (2, "")
    assert err == "eplb-opt: moe_load.npy (NumPy array) has 4 layers of 8 experts, not experts=256\n"
    code, _, err = run(command[0], by_rank, *command[1:], "--layers", 6)
    assert code == 2
    assert "not layers=6" in err


def test_plans_are_scored_on_what_is_meant(run, by_rank):
    run("solve", by_rank, *GPUS, "--layers", 4, "--experts", 8, "-o", "plan.json")
    for command in ("evaluate", "verify"):
        assert run(command, "plan.json", by_rank, "--experts", 8, "--layers", 4)[0] == 0
        code, _, err = run(command, "plan.json", by_rank, "--layers", 6)
        assert code == 2
        assert "has 4 layers of 8 experts, not layers=6" in err
    code, _, err = run("verify", "plan.json", "--layers", 4)
    assert code == 2
    assert "--layers 4 is about recordings, and none is given" in err


def test_an_axis_as_long_as_there_are_gpus_is_told_unless_it_is_meant(run, by_rank):
    doubt = "WARNING: the recording has as many layers as there are GPUs, 4: if its axes are ranks and slots"
    assert doubt in run("solve", by_rank, *GPUS, "-o", "a.json")[2]
    assert doubt in run("inspect", by_rank, "--gpus", 4, "--slots", 8)[2]
    assert doubt in run("inspect", by_rank, "--gpus", 4)[2]
    assert "as many" not in run("solve", by_rank, *GPUS, "--experts", 8, "--layers", 4, "-o", "b.json")[2]
    assert "as many" not in run("solve", by_rank, "--gpus", 2, "--slots", 8, "--time-limit", 0.2, "-o", "c.json")[2]


def test_layers_without_load_are_told_by_every_command_that_plans_or_judges(run, tmp_path):
    counts = np.zeros((61, 256), dtype=int)
    counts[3] = RANDOM.integers(1, 100, 256)
    (tmp_path / "a.json").write_text(json.dumps({"logical_count": counts.tolist()}))
    shape = ("a.json", "--model", "deepseek-v3")
    told = "no token was recorded in layers 4-60 (57 of 58 with experts)"
    _, _, err = run("solve", *shape, "--gpus", 32, "--slots", 288, "--method", "greedy", "-o", "plan.json")
    assert told in err
    assert "only 1 of 61 decoder layers have a token" in err
    assert told in run("verify", "plan.json", *shape)[2]
    assert told in run("evaluate", "plan.json", *shape)[2]
    _, out, err = run("inspect", *shape)
    assert "warning: the recording has no loads of layers 4-60" in out
    assert "only 1 of 61" in err


def test_bench_refuses_recordings_that_are_not_meant(run, by_rank):
    code, _, err = run("bench", by_rank, "--suite", "models", "--experts", 256)
    assert code == 2
    assert "has 4 layers of 8 experts, not experts=256" in err
