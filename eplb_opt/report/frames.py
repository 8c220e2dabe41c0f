"""Data frames of a report."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.exact import nearest_float
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.report.values import Values, excess_of, total_excess
from eplb_opt.solution import Solution, relative_gap

if TYPE_CHECKING:
    import pandas as pd

# The hottest experts whose share of the load is told, as a part of all experts.
_HOTTEST = 0.1


def layers_frame(
    values: Mapping[str, Values], labels: Mapping[str, str], solution: Solution, loads: Loads
) -> pd.DataFrame:
    """One row per plan and layer, see `Report.layers`."""
    import pandas as pd

    rows = []
    for name, objectives in values.items():
        whole = sum(objectives, Fraction(0))
        for layer_id, value, layer in zip(loads.layer_ids, objectives, solution.layers, strict=True):
            bound = layer.lower_bound
            rows.append(
                {
                    "plan": name,
                    "label": labels[name],
                    "layer_id": layer_id,
                    "objective": nearest_float(value),
                    "lower_bound": nearest_float(bound),
                    "gap": float(relative_gap(value, bound)),
                    "excess": float(excess_of(value, layer.mean_load, solution.objective)),
                    "least_excess": float(excess_of(bound, layer.mean_load, solution.objective)),
                    "share": float(value / whole) if whole else 0.0,
                    "left": float((value - bound) / whole) if whole else 0.0,
                }
            )
    return pd.DataFrame(rows)


def summary_frame(
    metrics: pd.DataFrame, values: Mapping[str, Values], labels: Mapping[str, str], solution: Solution
) -> pd.DataFrame:
    """One row per plan of `metrics_frame`, see `Report.summary`."""
    import pandas as pd

    objective = solution.objective
    means = tuple(layer.mean_load for layer in solution.layers)
    bounds = tuple(layer.lower_bound for layer in solution.layers)
    rows = []
    for name, label in labels.items():
        by_layer = [excess_of(*pair, objective) for pair in zip(values[name], means, strict=True)]
        rows.append(
            {
                "plan": name,
                "label": label,
                "excess": float(total_excess(values[name], means, objective)),
                "least_excess": float(total_excess(bounds, means, objective)),
                "worst_excess": float(max(by_layer)),
                "gap": float(relative_gap(sum(values[name], Fraction(0)), sum(bounds, Fraction(0)))),
                **summarise(metrics[metrics["plan"] == name]),
            }
        )
    return pd.DataFrame(rows)


def metrics_frame(plans: Mapping[str, Plan], loads: Loads) -> pd.DataFrame:
    """`eplb_opt.evaluate` of every plan, with its name in ``plan``."""
    import pandas as pd

    frames = []
    for name, plan in plans.items():
        frame = evaluate(plan, loads)
        frame.insert(0, "plan", name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def experts_frame(loads: Loads) -> pd.DataFrame:
    """How unequal the experts of each layer are, windows summed, see `Report.experts`."""
    import pandas as pd

    total = loads.values.sum(axis=0, dtype=np.float64)
    ordered = -np.sort(-total, axis=1)
    sums = total.sum(axis=1)
    safe = np.where(sums > 0, sums, 1.0)
    hottest = hottest_of(loads.num_experts)
    return pd.DataFrame(
        {
            "layer_id": loads.layer_ids,
            "tokens": sums,
            "max_over_mean": ordered[:, 0] * loads.num_experts / safe,
            "hottest_expert": total.argmax(axis=1),
            "hottest_share": ordered[:, :hottest].sum(axis=1) / safe,
            "idle_experts": (total == 0).sum(axis=1),
        }
    )


def hottest_of(num_experts: int) -> int:
    """How many experts are the hottest tenth, at least one."""
    return max(1, round(_HOTTEST * num_experts))


def hierarchy_frame(bound: Solution, anywhere: Solution) -> pd.DataFrame:
    """A row for the hierarchical policy and one for the global one, see `Report.hierarchy`."""
    import pandas as pd

    rows = []
    for policy, solution in (("hierarchical", bound), ("global", anywhere)):
        means = tuple(layer.mean_load for layer in solution.layers)
        values = tuple(layer.objective for layer in solution.layers)
        bounds = tuple(layer.lower_bound for layer in solution.layers)
        rows.append(
            {
                "policy": policy,
                "excess": float(total_excess(values, means, solution.objective)),
                "least_excess": float(total_excess(bounds, means, solution.objective)),
                "gap": float(solution.gap),
                "seconds": solution.runtime,
            }
        )
    return pd.DataFrame(rows)
