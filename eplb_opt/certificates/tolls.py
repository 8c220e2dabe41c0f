"""Tolls: what every plan pays for loads, slots and moves, at prices that no plan with so few moves can pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.parts import divided

# Loads are at most so many steps, a step costs at most so much, a slot or an arrival too: what replicas pay on so many
# GPUs fits 63 bits.
_MOST_STEPS, _MOST_PRICE, _MOST_TOLL, _MOST_GPUS = 2**30, 2**20, 2**50, 2**11
# In nanoseconds: for the price of a replica, and for a GPU of a part.
_PER_PRICE, _PER_GPU = 60, 500

Ints = NDArray[np.int64]


class _Row(NamedTuple):
    """Arrivals k of the GPUs obey ``tolls . k >= least``."""

    tolls: list[int]
    least: int


def refutes_by_tolls(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether no arrivals on the GPUs, so many in all, obey the rows: each part of all arrivals has one that it breaks.

    Prices are for a step of load, for a slot and for an arrival, on each GPU. Whatever the plan, each expert pays at
    least what it pays where that is cheapest, with any number of replicas. The loads of the GPUs are at most `top`,
    their slots are full, so that what is left has to be paid for arrivals: that is a row. Where GPUs differ, `top` is a
    load of its own on each, see `Layer.rooms`.
    """
    if layer.origin is None:
        raise CertificateError("tolls are about moves")
    before, moves = layer.origin
    sizes = [layer.slots_of(gpu) for gpu in range(layer.gpus)]
    held = np.zeros((layer.gpus, len(layer.loads)), dtype=bool)
    for gpu, expert in zip(np.repeat(np.arange(layer.gpus), sizes), before, strict=True):
        if expert >= 0:
            held[gpu, expert] = True
    steps = _Steps.of(layer, top, exact_value(argument["step"], ARGUMENT_DIGITS))
    rows: dict[int, _Row] = {}
    arrivals = (0,) * layer.gpus, tuple(min(size, moves) for size in sizes)
    for (place,), (least, most) in divided(argument["parts"], arrivals, limit):
        limit.spend(_PER_GPU * layer.gpus)
        if type(place) is not int or place < 0:
            raise CertificateError("the place of prices is no natural number")
        if place not in rows:
            rows[place] = _row(argument["prices"][place], layer, held, steps, limit)
        if not _breaks(rows[place], least, most, moves):
            return False
    return True


class _Steps(NamedTuple):
    """Loads in steps: of replicas, rounded down, shape ``(experts,)`` for each number of them, and what no GPU exceeds.

    Rounded down each, the loads of the slots of a GPU sum to no more than its largest load, rounded down. Where the
    split is not even, a GPU serves any part of an expert, so that its load is no whole number of steps, nor of units:
    then what it stays below is rounded up.
    """

    of_replica: list[Ints]
    tops: list[int]

    @classmethod
    def of(cls, layer: Layer, top: int, step: Fraction) -> _Steps:
        """A `step` is in tokens."""
        numerator, denominator = (step * layer.units_per_token).as_integer_ratio()
        rooms = layer.rooms(top)
        if numerator <= 0 or max(*rooms, *layer.loads) * denominator // numerator >= _MOST_STEPS:
            raise CertificateError("a step is too small")
        # Loads are multiples of all counts. Where the split is not even, one GPU can serve all of an expert.
        counts = range(1, layer.max_replicas + 1) if layer.even else range(1, 2)
        shares = [[load // count * denominator // numerator for load in layer.loads] for count in counts]
        if layer.even:
            tops = [room * denominator // numerator for room in rooms]
        else:
            tops = [-(-(room + 1) * denominator // numerator) for room in rooms]
        return cls([np.array(share, dtype=np.int64) for share in shares], tops)


def _row(
    prices: Sequence[Sequence[int]], layer: Layer, held: NDArray[np.bool_], steps: _Steps, limit: WorkLimit
) -> _Row:
    """The row that prices of steps, slots and arrivals come to, a number of each for each GPU."""
    numbers = [number for kind in prices for number in kind]
    loads, slots, arrivals = (list(kind) for kind in prices)
    if not all(type(number) is int and abs(number) < _MOST_TOLL for number in numbers) or max(loads) >= _MOST_PRICE:
        raise CertificateError("a price is no whole number, or too large")
    if {len(loads), len(slots), len(arrivals)} != {layer.gpus} or min(*loads, *arrivals) < 0:
        raise CertificateError("prices are negative, or not as many as GPUs")
    if not layer.even and min(slots) < 0:
        raise CertificateError("slots that pay are about an even split over replicas")
    limit.spend(_PER_PRICE * held.size * len(steps.of_replica))
    arrays = [np.array(kind, dtype=np.int64)[:, np.newaxis] for kind in (loads, slots, arrivals)]
    paid = _least_paid(steps.of_replica, held, arrays, layer.distinct or not layer.even)
    most = sum(price * top for price, top in zip(loads, steps.tops, strict=True))
    return _Row(arrivals, paid - most - sum(price * layer.slots_of(gpu) for gpu, price in enumerate(slots)))


def _least_paid(of_replica: Sequence[Ints], held: NDArray[np.bool_], prices: Sequence[Ints], distinct: bool) -> int:
    """What all experts pay at least: each where that is cheapest, as if it were alone.

    Of n replicas on some GPUs, the first on each pays for its arrival. Where they need not be distinct, others are
    taken for as cheap as the cheapest of all. Where the split is not even, the GPU that serves the expert most cheaply
    could serve all of it.
    """
    loads, slots, arrivals = prices
    options = []
    for count, shares in enumerate(of_replica, start=1):
        further = slots + loads * shares
        paid = np.cumsum(np.sort(further + np.where(held, 0, arrivals), axis=0), axis=0)
        if distinct:
            options.append(paid[count - 1])
        else:
            opened = np.arange(1, min(count, len(held)) + 1)[:, np.newaxis]
            options.append((paid[: len(opened)] + (count - opened) * further.min(axis=0)).min(axis=0))
    return sum(np.min(options, axis=0).tolist())


def _breaks(row: _Row, least: Sequence[int], most: Sequence[int], moves: int) -> bool:
    """Whether no arrivals within these, at most `moves` in all, obey a row: the dearest GPUs get what is left."""
    left = moves - sum(least)
    if left < 0 or any(low > high for low, high in zip(least, most, strict=True)):
        return True
    paid = sum(toll * low for toll, low in zip(row.tolls, least, strict=True))
    for toll, low, high in sorted(zip(row.tolls, least, most, strict=True), reverse=True):
        taken = min(left, high - low)
        paid += toll * taken
        left -= taken
    return paid < row.least
