"""Pairs: whether the slots of any counts break sums of rows that all pairs of slots on GPUs obey."""

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
from eplb_opt.certificates.parts import divided

# In nanoseconds, for an expert at a count in a rounded row, which is kept.
_PER_ITEM = 100


def refutes_by_pairs(argument: Mapping[str, Any], layer: Layer, top: int, limit: WorkLimit) -> bool:
    """Whether slots of any counts of a part weigh more in its sum of rows than pairs of slots within `top` do."""
    needed = needs(layer, top, layer.ranges, limit)
    if needed is None:
        return True
    if layer.slots != 2 * layer.gpus or layer.nodes > 1:
        raise CertificateError("pairs are for two slots per GPU that take any expert")
    rows = PairRows(layer, top, needed)
    for row in argument["rounded"]:
        limit.spend(_PER_ITEM * sum(high - low + 1 for low, high in zip(*needed, strict=True)))
        rows.add_rounded(row, int(argument["divisor"]), int(argument["margin"]))
    for terms, counts in divided(argument.get("parts", [argument]), needed, limit):
        part = needs(layer, top, counts, limit)
        if part is None:
            continue
        weights, right = rows.sum(terms)
        if least_weight(layer, part, partial(rows.weight, weights), limit) <= right:
            return False
    return True
