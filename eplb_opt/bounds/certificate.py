"""Certificates: what proves a lower bound, as plain data, and a checker that uses no code of what found it.

A certificate is a JSON object about one layer of one window. It claims that no plan has a max load below ``"bound"``
tokens, by one of these arguments, the key ``"argument"``:

``"mean"``
    GPU loads sum to the total load.
``"nodes"``
    A node carries its groups. Whatever the partition of n s groups into sets of s, some set holds q + 1 of the n q + 1
    heaviest, and for s = 2 the i-th heaviest or a heavier one has the i-th lightest or a heavier one as its partner.
``"counts"``
    Below the bound each expert needs replicas, and these need more slots than there are, or than a node has. A replica
    shares its GPU with other slots, at least the lightest that are possible: that raises the needs, until nothing
    changes. Or GPUs or nodes cannot carry all loads.
``"weighting"``
    ``"buckets"``, ``"scale"``, ``"starts"``, ``"weights"``. A slot load of x tokens falls into bucket
    ``floor(buckets x / scale)``, which weighs what the last of ``starts`` that is not above it weighs, and 0 below the
    first. The heaviest that fits on a GPU below the bound is found by a dynamic program over slots and buckets, the
    least that all slots weigh together by one over experts and counts. If GPUs cannot carry it, there is no plan.
``"pairs"``
    Two slots per GPU: ``"rows"`` of an expert, a count, and what the row counts for. That many replicas of the expert
    would have slots of some load v. If two of these do not fit on a GPU, all slots with at least v need partners of
    their own, light enough for v. Else, where replicas must be distinct, the replicas and all slots too heavy for v are
    on different GPUs. Rows are added up, and the least that all slots weigh together is found as for ``"weighting"``.
    Before that, ``"rounded"`` are more rows, each a sum of rows and of the number of ``"slots"``, which is less what
    experts weigh at their ``"bases"`` (a count for each; 1 where there is none), divided by ``"divisor"`` and rounded
    down with a ``"margin"``; ``"cuts"`` of a sum say what rounded rows before it count for.
``"search"``
    No numbers: every way to place the slots of a small layer is tried (`certified_search`).
``"weightings"``
    ``"parts"`` of all counts, which begin as one. Either an expert and a number: the part is split into counts with at
    most so many replicas of the expert, which come next, and those with more. Or the place of one of ``"weightings"``,
    starts and weights, that excludes the part as in ``"weighting"``.
``"partition"``
    ``"sets"``: for some sets of groups an argument that a node which takes them is not below the bound, as pairs of the
    set and the argument. The groups cannot be parted into other sets. An argument that is about a higher bound of the
    node says so with a ``"bound"`` of its own.

Everything is exact: loads are fractions, multiplied by the least common multiple of all counts that are possible, so
that slot loads are integers.
"""

from __future__ import annotations

import reprlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations, pairwise
from math import comb, inf
from operator import add
from typing import Any

import numpy as np

from eplb_opt.bounds.certified_layer import CertificateError, CertifiedLayer, Effort, Ranges, exact, hottest_node, needs
from eplb_opt.bounds.certified_search import refutes_by_search
from eplb_opt.bounds.pair_rows import PairRows

# Larger numbers than these would take all memory; no certificate that is written here comes near.
_MOST_CAPACITY, _MOST_SETS, _MOST_PARTS, _MOST_NODES, _MOST_DEPTH = 10**6, 10**5, 10**5, 100, 4
# In nanoseconds: for a cell of the program over fillings; a weight, and an option, of that over counts; an expert of a
# part; an item of a rounded row, which is kept.
_PER_CELL, _PER_WEIGHT, _PER_OPTION, _PER_EXPERT, _PER_ITEM = 1, 1_500, 80, 20, 100


def check_certificate(
    certificate: Mapping[str, Any],
    loads: Sequence[Any],
    deployment: Mapping[str, Any],
    unit: Fraction = Fraction(1),
) -> Fraction:
    """The bound in tokens that a certificate proves for a layer of one window, after every step was checked.

    Parameters
    ----------
    certificate
        Parsed JSON, see above.
    loads
        Load of each expert, taken as exact.
    deployment
        ``num_gpus``, ``num_slots``, ``num_nodes``, ``num_groups``, ``policy`` and ``distinct``.
    unit
        Tokens of one unit of the loads.

    Raises
    ------
    CertificateError
        A certificate that proves less than its bound, or is none.
    """
    try:
        layer = CertifiedLayer.of(loads, deployment, unit)
        bound = exact(certificate["bound"])
        if bound > 0 and not _refutes(certificate, layer, layer.below(bound), Effort(), 0):
            raise CertificateError(f"the argument {certificate['argument']} does not prove its bound")
    except CertificateError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise CertificateError(f"this is no certificate: {type(error).__name__}: {error}") from None
    return bound


