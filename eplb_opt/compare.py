"""compare: every heuristic against the proven bound, and the published score of the field."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import one_of
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError
from eplb_opt.evaluate import evaluate, objective_values, summarise
from eplb_opt.heuristics.registry import JOINT, heuristic_of, names
from eplb_opt.instance import Instance
from eplb_opt.layer_solution import relative_gap
from eplb_opt.loads import Loads
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.progress import Progress
from eplb_opt.request import searched_deployment
from eplb_opt.solution import Solution
from eplb_opt.solve import solve
from eplb_opt.verify import require_valid

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

# The row of `eplb_opt.solve`, whose bounds all rows are held against.
SOLVE = "solve"
# Imbalance under the even split, where the dispatch is another.
EVEN = "imbalance_even"
_METRICS = ("imbalance", "balancedness", "relative_excess", "slot_balancedness")
# What the published score calls figures of `evaluate.summarise`.
_SCORES = {"slot_balancedness": "total_slot_balancedness", "gpu_balancedness": "total_balancedness"}
# Times of a heuristic are the best of so many runs, as other work on the machine only adds to them.
_RUNS = 3
# Seconds for all layers that the published speed terms pay in full.
_FULL_SPEED = {"20ms": 0.02, "2ms": 0.002}


def compare(
    loads: Any,
    deployment: Deployment,
    methods: Sequence[str] | None = None,
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
        Names of `eplb_opt.heuristics.names`; default: all. ``"joint"`` plans for all windows at once, without doubles.
    objective, time_limit, target_gap, seed, workers, progress
        Of `eplb_opt.solve`, which gives the bounds and is the row ``"solve"``. Where Ctrl-C ends it early, the rows are
        of what was known then, and the log says so.

    Returns
    -------
    pandas.DataFrame
        One row per method and layer: ``method``, ``layer_id``; ``objective`` and ``lower_bound`` in the unit of the
        objective, which is the same in all layers, and ``gap`` = (objective - lower bound) / objective, 0 in a layer
        without load; ``windows`` in which the layer has load; ``imbalance``, ``balancedness``, ``relative_excess`` and
        ``slot_balancedness`` of `eplb_opt.evaluate`, means over these windows, ``NaN`` where there is none, under the
        deployment's dispatch; where that is not even, ``imbalance_even`` behind ``imbalance``, for the even split;
        ``doubled``, replicas that the heuristic put on a GPU which held the expert already; ``milliseconds`` for all
        layers together, the best of three runs of compiled code.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
        Wrong input; one sentence says what and how to mend it.
    """
    import pandas as pd

    loads = Loads.of(loads)
    methods = _methods(methods)
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
    done = _Done(solution.plan.physical_to_logical, np.zeros(loads.num_layers, dtype=np.int64), solution.runtime)
    model = _Model.of(loads, deployment, solution.objective)
    frames = [_rows(SOLVE, done, model, solution)]
    frames += [_rows(name, _timed(name, model), model, solution) for name in methods]
    return pd.concat(frames, ignore_index=True)


