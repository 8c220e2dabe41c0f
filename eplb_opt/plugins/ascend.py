"""vLLM-Ascend: this planner behind the interface of its EPLB policies; ``ascend.md`` says how to plug it in."""

from __future__ import annotations

import importlib
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.arguments import positive_int
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidArgumentError, InvalidLoadsError, MissingPackageError
from eplb_opt.loads import Loads
from eplb_opt.plugins.changes import Changes
from eplb_opt.plugins.loading import KERNELS
from eplb_opt.plugins.max_loads import hottest_loads, valid_layers
from eplb_opt.plugins.plain import Ints, even_rows
from eplb_opt.plugins.planner import host_array, plan_layers, time_limit

logger = logging.getLogger(__name__)

_MODULE = "vllm_ascend.eplb.core.policy.policy_factory"
# A layer whose max load falls by less is left alone: loads of one window differ from the next by more.
_LEAST_GAIN = 0.01


class EplbOptPolicy:
    """The policy of vLLM-Ascend: replicas distinct on an NPU, and what stays on an NPU keeps its slot.

    What it remembers is only what `set_new_ep_size` says, until the next plan.
    """

    def __init__(self, config: object = None) -> None:
        self.config = config
        self._num_ranks: int | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The engine sends its policy to the process that plans, which has compiled code to load.
        self.__dict__.update(state)
        KERNELS.begin()

    def set_new_ep_size(self, new_ep_size: int) -> None:
        """Plan for so many NPUs the next time, as the engine grows or shrinks."""
        self._num_ranks = positive_int("new_ep_size", new_ep_size)

    def rebalance_experts(self, current_expert_table: Any, expert_workload: Any) -> tuple[int, Ints, Ints]:
        """``(changed, per_layer_priority, new_table)``.

        Parameters
        ----------
        current_expert_table
            Expert of each slot, integers of shape ``(layers, ranks, slots)``, negative where empty.
        expert_workload
            Load of each slot in tokens, the same shape, or with stages in front, which are summed.

        Returns
        -------
        changed
            1 if any layer changes, else 0. The engine takes the table in either case.
        per_layer_priority
            All layers, int64, those first whose max load falls the most, in proportion.
        new_table
            int64, shape ``(layers, ranks, slots)``. A layer stays as it is unless its max load falls by a percent, or
            by anything where `eplb_opt.plugins.changes.Changes` are asked for.

        Raises
        ------
        InvalidLoadsError, InvalidDeploymentError, InvalidArgumentError
            Wrong input; one sentence says what and how to mend it.
        """
        table, workload = _tables(current_expert_table, expert_workload)
        num_ranks, self._num_ranks = self._num_ranks or table.shape[1], None
        values = _folded(table, workload)
        deployment = Deployment(num_ranks, num_ranks * table.shape[2])
        deployment.require_room_for(values.shape[1])
        old = _resized(table, num_ranks).reshape(len(table), -1)
        new = plan_layers(values, deployment, old, doubles=False, fallback=even_rows)
        before, after = (hottest_loads(values, rows, num_ranks) for rows in (old, new))
        least_gain = 0.0 if Changes.asked().any else _LEAST_GAIN
        stays = (after >= (1 - least_gain) * before) & valid_layers(old, deployment, values.shape[1])
        new[stays], after[stays] = old[stays], before[stays]
        ratio = np.divide(after, before, out=np.ones_like(before), where=before > 0)
        changed = not stays.all() or num_ranks != table.shape[1]
        return int(changed), np.argsort(ratio, kind="stable"), new.reshape(len(table), num_ranks, -1)


def patch() -> None:
    """Make this the policy of vLLM-Ascend, whatever ``eplb_policy_type`` says.

    For an entry point of the group ``vllm.general_plugins``. The engine makes its policy where this was called and
    sends it to the process that plans, which need not be patched.

    Raises
    ------
    MissingPackageError
        vLLM-Ascend is not installed, or has no factory of policies.
    InvalidArgumentError
        ``EPLB_OPT_TIME_LIMIT`` is no positive number of seconds, or one of `eplb_opt.plugins.changes.Changes` is wrong.
    """
    changes = Changes.asked()
    time_limit()
    try:
        factory = importlib.import_module(_MODULE).PolicyFactory
        factory.generate_policy  # noqa: B018 - an AttributeError where the engine has another layout
    except (ImportError, AttributeError) as error:
        raise MissingPackageError(
            f"{_MODULE}.PolicyFactory.generate_policy cannot be had ({error}); install a vLLM-Ascend that has it"
        ) from None
    factory.generate_policy = staticmethod(_generate_policy)
    logger.info("vLLM-Ascend plans with eplb_opt, %s s of search%s", time_limit(), changes.words)


def _generate_policy(policy_type: int, config: object = None) -> EplbOptPolicy:
    return EplbOptPolicy(config)


def _tables(current_expert_table: Any, expert_workload: Any) -> tuple[Ints, NDArray[Any]]:
    """The table and the loads of its slots as arrays of one shape."""
    table = host_array(current_expert_table)
    if table.ndim != 3 or not table.size or table.dtype.kind not in "iu" or table.max() < 0:
        raise InvalidArgumentError(
            f"current_expert_table has shape {table.shape} of {table.dtype}; expected experts of (layers, ranks, slots)"
        )
    loads = expert_workload if hasattr(expert_workload, "detach") else np.asarray(expert_workload)
    shape = tuple(loads.shape)
    if shape[-3:] != table.shape or len(shape) > 4:
        raise InvalidLoadsError(f"expert_workload has shape {shape}; expected that of the table, {table.shape}")
    stages = Loads.of(loads.reshape(*shape[:-2], -1)).values
    return table.astype(np.int64), stages.sum(axis=0).reshape(table.shape)


def _folded(table: Ints, workload: NDArray[Any]) -> NDArray[Any]:
    """Load of each expert, shape ``(layers, experts)``: that of its slots, summed."""
    num_experts = int(table.max()) + 1
    values = np.zeros((len(table), num_experts), dtype=workload.dtype)
    held = table >= 0
    layer = np.broadcast_to(np.arange(len(table))[:, np.newaxis, np.newaxis], table.shape)
    np.add.at(values, (layer[held], table[held]), workload[held])
    return values


def _resized(table: Ints, num_ranks: int) -> Ints:
    """The table of the first `num_ranks`; ranks that come are empty."""
    resized = np.full((len(table), num_ranks, table.shape[2]), -1, dtype=np.int64)
    both = min(num_ranks, table.shape[1])
    resized[:, :both] = table[:, :both]
    return resized
