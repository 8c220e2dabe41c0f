"""Prove: better plans and bounds by the method that fits a layer, until its gap is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eplb_opt.bounds.decomposition import prove_by_dual_functions
from eplb_opt.bounds.methods import DECOMPOSITION, PAIRING, PARTITION, WINDOWS, proof_method
from eplb_opt.bounds.node_loads import prove_by_node_loads
from eplb_opt.bounds.pairing import prove_by_pairs
from eplb_opt.bounds.partition import Partition, partition_applies
from eplb_opt.bounds.search_evidence import prove_by_search
from eplb_opt.bounds.window_nodes import prove_by_window_nodes
from eplb_opt.bounds.window_weightings import prove_by_window_weightings
from eplb_opt.incumbent import Incumbent
from eplb_opt.limits import Meter


def prove(incumbent: Incumbent, meter: Meter) -> None:
    """Offer better plans and bounds until the gap is small enough, within the limits.

    Of a layer of one window, or, with nodes that take groups, of several of which the hottest counts. The incumbent
    has a plan.
    """
    PROVERS[proof_method(incumbent.instance)](incumbent, meter)


def prove_by_nodes(incumbent: Incumbent, meter: Meter) -> None:
    """Each set of groups that a node can take is a layer of its own; where they are too many, a node is its load."""
    if partition_applies(incumbent.instance):
        Partition(incumbent, meter, prove).run()
    else:
        prove_by_node_loads(incumbent, meter)


def prove_by_windows(incumbent: Incumbent, meter: Meter) -> None:
    """All windows at once: of all GPUs, or of each node that groups are bound to.

    Where placements are few, all are tried first.
    """
    prove_by_search(incumbent, meter)
    if incumbent.closed:
        return
    if incumbent.instance.deployment.binding_nodes > 1:
        prove_by_window_nodes(incumbent, meter)
    else:
        prove_by_window_weightings(incumbent, meter)


PROVERS: Mapping[str, Callable[[Incumbent, Meter], None]] = {
    PAIRING: prove_by_pairs,
    DECOMPOSITION: prove_by_dual_functions,
    PARTITION: prove_by_nodes,
    WINDOWS: prove_by_windows,
}
