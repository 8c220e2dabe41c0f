"""published_scores: planned on a window, scored on the next, as programs for this problem are ranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.compare import SOLVE
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError, MethodError
from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.heuristics.registry import names
from eplb_opt.loads import Loads
from eplb_opt.methods import Method, methods_of
from eplb_opt.plan import Plan
from eplb_opt.solve import solve
from eplb_opt.timed import ModelLoads, Timed, timed

if TYPE_CHECKING:
    import pandas as pd

# What the published score calls figures of `evaluate.summarise`.
_SCORES = {"slot_balancedness": "total_slot_balancedness", "gpu_balancedness": "total_balancedness"}
# Seconds for all layers that the published speed terms pay in full.
_FULL_SPEED = {"20ms": 0.02, "2ms": 0.002}


def published_scores(
    loads: Any,
    deployment: Deployment,
    methods: Sequence[str | Callable[..., Any]] | None = None,
    *,
    time_limit: float = 10.0,
    seed: int = 0,
    workers: int | None = None,
) -> pd.DataFrame:
    """The score that programs for this problem are ranked by: planned on window i, scored on window i + 1.

    A planner is given a copy of window i and nothing else, and a plan is verified before it is scored: plans that drop
    experts, fill a slot twice or break up groups earn nothing, and so does a function that fails. A window without load
    is not scored, and a layer without load in a scored one adds nothing to the sums.

    Parameters
    ----------
    loads, deployment
        As in `eplb_opt.solve`; at least two windows, in the order of time.
    methods
        Names of `eplb_opt.heuristics.names`, ``"solve"``, and functions (`eplb_opt.own_method`); default: all names.
    time_limit, seed, workers
        Of ``"solve"`` for each window.

    Returns
    -------
    pandas.DataFrame
        One row per method and scored window: ``method``, ``window``; ``slot_balancedness`` and ``gpu_balancedness``,
        the sum over layers of the mean load of a slot (a GPU) / the sum over layers of the largest, which
        `eplb_opt.evaluate.summarise` calls ``total_slot_balancedness`` and ``total_balancedness``; ``milliseconds`` of
        the plan; ``speed_20ms`` and ``speed_2ms``, min(1, so much / time), the two forms that are published; and
        ``score_20ms``, ``score_2ms``, the means of ``slot_balancedness`` and of a speed; ``error``, why there is no
        plan, with scores of 0, else empty.

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
    rows: list[dict[str, Any]] = []
    for method in methods_of(methods, (SOLVE, *names())):
        for window in scored:
            known = Loads(loads.values[[window - 1]].copy(), **loads.labels.fields)
            row: dict[str, Any] = {"method": str(method), "window": window}
            try:
                done = _planned(method, known, deployment, time_limit=time_limit, seed=seed, workers=workers)
            except MethodError as error:
                rows.append({**row, **dict.fromkeys(_SCORES, 0.0), "milliseconds": inf, "error": str(error)})
                continue
            plan = Plan(done.slots, deployment, loads.num_experts, **loads.labels.fields)
            seen = summarise(evaluate(plan, loads.values[window]))
            scores = {name: seen[metric] for name, metric in _SCORES.items()}
            rows.append({**row, **scores, "milliseconds": 1e3 * done.seconds, "error": ""})
    frame = pd.DataFrame(rows)
    for name, seconds in _FULL_SPEED.items():
        frame[f"speed_{name}"] = (1e3 * seconds / frame["milliseconds"]).clip(upper=1.0)
        frame[f"score_{name}"] = (frame["slot_balancedness"] + frame[f"speed_{name}"]) / 2
    frame["milliseconds"] = frame["milliseconds"].replace(inf, nan)
    # Words are last, where a table of numbers ends.
    return frame[[*(name for name in frame.columns if name != "error"), "error"]]


def _planned(method: Method, known: Loads, deployment: Deployment, **effort: Any) -> Timed:
    if method != SOLVE:
        return timed(method, ModelLoads.of(known, deployment, "total"))
    solution = solve(known, deployment, **effort)
    if solution.interrupted:
        # A search that was cut short has no score.
        raise KeyboardInterrupt
    return Timed(solution.plan.physical_to_logical, np.zeros(known.num_layers, dtype=np.int64), solution.runtime)


def summarise_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per method of `published_scores`' frame: means over the windows, best per-slot balance first.

    ``milliseconds`` is the mean of the windows with a plan; ``error`` is what kept the others from having one.
    """
    groups = scores.drop(columns="window").groupby("method", sort=False)
    table: pd.DataFrame = groups.mean(numeric_only=True).reset_index()
    table["error"] = groups["error"].max().to_numpy()
    return table.sort_values(["slot_balancedness", "method"], ascending=[False, True], ignore_index=True)
