"""Rows that the pairs of slots on GPUs obey, added up; a part of the checker of certificates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from eplb_opt.bounds.certified_layer import CertificateError, CertifiedLayer


def pair_rows(rows: Sequence[Sequence[int]], layer: CertifiedLayer, top: int) -> tuple[Callable[[int, int], int], int]:
    """What the replicas of an expert at a count weigh in the sum of the rows, and what no plan within `top` exceeds.

    A row is an expert, a count and a multiplier. With v the load of a slot of that expert at that count:

    - 2 v > top: slots of at least v have different partners, of at most top - v. So slots of at least v, less those of
      at most top - v, are at most 0.
    - else, with distinct replicas: a slot above top - v shares no GPU with another one, nor with a replica of the
      expert. So the replicas, if they are as many as the count says, and slots above top - v are at most the GPUs.
    """
    steps: dict[int, int] = {}
    alone: dict[tuple[int, int], int] = {}
    ground = right = 0
    for expert, count, multiplier in rows:
        if not (0 <= expert < len(layer.loads) and 1 <= count <= layer.most and multiplier >= 0):
            raise CertificateError(f"{expert}, {count}, {multiplier} is no row of an expert, a count and a multiplier")
        load = layer.loads[expert] // count
        above = top - load + 1
        if 2 * load > top:
            steps[load] = steps.get(load, 0) + multiplier
            ground -= multiplier
        elif layer.distinct:
            alone[expert, count] = alone.get((expert, count), 0) + multiplier
            right += multiplier * layer.gpus
        else:
            raise CertificateError("replicas that may share a GPU obey no row of a light slot")
        steps[above] = steps.get(above, 0) + multiplier
    loads = sorted(steps)
    weights = list(accumulate((steps[load] for load in loads), initial=ground))

    def weight(expert: int, count: int) -> int:
        slot = weights[bisect_right(loads, layer.loads[expert] // count)]
        return count * (slot + alone.get((expert, count), 0))

    return weight, right
