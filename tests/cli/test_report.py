"""eplb-opt report: files in any order become a page, or one sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import eplb_opt
from eplb_opt.io import read_solution, write_loads
from eplb_opt.loads import Loads

DEPLOYMENT = ("--gpus", 4, "--slots", 20)
QUICK = ("--time-limit", 0.2)


# Five decoder layers of which 1-4 hold 16 experts, as SGLang records them.
LOADS = Loads(np.random.default_rng(0).lognormal(6, 1, (4, 16)).astype(int), range(1, 5), num_model_layers=5)


@pytest.fixture
def recording(run):
    write_loads(LOADS, "loads.json")
    return "loads.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The same plan as SGLang's file and with its deployment, and a solution."""
    folder, deployment = tmp_path_factory.mktemp("plans"), eplb_opt.Deployment(4, 20)
    plan = eplb_opt.solve(LOADS, deployment, method="snake").plan
    for engine in ("sglang", "native"):
        eplb_opt.write_plan(plan, folder / f"{engine}.json", engine)
    eplb_opt.solve(LOADS, deployment, time_limit=QUICK[1]).save(folder / "solution.json")
    return folder


@pytest.fixture
def plans(made, recording):
    """Those files beside the recording."""
    shutil.copytree(made, ".", dirs_exist_ok=True)
    return "sglang.json", "native.json", "solution.json"


def sentence_of(result):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("eplb-opt: ") and err.count("\n") == 1
    return err


def test_a_recording_becomes_a_page_and_a_text_with_the_command_that_made_them(run, recording):
    outputs = ("-o", "report.html", "--markdown", "report.md", "--save", "solution.json")
    code, out, err = run("report", recording, *DEPLOYMENT, *QUICK, "--no-distinct", *outputs)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("With the engine's own policy")
    written = ["report written to report.html", "report written to report.md", "solution written to solution.json"]
    assert out.splitlines()[-3:] == written
    assert Path("report.html").read_text().startswith("<!DOCTYPE html>")
    command = (
        "eplb-opt report loads.json --gpus 4 --slots 20 --no-distinct --time-limit 0.2 --output report.html "
        "--markdown report.md --save solution.json"
    )
    assert f"```sh\n{command}\n```" in Path("report.md").read_text()
    assert read_solution("solution.json").plan.deployment.distinct is False


def test_files_are_told_apart_by_their_content_in_any_order(run, recording, plans):
    sglang, native, solution = plans
    code, _, _ = run("report", native, recording, sglang, solution, *QUICK, "--markdown", "report.md")
    assert code == 0
    text = Path("report.md").read_text()
    names = [line.split(" | ")[0] for line in text.split("| plan | all layers")[1].splitlines()[2:8]]
    assert names == [
        f"| {name}" for name in ("engine's policy", native, sglang, "eplb_opt", "in order", "proven bound")
    ]
    assert "not searched again" in text


@pytest.mark.parametrize("options", [(), DEPLOYMENT, ("--gpus", 4)])
def test_a_plan_with_its_deployment_needs_no_other(run, recording, plans, options):
    assert run("report", "native.json", recording, *options, *QUICK, "--markdown", "report.md")[0] == 0
    assert "16 experts on 4 GPUs, 20 slots" in Path("report.md").read_text()


def test_the_slots_of_an_engines_plan_are_in_its_file(run, recording, plans):
    assert run("report", "sglang.json", recording, "--gpus", 4, *QUICK, "--markdown", "report.md")[0] == 0
    text = Path("report.md").read_text()
    assert "With `sglang.json` it carries" in text and "16 experts on 4 GPUs, 20 slots" in text


def test_plans_of_one_name_are_told_apart_by_their_folders(run, recording, plans):
    Path("old").mkdir()
    Path("old/native.json").write_text(Path("native.json").read_text())
    assert run("report", "native.json", "old/native.json", recording, *QUICK, "--markdown", "report.md")[0] == 0
    assert "| old/native.json |" in Path("report.md").read_text()


def test_several_recordings_are_several_windows(run, recording, plans):
    Path("again.json").write_text(Path(recording).read_text())
    options = (*DEPLOYMENT, *QUICK, "--objective", "worst", "--markdown", "report.md")
    assert run("report", recording, "again.json", *options)[0] == 0
    text = Path("report.md").read_text()
    assert "2 windows in loads.json, again.json" in text and "in the worst window" in text
    assert "| loads.json |" in text and "| again.json |" in text and "window 0" not in text


def test_the_model_names_the_layers_and_the_groups(run):
    write_loads(Loads(np.random.default_rng(0).lognormal(6, 1, (58, 256)).astype(int)), "loads.npy")
    options = ("--gpus", 16, "--nodes", 2, "--redundant", 32, "--model", "deepseek-v3", "--time-limit", 0.3)
    code, _, err = run("report", "loads.npy", *options, "--markdown", "report.md")
    assert (code, err) == (0, "")
    text = Path("report.md").read_text()
    assert "58 layers (3-60)" in text and "The model's 8 expert groups are bound to nodes" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("native.json", "-o", "x.html"), "no recording among native.json: give one"),
        (("loads.json", "-o", "x.html"), "give the number of GPUs: --gpus"),
        (("loads.json", "sglang.json", "-o", "x.html"), "give the number of GPUs: --gpus"),
        (("loads.json", "--nodes", 2, "-o", "x.html"), "--nodes needs --gpus"),
        (("loads.json", *DEPLOYMENT), "give -o report.html, --markdown report.md, or both"),
        (("loads.json", "nothing.json", *DEPLOYMENT, "-o", "x.html"), "nothing.json does not exist"),
        (("loads.json", "native.json", "-o", "native.json"), "native.json is given twice"),
        (("loads.json", "native.json", "-o", "no/x.html"), "the folder no does not exist"),
        (
            ("loads.json", "native.json", "--gpus", 2, "--slots", 20, "-o", "x.html"),
            "native.json is for 4 GPUs, 20 slots, any expert on any GPU; the options say 2 GPUs",
        ),
        (("loads.json", "sglang.json", "--gpus", 4, "--slots", 24, "-o", "x.html"), "sglang.json"),
        (("loads.json", "solution.json", "--objective", "mean", "-o", "x.html"), "but the solution is for 'total'"),
        (("loads.json", *DEPLOYMENT, "--time-limit", "nan", "-o", "x.html"), "time_limit=nan"),
        (("other.json", "solution.json", "-o", "x.html"), "the solution is not of this recording: layer 1 has"),
        (("small.json", "native.json", "-o", "x.html"), "native.json has 16 experts"),
        (("fewer.json", "native.json", "-o", "x.html"), "native.json"),
        (("zero.json", *DEPLOYMENT, "-o", "x.html"), "zero.json"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing_behind(run, plans, arguments, sentence):
    content = json.loads(Path("loads.json").read_text())["logical_count"]
    changed = np.array(content)
    changed[1, 0] += 1
    variants = {
        "other": changed.tolist(),
        "small": [row[:12] for row in content],
        "fewer": [*content, content[-1]],
        "zero": np.zeros_like(changed).tolist(),
    }
    for name, rows in variants.items():
        Path(f"{name}.json").write_text(json.dumps({"logical_count": rows}))
    before = sorted(Path().iterdir())
    assert sentence in sentence_of(run("report", *arguments))
    assert sorted(Path().iterdir()) == before


def test_importing_the_command_line_loads_no_figures_and_no_templates():
    import subprocess
    import sys

    code = "import eplb_opt.cli.main, sys; print(*{'matplotlib', 'jinja2', 'torch', 'pandas'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == []
