"""any_size_bound: what no plan goes below with any number of slots."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.bounds.quick import mean_bound, nodes_bound
from eplb_opt.instance import Instance


def any_size_bound(instance: Instance, objective: str) -> Fraction:
    """A lower bound on the ``"total"``, ``"mean"`` or ``"worst"`` objective of a layer, in its unit.

    Slots have no part in it: GPU loads sum to the total load, and under the hierarchical policy a node carries the
    whole load of its groups, however many replicas there are. A layer without load has an imbalance of 1.
    """
    if objective == "total":
        return _of_window(instance.total())
    if not any(instance.loaded_windows):
        return Fraction(1)
    bounds = [_of_window(window.in_mean_loads()) for window in instance.loaded().windows()]
    return max(bounds) if objective == "worst" else sum(bounds, Fraction(0)) / len(bounds)


def _of_window(window: Instance) -> Fraction:
    mean = mean_bound(window)
    return max(mean, nodes_bound(window)) if window.deployment.binding_nodes > 1 else mean
