"""The command line: the library, spelled out, with one line for every mistake."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.io import read_solution, write_loads
from tests.clocks import LONG, patience


def sentence_of(result):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("eplb-opt: ") and err.count("\n") == 1
    return err.removeprefix("eplb-opt: ").strip()


def test_from_a_recording_to_a_verified_engine_file(run, recording):
    code, out, err = run("solve", recording, "--gpus", 8, "--slots", 24, "--time-limit", 0.5, "-o", "plan.json")
    assert code == 0 and err == ""
    assert re.search(r"^5 layers: imbalance 1\.\d+, bound 1\.\d+, gap .* %", out, re.MULTILINE)
    assert "\nplan written to plan.json\nnext: eplb-opt convert plan.json --to sglang -o plan.sglang.json\n" in out
    assert eplb_opt.read_plan("plan.json").layer_ids == (1, 2, 3, 4, 5)

    code, out, _ = run("convert", "plan.json", "--to", "sglang", "-o", "sglang.json")
    assert code == 0 and "--init-expert-location sglang.json --ep-num-redundant-experts 8" in out
    content = json.loads(Path("sglang.json").read_text())
    assert list(content) == ["physical_to_logical_map"]
    assert np.array(content["physical_to_logical_map"]).shape == (6, 24)

    code, out, _ = run("verify", "sglang.json", recording, "--gpus", 8)
    assert code == 0 and "valid; layers 0-5, 16 experts in 24 slots on 8 GPUs" in out
    assert run("verify", "plan.json")[0] == 0
    code, out, _ = run("verify", "sglang.json")
    assert code == 0 and "with --gpus" in out

    code, out, _ = run("evaluate", "sglang.json", recording, "--gpus", 8)
    assert code == 0 and "total_balancedness" in out


def test_json_goes_to_stdout_and_reads_back(run, recording, tmp_path):
    options = ["--gpus", 8, "--redundant", 8, "--method", "greedy", "--json", "--save", "solution.json"]
    code, out, _ = run("solve", recording, *options)
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "solution.json").read_text())
    assert [layer.layer_id for layer in read_solution("solution.json").layers] == [1, 2, 3, 4, 5]
    summary = json.loads(run("evaluate", "solution.json", recording, "--json")[1])["summary"]
    assert 0 < summary["total_balancedness"] <= 1
    facts = json.loads(run("inspect", recording, "--gpus", 8, "--slots", 24, "--json")[1])
    assert (facts["experts"], facts["decoder_layers"], facts["layers"]) == (16, 6, "layers 1-5")
    assert {"mean", "adams", "slack", "lower_bound", "argument"} <= set(facts["per_layer"][0])
    assert json.loads(run("verify", "solution.json", "--json")[1])["valid"] is True


def test_inspect_says_whose_bounds_it_has_and_which_deployment(run):
    instances = Path(__file__).resolve().parents[2] / "models" / "instances"
    several, one = (run("inspect", instances / f"{name}.json")[1] for name in ("worst-of-3-32x48x48", "eight-experts"))
    words = "48 GPUs, 48 slots: as worst-of-3-32x48x48 says, but for what the options say"
    assert several.endswith(f"\n\nbounds: of 3 windows summed, whatever plans are valued by\n{words}\n")
    assert "windows summed" not in one and "8 GPUs, 16 slots: as eight-experts says" in one


def test_inspect_describes_the_recording(run, recording):
    code, out, _ = run("inspect", recording)
    assert code == 0
    assert re.search(r"^layers\s+layers 1-5$", out, re.MULTILINE)
    assert re.search(r"^\s+1\s+1,000,000\s", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda rows: rows[2].__setitem__(slice(None), [0 if e == 7 else e for e in rows[2]]), "layer 2: expert 7 has"),
        (lambda rows: rows[4].__setitem__(3, 16), "layer 4: slot 3 holds expert 16, ids end at 15"),
        (lambda rows: rows[3].__setitem__(1, rows[3][0]), "layer 3: GPU 0 holds expert"),
        (lambda rows: rows.pop(), "sglang.json has 5 rows, the model 6 decoder layers"),
        (lambda rows: rows[1].__setitem__(0, -1), "layer 1: slot 0 is empty (-1)"),
    ],
)
def test_a_broken_engine_file_is_refused_by_name(run, recording, tmp_path, damage, words):
    run("solve", recording, "--gpus", 8, "--slots", 24, "--method", "greedy", "-o", "sglang.json", "--engine", "sglang")
    path = tmp_path / "sglang.json"
    content = json.loads(path.read_text())
    damage(content["physical_to_logical_map"])
    path.write_text(json.dumps(content))
    code, out, _ = run("verify", "sglang.json", recording, "--gpus", 8)
    assert code == 1
    assert words in out
    code, out, _ = run("verify", "sglang.json", recording, "--gpus", 8, "--json")
    assert code == 1 and any(words in violation for violation in json.loads(out)["violations"])


def test_every_command_says_how_to_allow_doubled_replicas(run, recording):
    """The policy that engines ship doubles replicas up; so does a plan for few GPUs with many slots."""
    doubled = [[*range(16), *([0] * 8)]] * 6
    Path("engine.json").write_text(json.dumps({"physical_to_logical_map": doubled}))
    way_out = "distinct=False allows that (on the command line --no-distinct, with --gpus)"
    commands = (
        ("evaluate", "engine.json", recording),
        ("report", recording, "engine.json", "--markdown", "page.md", "--time-limit", 0.2),
        ("convert", "engine.json", "--to", "native", "-o", "native.json"),
        ("solve", recording, "--slots", 24, "--warm-start", "engine.json", "-o", "plan.json", "--method", "greedy"),
    )
    for command in commands:
        assert way_out in sentence_of(run(*command, "--gpus", 2)), command
        assert run(*command, "--gpus", 2, "--no-distinct")[0] == 0, command
    code, out, _ = run("verify", "engine.json", recording, "--gpus", 2)
    assert code == 1 and out.splitlines()[-1] == f"  {way_out}"
    assert run("verify", "engine.json", recording, "--gpus", 2, "--no-distinct")[0] == 0


def test_a_row_too_few_is_named_without_a_recording_too(run, recording):
    run("solve", recording, "--gpus", 8, "--slots", 24, "--method", "greedy", "-o", "x.json", "--engine", "sglang")
    code, out, _ = run("verify", "x.json", "--model-layers", 7)
    assert code == 1 and "x.json has 6 rows, the model 7 decoder layers" in out


def test_hierarchical_plans_survive_the_engine_file(run, recording):
    shape = ["--gpus", 8, "--nodes", 2, "--groups", 4]
    assert run("solve", recording, *shape, "--slots", 24, "--method", "greedy", "-o", "plan.json")[0] == 0
    assert run("convert", "plan.json", "--to", "sglang", "-o", "x.json")[0] == 0
    code, out, _ = run("verify", "x.json", recording, *shape)
    assert code == 0, out


def test_rows_get_the_decoder_layers_they_are_told(run):
    assert run("generate", "-o", "loads.npy", "--experts", 8, "--layers", 3)[0] == 0
    run("solve", "loads.npy", "--gpus", 4, "--slots", 12, "--method", "greedy", "-o", "plan.json")
    assert run("convert", "plan.json", "--to", "sglang", "-o", "x.json", "--layer-ids", "3-5")[0] == 0
    rows = json.loads(Path("x.json").read_text())["physical_to_logical_map"]
    assert rows[3:] == eplb_opt.read_plan("plan.json").physical_to_logical.tolist()
    assert rows[0] == [slot % 8 for slot in range(12)]
    assert "'x' is neither a number" in sentence_of(
        run("convert", "plan.json", "--to", "sglang", "-o", "y.json", "--layer-ids", "3,x")
    )


@pytest.mark.parametrize("name", ["loads.npz", "loads.npy", "loads.csv", "loads.json"])
def test_generate_makes_what_every_command_reads(run, name):
    assert run("generate", "-o", name, "--experts", 8, "--layers", 2, "--seed", 5)[0] == 0
    generated = generate_loads(num_experts=8, num_layers=2, seed=5)
    # A bare array does not say which layers its rows are.
    numbering = "moe" if name == "loads.npy" else "decoder"
    assert eplb_opt.read_loads(name) == eplb_opt.Loads(generated.values, numbering=numbering)


def test_demo_runs_the_main_job(run, tmp_path):
    code, out, _ = run("demo", "--folder", tmp_path / "demo", "--time-limit", 1)
    assert code == 0
    assert "valid; layers 0-7, 256 experts in 288 slots on 72 GPUs" in out
    imbalances = [float(x) for x in re.findall(r"^8 layers: imbalance (\S+),", out, re.MULTILINE)]
    assert len(imbalances) == 2 and imbalances[1] < imbalances[0]


def write(path, text):
    path.write_text(text)
    return path.name


BAD_INPUT = {
    "NaN": ("[[1, NaN]]", "loads.json holds NaN, which is no JSON number"),
    "negative": ("[[1, -2], [3, 4]]", "loads.json: load -2 at window 0, layer row 0, expert 1 is not"),
    "strings": ('[["a", "b"]]', "loads.json: loads are of type <U1, not numbers"),
    "wrong rank": ("[[[[1]]]]", "loads.json: loads have shape (1, 1, 1, 1)"),
    "ragged": ("[[1, 2], [3]]", "loads.json: loads are ragged"),
    "all zero": ("[[0, 0], [0, 0]]", "loads.json: "),
    "empty": ("[]", "loads.json: "),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_loads_are_one_sentence(run, tmp_path, case):
    counts, words = BAD_INPUT[case]
    write(tmp_path / "loads.json", f'{{"logical_count": {counts}}}')
    assert words in sentence_of(run("solve", "loads.json", "--gpus", 1, "--redundant", 0, "-o", "plan.json"))
    assert not (tmp_path / "plan.json").exists()


BAD_USAGE = {
    "more experts than slots": (["--gpus", 8, "--slots", 8], "num_slots=8 cannot hold 16 experts; nearest: 16"),
    "slots not divisible": (
        ["--gpus", 7, "--slots", 24],
        "--slots 24: num_slots=24 is not a multiple of num_gpus=7; nearest: 21 or 28",
    ),
    # 14 is the nearest multiple of 7 below 18, and too few for 16 experts.
    "redundancy not divisible": (
        ["--gpus", 7, "--redundant", 2],
        "--redundant 2: num_slots=18 is not a multiple of num_gpus=7; nearest: --redundant 5",
    ),
    "no redundancy, not divisible": (
        ["--gpus", 7, "--redundant", 0],
        "--redundant 0: num_slots=16 is not a multiple of num_gpus=7; nearest: --redundant 5",
    ),
    "less than nothing": (
        ["--gpus", 8, "--redundant", -3],
        "--redundant -3: num_slots=13 cannot hold 16 experts; nearest: --redundant 0",
    ),
    "groups not divisible": (
        ["--gpus", 8, "--slots", 24, "--nodes", 2, "--groups", 3, "--policy", "hierarchical"],
        "num_groups=3 is not a multiple of num_nodes=2; nearest: num_nodes=1 (policy='global' ",
    ),
    "GPUs not divisible": (
        ["--gpus", 9, "--slots", 27, "--nodes", 2, "--groups", 4],
        "num_gpus=9 is not a multiple of num_nodes=2; nearest: num_nodes=1 (policy='global' ",
    ),
    "experts not divisible": (
        ["--gpus", 6, "--slots", 24, "--nodes", 3, "--groups", 6],
        "num_groups=6 does not divide num_experts=16 (policy='global' ",
    ),
    "too few experts": (["--gpus", 2, "--slots", 40], "--slots 40: num_slots=40 is more than distinct replicas can"),
    "no GPUs": ([], "give the number of GPUs: --gpus"),
    "both": (["--gpus", 8, "--slots", 24, "--redundant", 8], "--slots and --redundant say the same thing"),
    "method": (["--gpus", 8, "--slots", 24, "--method", "magic"], "method='magic' is not one of"),
    "time limit": (["--gpus", 8, "--slots", 24, "--time-limit", -1], "time_limit=-1.0 is not a positive number"),
    "windows": (["--gpus", 8, "--slots", 24, "--windows", 2], "windows=2"),
    "format": (["--gpus", 8, "--slots", 24, "--format", "xml"], "format='xml' is not one of"),
    "engine": (["--gpus", 8, "--slots", 24, "-o", "p.json", "--engine", "triton"], "engine='triton' is not one of"),
    "unknown option": (["--gpu", 8], "No such option: --gpu"),
    "no number": (["--gpus", "many"], "Invalid value for '--gpus'"),
    "folder as target": (["--gpus", 8, "--slots", 24, "-o", "."], "cannot be written: it is a folder"),
    "no such folder": (["--gpus", 8, "--slots", 24, "-o", "no/plan.json"], "the folder no does not exist"),
    "sglang name": (["--gpus", 8, "--slots", 24, "-o", "plan.txt", "--engine", "sglang"], "does not end in .json"),
}


@pytest.mark.parametrize("case", BAD_USAGE)
def test_wrong_usage_is_one_sentence_before_any_work(run, recording, monkeypatch, case):
    options, words = BAD_USAGE[case]
    monkeypatch.setattr("eplb_opt.run.loading.load_kernels", lambda: pytest.fail("kernels were loaded"))
    assert words in sentence_of(run("solve", recording, *options))


def test_files_that_are_not_there_or_damaged_are_one_sentence(run, recording, tmp_path):
    shape = ["--gpus", 8, "--slots", 24]
    assert sentence_of(run("solve", "nothing.json", *shape)) == "nothing.json does not exist"
    assert "is a folder" in sentence_of(run("solve", ".", *shape))
    text = (tmp_path / recording).read_text()
    cut = write(tmp_path / "cut.json", text[: len(text) // 2])
    assert "cut.json is not valid JSON" in sentence_of(run("solve", cut, *shape))
    (tmp_path / "bytes.json").write_bytes(b"\x00\xff\x13")
    assert "bytes.json" in sentence_of(run("solve", "bytes.json", *shape))
    assert "nothing.json does not exist" in sentence_of(run("verify", "nothing.json"))
    assert "loads.json" in sentence_of(run("convert", recording, "--to", "sglang", "-o", "x.json"))


def test_a_disk_that_fills_up_leaves_nothing_half_written(run, recording, monkeypatch, tmp_path):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    (tmp_path / "plan.json").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    options = ["--gpus", 8, "--slots", 24, "--method", "greedy", "-o", "plan.json"]
    assert "No space left on device" in sentence_of(run("solve", recording, *options))
    assert (tmp_path / "plan.json").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loads.json", "plan.json"]


def test_nothing_is_written_over_what_is_read(run, recording, tmp_path):
    before = (tmp_path / recording).read_bytes()
    shape = ["--gpus", 8, "--slots", 24, "--method", "greedy"]
    assert "is given twice" in sentence_of(run("solve", recording, *shape, "-o", f"./{recording}"))
    assert "is given twice" in sentence_of(run("solve", recording, *shape, "-o", "x.json", "--save", "x.json"))
    assert (tmp_path / recording).read_bytes() == before
    run("solve", recording, *shape, "-o", "plan.json")
    assert "is given twice" in sentence_of(run("convert", "plan.json", "--to", "sglang", "-o", "plan.json"))


def test_decoder_layers_of_a_recording_are_not_relabelled(run, recording):
    run("solve", recording, "--gpus", 8, "--slots", 24, "--method", "greedy", "-o", "plan.json")
    for ids in ("0-4", "2-6"):
        words = sentence_of(run("convert", "plan.json", "--to", "sglang", "-o", "x.json", "--layer-ids", ids))
        assert words == f"the plan is for layers 1-5 of 6, not for layers {ids}"


@pytest.mark.parametrize("options", [["--nodes", 2], ["--groups", 2], ["--policy", "global"], ["--no-distinct"]])
def test_options_of_a_deployment_need_gpus_where_no_file_says_them(run, recording, options):
    run("solve", recording, "--gpus", 8, "--slots", 24, "--method", "greedy", "-o", "plan.json")
    run("convert", "plan.json", "--to", "sglang", "-o", "s.json")
    for command in (["verify", "s.json"], ["inspect", recording], ["evaluate", "s.json", recording]):
        assert f"{options[0]} needs --gpus" in sentence_of(run(*command, *options))
    assert f"{options[0]} needs --gpus" in sentence_of(run("convert", "s.json", "--to", "vllm", "-o", "v", *options))
    assert f"{options[0]} needs --gpus" in sentence_of(run("report", recording, "s.json", "-o", "r.html", *options))
    assert "--slots needs --gpus" in sentence_of(run("inspect", recording, "--slots", 24))
    assert "num_gpus=0 is not a positive integer" in sentence_of(run("verify", "plan.json", "--gpus", 0))


def test_options_override_what_the_file_of_a_plan_says_one_by_one(run, recording):
    shape = ["--gpus", 8, "--slots", 24, "--nodes", 2, "--groups", 4, "--method", "greedy"]
    run("solve", recording, *shape, "-o", "plan.json")
    for options, deployment in {
        (): Deployment(8, 24, 2, 4),
        ("--nodes", 1): Deployment(8, 24, 1, 4),
        ("--groups", 16): Deployment(8, 24, 2, 16),
        ("--policy", "global"): Deployment(8, 24, 2, 4, "global"),
        ("--no-distinct",): Deployment(8, 24, 2, 4, distinct=False),
        ("--gpus", 4, "--no-distinct"): Deployment(4, 24, 2, 4, distinct=False),
    }.items():
        assert run("convert", "plan.json", "--to", "native", "-o", "new.json", *options)[0] == 0, options
        assert eplb_opt.read_plan("new.json").deployment == deployment
        assert run("evaluate", "plan.json", recording, *options)[0] == 0
        assert run("verify", "plan.json", *options)[0] == 0


def test_the_number_of_nodes_alone_is_enough_where_the_file_says_the_gpus(run, recording):
    run("solve", recording, "--gpus", 8, "--slots", 24, "--time-limit", 0.3, "--save", "solution.json")
    _, out, _ = run("convert", "solution.json", "--to", "sglang", "--nodes", 4, "-o", "s.json")
    assert "--tp-size 8 --ep-size 8 --nnodes 4 --node-rank NODE_RANK" in out
    run("convert", "solution.json", "--to", "ascend", "-o", "a.json")
    _, out, _ = run("convert", "a.json", "--to", "vllm", "--nodes", 4, "--layer-ids", "1-5", "-o", "v.jsonl")
    assert "--data-parallel-size 8 --nnodes 4 --node-rank NODE_RANK" in out
    options = ["--nodes", 4, "--markdown", "r.md", "--time-limit", 0.2]
    assert run("report", recording, "solution.json", *options)[0] == 0
    assert "--ep-size 8 --nnodes 4" in Path("r.md").read_text()
    words = sentence_of(run("report", recording, "solution.json", "--nodes", 4, "--groups", 4, "-o", "r.html"))
    assert words.startswith("solution.json is for 8 GPUs, 24 slots, any expert on any GPU; the options say")


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        ([], "policy global"),
        (["--nodes", 2, "--groups", 4], "policy hierarchical: 2 of 4 groups on each of 2 nodes"),
        (["--nodes", 2, "--groups", 3], "policy global: 3 groups do not divide by 2 nodes"),
        (["--nodes", 2], "policy global: 1 group does not divide by 2 nodes"),
    ],
)
def test_the_policy_in_force_is_printed(run, recording, shape, rule):
    out = run("solve", recording, "--gpus", 8, "--slots", 24, *shape, "--method", "greedy")[1]
    assert rule in out.splitlines()


def test_one_gpu_is_a_deployment_too(run, recording):
    run("solve", recording, "--gpus", 1, "--slots", 20, "--no-distinct", "--method", "greedy", "-o", "plan.json")
    assert run("convert", "plan.json", "--to", "native", "-o", "copy.json")[0] == 0


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"{eplb_opt.__version__}\n", "")


def test_demo_in_an_impossible_folder_is_one_sentence(run, recording):
    assert "loads.json cannot be made a folder" in run("demo", "--folder", recording)[2]


def test_loads_and_slots_beyond_reason_are_one_sentence(run, recording):
    np.save("huge.npy", np.full((1, 4), 1e308))
    sentence = sentence_of(run("solve", "huge.npy", "--gpus", 2))
    assert "huge.npy: load 1e+308 at window 0, layer row 0, expert 0 is 2**53 tokens or more" in sentence
    assert "the most supported" in sentence_of(run("solve", recording, "--gpus", 10**20, "--slots", 10**20))


def test_help_without_arguments_and_for_each_command(run):
    code, out, _ = run()
    assert code == 0 and "Commands:" in out
    for command in ("solve", "verify", "evaluate", "inspect", "convert", "generate", "bench", "demo"):
        assert command in out
        assert run(command, "--help")[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_long_run_with_the_best_plan_written(tmp_path, number):
    write_loads(generate_loads(num_experts=64, num_layers=4, skew=1.5), tmp_path / "loads.npz")
    command = [sys.executable, "-m", "eplb_opt", "solve", "loads.npz", "--gpus", "32", "--slots", "96"]
    options = ["--time-limit", "60", "--target-gap", "0", "-o", "plan.json", "--log", "run.log"]
    process = subprocess.Popen(
        [*command, *options], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    log = tmp_path / "run.log"
    while process.poll() is None and "worst_gap" not in (log.read_text() if log.exists() else ""):
        time.sleep(0.1)
    begin = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=LONG)
    assert time.monotonic() - begin < patience(3)
    assert process.returncode == 0, err
    assert "interrupted: this is the best plan until then" in out and "plan written to plan.json" in out
    assert eplb_opt.verify(eplb_opt.read_plan(tmp_path / "plan.json")) == []


def test_a_short_time_limit_ends_in_time(tmp_path):
    write_loads(generate_loads(num_experts=256, num_layers=58), tmp_path / "loads.npz")
    command = [sys.executable, "-m", "eplb_opt", "solve", "loads.npz", "--gpus", "72", "--slots", "288"]
    command += ["--time-limit", "1", "--save", "solution.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=LONG)
    assert read_solution(tmp_path / "solution.json").runtime < patience(2.05)
    assert "58 layers: imbalance" in done.stdout


@pytest.mark.parametrize(
    "command", ["inspect loads.npz", "verify plan.json", "solve loads.npz --gpus 8 --method greedy"]
)
def test_a_reader_that_leaves_is_no_error(tmp_path, command):
    loads = generate_loads(num_experts=64, num_layers=58)
    write_loads(loads, tmp_path / "loads.npz")
    plan = eplb_opt.solve(loads, eplb_opt.Deployment(8, 64), method="greedy").plan
    eplb_opt.write_plan(plan, tmp_path / "plan.json", engine="native")
    line = f"set -o pipefail; {sys.executable} -m eplb_opt {command} | true"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_output_is_one_sentence_and_not_a_verdict(tmp_path):
    write_loads(generate_loads(num_experts=8, num_layers=2), tmp_path / "loads.npz")
    line = f"{sys.executable} -m eplb_opt inspect loads.npz > /dev/full"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "eplb-opt: cannot print the result: No space left on device\n")


def test_it_works_without_stderr(tmp_path):
    write_loads(generate_loads(num_experts=8, num_layers=2), tmp_path / "loads.npz")
    line = f"{sys.executable} -m eplb_opt solve loads.npz --gpus 4 --redundant 4 --method greedy 2>&-"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "2 layers: imbalance" in done.stdout


def test_the_most_tokens_that_a_layer_can_have_are_figures_everywhere(run):
    loads = np.random.default_rng(0).random((3, 2, 8)) * 2.0**48
    np.save("huge.npy", loads)
    shape = ["huge.npy", "--windows", 3, "--gpus", 2, "--slots", 10]
    assert run("solve", *shape, "--method", "greedy", "-o", "plan.json")[0] == 0
    code, out, _ = run("evaluate", "plan.json", "huge.npy", "--windows", 3, "--json")
    assert code == 0 and json.loads(out)["summary"]["mean_slot_balancedness"] > 0
    code, out, _ = run("backtest", *shape, "--strategies", "last/greedy", "--time-limit", 0.01, "--json")
    assert code == 0 and all(0 < row["balancedness"] <= 1 for row in json.loads(out))
    assert run("report", *shape, "-o", "page.html", "--time-limit", 0.2)[0] == 0


def test_a_solution_for_several_windows_is_verified_on_the_same_windows(run):
    np.save("loads.npy", np.random.default_rng(0).integers(1, 100, (4, 2, 8)))
    windows = ["--windows", 2]
    deployment = ["--gpus", 2, "--slots", 10, "--method", "greedy"]
    run("solve", "loads.npy", *windows, *deployment, "--certificate", "solution.json")
    code, out, _ = run("verify", "solution.json", "loads.npy", *windows)
    assert code == 0 and "2 of 2 bounds are checked" in out
    assert "give --windows" in sentence_of(run("verify", "solution.json", "loads.npy"))
    # Other windows are other loads.
    assert run("verify", "solution.json", "loads.npy", "--windows", 4)[0] == 1


def test_bounds_are_judged_on_the_deployment_that_they_are_for(run):
    np.save("loads.npy", np.random.default_rng(0).integers(1, 100, (2, 8)))
    run("solve", "loads.npy", "--gpus", 2, "--slots", 10, "--method", "greedy", "--save", "solution.json")
    assert run("verify", "solution.json", "loads.npy", "--gpus", 2)[0] == 0
    assert "leave out options" in sentence_of(run("verify", "solution.json", "loads.npy", "--gpus", 5, "--no-distinct"))
    assert run("verify", "solution.json", "--gpus", 5, "--no-distinct")[0] == 0


def test_one_file_has_one_name(run):
    np.save("loads.npy", np.ones((2, 8)))
    both = ["--save", "a.json", "--certificate", "b.json"]
    assert "give one of them" in sentence_of(run("solve", "loads.npy", "--gpus", 2, "--slots", 10, *both))


def test_a_report_believes_no_bound_of_a_file(run):
    np.save("loads.npy", np.random.default_rng(0).integers(1, 100, (1, 8)))
    run("solve", "loads.npy", "--gpus", 2, "--slots", 10, "--method", "greedy", "--save", "solution.json")
    values = json.loads(Path("solution.json").read_text())
    (layer,) = values["layers"]
    layer["lower_bound"] = layer["proof"]["bound"] = layer["objective"]
    layer |= {"gap": {"exact": "0", "float": 0.0}, "status": "optimal", "stopped_by": None}
    for argument, sentence in (("mean", "does not prove its bound"), ("magic", None)):
        layer["proof"] |= {"argument": argument, "checked": True, "evidence": None}
        Path("forged.json").write_text(json.dumps(values))
        done = run("report", "loads.npy", "forged.json", "--markdown", "page.md", "--time-limit", 0.2)
        if sentence:
            assert sentence in sentence_of(done)
        else:
            assert "in 1 of 1 layer by the word of" in done[1]


def test_what_the_system_refuses_is_told_with_its_file(run, recording, monkeypatch):
    def refused(*_arguments):
        raise PermissionError(errno.EACCES, "Permission denied", "some/folder")

    monkeypatch.setattr("eplb_opt.cli.inspect.show_table", refused)
    code, _, err = run("inspect", recording)
    assert (code, err) == (2, "eplb-opt: some/folder: Permission denied\n")


def test_the_list_of_commands_has_a_whole_sentence_for_each(run):
    listed = run("--help")[1].partition("Commands:")[2].strip().splitlines()
    assert len(listed) >= 11
    assert [line for line in listed if not re.fullmatch(r"\s*[a-z-]+ +[A-Z][^.]+\.", line)] == []
