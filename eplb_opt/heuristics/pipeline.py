"""The pipeline groups -> nodes, replicate inside each node, replicas -> GPUs; and the search that follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.heuristics.packing import exchange_groups, pack, pack_lightest
from eplb_opt.heuristics.replication import adams
from eplb_opt.heuristics.two_slots import search_counts, two_slots_apply
from eplb_opt.heuristics.unequal import greedy_for_each
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Ints
from eplb_opt.kernels.local_search import improve
from eplb_opt.kernels.state import state_of
from eplb_opt.verify import max_loads

Slots = NDArray[np.int64]
Place = Callable[[NDArray[np.int64], Ints], Ints]

# What a search looks at in a second of work; more on one core for usual deployments, much less where tables leave the
# cache (512 GPUs x 8 slots).
PAIRS_PER_SECOND = 150_000_000
# On tiny layers a search ends after this many perturbations.
_MOST_PERTURBATIONS = 100_000
# A perturbation with its descent takes about as long as this many steps of annealing on counts.
_STEPS_PER_PERTURBATION = 10
# Sorting and pairing take about as long for a slot as looking at this many pairs of slots.
_PAIRS_PER_PAIRED_SLOT = 20
_UNLIMITED = 2**62
# Standard deviation of the logarithms of the factors of `varied_greedy`.
_VARIATION = 0.05


@dataclass(frozen=True)
class Node:
    """One node's experts (global ids) and its slice of a row of slots."""

    experts: NDArray[np.int64]
    slots: slice


def greedy(instance: Instance) -> Slots:
    """The published greedy policy, made to obey the instance's rules: slot -> expert, shape ``(slots,)``.

    Groups to nodes by LPT with equal numbers, Adams' counts inside each node (at most one replica per GPU where
    replicas must be distinct), then LPT with equal numbers of slots that passes over GPUs which hold the expert.
    Source: DeepSeek-AI, Expert Parallelism Load Balancer (EPLB), https://github.com/deepseek-ai/EPLB.

    Heuristic ``"lpt"`` of the registry is the same by the same counts and packing, but as it is published: it packs
    without regard to copies, and counts are those of floats. Here they are the best there are, exactly. For GPUs that
    differ it is `eplb_opt.heuristics.unequal.greedy_for_each`.
    """
    if not instance.deployment.alike:
        return greedy_for_each(instance)
    return place_groups(instance, lpt_groups(instance))


def varied_greedy(instance: Instance, seed: int) -> Slots:
    """`greedy` for loads that are a little different, each by a random factor: another start for a search."""
    random = np.random.default_rng(seed % 2**64)
    loads = instance.kernel_loads * np.exp(_VARIATION * random.standard_normal(instance.num_experts))
    return greedy(Instance.from_loads(loads, instance.deployment))


def greedy_plus_swap(instance: Instance, work: int = _UNLIMITED) -> Slots:
    """`greedy`, then swap descent on groups, packing and counts; never worse than `greedy`. `work` as in `search`."""
    start = search(instance, greedy(instance), perturbations=0, work=work)
    exchanged = exchanged_groups(instance)
    if np.array_equal(exchanged, lpt_groups(instance)):
        return start
    other = search(instance, place_groups(instance, exchanged), perturbations=0, work=work)
    return min(start, other, key=lambda slots: max_loads(slots.tolist(), instance))


