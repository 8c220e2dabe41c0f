"""eplb-opt bench: rows, files, one line for every mistake, and nothing lost to an interrupt."""

import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import eplb_opt
from eplb_opt.bench import run as bench_run
from eplb_opt.bench.suite import suite
from eplb_opt.cli.bench import METHODS
from eplb_opt.errors import SolverError
from eplb_opt.generate import generate_loads
from eplb_opt.io import write_loads
from tests.cli.test_commands import sentence_of
from tests.clocks import LONG
from tests.processes import eventually

MODELS = Path(__file__).resolve().parents[2] / "models"
TWO = ["--only", "lognormal-1-32x48x16", "--only", "rank-1.2-32*"]


def test_rows_csv_and_markdown_agree_with_solve(run, tmp_path):
    options = ["--methods", "greedy,search", "--time-limit", 1, "--target-gap", 0.01, "--workers", 1]
    code, out, err = run("bench", *TWO, *options, "--profile", "-o", "rows.csv", "--markdown", "table.md")
    assert (code, err) == (0, "")
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert rows["method"].tolist() == ["greedy", "search"] * 2
    for i, case in enumerate(suite("layers", only=["lognormal-1-32x48x16", "rank-1.2-32x48x16"])):
        greedy, search = rows.iloc[2 * i], rows.iloc[2 * i + 1]
        assert greedy["case"] == search["case"] == case.name
        (layer,) = eplb_opt.solve(case.loads, case.deployment, method="greedy").layers
        assert greedy["imbalance"] == pytest.approx(float(layer.imbalance), rel=1e-8)
        assert greedy["worst_gap"] == pytest.approx(float(layer.gap), rel=1e-8)
        assert search["imbalance"] <= greedy["imbalance"]
        for number in (greedy["imbalance"], search["imbalance"]):
            assert f"{number:.6f}" in out and f"| {number:.6f} |" in (tmp_path / "table.md").read_text()
    assert rows["eplb_opt"].tolist() == [eplb_opt.__version__] * 4
    assert "calling thread" in out and "median_gap" in out
    command = (tmp_path / "table.md").read_text().splitlines()[0]
    assert "--methods greedy,search --time-limit 1 --target-gap 0.01 --workers 1 --seed 0 --only lognormal" in command


def test_recordings_are_cases_of_the_suite_of_models(run, tmp_path):
    write_loads(generate_loads(num_experts=64, num_layers=2), tmp_path / "decode.json")
    code, out, _ = run("bench", "decode.json", "--suite", "models", "--only", "decode-64x288x72", "--methods", "greedy")
    assert code == 0
    assert out.splitlines()[1].startswith("decode-64x288x72  greedy")


def test_instances_of_a_library_are_cases_and_what_a_method_cannot_plan_is_left_out(run, tmp_path):
    only = ["--only", "eight-experts", "--only", "worst-of-3-32x48x48"]
    options = [
        "--methods",
        "cpsat,greedy",
        "--time-limit",
        5,
        "-o",
        "rows.csv",
        "--markdown",
        "t.md",
        "--figure",
        "f.svg",
    ]
    code, out, err = run("bench", MODELS, "--suite", "library", *only, *options)
    assert (code, err) == (0, "")
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert rows["case"].tolist() == ["eight-experts", "eight-experts", "worst-of-3-32x48x48"]
    assert rows["objective"].tolist() == ["total", "total", "worst"] and rows["windows"].tolist() == [1, 1, 3]
    # The library's optimum of 590/3 tokens, where the mean GPU has 1450/8.
    assert rows["bound"].tolist()[:2] == pytest.approx([590 / 3 / (1450 / 8)] * 2)
    assert rows["imbalance"].iloc[2] == pytest.approx(1.816032) and rows["gap"].iloc[2] == 0
    assert out.count("left out") == 1 and "no run: cpsat on worst-of-3-32x48x48 (method=" in out
    text = (tmp_path / "t.md").read_text()
    assert "| worst-of-3-32x48x48, worst of 3 windows | - | 1.816032 |" in text
    assert text.startswith("`eplb-opt bench models --suite library --methods cpsat,greedy --time-limit 5 ")
    assert (tmp_path / "f.svg").read_text().startswith("<?xml")


def test_the_same_command_again_makes_only_what_is_missing(run, tmp_path):
    command = ["bench", *TWO, "--time-limit", 1, "--target-gap", 0.01, "--runs", "runs", "-o", "rows.csv"]
    assert run(*command, "--methods", "greedy")[0] == 0
    first = pd.read_csv(tmp_path / "rows.csv")
    code, out, err = run(*command, "--methods", "greedy,search")
    assert (code, err) == (0, "") and out.startswith("2 of 4 runs are in runs\n")
    second = pd.read_csv(tmp_path / "rows.csv")
    kept = second[second["method"] == "greedy"].reset_index(drop=True)
    same = ["case", "seconds", "imbalance", "own_bound", "thread_seconds", "processor", "ortools"]
    pd.testing.assert_frame_equal(kept[same], first[same])
    assert len(list((tmp_path / "runs").iterdir())) == 4
    assert run(*command, "--methods", "greedy,search")[1].startswith("4 of 4 runs are in runs\n")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "rows.csv"), second)
    words = sentence_of(run(*command, "--methods", "greedy", "--seed", 1))
    assert "was made with seed=0, not 1; keep these runs in another folder, or remove the file" in words


