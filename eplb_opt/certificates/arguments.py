"""The arguments about one window, by name."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

from eplb_opt.certificates.counts import refutes_by_counts, refutes_by_few_slots, refutes_by_mean, refutes_by_nodes
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.fillings import refutes_by_fillings
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.pairs import refutes_by_pairs
from eplb_opt.certificates.partition import refutes_by_partition
from eplb_opt.certificates.search import refutes_by_search
from eplb_opt.certificates.tolls import refutes_by_tolls
from eplb_opt.certificates.touched import refutes_by_touched
from eplb_opt.certificates.weighting import refutes_by_weighting, refutes_by_weightings


def proves(argument: Mapping[str, Any], layer: Layer, bound: Fraction) -> bool:
    """Whether an argument shows that no plan has a max load below `bound` tokens; no plan is below 0."""
    if bound <= 0:
        return True
    layer = layer.for_bound(bound)
    return refutes(argument, layer, layer.below(bound), WorkLimit())


def refutes(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether an argument shows that no plan has a max load of at most `top` units of the layer.

    Raises
    ------
    CertificateError
        It is not known, makes no sense for the layer, or is more work than the limit.
    """
    kind = argument["argument"]
    if not isinstance(kind, str) or kind not in ARGUMENTS:
        raise CertificateError(f"the argument {reprlib.repr(kind)} is not known")
    if not layer.even and kind not in OF_ANY_DISPATCH:
        raise CertificateError(f"the argument {kind} is about an even split over replicas")
    if layer.each and kind not in OF_ANY_GPUS:
        raise CertificateError(f"the argument {kind} is about GPUs that are alike")
    return ARGUMENTS[kind](argument, layer, top, limit)


def _refutes_by_partition(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    with limit.nested():
        return refutes_by_partition(argument, layer, top, partial(refutes, limit=limit))


# Loads only move between the GPUs of a node, or between those that hold an expert, and one of n replicas serves 1/n of
# the load or more.
OF_ANY_DISPATCH = ("mean", "nodes", "few slots", "counts", "tolls")
# What they say of a GPU they say of its room.
OF_ANY_GPUS = ("mean", "nodes", "few slots", "counts", "touched", "tolls")

ARGUMENTS: Mapping[str, Callable[[Mapping[str, Any], Layer, int, WorkLimit], bool]] = {
    "mean": refutes_by_mean,
    "nodes": refutes_by_nodes,
    "few slots": refutes_by_few_slots,
    "counts": refutes_by_counts,
    "weighting": refutes_by_weighting,
    "weightings": refutes_by_weightings,
    "pairs": refutes_by_pairs,
    "fillings": refutes_by_fillings,
    "search": refutes_by_search,
    "partition": _refutes_by_partition,
    "touched": refutes_by_touched,
    "tolls": refutes_by_tolls,
}
