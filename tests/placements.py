"""Every placement of a tiny deployment, so that the optima of thousands of layers are found at once and exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, islice, product
from math import comb, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from tests.dispatch import oracle
from tests.oracle import partitions

# Integers up to here, and their sums, are exact in floats.
EXACT = 2.0**53
# Values nearer to the best than this part are compared as fractions where floats round.
NEAR = 1e-9


class TooManyError(Exception):
    """More placements than asked for."""


class Placements:
    """All placements of `num_experts` experts, up to the names of GPUs and nodes where these do not matter.

    `copies` has shape ``(placements, GPUs, experts)``: replicas of an expert on a GPU. So has `shares`: what a GPU
    carries of an expert's load, times `factor`. Under the optimal split it has a row for each set of GPUs: what the
    mean of the set carries at least.
    """

    def __init__(self, deployment: Deployment, num_experts: int, most: int) -> None:
        copies = np.array(list(_placements(deployment, num_experts, most)), dtype=np.int64)
        if not len(copies):
            raise TooManyError
        self.gpus = deployment.num_gpus
        counts = copies.sum(axis=1, keepdims=True)
        self.factor = lcm(*range(1, int(counts.max()) + 1))
        self.copies = copies
        if deployment.dispatch == "even":
            self.shares = copies * (self.factor // counts)
            return
        # A part of a source, or of a set of GPUs.
        self.factor *= lcm(*range(1, self.gpus + 1))
        if deployment.dispatch == "optimal":
            tables = [_parts_of_sets(_row(placement), deployment, num_experts) for placement in copies.tolist()]
        else:
            ordered = list(islice(_ordered(copies.tolist(), deployment, most), most + 1))
            if len(ordered) > most:
                raise TooManyError
            self.copies = np.array(ordered)
            tables = [_parts_of_gpus(_row(placement), deployment, num_experts) for placement in ordered]
        self.shares = np.array([[[int(part * self.factor) for part in row] for row in table] for table in tables])

    def optima(self, loads: Iterable[NDArray[np.generic]], objective: str) -> list[Fraction]:
        """Optimum of each layer, whose loads have the shape ``(windows, experts)``.

        For ``"total"`` in tokens, of one window; for ``"mean"`` and ``"worst"`` an imbalance, in which windows without
        any load do not count.
        """
        return [
            self._optimum([[Fraction(load) for load in window.tolist()] for window in layer], objective)
            for layer in loads
        ]

    def _optimum(self, windows: list[list[Fraction]], objective: str) -> Fraction:
        windows = [window for window in windows if any(window) or objective == "total"]
        if not windows:
            return Fraction(1)
        units = lcm(*(load.denominator for window in windows for load in window))
        weights = [[int(load * units) for load in window] for window in windows]
        # (windows, placements)
        hottest = np.stack([self._hottest(window) for window in weights])
        if objective == "total":
            ((row,), (weight,)) = hottest, weights
            if sum(weight) * self.factor < EXACT:
                return Fraction(int(row.min()), self.factor * units)
        scales = [1 if objective == "total" else sum(window) for window in weights]
        values = hottest / np.array(scales, dtype=float)[:, np.newaxis]
        combined = values.mean(axis=0) if objective == "mean" else values.max(axis=0)
        near = np.flatnonzero(combined <= combined.min() * (1 + NEAR))
        best = min(self._exact(int(place), weights, scales, objective) for place in near)
        return best / (self.factor * units) if objective == "total" else best * self.gpus / self.factor

    def _hottest(self, weights: list[int]) -> NDArray[np.float64]:
        placements, gpus, experts = self.shares.shape
        flat = self.shares.reshape(-1, experts).astype(float) @ np.array(weights, dtype=float)
        return flat.reshape(placements, gpus).max(axis=1)

    def _exact(self, place: int, weights: list[list[int]], scales: list[int], objective: str) -> Fraction:
        rows = self.shares[place].tolist()
        values = [
            Fraction(max(sum(s * w for s, w in zip(row, window, strict=True)) for row in rows), scale)
            for window, scale in zip(weights, scales, strict=True)
        ]
        return sum(values, Fraction(0)) / len(values) if objective == "mean" else max(values)


def _row(placement: list[list[int]]) -> list[int]:
    """Expert of each slot."""
    return [expert for gpu in placement for expert, copies in enumerate(gpu) for _ in range(copies)]


def _ordered(placements: list[list[list[int]]], deployment: Deployment, most: int) -> Iterator[list[list[int]]]:
    """Placements with their GPUs in any order, which says what sources ask; of `most` and more just some."""
    size = deployment.gpus_per_node
    for placement in placements:
        blocks = [tuple(map(tuple, placement[start : start + size])) for start in range(0, len(placement), size)]
        for order in _orders(blocks):
            for gpus in product(*(list(islice(_orders(block), most + 1)) for block in order)):
                yield [list(gpu) for block in gpus for gpu in block]


def _orders(things: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """All orders of things, of which some may be the same, each once."""
    if not things:
        yield ()
    for place, thing in enumerate(things):
        if thing not in things[:place]:
            for others in _orders([*things[:place], *things[place + 1 :]]):
                yield (thing, *others)


def _parts_of_gpus(row: list[int], deployment: Deployment, num_experts: int) -> list[list[Fraction]]:
    """What each GPU carries of each expert's load."""
    if deployment.dispatch == "sglang-static":
        # Of the first layer that is drawn.
        asked = oracle.as_asked(oracle.drawn([row], num_experts, deployment)[0])
    else:
        asked = oracle.asked_of_each(row, num_experts, deployment)
    shares = oracle.shares(asked, deployment)
    table = [[Fraction(0)] * num_experts for _ in range(deployment.num_gpus)]
    for slot, (expert, share) in enumerate(zip(row, shares, strict=True)):
        table[oracle.gpu_of(slot, deployment)][expert] += share
    return table


