"""The proof that fits: how the gap of a layer is closed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.backends.limits import Meter
from eplb_opt.backends.outcome import DECOMPOSITION, PAIRING, PARTITION
from eplb_opt.bounds.decomposition import Decomposition
from eplb_opt.bounds.node_loads import close_by_node_loads
from eplb_opt.bounds.pairing import close_by_pairing
from eplb_opt.bounds.partition import Partition, partition_applies
from eplb_opt.heuristics.folding import folding_applies
from eplb_opt.instance import Instance
from eplb_opt.proof import Report


def closing_method(instance: Instance) -> str:
    """Name of the method for a layer of one window: by its nodes, then by its slots per GPU."""
    if instance.deployment.binding_nodes > 1:
        return PARTITION
    return PAIRING if folding_applies(instance) else DECOMPOSITION


def close(
    instance: Instance,
    slots: NDArray[np.int64],
    lower_bound: Fraction,
    target_gap: Fraction,
    meter: Meter,
    report: Report,
) -> bool:
    """Better plans and bounds until their gap is at most `target_gap`; whether it is, within limits."""
    if instance.deployment.binding_nodes > 1:
        if not partition_applies(instance):
            return close_by_node_loads(instance, slots, lower_bound, target_gap, meter, report)
        return Partition(instance, slots, lower_bound, target_gap, meter, report, close).run()
    if folding_applies(instance):
        return close_by_pairing(instance, slots, lower_bound, target_gap, meter, report)
    return Decomposition(instance, slots, lower_bound, target_gap, meter, report).run()
