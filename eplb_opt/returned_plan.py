"""What a planner's function returned, as slots: shapes, ids and rules are looked at before anything is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidPlanError
from eplb_opt.plan import Plan
from eplb_opt.verify import require_valid

_WAYS = "return phy2log, or (phy2log, log2phy, logcnt), or a Plan"


def slots_of(answer: Any, shape: Sequence[int], deployment: Deployment) -> NDArray[np.int64]:
    """Slot -> expert of shape ``(layers, slots)``, which obeys all rules but, maybe, that replicas are distinct.

    `answer` is a mapping of slots as a tensor, an array or nested lists; or a tuple of that, the slots of each expert
    and the replica counts, as DeepSeek's EPLB returns; or a `Plan`. `shape` is ``(layers, experts)``.

    Raises
    ------
    InvalidPlanError
        Anything else, or a plan of another shape or that breaks a rule; one sentence says what.
    """
    num_layers, num_experts = shape
    further: tuple[Any, ...] = ()
    if isinstance(answer, Plan):
        if answer.num_experts != num_experts:
            raise InvalidPlanError(f"a Plan for {answer.num_experts} experts, not {num_experts}")
        answer = answer.physical_to_logical
    elif isinstance(answer, tuple):
        if len(answer) != 3:
            raise InvalidPlanError(f"a tuple of {len(answer)}; {_WAYS}")
        answer, *rest = answer
        further = tuple(rest)
    slots = _integers("phy2log", answer)
    if slots.shape != (num_layers, deployment.num_slots):
        raise InvalidPlanError(
            f"phy2log has shape {slots.shape}, not (layers, slots) = ({num_layers}, {deployment.num_slots})"
        )
    plan = Plan(slots, replace(deployment, distinct=False), num_experts)
    require_valid(plan, "phy2log")
    if further:
        _require_agreement(plan, *further)
    return plan.physical_to_logical


def _integers(name: str, values: Any) -> NDArray[Any]:
    """Integers of an array, a tensor on any device, or nested lists."""
    try:
        # What is not ours may raise anything when it is read, as tensors on "meta" do, which hold no data.
        if hasattr(values, "detach"):
            values = values.detach().cpu().numpy()
        if not isinstance(values, np.ndarray | list | tuple):
            raise InvalidPlanError(f"{name} is a {type(values).__name__}; {_WAYS}")
        found = np.asarray(values)
    except InvalidPlanError:
        raise
    except ValueError:
        raise InvalidPlanError(f"{name} is ragged: every layer needs the same number of slots") from None
    except Exception as error:
        raise InvalidPlanError(f"{name} cannot be read: {' '.join(str(error).split())}") from error
    if found.dtype.kind not in "iu":
        raise InvalidPlanError(f"{name} holds {found.dtype}, not integers")
    return found


def _require_agreement(plan: Plan, log2phy: Any, logcnt: Any) -> None:
    """Refuse the other two tables of DeepSeek's EPLB where an engine would read another plan out of them."""
    counts, slots = _integers("logcnt", logcnt), _integers("log2phy", log2phy)
    if counts.shape != plan.replica_counts.shape:
        raise InvalidPlanError(f"logcnt has shape {counts.shape}, not {plan.replica_counts.shape}")
    for layer, expert in np.argwhere(counts != plan.replica_counts)[:1]:
        raise InvalidPlanError(
            f"logcnt has {counts[layer, expert]} replicas of expert {expert} of layer {layer}, phy2log "
            f"{plan.replica_counts[layer, expert]}"
        )
    most = int(plan.replica_counts.max())
    if slots.ndim != 3 or slots.shape[:2] != counts.shape or slots.shape[2] < most:
        raise InvalidPlanError(f"log2phy has shape {slots.shape}, not {(*counts.shape, most)}")
    # In any order, and padded to any width.
    expected = np.sort(plan.logical_to_physical(slots.shape[2]), axis=2)
    for layer, expert in np.argwhere((np.sort(slots, axis=2) != expected).any(axis=2))[:1]:
        raise InvalidPlanError(f"log2phy has other slots of expert {expert} of layer {layer} than phy2log")
