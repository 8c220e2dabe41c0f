"""Deployments that are held side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from eplb_opt.arguments import one_of, positive_int
from eplb_opt.deployment import Deployment, Dispatch
from eplb_opt.errors import InvalidArgumentError, InvalidDeploymentError

POLICIES = ("hierarchical", "global")
# GPUs of a node where nobody says how many.
USUAL_NODE = 8
# Sizes beyond the fewest slots per GPU where nobody names any.
_FURTHER = 3


def deployments(
    num_experts: int,
    gpus: Sequence[int],
    slots_per_gpu: Sequence[int] | None,
    policies: Sequence[str] | None,
    gpus_per_node: int | None,
    num_groups: int,
    dispatch: Dispatch,
) -> list[Deployment]:
    """The deployments that exist, by GPUs, policy and slots; arguments as in `eplb_opt.size`."""
    if isinstance(gpus, int) or not gpus:
        raise InvalidArgumentError(f"gpus={gpus!r} is not a list of numbers of GPUs")
    for policy in policies or ():
        one_of("policy", policy, POLICIES)
    found: list[Deployment] = []
    for number in dict.fromkeys(positive_int("gpus", number) for number in gpus):
        nodes = _nodes(number, gpus_per_node)
        for shape in _shapes(number, nodes, policies, num_groups, dispatch):
            found += _sizes(shape, num_experts, slots_per_gpu)
    if not found:
        raise InvalidDeploymentError(_none_fits(num_experts, gpus, slots_per_gpu))
    return found


def _nodes(num_gpus: int, gpus_per_node: int | None) -> int:
    if gpus_per_node is None:
        return 1 if num_gpus % USUAL_NODE else num_gpus // USUAL_NODE
    if num_gpus % positive_int("gpus_per_node", gpus_per_node):
        raise InvalidDeploymentError(f"gpus_per_node={gpus_per_node} does not divide gpus={num_gpus}")
    return num_gpus // gpus_per_node


def _shapes(
    num_gpus: int, nodes: int, policies: Sequence[str] | None, num_groups: int, dispatch: Dispatch
) -> Iterator[Deployment]:
    """A deployment without slots beyond one per GPU for each policy that is asked for, or that applies."""
    applies = nodes > 1 and num_groups % nodes == 0
    for policy in policies or (POLICIES if applies else POLICIES[1:]):
        named: Any = policy
        yield Deployment(num_gpus, num_gpus, nodes, num_groups, named, dispatch=dispatch)


def _sizes(shape: Deployment, num_experts: int, slots_per_gpu: Sequence[int] | None) -> Iterator[Deployment]:
    possible = shape.possible_slots(num_experts)
    fewest = possible.start // shape.num_gpus
    for size in range(fewest, fewest + _FURTHER + 1) if slots_per_gpu is None else slots_per_gpu:
        slots = positive_int("slots_per_gpu", size) * shape.num_gpus
        if slots in possible:
            yield shape.with_slots(slots, num_experts)


def _none_fits(num_experts: int, gpus: Sequence[int], slots_per_gpu: Sequence[int] | None) -> str:
    fewest = ", ".join(f"{-(-num_experts // number)} on {number} GPUs" for number in gpus)
    return (
        f"slots_per_gpu={list(slots_per_gpu or ())} cannot hold {num_experts} experts; the fewest slots per GPU are "
        f"{fewest}"
    )
