"""Improvement: what whoever works on a layer has to say, a plan, a proof or a remark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eplb_opt.proof import Proof

Slots = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Improvement:
    """A plan, a proof of a lower bound, or a remark on what went wrong: at most one of the two fields is set.

    Attributes
    ----------
    by
        What found it, such as ``"search"``, or the proof in words. Of a remark, what there is to say.
    slots
        The plan of one layer: slot -> expert, shape ``(slots,)``.
    proof
        The bound, in the unit in which the layer is searched.
    seconds
        When: since the step, or the call, began.
    """

    by: str
    slots: Slots | None = None
    proof: Proof | None = None
    seconds: float = 0.0
