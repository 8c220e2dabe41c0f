"""Partition: whether every partition of the groups gives some node a set of groups that it cannot take."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value
from eplb_opt.certificates.layer import Layer

# Larger numbers than these would take all memory; no certificate that is written here comes near.
_MOST_SETS, _MOST_PARTS, _MOST_NODES = 10**5, 10**5, 100


def refutes_by_partition(
    argument: Mapping[str, Any], layer: Layer, top: int, refutes: Callable[[Mapping[str, Any], Layer, int], bool]
) -> bool:
    """Whether each set has its argument, as `refutes` checks it, and the groups cannot be parted into other sets."""
    refuted = set()
    for groups, inner in argument["sets"]:
        taken = groups_of_node(groups, layer.groups, layer.nodes)
        if taken in refuted:
            raise CertificateError(f"the groups {taken} are there twice")
        # No plan of the node below a higher bound: so none below this one.
        own = layer.below(exact_value(inner["bound"], ARGUMENT_DIGITS)) if "bound" in inner else top
        node = layer.node(taken)
        if own < top or not refutes(inner, node, int(own * node.units_per_token / layer.units_per_token)):
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
