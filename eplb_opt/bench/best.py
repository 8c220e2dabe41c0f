"""Best: what is known of a case, by whoever found it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from eplb_opt.bench.run import Run
from eplb_opt.bench.suite import Case
from eplb_opt.solution import Solution

# Who else knows something of a case, next to the methods.
LIBRARY = "the library"


@dataclass(frozen=True)
class Best:
    """The best plan and the best bound of each layer of a case, summed over layers with load.

    What the case's library has found in longer runs counts: an integral or a gap against nothing but the runs at hand
    would flatter all of them where none comes near the optimum.
    """

    plan: Fraction
    bound: Fraction

    @classmethod
    def of(cls, case: Case, runs: Iterable[Run]) -> Best:
        """From runs on the case, others left aside, and its library."""
        layers = list(zip(*(solution.loaded_layers for _, solution in rivals(case, runs)), strict=True))
        return cls(
            sum((min(layer.objective for layer in same) for same in layers), Fraction(0)),
            sum((max(layer.lower_bound for layer in same) for same in layers), Fraction(0)),
        )


def rivals(case: Case, runs: Iterable[Run]) -> Iterator[tuple[str, Solution]]:
    """Everybody with a solution of the case, by name: methods, and the library last."""
    for run in runs:
        if run.case is case:
            yield run.method, run.solution
    if case.known is not None:
        yield LIBRARY, case.known
