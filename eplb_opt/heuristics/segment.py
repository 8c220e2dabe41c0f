"""Segment: a part of an annealing run, and the temperatures that runs go through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.instance import Instance

Slots = NDArray[np.int64]

# Share of the proposals that change counts.
TRANSFERS = 0.1
# First temperature of a run, in mean slot loads, and how much colder it ends. Cool enough for plans to stay near the
# one they begin with: hotter runs find plans that are no better on the windows known, and worse on others.
_WARM, COOLING = 1e-2, 1 / 200
# First temperature, in mean GPU loads, where warm runs have nothing more to give: on layers with few experts a single
# move makes a large difference.
_HOT = 2e-1


@dataclass(frozen=True)
class Segment:
    """A part of an annealing run: where it begins, and how it cools.

    Attributes
    ----------
    slots
        A row of slots.
    hot, cold
        First and last temperature, in mean GPU loads.
    proposals
        Moves to consider.
    seed
        For all random choices.
    transfers
        Share of the proposals that change counts; with 0 they stay as they are.
    """

    slots: Slots
    hot: float
    cold: float
    proposals: int
    seed: int
    transfers: float = TRANSFERS


def warm(instance: Instance) -> float:
    """First temperature of annealing, in mean GPU loads."""
    return _WARM * instance.deployment.num_gpus / instance.deployment.num_slots


def hot(instance: Instance) -> float:
    """First temperature where warm runs have nothing more to give, in mean GPU loads."""
    return max(_HOT, warm(instance))
