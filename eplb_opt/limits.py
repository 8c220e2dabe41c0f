"""Limits: what a call and its solvers may use, and how much of it is left."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from time import monotonic


@dataclass(frozen=True)
class Limits:
    """What a solver may use.

    Attributes
    ----------
    seconds
        Wall-clock time.
    threads
        Solver threads.
    seed
        For the solver's own random choices.
    work
        Deterministic work limit in the solver's own unit, or ``None`` for the clock alone.
    """

    seconds: float
    threads: int = 1
    seed: int = 0
    work: float | None = None


class Meter:
    """Counts limits down over several runs of solvers."""

    def __init__(self, limits: Limits, whole: Meter | None = None) -> None:
        self._limits, self._whole = limits, whole
        self._deadline = monotonic() + limits.seconds
        self._work = limits.work

    def spend(self, work: float) -> None:
        """Count deterministic work that was done."""
        if self._work is not None:
            self._work -= work
        if self._whole is not None:
            self._whole.spend(work)

    @property
    def exhausted(self) -> bool:
        """Whether time or work is used up."""
        return monotonic() >= self._deadline or (self._work is not None and self._work <= 0)

    @property
    def spent(self) -> float:
        """Work that was done, or seconds since the beginning where work is not limited."""
        if self._limits.work is not None and self._work is not None:
            return self._limits.work - self._work
        return self._limits.seconds - (self._deadline - monotonic())

    def left(self, share: float = 1.0) -> Limits:
        """Limits of a run that may use a share of what is left."""
        seconds = share * max(0.0, self._deadline - monotonic())
        work = None if self._work is None else share * max(0.0, self._work)
        return Limits(seconds, self._limits.threads, self._limits.seed, work)

    def part(self, share: float = 1.0, most: float = inf) -> Meter:
        """A meter for a share of what is left, at most `most` seconds; what it counts is counted here as well.

        Where work is limited, it is work that is at most `most`: the clock must not decide anything then.
        """
        limits = self.left(share)
        if limits.work is None:
            return Meter(replace(limits, seconds=min(limits.seconds, most)), self)
        return Meter(replace(limits, work=min(limits.work, most)), self)


@dataclass(frozen=True)
class CallLimits:
    """What a call of `eplb_opt.solve` may use.

    Attributes
    ----------
    began
        Monotonic time at which the call began.
    seconds
        The time limit; where `deterministic`, every layer has an equal share of it in work.
    target_gap
        A layer whose gap is at most this is done.
    seed, workers, deterministic
        As in `eplb_opt.solve`.
    """

    began: float
    seconds: float
    target_gap: Fraction
    seed: int
    workers: int
    deterministic: bool

    @property
    def left(self) -> float:
        """Seconds until the time limit."""
        return max(0.0, self.began + self.seconds - monotonic())


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
