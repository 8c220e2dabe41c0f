"""eplb-opt diff: a table, sentences with units, files; or one sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eplb_opt

SHAPE = ("--gpus", 8, "--slots", 24)
TIMED = ("--time-model", "deepseek-v3-fp8", "--tokens-per-gpu", 4096)


@pytest.fixture
def plans(run, recording):
    """Two plans for a recording, in files."""
    for name, method in (("old.json", "trivial"), ("new.json", "lpt")):
        assert run("solve", recording, *SHAPE, "--method", method, "-o", name)[0] == 0
    return "old.json", "new.json"


def test_a_table_of_the_layers_that_move_most_and_sentences(run, recording, plans):
    code, out, err = run("diff", *plans, recording, *TIMED, "--csv", "rows.csv", "-o", "renumbered.json")
    assert (code, err) == (0, "")
    frame = eplb_opt.diff(*map(eplb_opt.read_plan, plans), eplb_opt.read_loads(recording))
    moves, fewest = frame["moves"].sum(), frame["fewest_moves"].sum()
    assert out.split()[0] == "layer_id" and f"{moves} of 120 replicas move" in out
    assert f"renumbered {fewest} would" in out and "of weights" not in out
    assert "above the mean before" in out and "ms before" in out
    assert pd.read_csv("rows.csv")["moves"].tolist() == frame["moves"].tolist()
    batches = frame["batches"].sum(), frame["batches"].max()
    assert "Batches of copies: {}, in a layer at most {}. In each".format(*batches) in out
    # What -o writes is the new plan, and its moves are the fewest; with loads, the layers that gain most are first.
    code, out, _ = run("diff", "old.json", "renumbered.json", recording, "--json")
    found = json.loads(out)
    assert found["summary"]["moves"] == found["summary"]["fewest_moves"] == fewest
    written = json.loads(Path("renumbered.json").read_text())["transfers"]
    assert found["transfers"] == written
    assert sum(len(layer["batches"]) for layer in written) == found["summary"]["batches"]
    rows = {row["layer_id"]: row for row in found["layers"]}
    rates = [
        (rows[layer["layer_id"]]["imbalance_before"] - rows[layer["layer_id"]]["imbalance_after"])
        / sum(map(len, layer["batches"]))
        for layer in written
    ]
    assert len(rates) == 5 and rates == sorted(rates, reverse=True)
    loads = eplb_opt.read_loads(recording)
    before, after = (eplb_opt.evaluate(eplb_opt.read_plan(f"{name}.json"), loads) for name in ("new", "renumbered"))
    assert before.equals(after)


def test_rows_are_those_with_the_most_moves_unless_all_are_asked_for(run):
    # So many experts of each GPU go to the other one.
    exchanged = [1, 2, 0, 2, 1, 2, 2]
    rows = [[*range(4, 4 + n), *range(n, 4), *range(n), *range(4 + n, 8)] for n in exchanged]
    for name, layers in (("old.json", [list(range(8))] * 7), ("new.json", rows)):
        eplb_opt.write_plan(eplb_opt.Plan(np.array(layers), eplb_opt.Deployment(2, 8), 8), name, "native")
    few, every = (
        [line.split()[:2] for line in run("diff", "old.json", "new.json", *asked)[1].splitlines()]
        for asked in ((), ("--rows", "all"))
    )
    shown = [[str(layer), str(2 * n)] for layer, n in enumerate(exchanged)]
    assert every[1:8] == shown
    assert few[1:6] == [shown[layer] for layer in (0, 1, 3, 5, 6)]


def test_a_plan_does_not_move_from_itself(run, plans):
    code, out, _ = run("diff", plans[0], plans[0])
    assert (code, out) == (0, "0 of 120 replicas move (0 %): their GPUs did not hold them.\n")


def test_files_of_engines_take_the_gpus_of_the_other_file(run, plans):
    expected = run("diff", *plans, "--json")[1]
    assert run("convert", plans[0], "--to", "vllm", "-o", "old.vllm.json")[0] == 0
    assert run("diff", "old.vllm.json", plans[1], "--json")[1] == expected
    code, _, err = run("diff", "old.vllm.json", "old.vllm.json")
    assert code == 2
    assert err == "eplb-opt: neither old.vllm.json nor old.vllm.json says how many GPUs there are: give --gpus\n"


def test_plans_that_do_not_fit_each_other_are_one_sentence(run, recording, plans):
    run("solve", recording, "--gpus", 4, "--slots", 24, "--method", "lpt", "-o", "four.json")
    code, out, err = run("diff", plans[0], "four.json")
    assert (code, out) == (2, "")
    assert err == "eplb-opt: no moves lead from 8 GPUs to 4: the plans have to be of one size\n"


def test_options_of_recordings_need_one(run, plans):
    code, _, err = run("diff", *plans, "--windows", 2)
    assert code == 2 and err.endswith("mean nothing, as none is given\n")


def test_rows_of_other_layers_ask_for_the_model(run, plans):
    assert run("convert", plans[1], "--to", "sglang", "-o", "new.sglang.json")[0] == 0
    code, _, err = run("diff", plans[0], "new.sglang.json")
    assert code == 2 and "the old plan has layers 1-5, the new one layers 0-5: name the model" in err


def test_a_bandwidth_without_a_model_is_refused(run, plans):
    code, _, err = run("diff", *plans, "--bandwidth", 25)
    assert code == 2 and "needs a model" in err
