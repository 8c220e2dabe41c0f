"""Splits: ranges of counts are parted until weightings refute each part."""

from __future__ import annotations

from typing import Any

import numpy as np

from eplb_opt.bounds.buckets import CAPACITY, Buckets, Ranges
from eplb_opt.bounds.configuration import ConfigurationProgram
from eplb_opt.bounds.fillings import Weighting
from eplb_opt.bounds.verdict import Verdict
from eplb_opt.limits import Meter

# Weightings of other parts that are tried on a part, the newest first.
_MOST_TRIED = 20
# Shares nearer to 1 than this are whole.
_WHOLE = 1e-6
# Seconds of work to try a weighting: for a number of replicas that an expert can have, and for each more that it can.
_WORK_PER_ITEM, _WORK_PER_OPTION = 3e-8, 1e-9
# What takes seconds to check: starts of all weightings times slots per GPU, and options of all programs over counts.
_MOST_STARTS, _MOST_OPTIONS = 20_000, 2 * 10**7


def refute_by_splits(program: ConfigurationProgram, most_parts: int, meter: Meter) -> Verdict:
    """Whether weightings refute all counts within the ranges of a program, in so many parts at most.

    Averages of counts can be covered by GPUs where no counts can: of a hot expert, say, two replicas and three, half
    of each. So the hottest expert whose counts are mixed gets fewer replicas than on average in one part, more in the
    other. A weighting that refutes a part often refutes others too. Counts that are not mixed are a verdict as well:
    no weighting refutes them. Source: branch-and-price, C. Barnhart et al., Operations Research 46, 316-329 (1998),
    https://doi.org/10.1287/opre.46.3.316.
    """
    buckets = program.buckets
    none = np.empty(0, dtype=np.int64)
    # The first has no weights: it refutes parts without counts that fill the slots.
    weightings = [Weighting(buckets.instance.deployment.slots_per_gpu, buckets.capacity, none, none, 0)]
    tree: list[list[int]] = []
    parts = [buckets.ranges]
    # A weight of an item costs as much as some options.
    most_parts = min(most_parts, max(1, _MOST_OPTIONS // (len(program.items) * (buckets.of.shape[1] + 20))))
    while parts:
        part = _narrowed(parts.pop(), buckets.instance.deployment.num_slots)
        refuting = _refuting(weightings, buckets, part, meter)
        if refuting is None:
            weighting, solved = program.solve(meter, part)
            if weighting is not None:
                refuting = len(weightings)
                weightings.append(weighting)
            elif not solved:
                return Verdict()
        if refuting is not None:
            tree.append([refuting])
            continue
        expert = _mixed(program)
        if expert is None:
            return Verdict(counts=program.whole_counts(part).tolist())
        if len(parts) + sum(len(node) == 1 for node in tree) + 2 > most_parts:
            return Verdict()
        least, most = part
        fewer, more = most.copy(), least.copy()
        fewer[expert] = min(max(int(program.counts()[expert]), least[expert]), most[expert] - 1)
        more[expert] = fewer[expert] + 1
        tree.append([expert, int(fewer[expert])])
        parts += [(more, most), (least, fewer)]
    needed = sorted({node[0] for node in tree if len(node) == 1})
    if sum(weightings[place].starts.size for place in needed) * weightings[0].size > _MOST_STARTS:
        return Verdict()
    return Verdict(evidence=_evidence({place: weightings[place] for place in needed}, tree, buckets))


def _narrowed(part: Ranges, slots: int) -> Ranges:
    """A part without counts that no others fill up to the slots; one that has no counts as it is."""
    least, most = part
    spare, missing = slots - int(least.sum()), int(most.sum()) - slots
    if spare < 0 or missing < 0:
        return part
    return np.maximum(least, most - missing), np.minimum(most, least + spare)


def _refuting(weightings: list[Weighting], buckets: Buckets, part: Ranges, meter: Meter) -> int | None:
    """The place of a weighting that refutes a part."""
    tried: list[int] = [0, *range(len(weightings) - 1, max(0, len(weightings) - 1 - _MOST_TRIED), -1)]
    for place in tried:
        meter.spend((_WORK_PER_ITEM + _WORK_PER_OPTION * buckets.of.shape[1]) * buckets.of.size)
        if buckets.excludes(weightings[place], part):
            return place
    return None


def _mixed(program: ConfigurationProgram) -> int | None:
    """The expert with most load whose counts are mixed, by how much they are; ``None`` where each has one count."""
    largest = np.zeros(program.buckets.instance.num_experts)
    np.maximum.at(largest, program.experts, program.shares)
    loads = program.buckets.instance.kernel_loads
    mixed = np.where(largest < 1 - _WHOLE, (1 - largest) * loads, -1.0)
    expert = int(mixed.argmax())
    # Whatever the counts of experts without load, GPUs carry the same.
    return expert if float(mixed[expert]) > 0 else None


def _evidence(weightings: dict[int, Weighting], tree: list[list[int]], buckets: Buckets) -> dict[str, Any]:
    """The tree in the order of a certificate, with the weightings that it needs."""
    number = {place: index for index, place in enumerate(weightings)}
    used = [(weighting.starts.tolist(), weighting.weights.tolist()) for weighting in weightings.values()]
    numbers = {"buckets": CAPACITY, "scale": str(buckets.max_load)}
    if len(tree) == 1:
        ((starts, weights),) = used
        return {"argument": "weighting", **numbers, "starts": starts, "weights": weights}
    parts = [[number[node[0]]] if len(node) == 1 else node for node in tree]
    return {"argument": "weightings", **numbers, "weightings": [list(lists) for lists in used], "parts": parts}
