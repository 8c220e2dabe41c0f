"""Attack on re-planning: bounds for few moves against every placement of tiny layers, and the rows that search finds.

``python -m tests.attack_replans --instances 20000 --seed 1`` says how many layers and bounds were looked at, and fails
with the first violation.
"""

from __future__ import annotations

import argparse
from collections import Counter
from fractions import Fraction
from threading import Event
from time import monotonic

import numpy as np

from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.few_moves import OldRow
from eplb_opt.errors import InvalidPlanError
from eplb_opt.objective import Objective
from eplb_opt.plan import Plan
from eplb_opt.replanning.frontier import Frontier
from eplb_opt.replanning.goals import FewestMoves
from eplb_opt.replanning.repair import repaired
from eplb_opt.replanning.search import Search
from eplb_opt.verify import objective_value, verify
from tests import moves_different_gpus, moves_oracle
from tests.moves_oracle import fewest_moves
from tests.random_replans import Replan, random_replans


def old_row(case: Replan) -> tuple[OldRow, Fraction] | None:
    """What is searched, and what its unit is worth in the objective; nothing where there is no load."""
    instance, objective = Objective(case.objective).on(case.instance)
    if not any(instance.loaded_windows):
        return None
    of_one = case.objective != "total" and objective.kind == "hottest"
    return OldRow(instance, objective, np.array(case.old)), 1 / instance.mean_loads[0] if of_one else Fraction(1)


def frontier(case: Replan) -> dict[int, Fraction]:
    """The least value with at most so many moves, by moves, from every placement."""
    oracle = moves_oracle if case.instance.deployment.alike else moves_different_gpus
    return oracle.frontier(case.instance, case.old, case.objective)


def moves_of(row: list[int], case: Replan) -> int:
    """Moves of a row, by the definition."""
    deployment = case.instance.deployment
    if deployment.alike:
        return moves_oracle.row_moves(row, case.old, deployment.num_gpus)
    return moves_different_gpus.row_moves(row, case.old, deployment)


def attack(case: Replan, nodes: int = 8) -> Counter[str]:
    """Compare all bounds with the exact frontier; what was looked at, by kind."""
    found = old_row(case)
    if found is None:
        return Counter(empty=1)
    layer, unit = found
    curve, seen = frontier(case), Counter(layers=1)
    for moves, value in curve.items():
        proofs = [layer.proof([window.instant(moves) for window in layer.windows])]
        priced = [window.priced(moves, 10 * window.free.bound, nodes, lambda: False) for window in layer.windows]
        proofs += [layer.proof(priced)] if all(priced) else []
        for proof in proofs:
            seen[proof.argument] += 1
            assert proof.bound * unit <= value, (case, moves, proof, value)
            check_proof(proof, layer.instance, layer.objective, layer.limit(moves))
            seen["tight"] += proof.bound * unit == value
    return seen


def attack_search(case: Replan, seconds: float = 0.04) -> Counter[str]:
    """Search for the fewest moves to each value of the frontier; every row has the value and the moves that it says."""
    found = old_row(case)
    if found is None:
        return Counter(empty=1)
    layer, unit = found
    curve, seen = frontier(case), Counter(layers=1)
    for least in sorted(set(curve.values()))[:3]:
        kept = Frontier(layer)
        try:
            first = repaired(layer.before, layer.instance)
        except InvalidPlanError:
            return Counter(irreparable=1)
        # What is left of nodes has no groups that a row could break.
        if verify(Plan(first[None], case.instance.deployment, case.instance.num_experts)):
            return Counter(irreparable=1)
        kept.offer(first)
        Search([kept], FewestMoves([least / unit]), 0).run(monotonic() + seconds, 1, Event())
        for plan in kept.reached:
            row = Plan(plan.row[None], case.instance.deployment, case.instance.num_experts)
            assert not verify(row), (case, plan)
            assert plan.value * unit == objective_value(plan.row.tolist(), case.instance, case.objective), (case, plan)
            assert plan.moves == moves_of(plan.row.tolist(), case), (case, plan)
            assert plan.value * unit >= curve[plan.moves], (case, plan)
        fewest = fewest_moves(curve, least)
        assert kept.fewest_moves(least / unit) <= fewest, (case, least)
        plan = kept.within(least / unit)
        seen += Counter(searched=1, best=plan is not None and plan.moves == fewest)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    total: Counter[str] = Counter()
    for dispatch in (False, True):
        for random in (random_replans, moves_different_gpus.random_replans):
            for _, case in zip(range(options.instances // 4), random(options.seed, dispatch), strict=False):
                total += attack(case) + attack_search(case)
    print(dict(total))


if __name__ == "__main__":
    main()
