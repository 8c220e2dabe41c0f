"""The steps of a layer of several windows: pure functions of picklable values, for any executor."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from eplb_opt.aim import Aim, Outlook
from eplb_opt.bounds.windows import window_bounds
from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.annealing import anneal
from eplb_opt.heuristics.joint import joint_greedy
from eplb_opt.heuristics.kernels import Floats, Ints
from eplb_opt.heuristics.neighbours import nearest_experts
from eplb_opt.heuristics.pipeline import greedy
from eplb_opt.heuristics.window_repartition import repartition_windows
from eplb_opt.instance import Instance
from eplb_opt.steps import Finding, Findings

Slots = NDArray[np.int64]


@dataclass(frozen=True)
class Leg:
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
    """

    slots: Slots
    hot: float
    cold: float
    proposals: int
    seed: int


def load_window_kernels() -> float:
    """Compile the kernels for several windows, or load them; the seconds it took."""
    begin = perf_counter()
    instance = Instance.from_loads([[3, 2, 1, 1], [1, 2, 3, 1]], Deployment(num_gpus=4, num_slots=8))
    aim = Aim("mean")
    start_on_windows(instance, aim, aim.outlook(instance))
    leg = Leg(greedy(instance.total()), hot=1.0, cold=0.1, proposals=100, seed=0)
    anneal_on(instance, aim.outlook(instance), leg)
    repartition_on(instance, aim.outlook(instance), leg.slots, 0.1, 100, 0)
    return perf_counter() - begin


def start_on_windows(instance: Instance, aim: Aim, outlook: Outlook) -> Findings:
    """Instant bounds, greedy plans of the summed and of the mean window, and the joint greedy plan."""
    begin = perf_counter()
    bounds = window_bounds(instance, aim.objective, aim.window_weights)
    items = [Finding(str(proof), proof=proof, seconds=perf_counter() - begin) for proof in bounds]
    mean = Instance.from_loads(outlook.mean, instance.deployment)
    items.append(Finding("greedy", slots=greedy(instance.total()), seconds=perf_counter() - begin))
    items.append(Finding("greedy on the mean", slots=greedy(mean), seconds=perf_counter() - begin))
    items.append(Finding("joint greedy", slots=joint_greedy(instance, outlook), seconds=perf_counter() - begin))
    return Findings("start", tuple(items), perf_counter() - begin)


def repartition_on(
    instance: Instance, outlook: Outlook, slots: Slots, temperature: float, nodes: int, seed: int
) -> Findings:
    """The best plan of some rounds of repartition from `slots`; same arguments, same plan.

    `temperature` is in mean GPU loads, `nodes` limits the search for deals.
    """
    begin = perf_counter()
    deployment = instance.deployment
    table = slots.reshape(deployment.num_gpus, -1).copy()
    repartition_windows(
        *_kernel_outlook(instance, outlook, table),
        table,
        deployment.gpus_per_node,
        instance.max_replicas,
        deployment.distinct,
        temperature,
        nodes,
        np.random.default_rng(seed),
    )
    seconds = perf_counter() - begin
    return Findings("repartition", (Finding("repartition", slots=table.ravel(), seconds=seconds),), seconds)


def _kernel_outlook(instance: Instance, outlook: Outlook, table: Slots) -> tuple[Floats, Floats, Ints]:
    """Loads ``(experts, windows)``, window weights ``(windows,)`` and neighbours ``(experts, n)`` for compiled code."""
    weights = np.zeros_like(outlook.shares) if outlook.worst else outlook.shares
    nearest = nearest_experts(outlook.loads, table, instance.deployment.binding_nodes)
    return np.ascontiguousarray(outlook.loads.T), weights, nearest


def anneal_on(instance: Instance, outlook: Outlook, leg: Leg) -> Findings:
    """The best plan of one leg, and the one where it ends; same arguments, same plans."""
    begin = perf_counter()
    deployment = instance.deployment
    last = leg.slots.reshape(deployment.num_gpus, -1).copy()
    best = np.empty_like(last)
    anneal(
        *_kernel_outlook(instance, outlook, last),
        last,
        best,
        deployment.gpus_per_node,
        instance.max_replicas,
        deployment.distinct,
        leg.hot,
        leg.cold,
        leg.proposals,
        np.random.default_rng(leg.seed),
    )
    seconds = perf_counter() - begin
    found = (Finding("search", slots=best.ravel(), seconds=seconds),)
    return Findings("search", found, seconds, last=last.ravel())
