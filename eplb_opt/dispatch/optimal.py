"""Optimal: the split over replicas that makes the hottest GPU coolest.

LPLB (https://github.com/deepseek-ai/LPLB) and SGLang's ``--ep-dispatch-algorithm lp`` solve this linear program for
every batch. Here it is solved for every window, exactly: loads flow from experts to the GPUs that hold them, and a
minimum cut says what no split can do. If the experts of a set A are on the GPUs N(A) alone, some GPU carries at least
w(A) / |N(A)|. From the mean load on, the hottest GPU's load T is raised to what the minimum cut of the flow at T says,
until everything flows: T is then what the last cut proves, and what the flow reaches (the discrete Newton method of W.
Dinkelbach, Management Science 13, 492-498 (1967), https://doi.org/10.1287/mnsc.13.7.492).
"""

from __future__ import annotations

from fractions import Fraction

import networkx as nx  # type: ignore[import-untyped]
import numpy as np

from eplb_opt.dispatch.rule import Floats, Ints, Row, replicas
from eplb_opt.instance import Instance

_SOURCE, _SINK = "source", "sink"


class OptimalShares:
    """The linear program of each window by itself."""

    def gpu_loads(self, slots: Row, instance: Instance) -> list[list[Fraction]]:
        """Of one of the splits that are optimal."""
        return [_Split(slots, instance, window).gpu_loads() for window in instance.weights]

    def max_loads(self, slots: Row, instance: Instance) -> tuple[Fraction, ...]:
        """What the last cut proves, and the flow reaches."""
        return tuple(_Split(slots, instance, window).top * instance.unit for window in instance.weights)

    def slot_loads(self, slots: Row, loads: Floats, instance: Instance) -> None:
        """Open: several splits can be optimal."""
        return

    def rough_gpu_loads(self, slots: Row, loads: Floats, instance: Instance) -> Floats:
        """As exactly as `loads` are, of one of the splits that are optimal."""
        windows = Instance.from_loads(loads, instance.deployment)
        return np.array([[float(load) for load in window] for window in self.gpu_loads(slots, windows)])

    def cross_node_shares(self, slots: Row, instance: Instance) -> list[Fraction]:
        """Sources split alike, so one in so many nodes is served at home."""
        nodes = instance.deployment.num_nodes
        return [Fraction(nodes - 1, nodes) if loaded else Fraction(0) for loaded in instance.loaded_windows]


class _Split:
    """The best split of one window: the load `top` of its hottest GPU, in units of the instance, and its flow."""

    def __init__(self, slots: Row, instance: Instance, window: tuple[int, ...]) -> None:
        row = np.asarray(slots, dtype=np.int64)
        deployment = instance.deployment
        self.unit = instance.unit
        counts = np.bincount(row, minlength=instance.num_experts)
        # Several replicas on one GPU are one: the split between them does not matter.
        gpus_of = {int(row[places[0]]): _gpus(places, deployment.slots_per_gpu) for places in replicas(row)}
        self.alone = [0] * deployment.num_gpus
        for slot in np.flatnonzero(counts[row] == 1).tolist():
            self.alone[slot // deployment.slots_per_gpu] += window[row[slot]]
        self.window, self.gpus_of = window, gpus_of
        self.top = max(Fraction(max(self.alone)), Fraction(sum(window), deployment.num_gpus))
        self.flow: dict[object, dict[object, int]] = {}
        while (cut := self._cut()) is not None:
            self.top = cut

    def gpu_loads(self) -> list[Fraction]:
        """What each GPU carries, in tokens."""
        loads = [Fraction(load) for load in self.alone]
        for expert in self.gpus_of:
            for gpu, flow in self.flow.get(("expert", expert), {}).items():
                loads[gpu] += Fraction(flow, self.top.denominator)  # type: ignore[call-overload]
        return [load * self.unit for load in loads]

    def _cut(self) -> Fraction | None:
        """What the minimum cut at this top proves, where that is more; ``None`` where all loads flow."""
        graph = nx.DiGraph()
        steps = self.top.denominator
        for gpu, alone in enumerate(self.alone):
            graph.add_edge(gpu, _SINK, capacity=self.top.numerator - alone * steps)
        for expert, gpus in self.gpus_of.items():
            graph.add_edge(_SOURCE, ("expert", expert), capacity=self.window[expert] * steps)
            # Without a capacity: as much as there is.
            graph.add_edges_from((("expert", expert), gpu) for gpu in gpus)
        if not self.gpus_of:
            return None
        found, (hot, _) = self._minimum_cut(graph)
        experts = [expert for expert in self.gpus_of if ("expert", expert) in hot]
        if found == sum(self.window[expert] for expert in self.gpus_of) * steps:
            return None
        reached = set().union(*(self.gpus_of[expert] for expert in experts))
        load = sum(self.window[expert] for expert in experts) + sum(self.alone[gpu] for gpu in reached)
        return Fraction(load, len(reached))

    def _minimum_cut(self, graph: nx.DiGraph) -> tuple[int, tuple[set[object], set[object]]]:
        value, self.flow = nx.maximum_flow(graph, _SOURCE, _SINK)
        # What can still be reached from the source is the set of a minimum cut.
        residual = nx.DiGraph()
        residual.add_node(_SOURCE)
        for one, other, capacity in graph.edges(data="capacity"):
            if capacity is None or self.flow[one][other] < capacity:
                residual.add_edge(one, other)
            if self.flow[one][other]:
                residual.add_edge(other, one)
        hot = nx.descendants(residual, _SOURCE) | {_SOURCE}
        return value, (hot, set(graph) - hot)


def _gpus(places: Ints, slots_per_gpu: int) -> frozenset[int]:
    return frozenset((places // slots_per_gpu).tolist())


RULE = OptimalShares()
