"""Window partition: whether every partition of the groups, one for all windows, has nodes that are hot enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import comb, factorial
from typing import Any

from eplb_opt.certificates.envelope import proves_by_envelope
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.exact import exact_value
from eplb_opt.certificates.partition import groups_of_node, no_partition
from eplb_opt.certificates.rules import binding
from eplb_opt.certificates.windows import RecordedWindows, proven_of_each

_MOST_SETS, _MOST_PARTITIONS = 10_000, 10_000


def proves_by_window_partition(certificate: Mapping[str, Any], bound: Fraction, windows: RecordedWindows) -> bool:
    """Whether no partition of the groups is worth less than the bound, with what is proven of single nodes."""
    hot = _hot_nodes(certificate["nodes"], windows)
    if windows.weights is None:
        refuted = {taken for taken, imbalances in hot.items() if max(imbalances) >= bound}
        num_nodes, num_groups = binding(windows.deployment)
        return no_partition(num_groups, num_nodes, refuted)
    return _best_partition(hot, windows) >= bound


def _hot_nodes(nodes: Sequence[Any], windows: RecordedWindows) -> dict[tuple[int, ...], list[Fraction]]:
    """How hot a node that takes a set of groups is at least, in each window, for the sets that are known."""
    num_nodes, num_groups = binding(windows.deployment)
    if comb(num_groups, num_groups // num_nodes) > _MOST_SETS:
        raise CertificateError("there are too many sets of groups")
    hot: dict[tuple[int, ...], list[Fraction]] = {}
    for groups, certificates in nodes:
        taken = groups_of_node(groups, num_groups, num_nodes)
        node = windows.node(taken)
        # One certificate is about all windows of the node, a list has one for each.
        prove = _proven_of_any if isinstance(certificates, Mapping) else proven_of_each
        hot[taken] = prove(certificates, node)
    return hot


def _proven_of_any(certificate: Mapping[str, Any], node: RecordedWindows) -> list[Fraction]:
    """A bound for one of the windows of a node, whichever, in the place of the first."""
    bound = exact_value(certificate["bound"])
    if certificate["argument"] != "envelope" or not proves_by_envelope(certificate, bound, node):
        raise CertificateError("what is said of all windows of a node does not prove its bound")
    return [bound, *[Fraction(0)] * (len(node.loads) - 1)]


def _best_partition(hot: Mapping[tuple[int, ...], Sequence[Fraction]], windows: RecordedWindows) -> Fraction:
    """The least mean over all partitions of the groups, with what is proven of each node."""
    num_nodes, num_groups = binding(windows.deployment)
    share = num_groups // num_nodes
    partitions = factorial(num_groups) // (factorial(share) ** num_nodes * factorial(num_nodes))
    if partitions > _MOST_PARTITIONS:
        raise CertificateError("there are too many partitions of the groups")
    nothing = [Fraction(0)] * len(windows.loads)
    return min(
        windows.value([hot.get(taken, nothing) for taken in partition])
        for partition in _partitions(tuple(range(num_groups)), share)
    )


def _partitions(groups: tuple[int, ...], size: int) -> Iterator[list[tuple[int, ...]]]:
    """All ways to part the groups into sets of a size, each once."""
    if not groups:
        yield []
        return
    for others in combinations(groups[1:], size - 1):
        taken = (groups[0], *others)
        for partition in _partitions(tuple(group for group in groups if group not in taken), size):
            yield [taken, *partition]