def test_a_method_that_fails_has_rows_that_say_so_and_the_others_go_on(run, tmp_path, monkeypatch):
    def solve(*arguments, method, **options):
        if method == "search":
            raise SolverError("a plan is below a checked bound")
        return eplb_opt.solve(*arguments, method=method, **options)

    monkeypatch.setattr(bench_run, "solve", solve)
    code, out, _ = run("bench", *TWO, "--methods", "search,greedy", "-o", "rows.csv", "--runs", "runs")
    assert code == 1 and out.count("a plan is below a checked bound") == 3
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert rows["method"].tolist() == ["greedy", "greedy", "search", "search"]
    assert rows["failures"].tolist()[2:] == ["a plan is below a checked bound"] * 2 and rows["gap"][2:].isna().all()
    assert len(list((tmp_path / "runs").iterdir())) == 2


BAD_USAGE = {
    "suite": (["--suite", "demo"], "suite='demo' is not one of layers, models, library"),
    "method": (["--methods", "greedy,magic"], f"methods='magic' is not one of {', '.join(METHODS)}"),
    "no method": (["--methods", ""], "methods='' is not one of"),
    "no case": (["--only", "magic"], "only='magic' is in no name of a case"),
    "time limit": ([*TWO, "--time-limit", 0], "time_limit=0.0 is not a positive number of seconds"),
    "workers": ([*TWO, "--workers", 0], "workers=0 is not a positive integer"),
    "recording": (["decode.json", "--suite", "models"], "decode.json does not exist"),
    "recording of layers": (["decode.json"], "decode.json: suite='layers' is all generated"),
    "folder": ([*TWO, "-o", "no/rows.csv"], "the folder no does not exist"),
    "no library": (["--suite", "library"], "suite='library' needs the folder of a library, such as models"),
    "figure": ([*TWO, "--figure", "f.gif"], "--figure f.gif does not end in .png or .svg or .pdf, as a figure does"),
    "two purposes": (["--library", "x", "--runs", "y"], "--library keeps its results itself"),
    "runs": ([*TWO, "--runs", "/dev/null"], "/dev/null cannot be made: File exists"),
    "same file": ([*TWO, "-o", "x", "--markdown", "x"], "x is given twice"),
}


@pytest.mark.parametrize("case", BAD_USAGE)
def test_wrong_usage_is_one_sentence(run, tmp_path, case):
    options, words = BAD_USAGE[case]
    assert words in sentence_of(run("bench", *options))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_keeps_what_is_finished(tmp_path):
    command = [sys.executable, "-m", "eplb_opt", "bench", *TWO, "--methods", "greedy,search"]
    options = ["--target-gap", "0", "--time-limit", "60", "-o", "rows.csv", "--runs", "runs"]
    process = subprocess.Popen(
        [*command, *options], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    first = [process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=LONG)
    assert (process.returncode, err) == (130, "")
    assert first[1].startswith("lognormal-1-32x48x16  greedy")
    assert rest.endswith("interrupted: 1 of 4 runs are finished; the same command again makes the others\n")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["lognormal-1-32x48x16.greedy.json"]
    assert pd.read_csv(tmp_path / "rows.csv")["method"].tolist() == ["greedy"]


def test_a_contradiction_between_methods_ends_in_an_exit_code(run, monkeypatch):
    monkeypatch.setattr("eplb_opt.cli.bench.contradictions", lambda runs: ["one of the two is wrong"])
    code, out, _ = run("bench", *TWO, "--methods", "greedy")
    assert code == 1 and out.endswith("contradiction: one of the two is wrong\n")


def test_a_killed_command_keeps_every_run_that_was_finished(run, tmp_path):
    options = ["bench", *TWO, "--methods", "greedy,search", "--target-gap", "0", "--workers", "1", "--runs", "runs"]
    command = [sys.executable, "-m", "eplb_opt", *options, "--time-limit", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert eventually(lambda: list(tmp_path.glob("runs/*.search.json")))
    process.kill()
    process.wait()
    before = {path: path.read_bytes() for path in tmp_path.glob("runs/*.json")}
    assert len(before) in (2, 3)
    code, out, _ = run(*options, "--time-limit", 2)
    assert code == 0 and out.startswith(f"{len(before)} of 4 runs are in runs\n")
    assert len(list(tmp_path.glob("runs/*.json"))) == 4
    assert all(path.read_bytes() == content for path, content in before.items())
