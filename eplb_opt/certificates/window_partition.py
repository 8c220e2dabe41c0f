"""Window partition: whether every partition of the groups, one for all windows, has nodes that are hot enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from math import comb, factorial
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import ARGUMENT_DIGITS, exact_value
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.partition import groups_of_node, no_partition
from eplb_opt.certificates.rules import binding
from eplb_opt.certificates.windows import RecordedWindows, proven_of_each

_MOST_SETS, _MOST_PARTITIONS = 10_000, 10_000
# In nanoseconds, to look at a row of imbalances, for each window.
_PER_ROW = 1_000

# Whether an argument about all windows of a node proves a bound of it.
Prove = Callable[[Mapping[str, Any], Fraction, RecordedWindows], bool]


@dataclass
class _Node:
    """What is proven of a node that takes a set of groups.

    Attributes
    ----------
    imbalances
        How hot it is at least in each window.
    reached
        Imbalances of a layer: if it has this node, and is at least so hot in each window, it is not below the bound.
    """

    imbalances: list[Fraction]
    reached: list[Sequence[Fraction]] = field(default_factory=list)


def proves_by_window_partition(
    certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows, limit: WorkLimit, prove: Prove
) -> bool:
    """Whether no partition of the groups is worth less than the bound, with what is proven of single nodes.

    A node is a part of the layer, whose imbalances are at least as large: what a plan of the node is not below, no plan
    of the layer is.
    """
    num_nodes, num_groups = binding(windows.deployment)
    nodes = _nodes(certificate["nodes"], bound, windows, prove)
    if windows.weights is None:
        hot = {taken for taken, node in nodes.items() if node.reached or max(node.imbalances) >= bound}
        return no_partition(num_groups, num_nodes, hot)
    nothing = _Node(list(windows.lower))
    return all(
        _is_hot([nodes.get(taken, nothing) for taken in partition], bound, windows, limit)
        for partition in partitions(num_groups, num_nodes)
    )


def _is_hot(partition: Sequence[_Node], bound: Fraction, windows: RecordedWindows, limit: WorkLimit) -> bool:
    """Whether nodes that share the groups are not below the bound in the mean over windows."""
    limit.spend(_PER_ROW * len(windows.loads) * sum(1 + len(node.reached) for node in partition))
    known = [max(column) for column in zip(windows.lower, *(node.imbalances for node in partition), strict=True)]
    if windows.value([known]) >= bound:
        return True
    return any(
        all(low <= here for low, here in zip(lower, known, strict=True)) for node in partition for lower in node.reached
    )


def _nodes(
    entries: Sequence[Any], bound: Fraction, windows: RecordedWindows, prove: Prove
) -> dict[tuple[int, ...], _Node]:
    """What is proven of nodes, by the sets of groups that they take; those that nothing is known of are left out."""
    num_nodes, num_groups = binding(windows.deployment)
    if comb(num_groups, num_groups // num_nodes) > _MOST_SETS:
        raise CertificateError("there are too many sets of groups")
    nodes: dict[tuple[int, ...], _Node] = {}
    for groups, said in entries:
        taken = groups_of_node(groups, num_groups, num_nodes)
        known = nodes.setdefault(taken, _Node([Fraction(0)] * len(windows.loads)))
        node = windows.node(taken)
        if not isinstance(said, Mapping):
            known.imbalances = list(map(max, known.imbalances, proven_of_each(said, node)))
            continue
        proven, lower = exact_value(said["bound"], ARGUMENT_DIGITS), windows.lower
        if "lower" in said:
            if windows.weights is None:
                raise CertificateError("what other nodes are at least matters for the mean alone")
            lower = tuple(exact_value(low, ARGUMENT_DIGITS) for low in said["lower"])
            if len(lower) != len(windows.loads):
                raise CertificateError("there are not as many lower limits as windows")
        if not prove(said, proven, replace(node, lower=lower)):
            raise CertificateError("what is said of all windows of a node does not prove its bound")
        if proven >= bound:
            known.reached.append(lower)
    return nodes


def partitions(num_groups: int, num_nodes: int) -> Iterator[list[tuple[int, ...]]]:
    """All ways to part the groups over nodes, each once.

    Raises
    ------
    CertificateError
        They are too many.
    """
    share = num_groups // num_nodes
    if factorial(num_groups) // (factorial(share) ** num_nodes * factorial(num_nodes)) > _MOST_PARTITIONS:
        raise CertificateError("there are too many partitions of the groups")
    return _partitions(tuple(range(num_groups)), share)


def _partitions(groups: tuple[int, ...], size: int) -> Iterator[list[tuple[int, ...]]]:
    if not groups:
        yield []
        return
    for others in combinations(groups[1:], size - 1):
        taken = (groups[0], *others)
        for partition in _partitions(tuple(group for group in groups if group not in taken), size):
            yield [taken, *partition]
