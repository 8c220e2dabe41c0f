"""Patterns of slot loads that fit a GPU, and dual functions: weights under which no pattern exceeds a limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.kernels.compiler import Floats, Ints, compiled

# What one GPU's worth of dual values becomes in integers; sums over 100,000 slots stay below 2^63.
UNIT = 2**36


@dataclass(frozen=True)
class DualFunction:
    """Integer weights of buckets under which no pattern weighs more than `limit`.

    Loads are divided into buckets, rounded down, such that a GPU within the max load has buckets summing to at most
    `capacity`. A pattern is a multiset of at most `size` buckets with such a sum. So every GPU is a pattern, and all
    slots of a plan together weigh at most ``limit * GPUs``; this holds for every layer, whatever its loads.
    Source: dual feasible functions, e.g. F. Clautiaux, C. Alves and J. Valério de Carvalho, Annals of Operations
    Research 179, 317-342 (2010), https://doi.org/10.1007/s10479-008-0453-8.

    Attributes
    ----------
    size, capacity
        Slots of a GPU, and the largest sum of buckets.
    starts, weights
        A bucket weighs what the last of `starts` that is not above it weighs, and 0 below the first. Both increase.
    limit
        Weight of the heaviest pattern, by an integer dynamic program.
    """

    size: int
    capacity: int
    starts: NDArray[np.int64]
    weights: NDArray[np.int64]
    limit: int

    def rounded(self, capacity: int, heaviest: int) -> DualFunction:
        """The same weights for another capacity, in multiples such that a pattern weighs about `heaviest` at most."""
        # In Python's integers, as the products exceed 64 bits.
        weights = [weight * heaviest // max(1, self.limit) for weight in self.weights.tolist()]
        return Patterns.of_weights(self.size, capacity, self.starts, np.array(weights, dtype=np.int64)).dual

    def of(self, buckets: Ints) -> NDArray[np.int64]:
        """Weight of each bucket."""
        return np.concatenate(([0], self.weights))[np.searchsorted(self.starts, buckets, side="right")]


@dataclass(frozen=True)
class Patterns:
    """The heaviest patterns under given weights.

    Attributes
    ----------
    size, capacity, starts, weights
        As in `DualFunction`.
    best
        ``best[s, c]`` is the largest weight of at most s buckets that sum to at most c, for s below `size`.
    """

    size: int
    capacity: int
    starts: NDArray[np.int64]
    weights: NDArray[np.int64]
    best: NDArray[np.int64]

    @classmethod
    def of(cls, size: int, capacity: int, buckets: Ints, duals: Floats) -> Patterns:
        """From dual values of increasing `buckets`, at most `capacity`, each raised to the largest before it."""
        return cls.of_weights(size, capacity, buckets, np.floor(np.maximum(duals, 0.0) * UNIT).astype(np.int64))

    @classmethod
    def of_weights(cls, size: int, capacity: int, buckets: Ints, weights: Ints) -> Patterns:
        """From non-negative integer weights, each raised to the largest before it; no pattern holds other buckets."""
        raised = np.maximum.accumulate(weights[buckets <= capacity])
        steps = np.flatnonzero(np.diff(raised, prepend=0))
        starts, weights = buckets[steps], raised[steps]
        return cls(size, capacity, starts, weights, _heaviest_patterns(starts, weights, size, capacity))

    @property
    def dual(self) -> DualFunction:
        """The weights, with the limit that these patterns show."""
        limit = int(self.through(self.starts).max(initial=0))
        return DualFunction(self.size, self.capacity, self.starts, self.weights, limit)

    def through(self, buckets: Ints) -> NDArray[np.int64]:
        """The largest weight of a pattern that holds a bucket, for each of `buckets`."""
        weights = np.concatenate(([0], self.weights))[np.searchsorted(self.starts, buckets, side="right")]
        through: NDArray[np.int64] = weights + self.best[-1, self.capacity - buckets]
        return through

    def heaviest_through(self, bucket: int, choice: Ints) -> NDArray[np.int64]:
        """A heaviest pattern that holds `bucket`, as positions in `choice`, increasing buckets to fill up with.

        Of buckets that weigh the same, the others are as large as fits: such a pattern covers more.
        """
        return _trace(self.best, self.starts, self.weights, self.capacity, bucket, choice)


def load_kernels() -> None:
    """Compile the kernels of this module, or load them."""
    numbers = np.array([1, 2])
    Patterns.of_weights(2, 3, numbers, numbers).heaviest_through(1, numbers)
    least_weight(numbers[np.newaxis], numbers[:1], numbers[1:], 1)


@compiled
def _heaviest_patterns(buckets: Ints, weights: Ints, size: int, capacity: int) -> Ints:
    """`Patterns.best`, shape ``(size, capacity + 1)``, for increasing buckets and weights."""
    best = np.zeros((size, capacity + 1), dtype=np.int64)
    for s in range(1, size):
        before, row = best[s - 1], best[s]
        for c in range(capacity + 1):
            row[c] = before[c]
        for item in range(buckets.size):
            bucket, weight = buckets[item], weights[item]
            if s == 1:
                row[bucket:] = weight
                continue
            for c in range(capacity + 1 - bucket):
                row[bucket + c] = max(row[bucket + c], before[c] + weight)
    return best


@compiled
def _trace(best: Ints, starts: Ints, weights: Ints, capacity: int, bucket: int, choice: Ints) -> Ints:
    pattern = np.empty(best.shape[0], dtype=np.int64)
    pattern[0] = bucket
    length, left = 1, capacity - bucket
    for s in range(best.shape[0] - 1, 0, -1):
        if best[s, left] == best[s - 1, left]:
            continue
        for item in range(starts.size):
            if starts[item] <= left and best[s - 1, left - starts[item]] + weights[item] == best[s, left]:
                pattern[length] = starts[item]
                length, left = length + 1, left - starts[item]
                break
    positions = np.empty(length, dtype=np.int64)
    positions[0] = _last_within(choice, bucket)
    for place in range(1, length):
        positions[place] = _last_within(choice, pattern[place] + left)
        left -= choice[positions[place]] - pattern[place]
    return positions


@compiled
def _last_within(choice: Ints, most: int) -> int:
    """The position of the last of increasing buckets that is at most `most`."""
    begin, end = 0, choice.size
    while begin < end:
        middle = (begin + end) // 2
        if choice[middle] > most:
            end = middle
        else:
            begin = middle + 1
    return begin - 1


@compiled
def least_weight(weights: Ints, least: Ints, most: Ints, slots: int) -> int:
    """The least weight of counts within ``least .. most`` that sum to `slots`, by a dynamic program over experts.

    ``weights[e, q]`` is the weight of all replicas of e at count ``least[e] + q``. -1 if there are no such counts.
    """
    slack = slots - least.sum()
    if slack < 0:
        return -1
    infinite = np.iinfo(np.int64).max
    best = np.full(slack + 1, infinite)
    best[0] = 0
    for expert in range(least.size):
        new = np.full(slack + 1, infinite)
        for used in range(slack + 1):
            if best[used] == infinite:
                continue
            for more in range(min(most[expert] - least[expert], slack - used) + 1):
                value = best[used] + weights[expert, more]
                if value < new[used + more]:
                    new[used + more] = value
        best = new
    return best[slack] if best[slack] < infinite else -1
