"""backtest: plan on some windows, score on others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import natural_int, one_of, positive_int, positive_seconds
from eplb_opt.deployment import Deployment, require_deployment
from eplb_opt.errors import InvalidArgumentError, MethodError
from eplb_opt.evaluate import evaluate
from eplb_opt.instance import Instance
from eplb_opt.limits import usable_cores
from eplb_opt.loads import Loads
from eplb_opt.methods import Method
from eplb_opt.middle import further_planners, middle_tokens, middle_window, placed
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.request import searched_deployment
from eplb_opt.solve import solve

if TYPE_CHECKING:
    import pandas as pd

# What the windows to come are taken to be: the last one; the summed one; any of those known, on average or at worst;
# any of those known and extrapolated, on average.
FORECASTS = ("last", "total", "mean", "worst", "scenarios")
# How a plan is made for that: the published policy on one window in the middle; all windows at once, by a narrow tree
# search or by `solve`.
PLANNERS = ("greedy", "joint", "search")
STRATEGIES = tuple(f"{forecast}/{planner}" for forecast in FORECASTS for planner in PLANNERS)
# The plan of a planner that knows the window it is scored on: nearly the best there can be.
CLAIRVOYANT = "clairvoyant"
# Knows no GPUs with different numbers of slots.
_EQUAL_SLOTS = "/joint"
SPLITS = ("rolling", "leave-one-out")
SCENARIOS = 30


@dataclass(frozen=True)
class _Split:
    """Windows to plan on, in order, and the one to score on."""

    known: tuple[int, ...]
    scored: int


def backtest(
    loads: Any,
    deployment: Deployment,
    strategies: Sequence[str] | None = None,
    *,
    methods: Sequence[str | Callable[..., Any]] = (),
    split: str = "rolling",
    time_limit: float = 0.2,
    scenarios: int = SCENARIOS,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Score what plans are worth on windows that they were not made for.

    Parameters
    ----------
    loads
        As in `eplb_opt.solve`, at least two windows, in the order of time.
    deployment
        Where the experts can live.
    strategies
        Names ``"forecast/planner"`` of `FORECASTS` and `PLANNERS`; default: all of them. ``"clairvoyant"``, `search` on
        the scored window itself, is always there: what it scores is about the most that any plan could.
    methods
        Planners beside `PLANNERS`, each with every forecast of the strategies: names of `eplb_opt.heuristics.names` and
        functions with the signature of DeepSeek's EPLB (`eplb_opt.own_method`). As ``"greedy"`` does, they plan for one
        window in the middle: the mean, in which each window counts as much as every other; for ``"worst"`` the largest
        load of each expert.
    split
        ``"rolling"``: plan on the windows before each one but the first. ``"leave-one-out"``: plan on all others.
    time_limit
        Core seconds for each layer of a plan that is searched.
    scenarios
        Extrapolated windows of that forecast, as in `eplb_opt.solve`.
    seed, workers
        As in `eplb_opt.solve`.
    progress
        Told in words what comes next.

    Returns
    -------
    pandas.DataFrame
        One row per scored window, layer and strategy: ``window``, ``layer_id``, ``strategy``, ``forecast``,
        ``planner``, ``imbalance`` and ``balancedness`` of `eplb_opt.evaluate` on the scored window, ``error``. Layers
        without load there are left out. Where a function failed or returned no valid plan, ``error`` says so, and
        figures are ``NaN``. A Ctrl-C ends it early, with the windows that all strategies were scored on until then.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
        Wrong input; one sentence says what and how to mend it.
    """
    loads = Loads.of(loads)
    require_deployment(deployment)
    one_of("split", split, SPLITS)
    checked = _checked(strategies, deployment)
    more = {str(method): method for method in further_planners(methods, deployment, PLANNERS)}
    forecasts = [name for name in FORECASTS if any(each.startswith(f"{name}/") for each in checked)]
    further = (f"{forecast}/{method}" for method in more for forecast in forecasts)
    chosen = tuple(dict.fromkeys((CLAIRVOYANT, *checked, *further)))
    if loads.num_windows < 2:
        raise InvalidArgumentError(
            "a backtest plans on some windows and scores on others: give at least two files, or windows=n"
        )
    natural_int("scenarios", scenarios)
    positive_seconds("time_limit", time_limit)
    workers = usable_cores() if workers is None else positive_int("workers", workers)
    planner = _Planner(deployment, time_limit, scenarios, seed, workers, more)
    frames: list[pd.DataFrame] = []
    # What is scored is worth minutes: Ctrl-C does not lose it, wherever it comes.
    with suppress(KeyboardInterrupt):
        for part in _splits(loads.num_windows, split):
            frames += [_scored(loads, part, name, planner, progress) for name in chosen]
    return _joined(frames)


def _checked(strategies: Sequence[str] | None, deployment: Deployment) -> tuple[str, ...]:
    """The strategies that were asked for, each once; by default all that the deployment allows."""
    if strategies is None:
        strategies = [name for name in STRATEGIES if deployment.gpu_slots is None or not name.endswith(_EQUAL_SLOTS)]
    strategies = tuple(dict.fromkeys(strategies))
    for strategy in strategies:
        if strategy != CLAIRVOYANT:
            one_of("strategy", strategy, STRATEGIES)
        if strategy.endswith(_EQUAL_SLOTS):
            deployment.require_equal_slots(f"strategy {strategy} is")
    return strategies


