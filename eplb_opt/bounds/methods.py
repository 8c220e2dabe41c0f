"""Proof methods: which one fits a layer."""

from __future__ import annotations

from math import comb

from eplb_opt.bounds.groups import MOST_PARTITIONS, num_partitions
from eplb_opt.heuristics.two_slots import two_slots_apply
from eplb_opt.instance import Instance

# Their names; the methods are in `eplb_opt.bounds.prove`.
PAIRING, DECOMPOSITION, PARTITION = "pairing", "decomposition", "partition"
# Of several windows at once.
WINDOWS = "window weightings"
# Halves of patterns, if each expert had one count, that are not too many for it.
_MOST_HALVES = 100_000


def proof_method(instance: Instance) -> str:
    """Name of the method for a layer of one window: by its nodes, then by its slots per GPU."""
    if instance.deployment.binding_nodes > 1:
        return PARTITION
    return PAIRING if two_slots_apply(instance) else DECOMPOSITION


def window_weightings_apply(instance: Instance) -> bool:
    """Whether patterns of several windows at once are few enough to be looked at, without groups on nodes."""
    return instance.deployment.binding_nodes == 1 and _few_patterns_of_windows(instance)


def window_nodes_apply(instance: Instance) -> bool:
    """The same for each of the nodes that groups are bound to, whose partitions are few."""
    several = instance.deployment.binding_nodes > 1
    return several and _few_patterns_of_windows(instance) and num_partitions(instance) <= MOST_PARTITIONS


def _few_patterns_of_windows(instance: Instance) -> bool:
    deployment = instance.deployment
    if instance.num_windows == 1 or deployment.dispatch != "even" or not deployment.alike:
        return False
    size = deployment.slots_per_gpu
    return size > 1 and comb(instance.experts_per_node, -(-size // 2)) <= _MOST_HALVES
