"""Rule: what the GPUs carry under a dispatch; and the arithmetic that rules of fixed shares have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import lcm
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.instance import Instance

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Row = Sequence[int] | Ints
# What may change places, with all that it holds, in a layer of any plan, so that its max loads are the same: GPUs
# (within binding nodes, and these nodes), whole nodes whose GPUs keep their order, or only slots of a GPU.
Alike = Literal["gpus", "nodes", "slots"]

# More than sums over the slots of a GPU lose in floats, relative to the sum.
_ROUNDING = 1e-9


class Rule(Protocol):
    """A dispatch: what a row of slots is worth under it. Rows are valid rows of a plan.

    The load of a GPU is what waits there, see `eplb_opt.gpus`: where GPUs differ in speed its tokens / its speed.
    """

    def alike(self, deployment: Deployment) -> Alike:
        """What may change places without a change of any max load."""

    def gpu_loads(self, slots: Row, instance: Instance) -> list[list[Fraction]]:
        """Exact load of each GPU in tokens, one list per window."""

    def max_loads(self, slots: Row, instance: Instance) -> tuple[Fraction, ...]:
        """Exact load of the hottest GPU in tokens, for each window."""

    def slot_loads(self, slots: Row, loads: Floats, instance: Instance) -> Floats | None:
        """Load of each slot, shape ``(windows, slots)``, for `loads` of shape ``(windows, experts)`` in any unit.

        ``None`` where the rule leaves that open.
        """

    def rough_gpu_loads(self, slots: Row, loads: Floats, instance: Instance) -> Floats:
        """Load of each GPU, shape ``(windows, gpus)``, for `loads` of shape ``(windows, experts)`` in any unit."""

    def cross_node_shares(self, slots: Row, instance: Instance) -> list[Fraction]:
        """Part of the load of each window that is served on another node than its source's; 0 without load."""


class Parts(NamedTuple):
    """Shares of a row in whole numbers: slot s has ``parts[s] / (base * replicas of its expert)``."""

    parts: Ints
    base: int


class Served(NamedTuple):
    """Who serves whom, of one expert with `n` replicas.

    Attributes
    ----------
    slots
        Where its replicas are, increasing, shape ``(n,)``.
    parts
        What source g asks of each, in n-ths of what it asks, shape ``(sources, n)``; rows sum to n.
    """

    slots: Ints
    parts: Ints


ServedBy = Callable[[Ints, Instance], Iterator[Served]]


class FixedShares:
    """A rule whose shares follow from the plan alone.

    `served` yields who serves whom, for each expert of a row that has several replicas; `alike` is `Rule.alike`.
    """

    def __init__(self, served: ServedBy, alike: Callable[[Deployment], Alike]) -> None:
        self._served = served
        self.alike = alike

    def parts(self, slots: Ints, instance: Instance) -> Parts:
        """Shares of a row; the only replica of an expert serves all sources."""
        sources = instance.deployment.num_gpus
        parts = np.full(len(slots), sources, dtype=np.int64)
        for served in self._served(slots, instance):
            parts[served.slots] = served.parts.sum(axis=0)
        return Parts(parts, sources)

    def gpu_loads(self, slots: Row, instance: Instance) -> list[list[Fraction]]:
        """Integers over the least common multiple of the counts keep it exact."""
        row = np.asarray(slots, dtype=np.int64)
        parts, base = self.parts(row, instance)
        counts = np.bincount(row, minlength=instance.num_experts)
        multiple = lcm(*counts[row].tolist())
        scaled = [int(part) * (multiple // int(count)) for part, count in zip(parts, counts[row], strict=True)]
        gpus = instance.deployment.gpus
        spans = [gpus.span(gpu) for gpu in range(len(gpus.slots))]
        loads = []
        for window in instance.weights:
            carried = [window[expert] * part for expert, part in zip(row.tolist(), scaled, strict=True)]
            sums = (sum(carried[span.start : span.stop]) for span in spans)
            loads.append(gpus.waiting(total * instance.unit / (multiple * base) for total in sums))
        return loads

    def max_loads(self, slots: Row, instance: Instance) -> tuple[Fraction, ...]:
        """Floats tell which GPUs can be the hottest, with room for what rounding loses; these are summed exactly."""
        row = np.asarray(slots, dtype=np.int64)
        parts, base = self.parts(row, instance)
        counts = np.bincount(row, minlength=instance.num_experts)
        gpus, of_slot = instance.deployment.gpus, counts[row]
        rough = instance.rough_weights[:, row] * (parts / of_slot)
        tops = []
        for window, carried in zip(instance.weights, rough, strict=True):
            loads = gpus.rough_waiting(carried)
            near = np.flatnonzero(loads >= loads.max() * (1 - _ROUNDING)).tolist()
            spans = [slice(gpus.span(gpu).start, gpus.span(gpu).stop) for gpu in near]
            held = [(row[span].tolist(), of_slot[span].tolist(), parts[span].tolist()) for span in spans]
            multiple = lcm(*{count for _, copies, _ in held for count in copies})
            totals = (
                sum(window[expert] * (multiple // count) * part for expert, count, part in zip(*slots, strict=True))
                for slots in held
            )
            top = max(gpus.wait(gpu, total) for gpu, total in zip(near, totals, strict=True))
            tops.append(top * instance.unit / (multiple * base))
        return tuple(tops)

    def slot_loads(self, slots: Row, loads: Floats, instance: Instance) -> Floats:
        """Floats."""
        row = np.asarray(slots, dtype=np.int64)
        parts, base = self.parts(row, instance)
        carried: Floats = loads[:, row] * parts / (base * np.bincount(row, minlength=instance.num_experts)[row])
        return carried

    def rough_gpu_loads(self, slots: Row, loads: Floats, instance: Instance) -> Floats:
        """Sums over the slots of each GPU."""
        carried = self.slot_loads(slots, loads, instance)
        return instance.deployment.gpus.rough_waiting(carried)

    def cross_node_shares(self, slots: Row, instance: Instance) -> list[Fraction]:
        """Counted source by source."""
        row, sources = np.asarray(slots, dtype=np.int64), instance.deployment.num_gpus
        nodes = instance.deployment.num_nodes
        counts = np.bincount(row, minlength=instance.num_experts)
        # The only replica of an expert serves the sources of all other nodes.
        away = {int(expert): (sources - sources // nodes, sources) for expert in row[counts[row] == 1]}
        node_of_source = np.arange(sources) // instance.deployment.ranks_per_node
        for served in self._served(row, instance):
            gpu_of_replica = instance.deployment.gpus.of_slot[served.slots]
            node_of_replica = gpu_of_replica // instance.deployment.ranks_per_node
            far = int(served.parts[node_of_source[:, np.newaxis] != node_of_replica].sum())
            away[int(row[served.slots[0]])] = (far, sources * len(served.slots))
        return [
            sum((Fraction(window[e] * far, whole) for e, (far, whole) in away.items()), Fraction(0))
            / (sum(window) or 1)
            for window in instance.weights
        ]


def replicas(slots: Ints) -> Iterator[Ints]:
    """Slots of each expert of a row that has several replicas, increasing; experts in order."""
    order = np.argsort(slots, kind="stable")
    first = np.flatnonzero(np.diff(slots[order], prepend=-1))
    for places in np.split(order, first[1:]):
        if len(places) > 1:
            yield places
