"""Start lines: complete, quoted for a shell, and with placeholders that say what they are."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.io.engines import start_line
from eplb_opt.io.recognition import ENGINES
from eplb_opt.plan import Plan

ENDS = {
    "sglang": ".json",
    "vllm": ".jsonl",
    "trtllm": ".yaml",
    "ascend": ".json",
    "deepseek": ".npz",
    "native": ".json",
}
TESTS = Path(__file__).parents[1]
NAMES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=12)


def plan(gpus=2, nodes=1, dispatch="even"):
    return Plan(np.array([[0, 1, 2, 0]]), Deployment(gpus, 4, nodes, policy="global", dispatch=dispatch), 3)


def test_sglang_is_told_ranks_plan_redundancy_and_dispatch():
    (line,) = start_line("sglang", "a plan.json", plan()).lines
    assert line == (
        "--tp-size 2 --ep-size 2 --init-expert-location 'a plan.json' --ep-num-redundant-experts 1 "
        "--ep-dispatch-algorithm dynamic"
    )


def test_several_nodes_have_a_number_and_an_address_each_and_one_node_nothing():
    several = start_line("sglang", "p.json", plan(4, 2))
    assert (
        "--tp-size 4 --ep-size 4 --nnodes 2 --node-rank NODE_RANK --dist-init-addr HEAD_NODE:PORT" in several.lines[0]
    )
    assert "# NODE_RANK is 0 to 1, a number for each node; HEAD_NODE:PORT is where node 0 is reached" in several.script
    for engine in ("vllm", "ascend"):
        (line,) = start_line(engine, "p.json", plan(4, 2)).lines
        assert line.startswith("--data-parallel-size 4 --nnodes 2 --node-rank NODE_RANK --master-addr HEAD_NODE ")
        assert (
            "nodes other than 0 are started with --headless as well" in start_line(engine, "p.json", plan(4, 2)).notes
        )
    for engine, end in ENDS.items():
        assert "nnodes" not in start_line(engine, f"p{end}", plan()).script


def test_gpus_that_are_not_as_many_on_each_node_are_told():
    uneven = Plan(np.array([[0, 1, 2, 0]]), Deployment(4, 4, 3, policy="global"), 3)
    assert (
        "4 GPUs are not the same number on each of 3 nodes, as it has to be" in start_line("sglang", "p", uneven).notes
    )


def test_vllm_says_that_no_release_takes_the_file():
    first = start_line("vllm", "p.jsonl", plan()).script.splitlines()[0]
    assert first.startswith("# releases (vLLM 0.33.0 and before) take a plan only through the plug-in")
    assert "built with pull request 41141" in first


@pytest.mark.parametrize(
    ("engine", "packages"), [("sglang", ["sglang"]), ("ascend", ["vllm", "vllm-ascend"]), ("vllm", ["vllm"])]
)
def test_lines_name_the_versions_whose_parsers_the_tests_ask(engine, packages):
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", (TESTS / "engines/sources.txt").read_text(), re.M))
    script = start_line(engine, "p.json", plan()).script.lower()
    for package in packages:
        assert f"{package} {pins[package]}" in script


def test_what_loses_in_sglang_is_told_where_there_are_replicas():
    assert any("only the nearest replicas" in note for note in start_line("sglang", "p", plan()).notes)
    single = Plan(np.array([[0, 1]]), Deployment(2, 2), 2)
    assert start_line("sglang", "p", single).notes == ()


@pytest.mark.parametrize(
    ("dispatch", "algorithm", "words"),
    [
        ("even", "dynamic", "planned; then plan with --dispatch nearest, or let the plug-in hand out the plan"),
        ("nearest", "dynamic", "without one, or in the plug-in, SGLang splits loads evenly"),
        ("sglang-static", "static", "without which SGLang refuses static dispatch"),
        ("optimal", "lp", "from a file each rank has only the nearest replicas"),
        ("by-rank", "dynamic", "made for dispatch by-rank, which SGLang does not do"),
    ],
)
def test_sglang_is_given_the_algorithm_of_the_plans_dispatch_and_told_what_it_needs(dispatch, algorithm, words):
    start = start_line("sglang", "p.json", plan(dispatch=dispatch))
    assert start.lines[0].endswith(f" --ep-dispatch-algorithm {algorithm}")
    (note,) = start.notes
    assert words in note
    single = Plan(np.array([[0, 1]]), Deployment(2, 2, dispatch=dispatch), 2)
    assert start_line("sglang", "p.json", single).lines[0].endswith(" dynamic")


@pytest.mark.parametrize(
    ("engine", "does"), [("vllm", "even"), ("trtllm", "even"), ("ascend", "by-rank"), ("sglang", "nearest")]
)
def test_a_plan_for_another_dispatch_than_the_engines_is_told_in_one_note(engine, does):
    assert ENGINES[engine].dispatch == does
    for dispatch in get_args(Dispatch):
        notes = start_line(engine, "p.json", plan(dispatch=dispatch)).notes
        told = [note for note in notes if f"was made for dispatch {dispatch}, and" in note]
        assert len(told) == (engine != "sglang" and dispatch != does)
        assert all(note.endswith(f"plan with --dispatch {does}") for note in told)
    single = Plan(np.array([[0, 1]]), Deployment(2, 2, dispatch="optimal"), 2)
    assert not any("was made for" in note for note in start_line(engine, "p.json", single).notes)


def test_vllm_ascend_says_that_tensor_parallelism_changes_who_serves_whom():
    assert any("without tensor parallelism" in note for note in start_line("ascend", "p.json", plan()).notes)


@given(name=NAMES)
def test_any_name_comes_through_a_shell_and_is_no_option(name):
    for engine, end in ENDS.items():
        path = name.replace("/", "_") + end
        lines = start_line(engine, path, plan()).lines
        if engine == "deepseek":
            assert eval(lines[0].removeprefix("tensors = numpy.load"), {}) == path
            continue
        words = shlex.split(lines[-1])
        if engine == "trtllm":
            options = words[words.index("--extra_llm_api_options") + 1]
            assert not options.startswith("-")
            printed = shlex.split(lines[0])
            assert printed[:2] == ["printf", "%s\\n"] and printed[4:] == [">", options]
            assert yaml.safe_load("\n".join(printed[2:4])) == {
                "enable_attention_dp": True,
                "moe_config": {"load_balancer": path},
            }
            continue
        found = [word for word in words if path in word or json.dumps(path)[1:-1] in word]
        assert len(found) == 1
        if engine in ("vllm", "ascend"):
            config = json.loads(found[0])
            config = config.get("eplb_config", config)
            assert path in config.values()
        else:
            assert found[0] in (path, f"./{path}") and not found[0].startswith("-")


def test_the_file_of_options_of_tensorrt_llm_is_written_by_its_line(tmp_path):
    path = tmp_path / "it's 100%s.yaml"
    first, second = start_line("trtllm", str(path), plan()).lines
    subprocess.run(["sh", "-c", first], check=True)
    options = tmp_path / "it's 100%s.options.yaml"
    assert yaml.safe_load(options.read_text())["moe_config"] == {"load_balancer": str(path)}
    assert shlex.split(second) == ["--tp_size", "2", "--ep_size", "2", "--extra_llm_api_options", str(options)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_script_is_lines_and_comments(engine):
    start = start_line(engine, f"p{ENDS[engine]}", plan(4, 2))
    assert [line for line in start.script.splitlines() if not line.startswith("# ")] == list(start.lines)


def test_an_unknown_engine_is_refused():
    with pytest.raises(InvalidArgumentError, match="engine='triton' is not one of"):
        start_line("triton", "p", plan())
