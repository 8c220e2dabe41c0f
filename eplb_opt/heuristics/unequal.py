"""A first plan for GPUs that differ in slots or speeds: the greedy policy with what waits in the place of loads."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.gpus import Gpus
from eplb_opt.heuristics.replication import adams
from eplb_opt.instance import Instance

# With more groups than these ways to hand them out are not compared one by one.
_FEW_GROUPS = 10

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def greedy_for_each(instance: Instance) -> Ints:
    """The greedy plan of a layer of one window: slot -> expert, shape ``(slots,)``.

    Groups go to nodes in the best way, or where there are many of them, heaviest first, to the node that is least
    loaded for its speed, and are exchanged while that cools the hottest node; counts inside each node are those of
    Adams, as far as GPUs can hold them (`counts_with_room`); then each replica, heaviest first, goes to the GPU with a
    free slot and without the expert where least waits with it.
    """
    deployment = instance.deployment
    nodes = deployment.gpus.blocks(deployment.binding_nodes)
    slots = np.empty((len(nodes), deployment.slots_per_node), dtype=np.int64)
    group_of_expert = np.arange(instance.num_experts) // instance.experts_per_group
    node_of_group = _nodes_of_groups(instance, nodes)
    for node, gpus in enumerate(nodes):
        experts = np.flatnonzero(node_of_group[group_of_expert] == node)
        weights = [instance.weights[0][expert] for expert in experts]
        w = instance.kernel_loads[experts]
        counts = counts_with_room(weights, w, gpus, instance.max_replicas, deployment.distinct)
        slots[node] = experts[pack_for_each(w, counts, gpus, deployment.distinct)]
    return slots.ravel()


def few_groups(number: int) -> bool:
    """Whether all ways to hand out so many groups can be compared."""
    return number <= _FEW_GROUPS


def best_nodes(totals: Sequence[int], speeds: Sequence[int | Fraction]) -> tuple[Fraction, tuple[int, ...]]:
    """The least load / speed of the hottest node, and the node of each group; every node takes equally many groups."""
    share = len(totals) // len(speeds)

    @cache
    def best(node: int, left: tuple[int, ...]) -> tuple[Fraction, tuple[tuple[int, ...], ...]]:
        if node == len(speeds):
            return Fraction(0), ()
        found = []
        for taken in combinations(left, share):
            rest, others = best(node + 1, tuple(group for group in left if group not in taken))
            load = Fraction(sum(totals[group] for group in taken)) / speeds[node]
            found.append((max(load, rest), (taken, *others)))
        return min(found)

    value, sets = best(0, tuple(range(len(totals))))
    node_of_group = {group: node for node, taken in enumerate(sets) for group in taken}
    return value, tuple(node_of_group[group] for group in range(len(totals)))


def _nodes_of_groups(instance: Instance, nodes: list[Gpus]) -> Ints:
    if few_groups(instance.deployment.binding_groups):
        weights, size = instance.weights[0], instance.experts_per_group
        sums = [sum(weights[first : first + size]) for first in range(0, instance.num_experts, size)]
        return np.array(best_nodes(sums, [node.total_speed for node in nodes])[1], dtype=np.int64)
    totals = instance.kernel_loads.reshape(instance.deployment.binding_groups, -1).sum(axis=1)
    speeds = np.array([float(node.total_speed) for node in nodes])
    found, load = np.empty(len(totals), dtype=np.int64), np.zeros(len(nodes))
    room = np.full(len(nodes), instance.deployment.groups_per_node)
    for group in np.argsort(-totals, kind="stable"):
        waits = np.where(room > 0, (load + totals[group]) / speeds, np.inf)
        node = found[group] = np.argmin(waits)
        load[node] += totals[group]
        room[node] -= 1
    return _exchanged(found, totals, load, speeds)


def _exchanged(nodes: Ints, totals: Floats, load: Floats, speeds: Floats) -> Ints:
    """Node of each group after exchanges of two groups, each the best that cools the hottest node."""
    for _ in range(len(totals) ** 2):
        hot = np.argmax(load / speeds)
        here, there = np.flatnonzero(nodes == hot), np.flatnonzero(nodes != hot)
        if not there.size:
            break
        less = totals[here][:, np.newaxis] - totals[there]
        other = nodes[there]
        new = np.maximum((load[hot] - less) / speeds[hot], (load[other] + less) / speeds[other])
        one, two = np.unravel_index(np.argmin(new), new.shape)
        # Each exchange lowers the sorted loads, so it ends; the rounds are bounded for rounding errors.
        if new[one, two] >= load[hot] / speeds[hot] * (1.0 - 1e-12):
            break
        load[hot] -= less[one, two]
        load[other[two]] += less[one, two]
        nodes[here[one]], nodes[there[two]] = other[two], hot
    return nodes


def counts_with_room(weights: list[int], w: Floats, gpus: Gpus, most: int, distinct: bool) -> Ints:
    """Adams' counts that fill the slots of GPUs; where replicas must be distinct, such as there is room for.

    GPUs with few slots hold few different experts, so that not all counts can be placed (`fit`). What fits is a
    polymatroid: replicas handed out one by one, to the expert with the largest load / replicas of those to which
    one more can be given, end with all slots filled, and no counts that fit have a lower largest slot load.
    """
    counts = adams(weights, w, sum(gpus.slots), most)
    if not distinct or fit(counts, gpus.slots):
        return counts
    counts, full = np.ones(len(w), dtype=np.int64), np.zeros(len(w), dtype=bool)
    for _ in range(sum(gpus.slots) - len(w)):
        while True:
            expert = np.argmax(np.where(full, -1.0, w / counts))
            counts[expert] += 1
            if fit(counts, gpus.slots):
                break
            counts[expert] -= 1
            full[expert] = True
    return counts


def fit(counts: Ints, slots: tuple[int, ...]) -> bool:
    """Whether GPUs can hold so many replicas of each expert, none of them twice.

    The k experts with the most replicas need no more slots than GPUs have for k different experts. That is enough (D.
    Gale, Pacific Journal of Mathematics 7, 1073-1082 (1957), https://doi.org/10.2140/pjm.1957.7.1073).
    """
    of_each = np.array(slots)
    needed = np.cumsum(np.sort(counts)[::-1])[: of_each.max()]
    return all(need <= np.minimum(of_each, k).sum() for k, need in enumerate(needed, start=1))


def pack_for_each(w: Floats, counts: Ints, gpus: Gpus, distinct: bool) -> Ints:
    """Replicas on GPUs with so many slots: expert of each slot, heaviest replicas first.

    Where only GPUs that hold the expert have a free slot, replicas make room along a shortest chain; there is one, as
    `counts` fit.
    """
    held: list[list[int]] = [[] for _ in gpus.slots]
    holds = np.zeros((len(gpus.slots), len(w)), dtype=bool)
    room, load = np.array(gpus.slots), np.zeros(len(gpus.slots))
    share = w / counts
    for expert in np.argsort(-share, kind="stable"):
        for _ in range(counts[expert]):
            waits = (load + share[expert]) * gpus.slowness
            waits[(room == 0) | (holds[:, expert] & distinct)] = np.inf
            gpu = int(np.argmin(waits))
            # From the GPU with the free slot back to one that can take the expert, each takes what the next gives up.
            for taker, giver, other in [] if waits[gpu] < np.inf else _chain(expert, held, holds, room):
                held[giver].remove(other)
                held[taker].append(other)
                holds[giver, other], holds[taker, other] = False, True
                load[giver] -= share[other]
                load[taker] += share[other]
                room[giver] += 1
                room[taker] -= 1
                gpu = giver
            held[gpu].append(int(expert))
            holds[gpu, expert] = True
            load[gpu] += share[expert]
            room[gpu] -= 1
    return np.concatenate([np.array(experts, dtype=np.int64) for experts in held])


def _chain(expert: int, held: list[list[int]], holds: NDArray[np.bool_], room: Ints) -> list[tuple[int, int, int]]:
    """Who takes which expert from whom, so that a GPU without `expert` gets a free slot: breadth first."""
    queue = deque(np.flatnonzero(~holds[:, expert]).tolist())
    came_from: dict[int, tuple[int, int]] = dict.fromkeys(queue, (-1, -1))
    while queue:
        giver = queue.popleft()
        for other in held[giver]:
            for taker in np.flatnonzero(~holds[:, other]).tolist():
                if taker in came_from:
                    continue
                came_from[taker] = (giver, other)
                if room[taker]:
                    steps = []
                    while taker in came_from and came_from[taker][0] >= 0:
                        giver, other = came_from[taker]
                        steps.append((taker, giver, other))
                        taker = giver
                    return steps
                queue.append(taker)
    raise AssertionError("counts that fit have room")
