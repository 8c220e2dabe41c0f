"""eplb-opt size: a table with units, sentences and the next command; files; or one sentence."""

import json
import shlex
from pathlib import Path

import pandas as pd
import pytest

from eplb_opt import read_solution
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads

FAST = ["--gpus", "8", "--gpus-per-node", 4, "--groups", 4, "--time-limit", 1]
TIMED = ["--time-model", "deepseek-v3-fp8", "--tokens-per-gpu", 64]


@pytest.fixture
def recording(run):
    write_loads(generate_loads(num_experts=32, num_layers=2, seed=3), "loads.npz")
    return "loads.npz"


def test_a_table_sentences_and_a_command_that_works(run, recording):
    code, out, err = run("size", recording, *FAST, *TIMED, "--csv", "sizes.csv", "--figure", "sizes.png")
    assert (code, err) == (0, "")
    table, words = out.split("\n\n")
    lines = table.splitlines()
    # Two policies, the fewest slots and three more.
    assert len(lines) == 1 + 2 * 4
    assert lines[0].split()[:4] == ["GPUs", "policy", "slots/GPU", "redundant"]
    assert "ms/step" in lines[0]
    assert "GiB" not in lines[0]
    sentences = words.splitlines()
    assert sum("are enough" in sentence or "to gain" in sentence for sentence in sentences) == 2
    assert any("of the fastest" in sentence for sentence in sentences)
    assert len(pd.read_csv("sizes.csv")) == 8
    assert Path("sizes.png").read_bytes().startswith(b"\x89PNG")
    command = shlex.split(sentences[-1].removeprefix("next: "))
    assert command[:2] == ["eplb-opt", "solve"]
    code, out, _ = run(*command[1:], "--time-limit", 0.5)
    assert code == 0
    assert "Experts of a step, 64 tokens on each GPU" in out


@pytest.mark.parametrize("policy", ["hierarchical", "global"])
def test_the_next_command_plans_the_deployment_whose_numbers_were_shown(run, recording, policy):
    write_loads(generate_loads(num_experts=32, num_layers=4, seed=3), "twice.npz")
    options = ["--policies", policy, "--slots-per-gpu", "5,6", "--layers", 4]
    code, out, _ = run("size", "twice.npz", *FAST, *options, *TIMED)
    command = shlex.split(out.splitlines()[-1].removeprefix("next: "))
    assert code == 0
    assert command[command.index("--layers") + 1] == "4"
    code, out, _ = run(*command[1:], "--time-limit", 0.5, "--save", "next.json")
    assert code == 0
    assert f"policy {policy}" in out
    # Replicas that stream decide at so few tokens: the fewest slots are the fastest, whatever is coolest.
    assert read_solution("next.json").plan.deployment.num_slots == 5 * 8
    # What solve says next speaks of milliseconds as well.
    assert all(option in out.splitlines()[-1] for option in ("eplb-opt report", *TIMED[::2]))


def test_each_number_of_gpus_has_its_next_command(run, recording):
    code, out, _ = run("size", recording, "--gpus", "4, 8", "--slots-per-gpu", 8, "--time-limit", 0.5)
    first, second = out.splitlines()[-2:]
    assert code == 0
    assert first == "next: eplb-opt solve loads.npz --gpus 4 --slots 32"
    assert second == "      eplb-opt solve loads.npz --gpus 8 --slots 64"


def test_an_interrupt_before_the_first_deployment_leaves_no_files(run, recording, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("eplb_opt.sizing.points.Search._point", interrupted)
    files = ["--csv", "sizes.csv", "--figure", "sizes.png"]
    assert run("size", recording, *FAST, *files) == (0, "interrupted before the first deployment was done\n", "")
    assert not Path("sizes.csv").exists()
    code, out, err = run("size", recording, *FAST, "--json")
    assert (code, json.loads(out), err) == (0, {"deployments": [], "words": []}, "")


def test_gpus_that_no_size_fits_are_told(run, recording):
    code, out, err = run("size", recording, "--gpus", "4,8", "--slots-per-gpu", 4, "--time-limit", 0.5)
    assert code == 0
    assert "8 GPUs, global" in out
    assert err == (
        "WARNING: left out: slots_per_gpu=[4] cannot be filled with 32 distinct experts on 4 GPUs, global: "
        "from 8 to 32 slots per GPU are possible\n"
    )


def test_json_has_the_rows_and_the_words(run, recording):
    code, out, _ = run("size", recording, *FAST, "--slots-per-gpu", "5-6", "--policies", "global", "--json")
    found = json.loads(out)
    assert code == 0
    assert [row["slots_per_gpu"] for row in found["deployments"]] == [5, 6]
    assert found["deployments"][0]["held_out"] is None
    assert found["words"]


def test_a_model_tells_memory_and_an_engine_its_dispatch(run):
    write_loads(generate_loads(num_experts=8, num_layers=32, seed=3), "mixtral.npz")
    options = ["--gpus", 4, "--slots-per-gpu", "2,3", "--time-limit", 1, "--model", "mixtral-8x7b"]
    code, out, _ = run("size", "mixtral.npz", *options, "--engine", "sglang", "--json")
    rows = json.loads(out)["deployments"]
    assert code == 0
    assert {row["dispatch"] for row in rows} == {"nearest"}
    # Three bf16 matrices of 4096 x 14336, 32 layers.
    assert rows[0]["gib"] == pytest.approx(2 * 32 * 3 * 4096 * 14336 * 2 / 2**30)
    assert rows[1]["gib"] == pytest.approx(1.5 * rows[0]["gib"])
    assert "GiB of each GPU" in "\n".join(json.loads(out)["words"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--gpus", "eight"], "--gpus eight: 'eight' is neither a number nor a range"),
        (["--gpus", "8", "--slots-per-gpu", "9-8"], "--slots-per-gpu 9-8"),
        (["--gpus", "8", "--slots-per-gpu", "33"], "from 4 to 32 slots per GPU are possible"),
        (["--gpus", "72", "--groups", "8", "--policies", "hierarchical"], "8 expert groups do not divide by 9 nodes"),
        (["--gpus", "8", "--time-model", "qwen"], "time_model='qwen' is neither a file nor one of deepseek-v3-fp8"),
        (["--gpus", "8", "--tokens-per-gpu", "64"], "needs a time_model"),
        (["--gpus", "8", "--figure", "sizes.txt"], "sizes.txt"),
        ([], "--gpus"),
    ],
)
def test_what_cannot_be_sized_is_one_sentence(run, recording, options, words):
    code, out, err = run("size", recording, *options)
    assert (code, out) == (2, "")
    assert words in err


def test_it_says_why_groups_are_bound_to_no_node(run, recording):
    options = ["--gpus-per-node", 4, "--groups", 4, "--slots-per-gpu", 4, "--time-limit", 0.3]
    code, out, _ = run("size", recording, "--gpus", 12, *options)
    assert code == 0
    assert "12 GPUs: 4 groups do not divide by 3 nodes, so that none is bound to one." in out
    assert "so that none" not in run("size", recording, "--gpus", 8, *options)[1]
