"""Annealing from a plan that runs: GPUs that carry no more than their targets after few moves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled
from eplb_opt.kernels.drawing import draw
from eplb_opt.kernels.origin import Origin, count_moves, more_arrivals, note
from eplb_opt.kernels.placement import Change, Placement, add_up, change_of, make, propose
from eplb_opt.kernels.rows import copy_row

# Parts of the proposals: a GPU above its targets, an expert that goes back where it comes from, two that both moved. Of
# all of these, a replica more; and of those that go back, in exchange for nearly the same load.
_FOCUSED, _RETURNS, _CROSSES, _TRANSFERS, _NEAR = 0.25, 0.35, 0.3, 0.1, 0.5
# Draws for a GPU above its targets, before any is taken.
_DRAWS = 4
# Proposals between two changes of temperature, and accepted ones between two sums of the loads.
_LEVEL, _FRESH = 100, 10_000
# Above its targets a GPU is by more than what floats round.
_NOTHING = 1e-12
# GPUs of a failure domain, where experts may be in a single one.
ANYWHERE = 0


class Cooling(NamedTuple):
    """How annealing goes on: each goes from the first number to the second, in mean loads of a GPU.

    Attributes
    ----------
    tolls
        What a move costs.
    temperatures
        A rise by as much is accepted once in e times.
    proposals
        How many exchanges of slots, or copies, are proposed.
    """

    tolls: tuple[float, float]
    temperatures: tuple[float, float]
    proposals: int


@compiled
def excess_of(p: Placement, targets: Floats, gpu: Index) -> float:
    """What a GPU carries above its targets, over all windows."""
    above = 0.0
    for k in range(targets.size):
        above += max(0.0, p.gpu_loads[gpu, k] - targets[k])
    return above


@compiled
def total_excess(p: Placement, targets: Floats) -> float:
    """What all GPUs carry above their targets."""
    above = 0.0
    for gpu in range(p.sources.gpus):
        above += excess_of(p, targets, gpu)
    return above


@compiled
def _more_excess(p: Placement, c: Change, targets: Floats, a: Index, b: Index) -> float:
    """What a proposal adds to the excess of all GPUs."""
    more = 0.0
    for j in range(c.touched[0]):
        gpu = c.gpus[j]
        for k in range(targets.size):
            load = p.gpu_loads[gpu, k] - targets[k]
            after = load + c.more[j, 0] * p.loads[a, k] + c.more[j, 1] * p.loads[b, k]
            more += max(0.0, after) - max(0.0, load)
    return more


@compiled
def _slot_at_home(p: Placement, o: Origin, a: Index, random: Any) -> Index:
    """A slot of a GPU that held an expert: of one of nearly the same load that it held too, or any; -1 for none."""
    gpu = o.homes[a, draw(random, o.num_homes[a])]
    first = p.sources.starts[gpu]
    size = p.sources.starts[gpu + 1] - first
    if random.random() >= _NEAR:
        some: Index = first + draw(random, size)
        return some
    step = int(np.exp(random.random() * np.log(max(2.0, size / 2.0))))
    place = o.rank[gpu, a] + (step if random.random() < 0.5 else -step)
    if 0 <= place < o.num_held[gpu]:
        b = o.order[gpu, place]
        for i in range(p.counts[b]):
            if p.sources.gpu_of[p.places[b, i]] == gpu:
                found: Index = p.places[b, i]
                return found
    return np.int64(-1)


@compiled
def _two_slots(p: Placement, o: Origin, targets: Floats, gpus_per_node: int, random: Any) -> tuple[Index, Index]:
    """Two slots of a node to propose something for; the second is -1 where there is none."""
    kind = random.random()
    slot = draw(random, p.slots.size)
    if kind < _FOCUSED:
        for _ in range(_DRAWS):
            if excess_of(p, targets, p.sources.gpu_of[slot]) > _NOTHING:
                break
            slot = draw(random, p.slots.size)
    elif kind < _FOCUSED + _RETURNS + _CROSSES and o.num_moved[0]:
        slot = o.moved[draw(random, o.num_moved[0])]
        if kind >= _FOCUSED + _RETURNS:
            return slot, o.moved[draw(random, o.num_moved[0])]
        if o.num_homes[p.slots[slot]]:
            return slot, _slot_at_home(p, o, p.slots[slot], random)
    node = p.sources.gpu_of[slot] // gpus_per_node * gpus_per_node
    first = p.sources.starts[node]
    return slot, first + draw(random, p.sources.starts[node + gpus_per_node] - first)


@compiled
def _allowed(p: Placement, o: Origin, slot: Index, other: Index, transfers: bool, distinct: bool) -> bool:
    """Whether the two slots may exchange what they have, or `slot` get a replica of what the other has."""
    a, b, g, h = p.slots[slot], p.slots[other], p.sources.gpu_of[slot], p.sources.gpu_of[other]
    if a == b or (distinct and o.copies[g, b] > 0):
        return False
    if transfers:
        return bool(p.counts[a] > 1 and p.counts[b] < p.places.shape[1])
    return bool(g != h and not (distinct and o.copies[h, a] > 0))


@compiled
def _stays_apart(p: Placement, slot: Index, enters: Index, domain: Index) -> bool:
    """Whether the expert of a slot is in two domains of so many GPUs once it leaves for another slot, -1 for none."""
    expert, first = p.slots[slot], np.int64(-1)
    if enters >= 0:
        first = p.sources.gpu_of[enters] // domain
    for i in range(p.counts[expert]):
        if p.places[expert, i] != slot:
            here = p.sources.gpu_of[p.places[expert, i]] // domain
            if first >= 0 and here != first:
                return True
            first = here
    return False


@compiled
def anneal_moves(
    p: Placement,
    o: Origin,
    targets: Floats,
    best: Ints,
    rules: tuple[int, bool, int, int],
    cooling: Cooling,
    random: Any,
) -> tuple[int, float]:
    """Lower excess + toll x moves, where excess is all load above `targets` (K,); `best` gets the best row of slots.

    `rules`: GPUs per node, whether replicas are distinct, the most moves, and GPUs of a failure domain, where every
    expert is in two of them and has to stay so, or `ANYWHERE`. A proposal exchanges two slots of a node, or fills one
    with a replica of what the other has. Among rows with so few moves, one of less excess is better, then one
    of fewer moves; moves and excess of the best are returned. Only GPUs that a proposal touches are looked at.
    """
    gpus_per_node, distinct, most, domain = rules
    copy_row(p.slots, best)
    c = change_of(p)
    moves, excess = count_moves(o.held, o.copies), total_excess(p, targets)
    least_moves, least_excess = moves, excess if moves <= most else np.inf
    if p.sources.gpus < 2:
        return least_moves, least_excess
    steps = max(1, cooling.proposals // _LEVEL)
    toll, temperature = cooling.tolls[0], cooling.temperatures[0]
    cheaper = (cooling.tolls[1] / toll) ** (1.0 / steps)
    colder = (cooling.temperatures[1] / temperature) ** (1.0 / steps)
    accepted = 0
    for proposal in range(1, cooling.proposals + 1):
        if proposal % _LEVEL == 0:
            toll *= cheaper
            temperature *= colder
        slot, other = _two_slots(p, o, targets, gpus_per_node, random)
        if other < 0:
            continue
        transfers = random.random() < _TRANSFERS
        if transfers and random.random() < 0.5:
            slot, other = other, slot
        g, h = p.sources.gpu_of[slot], p.sources.gpu_of[other]
        if g // gpus_per_node != h // gpus_per_node or not _allowed(p, o, slot, other, transfers, distinct):
            continue
        if domain > 0 and not _stays_apart(p, slot, np.int64(-1) if transfers else other, domain):
            continue
        if domain > 0 and not transfers and not _stays_apart(p, other, slot, domain):
            continue
        a, b = p.slots[slot], p.slots[other]
        more_moves = more_arrivals(o, g, b, a)
        if not transfers:
            more_moves += more_arrivals(o, h, a, b)
        # A rise by d is below the limit with probability exp(-d / temperature); excess cannot fall below nothing.
        limit = -temperature * np.log(1.0 - random.random()) - toll * more_moves
        if moves + more_moves > max(most, moves) or -excess > limit:
            continue
        propose(p, c, slot, other, transfers)
        more_excess = _more_excess(p, c, targets, a, b)
        if more_excess > limit:
            continue
        make(p, c, slot, other, transfers)
        o.copies[g, a] -= 1
        o.copies[g, b] += 1
        if not transfers:
            o.copies[h, b] -= 1
            o.copies[h, a] += 1
            note(p, o, other)
        note(p, o, slot)
        moves += more_moves
        excess += more_excess
        accepted += 1
        if accepted % _FRESH == 0:
            add_up(p)
            excess = total_excess(p, targets)
        if moves > most:
            continue
        if excess < least_excess - _NOTHING or (excess <= least_excess + _NOTHING and moves < least_moves):
            least_moves, least_excess = moves, excess
            copy_row(p.slots, best)
    return least_moves, least_excess
