"""Even: every replica of an expert serves an equal share.

vLLM asks for the replica that a token's position in the batch says, modulo the replicas; TensorRT-LLM goes round them;
SGLang without an all-to-all backend goes by the row of a token.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eplb_opt.dispatch.rule import FixedShares, Ints, Parts, Served, replicas
from eplb_opt.instance import Instance


def served_evenly(slots: Ints, instance: Instance) -> Iterator[Served]:
    """Every source asks all replicas alike."""
    for places in replicas(slots):
        yield Served(places, np.ones((instance.deployment.num_gpus, len(places)), dtype=np.int64))


class EvenShares(FixedShares):
    """The shares of the even split, known without looking at sources."""

    def parts(self, slots: Ints, instance: Instance) -> Parts:
        """1 / replicas."""
        return Parts(np.ones(len(slots), dtype=np.int64), 1)


RULE = EvenShares(served_evenly, lambda deployment: "gpus")
