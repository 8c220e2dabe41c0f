"""--gpu-file: GPUs that differ on the command line."""

import json
from pathlib import Path

import pytest

GREEDY = ["--method", "greedy"]


@pytest.fixture
def gpus(recording):
    """Four GPUs of which two are slower and have fewer slots."""
    Path("gpus.csv").write_text("slots,speed\n6,1\n6,1\n4,0.7\n4,0.7\n")
    return "gpus.csv"


def test_slots_and_speeds_come_from_the_file_and_stay_in_the_plan(run, recording, gpus):
    code, out, _ = run("solve", recording, "--gpu-file", gpus, *GREEDY, "--save", "s.json")
    assert code == 0
    assert "slots of GPUs 2 x 6, 2 x 4" in out and "speeds of GPUs 2 x 1, 2 x 7/10" in out
    assert "in tokens / speed" in out
    assert "next:" not in out
    deployment = json.loads(Path("s.json").read_text())["plan"]["deployment"]
    assert (deployment["gpu_slots"], deployment["gpu_speeds"]) == ([6, 6, 4, 4], ["1", "1", "7/10", "7/10"])
    code, out, _ = run("verify", "s.json", recording)
    assert code == 0 and "5 of 5 bounds are checked" in out
    code, out, _ = run("evaluate", "s.json", recording, "--json")
    assert code == 0
    code, out, _ = run("diff", "s.json", "s.json", recording)
    assert code == 0 and "0 of 100 replicas move" in out
    code, _, err = run("survive", "s.json")
    assert code == 2 and "what a plan survives is about GPUs that are alike" in err


def test_speeds_alone_leave_slots_to_the_other_options(run, recording, gpus):
    Path("speeds.json").write_text('[{"speed": 1}, {"speed": 1}, {"speed": 0.7}, {"speed": 0.7}]')
    shape = ["--gpu-file", "speeds.json", "--slots", "20"]
    code, out, _ = run("solve", recording, *shape, *GREEDY, "--engine", "vllm", "-o", "p.json")
    assert code == 0 and "--gpu-file speeds.json" in out
    code, out, _ = run("evaluate", "p.json", recording, "--json")
    assert code == 2
    code, out, _ = run("evaluate", "p.json", recording, "--gpu-file", "speeds.json", "--json")
    assert code == 0
    code, here, _ = run("evaluate", "p.json", recording, "--gpus", "4", "--json")
    assert code == 0 and here != out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--gpus", "3"], "--gpus 3, but gpus.csv has a row for each of 4 GPUs"),
        (["--slots", "24"], "--slots 24, but the slots of gpus.csv sum to 20"),
        (["--redundant", "3"], "--redundant 3, but the slots of gpus.csv sum to 20"),
        (["--method", "lpt"], "method='lpt' is about GPUs with equally many slots"),
        (["--engine", "sglang", "-o", "p.json"], "SGLang has equally many slots on every GPU"),
        (["--dispatch", "optimal"], "dispatch='optimal' is about GPUs that are alike"),
        (["--time-model", "deepseek-v3-fp8", "--tokens-per-gpu", "64"], "a time model is about GPUs that are alike"),
    ],
)
def test_what_does_not_go_with_it_gets_a_sentence(run, recording, gpus, words, sentence):
    method = [] if "--method" in words else GREEDY
    code, _, err = run("solve", recording, "--gpu-file", gpus, *words, *method)
    assert code == 2
    assert sentence in err and len(err.strip().splitlines()) == 1


def test_a_wrong_number_is_told_with_the_file(run, recording, gpus):
    Path("gpus.csv").write_text("slots,speed\n6,1\n6,1\n4,-0.7\n4,0.7\n")
    code, _, err = run("solve", recording, "--gpu-file", gpus, *GREEDY)
    assert code == 2 and "gpus.csv: gpu_speeds[2]='-0.7' is not a positive, finite number" in err
    code, _, err = run("compare", recording, "--gpu-file", "none.csv", "--methods", "lpt")
    assert code == 2 and "none.csv does not exist" in err
