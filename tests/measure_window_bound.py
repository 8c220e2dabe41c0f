"""Is a bound on a library's instance of several windows true? A run of its own, where search would have half the time.

``python -m tests.measure_window_bound models mean-of-3-256x288x72 1.0024`` looks for weights of replicas that show it
(`window weightings`), on one core and for as long as that takes. If there are, the checker looks at them, and the
instance's solution keeps the bound.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np

from eplb_opt import read_library
from eplb_opt.bounds.window_weightings import WindowWeightings
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.io.instances import solution_path
from eplb_opt.io.native import write_solution
from eplb_opt.library import rebuild
from eplb_opt.limits import Limits, Meter
from eplb_opt.objective import Objective

SECONDS = 7200.0


def main() -> None:
    """Ask, and keep what is proven."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("name")
    parser.add_argument("bound", type=Fraction, help="imbalance, as a decimal or a fraction")
    arguments = parser.parse_args()
    named = next(named for named in read_library(arguments.library) if named.name == arguments.name)
    best = named.best
    if best is None:
        parser.error("the instance has no solution")
    objective = Objective(named.objective)
    loads = np.array(named.loads.values[:, 0])
    instance, searched = objective.on(Instance.from_loads(loads, named.deployment))
    instance = instance.in_mean_loads()
    incumbent = Incumbent(instance, searched if objective.kind == "mean" else Objective())
    incumbent.offer_plan(np.array(best.plan.physical_to_logical[0]), "best")
    began = perf_counter()
    weightings = WindowWeightings(incumbent, Meter(Limits(SECONDS)))
    shown = weightings.ask(arguments.bound)
    print(f"{named.name}: {'shown' if shown else 'not shown'} after {perf_counter() - began:.0f} s, checks included")
    if shown and incumbent.bound > best.layers[0].lower_bound:
        layer = replace(best.layers[0], proof=incumbent.proof)
        write_solution(replace(best, layers=(layer,)), solution_path(named, arguments.library))
        rebuild(arguments.library)


if __name__ == "__main__":
    main()
