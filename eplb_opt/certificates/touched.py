"""Touched: how many GPUs so many moves can cool at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from itertools import islice
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
    and no GPU carries more than `top`. All else is on those that are changed: at least what was on the GPUs above `top`
    and on those with the most room. Where GPUs differ, `top` is a load of its own on each, see `Layer.rooms`.
    """
    if layer.origin is None or not layer.distinct:
        raise CertificateError("touched GPUs are about moves, and distinct replicas")
    before, moves = layer.origin
    limit.spend(_PER_SLOT * layer.slots * layer.gpus)
    counts, slots = Counter(before), iter(before)
    gpus = [tuple(islice(slots, layer.slots_of(gpu))) for gpu in range(layer.gpus)]
    if -1 in counts or len(counts) < len(layer.loads) or any(len(set(gpu)) < len(gpu) for gpu in gpus):
        raise CertificateError("the plan before is none")
    # Loads are multiples of all counts.
    loads = [sum(layer.loads[expert] // counts[expert] for expert in gpu) for gpu in gpus]
    spare = [room - load for room, load in zip(layer.rooms(top), loads, strict=True)]
    hottest = sorted(range(layer.gpus), key=lambda gpu: Fraction(loads[gpu]) / layer.speed_of(gpu), reverse=True)
    hot = [gpu for gpu in hottest if spare[gpu] < 0]
    changed: Counter[int] = Counter()
    for number, gpu in enumerate(hot, start=1):
        changed.update(gpus[gpu])
        if number > _reach(changed, moves):
            return True
    reach = min(layer.gpus, _reach(counts, moves))
    below = sorted(room for room in spare if room >= 0)
    kept = sum(
        room
        for room, gpu in zip(spare, gpus, strict=True)
        if room >= 0 and any(_with_one_fewer(layer.loads[expert], counts[expert]) <= room for expert in gpu)
    )
    changed_too = below[len(below) - max(0, reach - len(hot)) :]
    return -sum(spare[gpu] for gpu in hot) > sum(changed_too) + kept


def _reach(holders: Counter[int], moves: int) -> int:
    """How many GPUs moves can change, of those on which experts have so many holders."""
    return moves + sum(sorted(holders.values(), reverse=True)[:moves])


def _with_one_fewer(load: int, count: int) -> int | float:
    """What each replica of an expert carries more if there is one fewer."""
    return load // (count - 1) - load // count if count > 1 else inf
