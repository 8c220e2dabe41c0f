"""Re-planning beside vLLM-Ascend's own policies: ``python -m tests.engines.measure_moves NEW.json --old PLAN.json``.

SwiftBalance and FlashLB run as the engine ships them (``make engines``), on the old plan and the new loads. What they
import for other purposes is stood in for: the NPU by a host with all ranks, SciPy's assignment by
OR-tools. Prints for
each their moves and their imbalance, and what `replan` reaches with as many moves, and needs for as little imbalance.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from pathlib import Path
from statistics import NormalDist
from time import monotonic
from typing import Any

import numpy as np

import eplb_opt
from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.moves import moves_between
from eplb_opt.renumbering import assignment
from eplb_opt.replan import replan, replan_curve

SOURCES = Path(__file__).resolve().parents[2] / ".venv" / "engines" / "vllm-ascend"


def policy_of(module: str, name: str, ranks: int) -> Any:
    """A policy of the engine, on a host with all ranks."""
    import torch

    torch.npu = types.SimpleNamespace(device_count=lambda: ranks)
    parts = {
        "torch_npu": {},
        "scipy": {"stats": types.SimpleNamespace(norm=types.SimpleNamespace(ppf=NormalDist().inv_cdf))},
        "scipy.optimize": {"linear_sum_assignment": _linear_sum_assignment},
        "vllm": {},
        "vllm.logger": {"logger": types.SimpleNamespace(info=lambda *_: None, warning=lambda *_: None)},
        "vllm_ascend.distributed": {},
        "vllm_ascend.distributed.parallel_state": {
            "get_dynamic_eplb_group": lambda: types.SimpleNamespace(world_size=ranks)
        },
    }
    for part, members in parts.items():
        sys.modules[part] = types.ModuleType(part)
        vars(sys.modules[part]).update(members)
    for package in ("vllm_ascend", "vllm_ascend.eplb", "vllm_ascend.eplb.core", "vllm_ascend.eplb.core.policy"):
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(SOURCES / package.replace(".", "/"))]
    return getattr(importlib.import_module(f"vllm_ascend.eplb.core.policy.{module}"), name)


def _linear_sum_assignment(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(len(cost)), assignment((cost.max() - cost).astype(np.int64))


def planned(policy: Any, old: eplb_opt.Plan, loads: eplb_opt.Loads) -> eplb_opt.Plan:
    """The policy's plan, from loads of slots that it knows of an even split."""
    import torch

    gpus = old.deployment.num_gpus
    table = old.physical_to_logical
    counts = np.take_along_axis(old.replica_counts, table, axis=1)
    of_slots = np.take_along_axis(loads.values[0], table, axis=1) / counts
    shape = (old.num_layers, gpus, -1)
    found = policy.rebalance_experts(torch.tensor(table.reshape(shape)), torch.tensor(of_slots.reshape(shape)))[2]
    rows = np.array(found).reshape(table.shape)
    shared = eplb_opt.Deployment(gpus, old.deployment.num_slots, distinct=False)
    return eplb_opt.Plan(rows, shared, old.num_experts, layer_ids=old.layer_ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loads", type=Path)
    parser.add_argument("--old", type=Path, help="the plan that runs; without it experts in order, none redundant")
    parser.add_argument("--gpus", type=int, default=8, help="of experts in order")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    loads = eplb_opt.read_loads(options.loads)
    if options.old is None:
        rows = np.tile(np.arange(loads.num_experts), (loads.num_layers, 1))
        old = eplb_opt.Plan(rows, eplb_opt.Deployment(options.gpus, loads.num_experts), loads.num_experts)
    else:
        old = eplb_opt.read_plan(options.old)
    old = eplb_opt.Plan(old.physical_to_logical, old.deployment, old.num_experts)
    loads = eplb_opt.Loads(loads.values)
    before = summarise(evaluate(old, loads))["mean_imbalance"]
    print(f"old plan: mean imbalance {before:.5f}, {old.deployment.num_gpus} GPUs, {old.deployment.num_slots} slots")
    # Loads Numba before SciPy is stood in for, as it looks for that.
    replan(old, loads, max_moves=0, time_limit=1)
    for module, name in (("policy_swift_balancer", "SwiftBalanceEplb"), ("policy_flashlb", "FlashLB")):
        kind = policy_of(module, name, old.deployment.num_gpus)
        began = monotonic()
        plan = planned(kind(), old, loads)
        seconds, moves = monotonic() - began, len(moves_between(old, plan))
        imbalance = summarise(evaluate(plan, loads))["mean_imbalance"]
        (same,) = replan_curve(old, loads, [moves], time_limit=options.seconds)
        gap = 1 - 1 / imbalance
        cheaper = replan(old, loads, target_gap=max(gap, 1e-6), time_limit=options.seconds)
        values = [summarise(evaluate(found.plan, loads))["mean_imbalance"] for found in (same, cheaper)]
        bound = float(same.bound_in_all / same.value) * values[0]
        print(
            f"{name}: {moves:,} moves, {imbalance:.5f}, {seconds:.1f} s; replan with as many {values[0]:.5f} "
            f"(no plan below {bound:.5f}); with {cheaper.moves:,} moves {values[1]:.5f}"
        )


if __name__ == "__main__":
    main()
