"""What plans are worth on a workload that they were not made for, under each dispatch, see `models/dispatch.md`.

``python -m tests.measure_held_out FOLDER --gpus 32 --slots 288 --nodes 4``, where the folder has recordings
``decode*.json`` and ``prefill*.json``. Of the decode and of the prefill recordings, each is left out once; plans are
made on the others, for the dispatch that they are scored under. Every sixth layer, groups bound to nothing. Columns:
mean over layers and recordings of the balancedness on the recording left out, by strategy of `eplb_opt.backtest`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import eplb_opt
from eplb_opt.backtest import CLAIRVOYANT

STRATEGIES = ("mean/greedy", "mean/search", "scenarios/search", CLAIRVOYANT)


def recordings(folder, phase, every):
    """The recordings of a phase as windows, every so many layers."""
    loads = eplb_opt.read_loads(sorted(folder.glob(f"{phase}*.json")))
    return eplb_opt.Loads(loads.values[:, ::every], layer_ids=loads.layer_ids[::every])


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gpus", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--dispatch", default="even,nearest")
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--time-limit", type=float, default=1.0, help="core seconds for each layer of a plan")
    asked = parser.parse_args()
    rows = []
    for phase in ("decode", "prefill"):
        loads = recordings(asked.folder, phase, asked.every)
        for dispatch in asked.dispatch.split(","):
            deployment = eplb_opt.Deployment(asked.gpus, asked.slots, asked.nodes, policy="global", dispatch=dispatch)
            scores = eplb_opt.backtest(
                loads, deployment, STRATEGIES, split="leave-one-out", time_limit=asked.time_limit
            )
            means = scores.groupby("strategy")["balancedness"].mean()
            rows.append({"phase": phase, "recordings": loads.num_windows, "dispatch": dispatch, **means.round(4)})
            print(pd.DataFrame(rows).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
