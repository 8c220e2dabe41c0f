"""Search: whether the slots of a small layer can be placed at all, by trying every way to place expert after expert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from eplb_opt.certificates.counts import needs
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit

# Loads and free slots of the GPUs, in order: which GPU is which does not matter.
State = tuple[tuple[int, int], ...]

# To look at a GPU, in nanoseconds.
_PER_LOOK = 3_000


def refutes_by_search(_argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether no plan has a max load of at most `top`.

    Expert after expert, the heaviest first, every count and every choice of GPUs for its replicas is tried. What the
    experts after it can do depends on the loads and the free slots of the GPUs alone, so each such state is looked at
    once; it is given up where the GPUs with free slots cannot carry the load that is left.

    Raises
    ------
    CertificateError
        It is more work than the limit, or a layer of several nodes.
    """
    needed = needs(layer, top, layer.ranges, limit)
    if needed is None:
        return True
    if layer.nodes > 1:
        raise CertificateError("a search is for one node")
    order = sorted(range(len(layer.loads)), key=lambda expert: -layer.loads[expert])
    states: set[State] = {((0, layer.slots_per_gpu),) * layer.gpus}
    for place, expert in enumerate(order):
        after = order[place + 1 :]
        load = sum(layer.loads[e] for e in after)
        fewest, most = sum(needed[0][e] for e in after), sum(needed[1][e] for e in after)
        new: set[State] = set()
        for count in range(needed[0][expert], needed[1][expert] + 1):
            share = layer.loads[expert] // count
            # All replicas at once, on different GPUs, or one after the other.
            times, at_once = (1, count) if layer.distinct else (count, 1)
            reached = {state for state in states if fewest <= sum(free for _, free in state) - count <= most}
            for _ in range(times):
                before, reached = reached, set()
                for state in before:
                    for next_state in _placed(state, share, at_once, top):
                        limit.spend(layer.gpus * _PER_LOOK)
                        reached.add(next_state)
            new |= {state for state in reached if sum(top - carried for carried, free in state if free) >= load}
        states = new
    return not states


def _placed(state: State, share: int, count: int, top: int) -> Iterator[State]:
    """States with a replica on so many GPUs more."""
    kinds = Counter((load, free) for load, free in state if free and load + share <= top)
    others = tuple(gpu for gpu in state if gpu not in kinds)
    return _spread(list(kinds.items()), share, count, others)


def _spread(kinds: list[tuple[tuple[int, int], int]], share: int, count: int, done: State) -> Iterator[State]:
    """States with a replica on `count` GPUs of kinds that have room; GPUs of one kind are alike."""
    if not kinds:
        if not count:
            yield tuple(sorted(done))
        return
    ((load, free), number), *others = kinds
    least = count - sum(more for _, more in others)
    for taken in range(max(least, 0), min(number, count) + 1):
        here = ((load + share, free - 1),) * taken + ((load, free),) * (number - taken)
        yield from _spread(others, share, count - taken, done + here)
