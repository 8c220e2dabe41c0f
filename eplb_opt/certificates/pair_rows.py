"""Rows that the pairs of slots on GPUs obey, added up and rounded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer, Ranges

# Sums of so many counts, and numbers in them, that 64 bits hold; what all slots weigh in a sum of rows stays below.
_MOST_ITEMS, _MOST_NUMBER, MOST_SUM = 10**6, 2**62, 2**60


class PairRows:
    """Sums of rows for every item, an expert with a count that it can have, by increasing load of a slot.

    The items of a plan, one for each expert, weigh at most what the row says. Below, all replicas of an item together.
    """

    def __init__(self, layer: Layer, top: int, needed: Ranges) -> None:
        items = [
            (layer.loads[expert] // count, expert, count)
            for expert, (low, high) in enumerate(zip(*needed, strict=True))
            for count in range(low, high + 1)
        ]
        if len(items) > _MOST_ITEMS:
            raise CertificateError("there are too many counts")
        items.sort()
        self._layer, self._top = layer, top
        self._loads = [load for load, *_ in items]
        self._experts = np.array([expert for _, expert, _ in items], dtype=np.int64)
        self._counts = np.array([count for *_, count in items], dtype=np.int64)
        self._place = {(expert, count): place for place, (_, expert, count) in enumerate(items)}
        self._rounded: list[tuple[NDArray[np.int64], int]] = []

    def weight(self, weights: NDArray[np.int64], expert: int, count: int) -> int:
        """What an item weighs."""
        return int(weights[self._place[expert, count]])

    def add_rounded(self, row: Mapping[str, Any], divisor: int, margin: int) -> None:
        """Another row: a sum of rows, and of the number of slots, divided and rounded down.

        Less what each expert weighs at its base, one of its counts, which is the same for all plans; and more the
        margin for each expert. Then the weight of an item is rounded down, so items weigh no more than before, and what
        they weigh together is whole.
        """
        if not (0 < divisor < _MOST_NUMBER and 0 <= margin < MOST_SUM):
            raise CertificateError("the divisor or the margin of a rounded row is out of range")
        slots = int(row["slots"])
        weights, right = self.sum(row)
        if abs(slots) * self._layer.slots >= MOST_SUM:
            raise CertificateError("the number of slots has too large a multiplier")
        weights = weights + slots * self._counts
        bases = {int(expert): int(count) for expert, count in row["bases"]}
        grounds = np.zeros(len(self._layer.loads), dtype=np.int64)
        for expert in range(grounds.size):
            base = bases.get(expert, 1)
            if (expert, base) not in self._place:
                raise CertificateError(f"the base of expert {expert}, {base} replicas, is none of its counts")
            grounds[expert] = weights[self._place[expert, base]]
        right += slots * self._layer.slots - sum(grounds.tolist()) + margin * grounds.size
        self._rounded.append(((weights - grounds[self._experts] + margin) // divisor, right // divisor))

    def sum(self, terms: Mapping[str, Any]) -> tuple[NDArray[np.int64], int]:
        """What each item weighs in a sum of rows, and what no plan within `top` exceeds.

        ``"rows"`` are of an expert, a count and a multiplier. With v the load of a slot of that expert at that count:

        - 2 v > top: slots of at least v have different partners, of at most top - v. So slots of at least v, less
          those of at most top - v, are at most 0.
        - else, with distinct replicas: a slot above top - v shares no GPU with another one, nor with a replica of the
          expert. So the replicas, if they are as many as the count says, and slots above top - v are at most the GPUs.

        ``"cuts"`` are of the number of a rounded row, from 0, and a multiplier.
        """
        rows, cuts = _integers(terms["rows"], 3), _integers(terms["cuts"], 2)
        largest = self._layer.slots * sum(2 * multiplier for *_, multiplier in rows)
        largest += sum(int(np.abs(self._rounded[cut][0]).max()) * multiplier for cut, multiplier in cuts)
        if largest >= MOST_SUM:
            raise CertificateError("the multipliers of rows are too large")
        steps = np.zeros(len(self._loads) + 1, dtype=np.int64)
        alone = np.zeros(len(self._loads), dtype=np.int64)
        right = 0
        for expert, count, multiplier in rows:
            load = self._load(expert, count)
            steps[bisect_right(self._loads, self._top - load)] += multiplier
            if 2 * load > self._top:
                steps[0] -= multiplier
                steps[bisect_left(self._loads, load)] += multiplier
            elif self._layer.distinct:
                right += multiplier * self._layer.gpus
                if (expert, count) in self._place:
                    alone[self._place[expert, count]] += multiplier
            else:
                raise CertificateError("replicas that may share a GPU obey no row of a light slot")
        weights: NDArray[np.int64] = (np.cumsum(steps)[:-1] + alone) * self._counts
        for cut, multiplier in cuts:
            weights += multiplier * self._rounded[cut][0]
            right += multiplier * self._rounded[cut][1]
        return weights, right

    def _load(self, expert: int, count: int) -> int:
        if not (0 <= expert < len(self._layer.loads) and 1 <= count <= self._layer.max_replicas):
            raise CertificateError(f"there are no {count} replicas of an expert {expert}")
        return self._layer.loads[expert] // count


def _integers(rows: Sequence[Sequence[Any]], length: int) -> list[list[int]]:
    """Rows of so many integers, none of them negative."""
    integers = [[int(number) for number in row] for row in rows]
    if any(len(row) != length or min(row) < 0 for row in integers):
        raise CertificateError("a row has a negative number, or too many or too few")
    return integers