def _refutes(argument: Mapping[str, Any], layer: CertifiedLayer, top: int, effort: Effort, depth: int) -> bool:
    """Whether an argument shows that no plan has a max load of at most `top`."""
    if depth > _MOST_DEPTH:
        raise CertificateError("partitions are nested too deeply")
    kind = argument["argument"]
    if kind == "mean":
        return sum(layer.loads) > top * layer.gpus
    if kind == "nodes":
        return hottest_node(layer) > top * (layer.gpus // layer.nodes)
    if kind == "counts":
        return needs(layer, top, layer.ranges, effort) is None
    if kind == "weighting":
        return _weighting(argument, layer, top, effort)(layer.ranges)
    if kind == "weightings":
        return _weightings(argument, layer, top, effort)
    if kind == "pairs":
        return _pairs(argument, layer, top, effort)
    if kind == "search":
        return refutes_by_search(layer, top, effort)
    if kind == "partition":
        return _covers(argument["sets"], layer, top, effort, depth)
    raise CertificateError(f"the argument {reprlib.repr(kind)} is not known")


def _weightings(argument: Mapping[str, Any], layer: CertifiedLayer, top: int, effort: Effort) -> bool:
    """Whether each part of the counts has a weighting that excludes it."""
    excluding: dict[int, Callable[[Ranges], bool]] = {}
    pending = [layer.ranges]
    for part in argument["parts"]:
        if not all(type(number) is int and number >= 0 for number in part):
            raise CertificateError("a part has something else than natural numbers")
        effort.spend(_PER_EXPERT * len(layer.loads))
        least, most = pending.pop()
        if len(part) == 1:
            (place,) = part
            if place not in excluding:
                starts, weights = argument["weightings"][place]
                numbers = {**argument, "starts": starts, "weights": weights}
                excluding[place] = _weighting(numbers, layer, top, effort)
            if not excluding[place]((least, most)):
                return False
            continue
        expert, split = part
        pending.append((_with(least, expert, max(least[expert], split + 1)), most))
        pending.append((least, _with(most, expert, min(most[expert], split))))
    return not pending


def _with(values: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*values[:place], value, *values[place + 1 :])


def _weighting(
    argument: Mapping[str, Any], layer: CertifiedLayer, top: int, effort: Effort
) -> Callable[[Ranges], bool]:
    """Whether the slots of any counts within ranges weigh more than all GPUs carry within `top`."""
    size = layer.slots // layer.gpus
    buckets, scale = int(argument["buckets"]), exact(argument["scale"]) * layer.units
    starts, weights = [int(start) for start in argument["starts"]], [int(weight) for weight in argument["weights"]]
    capacity = buckets * top * scale.denominator // scale.numerator
    increasing = all(a < b for a, b in pairwise(starts))
    if not (scale > 0 and increasing and len(starts) == len(weights) and min([0, *starts, *weights]) >= 0):
        raise CertificateError("starts of weights do not increase, or a number is negative")
    if capacity > _MOST_CAPACITY or max([0, *weights]) * layer.slots >= 2**62:
        raise CertificateError("the dynamic program over fillings is too large")
    effort.spend(_PER_CELL * (capacity + 1) * size * max(1, len(starts)))
    carried = _heaviest_filling(starts, weights, size, capacity) * layer.gpus

    def weight(expert: int, count: int) -> int:
        place = bisect_right(starts, buckets * layer.loads[expert] * scale.denominator // (count * scale.numerator))
        return count * weights[place - 1] if place else 0

    def excludes(ranges: Ranges) -> bool:
        needed = needs(layer, top, ranges, effort)
        return needed is None or _lightest(layer, needed, weight, effort) > carried

    return excludes


def _pairs(argument: Mapping[str, Any], layer: CertifiedLayer, top: int, effort: Effort) -> bool:
    """Whether the slots of any counts break the sum of rows that pairs of slots within `top` obey."""
    needed = needs(layer, top, layer.ranges, effort)
    if needed is None:
        return True
    if layer.slots != 2 * layer.gpus or layer.nodes > 1:
        raise CertificateError("pairs are for two slots per GPU that take any expert")
    rows = PairRows(layer, top, needed)
    for row in argument["rounded"]:
        effort.spend(_PER_ITEM * sum(high - low + 1 for low, high in zip(*needed, strict=True)))
        rows.add_rounded(row, int(argument["divisor"]), int(argument["margin"]))
    weights, right = rows.sum(argument)
    return _lightest(layer, needed, partial(rows.weight, weights), effort) > right


def _lightest(layer: CertifiedLayer, needed: Ranges, weight: Callable[[int, int], int], effort: Effort) -> float:
    """The least that the slots of any counts weigh, by a dynamic program over experts; infinite if there are none."""
    slack = layer.slots - sum(needed[0])
    items = sum(high - low + 1 for low, high in zip(*needed, strict=True))
    effort.spend((_PER_WEIGHT + _PER_OPTION * (slack + 1)) * items)
    lightest: list[float] = [0] + [inf] * slack
    for expert, (low, high) in enumerate(zip(*needed, strict=True)):
        options = [weight(expert, count) for count in range(low, high + 1)]
        # As many more replicas than the least as there are options, or slots used: whichever is less.
        lightest = [min(map(add, lightest[used::-1], options)) for used in range(slack + 1)]
    return lightest[slack]


def _heaviest_filling(starts: Sequence[int], weights: Sequence[int], size: int, capacity: int) -> int:
    """The largest weight of at most `size` buckets that sum to at most `capacity`."""
    buckets = [(start, weight) for start, weight in zip(starts, weights, strict=True) if start <= capacity]
    best = np.zeros(capacity + 1, dtype=np.int64)
    if size > 1:
        # One bucket by itself; then others, but the last, which fills up the whole capacity.
        for start, weight in buckets:
            best[start] = max(best[start], weight)
        np.maximum.accumulate(best, out=best)
    for _ in range(size - 2):
        before = best.copy()
        for start, weight in buckets:
            np.maximum(best[start:], before[: capacity + 1 - start] + weight, out=best[start:])
    return max([int(best[capacity]), *(int(best[capacity - start]) + weight for start, weight in buckets)])


def _covers(sets: Sequence[Any], layer: CertifiedLayer, top: int, effort: Effort, depth: int) -> bool:
    """Whether each set has its argument, and the groups cannot be parted into other sets."""
    refuted = set()
    for groups, argument in sets:
        taken = groups_of_node(groups, layer.groups, layer.nodes)
        if taken in refuted:
            raise CertificateError(f"the groups {taken} are there twice")
        # No plan of the node below a higher bound: so none below this one.
        own = layer.below(exact(argument["bound"])) if "bound" in argument else top
        if own < top or not _refutes(argument, layer.node(taken), own, effort, depth + 1):
            return False
        refuted.add(taken)
    return no_partition(layer.groups, layer.nodes, refuted)


def groups_of_node(groups: Sequence[Any], num_groups: int, num_nodes: int) -> tuple[int, ...]:
    """A set of groups that a node can take, in order; a `CertificateError` where it is none."""
    taken = tuple(sorted({int(group) for group in groups}))
    if len(taken) != num_groups // num_nodes or not 0 <= taken[0] <= taken[-1] < num_groups:
        raise CertificateError(f"{reprlib.repr(groups)} are not the groups of a node")
    return taken


def no_partition(num_groups: int, num_nodes: int, refuted: set[tuple[int, ...]]) -> bool:
    """Whether the groups cannot be parted into sets for the nodes that are not refuted."""
    share = num_groups // num_nodes
    if share == 1:
        return bool(refuted)
    if comb(num_groups, share) > _MOST_SETS or num_nodes > _MOST_NODES:
        raise CertificateError("there are too many sets of groups")
    return not _has_partition(frozenset(range(num_groups)), share, refuted, {})


def _has_partition(left: frozenset[int], share: int, refuted: set[tuple[int, ...]], known: dict[Any, bool]) -> bool:
    """Whether the groups that are left can be parted into sets that are not refuted."""
    if not left:
        return True
    if len(known) > _MOST_PARTS:
        raise CertificateError("there are too many ways to part the groups")
    if left not in known:
        known[left] = any(_has_partition(rest, share, refuted, known) for rest in _rests(left, share, refuted))
    return known[left]


def _rests(left: frozenset[int], share: int, refuted: set[tuple[int, ...]]) -> Iterator[frozenset[int]]:
    first, *others = sorted(left)
    for chosen in combinations(others, share - 1):
        if (first, *chosen) not in refuted:
            yield left - {first, *chosen}
