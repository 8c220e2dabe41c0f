"""Proof methods: which one fits a layer."""

from __future__ import annotations

from math import comb

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
    deployment = instance.deployment
    if instance.num_windows == 1 or deployment.dispatch != "even" or not deployment.alike:
        return False
    size = deployment.slots_per_gpu
    few = comb(instance.num_experts, -(-size // 2)) <= _MOST_HALVES
    return deployment.binding_nodes == 1 and size > 1 and few
