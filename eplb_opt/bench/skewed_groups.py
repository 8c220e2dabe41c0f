"""Loads for which the best partition of groups to nodes is not the one with the most equal sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.loads import Loads

EXPERTS_PER_GROUP = 16
# Load of each other expert of a hot group, where a group has 1 on average.
_COLD = 0.01


def skewed_groups(num_nodes: int, tokens: int = 1_000_000, seed: int = 0) -> Loads:
    """One layer of two groups per node, in pairs whose sums are equal, where these pairs are bad ones.

    Pairs are 9, 10, ... % above and below the mean, so no other partition has sums as equal. In the upper half of the
    pairs both groups are hot: nearly all of their load is on one expert each. On 8 GPUs of 5 slots these two experts
    have loads of about 4.5 and 3.5 times the mean GPU: no two counts with a sum of 8 come near it, and with more
    replicas some GPU has both. A hot group next to a flat one spreads over all GPUs. So the best partition separates
    the hot groups, and takes sums that differ by a per cent.

    Parameters
    ----------
    num_nodes
        Nodes, 2 or 4; half as many pairs are hot.
    tokens
        Assignments of the layer.
    seed
        For the order of the groups, the order of the experts inside them, and multinomial sampling.
    """
    groups = []
    for pair in range(num_nodes):
        group = _hot_group if pair >= num_nodes // 2 else _flat_group
        groups += [group(1 + sign * (9 + pair) / 100) for sign in (1, -1)]
    random = np.random.default_rng(seed)
    popularity = np.concatenate([random.permutation(groups[g]) for g in random.permutation(len(groups))])
    counts = random.multinomial(tokens, popularity / popularity.sum())
    return Loads(counts, source=f"generated: skewed groups, {tokens} tokens, seed {seed}")


def _flat_group(total: float) -> NDArray[np.float64]:
    return np.full(EXPERTS_PER_GROUP, total / EXPERTS_PER_GROUP)


def _hot_group(total: float) -> NDArray[np.float64]:
    popularity = np.full(EXPERTS_PER_GROUP, _COLD)
    popularity[0] = total - _COLD * (EXPERTS_PER_GROUP - 1)
    return popularity
