"""By rank: source g asks replica g modulo the replicas, in increasing slot order.

vLLM-Ascend (``generate_log2phy_map`` in ``vllm_ascend/eplb/core/eplb_utils.py``, 0.23.0.post1), which makes a table of
one replica per expert for each rank. Where the replicas do not divide the sources, the first of them serve one source
more. This is without tensor parallelism: with ``tp_size`` of 2 or more the engine adds the number of the expert, and
another replica begins.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eplb_opt.dispatch.rule import FixedShares, Ints, Served, replicas
from eplb_opt.instance import Instance


def served_by_rank(slots: Ints, instance: Instance) -> Iterator[Served]:
    """One replica for each source."""
    sources = np.arange(instance.deployment.num_gpus)[:, np.newaxis]
    for places in replicas(slots):
        count = len(places)
        yield Served(places, np.where(np.arange(count) == sources % count, count, 0))


# The first replicas may serve a source more than the last ones: which are first depends on the order of GPUs.
RULE = FixedShares(served_by_rank, lambda deployment: "slots")
