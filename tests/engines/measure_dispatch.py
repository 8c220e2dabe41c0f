"""How hot plans are under the tables that SGLang makes of them: the table of the page on SGLang.

``python -m tests.engines.measure_dispatch decode.json --gpus 72 --slots 288 --nodes 9``, with SGLang fetched (``make
engines``). All ranks bring the same tokens. Max load over mean load, each summed over the layers. A plan in the plug-in
is a saved one that `EPLB_OPT_PLAN` names.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace

import numpy as np

import eplb_opt
from eplb_opt.plan import Plan
from eplb_opt.plugins.planner import TIME_LIMIT
from eplb_opt.plugins.sglang import deepseek_rebalance_experts
from tests.engines.dispatching import answers_to, by_table, hottest, of_file, of_plug_in
from tests.engines.parsers import FOLDER

# Of search, as the page has it.
PLANNER_SECONDS = 5
PLANS = ("even", "nearest", "sglang-static", "plug-in", "greedy")
COLUMNS = ("even split", "file, static", "file, dynamic", "plug-in, static", "plug-in, dynamic")


def plan_of(name, loads, deployment, time_limit):
    """Our plan for the dispatch of this name, that of the planner in the plug-in, or that of SGLang's own policy."""
    if name == "greedy":
        # It may hold an expert twice on a GPU.
        return eplb_opt.solve(loads, replace(deployment, distinct=False), method="lpt").plan
    if name != "plug-in":
        return eplb_opt.solve(loads, replace(deployment, dispatch=name), time_limit=time_limit, target_gap=0).plan
    os.environ[TIME_LIMIT] = str(PLANNER_SECONDS)
    where = (deployment.num_slots, deployment.num_groups, deployment.num_nodes, deployment.num_gpus)
    rows = deepseek_rebalance_experts(loads.values.sum(axis=0), *where, deployment.hierarchical)[0].numpy()
    return Plan(rows, replace(deployment, distinct=False), loads.num_experts, **loads.labels.fields)


def figures_of(plan, loads, backend="deepep"):
    """The figures of `COLUMNS`."""
    values = loads.values.sum(axis=0).astype(float)
    gpus, slots, nodes = plan.deployment.num_gpus, plan.deployment.num_slots, plan.deployment.num_nodes
    even = eplb_opt.evaluate(plan, loads, "even")
    yield even["max_load"].sum() / even["mean_load"].sum()
    (tables,) = answers_to([of_file(plan, nodes, backend)])
    ids, layers = list(plan.layer_ids), plan.num_model_layers
    for what in ("static", "spread", "engine"):
        yield hottest(by_table(tables[what][:, ids], values, gpus, slots))
    recording = np.zeros((layers, loads.num_experts), dtype=np.int64)
    recording[ids] = values
    (plugged,) = answers_to([of_plug_in(plan, recording, recording, nodes, backend)])
    yield hottest(by_table(plugged["spread"], recording.astype(float), gpus, slots)[ids])


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording")
    parser.add_argument("--gpus", type=int, default=72)
    parser.add_argument("--slots", type=int, default=288)
    parser.add_argument("--nodes", type=int, default=9)
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--plans", default=",".join(PLANS), help="dispatches that plans are made for, plug-in, greedy")
    given = parser.parse_args()
    if not (FOLDER / "sglang.pinned").exists():
        raise SystemExit(f"SGLang is not in {FOLDER}: make engines")
    loads = eplb_opt.read_loads(given.recording)
    deployment = eplb_opt.Deployment(given.gpus, given.slots, given.nodes, given.groups)
    print(f"{'plan':<14}" + "".join(f"{column:>18}" for column in COLUMNS))
    for name in given.plans.split(","):
        print(f"{name:<14}", end="")
        for figure in figures_of(plan_of(name, loads, deployment, given.time_limit), loads):
            # Tables of all ranks take minutes.
            print(f"{figure:>18.4f}", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
