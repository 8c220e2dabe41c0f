"""Markdown: a table of methods, where rivals end ahead, and a table of cases, as they stand in a README."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from statistics import median

from eplb_opt.bench.best import Best
from eplb_opt.bench.curves import LEVELS
from eplb_opt.bench.run import LeftOut, Run
from eplb_opt.bench.standings import ahead, failed_on, finished, standings
from eplb_opt.bench.suite import Case
from eplb_opt.bench.titles import REMARKS, title_of
from eplb_opt.layer_solution import relative_gap
from eplb_opt.solution import percent


def markdown(outcomes: Sequence[Run | LeftOut], methods: Sequence[str], command: str) -> str:
    """How the runs were made; a row per method; on which cases somebody is ahead of the last one; a row per case.

    A case that not all methods are done with is left out.
    """
    runs = finished(outcomes, methods)
    without = [f"No run: {words}." for words in reasons(outcomes, title_of)]
    if not runs:
        return (
            "\n".join([f"`{command}`: no case with a run is finished.", *(f"\n- {words}" for words in without)]) + "\n"
        )
    cases = list({run.case.name: run.case for run in runs}.values())
    lines = [f"`{command}`: {runs[0].machine}.", ""]
    notes = [f"{title_of(method)}: {REMARKS[method]}." for method in methods if method in REMARKS]
    notes += [*ahead(runs, methods[-1], title_of), *without]
    lines += [
        *_methods(runs, failed_on(outcomes, runs), cases),
        "",
        *(f"- {note}" for note in notes),
        "",
        *_cases(runs, cases, methods),
    ]
    return "\n".join(lines) + "\n"


def reasons(outcomes: Sequence[Run | LeftOut], title: Callable[[str], str] = str) -> list[str]:
    """Why methods have no run, each reason once with its cases; `title` turns names of methods into words."""
    cases: dict[tuple[str, str], list[str]] = {}
    for item in (item for item in outcomes if isinstance(item, LeftOut)):
        cases.setdefault((title(item.method), item.reason), []).append(item.case.name)
    return [f"{name} on {', '.join(names)} ({reason})" for (name, reason), names in cases.items()]


def _methods(runs: Sequence[Run], failed: Sequence[LeftOut], cases: Sequence[Case]) -> list[str]:
    """What is counted, and the table of methods."""
    import pandas as pd

    within = [f"within {100 * level:g} %" for level in LEVELS]
    header = ["method", "cases", "median gap", *within, "primal integral", "dual integral"]
    header += ["optimal", "failed", "no progress"]
    lines = [
        "Gaps are those of the plans to the best bound that anybody has proven; integrals, in seconds, are means over "
        "the cases of a method, against the best plan that anybody knows. Failed: a program that was too large, a "
        "solver that crashed or contradicted a plan, or a function without a valid plan. No progress: the solver of "
        "the whole model gave neither a better plan nor a better bound than the greedy ones that it began with, "
        "failures among them.",
        "",
        _row(header),
        _row(["---", *["---:"] * (len(header) - 1)]),
    ]
    for row in standings(runs, failed).to_dict("records"):
        median_gap = percent(Fraction(row["median_gap"])) if row["cases"] else "-"
        cells = [_cell(title_of(row["method"])), str(row["cases"]), median_gap]
        cells += [f"{row[f'within_{level:g}']} of {len(cases)}" for level in LEVELS]
        cells += [f"{row[name]:.3f}" if row["cases"] else "-" for name in ("primal_integral", "dual_integral")]
        cells += [str(row["optimal"]), str(row["failed"]), "-" if pd.isna(row["idle"]) else f"{row['idle']:.0f}"]
        lines.append(_row(cells))
    return [*lines, _row(_best_known(runs, cases))]


def _best_known(runs: Sequence[Run], cases: Sequence[Case]) -> list[str]:
    """What the methods are held against: nobody comes within gaps that are open to everybody."""
    best = [Best.of(case, runs) for case in cases]
    gaps = [relative_gap(one.plan, one.bound) for one in best]
    within = [f"{sum(gap <= level for gap in gaps)} of {len(cases)}" for level in LEVELS]
    optimal = str(sum(gap == 0 for gap in gaps))
    return ["*best known*", str(len(cases)), percent(Fraction(median(gaps))), *within, "-", "-", optimal, "-", "-"]


def _cases(runs: Sequence[Run], cases: Sequence[Case], methods: Sequence[str]) -> list[str]:
    """What is shown, and the table of cases; optimal layers, worst gap and seconds are those of the last method."""
    common = _common_facts(cases)
    titles = [_cell(title_of(method)) for method in methods]
    header = [_cell(", ".join(common) or "case"), *titles, "proven bound", "optimal layers", "worst gap", "seconds"]
    lines = [
        "Max load / mean load of the hottest GPU, all layers together (1 is perfect balance), or the mean or worst of "
        "this over several windows; the proven bound is the best that anybody has; optimal layers, worst gap of a "
        f"layer to its own bound and seconds are those of {title_of(methods[-1])}.",
        "",
        _row(header),
        _row(["---", *["---:"] * (len(header) - 1)]),
    ]
    for case in cases:
        of_case = {run.method: run for run in runs if run.case is case}
        anybody = next(iter(of_case.values()))
        bound = anybody.as_imbalance(Best.of(case, runs).bound)
        cells = [_cell(", ".join([case.family, *_facts(case, without=common)]))]
        cells += [f"{float(of_case[method].imbalance):.6f}" if method in of_case else "-" for method in methods]
        cells += [f"{float(bound):.6f}", *_last(of_case.get(methods[-1]))]
        lines.append(_row(cells))
    return lines


def _last(run: Run | None) -> list[str]:
    if run is None:
        return ["-"] * 3
    return [f"{run.layers_optimal} of {len(run.gaps)}", percent(max(run.gaps)), f"{run.seconds:.1f}"]


def _common_facts(cases: Sequence[Case]) -> list[str]:
    """Facts that hold for all cases, so that rows need not repeat them."""
    first, *others = (_facts(case) for case in cases)
    return [fact for fact in first if all(fact in facts for facts in others)]


def _facts(case: Case, without: Sequence[str] = ()) -> list[str]:
    """Shape of a case in words; instances of a library are known by their names."""
    layers, windows, deployment = case.loads.num_layers, case.loads.num_windows, case.deployment
    nodes = f" on {deployment.num_nodes} nodes, {deployment.num_groups} groups" if deployment.hierarchical else ""
    facts = [
        f"{layers} layer{'s' * (layers > 1)}",
        f"{case.loads.num_experts} experts",
        f"{deployment.num_slots} slots",
        f"{deployment.num_gpus} GPUs{nodes}",
    ]
    if case.origin == "library":
        facts = []
    if windows > 1:
        facts.append(f"{case.objective} of {windows} windows")
    return [fact for fact in facts if fact not in without]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