def _parts_of_sets(row: list[int], deployment: Deployment, num_experts: int) -> list[list[Fraction]]:
    """What the mean GPU of each set carries of each expert's load at least, however it is split."""
    return [
        [Fraction(expert in experts, len(chosen)) for expert in range(num_experts)]
        for chosen, experts in oracle.sets_of_gpus(row, deployment)
    ]


def _placements(deployment: Deployment, num_experts: int, most: int) -> Iterator[list[list[int]]]:
    """Copies of each expert on each GPU, node after node."""
    nodes = deployment.num_nodes if deployment.hierarchical else 1
    groups = deployment.num_groups if deployment.hierarchical else 1
    gpus, size = deployment.num_gpus // nodes, deployment.slots_per_gpu
    per_node = num_experts // nodes
    ways = _ways(per_node, gpus, size, deployment.distinct, most)
    deals = list(islice(partitions(tuple(range(groups)), groups // nodes), most + 1))
    if len(ways) ** nodes * len(deals) > most:
        raise TooManyError
    each = num_experts // groups
    for deal in deals:
        experts = [[e for group in part for e in range(group * each, (group + 1) * each)] for part in deal]
        for chosen in product(ways, repeat=nodes):
            rows = []
            for members, gpus_of_node in zip(experts, chosen, strict=True):
                for filling in gpus_of_node:
                    row = [0] * num_experts
                    for slot in filling:
                        row[members[slot]] += 1
                    rows.append(row)
            yield rows


def _ways(num_experts: int, gpus: int, size: int, distinct: bool, most: int) -> list[tuple[tuple[int, ...], ...]]:
    """Fillings of the GPUs of a node with all its experts."""
    choose = combinations if distinct else combinations_with_replacement
    fillings = list(choose(range(num_experts), size))
    if comb(len(fillings) + gpus - 1, gpus) > 20 * most:
        raise TooManyError
    every = set(range(num_experts))
    return [way for way in combinations_with_replacement(fillings, gpus) if every == {e for gpu in way for e in gpu}]
