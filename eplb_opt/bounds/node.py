"""A node that takes one set of groups: what is known of its plans and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from eplb_opt.bounds.groups import GroupSet, node_experts, node_instance
from eplb_opt.bounds.quick import quick_bounds
from eplb_opt.bounds.windows import envelope_bound
from eplb_opt.instance import Instance
from eplb_opt.proof import Proof, strongest
from eplb_opt.verify import max_loads

Slots = NDArray[np.int64]


@dataclass
class Bracket:
    """The best plan and the best bounds of a node, or of one of its windows by itself.

    Attributes
    ----------
    instance
        The node, or the window.
    checked
        The best bound that has a certificate.
    claimed
        A better one on somebody's word.
    slots, value
        The best plan, and its max load in the hottest window.
    """

    instance: Instance
    checked: Proof
    claimed: Proof | None = None
    slots: Slots | None = None
    value: Fraction | None = None

    @property
    def proof(self) -> Proof:
        """The best bound."""
        return strongest(self.checked, self.claimed) if self.claimed else self.checked

    def learn(self, proof: Proof) -> None:
        """Keep a bound if it is better."""
        if proof.checked:
            self.checked = strongest(self.checked, proof)
        elif proof.bound > self.proof.bound:
            self.claimed = proof

    def offer(self, slots: Slots) -> None:
        """Keep a row of slots if it is better."""
        value = max(max_loads(slots.tolist(), self.instance))
        if self.value is None or value < self.value:
            self.slots, self.value = slots, value

    @property
    def closed(self) -> bool:
        """Whether plan and bound meet."""
        return self.value == self.proof.bound


class Node:
    """A node that takes one set of groups: all of its windows, and each by itself."""

    def __init__(self, layer: Instance, groups: GroupSet) -> None:
        instance = node_instance(layer, groups)
        self.experts = node_experts(layer, groups)
        self.windows: list[Bracket] = []
        self.visits = self.searches = 0
        if instance.num_windows == 1:
            self.all = Bracket(instance, strongest(*quick_bounds(instance)))
        else:
            # The instant bounds of many windows of all sets would take longer than those that are needed.
            self.all = Bracket(instance, Proof("mean", max(instance.mean_loads), checked=True))

    def look_at_windows(self) -> None:
        """The bound that the windows promise, once it matters what this node can do."""
        if self.windows or self.all.instance.num_windows == 1:
            return
        for window in self.all.instance.windows():
            self.windows.append(Bracket(window, strongest(*quick_bounds(window))))
        if self.all.slots is not None:
            self.offer(self.all.slots)
        envelope = Proof("envelope", envelope_bound([window.instance for window in self.windows]), checked=True)
        for proof in (envelope, *(window.proof for window in self.windows)):
            self.all.learn(proof)

    def offer(self, slots: Slots) -> None:
        """Keep a row of slots, experts numbered from 0, where it is better."""
        for bracket in (self.all, *self.windows):
            bracket.offer(slots)

    @property
    def window_to_prove(self) -> Bracket | None:
        """The window that may raise the bound by most; ``None`` where none can: each has a plan within the bound."""
        window = max(self.windows or [self.all], key=lambda window: window.value or 0)
        return window if window.value is not None and window.value > self.all.proof.bound else None
