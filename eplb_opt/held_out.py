"""Held out: what plans are worth on a window that they were not made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import nan
from time import monotonic
from typing import TYPE_CHECKING, Any

from eplb_opt.arguments import positive_seconds
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError
from eplb_opt.evaluate import evaluate, summarise
from eplb_opt.gain import greedy_plan
from eplb_opt.loads import Loads
from eplb_opt.solve import solve

if TYPE_CHECKING:
    import pandas as pd

# Of a call of `solve` that is to make first plans alone.
_LEAST_SECONDS = 0.01
# Each window is given a little less time than those before it.
_MOST = 0.75


@dataclass(frozen=True)
class Score:
    """Means over layers and windows, as of `eplb_opt.evaluate.summarise`."""

    imbalance: float
    balancedness: float


_NOTHING = Score(nan, nan)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores on windows that plans do not know.

    Attributes
    ----------
    planned
        Of plans of `eplb_opt.solve` for the other windows.
    greedy
        Of the published greedy policy on their sum.
    windows
        How many were scored.
    seconds
        Wall-clock time that it took.
    interrupted
        Whether Ctrl-C ended it early.
    metrics
        `eplb_opt.evaluate` on every window that was scored, of both: ``window`` is its place in the loads, ``plan`` is
        ``"planned"`` or ``"greedy"``. Empty where nothing was scored.
    """

    planned: Score
    greedy: Score
    windows: int
    seconds: float
    interrupted: bool
    metrics: pd.DataFrame


def held_out(
    loads: Loads,
    deployment: Deployment,
    *,
    seconds: float,
    window_weights: Sequence[float] | None = None,
    scenarios: int = 0,
    progress: Callable[[str], None] | None = None,
    **settings: Any,
) -> HeldOut:
    """Plan on all windows but one, score on that one, for each in turn, by one method, in `seconds` on the clock.

    `eplb_opt.backtest` compares strategies; this is about one call of `eplb_opt.solve` with these `settings`. Windows
    for which there is no time are left out: one is begun only if most of what the last one took is left. The first is
    always scored, and its first plan may take longer than `seconds`. A Ctrl-C ends it early.

    Returns
    -------
    HeldOut
        Scores are ``NaN`` where nothing was scored: interrupted, or no load in a scored window.

    Raises
    ------
    InvalidArgumentError
        A single window, or what `eplb_opt.solve` refuses.
    """
    if loads.num_windows < 2:
        raise InvalidArgumentError("to leave one out there have to be at least two windows")
    positive_seconds("seconds", seconds)
    began = monotonic()
    found: list[dict[str, pd.DataFrame]] = []
    # Of a window: all of it, and beyond its time limit, by first plans, which are always made, greedy ones and scores.
    took = beyond = 0.0
    interrupted = True
    # What is scored is worth minutes: Ctrl-C does not lose it, wherever it comes.
    with suppress(KeyboardInterrupt):
        for window in range(loads.num_windows):
            start = monotonic()
            left = began + seconds - start
            if found and left < _MOST * took:
                break
            if progress is not None:
                progress(f"{loads.window_names[window]} held out (Ctrl-C: windows scored so far)")
            limit = max(left / (loads.num_windows - window) - beyond, _LEAST_SECONDS)
            found.append(_left_out(window, loads, deployment, window_weights, scenarios, time_limit=limit, **settings))
            took = monotonic() - start
            beyond = max(beyond, took - limit)
        interrupted = False
    metrics = _joined(found)
    planned, greedy = (_score(metrics, name) for name in ("planned", "greedy")) if found else (_NOTHING, _NOTHING)
    return HeldOut(planned, greedy, len(found), monotonic() - began, interrupted, metrics)


def _left_out(
    window: int,
    loads: Loads,
    deployment: Deployment,
    window_weights: Sequence[float] | None,
    scenarios: int,
    **settings: Any,
) -> dict[str, pd.DataFrame]:
    """Metrics on a window of both plans for the others; `KeyboardInterrupt` if somebody interrupted."""
    others = [other for other in range(loads.num_windows) if other != window]
    known = Loads(loads.values[others], source=loads.source, **loads.labels.fields)
    solution = solve(
        known,
        deployment,
        window_weights=None if window_weights is None else [window_weights[other] for other in others],
        # One window does not say how windows differ.
        scenarios=scenarios if known.num_windows > 1 else 0,
        **settings,
    )
    if solution.interrupted:
        raise KeyboardInterrupt
    scored = Loads(loads.values[[window]], **loads.labels.fields)
    plans = {"planned": solution.plan, "greedy": greedy_plan(known, deployment)}
    return {name: evaluate(plan, scored) for name, plan in plans.items()}


def _joined(found: Sequence[Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    import pandas as pd

    frames = [
        frame.assign(window=window, plan=name) for window, pair in enumerate(found) for name, frame in pair.items()
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _score(metrics: pd.DataFrame, plan: str) -> Score:
    means = summarise(metrics[metrics["plan"] == plan])
    return Score(means["mean_imbalance"], means["mean_balancedness"])