def summarise_backtest(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per strategy: mean and worst balancedness, and how it falls short of the clairvoyant plan.

    ``lost`` is what the mean lacks of the clairvoyant one; of that, ``by_forecast`` is lost by `search` for the same
    forecast already, as the windows to come differ from it, and ``by_heuristic`` beyond that by a planner that is not
    `search`. These are ``NaN`` where that row is missing. Where a window has no plan of a strategy, neither have its
    means, and ``error`` says why. Sorted by the mean balancedness. `scores` may not be empty.
    """
    groups = scores.groupby(["strategy", "forecast", "planner"], sort=False)
    table: pd.DataFrame = groups.agg(
        balancedness=("balancedness", lambda values: values.mean(skipna=False)),
        worst=("balancedness", lambda values: values.min(skipna=False)),
        error=("error", "max"),
    ).reset_index()
    table["error"] = table.pop("error")
    means = dict(zip(table["strategy"], table["balancedness"], strict=True))
    searched = [means.get(f"{forecast}/search", float("nan")) for forecast in table["forecast"]]
    ceiling = means[CLAIRVOYANT]
    table["lost"] = ceiling - table["balancedness"]
    table["by_forecast"] = [ceiling - value for value in searched]
    table["by_heuristic"] = [value - mean for value, mean in zip(searched, table["balancedness"], strict=True)]
    own = table["strategy"] == CLAIRVOYANT
    table.loc[own, ["by_forecast", "by_heuristic"]] = 0.0
    return table.sort_values("balancedness", ascending=False, ignore_index=True)


def _splits(num_windows: int, split: str) -> Iterator[_Split]:
    if split == "rolling":
        return (_Split(tuple(range(scored)), scored) for scored in range(1, num_windows))
    everything = range(num_windows)
    return (_Split(tuple(k for k in everything if k != scored), scored) for scored in everything)


def _windows(loads: Loads, values: NDArray[Any]) -> Loads:
    return Loads(values, source=loads.source, **loads.labels.fields)


def _known(loads: Loads, part: _Split, strategy: str) -> Loads:
    """The windows that a strategy plans on."""
    forecast = strategy.partition("/")[0]
    if forecast == CLAIRVOYANT:
        return _windows(loads, loads.values[[part.scored]])
    known = loads.values[list(part.known)]
    if forecast == "last":
        known = known[-1:]
    elif forecast == "total":
        known = known.sum(axis=0, keepdims=True)
    return _windows(loads, known)


@dataclass(frozen=True)
class _Planner:
    """Makes the rows of a plan; the fields are those of `backtest`."""

    deployment: Deployment
    time_limit: float
    scenarios: int
    seed: int
    workers: int
    more: Mapping[str, Method]

    def plan(self, known: Loads, strategy: str) -> NDArray[np.int64]:
        """Slots of each layer; `KeyboardInterrupt` if somebody interrupted."""
        forecast, _, planner = strategy.partition("/")
        objective = "worst" if forecast == "worst" else "mean"
        scenarios = self.scenarios if forecast == "scenarios" and known.num_windows > 1 else 0
        if planner in ("", "search"):
            solution = solve(
                known,
                self.deployment,
                objective=objective,
                scenarios=scenarios,
                time_limit=self.time_limit * known.num_layers / self.workers,
                seed=self.seed,
                workers=self.workers,
            )
            if solution.interrupted:
                raise KeyboardInterrupt
            return solution.plan.physical_to_logical
        valued_by = Objective(objective, None, scenarios, self.seed)
        layers = np.moveaxis(known.values, 1, 0)
        searched = searched_deployment(self.deployment, known.labels)
        asked = [valued_by.on(Instance.from_loads(values, searched)) for values in layers]
        if planner in self.more:
            tokens = np.stack([middle_tokens(*layer) for layer in asked])
            return placed(self.more[planner], tokens, self.deployment)
        return np.stack([_heuristic_row(planner, *layer) for layer in asked])


def _heuristic_row(planner: str, instance: Instance, objective: Objective) -> NDArray[np.int64]:
    # Kernels load here and not with the package.
    from eplb_opt.heuristics.joint import joint_plan
    from eplb_opt.heuristics.pipeline import greedy

    if planner == "joint":
        return joint_plan(instance, objective)
    return greedy(Instance.from_loads(middle_window(instance, objective), instance.deployment))


def _scored(
    loads: Loads, part: _Split, strategy: str, planner: _Planner, progress: Callable[[str], None] | None
) -> pd.DataFrame:
    """Scores of one strategy on one window."""
    import pandas as pd

    if progress is not None:
        progress(f"{loads.window_names[part.scored]}: {strategy} (Ctrl-C: windows scored so far)")
    forecast, _, name = strategy.partition("/")
    loaded = loads.loaded[part.scored]
    try:
        rows = planner.plan(_known(loads, part, strategy), strategy)
        plan = Plan(rows, planner.deployment, loads.num_experts, **loads.labels.fields)
        kept, error = evaluate(plan, loads.values[part.scored])[loaded], ""
    except MethodError as failure:
        ids = [layer for layer, has in zip(loads.layer_ids, loaded, strict=True) if has]
        kept, error = pd.DataFrame({"layer_id": ids, "imbalance": nan, "balancedness": nan}), str(failure)
    return pd.DataFrame(
        {
            "window": part.scored,
            "layer_id": kept["layer_id"],
            "strategy": strategy,
            "forecast": forecast,
            "planner": name or "search",
            "imbalance": kept["imbalance"],
            "balancedness": kept["balancedness"],
            "error": error,
        }
    )


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    columns = ["window", "layer_id", "strategy", "forecast", "planner", "imbalance", "balancedness", "error"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
