"""compare: every heuristic, and methods of one's own, against the proven bound."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.errors import MethodError
from eplb_opt.evaluate import evaluate, objective_values
from eplb_opt.heuristics.registry import names
from eplb_opt.layer_solution import relative_gap
from eplb_opt.loads import Loads
from eplb_opt.methods import methods_of
from eplb_opt.plan import Plan
from eplb_opt.progress import Progress
from eplb_opt.solution import Solution
from eplb_opt.solve import solve
from eplb_opt.timed import ModelLoads, Timed, timed
from eplb_opt.verify import require_valid

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

# The row of `eplb_opt.solve`, whose bounds all rows are held against.
SOLVE = "solve"
# Imbalance under the even split, where the dispatch is another.
EVEN = "imbalance_even"
_METRICS = ("imbalance", "balancedness", "relative_excess", "slot_balancedness")


def compare(
    loads: Any,
    deployment: Deployment,
    methods: Sequence[str | Callable[..., Any]] | None = None,
    *,
    objective: str = "auto",
    time_limit: float = 60.0,
    target_gap: float = 1e-4,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> pd.DataFrame:
    """Hold heuristics against the proven bound, layer by layer.

    Parameters
    ----------
    loads, deployment
        As in `eplb_opt.solve`. Heuristics plan for the summed windows, and obey the deployment's rules: where replicas
        must be distinct, those that a heuristic doubles up on a GPU are exchanged.
    methods
        Names of `eplb_opt.heuristics.names`, and functions with the signature of DeepSeek's EPLB, which get the summed
        windows (`eplb_opt.own_method`); default: all names. ``"joint"`` plans for all windows at once, without doubles.
    objective, time_limit, target_gap, seed, workers, progress
        Of `eplb_opt.solve`, which gives the bounds and is the row ``"solve"``. Where Ctrl-C ends it early, the rows are
        of what was known then, and where it ends a method, those of the methods before; the log says so. Functions
        take the time that they take.

    Returns
    -------
    pandas.DataFrame
        One row per method and layer: ``method``, ``layer_id``; ``objective`` and ``lower_bound`` in the unit of the
        objective, which is the same in all layers, and ``gap`` = (objective - lower bound) / objective, 0 in a layer
        without load; ``windows`` in which the layer has load; ``imbalance``, ``balancedness``, ``relative_excess`` and
        ``slot_balancedness`` of `eplb_opt.evaluate`, means over these windows, ``NaN`` where there is none, under the
        deployment's dispatch; where that is not even, ``imbalance_even`` behind ``imbalance``, for the even split;
        ``doubled``, replicas that the heuristic put on a GPU which held the expert already; ``milliseconds`` for all
        layers together, the best of three runs of compiled code; ``error``, empty, or why a function has no plan: its
        figures are ``NaN`` then.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
        Wrong input; one sentence says what and how to mend it.
    """
    import pandas as pd

    loads = Loads.of(loads)
    chosen = methods_of(methods, names(), reserved=[SOLVE])
    solution = solve(
        loads,
        deployment,
        objective=objective,
        time_limit=time_limit,
        target_gap=target_gap,
        seed=seed,
        workers=workers,
        progress=progress,
    )
    if solution.interrupted:
        logger.warning("interrupted: bounds and the row of solve are what was known then")
    done = Timed(solution.plan.physical_to_logical, np.zeros(loads.num_layers, dtype=np.int64), solution.runtime)
    model = ModelLoads.of(loads, deployment, solution.objective)
    first = _rows(SOLVE, done, model, solution)
    frames = [first]
    for method in chosen:
        try:
            frames.append(_rows(str(method), timed(method, model), model, solution))
        except MethodError as error:
            frames.append(_without_plan(str(method), str(error), first))
        except KeyboardInterrupt:
            # Bounds are worth minutes, and a function of somebody's may take for ever.
            logger.warning("interrupted: there is no row of %s, nor of any method behind it", method)
            break
    return pd.concat(frames, ignore_index=True)


def summarise_comparison(comparison: pd.DataFrame) -> pd.DataFrame:
    """One row per method of `compare`'s frame, best first; layers without load count in no figure but ``doubled``.

    ``objective``, the sum over layers; ``gap`` of that sum, as `Solution.gap`; ``mean_gap`` and ``worst_gap`` of the
    layers; ``imbalance`` and so on, means over layers and windows, which `eplb_opt.evaluate.summarise` calls
    ``mean_imbalance`` and so on; ``doubled``, a sum; ``milliseconds``; and ``error``. Where no layer has load, gaps are
    0 and the means ``NaN``. Methods without a plan are last.
    """
    import pandas as pd

    rows = []
    for method, layers in comparison.groupby("method", sort=False):
        counted = layers[layers["windows"] > 0] if layers["windows"].any() else layers
        rows.append(
            {
                "method": method,
                "objective": counted["objective"].sum(),
                # What is between objective and bound is a part of the objective: their difference would be rounded.
                "gap": _mean(counted["gap"], counted["objective"], default=0.0),
                "mean_gap": counted["gap"].mean(),
                "worst_gap": counted["gap"].max(),
                **{metric: _mean(counted[metric], counted["windows"]) for metric in _shown(layers)},
                "doubled": layers["doubled"].sum(),
                "milliseconds": layers["milliseconds"].iloc[0],
                "error": layers["error"].iloc[0],
            }
        )
        if rows[-1]["error"]:
            rows[-1] |= {name: nan for name, value in rows[-1].items() if not isinstance(value, str)}
    # `solve` is never worse than the heuristics that it begins with, and first where it is no better.
    rows.sort(key=lambda row: (row["error"] != "", row["gap"], row["method"] != SOLVE, row["method"]))
    return pd.DataFrame(rows)


def _rows(method: str, done: Timed, model: ModelLoads, solution: Solution) -> pd.DataFrame:
    """One method's part of the comparison."""
    loads = model.loads
    plan = require_valid(Plan(done.slots, model.deployment, loads.num_experts, **loads.labels.fields))
    frame = evaluate(plan, loads).groupby("layer_id", sort=False)[list(_METRICS)].mean().reset_index()
    values = objective_values(plan, loads, solution.objective)
    bounds = [layer.lower_bound for layer in solution.layers]
    frame.insert(0, "method", method)
    frame.insert(2, "objective", [float(value) for value in values])
    frame.insert(3, "lower_bound", [float(bound) for bound in bounds])
    frame.insert(4, "gap", [float(relative_gap(*pair)) for pair in zip(values, bounds, strict=True)])
    frame.insert(5, "windows", loads.loaded.sum(axis=0))
    if plan.deployment.dispatch != "even":
        even = evaluate(plan, loads, "even").groupby("layer_id", sort=False)["imbalance"].mean()
        frame.insert(list(frame.columns).index("imbalance") + 1, EVEN, even.to_numpy())
    return frame.assign(doubled=done.doubled, milliseconds=1e3 * done.seconds, error="")


def _without_plan(method: str, error: str, like: pd.DataFrame) -> pd.DataFrame:
    """A method's part where it has no plan: what does not depend on one, and why there is none."""
    figures = [*_shown(like), "objective", "gap", "doubled", "milliseconds"]
    return like.assign(method=method, error=error, **dict.fromkeys(figures, nan))


def _shown(comparison: pd.DataFrame) -> list[str]:
    """The metrics that a comparison has, in its order."""
    return [name for name in comparison.columns if name in (*_METRICS, EVEN)]


def _mean(values: pd.Series, weights: pd.Series, default: float = nan) -> float:
    """Weighted mean; `default` where nothing weighs."""
    whole = float(weights.sum())
    return float((values * weights).sum()) / whole if whole else default
