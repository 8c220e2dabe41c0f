"""What few moves are worth: the rows of the table in `eplb_opt/plugins/moves.md`, made through the planner of plug-ins.

``python -m tests.plugins.measure_moves OLD.json NEW.json --gpus 32 --seconds 0.5`` plans for the old recording in 2
seconds, and from that plan for the new one with each limit on moves.
"""

from __future__ import annotations

import argparse
import os
from fractions import Fraction
from time import perf_counter

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.moves import count_moves
from eplb_opt.plugins.changes import LEAST_GAIN, MOVES, MOVES_PER_LAYER
from eplb_opt.plugins.max_loads import exact_max_loads
from eplb_opt.plugins.plain import Ints
from eplb_opt.plugins.planner import TIME_LIMIT, deployment_of, layer_loads, plan_layers

_SECONDS_OF_THE_OLD_PLAN = "2"
_LIMITS = (0, 58, 200, 500, 1000, 2000, 4000, None)


def main() -> None:
    """Print a row for each limit: moves, imbalance, moves that were made, seconds of the call."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--gpus", type=int, required=True)
    parser.add_argument("--slots", type=int, default=288)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--seconds", default="0.5", help=f"{TIME_LIMIT} of the new plans.")
    options = parser.parse_args()
    before, after = (layer_loads(eplb_opt.read_loads(file).values.sum(axis=0)) for file in (options.old, options.new))
    deployment = deployment_of(before.shape[1], options.slots, options.groups, options.nodes, options.gpus)
    for name in (MOVES, MOVES_PER_LAYER, LEAST_GAIN):
        os.environ.pop(name, None)
    os.environ[TIME_LIMIT] = _SECONDS_OF_THE_OLD_PLAN
    old = plan_layers(before, deployment)
    os.environ[TIME_LIMIT] = options.seconds
    print("| moves | max / mean | made | seconds |\n|---|---|---|---|")
    for limit in _LIMITS:
        os.environ.pop(MOVES, None)
        if limit is not None:
            os.environ[MOVES] = str(limit)
        begin = perf_counter()
        rows = plan_layers(after, deployment, old)
        seconds, made = perf_counter() - begin, count_moves(rows, old, deployment.num_gpus).sum()
        name = "any" if limit is None else f"{limit:,}" if limit else "none, as it runs"
        print(f"| {name} | {_imbalance(after, rows, deployment):.4f} | {made:,} | {seconds:.1f} |")


def _imbalance(values: Ints, rows: Ints, deployment: Deployment) -> float:
    """Sum of max loads / sum of mean loads."""
    tops = sum(exact_max_loads(values, rows, deployment), Fraction(0))
    return float(tops * deployment.num_gpus / Fraction(values.sum().item()))


if __name__ == "__main__":
    main()
