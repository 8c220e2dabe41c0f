"""What plans are worth under the optimal split on a recording that they were not made for.

Recordings of one phase are windows; each is left out in turn, and scored under the optimal and the even split by plans
for the others. Every plan has the same time. From the root of the repository:

    python -m tests.measure_dispatch_held_out FOLDER --phase decode --gpus 32 --slots 288 --seconds 0.5

FOLDER holds the recordings, ``PHASE*.json``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

import eplb_opt

# Dispatch that the plan is made for, objective and scenarios; "summed": one window.
PLANS = {
    "even, mean": ("even", "mean", 0),
    "even, mean, 30 scenarios": ("even", "mean", 30),
    "optimal, summed": ("optimal", "total", 0),
    "optimal, mean": ("optimal", "mean", 0),
    "optimal, mean, 30 scenarios": ("optimal", "mean", 30),
    "optimal, worst, 100 scenarios": ("optimal", "worst", 100),
}


def main() -> None:
    """Print a line for each kind of plan: mean and least balancedness over layers and recordings left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--phase", default="decode")
    parser.add_argument("--gpus", type=int, default=32)
    parser.add_argument("--slots", type=int, default=288)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each layer of a plan, on each core")
    parser.add_argument("--every", type=int, default=6, help="layers: every so many")
    options = parser.parse_args()
    files = sorted(options.folder.glob(f"{options.phase}*.json"))
    recordings = np.stack([eplb_opt.read_loads(str(file)).values.sum(axis=0)[:: options.every] for file in files])
    deployment = eplb_opt.Deployment(options.gpus, options.slots)
    found = defaultdict(list)
    for left_out, scored in enumerate(recordings):
        # Each recording counts for as much as any other.
        known = np.delete(recordings, left_out, axis=0)
        known = known / known.sum(axis=2, keepdims=True) * 2.0**30
        for name, (dispatch, objective, scenarios) in PLANS.items():
            solution = eplb_opt.solve(
                known.round(),
                replace(deployment, dispatch=dispatch),
                objective=objective,
                scenarios=scenarios,
                time_limit=options.seconds * len(scored),
                target_gap=1e-5,
            )
            for split in ("optimal", "even"):
                metrics = eplb_opt.evaluate(solution.plan, scored, dispatch=split)
                found[name, split].extend(metrics.balancedness.tolist())
    print(f"{options.phase}, {len(files)} recordings, {options.gpus} GPUs, {options.slots} slots, {options.seconds} s")
    for (name, split), values in found.items():
        print(f"{name:32s} scored under {split:8s} mean {np.mean(values):.4f} least {np.min(values):.4f}")


if __name__ == "__main__":
    main()
