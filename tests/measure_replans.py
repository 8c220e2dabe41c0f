"""What bounds on moves prove: ``python -m tests.measure_replans LOADS.json --gpus 8 --every 6``.

Experts run in order, none twice. For every so many layers: the fewest moves to a balancedness (mean / max) that the
relaxation proves, and that branching on arrivals proves, and the moves of a plan.
"""

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np

import eplb_opt
from eplb_opt import Deployment, Instance, Loads, Plan
from eplb_opt.bounds.few_moves import OldRow
from eplb_opt.objective import Objective
from eplb_opt.replan import replan


def proven(layer: OldRow, value: Fraction, nodes: int) -> int:
    """The fewest moves that trees of so many nodes prove: one more than the most that they refute."""
    (window,) = layer.windows
    low, high = 0, len(layer.before)
    while low < high:
        moves = (low + high) // 2
        proof = window.priced(moves, value * (1 + Fraction(1, 10**5)), nodes, lambda: False)
        low, high = (moves + 1, high) if proof is not None and proof.bound > value else (low, moves)
    return low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loads", type=Path)
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--balancedness", type=Fraction, default=Fraction(999, 1000))
    parser.add_argument("--nodes", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    values = eplb_opt.read_loads(options.loads).values[:, :: options.every]
    loads, experts = Loads(values), values.shape[2]
    deployment, order = Deployment(options.gpus, experts), np.arange(experts)
    plan = Plan(np.tile(order, (loads.num_layers, 1)), deployment, experts)
    found = replan(plan, loads, target_gap=float(1 - options.balancedness), time_limit=options.seconds)
    sums = np.zeros(4, dtype=int)
    for row, layer in enumerate(found.layers):
        instance = Instance.from_loads(values[:, row], deployment)
        old, value = OldRow(instance, Objective(), order), instance.mean_loads[0] / options.balancedness
        reached = layer.moves if layer.objective <= value else 0
        figures = [proven(old, value, 1), proven(old, value, options.nodes), layer.moves_bound, reached]
        sums += figures
        print(f"layer {row * options.every}: relaxation {figures[0]}, branching {figures[1]}, plan {reached or 'none'}")
    print(
        f"all: relaxation {sums[0]}, branching {sums[1]}, replan in {found.runtime:.1f} s {sums[3]}, proven {sums[2]}"
    )


if __name__ == "__main__":
    main()
