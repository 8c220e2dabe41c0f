"""Search and proof in turn, over the layers of a model, until the goal is met or time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from math import inf
from threading import Event
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.few_moves import Ints, OldRow
from eplb_opt.heuristics.moving import annealed, descended, seconds_per_proposal, seconds_per_step
from eplb_opt.kernels.moving import Cooling
from eplb_opt.proof import Proof
from eplb_opt.replanning.frontier import Frontier, Reached
from eplb_opt.replanning.goals import Attempt, Goal
from eplb_opt.verify import max_loads

# Without a limit on moves they are dear at first; with one they cost next to nothing.
_TOLLS, _TEMPERATURES = (0.05, 1e-5), (0.01, 5e-7)
_LIMITED_TOLLS, _LIMITED_TEMPERATURES = (3e-3, 3e-4), (1e-2, 1e-4)
# Proposals of an annealing, and how many times more after each that found nothing, up to so many times.
_PROPOSALS, _MORE, _MOST = 40_000, 1.4, 30.0
# However little work is left.
_FEWEST = 1_000
# Rules under which loads that split evenly are what is there, or near it: a descent begins, and about so many of its
# rows are kept.
_EVEN, _ON_THE_WAY = ("even", "optimal"), 8
# Nodes of a first tree, and how many times more after each that was not enough.
_NODES, _MORE_NODES = 60, 4
# Prices of replicas that a program may have: larger ones take too long.
_LARGEST_PROGRAM = 40_000
# A bound is to be above a value by this part, so that a certificate can say so.
_ABOVE = Fraction(1, 10**5)
# A plan is looked for below a value by this part, so that floats do not miss it.
_BELOW = Fraction(1, 10**9)
# Attempts at once where work is limited.
_BLOCK = 16
# Where as many numbers of moves are open, roots of trees are looked at first.
_FEW = 4


class Tried(NamedTuple):
    """Rows that an attempt came to, and what it counts for in seconds where work is limited."""

    rows: list[Ints]
    work: float


class Bounded(NamedTuple):
    """No plan with at most so many moves has a smaller value than the proof says."""

    moves: int
    proof: Proof


@dataclass
class _Effort:
    """How hard a layer has been tried without success, in search and in proof."""

    fruitless: int = 0
    unproven: dict[tuple[int, Fraction], int] = field(default_factory=dict)


class Search:
    """A search for all layers at once, on some threads, as compiled code does not hold Python.

    Proofs run meanwhile in the thread that waits, one after another: HiGHS has one scheduler for the whole process.
    """

    def __init__(self, frontiers: Sequence[Frontier], goal: Goal, seed: int) -> None:
        self._frontiers, self._goal, self._seed = frontiers, goal, seed
        self._efforts = [_Effort() for _ in frontiers]
        self._next = 0

    def run_counted(self, work: float, workers: int, interrupt: Event) -> None:
        """The same as `run` for so many seconds as attempts and proofs count for, whatever the clock says.

        A turn tries layers in blocks, and then proves for as much as that was. No attempt learns of another in its
        block, and no proof of what the clock says, so that plans and bounds are the same for any number of workers.
        """
        with ThreadPoolExecutor(workers, "eplb_opt") as threads:
            turn, spent = 0, 1.0
            while spent and work > 0 and not interrupt.is_set():
                spent = self._counted_turn(turn, threads, work, interrupt.is_set)
                work, turn = work - spent, turn + 1

    def _counted_turn(
        self, turn: int, threads: ThreadPoolExecutor, work: float, interrupted: Callable[[], bool]
    ) -> float:
        """What it counts for; nothing where there was nothing to do."""
        attempts = [one for one in self._goal.attempts(self._frontiers, turn) if self._loaded(one)]
        spent = 0.0
        for start in range(0, len(attempts), _BLOCK):
            if spent >= work or interrupted():
                return spent
            block = attempts[start : start + _BLOCK]
            trying = partial(self._try, turn=turn, over=interrupted, most=(work - spent) / len(block))
            tried = list(threads.map(trying, block))
            self._learn(block, tried)
            spent += sum(one.work for one in tried)
        end = min(2 * spent, work) if attempts else work
        for one in self._refutations():
            self._next = one.layer
            if spent >= end or interrupted():
                break
            before = self._proving(one)
            self._accept(one, self._refute(one, interrupted))
            spent += self._proving(one) - before
        return spent

    def _proving(self, one: Attempt) -> float:
        """What proofs of a layer have counted for."""
        return sum(window.work for window in self._frontiers[one.layer].layer.windows)

    def run(self, deadline: float, workers: int, interrupt: Event) -> None:
        """Turns, in each of which every layer is tried once."""

        def over() -> bool:
            return monotonic() > deadline or interrupt.is_set()

        with ThreadPoolExecutor(workers, "eplb_opt") as threads:
            turn, left = 0, True
            while left and not over():
                left = self._turn(turn, threads, over)
                turn += 1

    def _turn(self, turn: int, threads: ThreadPoolExecutor, over: Callable[[], bool]) -> bool:
        """Whether there was anything to do."""
        attempts = [one for one in self._goal.attempts(self._frontiers, turn) if self._loaded(one)]
        rows = [threads.submit(self._try, one, turn, over) for one in attempts]
        refutations = self._refutations()
        for one in refutations:
            self._next = one.layer
            if over() or (rows and all(row.done() for row in rows)):
                break
            self._accept(one, self._refute(one, over))
        self._learn(attempts, [row.result() for row in rows])
        return bool(attempts or refutations)

    def _refutations(self) -> list[Attempt]:
        """What is to be proven, from where the turn before ended."""
        found = [one for one in self._goal.refutations(self._frontiers) if self._provable(one)]
        return sorted(found, key=lambda one: (one.layer < self._next, one.layer))

    def _try(self, attempt: Attempt, turn: int, over: Callable[[], bool], most: float = inf) -> Tried:
        """One descent, or one annealing, which counts for at most so many seconds."""
        if over():
            return Tried([], 0.0)
        frontier = self._frontiers[attempt.layer]
        plan, value = frontier.at(attempt.moves), attempt.value * (1 - _BELOW)
        if self._goal.begins(turn) and frontier.layer.instance.deployment.dispatch in _EVEN:
            return self._descend(frontier, attempt, targets(frontier.layer, value))
        start = frontier.reached[0] if plan is None or turn % 2 else plan
        wanted = targets(frontier.layer, value, plan if turn % 3 else None)
        rows, instance = (frontier.layer.before, start.row), frontier.layer.instance
        pace, seed = seconds_per_proposal(instance.num_windows), hash((self._seed, attempt.layer, turn))
        cooling = self._cooling(attempt, most / pace)
        row = annealed(instance, rows, wanted, attempt.moves, cooling, seed)
        return Tried([row], cooling.proposals * pace)

    def _descend(self, frontier: Frontier, attempt: Attempt, wanted: NDArray[np.float64]) -> Tried:
        """Some rows on the way of a steepest descent, the last one among them."""
        rows, instance = (frontier.layer.before, frontier.reached[0].row), frontier.layer.instance
        path = [row for _, row in descended(instance, rows, wanted, attempt.moves, rows[0].size)]
        return Tried(path[:: -max(1, len(path) // _ON_THE_WAY)], (1 + len(path)) * seconds_per_step(instance))

    def _cooling(self, attempt: Attempt, most: float) -> Cooling:
        more = min(_MORE ** self._efforts[attempt.layer].fruitless, _MOST)
        proposals = max(_FEWEST, round(min(most, _PROPOSALS * more)))
        if attempt.moves < len(self._frontiers[attempt.layer].layer.before):
            return Cooling(_LIMITED_TOLLS, _LIMITED_TEMPERATURES, proposals)
        return Cooling(_TOLLS, _TEMPERATURES, proposals)

    def _learn(self, attempts: Iterable[Attempt], found: Iterable[Tried]) -> None:
        for attempt, (rows, _) in zip(attempts, found, strict=True):
            if not rows:
                continue
            frontier, effort = self._frontiers[attempt.layer], self._efforts[attempt.layer]
            before = frontier.at(attempt.moves)
            for row in rows:
                frontier.offer(row)
            after = frontier.at(attempt.moves)
            better = after is not None and (before is None or after.value < before.value)
            effort.fruitless = 0 if better else effort.fruitless + 1

    def _loaded(self, attempt: Attempt) -> bool:
        return any(self._frontiers[attempt.layer].layer.instance.loaded_windows)

    def _provable(self, attempt: Attempt) -> bool:
        if not self._loaded(attempt):
            return False
        layer = self._frontiers[attempt.layer].layer
        deployment = layer.instance.deployment
        counts = layer.instance.max_replicas if deployment.dispatch == "even" else 1
        size = deployment.num_gpus * layer.instance.num_experts * counts
        tried = self._efforts[attempt.layer].unproven.get((attempt.moves, attempt.value), 0)
        return size <= _LARGEST_PROGRAM and tried < 3

    def _refute(self, attempt: Attempt, over: Callable[[], bool]) -> list[Bounded]:
        """Bounds for the moves of an attempt; of a first one for as many moves as the root of a tree refutes."""
        tried = self._efforts[attempt.layer].unproven.get((attempt.moves, attempt.value), 0)
        plan = self._frontiers[attempt.layer].within(attempt.value)
        if plan is None or tried or plan.moves - attempt.moves < _FEW:
            return self._prove(attempt, _NODES * _MORE_NODES**tried, over)
        found: list[Bounded] = []
        low, high, middle = attempt.moves, plan.moves, attempt.moves + (plan.moves - attempt.moves) * 7 // 8
        while low < high and not over():
            proven = self._prove(attempt._replace(moves=middle), 1, over)
            found += proven
            if proven and proven[0].proof.bound > attempt.value:
                low = middle + 1
            else:
                high = middle
            middle = (low + high) // 2
        return found

    def _prove(self, attempt: Attempt, nodes: int, over: Callable[[], bool]) -> list[Bounded]:
        layer, moves = self._frontiers[attempt.layer].layer, attempt.moves
        wanted = targets(layer, attempt.value * (1 + _ABOVE))
        proofs = []
        for window, target in zip(layer.windows, wanted, strict=True):
            (mean,) = window.instance.mean_loads
            priced = window.priced(moves, Fraction(target) * mean, nodes, over)
            proofs.append(priced if priced and priced.bound > window.instant(moves).bound else window.instant(moves))
        return [Bounded(moves, layer.proof(proofs))]

    def _accept(self, attempt: Attempt, found: Iterable[Bounded]) -> None:
        frontier, effort = self._frontiers[attempt.layer], self._efforts[attempt.layer]
        for bounded in found:
            frontier.prove(bounded.moves, bounded.proof)
        if frontier.proof(attempt.moves).bound <= attempt.value:
            key = (attempt.moves, attempt.value)
            effort.unproven[key] = effort.unproven.get(key, 0) + 1


def targets(layer: OldRow, value: Fraction, plan: Reached | None = None) -> NDArray[np.float64]:
    """Max loads of the windows, in mean loads of each, that come to a value in the unit of the search.

    Where their mean counts, each window is as much above its own bound, in parts of it; or, with a `plan`, in parts of
    what that is above it.
    """
    if len(layer.windows) == 1:
        return np.array([float(value / layer.instance.mean_loads[0])])
    if layer.objective.kind != "mean":
        return np.full(len(layer.windows), float(value))
    bounds = np.array([float(window.free.bound) for window in layer.windows])
    least = float(layer.proof([window.free for window in layer.windows]).bound)
    if plan is None or float(plan.value) <= least:
        return bounds * float(value) / least
    tops = [max_loads(plan.row.tolist(), window.instance)[0] for window in layer.windows]
    above = np.array([float(top) for top in tops]) - bounds
    spread: NDArray[np.float64] = bounds + above * (float(value) - least) / (float(plan.value) - least)
    return spread
