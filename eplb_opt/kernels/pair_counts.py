"""Two slots per GPU: the best counts of some experts, those of all others as they are, by a sweep over loads."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eplb_opt.kernels.compiler import Floats, Index, Ints, compiled

# Experts that are chosen at once are bits of a key. Behind them are spare replicas that are used, and open slots.
MOST_CHOSEN = 26
_SPARE, _OPEN, _FIELD = 26, 38, 2**12
# Open slots can be negative.
_ZERO = _FIELD // 2
# Counts of a chosen expert that are looked at, from the least on; the little more, as part of the limit.
_OPTIONS, _ROOM = 13, 5e-3
# States that are kept at once, places of a table of them (a power of 2), and options taken in one sweep.
_STATES, _TABLE, _NODES = 2**13, 2**15, 2**18
# Keys times this, an odd number, are scattered in their upper bits.
_SCATTER = 0x1E3779B97F4A7C15


class States(NamedTuple):
    """States of a sweep, and how they came about; see `reassign_counts`. Arrays change in place.

    Attributes
    ----------
    keys
        Which chosen experts have a count, how many replicas more than the least these have, and their open slots.
    costs
        Excess so far.
    paid
        Change of open slots times place, over the options that were taken.
    nodes
        The last of these options.
    parents, options
        Of each option that was taken: the one before, and which it is.
    taken
        How many there are; shape ``(1,)``.
    table, held
        Numbers of states by their keys, -1 where there is none; where each is in it.
    """

    keys: Ints
    costs: Floats
    paid: Floats
    nodes: Ints
    parents: Ints
    options: Ints
    taken: Ints
    table: Ints
    held: Ints


def new_states() -> States:
    """Room for any sweep."""
    floats, ints = np.empty((2, _STATES)), np.empty((3, _STATES), dtype=np.int64)
    tree, taken = np.empty((2, _NODES), dtype=np.int64), np.zeros(1, dtype=np.int64)
    return States(ints[0], floats[0], floats[1], ints[1], tree[0], tree[1], taken, np.full(_TABLE, -1), ints[2])


@compiled
def reassign_counts(
    loads: Floats, counts: Ints, chosen: Ints, limit: float, budget: float, most: int, states: States, best: Ints
) -> tuple[float, int]:
    """The least excess above `limit` that other counts of the chosen experts give, infinite if none is below `budget`.

    Also how many states were looked at. `best` has the counts; all slots are used as before, and no expert has more
    than `most` replicas. No slot is above the limit.

    A slot of load v has its place at v if that is at most half the limit, else at limit - v: there it needs the slot
    that shares its GPU, or a lighter one, to have been before. In a sweep over places from 0 to half the limit, slots
    are open that have no such partner yet; they are negative where heavy slots are more. If that never happens, sums of
    heaviest and lightest do not exceed the limit, by Hall's theorem; else their excess is the integral of what is
    negative. What is positive is load that GPUs could carry and do not. Its integral is known beforehand, as all
    loads and slots are: that of the chosen experts alone is kept below it and a little more, and excess below that of
    the counts as they are so far and a little more, which leaves few states.

    A state says which of the chosen experts have their count, and with it open slots and replicas that are used; of
    those that agree in all this the one with the least excess so far is enough. Where states are too many, some are
    dropped: then better counts may be missed.
    """
    least, spare, allowed = _room(loads, counts, chosen, limit)
    if spare < 0 or spare >= _FIELD:
        return np.inf, 0
    places, changes, owners = _options(loads, counts, chosen, least, spare, limit, most)
    order = np.argsort(places)
    last = np.zeros(chosen.size, dtype=np.int64)
    for index in range(order.size):
        if owners[order[index]] >= 0:
            last[owners[order[index]]] = index
    states.keys[0], states.costs[0], states.paid[0], states.nodes[0] = _ZERO << _OPEN, 0.0, 0.0, -1
    states.taken[0] = 0
    number: Index = 1
    # Open slots of the others, and of the chosen ones at the counts that they have.
    others, own = 0, 0
    before, excess, needed, seen = min(0.0, places[order[0]]), 0.0, 0, 0
    for index in range(order.size + 1):
        option = order[index] if index < order.size else -1
        here = places[option] if option >= 0 else 0.5 * limit
        excess -= min(0, others + own) * (here - before)
        most_excess = min(budget, excess + _ROOM * limit)
        number = _advance(states, number, others, here - before, here, most_excess, allowed, needed)
        seen += number
        before = here
        if option < 0 or number == 0:
            break
        owner = owners[option]
        if owner < 0:
            others += changes[option]
            continue
        if abs(changes[option]) == counts[chosen[owner]]:
            own += changes[option]
        extra = abs(changes[option]) - least[owner]
        number = _branch(states, number, owner, extra, spare, changes[option], here, option)
        if last[owner] == index:
            needed |= 1 << owner
    return _best_end(states, number, spare, counts, chosen, owners, changes, best), seen


@compiled
def _room(loads: Floats, counts: Ints, chosen: Ints, limit: float) -> tuple[Ints, int, float]:
    """Of chosen experts the least counts, the replicas that they have more than those, and what they may leave unused.

    The latter is what their part of the GPUs could carry below `limit` and does not, and a little more.
    """
    least = np.empty(chosen.size, dtype=np.int64)
    spare, total, slots = 0, 0.0, 0
    for place in range(chosen.size):
        load = loads[chosen[place]]
        least[place] = max(1, int(np.ceil(load / limit - 1e-12)))
        spare += counts[chosen[place]] - least[place]
        total += load
        slots += counts[chosen[place]]
    return least, spare, 0.5 * slots * limit - total + _ROOM * limit


@compiled
def _best_end(
    states: States, number: Index, spare: Index, counts: Ints, chosen: Ints, owners: Ints, changes: Ints, best: Ints
) -> float:
    """The least excess of states that use all slots, infinite if there is none; its counts go to `best`."""
    end, found = -1, np.inf
    for state in range(number):
        if ((states.keys[state] >> _SPARE) & (_FIELD - 1)) == spare and states.costs[state] < found:
            found, end = states.costs[state], states.nodes[state]
    if end >= 0:
        for expert in range(counts.size):
            best[expert] = counts[expert]
    while end >= 0:
        option = states.options[end]
        best[chosen[owners[option]]] = abs(changes[option])
        end = states.parents[end]
    return float(found)


@compiled
def excess_of(loads: Floats, counts: Ints, limit: float) -> float:
    """What pairs, heaviest slot with lightest, have above `limit` together."""
    none = np.empty(0, dtype=np.int64)
    places, changes, _ = _options(loads, counts, none, none, 0, limit, 0)
    order = np.argsort(places)
    opened, excess, before = 0, 0.0, places[order[0]]
    for option in order:
        excess -= min(0, opened) * (places[option] - before)
        opened += changes[option]
        before = places[option]
    return float(excess - min(0, opened) * (0.5 * limit - before))


@compiled
def _options(
    loads: Floats, counts: Ints, chosen: Ints, least: Ints, spare: Index, limit: float, most: int
) -> tuple[Floats, Ints, Ints]:
    """Place and change of open slots of each expert, and of each chosen one, which is named, at each count."""
    size = counts.size + chosen.size * _OPTIONS
    places, changes = np.empty(size), np.empty(size, dtype=np.int64)
    owners = np.full(size, -1)
    fixed = np.ones(counts.size, dtype=np.int64)
    for owner in range(chosen.size):
        fixed[chosen[owner]] = 0
    listed = 0
    for number in range(counts.size + chosen.size):
        owner = number - counts.size
        expert = number if owner < 0 else chosen[owner]
        first, end = counts[expert], counts[expert] + fixed[expert]
        if owner >= 0:
            first, end = least[owner], min(least[owner] + min(spare + 1, _OPTIONS), most + 1)
        for count in range(first, end):
            load = loads[expert] / count
            light = load <= 0.5 * limit
            places[listed] = load if light else limit - load
            changes[listed] = count if light else -count
            owners[listed] = owner if owner >= 0 else -1
            listed += 1
    return places[:listed], changes[:listed], owners[:listed]


@compiled
def _advance(
    states: States,
    number: Index,
    others: Index,
    length: float,
    here: float,
    budget: float,
    allowed: float,
    needed: Index,
) -> int:
    """Go on to the next place; how many states are left. Those who cost or leave too much are not, nor those without
    an expert that is `needed`."""
    left = 0
    for state in range(number):
        key, cost, paid = states.keys[state], states.costs[state], states.paid[state]
        opened = (key >> _OPEN) - _ZERO
        if opened + others < 0:
            cost -= (opened + others) * length
        if cost < budget and here * opened - paid <= allowed and (key & needed) == needed:
            states.keys[left], states.costs[left], states.paid[left] = key, cost, paid
            states.nodes[left] = states.nodes[state]
            left += 1
    return left


@compiled
def _branch(
    states: States,
    number: Index,
    owner: Index,
    extra: Index,
    spare: Index,
    change: Index,
    here: float,
    option: Index,
) -> Index:
    """All states with an option of a chosen expert, and without it; how many there are."""
    keys, costs, nodes, table = states.keys, states.costs, states.nodes, states.table
    bit = 1 << owner
    for state in range(number):
        if keys[state] & bit:
            states.held[state] = _find(table, keys, keys[state])
            table[states.held[state]] = state
    after = number
    for state in range(number):
        key = keys[state]
        opened = (key >> _OPEN) + change
        used = ((key >> _SPARE) & (_FIELD - 1)) + extra
        if key & bit or used > spare or opened < 0 or states.taken[0] >= _NODES:
            continue
        key = (key & ((1 << _SPARE) - 1)) | bit | (used << _SPARE) | (opened << _OPEN)
        other = table[_find(table, keys, key)]
        if other < 0:
            if after == _STATES:
                continue
            # No two of the new ones are alike, so that these need no place in the table.
            other = after
            after += 1
        elif costs[state] >= costs[other]:
            continue
        keys[other], costs[other], states.paid[other] = key, costs[state], states.paid[state] + change * here
        states.parents[states.taken[0]], states.options[states.taken[0]] = nodes[state], option
        nodes[other] = states.taken[0]
        states.taken[0] += 1
    for state in range(number):
        if keys[state] & bit:
            table[states.held[state]] = -1
    return after


@compiled
def _find(table: Ints, keys: Ints, key: Any) -> Any:
    """Where a key is in the table, or would be."""
    place = ((key * _SCATTER) >> 40) & (_TABLE - 1)
    while table[place] >= 0 and keys[table[place]] != key:
        place = (place + 1) & (_TABLE - 1)
    return place
