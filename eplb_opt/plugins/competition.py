"""Competition: `rebalance` of the dynamic expert placement competition, where each changed slot costs time.

The simulator calls one function again and again and keeps the deployment to itself, so that a submission has to
remember what it answered. Here a `Rebalancer` does; the function of the interface uses one, the only state of this
module. It begins anew when the sizes change; between two runs of the same sizes in one process, call `reset`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import natural_int
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidLoadsError
from eplb_opt.loads import Loads
from eplb_opt.plugins.plain import Floats, Ints, even_row, even_rows
from eplb_opt.plugins.planner import plan_layers

Answer = tuple[bool, Ints, Ints, None]

# The published score: a minute of compute at imbalance 1, and an expert's weights over the link for each changed slot.
SECONDS_PER_IMBALANCE = 60.0
SECONDS_PER_MOVE = 88_080_384 / 900e9
# The part of a run that a plan is taken to serve: the length of a run is not told, and a plan may be replaced a window
# later. Less asks for more gain per move.
SHARE_OF_RUN = 1 / 16


class Rebalancer:
    """Plans for one simulated run, and remembers the deployment."""

    def __init__(self) -> None:
        self._rows: Ints | None = None
        self._sizes: tuple[int, ...] = ()

    def reset(self) -> None:
        """Forget the deployment: the next call is the first one of a run."""
        self._rows = None

    def rebalance(self, hotness: Any, n_device: int, n_red_expert: int) -> Answer:
        """``(change, layers_priority, deployment, None)``.

        Parameters
        ----------
        hotness
            Tokens, shape ``(iterations, layers, experts)``.
        n_device, n_red_expert
            Devices, and slots beyond one per expert.

        Returns
        -------
        change
            Whether any layer is to be deployed anew.
        layers_priority
            These layers, int64, those first that save the most time.
        deployment
            Expert of each slot, int64, shape ``(layers, devices, slots)``; no expert twice on a device that changed. A
            layer stays as it is unless what its lower imbalance saves, on average over the iterations, is more than
            its moves cost.

        Raises
        ------
        InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
            Wrong input; one sentence says what and how to mend it.
        """
        window = _window(hotness)
        _, num_layers, num_experts = window.shape
        slots = num_experts + natural_int("n_red_expert", n_red_expert)
        deployment = Deployment(n_device, n_device).with_slots(slots, num_experts)
        old = self._deployed(num_layers, num_experts, deployment)
        new = plan_layers(window.sum(axis=0), deployment, old, doubles=False, fallback=even_rows)
        saved = np.array([_seconds_saved(window, old, new, layer, n_device) for layer in range(num_layers)])
        self._rows = np.where((saved > 0)[:, np.newaxis], new, old)
        order = np.argsort(-saved, kind="stable")
        priority = order[saved[order] > 0]
        return bool(priority.size), priority, self._rows.reshape(num_layers, n_device, -1).copy(), None

    def _deployed(self, num_layers: int, num_experts: int, deployment: Deployment) -> Ints:
        """What the slots hold now; in a run's first call, what the simulator begins with."""
        sizes = (num_layers, num_experts, deployment.num_gpus, deployment.num_slots)
        if self._rows is not None and sizes == self._sizes:
            return self._rows
        self._sizes = sizes
        begin: Ints = np.tile(initial_row(num_experts, deployment), (num_layers, 1))
        return begin


_REBALANCER = Rebalancer()


def rebalance(hotness: Any, n_device: int, n_red_expert: int) -> Answer:
    """``(change, layers_priority, deployment, None)`` for the run that this process simulates; see `Rebalancer`."""
    return _REBALANCER.rebalance(hotness, n_device, n_red_expert)


def reset() -> None:
    """Begin a new run."""
    _REBALANCER.reset()


def initial_row(num_experts: int, deployment: Deployment) -> Ints:
    """What the simulator begins with: experts in order, the last one of each device once more in its redundant slot.

    Where the sizes do not allow that, an even plan.
    """
    size = deployment.slots_per_gpu
    if (size - 1) * deployment.num_gpus != num_experts:
        return even_row(num_experts, deployment)
    experts = np.arange(num_experts).reshape(deployment.num_gpus, size - 1)
    row: Ints = np.hstack([experts, experts[:, -1:]]).ravel()
    return row


def _window(hotness: Any) -> NDArray[Any]:
    shape = tuple(np.shape(hotness))
    if len(shape) != 3:
        raise InvalidLoadsError(f"hotness has shape {shape}; expected (iterations, layers, experts)")
    values: NDArray[Any] = Loads.of(hotness).values
    return values


def _seconds_saved(window: NDArray[Any], old: Ints, new: Ints, layer: int, num_gpus: int) -> float:
    """Seconds of the score that a layer saves with its new row, moves paid."""
    # What the score counts: slots that change, a further copy on a device too.
    moves = int(np.count_nonzero(new[layer] != old[layer]))
    if not moves:
        return 0.0
    before, after = (float(_imbalances(window[:, layer], rows[layer], num_gpus).mean()) for rows in (old, new))
    gained: float = SECONDS_PER_IMBALANCE * SHARE_OF_RUN * (before - after) / window.shape[1]
    return gained - moves * SECONDS_PER_MOVE


def _imbalances(loads: NDArray[Any], row: Ints, num_gpus: int) -> Floats:
    """Max load / mean load of a layer in each iteration, 1 without load; `loads` of shape ``(iterations, experts)``."""
    share = loads / np.bincount(row, minlength=loads.shape[1])
    of_gpu = share[:, row].reshape(len(loads), num_gpus, -1).sum(axis=2)
    top, mean = of_gpu.max(axis=1), of_gpu.mean(axis=1)
    imbalances: Floats = np.divide(top, mean, out=np.ones_like(top), where=mean > 0)
    return imbalances
