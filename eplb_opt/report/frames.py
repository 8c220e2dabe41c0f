"""Data frames of a report."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import compress
from math import nan
from typing import TYPE_CHECKING

from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.excess import Values, excess_of, total_excess
from eplb_opt.layer_solution import relative_gap
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.solution import Solution

if TYPE_CHECKING:
    import pandas as pd


def layers_frame(
    values: Mapping[str, Values], labels: Mapping[str, str], solution: Solution, loads: Loads
) -> pd.DataFrame:
    """One row per plan and layer, see `Report.layers`."""
    import pandas as pd

    rows = []
    for name, objectives in values.items():
        whole = _sum_of_loaded(objectives, solution)
        for layer_id, value, layer in zip(loads.layer_ids, objectives, solution.layers, strict=True):
            bound, counts = layer.lower_bound, bool(layer.mean_load)
            rows.append(
                {
                    "plan": name,
                    "label": labels[name],
                    "layer_id": layer_id,
                    "objective": float(value),
                    "lower_bound": float(bound),
                    "gap": float(relative_gap(value, bound)),
                    "excess": excess_of(value, layer.mean_load, solution.objective),
                    "least_excess": excess_of(bound, layer.mean_load, solution.objective),
                    "share": float(value / whole) if counts else 0.0,
                    "left": float((value - bound) / whole) if counts else 0.0,
                }
            )
    return pd.DataFrame(rows)


def summary_frame(
    metrics: pd.DataFrame,
    values: Mapping[str, Values],
    even: Mapping[str, Values],
    labels: Mapping[str, str],
    solution: Solution,
) -> pd.DataFrame:
    """One row per plan of `metrics_frame`, see `Report.summary`; `even` are values under the even split, if wanted."""
    import pandas as pd

    objective = solution.objective
    means = tuple(layer.mean_load for layer in solution.layers)
    bounds = tuple(layer.lower_bound for layer in solution.layers)
    rows = []
    for name, label in labels.items():
        by_layer = [excess_of(value, mean, objective) for value, mean in zip(values[name], means, strict=True) if mean]
        value, bound = _sum_of_loaded(values[name], solution), _sum_of_loaded(bounds, solution)
        rows.append(
            {
                "plan": name,
                "label": label,
                "excess": total_excess(values[name], means, objective),
                "least_excess": total_excess(bounds, means, objective),
                "worst_excess": max(by_layer, default=nan),
                **({"excess_even": total_excess(even[name], means, objective)} if even else {}),
                "gap": float(relative_gap(value, bound)),
                **summarise(metrics[metrics["plan"] == name]),
            }
        )
    return pd.DataFrame(rows)


def _sum_of_loaded(values: Values, solution: Solution) -> Fraction:
    """Sum over the layers with load: the others have an imbalance by definition, and no part in what a plan costs."""
    return sum(compress(values, (layer.mean_load for layer in solution.layers)), Fraction(0))


def metrics_frame(plans: Mapping[str, Plan], loads: Loads) -> pd.DataFrame:
    """`eplb_opt.evaluate` of every plan, with its name in ``plan``."""
    import pandas as pd

    frames = []
    for name, plan in plans.items():
        frame = evaluate(plan, loads)
        frame.insert(0, "plan", name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
