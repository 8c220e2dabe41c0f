"""Two slots per GPU: counts decide everything, as pairing heaviest with lightest packs them best."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

import numpy as np
from numpy.typing import NDArray

from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.rows import copy_row

# Temperatures of the annealing, relative to the max load: larger or smaller ones end higher on recorded loads.
_HOT, _COLD = 1e-3, 1e-5
# Share of proposals that cool the hottest pair instead of any expert.
_AIMED = 0.3


def two_slots_apply(instance: Instance) -> bool:
    """Whether every GPU has two slots and there is one node."""
    return instance.deployment.slots_per_gpu == 2 and instance.deployment.binding_nodes == 1


def pair_slots(instance: Instance, counts: Sequence[int]) -> NDArray[np.int64]:
    """A row of slots for replica counts: heaviest slot with lightest, and replicas of an expert parted.

    Pairing heaviest with lightest minimises the largest sum of a pair. Where replicas have to be distinct and two of an
    expert meet, one of them goes to the pair without that expert whose heavier slot is lightest, and gets that slot in
    exchange.
    """
    (weights,) = instance.weights
    multiple = lcm(*counts)
    items = sorted((weights[e] * (multiple // r), e) for e, r in enumerate(counts) for _ in range(r))
    pairs = [[items[i], items[-1 - i]] for i in range(len(items) // 2)]
    for pair in pairs if instance.deployment.distinct else []:
        expert = pair[0][1]
        if expert == pair[1][1]:
            # With k pairs of expert e and r replicas, r - k of all pairs hold e, and r is at most their number.
            others = [other for other in pairs if expert not in (other[0][1], other[1][1])]
            willing = min(others, key=max)
            pair[1], willing[0] = willing[0], pair[1]
    return np.array([expert for pair in pairs for _, expert in pair], dtype=np.int64)


def search_counts(instance: Instance, counts: Ints, steps: int, random: np.random.Generator) -> NDArray[np.int64]:
    """A row of slots after annealing on the counts, from `counts`, scored by their pairs; the best row it came by."""
    best = anneal_counts(
        instance.kernel_loads, np.asarray(counts, dtype=np.int64), instance.max_replicas, steps, random
    )
    return pair_slots(instance, best.tolist())


@compiled
def anneal_counts(w: Floats, start: Ints, max_replicas: int, steps: int, random: np.random.Generator) -> Ints:
    """Counts with the smallest hottest pair seen: one expert gives a replica, another takes it, as in annealing."""
    counts = start.copy()
    best_counts = start.copy()
    value, light, heavy = _hottest_pair(w, counts)
    best = value
    # Loops rather than arrays, here and below: these take the compiler less.
    givers = np.empty(counts.size, dtype=np.int64)
    num_givers = _list_givers(counts, givers)
    for step in range(steps if num_givers else 0):
        temperature = value * _HOT * (_COLD / _HOT) ** (step / steps)
        giver = givers[draw(random, num_givers)]
        chance = random.random()
        taker = draw(random, w.size)
        if chance < _AIMED:
            taker = np.int64(heavy if chance < 0.8 * _AIMED else light)
        if giver == taker or counts[taker] >= max_replicas:
            continue
        counts[giver] -= 1
        counts[taker] += 1
        new, new_light, new_heavy = _hottest_pair(w, counts)
        if new <= value or random.random() < np.exp((value - new) / temperature):
            value, light, heavy = new, new_light, new_heavy
            num_givers = _list_givers(counts, givers)
            if value < best:
                best = value
                copy_row(counts, best_counts)
        else:
            counts[giver] += 1
            counts[taker] -= 1
    return best_counts


@compiled
def _list_givers(counts: Ints, givers: Ints) -> int:
    """List the experts that have a replica to give; how many there are."""
    listed = 0
    for expert in range(counts.size):
        if counts[expert] > 1:
            givers[listed] = expert
            listed += 1
    return listed


@compiled
def _hottest_pair(w: Floats, counts: Ints) -> tuple[float, int, int]:
    """Largest sum of a pair after pairing heaviest with lightest, and the experts of its light and its heavy slot."""
    num_slots = 0
    for expert in range(w.size):
        num_slots += counts[expert]
    loads, owner = np.empty(num_slots), np.empty(num_slots, dtype=np.int64)
    slot = 0
    for expert in range(w.size):
        for _ in range(counts[expert]):
            loads[slot], owner[slot] = w[expert] / counts[expert], expert
            slot += 1
    order = np.argsort(loads)
    hottest, light, heavy = -1.0, 0, 0
    for i in range(loads.size // 2):
        low, high = order[i], order[loads.size - 1 - i]
        if loads[low] + loads[high] > hottest:
            hottest, light, heavy = loads[low] + loads[high], owner[low], owner[high]
    return hottest, light, heavy
