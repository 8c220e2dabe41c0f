"""How hot plans are under the tables that SGLang makes of them: the table of the page on SGLang.

``python -m tests.engines.measure_dispatch decode.json --gpus 72 --slots 288 --nodes 9``, with SGLang fetched (``make
engines``). All ranks bring the same tokens. Max load over mean load, each summed over the layers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import eplb_opt
from tests.engines.parsers import FOLDER, run_beside, write_model


def hottest(gpu_loads):
    """Max load / mean load of arrays of shape ``(layers, GPUs)``, layers together."""
    return gpu_loads.max(axis=1).sum() / gpu_loads.mean(axis=1).sum()


def by_table(table, loads, gpus, slots):
    """Loads of GPUs, shape ``(layers, GPUs)``, where rank r asks the replicas ``table[r]`` for its part."""
    table = table if table.ndim == 4 else table[..., np.newaxis]
    found = np.zeros((len(loads), gpus))
    for of_rank in table:
        held = of_rank >= 0
        layer, expert, _ = np.nonzero(held)
        part = loads / gpus / held.sum(axis=2)
        np.add.at(found, (layer, of_rank[held] // (slots // gpus)), part[layer, expert])
    return found


def tables_of(plan, nodes, backend):
    """SGLang's tables for a plan, see `run_dispatch`."""
    gpus = plan.deployment.num_gpus
    ranks = f"--tp-size {gpus} --ep-size {gpus} --nnodes {nodes} --node-rank 0 --dist-init-addr 127.0.0.1:5000"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = ["--model-path", write_model(folder), "--device", "cpu", *ranks.split(), "--moe-a2a-backend", backend]
        words += [
            "--ep-dispatch-algorithm",
            "static",
            "--ep-num-redundant-experts",
            str(plan.deployment.num_slots - plan.num_experts),
        ]
        (folder / "map.json").write_text(json.dumps({"words": words, "map": plan.physical_to_logical.tolist()}))
        code = [str(Path(__file__).with_name("run_dispatch.py")), "map.json", "tables.npz"]
        run = run_beside("sglang", code, folder)
        if run.returncode:
            raise RuntimeError(run.stderr[-2000:])
        with np.load(folder / "tables.npz") as tables:
            return dict(tables)


def rows(loads, deployment, time_limit, backend="deepep"):
    """A row for each of our plan and the policy that SGLang ships: name, and the figures of the page."""
    # What the engine's own policy makes may hold an expert twice on a GPU.
    loose = replace(deployment, distinct=False)
    plans = {
        "eplb_opt": eplb_opt.solve(loads, deployment, time_limit=time_limit, target_gap=0).plan,
        "greedy": eplb_opt.solve(loads, loose, method="lpt").plan,
    }
    values = loads.values.sum(axis=0).astype(float)
    for name, plan in plans.items():
        tables = tables_of(plan, deployment.num_nodes, backend)
        even = eplb_opt.evaluate(plan, loads)
        figures = {"even": even["max_load"].sum() / even["mean_load"].sum()}
        for what in ("static", "spread", "engine"):
            figures[what] = hottest(by_table(tables[what], values, deployment.num_gpus, deployment.num_slots))
        yield name, figures


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording")
    parser.add_argument("--gpus", type=int, default=72)
    parser.add_argument("--slots", type=int, default=288)
    parser.add_argument("--nodes", type=int, default=9)
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=30.0)
    given = parser.parse_args()
    if not (FOLDER / "sglang.pinned").exists():
        raise SystemExit(f"SGLang is not in {FOLDER}: make engines")
    loads = eplb_opt.read_loads(given.recording)
    deployment = eplb_opt.Deployment(given.gpus, given.slots, given.nodes, given.groups)
    print(f"{'plan':<10}{'even split':>12}{'file, static':>14}{'file, dynamic':>15}{'engine, static':>16}")
    for name, found in rows(loads, deployment, given.time_limit):
        print(
            f"{name:<10}{found['even']:>12.4f}{found['static']:>14.4f}{found['spread']:>15.4f}{found['engine']:>16.4f}"
        )


if __name__ == "__main__":
    main()
