"""Branching: ranges of counts are divided until a dual function refutes each part."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.bounds.buckets import CAPACITY, Buckets, Ranges
from eplb_opt.bounds.configuration import ConfigurationLP
from eplb_opt.bounds.feasibility import Feasibility
from eplb_opt.bounds.mixed_counts import most_mixed
from eplb_opt.bounds.patterns import DualFunction
from eplb_opt.limits import Meter

# Weightings of other parts that are tried on a part, the newest first.
_MOST_TRIED = 20
# Seconds of work to try a dual function, for each item, and for each further count that an expert can have.
_WORK_PER_ITEM, _WORK_PER_OPTION = 3e-8, 1e-9
# What takes seconds to check: starts of all dual functions times slots per GPU, and options of all dynamic programs.
_MOST_STARTS, _MOST_OPTIONS = 20_000, 2 * 10**7


def refute_by_branching(program: ConfigurationLP, most_parts: int, meter: Meter) -> Feasibility:
    """Whether dual functions refute all counts within the ranges of a program, in at most `most_parts` parts.

    GPUs may cover a mixture of counts where they cover no counts: of a hot expert, say, half of two replicas and half
    of three. So the hottest expert with a mixture is branched on: fewer replicas than its average in one part, more in
    the other. A dual function that refutes a part often refutes others too. Counts without a mixture are an answer as
    well: no dual function refutes them.
    Source: branch-and-price, C. Barnhart et al., Operations Research 46, 316-329 (1998),
    https://doi.org/10.1287/opre.46.3.316.
    """
    buckets = program.buckets
    none = np.empty(0, dtype=np.int64)
    # The first has no weights: it refutes parts without counts that fill the slots.
    duals = [DualFunction(buckets.instance.deployment.slots_per_gpu, buckets.capacity, none, none, 0)]
    tree: list[list[int]] = []
    parts = [buckets.ranges]
    # A weight of an item costs as much as some options.
    most_parts = min(most_parts, max(1, _MOST_OPTIONS // (len(program.items) * (buckets.of.shape[1] + 20))))
    while parts:
        part = _narrowed(parts.pop(), buckets.instance.deployment.num_slots)
        refuting = _refuting(duals, buckets, part, meter)
        if refuting is None:
            dual, solved = program.solve(meter, part)
            if dual is not None:
                refuting = len(duals)
                duals.append(dual)
            elif not solved:
                return Feasibility()
        if refuting is not None:
            tree.append([refuting])
            continue
        least, most = part
        expert = most_mixed(program.experts, program.values, buckets.instance.kernel_loads, least < most)
        if expert is None:
            return Feasibility(counts=program.whole_counts(part).tolist())
        if len(parts) + sum(len(node) == 1 for node in tree) + 2 > most_parts:
            return Feasibility()
        fewer, more = most.copy(), least.copy()
        fewer[expert] = min(max(int(program.counts()[expert]), least[expert]), most[expert] - 1)
        more[expert] = fewer[expert] + 1
        tree.append([expert, int(fewer[expert])])
        parts += [(more, most), (least, fewer)]
    needed = sorted({node[0] for node in tree if len(node) == 1})
    if sum(duals[place].starts.size for place in needed) * duals[0].size > _MOST_STARTS:
        return Feasibility()
    return Feasibility(evidence=_evidence({place: duals[place] for place in needed}, tree, buckets))


def _narrowed(part: Ranges, slots: int) -> Ranges:
    """A part without counts that no others fill up to the slots; one that has no counts as it is."""
    least, most = part
    spare, missing = slots - int(least.sum()), int(most.sum()) - slots
    if spare < 0 or missing < 0:
        return part
    return np.maximum(least, most - missing), np.minimum(most, least + spare)


def _refuting(duals: list[DualFunction], buckets: Buckets, part: Ranges, meter: Meter) -> int | None:
    """The place of a dual function that refutes a part."""
    tried: list[int] = [0, *range(len(duals) - 1, max(0, len(duals) - 1 - _MOST_TRIED), -1)]
    for place in tried:
        meter.spend((_WORK_PER_ITEM + _WORK_PER_OPTION * buckets.of.shape[1]) * buckets.of.size)
        if buckets.excludes(duals[place], part):
            return place
    return None


def _evidence(duals: dict[int, DualFunction], tree: list[list[int]], buckets: Buckets) -> dict[str, Any]:
    """The tree in the order of a certificate, with the dual functions that it needs."""
    number = {place: index for index, place in enumerate(duals)}
    used = [(dual.starts.tolist(), dual.weights.tolist()) for dual in duals.values()]
    numbers = {"buckets": CAPACITY, "scale": str(buckets.max_load)}
    if len(tree) == 1:
        ((starts, weights),) = used
        return {"argument": "weighting", **numbers, "starts": starts, "weights": weights}
    parts = [[number[node[0]]] if len(node) == 1 else node for node in tree]
    return {"argument": "weightings", **numbers, "weightings": [list(lists) for lists in used], "parts": parts}
