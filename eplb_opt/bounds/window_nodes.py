"""Nodes that groups are bound to, where the mean over several windows counts: weights of replicas on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from eplb_opt.bounds.groups import GroupSet, group_sets, node_instance, partitions
from eplb_opt.bounds.methods import WINDOWS
from eplb_opt.bounds.window_regions import STEP, WindowRegions
from eplb_opt.bounds.windows import certificate_of, node_proofs
from eplb_opt.certificates.exact import exact_text
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import Meter
from eplb_opt.verify import weighted_mean

# Part of the limits for proofs: the checker needs the rest. And of it for one node in one partition.
_PROVING, _PART = 0.8, 0.25
# Where in the gap the next bound is asked for, and bounds nearer than which part of the gap are not told apart.
_NEXT, _RESOLUTION = Fraction(1, 4), Fraction(1, 50)

Lower = tuple[Fraction, ...]


def prove_by_window_nodes(incumbent: Incumbent, meter: Meter) -> None:
    """Better bounds on the mean over windows until the gap is small enough, within the limits.

    The incumbent has a plan, and each window a mean load of 1.
    """
    WindowNodes(incumbent, meter.part(_PROVING)).run()


class WindowNodes:
    """Raises the bound of a layer whose groups are bound to nodes, where the mean over windows counts.

    Is there a plan below some value? It has one partition of the groups over nodes, and its imbalances are at least the
    bounds of each window on each of these nodes. Where that leaves room, one of the nodes may have none: its GPUs carry
    no more than the imbalances of the layer, which `WindowRegions` refutes. So a node that is hot in one window counts
    where another one needs both windows.
    """

    def __init__(self, incumbent: Incumbent, meter: Meter) -> None:
        self._incumbent, self._meter = incumbent, meter
        layer = incumbent.instance
        self._random = np.random.default_rng(meter.left().seed)
        weights = layer.weights_of_loaded(incumbent.objective.window_weights)
        self._weights = tuple(weight / sum(weights, Fraction(0)) for weight in weights)
        windows = layer.windows()
        self._alone = {groups: node_proofs(windows, groups) for groups in group_sets(layer)}
        known = {partition: self._known(partition) for partition in partitions(layer)}
        # The weakest first: there a bound that cannot be proven fails.
        self._partitions = sorted(known.items(), key=lambda item: self._value(item[1]))
        self._regions: dict[tuple[GroupSet, Lower], WindowRegions] = {}

    def run(self) -> None:
        """Ask for bounds between the best one and the best plan, or what was not refuted."""
        incumbent, settled = self._incumbent, self._incumbent.value
        while not (incumbent.closed or self._meter.exhausted):
            if settled - incumbent.bound <= max(STEP, _RESOLUTION * (incumbent.value - incumbent.bound)):
                return
            asked = (incumbent.bound + _NEXT * (settled - incumbent.bound)) // STEP * STEP
            if asked <= incumbent.bound:
                return
            nodes = self._ask(asked)
            if nodes is None:
                settled = asked
            else:
                alone = [[list(groups), list(map(certificate_of, proofs))] for groups, proofs in self._alone.items()]
                evidence = {"argument": "window partition", "nodes": alone + nodes}
                incumbent.prove("window partition", asked, evidence=evidence)

    def _ask(self, asked: Fraction) -> list[list[Any]] | None:
        """For each partition that may be below a value, a node that shows that it is not; ``None``: one may be."""
        incumbent = self._incumbent
        likely = incumbent.windows.imbalances(incumbent.slots, incumbent.instance)
        found: list[list[Any]] = []
        refuted: set[tuple[GroupSet, Lower]] = set()
        for partition, lower in self._partitions:
            if self._value(lower) >= asked or any((groups, lower) in refuted for groups in partition):
                continue
            hottest = sorted(partition, key=lambda groups: -self._value([proof.bound for proof in self._alone[groups]]))
            for groups in hottest:
                parts = self._regions_of(groups, lower).refute(asked, likely, self._meter.part(_PART))
                if parts is not None:
                    said = {"argument": WINDOWS, "bound": str(asked), "lower": list(map(exact_text, lower)), **parts}
                    found.append([list(groups), said])
                    refuted.add((groups, lower))
                    break
            else:
                return None
        return found

    def _regions_of(self, groups: GroupSet, lower: Lower) -> WindowRegions:
        """What refutes a node in partitions where imbalances are at least so large; it keeps what it learned."""
        if (groups, lower) not in self._regions:
            layer = self._incumbent.instance
            total = Fraction(layer.deployment.num_gpus)
            node = node_instance(layer, groups)
            self._regions[groups, lower] = WindowRegions(node, lower, self._weights, total, self._random)
        return self._regions[groups, lower]

    def _known(self, partition: Sequence[GroupSet]) -> Lower:
        """What imbalances are at least if nodes take these groups: short numbers, and no less than the mean load."""
        columns = zip(*([proof.bound for proof in self._alone[groups]] for groups in partition), strict=True)
        return tuple(max(Fraction(1), max(column) // STEP * STEP) for column in columns)

    def _value(self, imbalances: Sequence[Fraction]) -> Fraction:
        return weighted_mean(list(zip(imbalances, self._weights, strict=True)))
