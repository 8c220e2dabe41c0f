"""Certificates of bounds on several windows, and their checker, which shares no code with what found the bounds.

Such a certificate claims that no plan has a mean, or largest, imbalance over the windows below ``"bound"``. Loads of
each window are divided by its mean load of a GPU, so that max loads are imbalances. Arguments:

``"windows"``
    ``"windows"``: a certificate for each window by itself. What no plan is below in any of them, it is not on the mean.
``"window partition"``
    ``"nodes"``: for sets of groups a certificate for each window, as pairs of the set and the list, about the node that
    takes them. Whatever the partition of the groups, one for all windows, the nodes are as hot as that.
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

from eplb_opt.bounds.certificate import check_certificate
from eplb_opt.bounds.certified_layer import CertificateError, binding, most_replicas, whole
from eplb_opt.exact import exact_value

_MOST_SETS, _MOST_PARTITIONS = 10_000, 10_000


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
        Loads of each expert in each window, in tokens, taken as exact; windows without load left out.
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
        units = [gpus / sum(map(Fraction, window), Fraction(0)) for window in windows]
        loads = [[Fraction(load) * unit for load in window] for window, unit in zip(windows, units, strict=True)]
        bound, kind = exact_value(certificate["bound"]), certificate["argument"]
        if kind == "windows":
            proven = _value([_proven(certificate["windows"], loads, deployment)], weights)
        elif kind == "window partition":
            proven = _best_partition(certificate["nodes"], loads, deployment, weights)
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


def _proven(
    certificates: Sequence[Mapping[str, Any]], loads: Sequence[Sequence[Fraction]], deployment: Mapping[str, Any]
) -> list[Fraction]:
    if len(certificates) != len(loads):
        raise CertificateError(f"{len(certificates)} certificates for {len(loads)} windows")
    return [
        check_certificate(certificate, window, deployment)
        for certificate, window in zip(certificates, loads, strict=True)
    ]


def _value(nodes: Sequence[Sequence[Fraction]], weights: Sequence[Fraction] | None) -> Fraction:
    """Objective of nodes whose hottest GPUs are at least as hot as that, a row of windows for each."""
    hottest: list[Fraction] = [max(window) for window in zip(*nodes, strict=True)]
    if weights is None:
        return max(hottest)
    total = sum((hot * weight for hot, weight in zip(hottest, weights, strict=True)), Fraction(0))
    value: Fraction = total / sum(weights, Fraction(0))
    return value


def _too_many(loads: Sequence[Sequence[Fraction]], deployment: Mapping[str, Any], bound: Fraction) -> bool:
    """Whether below the bound experts need more replicas than there are slots, or than one can have."""
    slots, most = whole(deployment, "num_slots"), most_replicas(len(loads[0]), deployment)
    hottest = [max(expert) for expert in zip(*loads, strict=True)]
    # Fewer than load / bound are not below it, and neither are as many.
    needed = [int(load / bound) + 1 if load else 1 for load in hottest]
    return sum(needed) > slots or max(needed) > most


def _best_partition(
    nodes: Sequence[Any],
    loads: Sequence[Sequence[Fraction]],
    deployment: Mapping[str, Any],
    weights: Sequence[Fraction] | None,
) -> Fraction:
    """The least objective over all partitions of the groups, with what is proven of each node."""
    num_nodes, num_groups = binding(deployment)
    share, size = num_groups // num_nodes, len(loads[0]) // num_groups
    partitions = factorial(num_groups) // (factorial(share) ** num_nodes * factorial(num_nodes))
    if comb(num_groups, share) > _MOST_SETS or partitions > _MOST_PARTITIONS:
        raise CertificateError("there are too many partitions of the groups")
    node = _Rules(
        whole(deployment, "num_gpus") // num_nodes,
        whole(deployment, "num_slots") // num_nodes,
        1,
        1,
        "global",
        bool(deployment["distinct"]),
    )
    hot: dict[tuple[int, ...], list[Fraction]] = {}
    for groups, certificates in nodes:
        taken = tuple(sorted({int(group) for group in groups}))
        experts = [e for group in taken for e in range(group * size, (group + 1) * size)]
        hot[taken] = _proven(certificates, [[window[e] for e in experts] for window in loads], asdict(node))
    nothing = [Fraction(0)] * len(loads)
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
