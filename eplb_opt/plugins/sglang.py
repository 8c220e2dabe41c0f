"""SGLang: this planner behind the signatures of its EPLB algorithms; ``sglang.md`` says how to plug it in."""

from __future__ import annotations

import functools
import importlib
import logging
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import positive_int
from eplb_opt.deployment import Deployment
from eplb_opt.errors import EplbOptError, InvalidArgumentError, InvalidLoadsError, MissingPackageError
from eplb_opt.plan import Plan
from eplb_opt.plugins.changes import Changes
from eplb_opt.plugins.loading import KERNELS
from eplb_opt.plugins.plain import Ints
from eplb_opt.plugins.planner import deployment_of, host_array, layer_loads, plan_layers, time_limit
from eplb_opt.plugins.saved import saved_plan

if TYPE_CHECKING:
    import torch

    Tensors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

logger = logging.getLogger(__name__)

_MODULE = "sglang.srt.eplb.eplb_algorithms"
_LOCATION = "sglang.srt.eplb.expert_location"
# Algorithms whose place is taken, and whether they bind groups to nodes.
_HIERARCHICAL = {
    "deepseek": False,
    "deepseek_hierarchical": True,
    "deepseek_vec": False,
    "deepseek_vec_hierarchical": True,
}


def rebalance_experts(
    tokens_per_expert: torch.Tensor,
    num_physical_experts: int,
    num_local_physical_experts: int,
    num_groups: int | None,
    num_nodes: int,
    algorithm: Any,
) -> Tensors:
    """``(physical_to_logical_map, logical_to_physical_map, expert_count)``, int64 on the CPU.

    Shapes ``(layers, slots)``, ``(layers, experts, width)`` by increasing slot and padded with -1, and
    ``(layers, experts)``. The width is the largest replica count, or as many as an expert can have where the algorithm
    is one of the vectorised ones; SGLang pads it to the number of slots. Layers without load, such as dense ones, get
    an even plan. Where ``EPLB_OPT_PLAN`` names the file of a plan, that plan is the answer to all loads. Where
    `eplb_opt.plugins.changes.Changes` are asked for, plans are made from what SGLang says that runs.

    Parameters
    ----------
    tokens_per_expert
        Loads in tokens, shape ``(steps, layers, experts)``, summed over the steps, or ``(layers, experts)``.
    num_physical_experts, num_local_physical_experts
        Slots over all GPUs, and of one GPU.
    num_groups, num_nodes
        Expert groups, ``None`` for one, and nodes.
    algorithm
        An ``EplbAlgorithm``, or its name; says whether groups are bound to nodes.

    Raises
    ------
    InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError, InvalidPlanError
        Wrong input, or a plan in ``EPLB_OPT_PLAN`` for something else; one sentence says what and how to mend it.
    """
    name = getattr(algorithm, "name", algorithm)
    if name not in _HIERARCHICAL:
        raise InvalidArgumentError(f"algorithm={name!r} is not one of {', '.join(_HIERARCHICAL)}")
    local = positive_int("num_local_physical_experts", num_local_physical_experts)
    if positive_int("num_physical_experts", num_physical_experts) % local:
        raise InvalidArgumentError(
            f"num_physical_experts={num_physical_experts} is not a multiple of num_local_physical_experts={local}"
        )
    values = _summed(tokens_per_expert)
    numbers = (num_physical_experts, num_groups, num_nodes, num_physical_experts // local)
    width = num_physical_experts - values.shape[1] + 1 if "vec" in name else None
    return _tensors(values, *numbers, _HIERARCHICAL[name], width)


def deepseek_rebalance_experts(
    weight: torch.Tensor,
    num_replicas: int,
    num_groups: int | None,
    num_nodes: int,
    num_gpus: int,
    enable_hierarchical: bool,
) -> Tensors:
    """The same with the signature of ``deepseek.rebalance_experts``; `weight` has shape ``(layers, experts)``."""
    return _tensors(layer_loads(weight), num_replicas, num_groups, num_nodes, num_gpus, enable_hierarchical, None)


def plug_in() -> None:
    """`patch`, for an entry point of the group ``sglang.srt.plugins``; SGLang ends where it fails, and says why.

    SGLang's loader logs exceptions of a plug-in and goes on, with its own planner and nobody the wiser.

    Raises
    ------
    SystemExit
        What `patch` would raise; its message is all that the process has left to say.
    """
    try:
        patch()
    except EplbOptError as error:
        raise SystemExit(f"eplb_opt cannot plan in SGLang: {error}") from None


def patch() -> None:
    """Take the place of SGLang's DeepSeek algorithms, under their names.

    For the top of the script that launches SGLang, so that it is called in each scheduler process; `plug_in` is for an
    entry point. More than one call does no harm. Other algorithms, such as those that plan around
    lost ranks, stay SGLang's. Where ``EPLB_OPT_PLAN`` names the file of a plan, it is read here, and handed out in the
    place of planning; else compiled code is loaded in the background from here on.

    Raises
    ------
    MissingPackageError
        SGLang is not installed, or has no such algorithms.
    InvalidArgumentError
        ``EPLB_OPT_TIME_LIMIT`` is no positive number of seconds, ``EPLB_OPT_PLAN`` names no plan that can be used, or
        one of `eplb_opt.plugins.changes.Changes` is wrong.
    """
    changes = Changes.asked()
    time_limit()
    saved = saved_plan()
    try:
        engine: Any = importlib.import_module(_MODULE)
        leaf: Any = importlib.import_module(f"{_MODULE}.deepseek")
        shipped = engine.rebalance_experts
        leaf.rebalance_experts  # noqa: B018 - an AttributeError where SGLang has another layout
        if changes.any:
            importlib.import_module(_LOCATION).get_global_expert_location_metadata  # noqa: B018 - the same
    except (ImportError, AttributeError) as error:
        raise MissingPackageError(
            f"{_MODULE}.rebalance_experts cannot be had ({error}); install an SGLang that has EPLB"
        ) from None
    if not hasattr(shipped, "of_eplb_opt"):
        engine.rebalance_experts = _beside(shipped)
        leaf.rebalance_experts = deepseek_rebalance_experts
    if saved is not None:
        logger.info("SGLang is given the plan of %s", saved.path)
        return
    KERNELS.begin()
    logger.info("SGLang plans with eplb_opt, %s s of search%s", time_limit(), changes.words)


def _beside(shipped: Any) -> Any:
    """`rebalance_experts` for the algorithms it knows, and the shipped function for the others."""

    @functools.wraps(shipped)
    def chosen(
        tokens_per_expert: torch.Tensor,
        num_physical_experts: int,
        num_local_physical_experts: int,
        num_groups: int | None,
        num_nodes: int,
        algorithm: Any,
    ) -> Any:
        ours = getattr(algorithm, "name", algorithm) in _HIERARCHICAL
        return (rebalance_experts if ours else shipped)(
            tokens_per_expert=tokens_per_expert,
            num_physical_experts=num_physical_experts,
            num_local_physical_experts=num_local_physical_experts,
            num_groups=num_groups,
            num_nodes=num_nodes,
            algorithm=algorithm,
        )

    chosen.of_eplb_opt = True  # type: ignore[attr-defined]
    return chosen


def _summed(tokens_per_expert: torch.Tensor) -> NDArray[Any]:
    """Loads of ``(layers, experts)``; summed where the tensor is, since a thousand steps take long to look at here."""
    shape = tuple(tokens_per_expert.shape)
    if len(shape) not in (2, 3):
        raise InvalidLoadsError(
            f"tokens_per_expert has shape {shape}; expected (steps, layers, experts) or (layers, experts)"
        )
    if len(shape) == 2:
        return layer_loads(tokens_per_expert, "tokens_per_expert")
    if bool((tokens_per_expert < 0).any()):
        raise InvalidLoadsError("tokens_per_expert holds negative loads; expected numbers of tokens")
    import torch

    number = torch.float64 if tokens_per_expert.is_floating_point() else torch.int64
    return layer_loads(tokens_per_expert.sum(dim=0, dtype=number), "tokens_per_expert")


def _running(values: NDArray[Any], deployment: Deployment) -> Ints | None:
    """What the slots hold now, or ``None`` where nothing runs yet, or something of other sizes.

    SGLang writes each layer down as it moves its weights, and asks for a plan only once all layers of the last one are
    done. All ranks have the same map.
    """
    location = sys.modules.get(_LOCATION)
    metadata = None if location is None else location.get_global_expert_location_metadata()
    if metadata is None:
        return None
    table = host_array(metadata.physical_to_logical_map)
    return table.astype(np.int64) if table.shape == (len(values), deployment.num_slots) else None


def _tensors(
    values: NDArray[Any],
    num_slots: int,
    num_groups: int | None,
    num_nodes: int,
    num_gpus: int,
    hierarchical: bool,
    width: int | None,
) -> Tensors:
    import torch

    groups = 1 if num_groups is None else num_groups
    deployment = deployment_of(values.shape[1], num_slots, groups, num_nodes, num_gpus, hierarchical=hierarchical)
    saved = saved_plan()
    if saved is None:
        rows = plan_layers(values, deployment, _running(values, deployment) if Changes.asked().any else None)
    else:
        rows = saved.rows(values, deployment)
    plan = Plan(rows, deployment, values.shape[1])
    log2phy = torch.from_numpy(plan.logical_to_physical(width))
    return torch.from_numpy(plan.physical_to_logical.copy()), log2phy, torch.from_numpy(plan.replica_counts.copy())
