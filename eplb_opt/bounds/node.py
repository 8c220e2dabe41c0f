"""A node that takes one set of groups: what is known of its plans and bounds."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.bounds.groups import GroupSet, node_experts, node_instance
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.windows import envelope_bound
from eplb_opt.improvement import Improvement, Slots
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, strongest


class Node:
    """A node that takes one set of groups.

    Attributes
    ----------
    experts
        The experts of the groups, in order: those of the node are numbered from 0.
    incumbent
        Of the node as a layer of its own; of several windows, the hottest counts.
    windows
        Of each window by itself, once it matters; none where there is but one.
    visits, searches
        How often the node was looked at, and searched.
    tried
        The value of the best plan when all placements were tried last, and the seconds that this was given.
    certified
        The value of the best plan of the layer when evidence for a word was looked for last.
    """

    def __init__(self, layer: Instance, groups: GroupSet, target_gap: Fraction) -> None:
        instance = node_instance(layer, groups)
        self.experts = node_experts(layer, groups)
        self.windows: list[Incumbent] = []
        self.visits = self.searches = 0
        self.tried = (Fraction(0), 0.0)
        self.certified: Fraction | None = None
        self.incumbent = Incumbent(instance, target_gap=target_gap, name="a node")
        if instance.num_windows == 1:
            self.incumbent.offer_proof(strongest(*quick_bounds(instance)))
        else:
            # The instant bounds of many windows of all sets would take longer than those that are needed.
            self.incumbent.offer_proof(Proof("mean", max(instance.mean_loads), checked=True))

    @property
    def settled(self) -> bool:
        """Whether plan and bound are equal."""
        return self.incumbent.has_plan and self.incumbent.value == self.incumbent.bound

    def words_for(self, bound: Fraction) -> list[Incumbent]:
        """Of the node, or of its windows, those with the word of a search for a bound, and no certificate for it."""
        return [
            known
            for known in self.windows or [self.incumbent]
            if known.checked.bound < bound <= known.bound and known.proof.argument == "fillings"
        ]

    def look_at_windows(self) -> None:
        """The bound that the windows promise, once it matters what this node can do."""
        whole = self.incumbent
        if self.windows or whole.instance.num_windows == 1:
            return
        instances = whole.instance.windows()
        envelope = {"argument": "envelope"}
        whole.offer_proof(Proof("envelope", envelope_bound(instances), checked=True, evidence=envelope))
        for instance in instances:
            window = Incumbent(instance, target_gap=whole.target_gap, name="a window of a node", tell=self._learn)
            self.windows.append(window)
            window.offer_proof(strongest(*quick_bounds(instance)))
        if whole.has_plan:
            self.offer(whole.slots)

    def offer(self, slots: Slots) -> None:
        """Keep a row of slots, experts numbered from 0, for the node and each window where it is better."""
        for incumbent in (self.incumbent, *self.windows):
            incumbent.offer_plan(slots, "search")

    def _learn(self, improvement: Improvement) -> None:
        """A bound of one window is a bound of the node, and a plan for one window a plan of the node."""
        if improvement.proof is not None:
            self.incumbent.offer_proof(improvement.proof)
        elif improvement.slots is not None:
            self.offer(improvement.slots)

    @property
    def window_to_prove(self) -> Incumbent | None:
        """The window that may raise the bound by most; ``None`` where none can: each has a plan within the bound."""
        if not self.incumbent.has_plan:
            return None
        window = max(self.windows or [self.incumbent], key=lambda window: window.value)
        return window if window.value > self.incumbent.bound else None
