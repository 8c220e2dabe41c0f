"""Markdown: one table of cases with the methods side by side, as it stands in a README."""

from __future__ import annotations

import os
from collections.abc import Sequence

from eplb_opt.bench.run import Run
from eplb_opt.bench.suite import Case
from eplb_opt.bench.table import best_bound, versions
from eplb_opt.solution import percent

_METHOD_TITLES = {
    "greedy": "published greedy",
    "search": "local search",
    "cpsat": "whole model (CP-SAT)",
    "pulp:HiGHS": "whole model (HiGHS)",
    "pulp:COIN_CMD": "whole model (CBC)",
    "auto": "eplb_opt",
}


def markdown(runs: Sequence[Run], command: str) -> str:
    """How the runs were made, and a row per case: the imbalance of each method and the best bound of any.

    Optimal layers, worst gap and seconds are those of the last method. A case that was interrupted before the last
    method had run is left out.
    """
    methods = list(dict.fromkeys(run.method for run in runs))
    last = methods[-1]
    by_case: dict[str, dict[str, Run]] = {}
    for run in runs:
        by_case.setdefault(run.case.name, {})[run.method] = run
    finished = [of_case for of_case in by_case.values() if len(of_case) == len(methods)]
    common = _common_facts([of_case[last].case for of_case in finished])
    titles = [_METHOD_TITLES.get(method, method) for method in methods]
    header = [_cell(", ".join(common) or "case"), *titles, "proven bound", "optimal layers", "worst gap", "seconds"]
    lines = [_row(header), _row(["---", *["---:"] * (len(header) - 1)])]
    for of_case in finished:
        run = of_case[last]
        cells = [_cell(", ".join([run.case.family, *_facts(run.case, without=common)]))]
        cells += [f"{float(of_case[method].imbalance):.6f}" for method in methods]
        cells += [f"{float(best_bound(run, runs)):.6f}", f"{run.layers_optimal} of {len(run.gaps)}"]
        cells += [percent(max(run.gaps)), f"{run.seconds:.1f}"]
        lines.append(_row(cells))
    return "\n".join([_preamble(command, _METHOD_TITLES.get(last, last)), "", *lines]) + "\n"


def _preamble(command: str, last: str) -> str:
    made_by = ", ".join(f"{name} {version}" for name, version in versions().items())
    return (
        f"`{command}`: {made_by}, {os.cpu_count()} cores.\n"
        "Max load / mean load of the hottest GPU, all layers together (1 is perfect balance); the proven bound is the "
        f"best of any method; optimal layers, worst gap of a layer and seconds are those of {last}."
    )


def _common_facts(cases: Sequence[Case]) -> list[str]:
    """Facts that hold for all cases, so that rows need not repeat them."""
    first, *others = (_facts(case) for case in cases)
    return [fact for fact in first if all(fact in facts for facts in others)]


def _facts(case: Case, without: Sequence[str] = ()) -> list[str]:
    layers, deployment = case.loads.num_layers, case.deployment
    nodes = f" on {deployment.num_nodes} nodes, {deployment.num_groups} groups" if deployment.hierarchical else ""
    facts = [
        f"{layers} layer{'s' * (layers > 1)}",
        f"{case.loads.num_experts} experts",
        f"{deployment.num_slots} slots",
        f"{deployment.num_gpus} GPUs{nodes}",
    ]
    return [fact for fact in facts if fact not in without]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
