"""Likely counts: numbers of replicas of which many plans are expected to be cool in all windows, and a plan of them.

Annealing changes counts while its temperature is high, and hardly any later: the load of a whole replica goes from
some GPUs to others. A run ends with counts of its first part, and a longer one changes little about that. How many
plans of given counts are within a limit can be estimated by counting, before any search.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.segment import Slots
from eplb_opt.instance import Instance
from eplb_opt.kernels.compiler import Floats, Index, Ints
from eplb_opt.objective import Windows

# No replica is heavier in any window than a limit at random between these, in mean GPU loads: next to a heavier one the
# lightest experts may make a GPU hot, which no variance shows. Where slots are too few for the limit, it grows.
_HEAVIEST, _MORE = (0.6, 1.0), 1.1
# Deviation of what a replica of each expert is worth on top, in logarithms of the number of plans: counts differ from
# call to call, as the estimate may be off.
_WORTH = 0.2
# Experts that may gain a replica, and that may lose one, in a transfer: those that are the likeliest by themselves.
_LOOKED_AT = 128
# In mean loads: what is nearer is the same. Windows that are nearly alike count as one.
_ALIKE, _FUZZ = 1e-3, 1e-9


def likely_counts_apply(instance: Instance) -> bool:
    """Whether counts can be told apart: several windows, several slots on GPUs that are alike, no groups on nodes."""
    deployment = instance.deployment
    free = deployment.alike and deployment.binding_nodes == 1 and deployment.dispatch in ("even", "optimal")
    return free and instance.num_windows > 1 and deployment.num_gpus > 1 and deployment.slots_per_gpu > 1


def likely_start(instance: Instance, windows: Windows, seed: int) -> Slots:
    """A row of likely counts, placed at random; same arguments, same row."""
    random = np.random.default_rng(seed % 2**64)
    deployment, most = instance.deployment, instance.max_replicas
    worth = _WORTH * random.standard_normal(instance.num_experts)
    heaviest = random.uniform(*_HEAVIEST)
    while (least := np.ceil(windows.loads.max(axis=0) / heaviest - _FUZZ).clip(1, most)).sum() > deployment.num_slots:
        heaviest *= _MORE
    return _dealt(likely_counts(windows.loads, deployment, least.astype(np.int64), most, worth), deployment, random)


def likely_counts(loads: Floats, deployment: Deployment, least: Ints, most: int, worth: Floats) -> NDArray[np.int64]:
    """Counts that no transfer of one replica makes likelier, of those looked at; each between its `least` and `most`.

    `loads` are in mean GPU loads, shape ``(windows, experts)``. Plans with these counts on S slots and G GPUs are in
    proportion to ``1 / prod c[e]!``. Their GPU loads have S / G times the covariance of slots, and near the mean a
    density in proportion to ``determinant ** (-(G - 1) / 2)`` of that. The number of plans within a small limit is in
    proportion to both, and its logarithm is what counts, with ``worth[e]`` for each replica on top. The covariance of
    slots is ``sum_e loads[:, e] loads[:, e]' / c[e] / S`` less what no count changes, so that a transfer is two updates
    of rank one: its determinant is exact.

    The same count says where number partitioning turns hard: S. Mertens, Physical Review Letters 81, 4281 (1998),
    https://doi.org/10.1103/PhysRevLett.81.4281.
    """
    total, power = deployment.num_slots, (deployment.num_gpus - 1) / 2
    counts, mean = least.copy(), loads.sum(axis=1) / total
    covariance = (loads / counts) @ loads.T / total - np.outer(mean, mean) + _ALIKE**2 * np.eye(len(loads))
    # products[a, b] is loads[:, a]' covariance^-1 loads[:, b] / S. By the determinant lemma it says how any transfer
    # changes the determinant, and by the formula of Sherman and Morrison it follows the covariance.
    products = loads.T @ np.linalg.solve(covariance, loads) / total

    def change(expert: Index, by: int) -> None:
        part = 1 / (counts[expert] + by) - 1 / counts[expert]
        counts[expert] += by
        column = products[expert].copy()
        np.subtract(products, np.outer(part / (1 + part * column[expert]) * column, column), out=products)

    while True:
        own = np.diagonal(products)
        more, less = 1 / (counts + 1) - 1 / counts, 1 / np.maximum(counts - 1, 0.5) - 1 / counts
        another = np.where(counts < most, worth - np.log(counts + 1), -np.inf)
        best = another - power * np.log(np.maximum(1 + more * own, _FUZZ))
        if counts.sum() < total:
            change(np.argmax(best), 1)
            continue
        fewer = np.where(counts > least, np.log(counts) - worth, -np.inf)
        gaining = np.argsort(-best)[:_LOOKED_AT]
        losing = np.argsort(power * np.log1p(less * own) - fewer)[:_LOOKED_AT]
        determinants = np.multiply.outer((1 + more * own)[gaining], (1 + less * own)[losing])
        determinants -= np.outer(more[gaining], less[losing]) * products[np.ix_(gaining, losing)] ** 2
        gains = np.add.outer(another[gaining], fewer[losing]) - power * np.log(np.maximum(determinants, _FUZZ))
        gains[gaining[:, np.newaxis] == losing] = 0.0
        a, b = np.unravel_index(np.argmax(gains), gains.shape)
        if gains[a, b] <= _FUZZ:
            return counts
        # First what adds to the covariance: with a replica too many it need not be one, and may be singular.
        change(losing[b], -1)
        change(gaining[a], 1)


def _dealt(counts: Ints, deployment: Deployment, random: np.random.Generator) -> Slots:
    """Replicas dealt one by one to the GPUs in turn, experts in random order: none twice on a GPU that must differ."""
    experts = random.permutation(counts.size)
    return np.repeat(experts, counts[experts]).reshape(-1, deployment.num_gpus).T.ravel()
