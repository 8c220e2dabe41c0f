"""A first plan of a layer, and a better one: for one window, or for the hottest of several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from eplb_opt.heuristics.batch import best_placement, place_layers
from eplb_opt.heuristics.joint import joint_greedy, joint_plan
from eplb_opt.heuristics.pipeline import (
    PAIRS_PER_SECOND,
    Slots,
    greedy,
    greedy_plus_swap,
    lpt_groups,
    place_groups,
    search,
)
from eplb_opt.heuristics.registry import GIVEN, JOINT, heuristic_of, names
from eplb_opt.heuristics.window_search import search_windows
from eplb_opt.incumbent import Incumbent
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints
from eplb_opt.limits import Meter
from eplb_opt.objective import Objective, Windows


def first_plans(instance: Instance, objective: Objective, method: str, work: int) -> Iterator[tuple[str, Slots]]:
    """The plans that a layer begins with, each with the name of what made it.

    Of a heuristic of the registry, for the summed windows or jointly for all; of any other method the greedy plan, of
    several windows also that for the mean window and the joint one. With any `work`, in pairs of slots as in `search`,
    one window has, where the split is even, the greedy plan after swap descent, and the best of the registry, too.
    For GPUs that differ there are the greedy plans alone, and where only speeds do the published policy, too. There
    are none of `GIVEN`.
    """
    if method == GIVEN:
        return
    if method in names():
        yield method, _plan_of(method, instance, objective)
        return
    yield "greedy", greedy(instance.total())
    if instance.deployment.gpu_speeds is not None and instance.deployment.gpu_slots is None:
        as_alike = replace(instance.total(), deployment=replace(instance.deployment, gpu_speeds=None))
        yield "greedy without speeds", greedy(as_alike)
    if instance.num_windows > 1:
        windows = objective.windows(instance)
        yield "greedy on the mean", greedy(Instance.from_loads(windows.mean, instance.deployment))
        if instance.deployment.alike:
            yield "joint greedy", joint_greedy(instance, windows)
    elif work and instance.deployment.dispatch == "even" and instance.deployment.alike:
        yield "swap descent", greedy_plus_swap(instance, work)
        yield best_placement(instance)


def _plan_of(name: str, instance: Instance, objective: Objective) -> Slots:
    if name == JOINT:
        return joint_plan(instance, objective)
    loads = instance.total().kernel_loads[np.newaxis]
    slots: Slots = place_layers(heuristic_of(name), loads, instance.deployment).slots[0]
    return slots


def first_plan(instance: Instance, node_of_group: Ints | None = None) -> Slots:
    """The greedy plan, of several windows the joint one: slot -> expert, shape ``(slots,)``."""
    if not max(instance.mean_loads):
        return greedy(instance.total())
    if instance.num_windows > 1:
        return joint_greedy(instance, Windows.of_hottest(instance), node_of_group)
    return place_groups(instance, lpt_groups(instance) if node_of_group is None else node_of_group)


def better_plan(instance: Instance, slots: Slots, target: Fraction, seconds: float, seed: int) -> Slots:
    """What a search from `slots` ends with, in about so many `seconds` of work; same arguments, same plan.

    A max load below `target`, in tokens, is of no use.
    """
    if instance.num_windows == 1:
        work = int(seconds * PAIRS_PER_SECOND)
        return search(instance, slots, seed=seed, target=instance.kernel_value(target), work=work)
    if not max(instance.mean_loads):
        return slots
    windows = Windows.of_hottest(instance)
    above = windows.value(slots, instance) - float(target / max(instance.mean_loads))
    return search_windows(instance, windows, slots, above, seconds, seed)


def improve(incumbent: Incumbent, slots: Slots, meter: Meter, seconds: float, seed: int) -> Slots:
    """Offer what a search from `slots` ends with, after so many `seconds` of work, and return it."""
    found = better_plan(incumbent.instance, slots, incumbent.bound, seconds, seed)
    meter.spend(seconds)
    incumbent.offer_plan(found, "search")
    return found
