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
    code, out, _ = run("survive", "s.json", recording)
    assert code == 0 and "The plan survives the loss of none of 4 GPUs" in out


def test_a_plan_for_them_is_changed_with_few_moves_and_after_a_loss(run, recording, gpus):
    Path(gpus).write_text("slots,speed\n8,1\n8,1\n6,0.7\n6,0.7\n")
    assert run("solve", recording, "--gpu-file", gpus, *GREEDY, "-o", "old.json")[0] == 0
    timing = ("--time-model", "qwen3-30b", "--tokens-per-gpu", 64)
    code, out, _ = run("replan", "old.json", recording, "--max-moves", "0,6", "--time-limit", 0.5, *timing, "--json")
    assert code == 0
    now, few = (plan["summary"] for plan in json.loads(out)["plans"])
    assert few["moves"] <= 6 and few["imbalance"] < now["imbalance"] and few["milliseconds"] <= now["milliseconds"]
    code, out, _ = run("replan", "old.json", recording, "--lost", 1, "--time-limit", 0.5, "-o", "left.json")
    assert code == 0 and "GPU 1 is lost" in out and "The 3 GPUs left hold" in out
    left = json.loads(Path("left.json").read_text())["deployment"]
    assert (left["gpu_slots"], left["gpu_speeds"]) == ([8, 6, 6], ["1", "7/10", "7/10"])


def test_plans_survive_a_loss_of_one_of_them(run, recording, gpus):
    Path(gpus).write_text("slots,speed\n10,1\n10,1\n7,0.7\n7,0.7\n")
    shape = ("--gpu-file", gpus, "--survive", 1, "--time-limit", 0.5)
    code, out, _ = run("solve", recording, *shape, "-o", "p.json")
    assert code == 0 and "Every expert is on two GPUs at least" in out
    code, out, _ = run("survive", "p.json")
    assert code == 0 and "The plan survives the loss of any of 4 GPUs" in out


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
        (["--survive", "1"], "survive=1 needs two slots for each of 16 experts, on different GPUs"),
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
