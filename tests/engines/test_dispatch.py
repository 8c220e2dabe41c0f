"""Our shares are those that the engines' own code gives, on plans of real sizes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import eplb_opt
from eplb_opt import Deployment, Loads
from eplb_opt.dispatch.of_plan import layers_of
from eplb_opt.dispatch.rules import rule_of
from eplb_opt.io import write_plan
from eplb_opt.plan import Plan
from tests.engines.parsers import HERE, require, run_beside, write_model

SIZES = {
    "16 GPUs, 2 nodes": (Deployment(16, 288, 2, policy="global"), 256),
    "32 GPUs, 4 nodes": (Deployment(32, 288, 4, policy="global"), 256),
    "32 GPUs, 4 nodes, hierarchical": (Deployment(32, 288, 4, 8, "hierarchical"), 256),
    "72 GPUs, 9 nodes": (Deployment(72, 288, 9, policy="global"), 256),
}
# Two of four layers have plans, the others are dense.
MODEL_LAYERS, LAYER_IDS = 4, (1, 3)
# SGLang takes a minute for the others.
QUICK = ("16 GPUs, 2 nodes", "32 GPUs, 4 nodes, hierarchical")


def plan_of(name):
    """The engine's greedy plan, and ours for the nearest replica, of one layer each."""
    deployment, experts = SIZES[name]
    loads = np.random.default_rng(0).lognormal(0, 1, (1, 2, experts))
    loose = replace(deployment, distinct=False)
    greedy = eplb_opt.solve(loads[:, :1], loose, method="lpt").plan
    nearest = eplb_opt.solve(loads[:, 1:], replace(deployment, dispatch="nearest"), time_limit=0.2).plan
    rows = np.concatenate([greedy.physical_to_logical, nearest.physical_to_logical])
    plan = Plan(rows, loose, experts, LAYER_IDS, MODEL_LAYERS)
    return plan, Loads(loads, LAYER_IDS, num_model_layers=MODEL_LAYERS)


def shares_of(plan, loads, dispatch):
    """Share of each slot of its expert's load, shape ``(layers, slots)``."""
    found = []
    for row, instance in layers_of(plan.dispatched(dispatch), loads):
        of_one = rule_of(instance.deployment).slot_loads(row, np.ones((1, plan.num_experts)), instance)
        found.append(of_one[0])
    return np.array(found)


def shares_by(asked, layers, slots):
    """Shares where rank r spreads what it asks over the slots ``asked[r][layer][expert]``, -1 padded."""
    found = np.zeros((layers, slots))
    for of_rank in asked:
        held = of_rank >= 0
        layer = np.nonzero(held)[0]
        np.add.at(found, (layer, of_rank[held]), np.broadcast_to(1 / held.sum(2, keepdims=True), held.shape)[held])
    return found / len(asked)


require("sglang")


def tables_of(plans, folder):
    """SGLang's tables for each of some plans, which it reads from the files that we write."""
    model, words = write_model(folder), []
    for place, plan in enumerate(plans):
        gpus, slots = plan.deployment.num_gpus, plan.deployment.num_slots
        write_plan(plan, folder / f"plan{place}.json", "sglang")
        ranks = f"--tp-size {gpus} --ep-size {gpus} --nnodes {plan.deployment.num_nodes} --node-rank 0"
        how = "--moe-a2a-backend deepep --ep-dispatch-algorithm static --dist-init-addr 127.0.0.1:5000"
        what = f"--init-expert-location plan{place}.json --ep-num-redundant-experts {slots - plan.num_experts}"
        command = ["--model-path", model, "--device", "cpu", *f"{ranks} {how} {what}".split()]
        question = {"words": command, "shape": [MODEL_LAYERS, plan.num_experts]}
        (folder / f"{place}.json").write_text(json.dumps(question))
        words += [f"{place}.json", f"{place}.npz"]
    run = run_beside("sglang", [str(HERE / "run_dispatch.py"), *words], folder)
    assert run.returncode == 0, run.stderr[-2000:]
    for place in range(len(plans)):
        with np.load(folder / f"{place}.npz") as tables:
            yield dict(tables)


@pytest.mark.parametrize("names", [QUICK, pytest.param(sorted(set(SIZES) - set(QUICK)), marks=pytest.mark.slow)])
def test_sglang_has_our_shares_of_the_file_that_we_write(names, tmp_path):
    pairs = [plan_of(name) for name in names]
    for (plan, loads), tables in zip(pairs, tables_of([plan for plan, _ in pairs], tmp_path), strict=True):
        slots, planned = plan.deployment.num_slots, list(LAYER_IDS)
        assert np.array_equal(tables["rows"][planned], plan.physical_to_logical)
        static = shares_by(tables["static"][..., np.newaxis], MODEL_LAYERS, slots)[planned]
        dynamic = shares_by(tables["spread"], MODEL_LAYERS, slots)[planned]
        assert np.allclose(static, shares_of(plan, loads, "sglang-static"), rtol=0, atol=1e-12)
        assert np.allclose(dynamic, shares_of(plan, loads, "nearest"), rtol=0, atol=1e-12)
        # Else one of them would say nothing about the other.
        assert not np.allclose(static, dynamic, rtol=0, atol=1e-3)


def test_vllm_ascend_asks_by_rank_and_vllm_spreads_evenly(tmp_path):
    require("vllm")
    plan, _ = plan_of("72 GPUs, 9 nodes")
    # vLLM-Ascend has no copies on one GPU, which are in the greedy plan alone.
    plan, tokens = plan.select(LAYER_IDS[1:]), 4096
    loads = Loads(np.ones((1, 1, plan.num_experts)), LAYER_IDS[1:], num_model_layers=MODEL_LAYERS)
    question = {"rows": plan.physical_to_logical.tolist(), "ranks": 72, "experts": plan.num_experts, "tokens": tokens}
    (tmp_path / "question.json").write_text(json.dumps(question))
    run = run_beside("vllm", [str(HERE / "run_by_rank.py"), "question.json", "tables.npz"], tmp_path)
    assert run.returncode == 0, run.stderr[-2000:]
    with np.load(tmp_path / "tables.npz") as tables:
        by_rank = shares_by(tables["by_rank"].transpose(1, 0, 2)[..., np.newaxis], 1, plan.deployment.num_slots)
        hashed = tables["hashed"] / tokens
    even = shares_of(plan, loads, "even")
    assert np.allclose(by_rank, shares_of(plan, loads, "by-rank"), rtol=0, atol=1e-12)
    assert not np.allclose(by_rank, even, rtol=0, atol=1e-3)
    assert np.allclose(hashed, even, rtol=0.01, atol=0)
