"""SGLang's own parser takes what is printed for it, and reads the plan that is written for it."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.io import write_plan
from eplb_opt.io.engines import start_line
from eplb_opt.plan import Plan
from tests.engines.pages import commands, known
from tests.engines.parsers import ask, require, run_alone, write_model
from tests.plugins.test_pages import blocks

require("sglang")

# Two dense layers and four with experts, eight experts in twelve slots; the names are those that a shell stumbles over.
ROWS = np.array([np.roll([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3], shift) for shift in range(4)])
PLANS = {
    "one node": ("plan.json", 1),
    "two nodes": ("plan2.json", 2),
    "a name with blanks and quotes": ('a plan\'s "file".json', 1),
    "a name like an option": ("-plan.json", 1),
    "a tensor": ("plan.pt", 2),
}
BACKENDS = ("none", "deepep")
ALGORITHMS = {
    "even": "dynamic",
    "nearest": "dynamic",
    "sglang-static": "static",
    "optimal": "lp",
    "by-rank": "dynamic",
}


def plan(nodes, dispatch="even"):
    return Plan(ROWS, Deployment(4, 12, nodes, policy="global", dispatch=dispatch), 8, range(2, 6), 6)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What SGLang makes of every line here, by its name."""
    folder = tmp_path_factory.mktemp("sglang")
    model = write_model(folder)
    own = ["--model-path", model, "--device", "cpu"]
    cases = {}
    for name, (file, nodes) in PLANS.items():
        write_plan(plan(nodes), folder / file, "sglang")
        (line,) = start_line("sglang", file, plan(nodes)).lines
        for backend in BACKENDS:
            words = [*own, "--moe-a2a-backend", backend, *known(shlex.split(line), model)]
            cases[name, backend] = words, True
        cases[name, "as printed"] = [*own, *shlex.split(line)], False
        cases[name, "without ranks"] = [*own, *known(shlex.split(line), model)[2:]], False
    for dispatch in ALGORITHMS:
        write_plan(plan(2, dispatch), folder / "plan.json", "sglang")
        (line,) = start_line("sglang", "plan.json", plan(2, dispatch)).lines
        for backend in BACKENDS:
            words = [*own, "--moe-a2a-backend", backend, *known(shlex.split(line), model)]
            cases[dispatch, backend] = words, True
    for place, (words, _) in enumerate(commands("sglang", "sglang serve", "python -m sglang.launch_server")):
        cases["page", place] = [*known(words, model), "--device", "cpu"], False
    cases["static"] = [*own, "--tp-size", "4", "--ep-size", "4", "--ep-dispatch-algorithm", "static"], False
    return dict(zip(cases, ask("sglang", list(cases.values()), folder), strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PLANS)
def test_the_line_starts_sglang_with_the_plan(answers, name, backend):
    found = answers[name, backend]
    assert "error" not in found
    file, nodes = PLANS[name]
    assert (found["tp_size"], found["ep_size"], found["nnodes"]) == (4, 4, nodes)
    assert found["ep_num_redundant_experts"] == 4
    assert found["ep_dispatch_algorithm"] == "dynamic"
    assert found["init_expert_location"].removeprefix("./") == file
    assert found["map"][2:] == ROWS.tolist()


@pytest.mark.parametrize("name", PLANS)
def test_placeholders_are_refused_until_they_are_replaced(answers, name):
    error = answers[name, "as printed"].get("error", "")
    assert error == ("" if PLANS[name][1] == 1 else "argument --node-rank: invalid int value: 'NODE_RANK'")


@pytest.mark.parametrize("name", PLANS)
def test_every_flag_of_the_ranks_is_needed(answers, name):
    assert "parallel topology is inconsistent" in answers[name, "without ranks"]["error"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dispatch", ALGORITHMS)
def test_the_line_has_the_algorithm_of_the_plans_dispatch_or_is_refused_without_a_backend(answers, dispatch, backend):
    found, algorithm = answers[dispatch, backend], ALGORITHMS[dispatch]
    if backend == "none" and algorithm != "dynamic":
        assert f"--ep-dispatch-algorithm {algorithm} picks a different physical replica per rank" in found["error"]
        return
    assert (found["ep_dispatch_algorithm"], found["map"][2:]) == (algorithm, ROWS.tolist())


def test_static_dispatch_would_be_refused_without_an_all_to_all_backend(answers):
    assert "Use --ep-dispatch-algorithm dynamic with --moe-a2a-backend none" in answers["static"]["error"]


def test_every_command_of_the_page_is_taken(answers):
    found = {key: answer for key, answer in answers.items() if key[0] == "page"}
    assert len(found) >= 3
    assert {key: answer["error"] for key, answer in found.items() if "error" in answer} == {}
    assert any(answer["enable_eplb"] and answer["ep_size"] > 1 for answer in found.values())
    assert any(answer["expert_distribution_recorder_mode"] == "stat" for answer in found.values())
    assert {"plan.json", "decode.pt"} <= {answer["init_expert_location"] for answer in found.values()}


LOAD = """
import run_sglang
from sglang.srt.plugins import load_plugins

load_plugins()
from sglang.srt.eplb import eplb_algorithms

print("plans:", hasattr(eplb_algorithms.rebalance_experts, "of_eplb_opt"))
"""


@pytest.mark.parametrize("setting", ["0.5", "fast"])
def test_sglangs_own_loader_plugs_in_or_ends_and_says_why(tmp_path, setting):
    """With the entry point of the page; a plug-in that raised would be logged, and SGLang's planner would run."""
    package = tmp_path / "plugged-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1\n")
    (toml,) = blocks("sglang", "toml")
    (target,) = re.findall(r'^eplb_opt = "(eplb_opt[^"]*)"', toml, re.M)
    (package / "entry_points.txt").write_text(f"[sglang.srt.plugins]\neplb_opt = {target}\n")
    found = run_alone("sglang", ["-c", LOAD], tmp_path, EPLB_OPT_TIME_LIMIT=setting)
    if setting == "0.5":
        assert "plans: True" in found.stdout, found.stderr[-2000:]
    else:
        assert (found.returncode, "plans" in found.stdout) == (1, False)
        assert "eplb_opt cannot plan in SGLang: EPLB_OPT_TIME_LIMIT='fast' is not a number" in found.stderr
