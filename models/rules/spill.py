"""Least-loaded spill: experts stay at home, and hot GPUs hand part of their hottest expert to the coolest one.

Least-Loaded Expert Parallelism (https://arxiv.org/abs/2601.17111) does so for every batch, and sends weights along.
This is the rule for a plan: a replica, once added, stays, and replicas share the load of their expert evenly.
``eplb-opt compare decode.json --gpus 32 --slots 288 --methods lpt,models/rules/spill.py:spill`` shows its gap.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def spill(weight: torch.Tensor, num_replicas: int, num_groups: int, num_nodes: int, num_gpus: int) -> torch.Tensor:
    """Experts of ``weight``, shape ``(layers, experts)``, in slots, shape ``(layers, num_replicas)``.

    Takes no notice of groups. Every GPU is home to as many experts as another, or one more, in their order.
    """
    layers = [_spill_layer(loads, num_replicas // num_gpus, num_gpus) for loads in weight.double().numpy()]
    return torch.from_numpy(np.array(layers))


def _spill_layer(loads: NDArray[np.float64], size: int, num_gpus: int) -> NDArray[np.int64]:
    experts = np.arange(loads.size)
    # holds[g, e]: replicas of an expert on a GPU.
    holds = np.zeros((num_gpus, loads.size), dtype=np.int64)
    holds[experts * num_gpus // loads.size, experts] = 1
    for _ in range(num_gpus * size - loads.size):
        shares = loads / holds.sum(axis=0)
        load = holds @ shares
        coolest = np.where(holds.sum(axis=1) < size, load, np.inf).argmin()
        # Of the hottest GPU with an expert that the coolest one does not hold, the hottest of these.
        possible = (holds > 0) & (holds[coolest] == 0)
        if possible.any():
            hottest = np.where(possible.any(axis=1), load, -np.inf).argmax()
            expert = np.where(possible[hottest], shares, -np.inf).argmax()
        else:
            expert = shares.argmax()
        holds[coolest, expert] += 1
    return np.concatenate([np.repeat(experts, row) for row in holds])
