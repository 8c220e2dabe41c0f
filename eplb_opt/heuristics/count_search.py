"""Two slots per GPU: search for counts whose pairs have less above a limit, until they have nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from eplb_opt.heuristics.two_slots import pair_slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.kernels.compiler import Ints
from eplb_opt.kernels.pair_counts import MOST_CHOSEN, excess_of, new_states, reassign_counts
from eplb_opt.kernels.pair_groups import groups_of
from eplb_opt.limits import Meter

# Where the limit is at least, from the bound to the value of the plan, and sweeps in a row without less excess after
# which there is another one: higher ones are met sooner, and lower ones change more.
_LOWEST = 0.6
_PATIENCE = 300
# In seconds: for a sweep, and for a state of it. What of a limit is nothing.
_PER_SWEEP, _PER_STATE, _NOTHING = 1e-4, 1e-8, 1e-9


class CountSearch:
    """Counts that are better, group by group.

    Plans of a layer differ little in their max load, and most changes of counts make other pairs hot: the hottest pair
    says nothing of what is nearly right. So what counts is the excess of all pairs above a limit between bound and
    plan; with none there is a better plan. Some groups of experts whose slots share GPUs among themselves get the best
    counts that they can have together (`eplb_opt.kernels.pair_counts`), again and again; equal ones are taken too.

    Attributes
    ----------
    counts
        Where the search stands: with no more excess above the limit than the plan has.
    """

    def __init__(self, incumbent: Incumbent, seed: int) -> None:
        self._incumbent, self._random = incumbent, np.random.default_rng(seed % 2**64)
        self._loads, self._states = incumbent.instance.kernel_loads, new_states()
        self._value: Fraction | None = None
        self.counts: Ints = np.empty(0, dtype=np.int64)
        self._limit, self._excess, self._vain = 0.0, 0.0, 0

    def run(self, meter: Meter) -> None:
        """Offer better plans until the gap is small enough, within the limits."""
        incumbent = self._incumbent
        best = np.empty(incumbent.instance.num_experts, dtype=np.int64)
        while not incumbent.closed and not meter.exhausted:
            if incumbent.value != self._value:
                self._begin()
            nothing = _NOTHING * self._limit
            budget, most = self._excess + nothing, incumbent.instance.max_replicas
            arguments = (self._loads, self.counts, self._chosen(), self._limit, budget, most, self._states, best)
            found, seen = reassign_counts(*arguments)
            meter.spend(_PER_SWEEP + _PER_STATE * seen)
            self._vain = 0 if found < self._excess - nothing else self._vain + 1
            if found < budget:
                self.counts, self._excess = best.copy(), found
            if self._excess <= nothing:
                incumbent.offer_plan(pair_slots(incumbent.instance, self.counts.tolist()), "pair counts")
            if self._vain >= _PATIENCE:
                self._aim(self.counts)

    def _begin(self) -> None:
        """A better plan is known: go on from it, or from what is better at the next limit."""
        self._value = self._incumbent.value
        self._aim(np.bincount(self._incumbent.slots, minlength=self._loads.size))

    def _aim(self, counts: Ints) -> None:
        """Another limit, at random, and of these counts and the own the better ones."""
        instance = self._incumbent.instance
        value, bound = instance.kernel_value(self._incumbent.value), instance.kernel_value(self._incumbent.bound)
        limit = bound + (_LOWEST + (1 - _LOWEST) * self._random.random()) * (value - bound)
        own = excess_of(self._loads, self.counts, limit) if self.counts.size else np.inf
        other = excess_of(self._loads, counts, limit)
        if other <= own:
            self.counts = counts
        self._limit, self._excess, self._vain = limit, min(own, other), 0

    def _chosen(self) -> Ints:
        """Experts of some groups at random, as many as one sweep can do."""
        groups = groups_of(self._loads, self.counts, self._limit)
        sizes = np.bincount(groups, minlength=groups.size)
        order = self._random.permutation(np.flatnonzero(sizes))
        chosen, left = np.zeros(groups.size, dtype=np.bool_), MOST_CHOSEN
        for group in order.tolist():
            if sizes[group] <= left:
                chosen[group], left = True, left - int(sizes[group])
        return np.flatnonzero(chosen[groups])
