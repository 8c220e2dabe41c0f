"""Node windows: what several windows of a node, of which the hottest counts, say at once."""

from __future__ import annotations

from eplb_opt.bounds.methods import window_weightings_apply
from eplb_opt.bounds.node import Node
from eplb_opt.bounds.search_evidence import MOST_SECONDS, prove_by_search
from eplb_opt.bounds.window_weightings import prove_by_window_weightings
from eplb_opt.limits import Meter


def prove_all_windows(node: Node, meter: Meter) -> None:
    """Better bounds of a node with a plan: all its placements are tried where they are few, or replicas are weighed."""
    whole = node.incumbent
    # What a long attempt does not find no other one does, until there is a better plan.
    value, seconds = node.tried
    if value != whole.value or seconds < MOST_SECONDS:
        node.tried = whole.value, prove_by_search(whole, meter)
    if not node.settled and window_weightings_apply(whole.instance):
        prove_by_window_weightings(whole, meter)
