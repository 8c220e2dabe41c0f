"""Standings: a row per method over all cases, and on which cases a rival ends ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import nan
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from eplb_opt.backends.outcome import PROGRAM_METHODS
from eplb_opt.bench.best import LIBRARY, Best, rivals
from eplb_opt.bench.curves import LEVELS, measures
from eplb_opt.bench.run import LeftOut, Run, bound_of, value_of
from eplb_opt.layer_solution import relative_gap
from eplb_opt.solution import Solution, percent

if TYPE_CHECKING:
    import pandas as pd


def finished(outcomes: Sequence[Run | LeftOut], methods: Sequence[str]) -> list[Run]:
    """Runs on cases that all of `methods` are done with, so that an interrupt makes none look better than others."""
    done = {(item.case.name, item.method) for item in outcomes}
    runs = (item for item in outcomes if isinstance(item, Run))
    return [run for run in runs if all((run.case.name, method) in done for method in methods)]


def failed_on(outcomes: Sequence[Run | LeftOut], runs: Sequence[Run]) -> list[LeftOut]:
    """What ended in an error instead of a run, on cases of `runs`."""
    cases = {run.case.name for run in runs}
    return [item for item in outcomes if isinstance(item, LeftOut) and item.failed and item.case.name in cases]


def standings(runs: Sequence[Run], failed: Sequence[LeftOut] = ()) -> pd.DataFrame:
    """A row per method, over the cases of `runs`: how near to the best known bound it came, and how soon.

    Returns
    -------
    pandas.DataFrame
        ``method``; ``cases`` that it has a run on; ``median_gap`` of these to the best known bound; ``within_0.01`` and
        so on, how many of all cases it came so near to, where one without a run is none; means of ``primal_integral``
        and ``dual_integral``, seconds; ``optimal``, cases whose layers it proved optimal, all of them; ``failed``, runs
        in which something went wrong, and errors instead of runs; ``idle``, runs in which the solver of the whole model
        gave neither a better plan nor a better bound than it was given, failures among them (missing for other
        methods).
    """
    import pandas as pd

    rows = []
    for method in dict.fromkeys([*(run.method for run in runs), *(item.method for item in failed)]):
        own = [run for run in runs if run.method == method]
        gaps = [run.gap_to(Best.of(run.case, runs).bound) for run in own]
        found = [measures(run, runs) for run in own]
        row: dict[str, Any] = {"method": method, "cases": len(own), "median_gap": float(median(gaps)) if own else nan}
        for level in LEVELS:
            row[f"within_{level:g}"] = sum(gap <= level for gap in gaps)
        for name in ("primal_integral", "dual_integral"):
            row[name] = mean([measure[name] for measure in found]) if own else nan
        row["optimal"] = sum(run.solution.status == "optimal" for run in own)
        row["failed"] = sum(bool(run.failures) for run in own) + sum(item.method == method for item in failed)
        row["idle"] = sum(run.solver_idle for run in own) if method in PROGRAM_METHODS else None
        rows.append(row)
    return pd.DataFrame(rows)


def ahead(runs: Sequence[Run], method: str, title: Callable[[str], str] = str) -> list[str]:
    """Sentences on where somebody else ends with a better plan or a better bound than `method`, by how much.

    `title` turns names of methods into words.
    """
    own = [run for run in runs if run.method == method]
    if not own:
        return [f"{title(method)} has no run."]
    cases = len({run.case.name for run in runs})
    where = "any case" if len(own) == cases else f"any of the {len(own)} of {cases} cases that it has a run on"
    plans = _better(own, runs, lambda mine, theirs: relative_gap(value_of(mine), value_of(theirs)))
    bounds = _better(own, runs, lambda mine, theirs: relative_gap(bound_of(theirs), bound_of(mine)))
    sentences = []
    for word, better in (("plan", plans), ("bound", bounds)):
        others = {name: cases for name, cases in better.items() if name != LIBRARY}
        if not others:
            sentences.append(f"No other method ends with a better {word} than {title(method)} on {where}.")
        for name, led in others.items():
            leads = ", ".join(f"{case} ({percent(by)})" for case, by in led)
            sentences.append(f"{title(name)}: a better {word} than {title(method)} on {leads}.")
    if any(run.case.known is not None for run in own):
        counts = [len(better.get(LIBRARY, ())) for better in (plans, bounds)]
        sentences.append(
            f"The library, from longer runs: a better plan than {title(method)} on {counts[0]} of {len(own)} cases, "
            f"a better bound on {counts[1]}."
        )
    return sentences


def better_than_the_library(runs: Sequence[Run]) -> list[str]:
    """Names of cases of which a run knows a better plan or a better bound than the library."""
    names = {
        run.case.name: None
        for run in runs
        if (known := run.case.known) is not None and (run.value < value_of(known) or run.lower_bound > bound_of(known))
    }
    return list(names)


def _better(
    own: Sequence[Run], runs: Sequence[Run], lead: Callable[[Solution, Solution], Fraction]
) -> dict[str, list[tuple[str, Fraction]]]:
    """Cases by whoever leads on them, with the lead, the widest first."""
    found: dict[str, list[tuple[str, Fraction]]] = {}
    for run in own:
        for name, solution in rivals(run.case, runs):
            by = lead(run.solution, solution)
            if by > 0:
                found.setdefault(name, []).append((run.case.name, by))
    return {name: sorted(cases, key=lambda item: -item[1]) for name, cases in found.items()}
