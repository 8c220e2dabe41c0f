"""vLLM: this planner behind the interface of its EPLB policies; ``vllm.md`` says how to plug it in."""

from __future__ import annotations

import importlib
import inspect
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from eplb_opt.errors import InvalidArgumentError, MissingPackageError
from eplb_opt.plan import Plan
from eplb_opt.plugins.changes import Changes
from eplb_opt.plugins.plain import Ints
from eplb_opt.plugins.planner import deployment_of, host_array, layer_loads, plan_layers, time_limit

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

_MODULE = "vllm.distributed.eplb.policy"
_PARAMETERS = ("weight", "num_replicas", "num_groups", "num_nodes", "num_ranks")
_OLD_MAP = "old_global_expert_indices"


class EplbOptPolicy:
    """The policy of vLLM that takes the slots of all layers back, and derives the rest."""

    @classmethod
    def rebalance_experts(
        cls,
        weight: torch.Tensor,
        num_replicas: int,
        num_groups: int,
        num_nodes: int,
        num_ranks: int,
        old_global_expert_indices: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Expert of each slot, int64 on the CPU, shape ``(layers, num_replicas)``.

        Parameters
        ----------
        weight
            Loads in tokens, shape ``(layers, experts)``, of any number type, on any device.
        num_replicas, num_groups, num_nodes, num_ranks
            Slots over all GPUs, expert groups, nodes, GPUs.
        old_global_expert_indices
            What the slots hold now, shape ``(layers, slots)``, negative where empty. GPUs, and nodes that take whole
            groups, are renumbered so that few experts move, and what stays on a GPU keeps its slot. With another number
            of slots than `num_replicas`, while an engine grows or shrinks, it does not count.

        Raises
        ------
        InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
            Wrong input; one sentence says what and how to mend it.
        """
        arguments = (weight, num_replicas, num_groups, num_nodes, num_ranks, old_global_expert_indices)
        return _planned(*arguments).to_torch()[0]


class EplbOptTensorsPolicy:
    """The policy of older versions of vLLM, which take three tensors back."""

    @classmethod
    def rebalance_experts(
        cls,
        weight: torch.Tensor,
        num_replicas: int,
        num_groups: int,
        num_nodes: int,
        num_ranks: int,
        old_global_expert_indices: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``(phy2log, log2phy, logcnt)``, int64 on the CPU.

        Shapes ``(layers, num_replicas)``, ``(layers, experts, largest count)`` by increasing slot and padded with -1,
        and ``(layers, experts)``. Arguments and errors as of `EplbOptPolicy`.
        """
        arguments = (weight, num_replicas, num_groups, num_nodes, num_ranks, old_global_expert_indices)
        return _planned(*arguments).to_torch()


def register() -> None:
    """Make this the policy ``"default"`` of vLLM, in the form that the installed version asks for.

    For an entry point of the group ``vllm.general_plugins``, which vLLM calls in each of its processes; more than one
    call does no harm. Nothing is compiled or loaded here: that begins with a worker's profile run.

    Raises
    ------
    MissingPackageError
        vLLM is not installed, or has no policies of a known form.
    InvalidArgumentError
        ``EPLB_OPT_TIME_LIMIT`` is no positive number of seconds, or one of `eplb_opt.plugins.changes.Changes` is wrong
        or cannot be kept, as this vLLM does not say what runs.
    """
    changes = Changes.asked()
    time_limit()
    try:
        engine: Any = importlib.import_module(_MODULE)
        policies, shipped = engine.EPLB_POLICIES, engine.EPLB_POLICIES["default"]
    except (ImportError, AttributeError, KeyError) as error:
        raise MissingPackageError(
            f"{_MODULE}.EPLB_POLICIES['default'] cannot be had ({error}); install a vLLM that has EPLB policies"
        ) from None
    policy = _form_of(shipped)
    if changes.any and _OLD_MAP not in inspect.signature(shipped.rebalance_experts).parameters:
        raise InvalidArgumentError(
            "this vLLM does not tell its policies what runs, so that moves and gains cannot be counted"
            f"{changes.words}: unset these, or use a version whose policies take {_OLD_MAP}"
        )
    policies["default"] = policy
    base: Any = getattr(engine, "AbstractEplbPolicy", None)
    if hasattr(base, "register"):
        # Whoever asks whether this is a policy of vLLM is told yes, and vLLM need not be there when this is imported.
        base.register(policy)
    logger.info("vLLM plans with %s, %s s of search%s", policy.__name__, time_limit(), changes.words)


def _form_of(shipped: Any) -> type:
    """The class whose answers have the form of the shipped policy's."""
    signature = inspect.signature(shipped.rebalance_experts)
    if tuple(signature.parameters)[: len(_PARAMETERS)] != _PARAMETERS:
        raise MissingPackageError(
            f"the policies of this vLLM take ({', '.join(signature.parameters)}), and not {', '.join(_PARAMETERS)}; "
            "use a version whose policies do"
        )
    # The annotation is a type or, in modules that postpone them, its text.
    return EplbOptTensorsPolicy if "tuple" in str(signature.return_annotation).lower() else EplbOptPolicy


def _planned(weight: Any, num_replicas: int, num_groups: int, num_nodes: int, num_ranks: int, old: Any) -> Plan:
    values = layer_loads(weight)
    deployment = deployment_of(values.shape[1], num_replicas, num_groups, num_nodes, num_ranks)
    slots = plan_layers(values, deployment, _held(old, len(values), deployment.num_slots))
    return Plan(slots, deployment, values.shape[1])


def _held(old: Any, num_layers: int, num_slots: int) -> Ints | None:
    """What the slots hold now, if that is known for as many slots."""
    if old is None:
        return None
    table = host_array(old)
    if table.ndim != 2 or len(table) != num_layers or table.dtype.kind not in "iu":
        raise InvalidArgumentError(
            f"old_global_expert_indices has shape {table.shape} of {table.dtype}; expected integers of shape "
            f"({num_layers}, slots)"
        )
    return table.astype(np.int64) if table.shape[1] == num_slots else None
