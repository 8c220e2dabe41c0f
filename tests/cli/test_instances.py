"""Instances as files of commands: deployment and objective are theirs, but for what the options say."""

import json
from pathlib import Path

import pytest

MODELS = Path(__file__).resolve().parents[2] / "models"


def path(name):
    return MODELS / "instances" / f"{name}.json"


def planned(run, *words):
    code, out, err = run("solve", *words, "--method", "greedy", "--json")
    assert code == 0, err
    solution = json.loads(out)
    return solution["plan"]["deployment"], solution["objective"]


def test_solve_takes_deployment_and_objective_from_the_instance(run):
    deployment, objective = planned(run, path("worst-of-3-256x288x32-4nodes-8groups"))
    assert objective == "worst"
    assert {key: deployment[key] for key in ("num_gpus", "num_slots", "num_nodes", "num_groups")} == {
        "num_gpus": 32,
        "num_slots": 288,
        "num_nodes": 4,
        "num_groups": 8,
    }
    assert planned(run, path("four-experts-copies"))[0]["distinct"] is False


def test_options_have_the_last_word_also_where_they_say_what_is_the_default(run):
    name = path("worst-of-3-256x288x32-4nodes-8groups")
    deployment, objective = planned(run, name, "--objective", "auto", "--policy", "global", "--slots", 320)
    assert (objective, deployment["policy"], deployment["num_slots"], deployment["num_nodes"]) == (
        "mean",
        "global",
        320,
        4,
    )
    assert planned(run, path("four-experts-copies"), "--distinct")[0]["distinct"] is True
    assert planned(run, path("eight-experts"), "--redundant", 0)[0]["num_slots"] == 8


def test_the_known_optimum_is_found_and_proven(run):
    code, out, _ = run("solve", path("eight-experts"), "--time-limit", 20)
    assert code == 0 and "gap 0 %" in out
    assert "8 GPUs, 16 slots: as eight-experts says, but for what the options say" in out


def test_compare_and_inspect_and_backtest_take_them_too(run):
    code, out, _ = run("compare", path("eight-experts"), "--methods", "lpt", "--time-limit", 0.3, "--json")
    assert code == 0 and json.loads(out)[-1]["objective"] == 232
    code, out, _ = run("compare", path("mean-of-3-64x80x16"), "--methods", "joint", "--time-limit", 0.3, "--json")
    assert code == 0 and 1 < json.loads(out)[-1]["objective"] < 2
    code, out, _ = run("inspect", path("eplb-readme-0-hierarchical"), "--json")
    # 587 of 1033 tokens are on the hotter node at best, and each has four GPUs.
    assert code == 0 and json.loads(out)["per_layer"][0]["nodes"] == 146.75
    code, out, _ = run("backtest", path("mean-of-3-64x80x16"), "--strategies", "last/greedy", "--time-limit", 0.02)
    assert code == 0 and "last/greedy" in out


def test_a_report_takes_them_too(run, tmp_path):
    code, _, err = run("report", path("eight-experts"), "--markdown", "page.md", "--time-limit", 0.5)
    assert code == 0, err
    assert "8 GPUs, 16 slots per layer" in (tmp_path / "page.md").read_text()
    # Together with what was solved of it.
    solution = MODELS / "solutions" / "eight-experts.json"
    code, _, err = run("report", path("eight-experts"), solution, "-o", "page.html", "--time-limit", 0.3)
    assert code == 0, err


def test_bench_takes_an_instance_alone(run):
    words = ("--suite", "library", "--methods", "greedy", "--time-limit", 0.2)
    code, out, _ = run("bench", path("eight-experts"), *words)
    assert code == 0 and "eight-experts  greedy" in out and "The library, from longer runs: a better plan" in out


@pytest.mark.parametrize("others", [[], ["--gpus", 4]])
def test_instances_of_different_deployments_need_one_that_is_said(run, others):
    code, out, err = run("solve", path("eplb-readme-0-global"), path("eplb-readme-0-hierarchical"), *others, "--json")
    if others:
        assert code == 0 and json.loads(out)["plan"]["deployment"]["num_gpus"] == 4
    else:
        assert code == 2 and "are for different deployments: say which with --gpus and --slots" in err


def test_beside_a_recording_an_instance_is_loads_alone(run):
    run("generate", "-o", "one.json", "--layers", 1, "--experts", 8)
    code, _, err = run("solve", path("eight-experts"), "one.json")
    assert code == 2 and "give the number of GPUs: --gpus" in err


@pytest.fixture
def engine_file(run):
    """A plan in a file that says no GPUs."""
    run("solve", path("eplb-readme-0-hierarchical"), "--method", "greedy", "-o", "plan.json")
    code, _, err = run("convert", "plan.json", "--to", "sglang", "-o", "sglang.json")
    assert code == 0, err
    return "sglang.json"


COMMANDS = {
    "evaluate": ([], lambda found: found["summary"]["worst_imbalance"]),
    "survive": ([], lambda found: len(found["gpus"])),
    "verify": ([], lambda found: (found["valid"], found["deployment_known"])),
    "diff": (["sglang.json"], lambda found: found["summary"]["moves"]),
    "replan": (["--max-moves", 0, "--time-limit", 0.2], lambda found: found["plans"][0]["plan"]["deployment"]),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_plan_whose_file_says_no_gpus_is_for_the_deployment_of_the_instance(run, engine_file, command):
    more, figure = COMMANDS[command]
    loads = path("eplb-readme-0-hierarchical")
    words = [command, engine_file, *more, loads] if command == "diff" else [command, engine_file, loads, *more]
    said = ["--gpus", 8, "--nodes", 2, "--groups", 4, "--policy", "hierarchical"]
    code, out, err = run(*words, "--json")
    assert code == 0, err
    found = figure(json.loads(out))
    assert found == figure(json.loads(run(*words, *said, "--json")[1]))
    # Options add to it, or have the last word.
    code, out, err = run(*words, "--policy", "global", "--json")
    assert code == 0, err
    if command == "replan":
        assert figure(json.loads(out)) == found | {"policy": "global"}
    if command == "survive":
        words = (*words, "--gpus", 4, "--no-distinct", "--json")
        assert found == 8 and figure(json.loads(run(*words)[1])) == 4


def test_a_plan_that_says_its_deployment_keeps_it_beside_an_instance(run):
    run("solve", path("eplb-readme-0-hierarchical"), "--gpus", 4, "--method", "greedy", "-o", "plan.json")
    code, out, err = run("survive", "plan.json", path("eplb-readme-0-hierarchical"), "--json")
    assert code == 0 and len(json.loads(out)["gpus"]) == 4, err


def test_replan_takes_the_objective_of_the_instance(run):
    name = path("worst-of-3-32x48x48")
    run("solve", name, "--method", "greedy", "-o", "plan.json")
    words = ("replan", "plan.json", name, "--max-moves", 0, "--time-limit", 0.2, "--json")
    objectives = [json.loads(run(*words, *more)[1])["objective"] for more in ([], ["--objective", "auto"])]
    assert objectives == ["worst", "mean"]
