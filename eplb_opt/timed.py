"""Timed: what a method makes of a whole model, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.registry import JOINT, heuristic_of
from eplb_opt.instance import Instance
from eplb_opt.loads import Loads
from eplb_opt.methods import Method
from eplb_opt.objective import Objective
from eplb_opt.own_method import OwnMethod, summed
from eplb_opt.request import searched_deployment

if TYPE_CHECKING:
    from eplb_opt.heuristics.batch import Placement

T = TypeVar("T")

# Times are the best of so many runs, as other work on the machine only adds to them.
_RUNS = 3
# Seconds after which a function of the caller's is not run again.
_LONG = 10.0


@dataclass(frozen=True, eq=False)
class ModelLoads:
    """All layers in the forms that planners take them; ``totals`` of shape ``(layers, experts)``."""

    loads: Loads
    deployment: Deployment
    layers: tuple[tuple[Instance, Objective], ...]
    totals: NDArray[np.float64]

    @classmethod
    def of(cls, loads: Loads, deployment: Deployment, objective: str) -> ModelLoads:
        """Loads on a deployment; `objective`, of `eplb_opt.objective`, is that of a joint plan."""
        searched = searched_deployment(deployment, loads.labels)
        layers = [
            Objective(objective).on(Instance.from_loads(values, searched)) for values in np.moveaxis(loads.values, 1, 0)
        ]
        totals = np.stack([instance.total().kernel_loads for instance, _ in layers])
        return cls(loads, deployment, tuple(layers), totals)


@dataclass(frozen=True, eq=False)
class Timed:
    """Rows of slots of a plan, what was doubled up in each, and the seconds it took."""

    slots: NDArray[np.int64]
    doubled: NDArray[np.int64]
    seconds: float


def timed(method: Method, model: ModelLoads) -> Timed:
    """A method on the summed windows, or jointly on all: its first plan, and the seconds of its fastest run.

    Compiled code is loaded before the clock runs, and so is torch, which functions of the caller's get their loads in.
    A function that takes long is run once.

    Raises
    ------
    MethodError
        Such a function failed, or returned no valid plan.
    """
    # Kernels load here and not with the package.
    from eplb_opt.kernels.loading import announced

    if isinstance(method, OwnMethod):
        # It loads here, as it is nothing that the function does.
        import torch  # noqa: F401

        weight = summed(model.loads)
        answer, seconds = _best_run(partial(method.ask, weight, model.deployment))
        placement = method.checked(answer, weight, model.deployment)
    else:
        with announced():
            _place(method, model, 1)
        placement, seconds = _best_run(partial(_place, method, model, model.loads.num_layers))
    return Timed(placement.slots, placement.doubled, seconds)


def _place(name: str, model: ModelLoads, number: int) -> Placement:
    """The plans of the first layers by a method of the registry."""
    from eplb_opt.heuristics.batch import Placement, place_layers
    from eplb_opt.heuristics.joint import joint_plan

    if name == JOINT:
        slots = np.stack([joint_plan(instance, objective) for instance, objective in model.layers[:number]])
        return Placement(slots, np.zeros(number, dtype=np.int64))
    return place_layers(heuristic_of(name), model.totals[:number], model.deployment)


def _best_run(run: Callable[[], T]) -> tuple[T, float]:
    """What the first run returned, and the seconds of the fastest."""
    results: list[T] = []
    seconds: list[float] = []
    while len(results) < _RUNS and sum(seconds) < _LONG:
        begin = perf_counter()
        results.append(run())
        seconds.append(perf_counter() - begin)
    return results[0], min(seconds)
