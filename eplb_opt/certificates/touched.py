"""Touched: how many GPUs so many moves can cool at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import inf
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit

# In nanoseconds, for a slot that may be hot while one of the GPUs is added.
_PER_SLOT = 100


def refutes_by_touched(_argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether the GPUs that moves can change are too few to be within `top` each.

    Slots are full and replicas distinct. So a GPU that no expert moves to keeps what it holds, and if none of its
    experts moves anywhere, they have no more replicas than before: it carries at least what it carried. A move changes
    the GPU that it goes to, and those that held its expert. All that were above `top` have to be changed. What the
    others carry more than before, as other GPUs dropped replicas, is known: a replica fewer may already be too much,
    and no GPU carries more than `top`. All else is on those that are changed, at least what was on the hottest and the
    coolest of them.
    """
    if layer.origin is None or not layer.distinct:
        raise CertificateError("touched GPUs are about moves, and distinct replicas")
    before, moves = layer.origin
    limit.spend(_PER_SLOT * layer.slots * layer.gpus)
    counts, size = Counter(before), layer.slots_per_gpu
    gpus = [before[start : start + size] for start in range(0, layer.slots, size)]
    if -1 in counts or len(counts) < len(layer.loads) or any(len(set(gpu)) < size for gpu in gpus):
        raise CertificateError("the plan before is none")
    # Loads are multiples of all counts.
    loads = [sum(layer.loads[expert] // counts[expert] for expert in gpu) for gpu in gpus]
    hottest = sorted(range(layer.gpus), key=loads.__getitem__, reverse=True)
    hot = [gpu for gpu in hottest if loads[gpu] > top]
    changed: Counter[int] = Counter()
    for number, gpu in enumerate(hot, start=1):
        changed.update(gpus[gpu])
        if number > _reach(changed, moves):
            return True
    reach = min(layer.gpus, _reach(counts, moves))
    room = sum(
        top - load
        for load, gpu in zip(loads, gpus, strict=True)
        if load <= top and any(_with_one_fewer(layer.loads[expert], counts[expert]) <= top - load for expert in gpu)
    )
    coolest = hottest[layer.gpus - max(0, reach - len(hot)) :]
    return sum(loads[gpu] for gpu in (*hot, *coolest)) > top * max(reach, len(hot)) + room


def _reach(holders: Counter[int], moves: int) -> int:
    """How many GPUs moves can change, of those on which experts have so many holders."""
    return moves + sum(sorted(holders.values(), reverse=True)[:moves])


def _with_one_fewer(load: int, count: int) -> int | float:
    """What each replica of an expert carries more if there is one fewer."""
    return load // (count - 1) - load // count if count > 1 else inf
