"""The proof that fits: how the gap of a layer is closed."""

from __future__ import annotations

from eplb_opt.backends.outcome import DECOMPOSITION, PAIRING, PARTITION
from eplb_opt.bounds.decomposition import close_by_decomposition
from eplb_opt.bounds.node_loads import close_by_node_loads
from eplb_opt.bounds.pairing import close_by_pairing
from eplb_opt.bounds.partition import Partition, partition_applies
from eplb_opt.bounds.pursuit import Pursuit
from eplb_opt.heuristics.folding import folding_applies
from eplb_opt.instance import Instance


def closing_method(instance: Instance) -> str:
    """Name of the method for a layer of one window: by its nodes, then by its slots per GPU."""
    if instance.deployment.binding_nodes > 1:
        return PARTITION
    return PAIRING if folding_applies(instance) else DECOMPOSITION


def close(pursuit: Pursuit) -> None:
    """Better plans and bounds until the gap is small enough, within the limits."""
    if pursuit.instance.deployment.binding_nodes > 1:
        if partition_applies(pursuit.instance):
            Partition(pursuit, close).run()
        else:
            close_by_node_loads(pursuit)
    elif folding_applies(pursuit.instance):
        close_by_pairing(pursuit)
    else:
        close_by_decomposition(pursuit)
