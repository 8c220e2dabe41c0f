"""vLLM's own parser, and vLLM-Ascend's own settings, take what is printed for them."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.io import write_plan
from eplb_opt.io.engines import start_line
from eplb_opt.plan import Plan
from tests.engines.pages import commands, known
from tests.engines.parsers import ask, require, write_model

require("vllm")

ROWS = np.array([np.roll([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3], shift) for shift in range(4)])
NAMES = {"one node": ("plan.json", 1), "two nodes": ("plan2.json", 2), "quotes": ('a plan\'s "file".json', 1)}


def plan(nodes):
    return Plan(ROWS, Deployment(4, 12, nodes, policy="global"), 8, range(2, 6), 6)


def released(words):
    """The words without the setting that no release has."""
    place = words.index("--eplb-config") + 1
    config = json.loads(words[place])
    del config["initial_mapping_path"]
    return [*words[:place], json.dumps(config), *words[place + 1 :]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What vLLM makes of every line here, by its name."""
    folder = tmp_path_factory.mktemp("vllm")
    model = write_model(folder)
    cases = {}
    for name, (file, nodes) in NAMES.items():
        for engine in ("vllm", "ascend"):
            write_plan(plan(nodes), folder / file, engine)
            (line,) = start_line(engine, file, plan(nodes)).lines
            words = [model, *known(shlex.split(line), model)]
            cases[engine, name, "as printed"] = [model, *shlex.split(line)]
            if engine == "ascend":
                cases[engine, name] = words
                cases[engine, name, "no ranks"] = [model, *words[words.index("--enable-expert-parallel") :]]
                cases[engine, name, "tensors"] = [model, "--tensor-parallel-size", "4", *words[-3:]]
            else:
                cases[engine, name] = released(words)
                cases[engine, name, "file"] = words
                cases[engine, name, "head"] = [{"1": "0"}.get(word, word) for word in released(words)]
                cases[engine, name, "no ranks"] = [model, *released(words)[words.index("--enable-expert-parallel") :]]
    asked = [(words, {"EXPERTS": "8"}) for words in cases.values()]
    # The plan of vLLM-Ascend's page.
    whole = Plan(np.arange(288)[np.newaxis] % 256, Deployment(32, 288), 256)
    write_plan(whole, folder / "expert_map.json", "ascend")
    for engine in ("vllm", "ascend"):
        for place, (words, variables) in enumerate(commands(engine, "vllm serve")):
            cases["page", engine, place] = known(words, model)
            asked.append((cases["page", engine, place], variables | {"EXPERTS": "256"}))
    return dict(zip(cases, ask("vllm", asked, folder), strict=True))


@pytest.mark.parametrize("engine", ["vllm", "ascend"])
@pytest.mark.parametrize("name", NAMES)
def test_the_line_has_a_rank_for_each_gpu(answers, name, engine):
    found = answers[engine, name]
    assert "error" not in found
    nodes = NAMES[name][1]
    assert (found["data_parallel_size"], found["data_parallel_size_local"], found["nnodes"]) == (4, 4 // nodes, nodes)
    assert found["data_parallel_rank"] == (0 if nodes == 1 else 2)
    assert found["enable_expert_parallel"]
    assert found["redundant"] == 4


@pytest.mark.parametrize("name", NAMES)
def test_vllm_balances_and_refuses_the_file_in_a_release(answers, name):
    assert answers["vllm", name]["enable_eplb"]
    assert "initial_mapping_path" in answers["vllm", name, "file"]["error"]
    assert "EPLB requires tensor, prefill-context, or data parallelism" in answers["vllm", name, "no ranks"]["error"]


@pytest.mark.parametrize("name", NAMES)
def test_vllm_ascend_places_experts_as_the_plan_says(answers, name):
    slots = ROWS[0].reshape(4, 3).tolist()
    placed = [[row.index(expert) if expert in row else -1 for expert in range(8)] for row in slots]
    assert answers["ascend", name]["slot_of_expert"] == placed
    assert answers["ascend", name, "tensors"]["slot_of_expert"] == placed
    assert answers["ascend", name, "no ranks"]["slot_of_expert"] is None


@pytest.mark.parametrize("engine", ["vllm", "ascend"])
def test_placeholders_are_refused_until_they_are_replaced(answers, engine):
    assert answers[engine, "two nodes", "as printed"]["error"] == (
        "argument --node-rank/-r: invalid int value: 'NODE_RANK'"
    )


@pytest.mark.parametrize("engine", ["vllm", "ascend"])
def test_every_command_of_the_page_is_taken(answers, engine):
    found = {key: answer for key, answer in answers.items() if key[:2] == ("page", engine)}
    assert found
    errors = {key: answer["error"] for key, answer in found.items() if "error" in answer}
    # The page says of these that no release has them.
    unreleased = [error for error in errors.values() if "initial_mapping_path" in error or "write_stats_path" in error]
    assert len(errors) == len(unreleased) == (2 if engine == "vllm" else 0)
    taken = [answer for answer in found.values() if "error" not in answer]
    assert taken and all(answer["data_parallel_size"] > 1 for answer in taken)
    assert any(answer["dynamic" if engine == "ascend" else "enable_eplb"] for answer in taken)
