"""Search: whether the slots of a small layer can be placed at all, by trying every way to place expert after expert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eplb_opt.bounds.certified_layer import CertificateError, CertifiedLayer, Ranges, needs

# Loads and free slots of the GPUs, in order: which GPU is which does not matter.
State = tuple[tuple[int, int], ...]

# More states than these take longer than a certificate should: some seconds.
MOST_STATES = 100_000


def refutes_by_search(layer: CertifiedLayer, top: int, ranges: Ranges, most_states: int = MOST_STATES) -> bool:
    """Whether no plan with counts in `ranges` has a max load of at most `top`.

    Expert after expert, the heaviest first, every count and every choice of GPUs for its replicas is tried. What the
    experts after it can do depends on the loads and the free slots of the GPUs alone, so each such state is looked at
    once; it is given up where the GPUs with free slots cannot carry the load that is left.

    Raises
    ------
    CertificateError
        Too many states, or a layer of several nodes.
    """
    needed = needs(layer, top, ranges)
    if needed is None:
        return True
    if layer.nodes > 1:
        raise CertificateError("a search is for one node")
    order = sorted(range(len(layer.loads)), key=lambda expert: -layer.loads[expert])
    states: set[State] = {((0, layer.slots // layer.gpus),) * layer.gpus}
    for place, expert in enumerate(order):
        after = order[place + 1 :]
        load = sum(layer.loads[e] for e in after)
        fewest, most = sum(needed[0][e] for e in after), sum(needed[1][e] for e in after)
        new: set[State] = set()
        for count in range(needed[0][expert], needed[1][expert] + 1):
            share = layer.loads[expert] // count
            for state in states:
                free = sum(slots for _, slots in state) - count
                if not fewest <= free <= most:
                    continue
                for next_state in _placed(state, share, count, top, layer.distinct):
                    if sum(top - carried for carried, slots in next_state if slots) >= load:
                        new.add(next_state)
                if len(new) > most_states:
                    raise CertificateError("a search has too many states")
        states = new
    return not states


def _placed(state: State, share: int, count: int, top: int, distinct: bool) -> Iterator[State]:
    """States with so many replicas of one expert more."""
    if distinct:
        yield from _spread(list(Counter(state).items()), share, count, top, ())
        return
    reached = {state}
    for _ in range(count):
        reached = {after for before in reached for after in _spread(list(Counter(before).items()), share, 1, top, ())}
    yield from reached


def _spread(kinds: list[tuple[tuple[int, int], int]], share: int, count: int, top: int, done: State) -> Iterator[State]:
    """States with a replica on `count` GPUs; GPUs of one kind are alike."""
    if not kinds:
        if not count:
            yield tuple(sorted(done))
        return
    ((load, free), number), *others = kinds
    takes = min(number, count) if free and load + share <= top else 0
    for taken in range(takes + 1):
        here = ((load + share, free - 1),) * taken + ((load, free),) * (number - taken)
        yield from _spread(others, share, count - taken, top, done + here)
