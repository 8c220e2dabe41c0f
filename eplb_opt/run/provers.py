"""Provers: when a layer goes from search to proofs, and to which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from eplb_opt.bounds.methods import PAIRING, PARTITION, WINDOWS
from eplb_opt.formulations.program import program_size
from eplb_opt.incumbent import Incumbent
from eplb_opt.run.step import SEARCH
from eplb_opt.run.tally import NARROW, Tally

if TYPE_CHECKING:
    from eplb_opt.run.annealing_runs import AnnealingRuns

# Search steps in a row without a better plan after which proving has its turn, doubled each time.
_PATIENCE = 3
# Where the gap is narrow search is left more time.
_NARROW_PATIENCE = 50
# Whole models this small are worth their time: beyond, their bounds stay where the instant bounds are.
_WORTHWHILE_VARIABLES = 2_000


class Prover(Protocol):
    """Says when a layer is to be proven, and by which method: which kinds of steps would be of use now, best first."""

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """Kinds of steps: ``"search"``, or names of methods that prove. Empty: none is."""


@dataclass(frozen=True)
class NoProver:
    """Search alone."""

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """Search, whatever was done."""
        return (SEARCH,)


@dataclass(frozen=True)
class WholeModel:
    """One program of the whole model, and nothing else."""

    method: str

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """The program, once."""
        return () if tally.proofs else (self.method,)


@dataclass(frozen=True)
class NodesBetweenRuns:
    """Nodes one by one after each run of a search, where the hottest window of the hottest node counts."""

    runs: AnnealingRuns

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """Search; between two runs the partition."""
        return (PARTITION,) if self.runs.between_runs and tally.proofs < self.runs.runs else (SEARCH,)


@dataclass(frozen=True)
class WindowsBesideRuns:
    """All windows at once, in turn with runs of a search, and beside it where a worker is free."""

    runs: AnnealingRuns

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """A proof after each run that is done, and search, which in turn with proofs has as much work as they had."""
        if tally.proofs >= self.runs.runs:
            return (SEARCH,)
        return (SEARCH, WINDOWS) if tally.search_is_behind else (WINDOWS, SEARCH)


@dataclass(frozen=True)
class PairsAfterSearch:
    """Two slots per GPU: pairs prove, and search in between or instead.

    So a search beside them has nothing to give, but to a small layer while its first proof waits for a worker process.
    """

    incumbent: Incumbent

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """Pairs, once a search was in vain."""
        if not tally.proofs and not tally.fruitless:
            return (SEARCH,)
        return (PAIRING, SEARCH) if tally.proofs < 2 and is_small(self.incumbent) else (PAIRING,)


@dataclass(frozen=True)
class ProofsBesideSearch:
    """The method that fits the layer, in turn with the whole model where that is small, and search.

    `in_slices`: the method gives way to search again and again.
    """

    incumbent: Incumbent
    method: str
    in_slices: bool

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """A proof first, once searches were in vain for long."""
        proof = "cpsat" if is_small(self.incumbent) and not tally.proofs % 2 else self.method
        if tally.fruitless >= self._patience(tally):
            return (proof, SEARCH)
        # Programs that run but once begin when search has done its part. And many a layer is done after a few searches:
        # no worker process need be started for it.
        alone = not self.in_slices or tally.steps[SEARCH] < _PATIENCE
        return (SEARCH,) if alone else (SEARCH, proof)

    def _patience(self, tally: Tally) -> int:
        """Fruitless searches before the next program: none where that takes no longer than a search."""
        small = is_small(self.incumbent)
        if small and not tally.proofs:
            return 0
        narrow = self.incumbent.gap <= NARROW and not small
        return int((_NARROW_PATIENCE if narrow else _PATIENCE) * 2 ** min(tally.proofs, 20))


@dataclass(frozen=True)
class ProgramBesideSearch:
    """The whole model in turn with search, where it is small: ever longer, after ever more searches in vain."""

    incumbent: Incumbent

    def wanted(self, tally: Tally) -> tuple[str, ...]:
        """The program first, once searches were in vain for long."""
        if not is_small(self.incumbent) or tally.fruitless < _PATIENCE * 2 ** min(tally.proofs, 20):
            return (SEARCH,)
        return ("cpsat", SEARCH)


def is_small(incumbent: Incumbent) -> bool:
    """Whether the whole model of a layer is worth its time."""
    return program_size(incumbent.instance, incumbent.value) <= _WORTHWHILE_VARIABLES
