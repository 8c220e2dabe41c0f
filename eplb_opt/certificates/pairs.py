"""Pairs: whether the slots of any counts break a sum of rows that all pairs of slots on GPUs obey."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from eplb_opt.certificates.counts import needs
from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Layer
from eplb_opt.certificates.least_weight import least_weight
from eplb_opt.certificates.limit import WorkLimit
from eplb_opt.certificates.pair_rows import PairRows

# In nanoseconds, for an expert at a count in a rounded row, which is kept.
_PER_ITEM = 100


def refutes_by_pairs(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether the slots of any counts weigh more in the sum of rows than pairs of slots within `top` do."""
    needed = needs(layer, top, layer.ranges, limit)
    if needed is None:
        return True
    if layer.slots != 2 * layer.gpus or layer.nodes > 1:
        raise CertificateError("pairs are for two slots per GPU that take any expert")
    rows = PairRows(layer, top, needed)
    for row in argument["rounded"]:
        limit.spend(_PER_ITEM * sum(high - low + 1 for low, high in zip(*needed, strict=True)))
        rows.add_rounded(row, int(argument["divisor"]), int(argument["margin"]))
    weights, right = rows.sum(argument)
    return least_weight(layer, needed, partial(rows.weight, weights), limit) > right
