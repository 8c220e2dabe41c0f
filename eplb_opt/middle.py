"""The window in the middle of several, and planners of one window on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.heuristics.registry import JOINT, heuristic_of, names
from eplb_opt.instance import Instance
from eplb_opt.methods import Method, methods_of
from eplb_opt.objective import Objective
from eplb_opt.own_method import OwnMethod


def further_planners(
    methods: Sequence[str | Callable[..., Any]], deployment: Deployment, reserved: Sequence[str]
) -> tuple[Method, ...]:
    """Planners of one window: names of the registry but the joint heuristic, and functions; others are `reserved`.

    Raises
    ------
    InvalidArgumentError
        What is neither.
    InvalidDeploymentError
        GPUs with different numbers of slots, which none of these know.
    """
    found = methods_of(methods, [name for name in names() if name != JOINT], reserved=reserved)
    if found:
        deployment.require_equal_slots("heuristics and methods of one's own are")
    return found


def middle_window(instance: Instance, objective: Objective) -> NDArray[np.float64]:
    """The mean of the windows that an objective makes cool, or the largest load of each expert; shape ``(experts,)``.

    Each window counts as much as every other: its loads are in the unit of its mean GPU load.
    """
    if not any(instance.loaded_windows):
        return np.zeros(instance.num_experts)
    windows = objective.windows(instance)
    middle: NDArray[np.float64] = windows.loads.max(axis=0) if windows.worst else windows.mean
    return middle


def middle_tokens(instance: Instance, objective: Objective) -> NDArray[np.float64]:
    """The same with the mean GPU load of the windows for a unit: in tokens, which a function may take it for."""
    loaded = sum(instance.loaded_windows) or 1
    return middle_window(instance, objective) * float(sum(instance.mean_loads) / loaded)


def placed(method: Method, loads: NDArray[np.float64], deployment: Deployment) -> NDArray[np.int64]:
    """Rows of a method for loads of shape ``(layers, experts)``; a `MethodError` where a function has none."""
    # Kernels load here and not with the package.
    from eplb_opt.heuristics.batch import place_layers

    if isinstance(method, OwnMethod):
        return method.place(loads, deployment).slots
    return place_layers(heuristic_of(method), loads, deployment).slots
