"""Certificates of bounds on several windows, and their checker, which uses no code of what found the bounds.

Such a certificate claims that no plan has a mean, or largest, imbalance over the windows below ``"bound"``. Loads of
each window are divided by its mean load of a GPU, so that max loads are imbalances. Arguments:

``"windows"``
    ``"windows"``: a certificate for each window by itself. What no plan is below in any of them, it is not on the mean.
``"window partition"``
    ``"nodes"``: for sets of groups a certificate for each window, as pairs of the set and the list, about the node that
    takes them. Whatever the partition of the groups, one for all windows, the nodes are as hot as that. For the largest
    imbalance an ``"envelope"`` of the node can be in the place of the list.
``"envelope"``
    For the largest imbalance alone: below the bound, each expert needs as many replicas as its hottest window asks for,
    and these are more than there are slots.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import combinations
from math import comb, factorial
from typing import Any

from eplb_opt.bounds.certificate import check_certificate, groups_of_node, no_partition
from eplb_opt.bounds.certified_layer import CertificateError, binding, most_replicas, whole
from eplb_opt.exact import exact_value

_MOST_SETS, _MOST_PARTITIONS = 10_000, 10_000


@dataclass(frozen=True)
class _Loads:
    """Loads of each expert in each window, and what makes imbalances of them, a factor for each window."""

    windows: Sequence[Sequence[Any]]
    units: Sequence[Fraction]


@dataclass(frozen=True)
class _Rules:
    """A deployment as solution files write it, without a policy that is left to be found out."""

    num_gpus: int
    num_slots: int
    num_nodes: int
    num_groups: int
    policy: str
    distinct: bool


def check_window_certificate(
    certificate: Mapping[str, Any],
    windows: Sequence[Sequence[Any]],
    deployment: Mapping[str, Any],
    weights: Sequence[Fraction] | None,
) -> Fraction:
    """The bound that a certificate proves for a layer of several windows, after every step was checked.

    Parameters
    ----------
    certificate
        Parsed JSON, see above.
    windows
        Loads of each expert in each window, in any unit, taken as exact; windows without load left out.
    deployment
        As in `eplb_opt.bounds.certificate.check_certificate`.
    weights
        What each window counts for in the mean imbalance; ``None``: the largest imbalance.

    Raises
    ------
    CertificateError
        A certificate that proves less than its bound, or is none.
    """
    try:
        gpus = whole(deployment, "num_gpus")
        if weights is not None and (min(weights) < 0 or len(weights) != len(windows)):
            raise CertificateError("weights of windows are negative, or not as many")
        # Of integers sums are found without fractions.
        totals = [sum(load if isinstance(load, int) else Fraction(load) for load in window) for window in windows]
        loads = _Loads(windows, [Fraction(gpus) / total for total in totals])
        bound, kind = exact_value(certificate["bound"]), certificate["argument"]
        if kind == "windows":
            proven = _value([_proven(certificate["windows"], loads, deployment)], weights)
        elif kind == "window partition":
            hot = _hot_nodes(certificate["nodes"], loads, deployment, weights)
            if weights is None:
                proven = bound if _no_partition_below(bound, hot, deployment) else Fraction(0)
            else:
                proven = _best_partition(hot, len(windows), deployment, weights)
        elif kind == "envelope" and weights is None:
            proven = bound if _too_many(loads, deployment, bound) else Fraction(0)
        else:
            raise CertificateError(f"the argument {reprlib.repr(kind)} is not known")
    except CertificateError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise CertificateError(f"this is no certificate: {type(error).__name__}: {error}") from None
    if proven < bound:
        raise CertificateError(f"the argument {kind} does not prove its bound")
    return bound


def _proven(certificates: Sequence[Mapping[str, Any]], loads: _Loads, deployment: Mapping[str, Any]) -> list[Fraction]:
    if len(certificates) != len(loads.windows):
        raise CertificateError(f"{len(certificates)} certificates for {len(loads.windows)} windows")
    return [
        check_certificate(certificate, window, deployment, unit)
        for certificate, window, unit in zip(certificates, loads.windows, loads.units, strict=True)
    ]


def _value(nodes: Sequence[Sequence[Fraction]], weights: Sequence[Fraction] | None) -> Fraction:
    """Objective of nodes whose hottest GPUs are at least as hot as that, a row of windows for each."""
    hottest: list[Fraction] = [max(window) for window in zip(*nodes, strict=True)]
    if weights is None:
        return max(hottest)
    total = sum((hot * weight for hot, weight in zip(hottest, weights, strict=True)), Fraction(0))
    value: Fraction = total / sum(weights, Fraction(0))
    return value


def _too_many(loads: _Loads, deployment: Mapping[str, Any], bound: Fraction) -> bool:
    """Whether below the bound experts need more replicas than there are slots, or than one can have."""
    slots, most = whole(deployment, "num_slots"), most_replicas(len(loads.windows[0]), deployment)
    imbalances = [
        [Fraction(load) * unit for load in window] for window, unit in zip(loads.windows, loads.units, strict=True)
    ]
    hottest = [max(expert) for expert in zip(*imbalances, strict=True)]
    # Fewer than load / bound are not below it, and neither are as many.
    needed = [int(load / bound) + 1 if load else 1 for load in hottest]
    return sum(needed) > slots or max(needed) > most


def _hot_nodes(
    nodes: Sequence[Any],
    loads: _Loads,
    deployment: Mapping[str, Any],
    weights: Sequence[Fraction] | None,
) -> dict[tuple[int, ...], list[Fraction]]:
    """How hot a node that takes a set of groups is at least, in each window, for the sets that are known."""
    num_nodes, num_groups = binding(deployment)
    size = len(loads.windows[0]) // num_groups
    if comb(num_groups, num_groups // num_nodes) > _MOST_SETS:
        raise CertificateError("there are too many sets of groups")
    rules = asdict(
        _Rules(
            whole(deployment, "num_gpus") // num_nodes,
            whole(deployment, "num_slots") // num_nodes,
            1,
            1,
            "global",
            bool(deployment["distinct"]),
        )
    )
    hot: dict[tuple[int, ...], list[Fraction]] = {}
    for groups, certificates in nodes:
        taken = groups_of_node(groups, num_groups, num_nodes)
        experts = [e for group in taken for e in range(group * size, (group + 1) * size)]
        node = _Loads([[window[e] for e in experts] for window in loads.windows], loads.units)
        if isinstance(certificates, Mapping):
            hot[taken] = _hot_envelope(certificates, node, rules, weights)
        else:
            hot[taken] = _proven(certificates, node, rules)
    return hot


def _hot_envelope(
    certificate: Mapping[str, Any],
    loads: _Loads,
    rules: Mapping[str, Any],
    weights: Sequence[Fraction] | None,
) -> list[Fraction]:
    """A bound for one of the windows of a node, whichever, in the place of the first."""
    bound = exact_value(certificate["bound"])
    if certificate["argument"] != "envelope" or weights is not None or not _too_many(loads, rules, bound):
        raise CertificateError("what is said of all windows of a node does not prove its bound")
    return [bound, *[Fraction(0)] * (len(loads.windows) - 1)]


def _no_partition_below(
    bound: Fraction, hot: Mapping[tuple[int, ...], Sequence[Fraction]], deployment: Mapping[str, Any]
) -> bool:
    """Whether each partition of the groups has a node that is as hot as a bound in some window."""
    num_nodes, num_groups = binding(deployment)
    refuted = {taken for taken, windows in hot.items() if max(windows) >= bound}
    return no_partition(num_groups, num_nodes, refuted)


def _best_partition(
    hot: Mapping[tuple[int, ...], Sequence[Fraction]],
    num_windows: int,
    deployment: Mapping[str, Any],
    weights: Sequence[Fraction],
) -> Fraction:
    """The least mean over all partitions of the groups, with what is proven of each node."""
    num_nodes, num_groups = binding(deployment)
    share = num_groups // num_nodes
    partitions = factorial(num_groups) // (factorial(share) ** num_nodes * factorial(num_nodes))
    if partitions > _MOST_PARTITIONS:
        raise CertificateError("there are too many partitions of the groups")
    nothing = [Fraction(0)] * num_windows
    values = (
        _value([hot.get(taken, nothing) for taken in partition], weights)
        for partition in _partitions(tuple(range(num_groups)), share)
    )
    return min(values)


def _partitions(groups: tuple[int, ...], size: int) -> Iterator[list[tuple[int, ...]]]:
    """All ways to part the groups into sets of a size, each once."""
    if not groups:
        yield []
        return
    for others in combinations(groups[1:], size - 1):
        taken = (groups[0], *others)
        for partition in _partitions(tuple(group for group in groups if group not in taken), size):
            yield [taken, *partition]
