"""Tables of runs: a row for each, a summary of each method, and what contradicts itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from eplb_opt.bench.best import Best, rivals
from eplb_opt.bench.curves import measures
from eplb_opt.bench.run import LeftOut, Run

if TYPE_CHECKING:
    import pandas as pd

# Gaps that a summary counts layers by.
GAP_LEVELS = Fraction(1, 1000), Fraction(2, 10_000)


def to_frame(runs: Sequence[Run], failed: Sequence[LeftOut] = ()) -> pd.DataFrame:
    """A row per run, in order: the case, what the method reached and proved, where the time went, and the machine.

    Behind them a row for each error instead of a run: the case, the method, and ``failures``, why.

    ``best`` and ``bound`` are the best imbalance and lower bound that anybody knows, the library of the case too;
    ``gap`` is that of the run's plan to this bound, and so are ``seconds_to_...``. Of ``layers``, those without load
    count in no figure over layers.
    """
    import pandas as pd

    rows = [{**_row(run, runs), **run.machine.columns} for run in runs]
    return pd.DataFrame([*rows, *({**_facts(item), "failures": item.reason} for item in failed)])


def _facts(item: Run | LeftOut) -> dict[str, Any]:
    """The case and the method."""
    case, deployment = item.case, item.case.deployment
    return {
        "case": case.name,
        "origin": case.origin,
        "family": case.family,
        "experts": case.loads.num_experts,
        "slots": deployment.num_slots,
        "gpus": deployment.num_gpus,
        "nodes": deployment.binding_nodes,
        "groups": deployment.binding_groups,
        "layers": case.loads.num_layers,
        "windows": case.loads.num_windows,
        "objective": case.objective,
        "method": item.method,
    }


def _row(run: Run, runs: Sequence[Run]) -> dict[str, Any]:
    gaps, best = run.gaps, Best.of(run.case, runs)
    return {
        **_facts(run),
        "workers": run.workers,
        "seconds": run.seconds,
        "imbalance": float(run.imbalance),
        "best": float(run.as_imbalance(best.plan)),
        "bound": float(run.as_imbalance(best.bound)),
        "own_bound": float(run.bound),
        "gap": float(run.gap_to(best.bound)),
        "mean_gap": float(mean(gaps)),
        "median_gap": float(median(gaps)),
        "worst_gap": float(max(gaps)),
        "layers_optimal": run.layers_optimal,
        **measures(run, runs),
        "proofs": _pairs(Counter(str(layer.proof) for layer in run.solution.layers)),
        "work": _pairs({step: round(seconds, 3) for step, seconds in run.work.items()}),
        "thread_seconds": run.thread_seconds,
        "failures": "; ".join(run.failures),
    }


def summary(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per method, over the layers of all cases: gaps to the method's own bounds."""
    import pandas as pd

    rows = []
    for method in dict.fromkeys(run.method for run in runs):
        own = [run for run in runs if run.method == method]
        gaps = [gap for run in own for gap in run.gaps]
        row: dict[str, Any] = {"method": method, "cases": len(own), "layers": len(gaps)}
        row["median_gap"] = float(median(gaps))
        for level in GAP_LEVELS:
            row[f"gap <= {float(level):g}"] = sum(gap <= level for gap in gaps) / len(gaps)
        row["worst_gap"] = float(max(gaps))
        row["layers_optimal"] = sum(run.layers_optimal for run in own)
        row["seconds"] = sum(run.seconds for run in own)
        rows.append(row)
    return pd.DataFrame(rows)


def open_cases(runs: Sequence[Run], method: str) -> pd.DataFrame:
    """Cases on which the worst layer of `method` has a gap above the first of `GAP_LEVELS`, the widest first.

    Gaps are to its own bounds; ``bound`` is the best that anybody has.
    """
    import pandas as pd

    wide = [run for run in runs if run.method == method and max(run.gaps) > GAP_LEVELS[0]]
    wide.sort(key=lambda run: -max(run.gaps))
    columns = {
        "case": [run.case.name for run in wide],
        "imbalance": [float(run.imbalance) for run in wide],
        "own_bound": [float(run.bound) for run in wide],
        "bound": [float(run.as_imbalance(Best.of(run.case, runs).bound)) for run in wide],
        "worst_gap": [float(max(run.gaps)) for run in wide],
        "layers": [sum(gap > GAP_LEVELS[0] for gap in run.gaps) for run in wide],
    }
    return pd.DataFrame(columns)


def contradictions(runs: Sequence[Run]) -> list[str]:
    """Layers for which somebody's lower bound is above somebody else's plan: one of the two is wrong."""
    found = []
    for case in {run.case.name: run.case for run in runs}.values():
        for (name, solution), (other, its) in permutations(rivals(case, runs), 2):
            for one, two in zip(solution.layers, its.layers, strict=True):
                if one.lower_bound > two.objective:
                    bound, objective = float(one.lower_bound), float(two.objective)
                    found.append(
                        f"{case.name}, layer {one.layer_id}: {name} claims that no plan is below {bound} "
                        f"({one.proof}), {other} has one of {objective}"
                    )
    return found


def profile(run: Run) -> pd.DataFrame:
    """Seconds of a run by step, of all that its workers had: wall clock x workers.

    A step's seconds are its wall clock, so a solver with several threads counts once. ``calling thread`` is the CPU
    time of Python between the steps, next to the workers; ``unused`` is what is left: workers without a step.
    """
    import pandas as pd

    total = run.seconds * run.workers
    parts = {**run.work, "calling thread": run.thread_seconds}
    parts["unused"] = max(0.0, total - sum(parts.values()))
    rows = [{"step": step, "seconds": seconds, "share": seconds / total} for step, seconds in parts.items()]
    return pd.DataFrame(rows)


def _pairs(values: Mapping[str, object]) -> str:
    return "; ".join(f"{key}={value}" for key, value in values.items())
