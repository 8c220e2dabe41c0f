"""What local search of one window gains over the search of several windows, in the same work.

``python -m tests.measure_search [RECORDING] [--seconds 1]`` searches layers of a recording, or generated ones, from the
greedy plan by both, for as many seconds of work, and prints how far each plan is above the instant bound.
"""

from __future__ import annotations

import argparse
from functools import partial
from statistics import mean
from time import perf_counter

import numpy as np

import eplb_opt
from eplb_opt.bounds.instant import instant_bound
from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.heuristics.pipeline import PAIRS_PER_SECOND, greedy, search
from eplb_opt.heuristics.window_search import search_windows
from eplb_opt.instance import Instance
from eplb_opt.objective import Objective
from eplb_opt.verify import max_loads


def main() -> None:
    """Print a line for each deployment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--layers", type=int, default=6)
    options = parser.parse_args()
    loads = eplb_opt.read_loads(options.recording) if options.recording else generate_loads(num_experts=256)
    layers = loads.values.sum(axis=0)[:: max(1, loads.num_layers // options.layers)]
    num = loads.num_experts
    for deployment in (
        Deployment(num // 16, num + num // 8),
        Deployment(num // 8, num + num // 8),
        Deployment(num // 4, num + num // 4),
        Deployment(3 * num // 8, num + num // 8),
    ):
        print(f"{deployment.num_gpus} x {deployment.slots_per_gpu}", *_compare(layers, deployment, options.seconds))


def _compare(layers: np.ndarray, deployment: Deployment, seconds: float) -> list[str]:
    above: dict[str, list[float]] = {"local search": [], "search of windows": []}
    took = dict.fromkeys(above, 0.0)
    for values in layers:
        instance = Instance.from_loads(values, deployment)
        bound, start = instant_bound(instance, Objective()).bound, greedy(instance)
        windows = Objective("worst").windows(instance)
        gap = windows.value(start, instance) - float(bound / instance.mean_loads[0])
        searches = {
            "local search": partial(search, instance, start, work=int(seconds * PAIRS_PER_SECOND)),
            "search of windows": partial(search_windows, instance, windows, start, gap, seconds, 0),
        }
        for name, run in searches.items():
            begin = perf_counter()
            row = run()
            took[name] += perf_counter() - begin
            above[name].append(float(max_loads(row.tolist(), instance)[0] / bound) - 1)
    return [f"| {name}: {mean(above[name]):.1e} above the bound, {took[name] / len(layers):.1f} s" for name in above]


if __name__ == "__main__":
    main()
