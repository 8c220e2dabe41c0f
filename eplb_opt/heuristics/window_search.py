"""Search on plans of several windows: a segment of an annealing run, a round of reassignment, and both in turn."""

from __future__ import annotations

import numpy as np

from eplb_opt.heuristics.neighbours import nearest_experts
from eplb_opt.heuristics.segment import COOLING, TRANSFERS, Segment, Slots, hot, warm
from eplb_opt.heuristics.wide_windows import reassigned_widely, reassigns_widely
from eplb_opt.instance import Instance
from eplb_opt.kernels.annealing import anneal
from eplb_opt.kernels.compiler import Floats, Ints
from eplb_opt.kernels.window_reassignment import reassign_windows
from eplb_opt.objective import Windows

# Temperature of reassignment, never 0: of what the plan is above the bound where the mean counts, and where the hottest
# window does, which assignments mend more easily; at most so much of the first temperature of annealing.
_SHAKEN, _LEAST_SHAKEN = {False: (0.05, 0.1), True: (1.5, 1.0)}, 1e-9
# Seconds of work of a proposal: on top, for each GPU, for each window, for each of both. And of a node of reassignment,
# for each window.
_PER_PROPOSAL, _PER_NODE = (2e-7, 1e-9, 6e-9, 4e-11), 3.8e-9
# Part of a search that a run of annealing takes; before wide reassignment, which does more from a good plan.
_ANNEALING, _BEFORE_WIDE = 0.1, 0.5


def annealed(instance: Instance, windows: Windows, segment: Segment) -> tuple[Slots, Slots]:
    """The best plan of one segment, and the one where it ends; same arguments, same plans."""
    deployment = instance.deployment
    last = segment.slots.reshape(deployment.num_gpus, -1).copy()
    best = np.empty_like(last)
    anneal(
        *_kernel_windows(instance, windows, last),
        last,
        best,
        deployment.gpus_per_node,
        instance.max_replicas,
        deployment.distinct,
        segment.transfers,
        segment.hot,
        segment.cold,
        segment.proposals,
        np.random.default_rng(segment.seed % 2**64),
    )
    return best.ravel(), last.ravel()


def reassigned(instance: Instance, windows: Windows, slots: Slots, above: float, seconds: float, seed: int) -> Slots:
    """The best plan of about so many `seconds` of reassignment from `slots`; same arguments, same plan.

    `above` is what the plan is above the bound, in what `windows` makes cool.
    """
    if reassigns_widely(instance, windows):
        return reassigned_widely(instance, windows, slots, seconds, seed)
    deployment = instance.deployment
    table = slots.reshape(deployment.num_gpus, -1).copy()
    shaken, most = _SHAKEN[windows.worst]
    reassign_windows(
        *_kernel_windows(instance, windows, table),
        table,
        deployment.gpus_per_node,
        instance.max_replicas,
        deployment.distinct,
        TRANSFERS,
        max(_LEAST_SHAKEN, min(shaken * above, most * warm(instance))),
        int(seconds / (_PER_NODE * len(windows.loads))),
        np.random.default_rng(seed % 2**64),
    )
    return table.ravel()


def search_windows(
    instance: Instance, windows: Windows, slots: Slots, above: float, seconds: float, seed: int
) -> Slots:
    """A run of annealing from `slots`, then reassignment, in about so many `seconds`; same arguments, same plan.

    A run that is of no use is followed by a hot one. `above` as in `reassigned`.
    """
    cold = warm(instance) * COOLING
    part = _BEFORE_WIDE if reassigns_widely(instance, windows) else _ANNEALING
    proposals = int(part * seconds / seconds_per_proposal(instance, windows))
    best, _ = annealed(instance, windows, Segment(slots, warm(instance), cold, proposals, seed))
    if windows.value(best, instance) >= windows.value(slots, instance):
        best, _ = annealed(instance, windows, Segment(slots, hot(instance), cold, proposals, seed))
    if not reassignment_applies(instance):
        return best
    return reassigned(instance, windows, best, above, (1 - part) * seconds, seed)


def reassignment_applies(instance: Instance) -> bool:
    """Whether there are slots that could be reassigned."""
    return instance.deployment.slots_per_gpu > 1 and instance.deployment.gpus_per_node > 1


def seconds_per_proposal(instance: Instance, windows: Windows) -> float:
    """Work of a proposal of annealing."""
    on_top, per_gpu, per_window, per_both = _PER_PROPOSAL
    gpus, number = instance.deployment.num_gpus, len(windows.loads)
    return on_top + per_gpu * gpus + (per_window + per_both * gpus) * number


def _kernel_windows(instance: Instance, windows: Windows, table: Slots) -> tuple[Floats, Floats, Ints]:
    """Loads ``(experts, windows)``, window weights ``(windows,)`` and neighbours ``(experts, n)`` for compiled code."""
    weights = np.zeros_like(windows.shares) if windows.worst else windows.shares
    nearest = nearest_experts(windows.loads, table, instance.deployment.binding_nodes)
    return np.ascontiguousarray(windows.loads.T), weights, nearest
