"""Search: whether the slots of a small layer can be placed at all, by trying every way to place expert after expert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import add
from typing import Any

from eplb_opt.certificates.counts import needs_of_all
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit

# Load in each window, and free slots, of a GPU; and those of all GPUs, in order: which GPU is which does not matter.
Gpu = tuple[tuple[int, ...], int]
State = tuple[Gpu, ...]

# To look at a GPU, in nanoseconds, and in it at a window.
_PER_LOOK, _PER_WINDOW = 3_000, 1_000


def refutes_by_search(_argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether no plan has a max load of at most `top`.

    Raises
    ------
    CertificateError
        It is more work than the limit, or a layer of several nodes.
    """
    return not all_placed([layer], [top], limit)


def all_placed(
    layers: Sequence[Layer], tops: Sequence[int], limit: WorkLimit, keep: Callable[[State], bool] | None = None
) -> set[State]:
    """What GPUs can carry if all slots are filled and no window, a layer of its own, has a max load above its top.

    Expert after expert, the heaviest first, every count and every choice of GPUs for its replicas is tried. What the
    experts after it can do depends on the loads and the free slots of the GPUs alone, so each such state is looked at
    once; it is given up where the GPUs with free slots cannot carry the load that is left, or where `keep` says so,
    which has to be true of a state if it is of one that follows.

    Raises
    ------
    CertificateError
        It is more work than the limit, or a layer of several nodes.
    """
    needed = needs_of_all(layers, tops, limit)
    if needed is None:
        return set()
    first = layers[0]
    if first.nodes > 1:
        raise CertificateError("a search is for one node")
    windows, cost = range(len(layers)), first.gpus * (_PER_LOOK + _PER_WINDOW * (len(layers) - 1))
    order = sorted(range(len(first.loads)), key=lambda expert: -sum(_parts_of(layers, expert)))
    states: set[State] = {(((0,) * len(layers), first.slots_per_gpu),) * first.gpus}
    for place, expert in enumerate(order):
        after = order[place + 1 :]
        loads = [sum(layer.loads[e] for e in after) for layer in layers]
        fewest, most = sum(needed[0][e] for e in after), sum(needed[1][e] for e in after)
        new: set[State] = set()
        for count in range(needed[0][expert], needed[1][expert] + 1):
            share = tuple(layer.loads[expert] // count for layer in layers)
            # All replicas at once, on different GPUs, or one after the other.
            times, at_once = (1, count) if first.distinct else (count, 1)
            reached = {state for state in states if fewest <= sum(free for _, free in state) - count <= most}
            for _ in range(times):
                before, reached = reached, set()
                for state in before:
                    for next_state in _placed(state, share, at_once, tops):
                        limit.spend(cost)
                        reached.add(next_state)
            limit.spend(cost * len(reached))
            for state in reached:
                open_ = [carried for carried, free in state if free]
                room = all(sum(tops[k] - carried[k] for carried in open_) >= loads[k] for k in windows)
                if room and (keep is None or keep(state)):
                    new.add(state)
        states = new
    return states


def _parts_of(layers: Sequence[Layer], expert: int) -> Iterator[float]:
    """Of the load of each window, what an expert has."""
    return (layer.loads[expert] / (sum(layer.loads) or 1) for layer in layers)


def _placed(state: State, share: tuple[int, ...], count: int, tops: Sequence[int]) -> Iterator[State]:
    """States with a replica on so many GPUs more."""
    fits = [
        (gpu, tuple(map(add, gpu[0], share)))
        for gpu in state
        if gpu[1] and all(load + more <= top for load, more, top in zip(gpu[0], share, tops, strict=True))
    ]
    kinds = Counter(fits)
    known = {gpu for gpu, _ in kinds}
    others = tuple(gpu for gpu in state if gpu not in known)
    return _spread(list(kinds.items()), count, others)


def _spread(kinds: list[tuple[tuple[Gpu, tuple[int, ...]], int]], count: int, done: State) -> Iterator[State]:
    """States with a replica on `count` GPUs of kinds that have room; GPUs of one kind are alike."""
    if not kinds:
        if not count:
            yield tuple(sorted(done))
        return
    ((gpu, loads), number), *others = kinds
    least = count - sum(more for _, more in others)
    for taken in range(max(least, 0), min(number, count) + 1):
        here = ((loads, gpu[1] - 1),) * taken + (gpu,) * (number - taken)
        yield from _spread(others, count - taken, done + here)
