"""Few moves: lower bounds on the objective of plans with at most so many moves from an old one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eplb_opt.acceptance import check_proof
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.tolls import TollProgram, toll_proofs
from eplb_opt.bounds.windows import proof_of_windows
from eplb_opt.instance import Instance
from eplb_opt.move_limit import MoveLimit
from eplb_opt.objective import Objective
from eplb_opt.proof import Proof, strongest
from eplb_opt.verify import gpu_loads

Ints = NDArray[np.int64]

# Bisection ends with so small a part of a mean load; floats round by much less than so small a part of it.
_MARGIN, _ROUNDING = 1e-7, 1e-9


@dataclass(frozen=True, eq=False)
class OldRow:
    """A layer of one window or several that is planned from an old row of slots.

    Attributes
    ----------
    instance, objective
        What is searched, see `eplb_opt.objective.Objective.on`.
    before
        Expert in each slot, -1 where one was empty, shape ``(slots,)``.
    """

    instance: Instance
    objective: Objective
    before: Ints

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """Each window by itself; of several, each in mean loads of its own."""
        if self.instance.num_windows == 1:
            return (Window(self.instance, self.before),)
        return tuple(Window(window.in_mean_loads(), self.before) for window in self.instance.windows())

    @cached_property
    def missing(self) -> int:
        """Experts that no GPU holds: each has to move."""
        return self.instance.num_experts - np.unique(self.before[self.before >= 0]).size

    def limit(self, moves: int) -> MoveLimit:
        """Plans with at most so many moves."""
        return MoveLimit(tuple(self.before.tolist()), moves)

    def proof(self, of_windows: Sequence[Proof]) -> Proof:
        """A bound on the objective from one for each window."""
        if len(self.windows) == 1:
            return of_windows[0]
        weights = self.objective.window_weights or (Fraction(1),) * len(self.windows)
        return proof_of_windows(of_windows, None if self.objective.kind == "worst" else weights)


@dataclass(frozen=True, eq=False)
class Window:
    """One window of a layer that is planned from an old row of slots."""

    instance: Instance
    before: Ints

    @cached_property
    def free(self) -> Proof:
        """The best instant bound on all plans."""
        return strongest(*quick_bounds(self.instance))

    @cached_property
    def touched(self) -> tuple[Fraction, ...]:
        """Bounds of ``"touched"`` for 0, 1, ... moves, while they say anything: see `eplb_opt.certificates.touched`.

        Where replicas are not distinct, not evenly loaded, or the old row is no plan, they say nothing.
        """
        deployment, experts = self.instance.deployment, self.instance.num_experts
        counts = np.bincount(self.before[self.before >= 0], minlength=experts)
        pairs = np.unique(deployment.gpus.of_slot * experts + self.before)
        if not (
            any(self.instance.loaded_windows)
            and deployment.distinct
            and deployment.dispatch == "even"
            and counts.all()
            and self.before.min() >= 0
            and pairs.size == self.before.size
        ):
            return ()
        return tuple(_touched(self.instance, self.before, counts))

    def instant(self, moves: int) -> Proof:
        """The best bound for at most so many moves that takes no time."""
        if moves < len(self.touched) and self.touched[moves] > self.free.bound:
            return Proof("touched", self.touched[moves], checked=True, evidence={"argument": "touched"})
        return self.free

    @cached_property
    def tolls(self) -> TollProgram:
        """The program of `eplb_opt.bounds.tolls`, with its columns."""
        return TollProgram(self.instance, self.before)

    @property
    def work(self) -> float:
        """Seconds that `priced` has counted for."""
        # A program that nobody has asked for yet is not made for that.
        return self.tolls.work if "tolls" in self.__dict__ else 0.0

    def priced(self, moves: int, enough: Fraction, nodes: int, over: Callable[[], bool]) -> Proof | None:
        """A bound for at most so many moves from branching on arrivals until it is `enough` tokens; checked."""
        (mean,) = self.instance.mean_loads
        tree = self.tolls.tree(moves, float(enough / mean), nodes, over)
        limit = MoveLimit(tuple(self.before.tolist()), moves)
        for proof in () if tree is None else toll_proofs(self.instance, tree):
            try:
                check_proof(proof, self.instance, Objective(), limit)
            except ValueError:
                continue
            return proof
        return None


def _touched(instance: Instance, before: Ints, counts: Ints) -> Iterator[Fraction]:
    """The largest bound that the argument gives, found by bisection, for 0, 1, ... moves while it is above the mean.

    In floats, and for 0 moves exactly; what is proven is what the checker accepts.
    """
    (exact,), (mean,), gpus = gpu_loads(before.tolist(), instance), instance.mean_loads, instance.deployment.gpus
    yield max(exact)
    waiting = np.array([float(load / mean) for load in exact])
    order = np.argsort(-waiting, kind="stable")
    hottest, speeds = waiting[order], np.array([float(gpus.speed(gpu)) for gpu in order.tolist()])
    loads = hottest * speeds
    weights = instance.tokens[0] / float(mean)
    more = np.where(counts > 1, weights / np.maximum(counts * (counts - 1.0), 1.0), np.inf)[before]
    more = np.minimum.reduceat(more, gpus.starts)[order]
    # Holders of the experts of the 1, 2, ... hottest GPUs, by expert; and how many so many moves reach.
    holds = np.zeros((loads.size, instance.num_experts), dtype=np.int64)
    holds[gpus.of_slot, before] = 1
    held = np.cumsum(holds[order], axis=0)
    hot_reach = np.cumsum(-np.sort(-held, axis=1), axis=1)
    all_reach = np.cumsum(-np.sort(-counts))

    def refuted(top: float, moves: int) -> bool:
        hot = int(np.searchsorted(-hottest, -top))
        if hot and (np.arange(1, hot + 1) > moves + hot_reach[:hot, moves - 1]).any():
            return True
        reach = min(loads.size, moves + int(all_reach[moves - 1]))
        spare = top * speeds - loads
        below = spare[hot:]
        room = below[more[hot:] <= below].sum() + np.sort(below)[below.size - max(0, reach - hot) :].sum()
        return bool(-spare[:hot].sum() > room)

    for moves in range(1, instance.num_experts):
        low, high = 1.0, float(hottest[0])
        if not refuted(low * (1 + _MARGIN), moves):
            return
        while high - low > _MARGIN:
            middle = (low + high) / 2
            low, high = (middle, high) if refuted(middle, moves) else (low, middle)
        yield Fraction(low * (1 - _ROUNDING)) * mean
