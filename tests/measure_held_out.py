"""What plans are worth on a workload that they were not made for, under each dispatch, see `models/dispatch.md`.

``python -m tests.measure_held_out FOLDER --gpus 32 --slots 288 --nodes 4``, where the folder has recordings
``decode*.json`` and ``prefill*.json``. Of the decode and of the prefill recordings, each is left out once; plans are
made on the others, for the dispatch that they are scored under, with a second of work for each layer (so a busy machine
changes nothing). Groups are bound to nothing. Columns: mean balancedness over layers and recordings, on the recording
left out, without scenarios and with 30.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import eplb_opt

SCENARIOS = (0, 30)


def held_out(values, deployment, scenarios, seconds):
    """Mean balancedness on each window of plans that were made on the others; shape ``(windows, layers, experts)``."""
    scores = []
    for window in range(len(values)):
        others = np.delete(values, window, axis=0)
        limit = seconds * values.shape[1]
        solution = eplb_opt.solve(others, deployment, scenarios=scenarios, time_limit=limit, deterministic=True)
        scores.append(eplb_opt.evaluate(solution.plan, values[window : window + 1])["balancedness"].mean())
    return np.mean(scores)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gpus", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--dispatch", default="even,nearest")
    parser.add_argument("--every", type=int, default=6, help="every so many layers")
    parser.add_argument("--seconds", type=float, default=1.0, help="of work for each layer of a plan")
    asked = parser.parse_args()
    print(f"{'':8} {'dispatch':14} {'no scenarios':>12} {'30 scenarios':>12}")
    for phase in ("decode", "prefill"):
        values = eplb_opt.read_loads(sorted(asked.folder.glob(f"{phase}*.json"))).values[:, :: asked.every]
        for dispatch in asked.dispatch.split(","):
            deployment = eplb_opt.Deployment(asked.gpus, asked.slots, asked.nodes, policy="global", dispatch=dispatch)
            scores = [held_out(values, deployment, scenarios, asked.seconds) for scenarios in SCENARIOS]
            print(f"{phase:8} {dispatch:14} {scores[0]:12.4f} {scores[1]:12.4f}", flush=True)


if __name__ == "__main__":
    main()