def search(
    instance: Instance,
    slots: Slots,
    *,
    perturbations: int = _MOST_PERTURBATIONS,
    seed: int = 0,
    target: float = 0.0,
    work: int = _UNLIMITED,
) -> Slots:
    """Local search on groups, packing and counts from `slots`, which stays as it is; never worse than `slots`.

    `target` and the loads are in the unit of `Instance.kernel_loads`; `work` counts pairs of slots looked at, some
    nanoseconds each, and bounds the run time whatever the size. The same arguments give the same result.
    """
    if hottest(instance, slots) <= target:
        perturbations = 0
    if perturbations and two_slots_apply(instance):
        random = np.random.default_rng(seed % 2**64)
        steps = min(_STEPS_PER_PERTURBATION * perturbations, work // (_PAIRS_PER_PAIRED_SLOT * slots.size))
        best = search_counts(instance, np.bincount(slots), steps, random)
    else:
        best = _search_nodes(instance, slots, perturbations, seed, target, work)
    if perturbations and instance.deployment.binding_nodes > 1 and hottest(instance, best) > target:
        regrouped = place_groups(instance, _neighbour(instance, best, seed))
        regrouped = _search_nodes(instance, regrouped, perturbations, seed, target, work)
        best = min(best, regrouped, key=lambda slots: hottest(instance, slots))
    # Floats may take a plan that is worse in the last digit for an equal one.
    if max_loads(best.tolist(), instance) > max_loads(slots.tolist(), instance):
        return np.array(slots, dtype=np.int64)
    return best


def _search_nodes(instance: Instance, slots: Slots, perturbations: int, seed: int, target: float, work: int) -> Slots:
    """Search inside each node, hottest first; once a node cannot be cooled, cooling the others has no effect."""
    deployment = instance.deployment
    best = np.array(slots, dtype=np.int64)
    nodes = list(nodes_of(instance, groups_of_slots(instance, slots)))
    nodes.sort(key=lambda node: hottest(instance, best, node.slots), reverse=True)
    for node in nodes:
        table = np.searchsorted(node.experts, best[node.slots])
        table = table.reshape(deployment.gpus_per_node, deployment.slots_per_gpu)
        loads = instance.kernel_loads[node.experts]
        state = state_of(loads, table, instance.max_replicas, deployment.distinct)
        random, part = np.random.default_rng(seed % 2**64), np.array([work // len(nodes)])
        top = improve(state, target, perturbations, part, random)
        best[node.slots] = node.experts[table.ravel()]
        target = max(target, top)
    return best


def _neighbour(instance: Instance, slots: Slots, seed: int) -> NDArray[np.int64]:
    """Node of each group after one random exchange with the hottest node."""
    random = np.random.default_rng(seed % 2**64)
    node_of_group = groups_of_slots(instance, slots)
    nodes = np.arange(instance.deployment.binding_nodes) * instance.deployment.slots_per_node
    hot = int(np.argmax([hottest(instance, slots, slice(n, n + instance.deployment.slots_per_node)) for n in nodes]))
    here = random.choice(np.flatnonzero(node_of_group == hot))
    there = random.choice(np.flatnonzero(node_of_group != hot))
    node_of_group[[here, there]] = node_of_group[[there, here]]
    return node_of_group


def hottest(instance: Instance, slots: Slots, part: slice = slice(None)) -> float:
    """Load of the hottest GPU, or of the hottest in a `part` of the slots, in the unit of `Instance.kernel_loads`."""
    share = instance.kernel_loads / np.bincount(slots, minlength=instance.num_experts).clip(1)
    return float(share[slots[part]].reshape(-1, instance.deployment.slots_per_gpu).sum(axis=1).max())


def place_groups(instance: Instance, node_of_group: NDArray[np.int64], place: Place | None = None) -> Slots:
    """Adams' counts, and LPT unless `place` says otherwise, inside each node, for groups that have their nodes.

    `place` makes a table of GPUs, positions among the node's experts, from these experts and their counts.
    """
    deployment = instance.deployment
    slots = np.empty(deployment.num_slots, dtype=np.int64)
    for node in nodes_of(instance, node_of_group):
        w = instance.kernel_loads[node.experts]
        weights = [instance.weights[0][expert] for expert in node.experts]
        counts = adams(weights, w, deployment.slots_per_node, instance.max_replicas)
        if place is None:
            table = pack(w, counts, deployment.gpus_per_node, deployment.slots_per_gpu, deployment.distinct)
        else:
            table = place(node.experts, counts)
        slots[node.slots] = node.experts[table.ravel()]
    return slots


def _group_totals(instance: Instance) -> NDArray[np.float64]:
    totals: NDArray[np.float64] = instance.kernel_loads.reshape(instance.deployment.binding_groups, -1).sum(axis=1)
    return totals


def lpt_groups(instance: Instance) -> NDArray[np.int64]:
    """Node of each group by the published rule."""
    deployment = instance.deployment
    totals = _group_totals(instance)
    table = pack_lightest(np.argsort(-totals, kind="stable"), totals, deployment.binding_nodes)
    return np.argsort(table.ravel()) // deployment.groups_per_node


def exchanged_groups(instance: Instance) -> NDArray[np.int64]:
    """Node of each group after exchanges that lower the heavier of two nodes."""
    nodes: NDArray[np.int64] = exchange_groups(
        _group_totals(instance), lpt_groups(instance), instance.deployment.binding_nodes
    )
    return nodes


def groups_of_slots(instance: Instance, slots: Slots) -> NDArray[np.int64]:
    """Node of each group in a valid row."""
    node_of_group = np.empty(instance.deployment.binding_groups, dtype=np.int64)
    node_of_slot = np.arange(slots.size) // instance.deployment.slots_per_node
    node_of_group[slots // instance.experts_per_group] = node_of_slot
    return node_of_group


def nodes_of(instance: Instance, node_of_group: NDArray[np.int64]) -> Iterator[Node]:
    """The nodes of a plan whose groups have their nodes."""
    group_of_expert = np.arange(instance.num_experts) // instance.experts_per_group
    size = instance.deployment.slots_per_node
    for node in range(instance.deployment.binding_nodes):
        experts = np.flatnonzero(node_of_group[group_of_expert] == node)
        yield Node(experts, slice(node * size, (node + 1) * size))
