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

import numpy as np

from eplb_opt.deployment import Deployment
from eplb_opt.dispatch.flow import MaximumFlow
from eplb_opt.dispatch.rule import Alike, Floats, Row, replicas
from eplb_opt.instance import Instance


class OptimalShares:
    """The linear program of each window by itself."""

    def alike(self, deployment: Deployment) -> Alike:
        """GPUs: the program does not know their numbers."""
        return "gpus"

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
        gpu_of_slot = np.arange(len(row)) // deployment.slots_per_gpu
        self.alone = [0] * deployment.num_gpus
        for slot in np.flatnonzero(np.bincount(row)[row] == 1).tolist():
            self.alone[int(gpu_of_slot[slot])] += window[row[slot]]
        shared = [(window[row[places[0]]], gpu_of_slot[places]) for places in replicas(row)]
        self.loads = [load for load, _ in shared]
        # Several replicas on one GPU are one: the split between them does not matter.
        self.gpus_of = [tuple(dict.fromkeys(gpus.tolist())) for _, gpus in shared]
        self.top = max(Fraction(max(self.alone)), Fraction(sum(window), deployment.num_gpus))
        self.flow = self._flow()
        while experts := self.flow.cut():
            # The GPUs of these experts are full: at this top some of their load has nowhere to go.
            reached = {gpu for expert in experts for gpu in self.gpus_of[expert]}
            load = sum(self.loads[expert] for expert in experts) + sum(self.alone[gpu] for gpu in reached)
            self.top = Fraction(load, len(reached))
            self.flow = self._flow()

    def gpu_loads(self) -> list[Fraction]:
        """What each GPU carries, in tokens."""
        loads = [Fraction(load) for load in self.alone]
        for flows in self.flow.flows:
            for gpu, flow in flows.items():
                loads[gpu] += Fraction(flow, self.top.denominator)
        return [load * self.unit for load in loads]

    def _flow(self) -> MaximumFlow:
        steps = self.top.denominator
        room = [self.top.numerator - alone * steps for alone in self.alone]
        return MaximumFlow([load * steps for load in self.loads], self.gpus_of, room)


RULE = OptimalShares()