def summarise_comparison(comparison: pd.DataFrame) -> pd.DataFrame:
    """One row per method of `compare`'s frame, best first; layers without load count in no figure but ``doubled``.

    ``objective``, the sum over layers; ``gap`` of that sum, as `Solution.gap`; ``mean_gap`` and ``worst_gap`` of the
    layers; ``imbalance`` and so on, means over layers and windows, which `eplb_opt.evaluate.summarise` calls
    ``mean_imbalance`` and so on; ``doubled``, a sum; and ``milliseconds``. Where no layer has load, gaps are 0 and the
    means ``NaN``.
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
            }
        )
    # `solve` is never worse than the heuristics that it begins with, and first where it is no better.
    rows.sort(key=lambda row: (row["gap"], row["method"] != SOLVE, row["method"]))
    return pd.DataFrame(rows)


def published_scores(
    loads: Any,
    deployment: Deployment,
    methods: Sequence[str] | None = None,
    *,
    time_limit: float = 10.0,
    seed: int = 0,
    workers: int | None = None,
) -> pd.DataFrame:
    """The score that programs for this problem are ranked by: planned on window i, scored on window i + 1.

    A planner is given a copy of window i and nothing else, and a plan is verified before it is scored: plans that drop
    experts, fill a slot twice or break up groups raise `InvalidPlanError` and earn nothing. A window without load is
    not scored, and a layer without load in a scored one adds nothing to the sums.

    Parameters
    ----------
    loads, deployment
        As in `eplb_opt.solve`; at least two windows, in the order of time.
    methods
        Names of `eplb_opt.heuristics.names`, and ``"solve"``; default: all of them.
    time_limit, seed, workers
        Of ``"solve"`` for each window.

    Returns
    -------
    pandas.DataFrame
        One row per method and scored window: ``method``, ``window``; ``slot_balancedness`` and ``gpu_balancedness``,
        the sum over layers of the mean load of a slot (a GPU) / the sum over layers of the largest, which
        `eplb_opt.evaluate.summarise` calls ``total_slot_balancedness`` and ``total_balancedness``; ``milliseconds`` of
        the plan; ``speed_20ms`` and ``speed_2ms``, min(1, so much / time), the two forms that are published; and
        ``score_20ms``, ``score_2ms``, the means of ``slot_balancedness`` and of a speed.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
        Wrong input; one sentence says what and how to mend it.
    """
    import pandas as pd

    loads = Loads.of(loads)
    if loads.num_windows < 2:
        raise InvalidArgumentError("the published score plans on one window and scores on the next: give two or more")
    scored = [window for window in range(1, loads.num_windows) if loads.loaded[window].any()]
    if not scored:
        raise InvalidLoadsError("no window but the first has any load: there is nothing to score a plan on")
    rows = []
    for name in (SOLVE, *names()) if methods is None else dict.fromkeys(methods):
        for window in scored:
            known = Loads(loads.values[[window - 1]].copy(), **loads.labels.fields)
            if name == SOLVE:
                solution = solve(known, deployment, time_limit=time_limit, seed=seed, workers=workers)
                if solution.interrupted:
                    # A search that was cut short has no score.
                    raise KeyboardInterrupt
                done = _Done(solution.plan.physical_to_logical, np.empty(0, dtype=np.int64), solution.runtime)
            else:
                done = _timed(_methods([name])[0], _Model.of(known, deployment, "total"))
            plan = Plan(done.slots, deployment, loads.num_experts, **loads.labels.fields)
            seen = summarise(evaluate(plan, loads.values[window]))
            scores = {name: seen[metric] for name, metric in _SCORES.items()}
            rows.append({"method": name, "window": window, **scores, "milliseconds": 1e3 * done.seconds})
    frame = pd.DataFrame(rows)
    for name, seconds in _FULL_SPEED.items():
        frame[f"speed_{name}"] = (1e3 * seconds / frame["milliseconds"]).clip(upper=1.0)
        frame[f"score_{name}"] = (frame["slot_balancedness"] + frame[f"speed_{name}"]) / 2
    return frame


def summarise_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per method of `published_scores`' frame: means over the windows, best per-slot balance first."""
    table: pd.DataFrame = scores.drop(columns="window").groupby("method", sort=False).mean().reset_index()
    return table.sort_values(["slot_balancedness", "method"], ascending=[False, True], ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Done:
    """Rows of slots of a plan, what was doubled up in each, and the seconds it took."""

    slots: NDArray[np.int64]
    doubled: NDArray[np.int64]
    seconds: float


@dataclass(frozen=True, eq=False)
class _Model:
    """All layers in the forms that planners and judges take them; ``totals`` of shape ``(layers, experts)``."""

    loads: Loads
    deployment: Deployment
    layers: tuple[tuple[Instance, Objective], ...]
    totals: NDArray[np.float64]

    @classmethod
    def of(cls, loads: Loads, deployment: Deployment, objective: str) -> _Model:
        searched = searched_deployment(deployment, loads.labels)
        layers = [
            Objective(objective).on(Instance.from_loads(values, searched)) for values in np.moveaxis(loads.values, 1, 0)
        ]
        totals = np.stack([instance.total().kernel_loads for instance, _ in layers])
        return cls(loads, deployment, tuple(layers), totals)


def _methods(methods: Sequence[str] | None) -> tuple[str, ...]:
    if isinstance(methods, str):
        raise InvalidArgumentError(f"methods={methods!r} is one name; give a list of names")
    chosen = names() if methods is None else tuple(dict.fromkeys(methods))
    for name in chosen:
        one_of("method", name, names())
    return chosen


def _timed(name: str, model: _Model) -> _Done:
    """A heuristic on the summed windows, or jointly on all; compiled code is loaded before the clock runs."""
    # Kernels load here and not with the package.
    from eplb_opt.heuristics.batch import Placement, place_layers
    from eplb_opt.heuristics.joint import joint_plan
    from eplb_opt.kernels.loading import announced

    def place(number: int) -> Placement:
        if name == JOINT:
            slots = np.stack([joint_plan(instance, objective) for instance, objective in model.layers[:number]])
            return Placement(slots, np.zeros(number, dtype=np.int64))
        return place_layers(heuristic_of(name), model.totals[:number], model.deployment)

    with announced():
        place(1)
    placements, seconds = [], []
    for _ in range(_RUNS):
        begin = perf_counter()
        placements.append(place(model.loads.num_layers))
        seconds.append(perf_counter() - begin)
    return _Done(placements[0].slots, placements[0].doubled, min(seconds))


def _rows(method: str, done: _Done, model: _Model, solution: Solution) -> pd.DataFrame:
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
    return frame.assign(doubled=done.doubled, milliseconds=1e3 * done.seconds)


def _shown(comparison: pd.DataFrame) -> list[str]:
    """The metrics that a comparison has, in its order."""
    return [name for name in comparison.columns if name in (*_METRICS, EVEN)]


def _mean(values: pd.Series, weights: pd.Series, default: float = nan) -> float:
    """Weighted mean; `default` where nothing weighs."""
    whole = float(weights.sum())
    return float((values * weights).sum()) / whole if whole else default
