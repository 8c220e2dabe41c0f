"""Proof methods: which one fits a layer."""

from __future__ import annotations

from eplb_opt.heuristics.two_slots import two_slots_apply
from eplb_opt.instance import Instance

# Their names; the methods are in `eplb_opt.bounds.prove`.
PAIRING, DECOMPOSITION, PARTITION = "pairing", "decomposition", "partition"


def proof_method(instance: Instance) -> str:
    """Name of the method for a layer of one window: by its nodes, then by its slots per GPU."""
    if instance.deployment.binding_nodes > 1:
        return PARTITION
    return PAIRING if two_slots_apply(instance) else DECOMPOSITION
