"""A first plan of a layer, and a better one: for one window, or for the hottest of several."""

from __future__ import annotations

from fractions import Fraction

from eplb_opt.aim import Outlook
from eplb_opt.heuristics.joint import joint_greedy
from eplb_opt.heuristics.pipeline import PAIRS_PER_SECOND, Slots, greedy, lpt_groups, place_groups, search
from eplb_opt.heuristics.window_search import search_windows
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints


def first_plan(instance: Instance, node_of_group: Ints | None = None) -> Slots:
    """The greedy plan, of several windows the joint one: slot -> expert, shape ``(slots,)``."""
    if not max(instance.mean_loads):
        return greedy(instance.total())
    if instance.num_windows > 1:
        return joint_greedy(instance, Outlook.of_hottest(instance), node_of_group)
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
    outlook = Outlook.of_hottest(instance)
    above = outlook.value(slots, instance.deployment.num_gpus) - float(target / max(instance.mean_loads))
    return search_windows(instance, outlook, slots, above, seconds, seed)
